"""Money, rates and exact splits; every expected number was worked out by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktgenau.errors import InvalidArgumentError
from punktgenau.money import (
    AMOUNT_MINOR_MAX,
    POINTS_MAX,
    Money,
    Rate,
    Rounding,
    ceil_div,
    largest_remainder,
    require_points,
)


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def rate(points: int, amount_minor: int, rounding: Rounding = "down", currency: str = "EUR") -> Rate:
    return Rate(id="r", points=points, amount_minor=amount_minor, currency=currency, rounding=rounding)


def test_money_adds_subtracts_and_compares() -> None:
    assert eur(5990) + eur(490) == eur(6480)
    assert eur(5990) - eur(427) == eur(5563)
    assert eur(1) < eur(2) <= eur(2)
    assert eur(2) > eur(1)
    assert not eur(0)
    assert eur(1)


@pytest.mark.scenario("B4", "money of two currencies is never added, subtracted or compared")
def test_currencies_do_not_mix() -> None:
    yen = Money(amount_minor=1, currency="JPY")
    for mixed in (
        lambda: eur(1) + yen,
        lambda: eur(1) - yen,
        lambda: eur(1) < yen,
        lambda: eur(1) <= yen,
        lambda: rate(1, 1).fewest_points(yen),
        lambda: rate(1, 1).most_points(yen),
    ):
        with pytest.raises(InvalidArgumentError, match="cannot be mixed") as caught:
            mixed()
        assert caught.value.field == "currency"
    assert eur(1) != yen


@pytest.mark.scenario("B4", "an amount is whole smallest units whatever the currency's decimals: 3 in KWD, none in JPY")
@pytest.mark.parametrize(
    ("currency", "amount_minor", "points", "worth_minor"),
    [
        ("JPY", 1, 427, 427),  # a point is a yen
        ("KWD", 3, 427, 1281),  # a point is 3 fils, 427 points 1.281 dinar
        ("EUR", 1, 427, 427),
    ],
)
def test_worth_needs_no_decimals(currency: str, amount_minor: int, points: int, worth_minor: int) -> None:
    worth = rate(1, amount_minor, currency=currency).worth(points)
    assert worth == Money(amount_minor=worth_minor, currency=currency)


@pytest.mark.parametrize("amount_minor", [-1, 1.0, True, "1", None, AMOUNT_MINOR_MAX + 1, 10**100, float("nan")])
def test_amounts_are_whole_and_bounded(amount_minor: int) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        eur(amount_minor)
    assert caught.value.field == "amount_minor"


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "E1R", "€", "ЕUR", None, 978, "EUR\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Money(amount_minor=1, currency=currency)
    assert caught.value.field == "currency"


def test_money_never_goes_below_zero() -> None:
    with pytest.raises(InvalidArgumentError):
        eur(1) - eur(2)


@pytest.mark.parametrize(("given_points", "code"), [
    (0, "points_zero"),
    (-1, "points_negative"),
    (-(10**100), "points_negative"),
    (10**100, "points_too_large"),
    (POINTS_MAX + 1, "points_too_large"),
    (True, "points_not_whole"),
    (1.0, "points_not_whole"),
    ("1", "points_not_whole"),
    (None, "points_not_whole"),
])  # fmt: skip
def test_a_number_of_points_is_whole_and_positive(given_points: int, code: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        require_points(given_points)
    assert (caught.value.code, caught.value.field, caught.value.outcome) == (code, "points", "not_done")


def test_a_number_of_points_passes_unchanged() -> None:
    assert require_points(1) == 1
    assert require_points(POINTS_MAX) == POINTS_MAX
    assert require_points(0, least=0) == 0
    with pytest.raises(InvalidArgumentError) as caught:
        require_points(4, field="min", least=5)
    assert (caught.value.code, caught.value.field) == ("invalid_argument", "min")


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""},
        {"points": 0},
        {"amount_minor": 0},
        {"points": 1.0},
        {"amount_minor": True},
        {"currency": "eur"},
        {"rounding": "bankers"},
    ],
)
def test_a_rate_is_checked(fields: dict[str, object]) -> None:
    good: dict[str, object] = {"id": "r", "points": 1, "amount_minor": 1, "currency": "EUR", "rounding": "down"}
    with pytest.raises(InvalidArgumentError):
        Rate(**(good | fields))  # type: ignore[arg-type]


@pytest.mark.scenario("B3", "3 points = 1 cent: worth rounds as the programme says, by less than a cent")
@pytest.mark.parametrize(
    ("points", "down", "half_up", "up"),
    [
        (0, 0, 0, 0),
        (1, 0, 0, 1),
        (2, 0, 1, 1),
        (3, 1, 1, 1),
        (4, 1, 1, 2),
        (5, 1, 2, 2),
        (427, 142, 142, 143),  # 142.33
        (428, 142, 143, 143),  # 142.67
    ],
)
def test_worth_at_three_points_a_cent(points: int, down: int, half_up: int, up: int) -> None:
    assert rate(3, 1, "down").worth(points) == eur(down)
    assert rate(3, 1, "half_up").worth(points) == eur(half_up)
    assert rate(3, 1, "up").worth(points) == eur(up)


@pytest.mark.parametrize(("each", "value_minor", "fewest", "most"), [
    (rate(1, 1), 427, 427, 427),
    (rate(1, 1), 0, 0, 0),
    (rate(3, 1, "down"), 142, 426, 428),  # 142.00, 142.33, 142.67 all round down to 142
    (rate(3, 1, "half_up"), 142, 425, 427),  # 141.67, 142.00, 142.33
    (rate(3, 1, "up"), 142, 424, 426),  # 141.33, 141.67, 142.00
    (rate(3, 1, "down"), 0, 0, 2),
    (rate(3, 1, "half_up"), 0, 0, 1),
    (rate(3, 1, "up"), 0, 0, 0),
    (rate(1, 5), 499, 100, 99),  # a point is 5 cents: 100 points reach 4.99, 99 points (4.95) stay within
    (rate(200, 150), 6480, 8640, 8641),  # 0.75 cents a point: 8640 points are 64.80 exactly, 8641 are 64.80 too
])  # fmt: skip
def test_points_for_a_worth(each: Rate, value_minor: int, fewest: int, most: int) -> None:
    assert each.fewest_points(eur(value_minor)) == fewest
    assert each.most_points(eur(value_minor)) == most


def test_the_largest_amount_has_neighbours_too() -> None:
    assert rate(1, 1).most_points(eur(AMOUNT_MINOR_MAX)) == AMOUNT_MINOR_MAX
    assert rate(10**15, 1).fewest_points(eur(2)) == 2 * 10**15


RATES = st.builds(
    rate,
    st.integers(1, 1000),
    st.integers(1, 1000),
    st.sampled_from(["down", "half_up", "up"]),
)


@settings(deadline=None)
@given(each=RATES, value_minor=st.integers(0, 10**9))
def test_fewest_and_most_points_enclose_a_worth(each: Rate, value_minor: int) -> None:
    value = eur(value_minor)
    fewest, most = each.fewest_points(value), each.most_points(value)
    assert each.worth(fewest) >= value >= each.worth(most)
    assert each.worth(most + 1) > value
    if fewest:
        assert each.worth(fewest - 1) < value


@settings(deadline=None)
@given(each=RATES, points=st.integers(0, 10**9))
def test_worth_is_off_by_less_than_a_cent(each: Rate, points: int) -> None:
    exact_times_points = points * each.amount_minor
    assert abs(each.worth(points).amount_minor * each.points - exact_times_points) < each.points


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (427, (4990, 1000, 490), (329, 66, 32)),  # 328.81, 65.90, 32.29
        (100, (1, 1, 1), None),
        (2, (1, 1, 1), (1, 1, 0)),  # a tie goes to the earlier line
        (10, (3, 3, 4), (3, 3, 4)),
        (5, (0, 9, 1), (0, 5, 0)),  # 4.5 and 0.5: a tie again
        (0, (7, 7), (0, 0)),
        (0, (), ()),
        (0, (0, 0), (0, 0)),
    ],
)
def test_largest_remainder(amount: int, weights: tuple[int, ...], parts: tuple[int, ...] | None) -> None:
    if parts is None:
        with pytest.raises(AssertionError):
            largest_remainder(amount, weights)
    else:
        assert largest_remainder(amount, weights) == parts


@settings(deadline=None)
@given(weights=st.lists(st.integers(0, 10**12), max_size=30), share=st.integers(0, 1000))
def test_a_split_is_exact_and_near_its_proportion(weights: list[int], share: int) -> None:
    whole = sum(weights)
    amount = whole * share // 1000
    parts = largest_remainder(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part <= weight
        assert abs(part * whole - amount * weight) < max(whole, 1)


def test_ceil_div() -> None:
    assert [ceil_div(n, 3) for n in (0, 1, 3, 4)] == [0, 1, 1, 2]
