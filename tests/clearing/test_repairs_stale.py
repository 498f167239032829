"""Repairs of what has moved on since it was listed: nothing moves, and the difference says why."""

from __future__ import annotations

import pytest

from _clearing_shop import buy, period
from _world import CART, World
from punktgenau.checkout import Checkout, Order
from punktgenau.checkout.difference import Difference


def found(shop: Checkout) -> Difference:
    shop.reconcile(period(shop), grace_s=0)
    [one] = shop.differences()
    return one


def not_done(shop: Checkout, one: Difference, why: str, *, order_state: str) -> None:
    """Repaired by a person, and open as before."""
    after = shop.repair(one.id, by="kim", because="on the list")
    assert (after.state, after.note, after.result) == ("open", why, f"nothing was done: {why}")
    assert (after.actor, after.reason, after.order_state) == ("kim", "on the list", order_state)


@pytest.mark.parametrize("order_state", ["cancelled", "pending"])
def test_a_capture_of_an_order_that_is_not_paid_any_more(shop: Checkout, world: World, order_state: str):
    buy(shop, world, "A-1", 427, capture=False)
    one = found(shop)
    assert one.proposal == "capture"
    world.order("A-1", order_state)
    not_done(shop, one, f"the order is {order_state} by now", order_state=order_state)
    assert world.provider.points() == (2073, 427)
    # The card was charged after all, and somebody tries the same again.
    world.order("A-1", "paid")
    assert shop.repair(one.id, by="lee", because="paid again").result == "now captured, 427 points"
    assert world.provider.points() == (2073, 0)


def test_points_of_an_order_that_is_paid_again_stay_taken(shop: Checkout, world: World):
    buy(shop, world, "A-1", 427)
    world.order("A-1", "cancelled")
    one = found(shop)
    assert one.proposal == "cancel"
    world.order("A-1", "paid")
    not_done(shop, one, "the order is paid by now", order_state="paid")
    assert world.provider.points() == (2073, 0)
    # And the next comparison sees that nothing is left of it.
    assert shop.reconcile(period(shop), grace_s=0).is_clean


def test_an_order_that_the_shop_does_not_know_any_more(shop: Checkout, world: World):
    buy(shop, world, "A-1", 427, capture=False)
    one = found(shop)
    del world.orders["A-1"]
    not_done(shop, one, "the order is missing by now", order_state="missing")
    assert world.provider.points() == (2073, 427)


@pytest.mark.parametrize("proposal", ["capture", "cancel"])
def test_another_attempt_of_the_order_is_left_alone(shop: Checkout, world: World, proposal: str):
    buy(shop, world, "A-1", 427, capture=False)
    if proposal == "cancel":
        world.order("A-1", "cancelled")
    one = found(shop)
    assert one.proposal == proposal
    # The customer has paid anew, with fewer points; these are what the order has now.
    shop.void("A-1")
    shop.authorize("A-1", CART, customer_id="anna", points=100)
    if proposal == "cancel":
        world.order("A-1", "paid")
        shop.capture("A-1")
    not_done(shop, one, "the order has another attempt by now", order_state=one.order_state)
    assert world.provider.points() == ((2400, 0) if proposal == "cancel" else (2400, 100))


def test_another_attempt_that_begins_at_this_moment(shop: Checkout, world: World):
    buy(shop, world, "A-1", 427)
    world.order("A-1", "cancelled")
    one = found(shop)
    other = world.checkout()

    def slow(reference: str) -> Order:
        # While the shop is asked, the order is given up and placed and paid once more.
        shop.order_loader = world.orders.get
        other.cancel(reference)
        world.order(reference, "paid")
        other.authorize(reference, CART, customer_id="anna", points=100)
        other.capture(reference)
        return Order(reference=reference, state="cancelled")

    shop.order_loader = slow
    shop.repair(one.id, by="kim", because="on the list")
    assert shop.find("A-1").state == "captured"  # type: ignore[union-attr]
    assert world.provider.points() == (2400, 0)


def test_a_shop_that_cannot_be_asked(shop: Checkout, world: World):
    buy(shop, world, "A-1", 427, capture=False)
    one = found(shop)

    def broken(reference: str) -> Order:
        raise RuntimeError(f"no database for {reference}")

    shop.order_loader = broken
    not_done(shop, one, "the shop could not be asked for the order", order_state="paid")
    assert world.provider.sent("capture") == 0


@pytest.mark.parametrize(("order_state", "points"), [("paid", (2073, 0)), ("cancelled", (2500, 0))])
def test_without_an_order_loader_the_list_is_believed(
    shop: Checkout, world: World, order_state: str, points: tuple[int, int]
):
    buy(shop, world, "A-1", 427, capture=False)
    world.order("A-1", order_state)
    one = found(shop)
    shop.order_loader = None
    assert shop.repair(one.id, by="kim", because="on the list").state == "repaired"
    assert world.provider.points() == points
