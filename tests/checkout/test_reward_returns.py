"""What comes back of orders with reward articles: their own points to the point, whatever the policy."""

import pytest

from _reward_histories import check
from punktgenau.checkout.allocation import Allocation, allocate
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.parcels import captured
from punktgenau.checkout.returned import BackBy, History, Wanted, returned, with_return
from punktgenau.checkout.rules import ShopRules

LAMP = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")
BRUSH = Line(sku="brush", quantity=3, unit_price_minor=50, vat_rate="19", reward_points=50)
"""Only for points: 50 of them, at a cent each."""
TRAY = Line(sku="tray", quantity=2, unit_price_minor=3025, vat_rate="19", reward_points=25)
"""25 points and 30 EUR."""


def order(*lines: Line, points: int, value_minor: int, shipping_minor: int = 0, other_minor: int = 0) -> Allocation:
    bill = Cart(
        currency="EUR",
        lines=lines,
        shipping_minor=shipping_minor,
        shipping_vat_rate="19",
        other_tenders_minor=other_minor,
    )
    return allocate(cart=bill, points=points, value_minor=value_minor, rules=ShopRules())


def back(made: Allocation, policy: BackBy, **lines: int) -> tuple[int, int, int]:
    state = returned(made, with_return(made, History(), Wanted(lines=lines)), policy=policy)
    return state.points, state.value_minor, state.money_minor


def test_bound_points_pay_their_own_lines_and_the_others_what_is_left() -> None:
    # 150 for the brushes, 50 for the trays, 300 over lamps (49.90), trays (60.00 of co-payment) and shipping (4.90).
    made = order(LAMP, BRUSH, TRAY, points=500, value_minor=500, shipping_minor=490)
    parts = [(line.id, line.bound_minor, line.free_minor, line.money_minor) for line in made.lines]
    assert parts == [("lamp", 0, 130, 4860), ("brush", 150, 0, 0), ("tray", 50, 157, 5843), ("shipping", 0, 13, 477)]


def test_a_gift_card_pays_nothing_that_points_must() -> None:
    # Half of all that is not for points: 49.90 and 60.00.
    made = order(LAMP, BRUSH, TRAY, points=200, value_minor=200, other_minor=5495)
    parts = [(line.id, line.other_minor, line.value_minor, line.money_minor) for line in made.lines]
    assert parts == [("lamp", 2495, 0, 2495), ("brush", 0, 150, 0), ("tray", 3000, 50, 3000)]


@pytest.mark.parametrize("policy", ["proportional", "points_first", "money_first"])
@pytest.mark.scenario("T46", "a reward article comes back with its points and its co-payment, under each policy")
def test_a_reward_article_gives_back_its_points_under_each_policy(policy: BackBy) -> None:
    made = order(LAMP, BRUSH, TRAY, points=200, value_minor=200)
    assert back(made, policy, brush=1) == (50, 50, 0)
    assert back(made, policy, brush=3) == (150, 150, 0)
    assert back(made, policy, tray=1) == (25, 25, 3000)
    assert back(made, policy, lamp=2) == (0, 0, 4990)
    assert back(made, policy, lamp=2, brush=3, tray=2) == (200, 200, 10_990)


def test_further_points_follow_the_policy() -> None:
    # 100 further points on 109.90 that points need not pay.
    made = order(LAMP, BRUSH, TRAY, points=300, value_minor=300)
    # Of the tray's co-payment (60.00) further points pay 0.55, half of that is 0.27 and a half.
    assert back(made, "proportional", tray=1) == (25 + 27, 52, 2973)
    assert back(made, "points_first", tray=1) == (25 + 100, 125, 2900)
    assert back(made, "money_first", tray=1) == (25, 25, 3000)
    assert back(made, None, tray=1) == (0, 25, 3000)


def test_where_a_point_is_worth_a_third_of_a_cent_nothing_is_lost() -> None:
    # 50 points are worth 16.67 cents: 17 for the brush, 33 for two; 1 cent of 34 is left to money.
    brush = Line(sku="brush", quantity=2, unit_price_minor=17, vat_rate="19", reward_points=50)
    pen = Line(sku="pen", quantity=1, unit_price_minor=17, vat_rate="19", reward_points=50)
    made = order(brush, pen, points=150, value_minor=50)
    # Of 50 cents the first 100 points are worth 33, all of them 50.
    assert [(line.bound_minor, line.money_minor) for line in made.lines] == [(33, 1), (17, 0)]
    assert back(made, "proportional", brush=2) == (100, 33, 1)
    assert back(made, "proportional", pen=1) == (50, 17, 0)


def test_a_parcel_takes_the_points_that_are_bound_to_its_units() -> None:
    made = order(LAMP, BRUSH, TRAY, points=300, value_minor=300)
    assert captured(made, [{"brush": 1}]) == (50, 50)
    assert captured(made, [{"brush": 1}, {"tray": 1}]) == (50 + 25 + 27, 102)
    assert captured(made, [{"brush": 1}, {"tray": 1}, {"lamp": 2, "brush": 2, "tray": 1}]) == (300, 300)


@pytest.mark.parametrize("start", range(0, 1000, 250))
def test_any_order_with_reward_articles(start: int) -> None:
    for seed in range(start, start + 250):
        check(seed)
