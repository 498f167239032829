"""What histories found about earned points: a return before anything is planned, a claw-back whose answer is lost."""

from __future__ import annotations

import pytest

from _earning import PENDING_S, earning, paid, placed, purchase, settle, standing, told
from _there import there
from _world import CART, World
from punktgenau.errors import UnavailableError


def broken(reference: str) -> None:
    raise RuntimeError(f"the shop's database is away, and {reference} with it")


def test_a_return_before_anything_is_planned_is_not_lost(world: World):
    shop = earning(world)
    placed(world, "A-1")
    loader, shop.order_loader = shop.order_loader, broken
    assert shop.capture("A-1") is None
    assert shop.earned("A-1") == ()
    with pytest.raises(UnavailableError, match="tell of the return again"):
        shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    shop.order_loader = loader
    assert shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}) is None
    assert shop.capture("A-1") is None
    settle(world, shop, rounds=2)
    # 49 on 49.90, and 25 of them were never given: one of two lamps is kept, 24.95.
    assert told(shop) == [("purchase", "pending", 49, 25)]
    assert standing(world) == (2500, 24)


def test_what_a_claw_back_could_not_take_is_known_although_its_answer_was_lost(world: World):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    world.advance(PENDING_S + 60)
    shop.recover()
    assert standing(world) == (2549, 0)
    shop.balance("anna", max_age_s=0)
    there(shop.authorize("A-2", CART, customer_id="anna", points=2540))
    assert shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490) is None
    world.provider.fault("reverse_accrual", "wrong_echo", when="after", times=1)
    shop.recover()
    settle(world, shop, rounds=2)
    # Of 49 only 9 were left.
    assert (purchase(shop).state, purchase(shop).owed) == ("reversed", 40)
