"""What an operator may do: each deed is shown before, done once, recorded with who and why, and told in the story."""

from typing import Any

import pytest

from _office_shop import OPERATOR, paid, text_of
from _small_shop import SmallShop, Visitor
from _world import CART, World
from flask_punktgenau.backoffice_returns import _next_reference
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.office import Office
from punktgenau.errors import AmountChangedError, InvalidArgumentError, StateConflictError

WHO = {"actor": "clerk 7", "reason": "the customer called"}


def placed(world: World, checkout: Checkout, reference: str = "A-1", *, capture: bool = True) -> str:
    world.order(reference, "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize(reference, CART, customer_id="anna", points=427)
    if capture:
        checkout.capture(reference)
    return Office(checkout).searching.attempts(reference)[-1].id


def unknown_capture(world: World, checkout: Checkout) -> str:
    """A capture that nobody could resolve for two days."""
    redemption_id = placed(world, checkout, capture=False)
    for operation in ("capture", "get", "find"):
        world.provider.fault(operation, "reset", when="before", times=500)
    checkout.capture("A-1")
    world.clock.advance(2 * 86_400)
    checkout.recover()
    world.provider.heal()
    assert checkout.find("A-1").state == "needs_attention"  # type: ignore[union-attr]
    return redemption_id


def kinds(office: Office, redemption_id: str) -> list[str]:
    return [told.kind for told in office.whole(redemption_id).story]


def test_the_story_of_an_order_whose_card_was_declined(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = placed(world, checkout, capture=False)
    checkout.void("A-1")
    checkout.authorize("A-1", CART, customer_id="anna", points=100)
    checkout.capture("A-1")
    whole = office.whole(redemption_id)
    told = [(one.attempt, one.kind, one.points, one.reason) for one in whole.story]
    assert told == [
        (1, "placed", 427, ""),
        (1, "authorize.done", 427, ""),
        (1, "void.done", 427, "payment_failed"),
        (2, "placed", 100, ""),
        (2, "authorize.done", 100, ""),
        (2, "capture.done", 100, ""),
    ]
    assert not whole.is_latest
    assert (whole.resolutions, whole.can_retry, whole.can_return) == ((), False, False)
    assert [one.attempt for one in whole.attempts] == [1, 2]


def test_a_slow_answer_is_told_twice(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = placed(world, checkout, capture=False)
    world.provider.fault("capture", "reset", when="before", times=500)
    checkout.capture("A-1")
    assert kinds(office, redemption_id)[-1] == "capture.asked"
    world.provider.heal()
    world.clock.advance(600)
    checkout.recover()
    assert kinds(office, redemption_id)[-2:] == ["capture.asked", "capture.done"]


def test_try_now(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = placed(world, checkout, capture=False)
    assert not office.whole(redemption_id).can_retry
    world.provider.fault("capture", "reset", when="before", times=500)
    checkout.capture("A-1")
    world.provider.heal()
    assert office.whole(redemption_id).can_retry
    assert office.retry(redemption_id, actor="clerk 7").state == "captured"
    assert "action.retry" in kinds(office, redemption_id)
    assert world.provider.points() == (2500 - 427, 0)


@pytest.mark.parametrize(("as_", "state"), [("done", "captured"), ("not_done", "authorized")])
def test_what_a_person_found_out(world: World, checkout: Checkout, office: Office, as_: str, state: str) -> None:
    redemption_id = unknown_capture(world, checkout)
    assert office.whole(redemption_id).resolutions == ("done", "not_done", "give_back")
    assert office.resolve(redemption_id, as_=as_, **WHO).state == state  # type: ignore[arg-type]
    (action,) = office.actions.of_redemption(redemption_id)
    assert (action.kind, action.actor, action.reason) == (f"resolve_{as_}", "clerk 7", "the customer called")
    with pytest.raises(StateConflictError):
        office.resolve(redemption_id, as_=as_, **WHO)  # type: ignore[arg-type]


def test_what_did_not_happen_is_done_anew_under_another_key(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = unknown_capture(world, checkout)
    office.resolve(redemption_id, as_="not_done", **WHO)
    captures = [one for one in checkout._journal.operations(redemption_id) if one.kind == "capture"]
    assert [(one.outcome, one.code) for one in captures] == [("not_done", "proven_undone")]
    checkout.capture("A-1")
    keys = {one.key for one in checkout._journal.operations(redemption_id) if one.kind == "capture"}
    assert len(keys) == 2


@pytest.mark.parametrize("as_", ["written_off", "paid_otherwise"])
def test_a_shortfall_is_settled_by_a_named_person(world: World, checkout: Checkout, office: Office, as_: str) -> None:
    placed(world, checkout, capture=False)
    world.clock.advance(3 * 3600)
    world.provider.advance(3 * 3600)
    world.provider.give("mbr_2500", 10)
    checkout.capture("A-1")
    assert checkout.find("A-1").state == "short"  # type: ignore[union-attr]
    redemption_id = office.searching.attempts("A-1")[-1].id
    assert office.attention().counts["short"] == 1
    assert office.whole(redemption_id).resolutions == ("paid_otherwise", "written_off")
    with pytest.raises(InvalidArgumentError):
        office.resolve(redemption_id, as_=as_, actor="clerk 7", reason=" ")  # type: ignore[arg-type]
    payment = office.resolve(redemption_id, as_=as_, **WHO)  # type: ignore[arg-type]
    # 54.80, of which points should have paid 4.27: the shop bears that, or the customer has paid it.
    assert (payment.state, payment.due.amount_minor) == ("declined", {"written_off": 5053, "paid_otherwise": 5480}[as_])
    assert office.attention().counts["short"] == 0
    assert f"action.resolve_{as_}" in kinds(office, redemption_id)


@pytest.mark.parametrize(("capture", "state"), [(True, "reversed"), (False, "voided")])
def test_give_everything_back(world: World, checkout: Checkout, office: Office, capture: bool, state: str) -> None:
    redemption_id = placed(world, checkout, capture=capture)
    assert office.give_back(redemption_id, **WHO).state == state
    assert world.provider.points() == (2500, 0)
    assert "action.cancel" in kinds(office, redemption_id)
    with pytest.raises(StateConflictError):
        office.give_back(redemption_id, **WHO)


def test_a_return_goes_back_as_it_was_shown(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = placed(world, checkout)
    wanted = {"lines": {"lamp": 1}, "shipping_minor": 0, "amount_minor": None}
    preview = office.preview(redemption_id, **wanted)  # type: ignore[arg-type]
    assert {name: (split.points, split.money.amount_minor) for name, split in preview.policies.items()} == {
        "proportional": (194, 2301), "points_first": (427, 2068), "money_first": (0, 2495),
    }  # fmt: skip
    with pytest.raises(AmountChangedError):
        office.refund(redemption_id, return_reference="R-1", seen=(194, 2300), **wanted, **WHO)  # type: ignore[arg-type]
    assert office.whole(redemption_id).refunds == ()
    for _ in range(2):
        given = office.refund(redemption_id, return_reference="R-1", seen=(194, 2301), **wanted, **WHO)  # type: ignore[arg-type]
        assert (given.state, given.points, given.actor) == ("done", 194, "clerk 7")
    assert [one.kind for one in office.actions.of_redemption(redemption_id)] == ["refund"]
    (owed,) = office.attention().money
    assert (owed.order_reference, owed.return_reference, owed.money.amount_minor) == ("A-1", "R-1", 2301)
    office.money_refunded(redemption_id, return_reference="R-1", psp_reference="re_1", actor="clerk 8")
    assert office.attention().money == ()
    last = office.whole(redemption_id).story[-1]
    assert (last.kind, last.actor, last.code) == ("money_refunded", "clerk 8", "re_1")


def form(visitor: Visitor, path: str, **fields: str) -> str:
    """Send a form and read the page that it leads to."""
    answer = visitor.post(path, **fields)
    assert answer.status_code == 303, answer.text
    assert answer.location is not None
    return text_of(visitor.browser, answer.location)


def test_a_return_by_the_pages(shop: SmallShop, mira: Visitor) -> None:
    one = f"/points/admin/redemptions/{paid(shop)}"
    page = text_of(mira.browser, f"{one}/return")
    assert 'name="line.lamp"' in page
    assert "Give back" not in page
    page = text_of(mira.browser, f"{one}/return?line.lamp=1")
    assert "Give back 427 points and €55.63" in page
    assert page.count("€59.90") >= 3
    page = form(
        mira, f"{one}/return", **{"line.lamp": "1", "reference": "R-9", "reason": "too <b>bright</b>",
        "seen_points": "427", "seen_money": "5563"},
    )  # fmt: skip
    assert "The return is taken in." in page
    assert "too &lt;b&gt;bright" in page
    assert OPERATOR in page
    assert "€55.63 to pay back" in page
    page = form(mira, f"{one}/money", return_reference="R-9", psp_reference="re_42", owed="5563")
    assert "to pay back" not in page
    assert "€55.63 of return R-9 paid back, as re_42" in page
    page = text_of(mira.browser, "/points/admin/log")
    assert "Took return R-9 in" in page
    assert "Confirmed that the money of return R-9 is paid, as re_42" in page


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"line.lamp": "2"}, "lamp"),
        ({"line.lamp": "-1"}, "whole number"),
        ({"line.lamp": "1.5"}, "whole number"),
        ({"amount": "1.2.3"}, "Write the amount as 12.34"),
        ({"amount": "0,001"}, "Write the amount as 12.34"),
        # One thousand, or one? Nobody is to guess.
        ({"amount": "1.000"}, "Write the amount as 12.34"),
        ({"amount": "1,200"}, "Write the amount as 12.34"),
        ({"shipping": "1.2340"}, "Write the amount as 12.34"),
        ({"amount": "\u0661\u0662"}, "Write the amount as 12.34"),
        ({"line.lamp": "\uff11"}, "whole number"),
        ({"amount": "99999"}, "more than can still come back"),
        ({"shipping": "1"}, "more than can still come back"),
        ({"amount": "1", "line.lamp": "1"}, "not both"),
        ({}, "Nothing is to come back."),
        ({"line.lamp": "1", "seen_points": ""}, "Look at the preview"),
        ({"line.lamp": "1", "seen_points": "1"}, "look at the new figures"),
        ({"line.lamp": "1", "seen_money": "\u0665563"}, "Look at the preview"),
        ({"line.lamp": "1", "reference": "x" * 37}, "36"),
    ],
)
def test_what_cannot_be_taken_back(shop: SmallShop, mira: Visitor, fields: dict[str, str], told: str) -> None:
    redemption_id = paid(shop)
    entered = {"reference": "R-1", "seen_points": "427", "seen_money": "5563"} | fields
    answer = mira.post(f"/points/admin/redemptions/{redemption_id}/return", **entered)
    assert answer.status_code == 409
    assert told in answer.text
    with shop.app.app_context():
        assert shop.points.checkout.refunds("A-1") == ()
        assert Office(shop.points.checkout).log() == ()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"line.lamp": "2"}, "lamp: Es kann noch 1 zurückkommen."),
        ({"line.lamp": "x"}, "lamp: Tragen Sie eine ganze Zahl ein."),
        ({"amount": "59,91"}, "Das ist mehr, als noch zurückkommen kann."),
        ({"amount": "1,200"}, "Schreiben Sie den Betrag wie 12,34"),
        ({}, "Es soll nichts zurückkommen."),
    ],
)
def test_what_is_entered_wrongly_is_told_in_german(
    shop: SmallShop, mira: Visitor, fields: dict[str, str], told: str
) -> None:
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    entered = {"reference": "R-1", "seen_points": "427", "seen_money": "5563"} | fields
    page = mira.post(f"/points/admin/redemptions/{paid(shop)}/return", **entered).text
    assert told in page
    assert "smallest unit" not in page


def test_an_order_of_millions_comes_back(shop: SmallShop, mira: Visitor) -> None:
    line = Line(sku="tower", quantity=1, unit_price_minor=1_234_567_890, vat_rate="19")
    shop.shop.cart = Cart(currency="EUR", lines=[line])
    one = f"/points/admin/redemptions/{paid(shop)}"
    # 12,345,678.90, of which 427 points paid 4.27.
    assert 'name="seen_money" value="1234567463"' in text_of(mira.browser, f"{one}/return?line.tower=1")
    fields = {"line.tower": "1", "reference": "R-1", "seen_points": "427", "seen_money": "1234567463"}
    assert "The return is taken in." in form(mira, f"{one}/return", **fields)
    page = form(mira, f"{one}/money", return_reference="R-1", psp_reference="re_1", owed="1234567463")
    assert "to pay back" not in page


@pytest.mark.parametrize("owed", ["", "1", "0000000001", "0000000000000000001", "\u0665\u0660\u0660", "-1"])
def test_money_is_written_down_only_as_it_was_shown(shop: SmallShop, mira: Visitor, owed: str) -> None:
    one = f"/points/admin/redemptions/{paid(shop)}"
    with shop.app.app_context():
        shop.points.checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    said = {"owed": owed} if owed else {}
    assert mira.post(f"{one}/money", return_reference="R-1", psp_reference="re_1", **said).status_code == 409
    with shop.app.app_context():
        (refund,) = shop.points.checkout.refunds("A-1")
        assert (refund.psp_reference, refund.money_due.amount_minor) == (None, 5563)
        assert Office(shop.points.checkout).log() == ()


def test_the_suggested_reference_is_none_of_the_shops(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = placed(world, checkout)
    assert _next_reference(office.whole(redemption_id)) == "office-A-1-1"
    checkout.refund("A-1", return_reference="office-A-1-2", amount_minor=100)
    assert _next_reference(office.whole(redemption_id)) == "office-A-1-3"
    longest = "A" * 36
    placed(world, checkout, longest)
    reference = _next_reference(office.whole(office.searching.attempts(longest)[-1].id))
    assert (reference, len(reference)) == (f"office-{'A' * 25}-1", 34)


def test_the_suggested_reference_is_none_of_an_earlier_attempt(
    world: World, checkout: Checkout, office: Office
) -> None:
    first = placed(world, checkout)
    office.refund(
        first,
        return_reference="office-A-1-1",
        lines={"lamp": 1},
        shipping_minor=0,
        amount_minor=None,
        seen=None,
        actor="mira",
        reason="",
    )
    checkout.cancel("A-1")
    second = placed(world, checkout)
    assert second != first
    assert _next_reference(office.whole(second)) == "office-A-1-2"
    # The same form sent once more, whichever attempt its page showed, is the same return, and no deed.
    told = {"return_reference": "office-A-1-1", "lines": {"lamp": 1}, "shipping_minor": 0, "amount_minor": None}
    again = office.refund(second, **told, seen=None, actor="mira", reason="")  # type: ignore[arg-type]
    assert (again.points, [one.return_reference for one in checkout.refunds("A-1")]) == (194, ["office-A-1-1"])
    assert [(one.kind, one.redemption_id) for one in office.log()] == [("refund", first)]


def test_cancel_by_the_pages(shop: SmallShop, mira: Visitor) -> None:
    one = f"/points/admin/redemptions/{paid(shop)}"
    assert "Give back 427 points" in text_of(mira.browser, f"{one}/cancel")
    assert mira.post(f"{one}/cancel", reason="").status_code == 409
    page = form(mira, f"{one}/cancel", reason="Lost in the mail")
    assert "The points go back." in page
    assert "Lost in the mail" in page
    assert "There is nothing that could go back: Given back." in text_of(mira.browser, f"{one}/cancel")


def test_the_provider_is_asked_only_on_request(shop: SmallShop, mira: Visitor) -> None:
    one = f"/points/admin/redemptions/{paid(shop)}"
    before = len(shop.provider.operations())
    text_of(mira.browser, one)
    assert len(shop.provider.operations()) == before
    page = text_of(mira.browser, f"{one}?ask=1")
    assert "<code>captured</code>" in page
    assert "Held for order A-1" in page
    shop.provider.fault("any", "reset", times=50)
    assert "The provider gave no answer that can be used" in text_of(mira.browser, f"{one}?ask=1")


def test_what_is_not_there(mira: Visitor) -> None:
    for name in ("0" * 32, "\x00" * 32, "x" * 32, "%2e" * 10 + "aa"):
        for page in ("", "/resolve", "/cancel", "/return"):
            assert mira.browser.get(f"/points/admin/redemptions/{name}{page}").status_code in {404, 409}, (name, page)


def test_a_resolution_is_about_what_the_person_was_shown(
    world: World, checkout: Checkout, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    redemption_id = unknown_capture(world, checkout)
    whole = office.whole(redemption_id)
    assert whole.open_operation is not None
    with pytest.raises(StateConflictError):
        office.resolve(redemption_id, as_="done", operation_id="another", **WHO)
    # Recovery finds it out, and all is given back, between the look and the decision: what is open then is a reversal.
    real = checkout._journal.claim

    def late(claimed_id: str, *, lease_s: float) -> object:
        monkeypatch.setattr(checkout._journal, "claim", real)
        world.advance(1_000)
        checkout.recover()
        for operation in ("reverse", "get", "find"):
            world.provider.fault(operation, "reset", when="before", times=500)
        checkout.cancel("A-1")
        world.provider.heal()
        return real(claimed_id, lease_s=lease_s)

    monkeypatch.setattr(checkout._journal, "claim", late)
    with pytest.raises(StateConflictError):
        office.resolve(redemption_id, as_="done", operation_id=whole.open_operation.id, **WHO)
    assert checkout.find("A-1").state == "reversing"  # type: ignore[union-attr]
    world.advance(1_000)
    checkout.recover()
    assert checkout.find("A-1").state == "reversed"  # type: ignore[union-attr]
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize("reason", ["x" * 201, "a\x00b", "a\u202eb"])
def test_what_cannot_be_recorded_is_not_done(world: World, checkout: Checkout, office: Office, reason: str) -> None:
    redemption_id = placed(world, checkout)
    wanted = {"return_reference": "R-1", "lines": {"lamp": 1}, "shipping_minor": 0, "amount_minor": None}
    for who in ({"actor": "clerk 7", "reason": reason}, {"actor": reason, "reason": ""}):
        with pytest.raises(InvalidArgumentError):
            office.refund(redemption_id, seen=(194, 2301), **wanted, **who)  # type: ignore[arg-type]
    assert (checkout.refunds("A-1"), office.log()) == ((), ())
    checkout.refund("A-1", **wanted)  # type: ignore[arg-type]
    for psp_reference in ("", "x" * 256, "a\x00b"):
        with pytest.raises(InvalidArgumentError):
            office.money_refunded(redemption_id, return_reference="R-1", psp_reference=psp_reference, actor="clerk 7")
    assert office.log() == ()
    assert checkout.refunds("A-1")[0].money_due.amount_minor == 2301


def test_what_another_clerk_books_meanwhile_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = world.checkout(refund_policy="points_first")
    cart = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=2, unit_price_minor=300, vat_rate="19")])
    world.order("A-1", "paid")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", cart, customer_id="anna", points=427)
    shop.capture("A-1")
    first, second = Office(shop), Office(world.checkout(refund_policy="points_first"))
    redemption_id = first.searching.attempts("A-1")[-1].id
    wanted = {"lines": {"lamp": 1}, "shipping_minor": 0, "amount_minor": None}
    real = shop._journal.request_return

    def after_another(*said: Any, **more: Any) -> Any:
        monkeypatch.setattr(shop._journal, "request_return", real)
        second.refund(redemption_id, return_reference="R-B", seen=(300, 0), **wanted, **WHO)  # type: ignore[arg-type]
        return real(*said, **more)

    monkeypatch.setattr(shop._journal, "request_return", after_another)
    # Both were shown 300 points; with the first of them gone, 127 and 1.73 are left for the other lamp.
    with pytest.raises(AmountChangedError):
        first.refund(redemption_id, return_reference="R-A", seen=(300, 0), **wanted, **WHO)  # type: ignore[arg-type]
    assert [one.return_reference for one in shop.refunds("A-1")] == ["R-B"]
    assert [one.detail["return_reference"] for one in first.log()] == ["R-B"]
    taken = first.refund(redemption_id, return_reference="R-A", seen=(127, 173), **wanted, **WHO)  # type: ignore[arg-type]
    assert (taken.points, taken.money.amount_minor) == (127, 173)
    # The same form once more is the same return.
    again = first.refund(redemption_id, return_reference="R-A", seen=(300, 0), **wanted, **WHO)  # type: ignore[arg-type]
    assert again == taken
    assert len(first.log()) == 2


def test_no_more_money_is_closed_than_was_shown(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = placed(world, checkout)
    # One of two lamps of 24.95: 2495 of 5480 cents, of which points pay 427 in all.
    owed = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}).money_due.amount_minor  # type: ignore[union-attr]
    paid_as = {"return_reference": "R-1", "psp_reference": "re_1", "actor": "clerk 7"}
    with pytest.raises(AmountChangedError):
        office.money_refunded(redemption_id, seen_minor=owed - 1, **paid_as)  # type: ignore[arg-type]
    assert office.whole(redemption_id).refunds[0].money_due.amount_minor == owed
    assert office.money_refunded(redemption_id, seen_minor=owed, **paid_as).money_due.amount_minor == 0  # type: ignore[arg-type]
