"""An order is paid anew after its points were back, or lost: what is open of its earlier returns can be closed.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01 (see test_refunds).
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from _world import CART, World
from punktgenau import Money, NotFoundError
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.hints import noted
from punktgenau.checkout.office import Office
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.errors import ReturnConflictError, StateConflictError


def lamps(quantity: int) -> Cart:
    return Cart(currency="EUR", lines=[Line(sku="lamp", quantity=quantity, unit_price_minor=2495, vat_rate="19")])


FIVE = lamps(5)


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def paid(world: World, checkout: Checkout, *, cart: Cart = CART, points: int = 427) -> None:
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", cart, customer_id="anna", points=points)
    assert checkout.capture("A-1").state == "captured"  # type: ignore[union-attr]


def again(checkout: Checkout) -> None:
    checkout.balance("anna", max_age_s=0)
    assert checkout.authorize("A-1", CART, customer_id="anna", points=100).attempt == 2


@pytest.mark.parametrize("by", ["shop", "office"])
def test_the_money_half_of_an_order_that_was_cancelled_and_paid_anew(world: World, checkout: Checkout, by: str):
    paid(world, checkout)
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    checkout.cancel("A-1")
    again(checkout)
    assert list(checkout.open_refunds()) == [("A-1", "R-1", euro(2301))]
    assert [(one.return_reference, one.points) for one in checkout.refunds("A-1")] == [("R-1", 194)]
    office = Office(checkout)
    old, new = (one.id for one in office.searching.attempts("A-1"))
    with pytest.raises(NotFoundError):
        office.money_refunded(new, return_reference="R-9", psp_reference="re_9", actor="mira")
    with pytest.raises(StateConflictError):
        office.money_refunded(new, return_reference="R-1", psp_reference="re_1", actor="mira")
    if by == "shop":
        closed = checkout.money_refunded("A-1", return_reference="R-1", psp_reference="re_1")
    else:
        closed = office.money_refunded(old, return_reference="R-1", psp_reference="re_1", actor="mira", seen_minor=2301)
    assert (closed.money_due, list(checkout.open_refunds())) == (euro(0), [])


def test_returns_of_all_attempts_are_listed_each_once(world: World, checkout: Checkout):
    paid(world, checkout)
    first = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    second = checkout.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    checkout.cancel("A-1")
    again(checkout)
    checkout.capture("A-1")
    # 100 points pay the same order now: 45 of a lamp, 46 of the other and 9 of the shipping.
    third = checkout.refund("A-1", return_reference="R-3", lines={"lamp": 1})
    assert third is not None
    assert third.points == 45
    assert checkout.refunds("A-1") == (first, second, third)


def test_a_return_told_again_after_its_order_was_paid_anew(world: World, checkout: Checkout):
    paid(world, checkout)
    told = {"return_reference": "R-1", "lines": {"lamp": 2}, "shipping_minor": 490}
    first = checkout.refund("A-1", **told)
    assert first is not None
    assert (first.points, first.money) == (427, euro(5053))
    again(checkout)
    checkout.capture("A-1")
    assert checkout.refund("A-1", **told) == first
    assert world.provider.points() == (2400, 0)
    assert list(checkout.open_refunds()) == [("A-1", "R-1", euro(5053))]
    with pytest.raises(ReturnConflictError):
        checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    checkout.money_refunded("A-1", return_reference="R-1", psp_reference="re_1")
    assert list(checkout.open_refunds()) == []


def test_a_return_told_again_after_its_order_went_on_without_points(world: World, checkout: Checkout):
    paid(world, checkout)
    first = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    checkout.cancel("A-1")
    again(checkout)
    checkout.void("A-1")
    # None would say that all of it is still to be given back in money.
    assert checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}) == first
    assert checkout.refund("A-1", return_reference="R-2", lines={"lamp": 1}) is None


def test_a_return_is_taken_in_and_its_order_paid_anew_while_another_process_looks(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
):
    paid(world, checkout)
    told = {"return_reference": "R-1", "lines": {"lamp": 2}, "shipping_minor": 490}
    other, looked = world.checkout(), []
    look = OrderJournal.with_return

    def looks_too_early(journal: OrderJournal, order_reference: str, reference: str) -> RedemptionRow | None:
        found = look(journal, order_reference, reference)
        if not looked:
            looked.append(found)
            checkout.refund("A-1", **told)
            again(checkout)
            checkout.capture("A-1")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(OrderJournal, "with_return", looks_too_early)
        given = other.refund("A-1", **told)
    assert looked == [None]
    assert given is not None
    assert (given.points, world.provider.points()) == (427, (2400, 0))
    assert [one.return_reference for one in checkout.refunds("A-1")] == ["R-1"]


def test_a_return_is_none_of_an_attempt_that_another_has_taken_the_place_of(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
):
    paid(world, checkout)
    other, asked = world.checkout(), []
    ask = OrderJournal.request_return

    def asks_too_late(journal: OrderJournal, redemption_id: str, **more: Any) -> Any:
        asked.append(redemption_id)
        if len(asked) == 1:
            # The points go back by the provider itself, so nobody wished that, and goods may still come back.
            row = checkout._journal.redemption(redemption_id)
            world.made[0][1].redemptions.reverse(str(row.provider_id), points=427, return_reference="theirs")
            evidence = checkout._executor.look_up(row, deadline_s=5)
            assert evidence is not None
            checkout._executor.note_evidence(row, evidence)
            again(checkout)
            checkout.capture("A-1")
        return ask(journal, redemption_id, **more)

    with monkeypatch.context() as patch:
        patch.setattr(OrderJournal, "request_return", asks_too_late)
        given = other.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert given is not None
    assert (given.points, len(set(asked))) == (45, 2)


def test_what_comes_back_by_a_change_has_a_reference_of_its_own_in_each_attempt(world: World, checkout: Checkout):
    paid(world, checkout, cart=FIVE, points=500)
    checkout.amend("A-1", lamps(4))
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 4})
    checkout.balance("anna", max_age_s=0)
    assert checkout.authorize("A-1", FIVE, customer_id="anna", points=500).attempt == 2
    checkout.capture("A-1")
    # 124.75 with 500 points: the money of each change is 23.95.
    checkout.amend("A-1", lamps(4))
    owed = {reference: amount for _, reference, amount in checkout.open_refunds()}
    assert owed == {"amend-2": euro(2395), "R-1": euro(9580), "amend-3": euro(2395)}
    for number, reference in enumerate(owed):
        checkout.money_refunded("A-1", return_reference=reference, psp_reference=f"re_{number}")
    assert list(checkout.open_refunds()) == []


def test_a_refused_return_goes_with_the_points_that_are_taken_anew(world: World, checkout: Checkout):
    paid(world, checkout)
    world.provider.play("no_partial_reversal")
    refused = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert refused is not None
    assert refused.state == "declined"
    world.provider.play("reference")
    row = checkout._journal.latest("A-1")
    assert row is not None
    evidence = checkout._executor.look_up(row, deadline_s=5)
    assert evidence is not None
    nothing = {"captured_points": 0, "captured_value": euro(0), "held_points": 0, "released_points": 427}
    gone = evidence.model_copy(update={"state": "voided", **nothing})
    # The provider says that it has never taken them, and lets them be taken anew.
    assert evidence.id is not None
    world.made[0][1].redemptions.reverse(evidence.id, points=427, return_reference="theirs")
    short = noted(checkout._journal, checkout._executor, row, gone)
    claim = checkout._executor.repair(short, lease_s=5)
    assert claim is not None
    checkout._executor.run(claim, deadline_s=5)
    (listed,) = checkout.refused_refunds()
    assert (listed, checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})) == (refused, refused)
    given = checkout.refund_again("A-1", return_reference="R-1", actor="mira", reason="switched on by now")
    assert (given.state, given.points, given.restored) == ("done", 194, 194)
    assert list(checkout.refused_refunds()) == []
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.attempt, payment.points) == ("partially_reversed", 2, 233)


def named_twice(shop: Checkout) -> None:
    """Return R-2 of the newest attempt is called R-1, too, as journals have it from before that was refused."""
    with shop._database.transaction() as tx:
        assert tx.run(text("UPDATE punktgenau_return SET reference = 'R-1' WHERE reference = 'R-2'"), {}) == 1


def test_each_of_two_returns_with_one_reference_is_closed_where_it_is(world: World, checkout: Checkout):
    paid(world, checkout)
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490)
    paid(world, checkout)
    checkout.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    named_twice(checkout)
    assert list(checkout.open_refunds()) == [("A-1", "R-1", euro(5053)), ("A-1", "R-1", euro(2301))]
    office = Office(checkout)
    old, new = (one.id for one in office.searching.attempts("A-1"))
    closed = office.money_refunded(old, return_reference="R-1", psp_reference="re_1", actor="mira", seen_minor=5053)
    assert (closed.money, closed.money_due) == (euro(5053), euro(0))
    assert list(checkout.open_refunds()) == [("A-1", "R-1", euro(2301))]
    closed = office.money_refunded(new, return_reference="R-1", psp_reference="re_2", actor="mira", seen_minor=2301)
    assert (closed.money, list(checkout.open_refunds())) == (euro(2301), [])


@pytest.mark.parametrize("is_named_twice", [False, True])
def test_new_points_of_an_older_attempt_are_settled(world: World, is_named_twice: bool):
    shop = world.checkout(expired_points="new_points")
    sandbox = f"{world.provider.url}/sandbox"
    there = world.provider.http.get(f"{sandbox}/clock", timeout=20).json()["now"]
    until = (datetime.fromisoformat(there) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lots = [{"points": 427, "expires_at": until}]
    world.provider.http.post(f"{sandbox}/members", json={"id": "mbr_soon", "lots": lots}, timeout=20)
    shop.link("cleo", member_id="mbr_soon", consent_id="con_9")
    world.order("A-1", "paid")
    shop.balance("cleo", max_age_s=0)
    shop.authorize("A-1", FIVE, customer_id="cleo", points=400)
    shop.capture("A-1")
    world.advance(2 * 86400)
    world.provider.http.post(f"{sandbox}/members", json={"id": "mbr_soon", "state": "blocked"}, timeout=20)
    given = shop.refund("A-1", return_reference="R-1", lines={"lamp": 5})
    assert given is not None
    assert (given.new_points, given.new_points_state) == (400, "declined")
    world.provider.http.post(f"{sandbox}/members", json={"id": "mbr_soon", "state": "active"}, timeout=20)
    world.provider.give("mbr_soon", 50)
    shop.balance("cleo", max_age_s=0)
    assert shop.authorize("A-1", FIVE, customer_id="cleo", points=5).attempt == 2
    if is_named_twice:
        shop.capture("A-1")
        shop.refund("A-1", return_reference="R-2", lines={"lamp": 1})
        named_twice(shop)
    office = Office(shop)
    old = office.searching.attempts("A-1")[0].id
    settled = office.settle_new_points(old, return_reference="R-1", given=False, actor="mira", reason="unblocked")
    assert settled.new_points_state == "posted"
    assert office.attention().counts["not_given"] == 0


def test_points_of_a_refused_return_pay_nothing_of_a_version_without_them(world: World, checkout: Checkout):
    # Five lamps of 24.95, 500 points, 100 for each: the return of one is refused, then it is left out of the order.
    paid(world, checkout, cart=FIVE, points=500)
    world.provider.play("no_partial_reversal")
    refused = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert refused is not None
    assert (refused.state, refused.points) == ("declined", 100)
    world.provider.play("reference")
    payment = checkout.amend("A-1", lamps(3))
    assert payment is not None
    assert (payment.points, payment.value, payment.due, payment.returned_points) == (300, euro(300), euro(7185), 100)
