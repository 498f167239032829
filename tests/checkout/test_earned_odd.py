"""Earned points in odd orders of events: amounts beyond the goods, returns told to two doors, attempts in a row."""

from __future__ import annotations

from threading import Thread

import pytest
import requests

from _earning import earning, paid, placed, purchase, settle, standing, told
from _there import there
from _world import CART, World
from punktgenau.checkout import Cart, Line
from punktgenau.errors import InvalidArgumentError, PunktgenauError


def test_more_than_the_goods_comes_back_to_nobody(world: World):
    shop = earning(world, welcome_points=50)
    paid(world, shop)
    shop.returned("A-1", return_reference="R-1", amount_minor=5480)
    for amount in (1, 5480):
        with pytest.raises(InvalidArgumentError):
            shop.returned("A-1", return_reference="R-2", amount_minor=amount)
    with pytest.raises(InvalidArgumentError):
        shop.returned("A-1", return_reference="R-2", lines={"lamp": -1})
    settle(world, shop, rounds=2)
    assert ([one.kept for one in shop.earned("A-1")], standing(world)) == ([0, 0], (2500, 0))


def test_the_same_return_at_both_doors_counts_once(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    shop.returned("A-1", return_reference="R-1", lines={"lamp": 1})
    settle(world, shop, rounds=2)
    assert told(shop) == [("purchase", "pending", 46, 23)]


def test_two_desks_take_the_same_lamp_back(world: World):
    shops = [earning(world) for _ in range(3)]
    paid(world, shops[0])
    refused: list[str] = []

    def take(number: int) -> None:
        try:
            shops[number].returned("A-1", return_reference=f"R-{number}", lines={"lamp": 1})
        except PunktgenauError as error:
            refused.append(str(error.code))

    threads = [Thread(target=take, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle(world, shops[0], rounds=2)
    assert (len(refused), standing(world)) == (1, (2500, 0))


def test_attempts_in_a_row_earn_once(world: World):
    shop = earning(world, welcome_points=50)
    placed(world, "A-1", "pending")
    for points in (427, 1000, 200):
        shop.balance("anna", max_age_s=0)
        shop.authorize("A-1", CART, customer_id="anna", points=points)
        shop.void("A-1")
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    placed(world, "A-1")
    for _ in range(3):
        shop.capture("A-1")
    settle(world, shop, rounds=2)
    assert (purchase(shop).points, standing(world)) == (46, (2073, 96))


@pytest.mark.parametrize("goes_on", ["without", "declined", "with"])
def test_what_a_voucher_no_longer_pays_is_money_that_earns(world: World, goes_on: str):
    shop = earning(world)
    placed(world, "A-1", "pending")
    body = {"value_minor": 2500, "residual": "keeps"}
    made = requests.post(f"{world.provider.url}/sandbox/vouchers", json=body, timeout=20).json()
    shop.authorize("A-1", CART, customer_id="anna", points=0, vouchers=[shop.look_up_voucher(made["code"])])
    if goes_on == "without":
        shop.authorize("A-1", CART, customer_id="anna", points=0)
    elif goes_on == "declined":
        shop.void("A-1")
    # The shop tells no more than that it is paid, so what it was to be paid with counts.
    world.order("A-1", "paid")
    shop.capture("A-1")
    settle(world, shop, rounds=2)
    # 25.00 of 54.80 pay 22.76 of the lamps' 49.90; without them money pays all of it.
    assert purchase(shop).points == (27 if goes_on == "with" else 49)


def test_an_order_made_smaller_and_larger_again_keeps_no_more(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    shop.recover()

    def lamps(quantity: int) -> Cart:
        return Cart(
            currency="EUR",
            lines=[Line(sku="lamp", quantity=quantity, unit_price_minor=2495, vat_rate="19")],
            shipping_minor=490,
            shipping_vat_rate="19",
        )

    there(shop.amend("A-1", lamps(1)))
    settle(world, shop, rounds=2)
    there(shop.amend("A-1", lamps(5)))
    settle(world, shop, rounds=2)
    assert purchase(shop).kept == 23
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 4}))
    settle(world, shop, rounds=2)
    assert 0 <= purchase(shop).kept <= 23
    there(shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}))
    settle(world, shop, rounds=2)
    assert (purchase(shop).kept, standing(world)[1]) == (0, 0)


@pytest.mark.parametrize("ahead_s", [-6 * 3600, 6 * 3600])
def test_clocks_that_are_hours_apart(world: World, ahead_s: int):
    shop = earning(world)
    world.clock.advance(ahead_s)
    paid(world, shop)
    settle(world, shop, rounds=2)
    assert standing(world) == (2500, 49)
    world.advance(13 * 86_400)
    settle(world, shop, rounds=2)
    assert standing(world) == (2500, 49)
    world.advance(2 * 86_400)
    settle(world, shop, rounds=2)
    assert standing(world) == (2549, 0)


def test_reward_articles_that_come_back_take_what_their_money_earned(world: World):
    """A lamp of 24.95 in money, and a mug for 500 points and 5.00: 29 points are earned."""
    cart = Cart(
        currency="EUR",
        lines=[
            Line(sku="lamp", quantity=1, unit_price_minor=2495, vat_rate="19"),
            Line(sku="mug", quantity=1, unit_price_minor=955, vat_rate="19", reward_points=500),
        ],
    )
    shop = earning(world)
    placed(world, "A-1", cart=cart)
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", cart, customer_id="anna", points=500)
    there(shop.capture("A-1"))
    settle(world, shop, rounds=1)
    assert standing(world) == (2000, 29)
    there(shop.refund("A-1", return_reference="R-1", lines={"mug": 1}))
    settle(world, shop, rounds=2)
    assert standing(world) == (2500, 24)
    there(shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}))
    settle(world, shop, rounds=2)
    assert (told(shop), standing(world)) == ([("purchase", "reversed", 29, 29)], (2500, 0))


def test_what_came_back_before_points_were_asked_for_counts_beside_what_comes_back_with_them(world: World):
    shop = earning(world, welcome_points=50)
    paid(world, shop)
    # One lamp and the shipping; then, for whatever reason, points are asked for all the same.
    shop.returned("A-1", return_reference="R-1", lines={"lamp": 1})
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=20)
    assert there(shop.capture("A-1")).state == "captured"
    settle(world, shop, rounds=2)
    # 49.90 of goods for 49 points, of which money pays 24.95 and a part; one lamp of it is gone.
    assert told(shop)[0][2] - told(shop)[0][3] == 24
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    settle(world, shop, rounds=2)
    assert told(shop)[0][2] - told(shop)[0][3] == 24
    there(shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}, shipping_minor=490))
    settle(world, shop, rounds=2)
    assert [one.kept for one in shop.earned("A-1")] == [0, 0]
