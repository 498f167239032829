"""Vouchers lessen what money pays, and orders earn on that: reckoned by hand.

Two lamps of 24.95 and shipping of 4.90, one point for each full euro of goods. A voucher of 25.00 pays 22.76 of the
lamps and 2.24 of the shipping; 427 points pay 3.89 and 0.38 of what is left; money pays 23.25 of the lamps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from _earning import PENDING_S, earning, placed, purchase, settle, standing, told
from _vouchers import brought, left, place
from _world import CART, World
from punktgenau import VoucherError
from punktgenau.checkout import Checkout, Line


def bought(world: World, shop: Checkout, *minors: int, points: int = 0, cart: Any = CART) -> Any:
    placed(world, "A-1", cart=cart)
    shop.balance("anna", max_age_s=0)
    vouchers = [brought(world, shop, minor) for minor in minors]
    place(shop, *vouchers, points=points, cart=cart)
    assert shop.capture("A-1").state == "captured"  # type: ignore[union-attr]
    settle(world, shop, rounds=2)
    return vouchers


@pytest.mark.parametrize(("minors", "points", "earns"), [((), 0, 49), ((2500,), 0, 27), ((2500,), 427, 23)])
def test_what_vouchers_pay_earns_nothing(world: World, minors: tuple[int, ...], points: int, earns: int):
    shop = earning(world)
    if minors:
        bought(world, shop, *minors, points=points)
    else:
        placed(world, "A-1")
        shop.capture("A-1")
        settle(world, shop, rounds=2)
    assert (purchase(shop).points, standing(world)) == (earns, (2500 - points, earns))


def test_paid_by_vouchers_alone_nothing_is_earned(world: World):
    shop = earning(world)
    bought(world, shop, 10_000)
    assert told(shop) == []
    assert standing(world) == (2500, 0)


def test_the_promise_is_what_is_earned(world: World):
    shop = earning(world)
    made = shop.quote("anna", CART, points=427, vouchers=(brought(world, shop, 2500),))
    cart = CART.paid_by(made.vouchers)
    assert shop.preview_earned(cart, points_value=made.value, points=made.points).points == 23


@pytest.mark.parametrize("posted", [False, True])
def test_what_was_earned_goes_with_what_comes_back(world: World, posted: bool):
    shop = earning(world)
    [voucher] = bought(world, shop, 2500, points=427)
    if posted:
        settle(world, shop, rounds=2, seconds=PENDING_S)
        assert standing(world) == (2500 - 427 + 23, 0)
    preview = shop.preview_refund("A-1", lines={"lamp": 1})
    assert preview is not None
    # Of 23.25 in money 11.62 come back with a lamp; 11 points are left.
    assert (preview.earned_taken, [one.value.amount_minor for one in preview.vouchers]) == (12, [1138])
    shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    settle(world, shop, rounds=2)
    assert purchase(shop).taken_back == 12
    shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}, shipping_minor=490)
    settle(world, shop, rounds=2)
    assert purchase(shop).taken_back == 23
    assert (standing(world), left(world)[voucher.id]) == ((2500, 0), ("active", 2500, 0))


def test_cancelled_everything_is_where_it_was(world: World):
    shop = earning(world)
    one, two = bought(world, shop, 1000, 1500, points=427)
    placed(world, "A-1", "cancelled")
    assert shop.cancel("A-1").state == "reversed"  # type: ignore[union-attr]
    settle(world, shop, rounds=2)
    assert (purchase(shop).taken_back, standing(world)) == (23, (2500, 0))
    assert left(world) == {one.id: ("active", 1000, 0), two.id: ("active", 1500, 0)}


def test_reward_articles_vouchers_and_points_in_one_cart(world: World):
    """A mug for 500 points and 2.00: the voucher pays of the rest of all lines, in proportion, 10.00 in all."""
    shop = earning(world)
    mug = Line(id="mug", sku="mug", quantity=1, unit_price_minor=700, vat_rate="19", reward_points=500)
    cart = replace(CART, lines=(*CART.lines, mug))
    [voucher] = bought(world, shop, 1000, points=600, cart=cart)
    # Left beside the mug's own points: 49.90, 2.00 and 4.90; 10.00 of 56.80 are 8.79, 0.35 and 0.86.
    # 100 further points over 41.11, 1.65 and 4.04: 0.88, 0.03 and 0.09; money 40.23, 1.62 and 3.95.
    assert purchase(shop).points == 41
    back = shop.refund("A-1", return_reference="R-1", lines={"mug": 1})
    assert back is not None
    assert (back.points, back.points_value.amount_minor, back.other.amount_minor) == (503, 503, 35)
    assert (back.money.amount_minor, [one.value.amount_minor for one in back.vouchers]) == (162, [35])
    rest = shop.refund("A-1", return_reference="R-2", lines={"lamp": 2}, shipping_minor=490)
    assert rest is not None
    assert (rest.points, rest.other.amount_minor, rest.money.amount_minor) == (97, 965, 4418)
    settle(world, shop, rounds=2)
    assert (standing(world), left(world)[voucher.id]) == ((2500, 0), ("active", 1000, 0))


def test_points_for_a_voucher_that_pays_the_next_order(world: World):
    """The points of one order become a voucher, which pays the next, which earns on the rest."""
    shop = earning(world)
    [product] = [one for one in shop.voucher_products() if one.value.amount_minor == 1000]
    made = shop.buy_voucher("anna", product.id, points=product.price_points, form="form00000001")
    assert made.state == "done"
    shop.balance("anna", max_age_s=0)
    [own] = shop.vouchers("anna")
    placed(world, "A-1")
    place(shop, own)
    shop.capture("A-1")
    settle(world, shop, rounds=2)
    # 10.00 pay 9.11 of the lamps: 40.79 is left to money.
    assert (purchase(shop).points, left(world)[own.id][0]) == (40, "used")
    with pytest.raises(VoucherError):
        place(shop, *shop.vouchers("anna"), order="A-2")
