"""Points for goods that came back: whatever became of the points that were to pay the order beside them."""

from __future__ import annotations

import pytest

from _earning import back, earning, paid, placed, poor, purchase, settle, spend, standing, told
from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.errors import StateConflictError

BLOCKED = {"id": "mbr_2500", "state": "blocked"}


def short(world: World, shop: Checkout) -> None:
    """An order is paid, and the points that should have paid a part of it are gone."""
    placed(world, "A-1")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.http.post(f"{world.provider.url}/sandbox/members", json=BLOCKED, timeout=20)
    world.advance(8 * 86_400)
    there(shop.capture("A-1"))
    world.provider.http.post(
        f"{world.provider.url}/sandbox/members", json={"id": "mbr_2500", "state": "active"}, timeout=20
    )


@pytest.mark.parametrize("as_", ["written_off", "paid_otherwise"])
@pytest.mark.parametrize("looked", [True, False])
def test_a_return_of_an_order_whose_shortfall_was_settled(world: World, as_: str, looked: bool):
    shop = earning(world)
    short(world, shop)
    assert there(shop.find("A-1")).state == "short"
    row = there(shop._journal.latest("A-1"))
    Office(shop).resolve(row.id, as_=as_, actor="mira", reason="gone")  # type: ignore[arg-type]
    if looked:
        shop.recover()
        assert purchase(shop).state == "pending"
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490))
    settle(world, shop, rounds=2)
    assert (purchase(shop).state, purchase(shop).kept, standing(world)[1]) == ("reversed", 0, 0)


@pytest.mark.parametrize("shop", ["no_holds"], indirect=True)
def test_a_return_of_an_order_whose_points_went_back_as_its_payment_failed(shop: World):
    checkout = earning(shop)
    placed(shop, "A-1", "pending")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert there(checkout.void("A-1")).state == "reversed"
    placed(shop, "A-1", "paid")
    checkout.capture("A-1")
    checkout.recover()
    # All 49.90 of goods are paid in money now.
    assert (told(checkout), standing(shop)) == ([("purchase", "pending", 49, 0)], (2500, 49))
    checkout.returned("A-1", return_reference="R-1", lines={"lamp": 2})
    settle(shop, checkout, rounds=2)
    assert (told(checkout), standing(shop)) == ([("purchase", "reversed", 49, 49)], (2500, 0))


@pytest.mark.parametrize("how", ["returned", "cancel"])
def test_an_order_without_its_points_while_the_provider_is_away(world: World, how: str):
    shop = earning(world)
    placed(world, "A-1", "pending")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.fault("void", "status_500", when="before", times=200)
    assert there(shop.void("A-1")).state == "voiding"
    placed(world, "A-1", "paid")
    shop.capture("A-1")
    assert told(shop) == [("purchase", "planned", 49, 0)]
    if how == "returned":
        shop.returned("A-1", return_reference="R-1", lines={"lamp": 2})
    else:
        shop.cancel("A-1")
    world.provider.heal()
    settle(world, shop)
    assert (told(shop), standing(world)) == ([("purchase", "reversed", 49, 49)], (2500, 0))


@pytest.mark.parametrize(
    "shop", ["reference", "no_keys", "short_window", "replays_errors", "slow_lookup"], indirect=True
)
def test_what_a_lost_answer_could_not_take_is_owed_all_the_same(shop: World):
    checkout = earning(shop, earn_points=10, earn_pending_s=0)
    poor(shop, checkout)
    paid(shop, checkout, customer_id="cleo")
    checkout.recover()
    spend(shop, checkout, "A-2", 490)
    shop.provider.give("mbr_0", 0)
    shop.provider.fault("reverse_accrual", "status_500", when="after", times=20)
    back(checkout, "A-1")
    shop.advance(900)
    shop.provider.heal()
    settle(shop, checkout, rounds=8)
    one = purchase(checkout)
    assert (one.state, one.taken_back, one.owed) == ("reversed", 490, 490)


def test_a_return_that_is_told_before_the_order_is_planned(world: World):
    shop = earning(world)
    placed(world, "A-1")
    shop.returned("A-1", return_reference="R-1", lines={"lamp": 2})
    shop.capture("A-1")
    settle(world, shop, rounds=2)
    assert standing(world) == (2500, 0)


def test_who_owes_is_not_forgotten(world: World):
    shop = earning(world, earn_points=10, earn_pending_s=0)
    poor(world, shop)
    paid(world, shop, customer_id="cleo")
    shop.recover()
    spend(world, shop, "A-2", 490)
    world.provider.give("mbr_0", 0)
    back(shop, "A-1")
    back(shop, "A-2")
    assert purchase(shop).owed
    world.advance(500 * 86_400)
    with pytest.raises(StateConflictError):
        Office(shop).personal.erase("cleo", actor="mira")
