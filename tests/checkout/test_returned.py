"""What comes back with each return, and to whom: who pays whom what, and what is refused."""

from typing import Any

import pytest

from _return_histories import check, story
from punktgenau.checkout.allocation import Allocation, allocate
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.returned import History, Returned, Wanted, returned, with_return
from punktgenau.checkout.rules import ShopRules
from punktgenau.errors import InvalidArgumentError

LAMP = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")
BOOK = Line(sku="book", quantity=1, unit_price_minor=1000, vat_rate="7")
NOTHING = Returned(goods_minor=0, other_minor=0, value_minor=0, money_minor=0, points=0, carry_minor=0)


def order(*lines: Line, points: int, value_minor: int, shipping_minor: int = 0, other_minor: int = 0) -> Allocation:
    bill = Cart(
        currency="EUR",
        lines=lines,
        shipping_minor=shipping_minor,
        shipping_vat_rate="19",
        other_tenders_minor=other_minor,
    )
    return allocate(cart=bill, points=points, value_minor=value_minor, rules=ShopRules())


def back(made: Allocation, **lines: int) -> Returned:
    return returned(made, with_return(made, History(), Wanted(lines=lines)))


def test_an_order_without_points() -> None:
    made = order(LAMP, points=0, value_minor=0)
    assert back(made, lamp=1) == Returned(
        goods_minor=2495, other_minor=0, value_minor=0, money_minor=2495, points=0, carry_minor=0
    )


def test_one_lamp_back_and_then_the_other() -> None:
    made = order(LAMP, BOOK, shipping_minor=490, points=427, value_minor=427)
    first = back(made, lamp=1)
    # Half of 3.29 is 1.64 and a half.
    assert first == Returned(
        goods_minor=2495, other_minor=0, value_minor=164, money_minor=2331, points=164, carry_minor=0
    )
    both = back(made, lamp=2)
    assert both.since(first) == Returned(
        goods_minor=2495, other_minor=0, value_minor=165, money_minor=2330, points=165, carry_minor=0
    )
    whole = back(made, lamp=2, book=1, shipping=1)
    assert (whole.goods_minor, whole.value_minor, whole.money_minor, whole.points) == (6480, 427, 6053, 427)


@pytest.mark.scenario("B3", "100 points worth 75 cents over two lines: 67 + 33 in either order, never 67 + 34")
def test_each_line_owns_its_points() -> None:
    cup = Line(sku="cup", quantity=1, unit_price_minor=50, vat_rate="19")
    pen = Line(sku="pen", quantity=1, unit_price_minor=25, vat_rate="19")
    made = order(cup, pen, points=100, value_minor=75)
    # Up to cent 50: 66.67 points, so 67; up to cent 75: all 100.
    assert (back(made, cup=1).points, back(made, pen=1).points) == (67, 33)
    assert back(made, pen=1, cup=1).points == 100


@pytest.mark.parametrize(
    ("quantity", "state"),
    [
        (1, (166, 148, 18, 29, 3)),  # 1.48 are 29 points of 5 cents and 3 cents that are owed
        (2, (332, 296, 36, 59, 1)),
        (3, (499, 445, 54, 89, 0)),
    ],
)
def test_points_worth_more_than_a_cent_carry_less_than_a_point(quantity: int, state: tuple[int, ...]) -> None:
    cup = Line(sku="cup", quantity=3, unit_price_minor=167, discount_minor=2, vat_rate="19")
    made = order(cup, points=89, value_minor=445)
    found = back(made, cup=quantity)
    assert (found.goods_minor, found.value_minor, found.money_minor, found.points, found.carry_minor) == state


@pytest.mark.parametrize(
    ("quantity", "state"),
    [
        (1, (333, 133, 100, 100)),
        (2, (666, 266, 200, 200)),
        (3, (1000, 400, 300, 300)),
    ],
)
def test_a_return_gives_back_to_each_tender(quantity: int, state: tuple[int, ...]) -> None:
    cup = Line(sku="cup", quantity=3, unit_price_minor=334, discount_minor=2, vat_rate="19")
    made = order(cup, other_minor=400, points=300, value_minor=300)
    found = back(made, cup=quantity)
    assert (found.goods_minor, found.other_minor, found.value_minor, found.money_minor) == state


@pytest.mark.parametrize("quantities", [{"lamp": 3}, {"lamp": -1}, {"lamp": 1.0}, {"lamp": True}, {"cup": 1}, {}])
def test_more_than_was_bought_does_not_come_back(quantities: dict[str, int]) -> None:
    made = order(LAMP, points=427, value_minor=427)
    with pytest.raises(InvalidArgumentError) as caught:
        with_return(made, History(), Wanted(lines=quantities))
    assert caught.value.field == "lines"


def test_a_state_is_never_taken_back() -> None:
    made = order(Line(sku="cup", quantity=2, unit_price_minor=100, vat_rate="19"), points=50, value_minor=50)
    with pytest.raises(AssertionError, match="take back"):
        NOTHING.since(back(made, cup=1))


# Any order, any history; the long run does the same with 50 times as many.


@pytest.mark.scenario("B8", "any order of lines, units, amounts and returns ends exact, and nothing is negative")
@pytest.mark.parametrize("start", range(0, 2000, 250))
def test_any_history_keeps_what_is_promised(start: int) -> None:
    for seed in range(start, start + 250):
        check(seed, naive=seed % 3 == 0)


def test_histories_cover_what_they_should() -> None:
    told = [story(seed) for seed in range(400)]
    assert len({(one.rate.amount_minor, one.rate.points) for one in told}) == 10
    assert {one.cart.currency for one in told} == {"EUR", "JPY", "KWD"}
    assert sum(one.without_amounts for one in told) > 100
    assert sum(not one.without_amounts for one in told) > 100
    assert sum(bool(wanted.shipping_minor) for one in told for wanted in one.wanted) > 25
    assert max(len(one.made.lines) for one in told) >= 50
    assert max(line.quantity for one in told for line in one.made.lines) >= 990
    assert sum(one.made.points > 0 for one in told) > 300


# What cannot be meant.


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"lines": {"lamp": 1}, "amount_minor": 100}, "amount_minor"),
        ({"shipping_minor": 100, "amount_minor": 100}, "amount_minor"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"amount_minor": 1.0}, "amount_minor"),
        ({"amount_minor": True}, "amount_minor"),
        ({"shipping_minor": -1}, "shipping_minor"),
        ({"shipping_minor": "1"}, "shipping_minor"),
        ({"lines": ["lamp"]}, "lines"),
        ({"lines": {"lamp": 0}}, "lines"),
        ({}, "lines"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Wanted(**asked)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        (Wanted(lines={"lamp": 1}), Wanted(lines={"lamp": 2}), "lines"),
        (Wanted(lines={"shipping": 1}), Wanted(lines={"shipping": 1}), "lines"),
        (Wanted(lines={"shipping": 1}), Wanted(shipping_minor=1), "shipping_minor"),
        (Wanted(shipping_minor=200), Wanted(shipping_minor=291), "shipping_minor"),
        (Wanted(shipping_minor=1), Wanted(lines={"shipping": 1}, shipping_minor=1), "shipping_minor"),
        (Wanted(amount_minor=480), Wanted(amount_minor=5001), "amount_minor"),
        (Wanted(amount_minor=5480), Wanted(shipping_minor=1), "shipping_minor"),
    ],
)
def test_more_than_is_left_does_not_come_back(first: Wanted, second: Wanted, field: str) -> None:
    made = order(LAMP, points=427, value_minor=427, shipping_minor=490)
    history = with_return(made, History(), first)
    before = returned(made, history)
    with pytest.raises(InvalidArgumentError) as caught:
        with_return(made, history, second)
    assert caught.value.field == field
    assert returned(made, history) == before


def test_an_order_without_shipping_has_none_to_return() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        with_return(order(LAMP, points=427, value_minor=427), History(), Wanted(shipping_minor=1))
    assert caught.value.field == "shipping_minor"


def test_what_the_provider_is_told_is_what_the_points_are_worth() -> None:
    """Nine cups of one cent, paid by three points worth three cents each: two cups are less than a point."""
    cup = Line(sku="cup", quantity=9, unit_price_minor=1, vat_rate="19")
    made = order(cup, points=3, value_minor=9)
    two, four = back(made, cup=2), back(made, cup=4)
    assert (two.value_minor, two.points, two.worth_minor, two.carry_minor) == (2, 0, 0, 2)
    # Four cents are one point and a cent that is owed: the second return brings 2 cents of value and 3 of points.
    step = four.since(two)
    assert (step.value_minor, step.points, step.worth_minor, step.carry_minor) == (2, 1, 3, -1)
