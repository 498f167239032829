"""A point is worth less than a cent, and those that came back expired no cent together: nothing is owed for them.

Ten points are 3 cents, so 430 points pay 1.29 of 54.80, and the 2 that had expired would be worth 0.6 cents.
"""

import pytest

from _expired import BY, euro, put_lots, put_state
from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout, Refund
from punktgenau.checkout.office import Office

ALL = {"lamp": 2}


def bought(world: World, *, rule: str, expiring: int = 2) -> Checkout:
    world.provider.rate(points=10, amount_minor=3)
    shop = world.checkout(expired_points=rule)
    put_lots(world, expiring=expiring, lasting=430 - expiring)
    shop.link("cleo", member_id="mbr_soon", consent_id="con_9")
    world.order("A-1", "paid")
    shop.balance("cleo", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="cleo", points=430)
    assert there(shop.capture("A-1")).state == "captured"
    world.advance(2 * 86_400)
    return shop


def all_back(shop: Checkout) -> Refund:
    return there(shop.refund("A-1", return_reference="R-1", lines=ALL, shipping_minor=490))


def paid_out(shop: Checkout) -> None:
    closed = shop.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    assert (closed.money, list(shop.open_refunds())) == (euro(5351), [])


# 4 points are worth 1.2 cents: one is owed.
@pytest.mark.parametrize(("expiring", "owed"), [(2, []), (4, [("A-1", "R-1", euro(1))])])
def test_a_return_that_is_finished_after_its_money_was_paid(
    world: World, expiring: int, owed: list[tuple[str, str, object]]
):
    shop = bought(world, rule="money", expiring=expiring)
    world.provider.fault("reverse", "reset", when="before", times=20)
    assert all_back(shop).state == "reversing"
    paid_out(shop)
    world.provider.heal()
    world.advance(900)
    shop.recover()
    (refund,) = shop.refunds("A-1")
    assert (refund.state, refund.already_expired) == ("done", expiring)
    assert (list(shop.open_refunds()), Office(shop).attention().counts["money"]) == (owed, len(owed))


@pytest.mark.parametrize(("expiring", "owed"), [(2, []), (4, [("A-1", "R-1", euro(1))])])
def test_new_points_that_are_refused_and_become_money(world: World, expiring: int, owed: list[tuple[str, str, object]]):
    shop = bought(world, rule="new_points", expiring=expiring)
    put_state(world, "blocked")
    refused = all_back(shop)
    assert (refused.new_points, refused.new_points_state) == (expiring, "declined")
    paid_out(shop)
    assert shop.pay_instead("A-1", return_reference="R-1", **BY).new_points == 0
    assert (list(shop.open_refunds()), Office(shop).attention().counts["money"]) == (owed, len(owed))
