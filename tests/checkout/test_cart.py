"""Carts: sums, VAT on top, other tenders, and what is refused."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktgenau.checkout.cart import Cart, Line
from punktgenau.errors import CartMismatchError, InvalidArgumentError
from punktgenau.money import AMOUNT_MINOR_MAX, Money


def line(sku: str = "lamp", quantity: int = 1, unit_price_minor: int = 2495, vat_rate: str = "19", **more: Any) -> Line:
    return Line(sku=sku, quantity=quantity, unit_price_minor=unit_price_minor, vat_rate=vat_rate, **more)


def cart(*lines: Line, currency: str = "EUR", **more: Any) -> Cart:
    return Cart(currency=currency, lines=lines, **more)


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def test_a_cart_adds_lines_discounts_and_shipping() -> None:
    made = cart(line(quantity=2), line("book", unit_price_minor=1250, discount_minor=250), shipping_minor=490)
    assert [(part.id, part.amount_minor) for part in made.gross_lines] == [
        ("lamp", 4990),
        ("book", 1000),
        ("shipping", 490),
    ]
    assert made.total == made.payable == eur(6480)


def test_vat_on_top_is_rounded_once_per_rate_and_spread_exactly() -> None:
    made = cart(
        line("lamp", unit_price_minor=1000),
        line("cable", quantity=3, unit_price_minor=333),
        line("book", unit_price_minor=499, vat_rate="7"),
        shipping_minor=412,
        shipping_vat_rate="19",
        prices_include_vat=False,
    )
    # 19 % of 24.11 is 4.5809: 458 cents, as 190 + 190 + 78; 7 % of 4.99 is 0.3493: 35 cents.
    assert [part.amount_minor for part in made.gross_lines] == [1190, 1189, 534, 490]
    assert made.total == eur(3403)


def test_the_same_rate_written_twice_is_one_rate() -> None:
    # 10 % of 10 cents is 1 cent; rounded apart, half a cent would become a cent on each line.
    ten = cart(
        line("a", unit_price_minor=5, vat_rate="10"),
        line("b", unit_price_minor=5, vat_rate="10.0"),
        prices_include_vat=False,
    )
    assert ten.total == eur(11)


@pytest.mark.parametrize(("vat_rate", "gross_minor"), [("0", 1000), ("5.5", 1055), ("8.1", 1081), ("100", 2000)])
def test_odd_vat_rates(vat_rate: str, gross_minor: int) -> None:
    assert cart(line(unit_price_minor=1000, vat_rate=vat_rate), prices_include_vat=False).total == eur(gross_minor)


@pytest.mark.scenario("B8", "an empty cart, a free cart, shipping only: sums are exact and nothing is negative")
def test_carts_at_the_edge() -> None:
    assert cart().total == eur(0)
    assert cart(line(unit_price_minor=0)).payable == eur(0)
    assert cart(shipping_minor=490).payable == eur(490)
    assert cart(line(discount_minor=2495)).total == eur(0)
    assert cart(line(), other_tenders_minor=2495).payable == eur(0)


@pytest.mark.scenario("B8", "a negative price, quantity, discount or shipping is refused")
@pytest.mark.parametrize(
    "fields",
    [
        {"unit_price_minor": -1},
        {"quantity": -1},
        {"quantity": 0},
        {"discount_minor": -1},
        {"discount_minor": 2496},
        {"unit_price_minor": 24.95},
        {"unit_price_minor": True},
        {"unit_price_minor": "2495"},
        {"unit_price_minor": AMOUNT_MINOR_MAX + 1},
        {"sku": ""},
        {"sku": 7},
        {"id": 7},
        {"vat_rate": "-1"},
        {"vat_rate": "101"},
        {"vat_rate": "1e2"},
        {"vat_rate": "1/3"},
        {"vat_rate": "١٩"},
        {"vat_rate": "19%"},
        {"vat_rate": 19},
        {"points_allowed": "false"},
    ],
)
def test_a_line_that_cannot_be_meant_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        line(**fields)  # type: ignore[arg-type]
    assert caught.value.field in fields


@pytest.mark.parametrize(
    "fields",
    [
        {"shipping_minor": -1},
        {"shipping_minor": 4.9},
        {"other_tenders_minor": -1},
        {"total_minor": 24.95},
        {"total_minor": -1},
        {"shipping_vat_rate": "x"},
        {"currency": "euro"},
        {"prices_include_vat": 1},
    ],
)
def test_a_cart_that_cannot_be_meant_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        cart(line(), **fields)  # type: ignore[arg-type]
    assert caught.value.field in fields


def test_a_total_that_differs_names_both_sums() -> None:
    with pytest.raises(CartMismatchError) as caught:
        cart(line(), shipping_minor=490, total_minor=2984)
    assert "2984" in str(caught.value)
    assert "2985" in str(caught.value)
    assert caught.value.field == "total_minor"
    assert cart(line(), shipping_minor=490, total_minor=2985).total == eur(2985)


@pytest.mark.scenario("T13", "other tenders that exceed the total are refused, never a negative rest")
def test_other_tenders_never_exceed_the_total() -> None:
    with pytest.raises(CartMismatchError) as caught:
        cart(line(), other_tenders_minor=2496)
    assert caught.value.field == "other_tenders_minor"


def test_other_tenders_pay_every_line_in_proportion() -> None:
    made = cart(line(unit_price_minor=5990), shipping_minor=490, other_tenders_minor=1480)
    # 14.80 over 59.90 and 4.90: 13.6809 and 1.1191, so 13.68 and 1.12.
    assert made.left_minor == (4622, 378)
    assert made.payable == eur(5000)


@pytest.mark.parametrize("second", [line(), line("other", id="lamp"), line("other", id="shipping")])
def test_line_ids_are_unique_and_shipping_is_reserved(second: Line) -> None:
    with pytest.raises(InvalidArgumentError, match="give each line its own id") as caught:
        cart(line(), second)
    assert caught.value.field == "id"


def test_the_same_article_twice_needs_ids() -> None:
    made = cart(line(id="lamp-1"), line(id="lamp-2"))
    assert [part.id for part in made.gross_lines] == ["lamp-1", "lamp-2"]
    assert line(id=None).id == "lamp"


def test_a_sum_beyond_the_largest_amount_is_refused() -> None:
    with pytest.raises(InvalidArgumentError):
        cart(line(quantity=10**8, unit_price_minor=10**8))


def test_only_lines_are_lines() -> None:
    with pytest.raises(InvalidArgumentError):
        Cart(currency="EUR", lines=[{"sku": "lamp"}])  # type: ignore[list-item]


def test_a_cart_is_a_value() -> None:
    lines = [line()]
    made = Cart(currency="EUR", lines=lines)
    lines.append(line("book"))
    assert made.total == eur(2495)
    assert made == cart(line())
    assert hash(made) == hash(cart(line()))
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again == made
        assert again.gross_lines == made.gross_lines


PRICED = st.tuples(st.integers(1, 50), st.integers(0, 10**6), st.sampled_from(["0", "7", "19", "8.1", "25"]))


@settings(deadline=None)
@given(priced=st.lists(PRICED, max_size=12), shipping_minor=st.integers(0, 10**4), share=st.integers(0, 100))
def test_sums_are_exact_and_nothing_is_negative(
    priced: list[tuple[int, int, str]], shipping_minor: int, share: int
) -> None:
    lines = [line(str(n), quantity, price, vat_rate) for n, (quantity, price, vat_rate) in enumerate(priced)]
    net = sum(part.amount_minor for part in lines) + shipping_minor
    made = cart(*lines, shipping_minor=shipping_minor, shipping_vat_rate="19", prices_include_vat=False)
    total = sum(part.amount_minor for part in made.gross_lines)
    assert made.total.amount_minor == total >= net
    other = total * share // 100
    gross = [line(part.id + "-", 1, part.amount_minor, part.vat_rate) for part in made.gross_lines]
    paid = cart(*gross, other_tenders_minor=other, total_minor=total)
    assert sum(paid.left_minor) == paid.payable.amount_minor == total - other
    assert all(0 <= left <= part.amount_minor for left, part in zip(paid.left_minor, paid.gross_lines, strict=True))
