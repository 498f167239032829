"""Points that are missing from a paid order: what a person decides about them, to the point and to the cent."""

from dataclasses import replace

import pytest

from _office_shop import Filler, text_of
from _small_shop import SmallShop, Visitor
from _world import CART, World
from punktgenau import Money
from punktgenau.checkout import Cart, Checkout, Line, Refund
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.figures import Span
from punktgenau.checkout.office import Office
from punktgenau.checkout.shortfall import Settlement
from punktgenau.errors import LiveRedemptionError, StateConflictError

WHO = {"actor": "clerk 7", "reason": "the customer called"}
ALL = {"lines": {"lamp": 2}, "shipping_minor": 490}
DUE = {"written_off": 5053, "paid_otherwise": 5480}
BOTH: tuple[Settlement, ...] = ("written_off", "paid_otherwise")


def short_after_a_parcel(world: World) -> Checkout:
    """54.80, 4.27 of it in points: 232 are captured with the first lamp and shipping, the other 195 are gone."""
    shop = world.checkout(capture="shipped", hold_s=600)
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "paid")
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    assert world.provider.points() == (2073, 195)
    world.advance(3600)
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-2")
    assert state(shop) == "short"
    return shop


def short(world: World, checkout: Checkout) -> None:
    """The same order, and nothing could be captured: the points were spent elsewhere."""
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(3 * 3600)
    world.provider.give("mbr_2500", 10)
    checkout.capture("A-1")
    assert state(checkout) == "short"


def revoked(world: World, *, returned: bool) -> Checkout:
    """The same order, its points taken anew as their hold had ended; then the provider gave back what was left."""
    shop = world.checkout(hold_s=600)
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(3600)
    world.order("A-1", "paid")
    shop.capture("A-1")
    assert (state(shop), world.provider.points()) == ("captured", (2073, 0))
    if returned:
        assert figures(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})) == (194, 2301, 0)
    row = shop._journal.latest("A-1")
    assert row is not None
    revoke(shop, row.captured_points - row.reversed_points)
    assert (state(shop), world.provider.points()) == ("short", (2500, 0))
    return shop


def revoke(shop: Checkout, points: int, reference: str = "theirs") -> None:
    """The provider gives back by itself, and the shop hears of it."""
    row = shop._journal.latest("A-1")
    assert row is not None
    assert row.provider_id is not None
    shop._provider.redemptions.reverse(row.provider_id, points=points, return_reference=reference)
    evidence = shop._executor.look_up(row, deadline_s=5)
    assert evidence is not None
    shop._executor.note_evidence(row, evidence)


def state(checkout: Checkout) -> str:
    payment = checkout.find("A-1")
    assert payment is not None
    return payment.state


def settle(checkout: Checkout, as_: Settlement) -> str:
    office = Office(checkout)
    redemption_id = office.searching.attempts("A-1")[-1].id
    office.resolve(redemption_id, as_=as_, **WHO)
    return redemption_id


def figures(refund: Refund | None) -> tuple[int, int, int]:
    """Points, money and what is written off of a return."""
    assert refund is not None
    assert refund.goods == refund.other + refund.points_value + refund.money + refund.written_off
    return refund.points, refund.money.amount_minor, refund.written_off.amount_minor


def tenders(checkout: Checkout) -> list[tuple[str, int, int]]:
    invoice = checkout.invoice("A-1")
    assert invoice is not None
    assert invoice.total == invoice.taxable == Money(amount_minor=5480, currency="EUR")
    return [(one.kind, one.points, one.amount.amount_minor) for one in invoice.tenders]


# 50.53 were paid and 4.27 written off, or 54.80 were paid; one lamp costs 24.95.
@pytest.mark.parametrize(("as_", "back"), [("written_off", 2558), ("paid_otherwise", 2985)])
def test_a_settled_order_that_becomes_smaller_gives_money_back(
    world: World, checkout: Checkout, as_: Settlement, back: int
) -> None:
    short(world, checkout)
    settle(checkout, as_)
    one = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=1, unit_price_minor=2495, vat_rate="19")])
    payment = checkout.amend("A-1", one)
    assert payment is not None
    assert (payment.points, payment.due.amount_minor) == (0, 2495)
    assert [(reference, owed.amount_minor) for _, reference, owed in checkout.open_refunds()] == [("amend-3", back)]
    assert figures(checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})) == (0, 2495, 0)
    # All that was paid has come back.
    owed = sum(amount.amount_minor for _, _, amount in checkout.open_refunds())
    assert owed == DUE[as_]


@pytest.mark.parametrize("as_", BOTH)
def test_a_settled_order_takes_no_points_any_more(world: World, checkout: Checkout, as_: Settlement) -> None:
    short(world, checkout)
    settle(checkout, as_)
    world.provider.give("mbr_2500", 2500)
    checkout.balance("anna", max_age_s=0)
    for points in (427, 100):
        with pytest.raises(LiveRedemptionError, match=as_):
            checkout.authorize("A-1", CART, customer_id="anna", points=points)
    without = checkout.authorize("A-1", CART, customer_id="anna", points=0)
    assert (without.points, without.due) == (0, Money(amount_minor=DUE[as_], currency="EUR"))
    assert world.provider.points() == (2500, 0)
    assert len(Office(checkout).searching.attempts("A-1")) == 2


@pytest.mark.parametrize("as_", BOTH)
def test_nor_does_one_whose_points_are_all_back(world: World, as_: Settlement) -> None:
    shop = revoked(world, returned=False)
    settle(shop, as_)
    shop.balance("anna", max_age_s=0)
    with pytest.raises(LiveRedemptionError, match=as_):
        shop.authorize("A-1", CART, customer_id="anna", points=427)
    assert (world.provider.points(), len(Office(shop).searching.attempts("A-1"))) == ((2500, 0), 2)
    without = shop.authorize("A-1", CART, customer_id="anna", points=0)
    assert (without.state, without.due) == ("reversed", Money(amount_minor=DUE[as_], currency="EUR"))
    # All that was paid in money can come back.
    assert figures(shop.refund("A-1", return_reference="R-1", **ALL)) == (0, DUE[as_], 5480 - DUE[as_])


@pytest.mark.parametrize("as_", BOTH)
def test_a_settled_order_is_placed_once_more_with_another_cart(
    world: World, checkout: Checkout, as_: Settlement
) -> None:
    short(world, checkout)
    settle(checkout, as_)
    four = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=4, unit_price_minor=2495, vat_rate="19")])
    for cart, customer in ((four, "anna"), (CART, "ben")):
        with pytest.raises(LiveRedemptionError, match="amend"):
            checkout.authorize("A-1", cart, customer_id=customer, points=0)
    assert checkout.amend("A-1", four) == checkout.authorize("A-1", four, customer_id="anna", points=0)
    # Four lamps of 24.95: a changed order has a price of its own.
    without = checkout.authorize("A-1", four, customer_id="anna", points=0)
    assert (without.points, without.due) == (0, Money(amount_minor=9980, currency="EUR"))


@pytest.mark.parametrize(
    ("as_", "due", "lost"), [("written_off", 5053, [("written_off", 0, 245)]), ("paid_otherwise", 5298, [])]
)
def test_points_revoked_between_parcels_do_not_pay_and_are_not_back_besides(
    world: World, as_: Settlement, due: int, lost: list[tuple[str, int, int]]
) -> None:
    # 232 of 427 were captured, and 50 of these are gone: 182 pay, 245 are missing.
    shop = short_after_a_parcel(world)
    revoke(shop, 50)
    settle(shop, as_)
    invoice, payment = shop.invoice("A-1"), shop.find("A-1")
    assert tenders(shop) == [("points", 182, 182), *lost, ("money", 0, due)]
    assert invoice is not None
    assert payment is not None
    assert (invoice.given_back, payment.points, payment.due.amount_minor) == (None, 182, due)
    # What is revoked after that has paid by the receipt.
    revoke(shop, 30, "theirs again")
    invoice = shop.invoice("A-1")
    assert invoice is not None
    assert invoice.given_back is not None
    assert (invoice.points, invoice.given_back.points, invoice.given_back.amount.amount_minor) == (182, 30, 30)


@pytest.mark.parametrize(
    ("as_", "returned", "due", "gone", "rest"),
    [
        ("written_off", False, 5053, 427, (0, 5053, 427)),
        ("paid_otherwise", False, 5480, 427, (0, 5480, 0)),
        # One lamp and its 194 points came back before: 29.85 are left, and 233 points.
        ("written_off", True, 2752, 233, (0, 2752, 233)),
        ("paid_otherwise", True, 2985, 233, (0, 2985, 0)),
    ],
)
def test_points_that_were_taken_anew_and_revoked_are_missing(
    world: World, as_: Settlement, returned: bool, due: int, gone: int, rest: tuple[int, int, int]
) -> None:
    shop = revoked(world, returned=returned)
    by_points = [("points", 194, 194)] if returned else []
    assert tenders(shop) == [*by_points, ("missing", 0, gone), ("money", 0, 5053)]
    invoice = shop.invoice("A-1")
    assert invoice is not None
    assert invoice.given_back is None
    office = Office(shop)
    redemption_id = office.searching.attempts("A-1")[-1].id
    assert office.whole(redemption_id).missing == (gone, gone)
    settle(shop, as_)
    (deed,) = [one for one in office.log() if one.kind == f"resolve_{as_}"]
    assert (deed.detail["points"], deed.detail["value_minor"]) == (gone, gone)
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.points, payment.due.amount_minor) == (0, due)
    invoice = shop.invoice("A-1")
    assert invoice is not None
    assert (invoice.points, invoice.given_back) == (0, None)
    wanted = {"lines": {"lamp": 1 if returned else 2}, "shipping_minor": 490}
    assert figures(shop.refund("A-1", return_reference="R-2", **wanted)) == rest  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("as_", "due", "paid_by", "first", "last"),
    [
        ("written_off", 5053, [("points", 232, 232), ("written_off", 0, 195), ("money", 0, 5053)],
         # 232 over 49.90 and 4.90 are 211 and 21. Of one lamp: 211 / 2 = 105, 23.90 left, of it 195 x 2390 / 5248 = 88.
         (105, 2302, 88), (127, 2751, 107)),
        ("paid_otherwise", 5248, [("points", 232, 232), ("money", 0, 5248)], (105, 2390, 0), (127, 2858, 0)),
    ],
)  # fmt: skip
def test_what_was_captured_stays(
    world: World,
    as_: Settlement,
    due: int,
    paid_by: list[tuple[str, int, int]],
    first: tuple[int, int, int],
    last: tuple[int, int, int],
) -> None:
    shop = short_after_a_parcel(world)
    redemption_id = settle(shop, as_)
    for _ in range(3):
        shop.recover()
        shop.capture("A-1")
        shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-2")
        shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-3")
        world.advance(900)
    payment = shop.amend("A-1", CART)
    assert payment is not None
    assert (payment.state, payment.points, payment.due.amount_minor) == ("captured", 232, due)
    assert payment.total.amount_minor == 5480
    assert world.provider.points() == (2500 - 232, 0)
    assert tenders(shop) == paid_by
    whole = Office(shop).whole(redemption_id)
    assert (whole.resolutions, whole.can_retry, whole.can_return) == ((), False, True)
    assert figures(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})) == first
    assert figures(shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}, shipping_minor=490)) == last
    assert world.provider.points() == (2500, 0)
    with pytest.raises(StateConflictError):
        settle(shop, as_)


@pytest.mark.parametrize(("as_", "due", "lost"), [("written_off", 2752, 195), ("paid_otherwise", 2947, 0)])
def test_what_came_back_before_is_no_part_of_it(world: World, as_: Settlement, due: int, lost: int) -> None:
    shop = short_after_a_parcel(world)
    # The lamp that left was paid with 194 points and 23.01; 38 points of the shipping stay.
    assert figures(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})) == (194, 2301, 0)
    settle(shop, as_)
    payment = shop.find("A-1")
    assert payment is not None
    # 29.85 are kept, 0.38 of them paid by points.
    assert (payment.total.amount_minor, payment.points, payment.due.amount_minor) == (2985, 38, due)
    assert figures(shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}, shipping_minor=490)) == (38, due, lost)
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize(("as_", "due", "lost"), [("written_off", 785, 1900), ("paid_otherwise", 2685, 0)])
def test_what_is_owed_of_a_point_is_paid_in_money(world: World, as_: Settlement, due: int, lost: int) -> None:
    """Points of a euro each: 40 of 54.80, and 21 of them are captured with the first lamp and shipping."""
    world.provider.rate(points=1, amount_minor=100)
    shop = world.checkout(capture="shipped", hold_s=600)
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=40)
    world.order("A-1", "paid")
    # Of 40.00 the lamps have 36.42 and shipping 3.58: 18.21 + 3.58 = 21.79 have left.
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    assert world.provider.points() == (2460, 19)
    world.advance(3600)
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-2")
    # 18.21 of the lamp are 18 points, and 0.21 is owed.
    first = shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert first is not None
    assert (first.points, first.money.amount_minor, first.carry.amount_minor) == (18, 674, 21)
    settle(shop, as_)
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.points, payment.due.amount_minor) == (3, due)
    assert figures(shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}, shipping_minor=490)) == (3, due, lost)
    assert [one.return_reference for one in shop.refunds("A-1")] == ["R-1", "amend-2", "R-2"]
    # All is back: 21 points, and what was paid in money, 14.80 or with the missing points' worth 33.80.
    assert world.provider.points() == (2500, 0)
    assert sum(money.amount_minor for _, _, money in shop.open_refunds()) == 5480 - 2100 - lost


@pytest.mark.parametrize(
    ("as_", "due", "paid_by", "back"),
    [
        ("written_off", 5053, [("written_off", 0, 427), ("money", 0, 5053)], (0, 5053, 427)),
        ("paid_otherwise", 5480, [("money", 0, 5480)], (0, 5480, 0)),
    ],
)
def test_where_nothing_was_captured(
    world: World,
    checkout: Checkout,
    as_: Settlement,
    due: int,
    paid_by: list[tuple[str, int, int]],
    back: tuple[int, int, int],
) -> None:
    short(world, checkout)
    settle(checkout, as_)
    payment = checkout.capture("A-1")
    assert payment is not None
    assert (payment.points, payment.due.amount_minor) == (0, due)
    assert tenders(checkout) == paid_by
    # What is paid back is what was paid.
    assert figures(checkout.refund("A-1", return_reference="R-1", **ALL)) == back  # type: ignore[arg-type]
    assert world.provider.points() == (10, 0)


def test_a_changed_order_has_a_price_of_its_own(world: World) -> None:
    shop = short_after_a_parcel(world)
    settle(shop, "written_off")
    # 52.85 was paid, 2.32 of it in points, and 29.85 is kept: of the points 232 x 2300 / 5285 = 100 go back.
    payment = shop.amend("A-1", Cart(currency="EUR", lines=[replace(CART.lines[0], quantity=1)], shipping_minor=490,
                                     shipping_vat_rate="19"))  # fmt: skip
    assert payment is not None
    assert (payment.total.amount_minor, payment.points, payment.due.amount_minor) == (2985, 132, 2853)
    (back,) = shop.refunds("A-1")
    assert (back.points, back.money.amount_minor) == (100, 2200)


def test_the_loss_is_told(world: World) -> None:
    begun = world.clock.now()
    shop = short_after_a_parcel(world)
    office = Office(shop)
    redemption_id = settle(shop, "written_off")
    (found,) = office.figures([Span(since=begun, until=world.clock.now())])
    assert (found.captured_points, found.captured["EUR"].amount_minor) == (232, 232)
    assert found.written_off == {"EUR": Money(amount_minor=195, currency="EUR")}
    (action,) = office.log()
    assert (action.kind, action.detail["points"], action.value) == (
        "resolve_written_off", 195, Money(amount_minor=195, currency="EUR"),
    )  # fmt: skip
    *before, told = office.whole(redemption_id).story
    assert "amended" not in {one.kind for one in before}
    assert (told.kind, told.value, told.actor, told.reason) == (
        "action.resolve_written_off", action.value, "clerk 7", "the customer called",
    )  # fmt: skip


TOLD = {
    "en": ("Written off", "Wrote €4.27 of points off", "The customer owes nothing more"),
    "de": ("Abgeschrieben", "Schrieb Punkte im Wert von 4,27 € ab", "Der Kunde schuldet nichts weiter"),
    "zh": ("已核销", "核销了价值 €4.27 的积分", "顾客无需再付款"),
}


@pytest.mark.parametrize("language", TOLD)
def test_by_the_pages(shop: SmallShop, mira: Visitor, language: str) -> None:
    name, story, choice = TOLD[language]
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    with shop.app.app_context():
        filler = Filler(shop, shop.points.checkout)
        reference = filler.order(427, customer_id="anna")
        filler.advance(3 * 3600)
        filler.order(2_300, customer_id="anna", state="pending")
        shop.points.checkout.capture(reference)
        redemption_id = Office(shop.points.checkout).searching.attempts(reference)[-1].id
    one = f"/points/admin/redemptions/{redemption_id}"
    assert name not in text_of(mira.browser, "/points/admin/figures")
    assert choice in text_of(mira.browser, f"{one}/resolve")
    assert mira.post(f"{one}/resolve", **{"as": "written_off", "reason": "Our fault"}).status_code == 303
    page = text_of(mira.browser, one).replace("\xa0", " ")
    assert name in page
    assert story in page
    assert "Our fault" in page
    assert story in text_of(mira.browser, "/points/admin/log").replace("\xa0", " ")
    assert name in text_of(mira.browser, "/points/admin/figures")
    rows = text_of(mira.browser, "/points/admin/figures.csv").split("\r\n")
    assert rows[0].endswith("currency,captured_minor,reversed_minor,written_off_minor")
    assert rows[-2].endswith(",EUR,0,0,427")


@pytest.mark.parametrize("as_", BOTH)
def test_it_is_decided_once(world: World, checkout: Checkout, as_: Settlement) -> None:
    short(world, checkout)
    first, second = Office(checkout), Office(world.checkout())
    redemption_id = first.searching.attempts("A-1")[-1].id
    real = first._latest

    def meanwhile(asked_id: str) -> object:
        row = real(asked_id)
        second.resolve(redemption_id, as_="paid_otherwise", **WHO)
        return row

    first._latest = meanwhile  # type: ignore[method-assign, assignment]
    with pytest.raises(StateConflictError):
        first.resolve(redemption_id, as_=as_, **WHO)
    assert [one.kind for one in second.log()] == ["resolve_paid_otherwise"]


@pytest.mark.parametrize(("as_", "due", "owed"), [("written_off", 2962, [2476]), ("paid_otherwise", 2985, [2476, 19])])
def test_a_return_that_waited_for_points_which_were_never_taken(
    world: World, as_: Settlement, due: int, owed: list[int]
) -> None:
    """A lamp of 24.95 came back, 19 of 42 points and 24.76 in money: 29.85 are kept; 23 points would have paid of that.

    5438 were paid in money. Written off: 5438 - 2476 = 2962 pay for 2985, and 23 are the loss. Paid otherwise: 42 more
    were paid, of which 19 were for the lamp.
    """
    shop = world.checkout(hold_s=600)
    world.order("A-1", "paid")
    shop.balance("ben", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="ben", points=42)
    for operation in ("capture", "get", "find"):
        world.provider.fault(operation, "reset", when="before", times=500)
    shop.capture("A-1")
    assert figures(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})) == (19, 2476, 0)
    world.advance(3600)
    world.provider.heal()
    world.provider.give("mbr_42", 0)
    for _ in range(6):
        shop.recover()
        world.advance(900)
    assert state(shop) == "short"
    redemption_id = settle(shop, as_)
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.points, payment.due_minor) == (0, due)
    assert [money.amount_minor for _, _, money in shop.open_refunds()] == owed
    assert Office(shop).whole(redemption_id).payment == payment


def test_a_return_that_waits_for_its_turn_waits_on_while_a_shortfall_is_settled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = world.checkout(capture="shipped", hold_s=600)
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "paid")
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    for operation in ("capture", "get", "find"):
        world.provider.fault(operation, "reset", when="before", times=500)
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-2")
    refund = shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert refund is not None
    assert refund.state == "reversing"
    world.advance(3600)
    world.provider.heal()
    with monkeypatch.context() as patch:
        # The process dies once it knows that the order is short, before it does anything about it.
        patch.setattr(Executor, "_follow", lambda *_, **__: None)
        shop.recover()
    assert state(shop) == "short"
    settle(shop, "written_off")
    world.advance(900)
    shop.recover()
    assert [(one.return_reference, one.state) for one in shop.refunds("A-1")] == [("R-1", "done")]


def test_a_refusal_of_an_order_that_was_cancelled_is_nobodys_to_decide(world: World, checkout: Checkout) -> None:
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    checkout.capture("A-1")
    world.provider.play("no_partial_reversal")
    refund = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert refund is not None
    assert refund.state == "declined"
    assert Office(checkout).attention().counts["refused"] == len(list(checkout.refused_refunds())) == 1
    checkout.cancel("A-1")
    assert world.provider.points() == (2500, 0)
    assert Office(checkout).attention().counts["refused"] == len(list(checkout.refused_refunds())) == 0
