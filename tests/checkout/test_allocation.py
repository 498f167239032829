"""The points' worth over lines, and what comes back with each return; worked out by hand, then in any order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktgenau.checkout.allocation import Allocation, Returned, allocate, returned
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.quote import quote
from punktgenau.checkout.rules import ShopRules
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import Rate
from punktgenau.provider import Limits

LAMP = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")
BOOK = Line(sku="book", quantity=1, unit_price_minor=1000, vat_rate="7")
NOTHING = Returned(goods_minor=0, other_minor=0, value_minor=0, money_minor=0, points=0, carry_minor=0)


def cart(*lines: Line, shipping_minor: int = 0, other_tenders_minor: int = 0) -> Cart:
    return Cart(
        currency="EUR",
        lines=lines,
        shipping_minor=shipping_minor,
        shipping_vat_rate="19",
        other_tenders_minor=other_tenders_minor,
    )


def spread(of: Cart, *, points: int, value_minor: int, rules: ShopRules | None = None) -> Allocation:
    return allocate(cart=of, points=points, value_minor=value_minor, rules=rules or ShopRules())


def one_line(quantity: int, unit_price_minor: int, *, points: int, value_minor: int, other: int = 0) -> Allocation:
    line = Line(sku="cup", quantity=quantity, unit_price_minor=unit_price_minor, vat_rate="19")
    return spread(cart(line, other_tenders_minor=other), points=points, value_minor=value_minor)


def parts(of: Allocation) -> list[tuple[str, int, int, int]]:
    return [(line.id, line.start_minor, line.value_minor, line.money_minor) for line in of.lines]


@pytest.mark.scenario("T54", "4.27 over three lines: largest remainder, sums exact, no negative cent")
def test_427_cents_over_lamps_a_book_and_shipping() -> None:
    # 4.27 of 64.80: 3.2882, 0.6590, 0.3229; the two cents that remain go to the book and the lamps.
    made = spread(cart(LAMP, BOOK, shipping_minor=490), points=427, value_minor=427)
    assert parts(made) == [("lamp", 0, 329, 4661), ("book", 329, 66, 934), ("shipping", 395, 32, 458)]


@pytest.mark.parametrize(
    ("amounts", "value_minor", "values"),
    [
        ((1000, 1000, 1000), 100, (34, 33, 33)),  # a tie goes to the first line
        ((1, 1, 1), 2, (1, 1, 0)),
        ((0, 500, 0), 500, (0, 500, 0)),  # a free line pays nothing
        ((999, 1), 999, (998, 1)),  # 998.001 and 0.999
        ((5, 5), 0, (0, 0)),
    ],
)
def test_largest_remainder_over_lines(amounts: tuple[int, ...], value_minor: int, values: tuple[int, ...]) -> None:
    lines = [Line(sku=str(n), quantity=1, unit_price_minor=price, vat_rate="19") for n, price in enumerate(amounts)]
    made = spread(cart(*lines), points=value_minor, value_minor=value_minor)
    assert tuple(line.value_minor for line in made.lines) == values


def test_articles_and_shipping_that_points_may_not_pay_get_nothing() -> None:
    voucher = Line(sku="voucher", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False)
    bill = cart(LAMP, voucher, shipping_minor=490)
    made = spread(bill, points=4990, value_minor=4990, rules=ShopRules(shipping_allowed=False))
    assert parts(made) == [("lamp", 0, 4990, 0), ("voucher", 4990, 0, 2000), ("shipping", 4990, 0, 490)]
    with pytest.raises(InvalidArgumentError):
        spread(bill, points=5481, value_minor=5481)


@pytest.mark.scenario("T13", "a gift card pays first, points only what it leaves of each line")
def test_other_tenders_come_first() -> None:
    made = spread(cart(LAMP, BOOK, shipping_minor=490, other_tenders_minor=6000), points=480, value_minor=480)
    # 60.00 of 64.80 pay 46.2037, 9.2593 and 4.5370; the two cents that remain go to the book and to shipping.
    assert [(line.other_minor, line.value_minor, line.money_minor) for line in made.lines] == [
        (4620, 370, 0),
        (926, 74, 0),
        (454, 36, 0),
    ]


@pytest.mark.parametrize(("points", "value_minor"), [(1, 0), (0, 1), (10, 6481), (10, -1)])
def test_points_that_do_not_fit_are_refused(points: int, value_minor: int) -> None:
    with pytest.raises(InvalidArgumentError):
        spread(cart(LAMP, BOOK, shipping_minor=490), points=points, value_minor=value_minor)


def test_an_order_without_points() -> None:
    made = spread(cart(LAMP), points=0, value_minor=0)
    assert returned(made, {"lamp": 1}) == Returned(
        goods_minor=2495, other_minor=0, value_minor=0, money_minor=2495, points=0, carry_minor=0
    )


def test_one_lamp_back_and_then_the_other() -> None:
    made = spread(cart(LAMP, BOOK, shipping_minor=490), points=427, value_minor=427)
    first = returned(made, {"lamp": 1})
    # Half of 3.29 is 1.64 and a half.
    assert first == Returned(
        goods_minor=2495, other_minor=0, value_minor=164, money_minor=2331, points=164, carry_minor=0
    )
    both = returned(made, {"lamp": 2})
    assert both.since(first) == Returned(
        goods_minor=2495, other_minor=0, value_minor=165, money_minor=2330, points=165, carry_minor=0
    )
    whole = returned(made, {"lamp": 2, "book": 1, "shipping": 1})
    assert (whole.goods_minor, whole.value_minor, whole.money_minor, whole.points) == (6480, 427, 6053, 427)


@pytest.mark.scenario("B3", "100 points worth 75 cents over two lines: 67 + 33 in either order, never 67 + 34")
def test_each_line_owns_its_points() -> None:
    cup = Line(sku="cup", quantity=1, unit_price_minor=50, vat_rate="19")
    pen = Line(sku="pen", quantity=1, unit_price_minor=25, vat_rate="19")
    made = spread(cart(cup, pen), points=100, value_minor=75)
    # Up to cent 50: 66.67 points, so 67; up to cent 75: all 100.
    assert (returned(made, {"cup": 1}).points, returned(made, {"pen": 1}).points) == (67, 33)
    assert returned(made, {"pen": 1, "cup": 1}).points == 100


@pytest.mark.parametrize(
    ("quantity", "state"),
    [
        (0, (0, 0, 0, 0, 0)),
        (1, (166, 148, 18, 29, 3)),  # 1.48 are 29 points of 5 cents and 3 cents that are owed
        (2, (332, 296, 36, 59, 1)),
        (3, (499, 445, 54, 89, 0)),
    ],
)
def test_points_worth_more_than_a_cent_carry_less_than_a_point(quantity: int, state: tuple[int, ...]) -> None:
    cup = Line(sku="cup", quantity=3, unit_price_minor=167, discount_minor=2, vat_rate="19")
    made = spread(cart(cup), points=89, value_minor=445)
    back = returned(made, {"cup": quantity})
    assert (back.goods_minor, back.value_minor, back.money_minor, back.points, back.carry_minor) == state


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
    made = spread(cart(cup, other_tenders_minor=400), points=300, value_minor=300)
    back = returned(made, {"cup": quantity})
    assert (back.goods_minor, back.other_minor, back.value_minor, back.money_minor) == state


@pytest.mark.parametrize("quantities", [{"lamp": 3}, {"lamp": -1}, {"lamp": 1.0}, {"lamp": True}, {"cup": 1}])
def test_more_than_was_bought_does_not_come_back(quantities: dict[str, int]) -> None:
    made = spread(cart(LAMP), points=427, value_minor=427)
    with pytest.raises(InvalidArgumentError) as caught:
        returned(made, quantities)
    assert caught.value.field == "lines"


def test_a_state_is_never_taken_back() -> None:
    made = one_line(2, 100, points=50, value_minor=50)
    with pytest.raises(AssertionError, match="take back"):
        NOTHING.since(returned(made, {"cup": 1}))


# Any order, any history.


@st.composite
def orders(draw: st.DrawFn) -> Allocation:
    """An order with some lines, some other tenders and as many points as a rate and a wish make of it."""
    priced = draw(
        st.lists(
            st.tuples(st.integers(1, 12) | st.integers(1, 1000), st.integers(0, 400), st.booleans()),
            min_size=1,
            max_size=5,
        )
    )
    lines = [
        Line(sku=str(n), quantity=quantity, unit_price_minor=price, vat_rate="19", points_allowed=allowed)
        for n, (quantity, price, allowed) in enumerate(priced)
    ]
    shipping_minor = draw(st.sampled_from([0, 490]))
    whole = sum(line.amount_minor for line in lines) + shipping_minor
    bill = cart(*lines, shipping_minor=shipping_minor, other_tenders_minor=draw(st.just(0) | st.integers(0, whole)))
    rate = Rate(
        id="r",
        points=draw(st.sampled_from([1, 2, 3, 7, 200])),
        amount_minor=draw(st.sampled_from([1, 2, 3, 5, 150])),
        currency="EUR",
        rounding=draw(st.sampled_from(["down", "half_up", "up"])),
    )
    limits = Limits(min_points=1, max_points=None, step=1, max_share_percent=None, max_value=None)
    rules = ShopRules(money_minimum_minor=draw(st.sampled_from([0, 50])))
    asked = draw(st.integers(1, 10**6))
    taken = quote(cart=bill, available=10**7, rate=rate, limits=limits, rules=rules, asked=asked)
    made = allocate(cart=bill, points=taken.points, value_minor=taken.value.amount_minor, rules=rules)
    assert sum(line.money_minor for line in made.lines) == taken.due.amount_minor
    return made


@pytest.mark.scenario("T54", "any cart, any rate: parts add up to the worth, each within its line")
@settings(deadline=None)
@given(made=orders())
def test_parts_are_exact(made: Allocation) -> None:
    assert sum(line.value_minor for line in made.lines) == made.value_minor
    for line in made.lines:
        assert 0 <= line.value_minor <= line.amount_minor - line.other_minor
        assert line.other_minor + line.value_minor + line.money_minor == line.amount_minor


@pytest.mark.scenario("B8", "any order of lines, units and returns ends exact, and nothing is negative on the way")
@settings(deadline=None, max_examples=200)
@given(made=orders(), data=st.data())
def test_any_order_of_returns_ends_exact(made: Allocation, data: st.DataObject) -> None:
    kept = {line.id: line.quantity for line in made.lines}
    back: dict[str, int] = dict.fromkeys(kept, 0)
    before = returned(made, back)
    assert before == NOTHING
    gone = NOTHING
    while any(kept.values()):
        line_ids = data.draw(st.lists(st.sampled_from([key for key in kept if kept[key]]), unique=True, min_size=1))
        for line_id in line_ids:
            units = data.draw(st.integers(1, kept[line_id]) | st.just(kept[line_id]))
            kept[line_id] -= units
            back[line_id] += units
        state = returned(made, back)
        step = state.since(before)
        assert step.other_minor + step.value_minor + step.money_minor == step.goods_minor
        assert min(step.goods_minor, step.other_minor, step.value_minor, step.money_minor, step.points) >= 0
        if made.value_minor <= made.points:
            assert state.carry_minor == 0
            # The value and the points' worth at the order's own rate never part by more than a cent per line.
            apart = abs(step.value_minor * made.points - step.points * made.value_minor)
            assert apart < (len(made.lines) + 1) * max(made.points, 1)
        else:
            assert 0 <= state.carry_minor * made.points < made.value_minor
        gone = Returned(
            **{name: getattr(gone, name) + getattr(step, name) for name in Returned.__slots__},  # type: ignore[attr-defined]
        )
        before = state
    assert gone == before
    assert (before.value_minor, before.points, before.carry_minor) == (made.value_minor, made.points, 0)
    assert before.goods_minor == sum(line.amount_minor for line in made.lines)
    assert before.money_minor == sum(line.money_minor for line in made.lines)
    assert before.other_minor == sum(line.other_minor for line in made.lines)


@settings(deadline=None)
@given(made=orders(), data=st.data())
def test_the_way_does_not_matter(made: Allocation, data: st.DataObject) -> None:
    back = {line.id: data.draw(st.integers(0, line.quantity)) for line in made.lines}
    turned = dict(reversed(back.items()))
    assert returned(made, back) == returned(made, turned)
