"""Points that are spent before their order comes back: owed here, or below zero there, and never paid twice."""

from __future__ import annotations

import random
from threading import Thread

import pytest

from _earning import back, earning, paid, placed, poor, purchase, settle, spend, standing, told
from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.earning.rules import ClawBack

AT_ONCE = {"earn_points": 10, "earn_pending_s": 0}
"""Ten points for each full euro of two lamps of 24.95, usable at once: 490."""


@pytest.mark.scenario("T58", "order 1 earns, order 2 spends that, order 1 comes back: it is owed, or below zero")
@pytest.mark.parametrize(("claw_back", "available", "owed"), [("to_zero", 0, 40), ("below_zero", -40, 0)])
def test_what_is_spent_is_owed(world: World, claw_back: ClawBack, available: int, owed: int):
    shop = earning(world, **AT_ONCE, claw_back=claw_back)
    poor(world, shop)
    paid(world, shop, customer_id="cleo")
    shop.recover()
    assert standing(world, "mbr_0") == (490, 0)
    # 490 points pay 4.46 of the lamps: of 45.44 in money another 450 are earned.
    spend(world, shop, "A-2", 490)
    assert (purchase(shop, "A-2").points, standing(world, "mbr_0")) == (450, (450, 0))
    back(shop, "A-1")
    one = purchase(shop)
    assert (one.state, one.taken_back, one.owed) == ("reversed", 490, owed)
    assert standing(world, "mbr_0")[0] == available
    assert [(move.kind, move.points, move.owed) for move in one.moves] == [
        ("given", 490, 0),
        ("taken_back", -490 + owed, owed),
    ]


@pytest.mark.scenario("T37", "the points that an order was paid with go back to the member, and are taken from nobody")
def test_a_return_gives_back_what_paid_and_takes_what_was_earned(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    shop.recover()
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490))
    shop.recover()
    assert (standing(world), told(shop)) == ((2500, 0), [("purchase", "reversed", 46, 46)])


def test_the_next_order_earns_less_by_what_is_owed(world: World):
    shop = earning(world, **AT_ONCE)
    poor(world, shop)
    paid(world, shop, customer_id="cleo")
    shop.recover()
    spend(world, shop, "A-2", 490)
    world.provider.give("mbr_0", 0)
    back(shop, "A-1")
    assert (purchase(shop).owed, standing(world, "mbr_0")[0]) == (490, 0)
    assert shop.preview_earned(CART, customer_id="cleo").offset == 490
    paid(world, shop, "A-4", customer_id="cleo")
    shop.recover()
    four = purchase(shop, "A-4")
    # All of it settles what was owed.
    assert (four.points, four.offset, four.state, purchase(shop).owed) == (0, 490, "posted", 0)
    assert standing(world, "mbr_0")[0] == 0
    # One of two lamps comes back: 240 of what was settled are not earned, so they are owed again.
    back(shop, "A-4", lamps=1)
    assert purchase(shop, "A-4").owed == 250
    back(shop, "A-4", "Q", lamps=1)
    assert (purchase(shop, "A-4").owed, standing(world, "mbr_0")[0]) == (490, 0)


def test_two_orders_at_once_settle_what_is_owed_once(world: World):
    shop = earning(world, **AT_ONCE)
    poor(world, shop)
    paid(world, shop, customer_id="cleo")
    shop.recover()
    spend(world, shop, "A-2", 490)
    world.provider.give("mbr_0", 0)
    back(shop, "A-1")
    shops = [earning(world, **AT_ONCE) for _ in range(3)]
    for number in range(3):
        placed(world, f"B-{number}", customer_id="cleo")
    threads = [Thread(target=one.capture, args=(f"B-{number}",)) for number, one in enumerate(shops)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(purchase(shop, f"B-{number}").offset for number in range(3)) == [0, 0, 490]
    assert purchase(shop).owed == 0


@pytest.mark.scenario("T38", "earn, spend, return, again and again: the member never has more than was kept and paid")
@pytest.mark.parametrize("claw_back", ["to_zero", "below_zero"])
@pytest.mark.parametrize("seed", range(3))
def test_no_round_of_earning_spending_and_returning_brings_points(world: World, claw_back: ClawBack, seed: int):
    chance = random.Random(seed)
    shop = earning(world, earn_points=10, earn_pending_s=chance.choice([0, 600]), claw_back=claw_back)
    poor(world, shop)
    orders = []
    for number in range(6):
        order = f"A-{number}"
        placed(world, order, customer_id="cleo")
        points = chance.randint(0, max(0, min(standing(world, "mbr_0")[0], 3000)))
        if points:
            shop.balance("cleo", max_age_s=0)
            shop.authorize(order, CART, customer_id="cleo", points=points)
        shop.capture(order)
        orders.append(order)
        settle(world, shop, rounds=1, seconds=chance.choice([60, 900]))
        if chance.random() < 0.7:
            all_back(shop, orders.pop(chance.randrange(len(orders))))
    for order in orders:
        all_back(shop, order)
    settle(world, shop, rounds=3)
    # Everything came back, and so did what points had paid: nothing is left of what was earned.
    owed = sum(one.owed for number in range(6) for one in shop.earned(f"A-{number}"))
    available, pending = standing(world, "mbr_0")
    assert (available - owed, pending) == (0, 0)
    assert (owed == 0) or claw_back == "to_zero"


def all_back(shop: Checkout, order: str) -> None:
    """All of an order comes back, first one lamp."""
    shop.refund(order, return_reference=f"one-{order}", lines={"lamp": 1})
    shop.refund(order, return_reference=f"rest-{order}", lines={"lamp": 1}, shipping_minor=490)
    for _ in range(2):
        shop.recover()
