"""Orders that vouchers pay, with points, money and gift cards beside: held together, taken whole, given back in parts.

The cart is two lamps of 24.95 and shipping of 4.90: 54.80 EUR.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import requests

from _vouchers import brought, left, place
from _world import CART, World
from punktgenau import ConfigurationError, InvalidArgumentError, LimitError, StateConflictError, VoucherError
from punktgenau.checkout import Checkout


def test_vouchers_come_first_then_points_then_money(world: World, checkout: Checkout):
    ten, keeps = brought(world, checkout, 1000, residual="lost"), brought(world, checkout, 2500)
    made = checkout.quote("anna", CART, points=427, vouchers=(ten, keeps))
    assert (made.total.amount_minor, made.payable.amount_minor, made.due.amount_minor) == (5480, 1980, 1553)
    held = place(checkout, ten, keeps, points=427)
    assert (held.state, held.points, held.due.amount_minor) == ("authorized", 427, 1553)
    assert left(world) == {ten.id: ("active", 0, 1000), keeps.id: ("active", 0, 2500)}
    assert checkout.capture("A-1").state == "captured"
    assert left(world) == {ten.id: ("used", 0, 0), keeps.id: ("used", 0, 0)}
    assert world.provider.points() == (2073, 0)


def test_a_voucher_alone_pays_and_keeps_what_is_left_over(world: World, checkout: Checkout):
    big = brought(world, checkout, 10_000)
    held = place(checkout, big)
    assert (held.state, held.points, held.due.amount_minor) == ("authorized", 0, 0)
    assert left(world)[big.id] == ("active", 4520, 5480)
    assert place(checkout, big).state == "authorized"
    assert checkout.capture("A-1").state == "captured"
    assert left(world)[big.id] == ("active", 4520, 0)
    assert checkout.capture("A-1").state == "captured"


def test_all_points_are_none_where_vouchers_leave_nothing(world: World, checkout: Checkout):
    big = brought(world, checkout, 10_000)
    made = checkout.quote("anna", CART, points="all", vouchers=(big,))
    assert (made.points, made.due.amount_minor, made.is_paid_by_vouchers) == (0, 0, True)
    for _ in range(2):
        held = place(checkout, big, points="all")
        assert (held.state, held.points, held.due.amount_minor, held.attempt) == ("authorized", 0, 0, 1)
    assert (left(world)[big.id], world.provider.points()) == (("active", 4520, 5480), (2500, 0))
    # Who wants just so many is told that they cannot be used.
    with pytest.raises(LimitError):
        place(checkout, big, points=100, order="A-2")


@pytest.mark.parametrize("points", [0, 427])
@pytest.mark.parametrize("goal", ["void", "cancel", "cancel_captured"])
def test_given_back_as_a_whole(world: World, checkout: Checkout, goal: str, points: int):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps, points=points)
    if goal == "cancel_captured":
        checkout.capture("A-1")
    done = checkout.void("A-1") if goal == "void" else checkout.cancel("A-1")
    assert done.state == ("reversed" if goal == "cancel_captured" else "voided")
    # Nothing pays any more, so all of it would be due.
    assert (done.total.amount_minor, done.due.amount_minor) == (5480, 5480)
    assert left(world)[keeps.id] == ("active", 2500, 0)
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize("points", [0, 500])
def test_returns_in_parts_end_exact(world: World, checkout: Checkout, points: int):
    one, two = brought(world, checkout, 999), brought(world, checkout, 1500)
    cart = replace(CART, other_tenders_minor=301)
    place(checkout, one, two, points=points, cart=cart)
    checkout.capture("A-1")
    seen = []
    for number, lines in enumerate(({"lamp": 1}, {"lamp": 1}, {}), start=1):
        back = checkout.refund("A-1", return_reference=f"R-{number}", lines=lines, shipping_minor=0 if lines else 490)
        assert back.state == "done"
        assert back.goods == back.other + back.points_value + back.money
        seen.append((back.other.amount_minor, left(world)[one.id][1], left(world)[two.id][1]))
    # 28.00 of other tenders, 24.99 of which are vouchers: 45.529 % for each lamp, 8.941 % for shipping.
    assert [other for other, _, _ in seen] == [1275, 1275, 250]
    # floor(2499 x 1275 / 2800) = 1137: the first voucher wholly, then 138 of the second.
    assert [after for _, *after in seen] == [[999, 138], [999, 1276], [999, 1500]]
    assert checkout.find("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize("operation", ["authorize", "capture", "void", "reverse"])
@pytest.mark.parametrize("points", [0, 427])
def test_a_lost_answer_is_found_out(world: World, checkout: Checkout, operation: str, points: int):
    keeps = brought(world, checkout, 2500)
    world.provider.fault(operation, "reset", when="after", times=4)
    place(checkout, keeps, points=points)
    steps = {"authorize": (), "void": ("void",), "capture": ("capture",), "reverse": ("capture", "cancel")}[operation]
    for step in steps:
        getattr(checkout, step)("A-1")
    world.provider.heal()
    world.advance(60)
    assert checkout.recover().still_open == 0
    state = {"authorize": "authorized", "void": "voided", "capture": "captured", "reverse": "reversed"}[operation]
    assert checkout.find("A-1").state == state
    back = operation in {"void", "reverse"}
    assert left(world)[keeps.id] == (
        ("active", 2500, 0) if back else ("used", 0, 0) if operation == "capture" else ("active", 0, 2500)
    )
    assert world.provider.points()[0] == (2500 if back or not points else 2073)


def test_a_lost_reversal_of_a_part_is_done_once(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps)
    checkout.capture("A-1")
    assert checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}).state == "done"
    before = left(world)[keeps.id][1]
    world.provider.fault("reverse", "reset", when="before", times=4)
    assert checkout.refund("A-1", return_reference="R-2", lines={"lamp": 1}).state == "reversing"
    assert left(world)[keeps.id][1] == before
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert [one.state for one in checkout.refunds("A-1")] == ["done", "done"]
    assert left(world)[keeps.id][1] == 2 * before


def test_a_voucher_in_two_carts_and_one_used_twice(world: World, checkout: Checkout):
    lost = brought(world, checkout, 2500, residual="lost")
    place(checkout, lost)
    with pytest.raises(VoucherError) as held:
        place(checkout, lost, order="A-2", points=100)
    assert held.value.code == "voucher_held"
    assert world.provider.points() == (2500, 0)
    checkout.capture("A-1")
    with pytest.raises(VoucherError) as used:
        place(checkout, lost, order="A-3")
    assert used.value.code == "voucher_used"
    assert checkout.find("A-3").state == "declined"


def test_an_expired_hold_with_vouchers_is_taken_anew(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    checkout.authorize("A-1", CART, customer_id="anna", points=427, vouchers=(keeps,), hold_s=300)
    world.order("A-1", "pending")
    world.advance(301)
    checkout.recover()
    assert left(world)[keeps.id] == ("active", 2500, 0)
    # The deal stands: nobody wished its end.
    assert checkout.find("A-1").due.amount_minor == 5480 - 2500 - 427
    assert checkout.capture("A-1").state == "captured"
    assert left(world)[keeps.id] == ("used", 0, 0)


def test_parcels_are_captured_in_one_piece(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps, points=427)
    assert checkout.capture("A-1", shipment_reference="S-1", lines={"lamp": 1}).state == "captured"
    assert left(world)[keeps.id] == ("used", 0, 0)


def test_the_receipt_and_the_quote_name_them(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 6000)
    [told] = checkout.quote("anna", CART, points=0, vouchers=(keeps,)).vouchers
    assert (told.value_minor, told.left_over_minor, told.residual) == (5480, 520, "keeps")
    place(checkout, keeps)
    checkout.capture("A-1")
    paid = {one.kind: one.amount.amount_minor for one in checkout.invoice("A-1").tenders}
    assert paid == {"voucher": 5480, "money": 0}


def test_an_order_with_vouchers_is_not_changed(world: World, checkout: Checkout):
    place(checkout, brought(world, checkout, 2500), points=427)
    checkout.capture("A-1")
    with pytest.raises(StateConflictError):
        checkout.amend("A-1", replace(CART, shipping_minor=0))


def test_a_voucher_is_looked_up_once_and_named_by_its_id_from_then_on(world: World, checkout: Checkout):
    url = f"{world.provider.url}/sandbox/vouchers"
    made = [requests.post(url, json={"value_minor": minor}, timeout=20).json() for minor in (1000, 2500)]
    with pytest.raises(VoucherError) as early:
        checkout.vouchers_now([made[0]["id"]])
    assert (early.value.code, early.value.field) == ("voucher_unknown", made[0]["id"])
    shown = [checkout.look_up_voucher(one["code"]) for one in made]
    assert [(one.left.amount_minor, one.code) for one in shown] == [(1000, None), (2500, None)]
    ids = [one.id for one in reversed(shown)]
    assert [one.id for one in checkout.vouchers_now(ids)] == ids
    with pytest.raises(VoucherError) as unknown:
        checkout.vouchers_now([*ids, "vou_9999"])
    assert (unknown.value.code, unknown.value.field) == ("voucher_unknown", "vou_9999")
    assert checkout.vouchers_now([]) == ()
    place(checkout, *checkout.vouchers_now(ids))
    assert [one.held.amount_minor for one in checkout.vouchers_now(ids)] == [2500, 1000]


def test_no_more_than_twenty_are_asked_about(checkout: Checkout):
    with pytest.raises(InvalidArgumentError) as many:
        checkout.vouchers_now([f"vou_{number:04}" for number in range(21)])
    assert many.value.field == "voucher_ids"


@pytest.mark.parametrize("shop", ["points_only"], indirect=True)
def test_where_there_are_none_it_is_said(shop: World):
    checkout = shop.made[0][0]
    for ask in (lambda: checkout.look_up_voucher("ABCD-EFGH"), lambda: checkout.vouchers_now(["vou_0001"])):
        with pytest.raises(ConfigurationError) as none:
            ask()
        assert none.value.code == "not_offered"


def test_what_vouchers_pay_is_told_as_it_changes(world: World, checkout: Checkout):
    one, two = brought(world, checkout, 999, residual="lost"), brought(world, checkout, 10_000)
    held = place(checkout, one, two)
    told = [(paid.id, paid.last_four, paid.value_minor, paid.left_over_minor) for paid in held.vouchers]
    assert told == [(one.id, one.last_four, 999, 0), (two.id, two.last_four, 4481, 5519)]
    assert held.vouchers_value.amount_minor == 5480
    checkout.capture("A-1")
    back = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    # A lamp of 24.95: the first voucher wholly, and 14.96 of the second.
    assert [(part.last_four, part.value.amount_minor) for part in back.vouchers] == [
        (one.last_four, 999),
        (two.last_four, 1496),
    ]
    now = checkout.find("A-1")
    assert [(paid.id, paid.value_minor) for paid in now.vouchers] == [(two.id, 2985)]
    assert [(paid.id, paid.value_minor) for paid in now.agreed_vouchers] == [(one.id, 999), (two.id, 4481)]
    gone = checkout.cancel("A-1")
    assert (gone.vouchers, gone.agreed_vouchers, gone.vouchers_value.amount_minor) == ((), (), 0)


@pytest.mark.parametrize("shop", ["no_partial_reversal"], indirect=True)
@pytest.mark.parametrize("points", [0, 427])
def test_where_only_all_can_go_back_a_part_is_refused_with_words(shop: World, points: int):
    checkout = shop.made[0][0]
    keeps = brought(shop, checkout, 2500)
    place(checkout, keeps, points=points)
    checkout.capture("A-1")
    with pytest.raises(StateConflictError, match="only with the whole order") as refused:
        checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert (refused.value.code, refused.value.outcome) == ("not_offered", "not_done")
    assert checkout.find("A-1").state == "captured"
    assert checkout.refund("A-1", return_reference="R-2", lines={"lamp": 2}, shipping_minor=490).state == "done"
    assert left(shop)[keeps.id] == ("active", 2500, 0)
    assert shop.provider.points() == (2500, 0)


PLAYED = ("no_holds", "no_lookup", "no_keys", "neither", "silent_mismatch", "replays_errors", "one_capture",
          "no_partial_reversal", "partial_approval", "short_holds", "no_cancel_by_key", "uuid_keys")  # fmt: skip


@pytest.mark.parametrize("shop", PLAYED, indirect=True)
@pytest.mark.parametrize("points", [0, 427])
def test_at_every_kind_of_provider(shop: World, points: int):
    checkout = shop.made[0][0]
    keeps = brought(shop, checkout, 2500)
    place(checkout, keeps, points=points)
    assert checkout.capture("A-1").state == "captured"
    assert left(shop)[keeps.id] == ("used", 0, 0)
    assert checkout.cancel("A-1").state == "reversed"
    assert left(shop)[keeps.id] == ("active", 2500, 0)
    assert shop.provider.points() == (2500, 0)
