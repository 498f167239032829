"""What goes wrong with vouchers in an order: refused, expired, used elsewhere, given back by somebody else, short."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests
import sqlalchemy

from _together import together
from _vouchers import brought, left, place
from _world import CART, World
from punktgenau import (
    AmountChangedError,
    DeclinedError,
    InProgressError,
    InvalidArgumentError,
    LiveRedemptionError,
    Money,
    ReversalExceedsCaptureError,
    VoucherError,
    VoucherReturn,
)
from punktgenau.checkout import Checkout, Line
from punktgenau.checkout.office import Office


def eur(minor: int) -> Money:
    return Money(amount_minor=minor, currency="EUR")


def provider_id(checkout: Checkout, order: str = "A-1") -> str:
    row = checkout._journal.latest(order)
    assert row is not None
    assert row.provider_id is not None
    return row.provider_id


def test_the_same_call_again_answers_from_what_is_held(world: World, checkout: Checkout):
    one, two = brought(world, checkout, 1000, residual="lost"), brought(world, checkout, 10_000)
    spare = brought(world, checkout, 700)
    for again in ((one, two), checkout.vouchers_now([one.id, two.id]), (one, two, spare)):
        held = place(checkout, *again, points=0)
        assert (held.state, held.attempt, held.due.amount_minor) == ("authorized", 1, 0)
    checkout.capture("A-1")
    # By now the first is used.
    assert place(checkout, *checkout.vouchers_now([one.id, two.id])).state == "captured"
    with pytest.raises(LiveRedemptionError):
        place(checkout, two)
    assert left(world)[spare.id] == ("active", 700, 0)


def test_other_vouchers_need_the_held_ones_released_first(world: World, checkout: Checkout):
    one, two = brought(world, checkout, 1000), brought(world, checkout, 700)
    place(checkout, one)
    for others in ((one, two), (two,)):
        with pytest.raises(InProgressError):
            place(checkout, *others)
    checkout.void("A-1")
    assert place(checkout, two, one).due.amount_minor == 3780
    assert left(world) == {one.id: ("active", 0, 1000), two.id: ("active", 0, 700)}


def test_more_than_twenty_and_one_twice(world: World, checkout: Checkout):
    many = [brought(world, checkout, 100) for _ in range(21)]
    with pytest.raises(VoucherError) as most:
        place(checkout, *many)
    assert (most.value.code, most.value.field) == ("voucher_value", "vouchers")
    with pytest.raises(VoucherError) as twice:
        place(checkout, many[0], many[1], many[0])
    assert (twice.value.code, twice.value.field) == ("voucher_held", many[0].id)
    assert checkout.find("A-1") is None
    assert place(checkout, *many[:20]).due.amount_minor == 3480
    checkout.capture("A-1")
    checkout.cancel("A-1")
    assert set(left(world).values()) == {("active", 100, 0)}


def test_a_value_that_shrank_since_it_was_shown_is_shown_anew(world: World, checkout: Checkout):
    seen = brought(world, checkout, 2500)
    place(checkout, seen, order="A-0", cart=replace(CART, shipping_minor=0, lines=(CART.lines[0],)))
    checkout.capture("A-0")
    rest = checkout.vouchers_now([seen.id])[0]
    assert rest.left.amount_minor == 0
    big = brought(world, checkout, 6000)
    place(checkout, big, order="A-2")
    checkout.capture("A-2")
    # The shop asks with what it has seen before: the provider refuses, and names the voucher.
    with pytest.raises(VoucherError) as stale:
        place(checkout, big, order="A-3")
    assert (stale.value.code, stale.value.field) == ("voucher_value", big.id)
    # With what is left of it the customer has not seen what is due.
    with pytest.raises(AmountChangedError):
        checkout.authorize(
            "A-4", CART, customer_id="anna", points=0, vouchers=checkout.vouchers_now([big.id]), seen_due=eur(0)
        )
    assert checkout.find("A-4") is None
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"partners": ["demo-books"]}, "voucher_not_valid_here"),
        ({"currency": "CHF"}, "voucher_currency"),
        ({"valid_s": 60}, "voucher_expired"),
    ],
)
def test_what_cannot_pay_here_is_refused_without_a_call(world: World, checkout: Checkout, changes: Any, code: str):
    if code == "voucher_expired":
        old = brought(world, checkout, 2500, **changes)
        world.advance(60)
        [voucher] = checkout.vouchers_now([old.id])
    else:
        voucher = brought(world, checkout, 2500, **changes)
    sent = world.provider.sent("authorize")
    for ask in (
        lambda: checkout.quote("anna", CART, points=0, vouchers=(voucher,)),
        lambda: place(checkout, voucher, points=100),
    ):
        with pytest.raises(VoucherError) as refused:
            ask()
        assert (refused.value.code, refused.value.field) == (code, voucher.id)
    assert (world.provider.sent("authorize"), world.provider.points()) == (sent, (2500, 0))


def test_it_expires_between_cart_and_order(world: World, checkout: Checkout):
    fresh, old = brought(world, checkout, 1000), brought(world, checkout, 2500)
    requests.post(f"{world.provider.url}/sandbox/vouchers/{old.id}/withdraw", json={}, timeout=20)
    with pytest.raises(VoucherError) as gone:
        place(checkout, fresh, old, points=427)
    assert (gone.value.code, gone.value.field) == ("voucher_expired", old.id)
    assert checkout.find("A-1").state == "declined"
    assert (left(world)[fresh.id], world.provider.points()) == (("active", 1000, 0), (2500, 0))
    # Without it the same order goes on.
    assert place(checkout, fresh, points=427).attempt == 2


@pytest.mark.parametrize("rule", ["tell", "money", "new_points"])
@pytest.mark.parametrize("points", [0, 500])
def test_what_comes_back_onto_an_expired_voucher(world: World, rule: Any, points: int):
    checkout = world.checkout(expired_points=rule)
    short, long = brought(world, checkout, 1000, valid_s=86_400), brought(world, checkout, 1500)
    place(checkout, short, long, points=points)
    checkout.capture("A-1")
    world.advance(2 * 86_400)
    first = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    # 2500 x 2495 / 5480 = 1138: the short one wholly, 138 of the other.
    assert [(one.value.amount_minor, one.expired_value) for one in first.vouchers] == [(1000, eur(1000)), (138, eur(0))]
    owed = 0 if rule == "tell" else 1000
    assert (first.expired_money.amount_minor, first.money_due - first.money) == (owed, eur(owed))
    assert left(world)[long.id][1] == 138
    gone = checkout.cancel("A-1")
    assert gone.state == "reversed"
    assert left(world)[long.id] == ("active", 1500, 0)
    assert world.provider.points()[0] == 2500


@pytest.mark.parametrize("rule", ["tell", "money"])
def test_a_cancelled_order_whose_voucher_has_expired(world: World, rule: Any):
    checkout = world.checkout(expired_points=rule)
    short = brought(world, checkout, 1000, valid_s=86_400)
    place(checkout, short)
    checkout.capture("A-1")
    world.advance(2 * 86_400)
    assert checkout.cancel("A-1").state == "reversed"
    owed = [money.amount_minor for _, _, money in checkout.open_refunds()]
    assert owed == ([] if rule == "tell" else [1000])


@pytest.mark.parametrize("shop", ["no_keys"], indirect=True)
def test_nobody_said_what_had_expired(shop: World):
    world, checkout = shop, shop.checkout(expired_points="money")
    short = brought(world, checkout, 1000, valid_s=86_400)
    place(checkout, short)
    checkout.capture("A-1")
    world.advance(2 * 86_400)
    world.provider.fault("reverse", "reset", when="after", times=1)
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    # Without keys only a look-up tells that it is done.
    for _ in range(3):
        world.advance(900)
        checkout.recover()
    [unsaid] = checkout.unsaid_refunds()
    assert [one.expired_value for one in unsaid.vouchers] == [None]
    settle = {"return_reference": "R-1", "expired": 0, "actor": "eva", "reason": "asked the provider"}
    with pytest.raises(InvalidArgumentError):
        checkout.settle_expired("A-1", vouchers_minor=456, **settle)
    with pytest.raises(InvalidArgumentError) as unsaid_yet:
        checkout.settle_expired("A-1", **settle)
    assert unsaid_yet.value.field == "vouchers_minor"
    said = checkout.settle_expired("A-1", vouchers_minor=455, **settle)
    # 1000 x 2495 / 5480 = 455.
    assert (said.expired_money.amount_minor, said.vouchers[0].expired_value) == (455, eur(455))
    assert list(checkout.unsaid_refunds()) == []


def test_what_the_provider_gave_back_by_itself_goes_back_once(world: World, checkout: Checkout):
    one, two = brought(world, checkout, 1000), brought(world, checkout, 1500)
    place(checkout, one, two)
    checkout.capture("A-1")
    back = [VoucherReturn(voucher_id=two.id, value=eur(1200))]
    checkout._provider.redemptions.reverse(provider_id(checkout), points=0, vouchers=back, return_reference="by-hand")
    # 1138 of 2500 fit beside it: the first wholly, then of the second.
    first = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert (first.state, [part.value.amount_minor for part in first.vouchers]) == ("done", [1000, 138])
    # 1138 more, and only 162 are left.
    with pytest.raises(ReversalExceedsCaptureError):
        checkout.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    assert checkout.cancel("A-1").state == "reversed"
    assert left(world) == {one.id: ("active", 1000, 0), two.id: ("active", 1500, 0)}


def refuse(world: World) -> None:
    world.provider.play("no_partial_reversal")


def test_a_refused_return_is_paid_in_money_instead(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps, points=500)
    checkout.capture("A-1")
    refuse(world)
    refused = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert (refused.state, refused.vouchers[0].value.amount_minor) == ("declined", 1138)
    paid = checkout.pay_instead("A-1", return_reference="R-1", actor="eva", reason="refused")
    assert (paid.state, paid.vouchers, paid.points, paid.other.amount_minor) == ("done", (), 0, 0)
    assert paid.goods == paid.other + paid.points_value + paid.money + paid.money_instead
    assert paid.money_instead.amount_minor == 1138 + refused.points_worth.amount_minor
    world.provider.play("reference")
    # What was paid in money does not go back as well.
    checkout.cancel("A-1")
    assert left(world)[keeps.id] == ("active", 2500 - 1138, 0)
    assert world.provider.points()[0] == 2500 - refused.points_worth.amount_minor


def test_a_refused_return_is_asked_for_again(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps)
    checkout.capture("A-1")
    refuse(world)
    assert checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}).state == "declined"
    world.provider.play("reference")
    again = checkout.refund_again("A-1", return_reference="R-1", actor="eva", reason="now it can")
    assert (again.state, left(world)[keeps.id][1]) == ("done", 1138)


@pytest.mark.parametrize("as_", ["written_off", "paid_otherwise"])
@pytest.mark.parametrize("points", [0, 427])
def test_a_shortfall_that_cannot_be_taken_anew_is_settled(world: World, checkout: Checkout, as_: Any, points: int):
    lost = brought(world, checkout, 2500, residual="lost")
    checkout.authorize("A-1", CART, customer_id="anna", points=points, vouchers=(lost,), hold_s=300)
    world.order("A-1", "pending")
    world.advance(301)
    checkout.recover()
    place(checkout, *checkout.vouchers_now([lost.id]), order="A-2")
    assert checkout.capture("A-1").state == "short"
    row = checkout._journal.latest("A-1")
    Office(checkout).resolve(row.id, as_=as_, actor="eva", reason="used elsewhere")
    after = checkout.find("A-1")
    owed = 5480 if as_ == "paid_otherwise" else 5480 - 2500 - points
    assert (after.total.amount_minor, after.due.amount_minor, after.vouchers) == (5480, owed, ())
    paid = {one.kind: one.amount.amount_minor for one in checkout.invoice("A-1").tenders}
    assert paid == ({"money": 5480} if as_ == "paid_otherwise" else {"written_off": 2500 + points, "money": owed})
    back = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490)
    assert (back.money.amount_minor, back.vouchers, back.other.amount_minor) == (owed, (), 0)


def test_a_hold_of_fewer_points_is_given_up_whole(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    world.provider.fault("authorize", "partial_approval", times=1)
    with pytest.raises(DeclinedError):
        place(checkout, keeps, points=427)
    assert checkout.find("A-1").state == "abandoned"
    assert (left(world)[keeps.id], world.provider.points()) == (("active", 2500, 0), (2500, 0))


def test_vouchers_leave_to_points_what_only_points_may_pay(world: World, checkout: Checkout):
    reward = Line(id="mug", sku="mug", quantity=1, unit_price_minor=500, vat_rate="19", reward_points=500)
    cart = replace(CART, lines=(*CART.lines, reward))
    big = brought(world, checkout, 10_000)
    made = checkout.quote("anna", cart, points=0, vouchers=(big,))
    assert (made.points, made.due.amount_minor, made.unaffordable) == (500, 0, ())
    assert [one.value_minor for one in made.vouchers] == [5480]
    held = place(checkout, big, points=500, cart=cart)
    assert (held.points, held.due.amount_minor) == (500, 0)
    checkout.capture("A-1")
    mug = checkout.refund("A-1", return_reference="R-1", lines={"mug": 1})
    assert (mug.points, mug.vouchers) == (500, ())
    lamp = checkout.refund("A-1", return_reference="R-2", lines={"lamp": 2}, shipping_minor=490)
    assert (lamp.points, [one.value.amount_minor for one in lamp.vouchers]) == (0, [5480])
    assert (left(world)[big.id], world.provider.points()) == (("active", 10_000, 0), (2500, 0))


def test_the_receipt_of_an_order_whose_vouchers_went_back(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps, points=427)
    checkout.capture("A-1")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    checkout.cancel("A-1")
    told = checkout.invoice("A-1")
    paid = {one.kind: one.amount.amount_minor for one in told.tenders}
    # 1138 of the voucher came back with the lamp.
    assert (paid, told.vouchers_given_back) == ({"voucher": 2500, "points": 427, "money": 2553}, eur(1362))
    place(checkout, *checkout.vouchers_now([keeps.id]), order="A-2")
    checkout.authorize("A-2", CART, customer_id="anna", points=0)
    without = checkout.invoice("A-2")
    assert [(one.kind, one.amount.amount_minor) for one in without.tenders] == [("money", 5480)]
    assert without.vouchers_given_back is None


@pytest.mark.parametrize("residual", ["lost", "keeps"])
def test_two_carts_at_once_one_wins(world: World, checkout: Checkout, residual: str):
    voucher = brought(world, checkout, 2500, residual=residual)
    shops = (checkout, world.checkout())
    checkout.balance("anna")
    ended = together(2, lambda number: place(shops[number], voucher, order=f"A-{number}", points=427))
    [won] = [one for one in ended if not isinstance(one, BaseException)]
    [lost] = [one for one in ended if isinstance(one, BaseException)]
    assert isinstance(lost, VoucherError)
    assert (won.state, lost.code, lost.field) == ("authorized", "voucher_held", voucher.id)
    # Nothing of the other's points waits.
    assert (left(world)[voucher.id], world.provider.points()) == (("active", 0, 2500), (2073, 427))
    loser = "A-1" if won.order_reference == "A-0" else "A-0"
    assert checkout.find(loser).state == "declined"
    checkout.capture(won.order_reference)
    assert checkout.authorize(loser, CART, customer_id="anna", points=427).state == "authorized"


def test_a_code_of_another_programme_is_unknown(checkout: Checkout):
    with pytest.raises(VoucherError) as unknown:
        checkout.look_up_voucher("OTHR-PRGM-0001")
    assert unknown.value.code == "voucher_unknown"
    assert "OTHR" not in f"{unknown.value} {unknown.value!r}"


def test_an_order_that_was_never_placed_lets_them_go(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps, points=427)
    world.advance(180)
    checkout.recover()
    assert checkout.find("A-1").state == "voided"
    assert (left(world)[keeps.id], world.provider.points()) == (("active", 2500, 0), (2500, 0))


@pytest.mark.parametrize("points", [0, 427])
def test_given_up_while_unknown_a_late_hold_is_let_go(world: World, checkout: Checkout, points: int):
    keeps = brought(world, checkout, 2500)
    world.provider.fault("authorize", "reset", when="after", times=4)
    assert place(checkout, keeps, points=points).is_unknown
    # Nobody knows whether it is held: the customer goes on and pays all of it.
    without = checkout.authorize("A-1", CART, customer_id="anna", points=0)
    assert (without.due.amount_minor, without.vouchers) == (5480, ())
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert checkout.find("A-1").state == "abandoned"
    assert (left(world)[keeps.id], world.provider.points()) == (("active", 2500, 0), (2500, 0))


@pytest.mark.parametrize("shop", ["short_holds"], indirect=True)
@pytest.mark.parametrize("points", [0, 427])
def test_a_hold_that_is_made_longer_holds_both(shop: World, points: int):
    checkout = shop.made[0][0]
    keeps = brought(shop, checkout, 2500)
    shop.order("A-1", "pending")
    checkout.authorize("A-1", CART, customer_id="anna", points=points, vouchers=(keeps,), hold_s=3600)
    for _ in range(12):
        shop.advance(120)
        checkout.recover()
    assert shop.provider.sent("extend") > 0
    assert (left(shop)[keeps.id], shop.provider.points()) == (("active", 0, 2500), (2500 - points, points))
    assert checkout.capture("A-1").state == "captured"


@pytest.mark.parametrize("shop", ["no_lookup", "no_keys"], indirect=True)
@pytest.mark.parametrize("operation", ["authorize", "capture", "reverse"])
def test_a_lost_answer_where_little_can_be_found_out(shop: World, operation: str):
    checkout = shop.made[0][0]
    one, two = brought(shop, checkout, 1000), brought(shop, checkout, 1500)
    if operation == "authorize":
        shop.provider.fault("authorize", "reset", when="after", times=1)
    place(checkout, one, two, points=427)
    shop.order("A-1", "pending")
    for step in ("wait", "capture", "reverse"):
        if operation == step:
            shop.provider.fault(step, "reset", when="after", times=1)
        if step == "capture":
            checkout.capture("A-1")
        elif step == "reverse":
            checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
        for _ in range(3):
            shop.advance(900)
            checkout.recover()
    row = checkout._journal.latest("A-1")
    assert row is not None
    assert (row.state, row.vouchers_back_minor) == ("partially_reversed", 1138)
    assert [left(shop)[its.id][1] for its in (one, two)] == [1000, 138]
    assert shop.provider.points()[0] == 2500 - 427 + 194
    assert checkout.cancel("A-1").state == "reversed"
    assert [left(shop)[its.id][1] for its in (one, two)] == [1000, 1500]


def test_a_voucher_that_was_changed_since_it_was_written_is_never_sent(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    world.provider.fault("authorize", "reset", when="before", times=9)
    world.provider.fault("find", "reset", times=9)
    assert place(checkout, keeps).state == "authorizing"
    world.provider.heal()
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        changed = sqlalchemy.text("UPDATE punktgenau_redemption SET cart = replace(cart, :was, :now)")
        connection.execute(changed, {"was": '"value_minor":2500', "now": '"value_minor":2400'})
    engine.dispose()
    world.advance(60)
    checkout.recover()
    told = checkout.find("A-1")
    assert told is not None
    assert (told.state, told.reason) == ("needs_attention", "not_as_written")
    assert left(world)[keeps.id] == ("active", 2500, 0)
