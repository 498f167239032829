"""The points' worth over the lines of an order; worked out by hand, then any cart and any rate."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktgenau.checkout.allocation import Allocation, allocate
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.quote import quote
from punktgenau.checkout.rules import ShopRules
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import Rate
from punktgenau.provider import Limits

LAMP = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")
BOOK = Line(sku="book", quantity=1, unit_price_minor=1000, vat_rate="7")


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
