"""Receipts by hand: who paid what, and the VAT of each rate, to the cent."""

import pytest

from punktgenau import Money, Rate
from punktgenau.checkout.allocation import Allocation, allocate
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.invoice import invoice_of
from punktgenau.checkout.rules import ShopRules

LAMP = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")
BOOK = Line(sku="book", quantity=1, unit_price_minor=1000, vat_rate="7")
RATE = Rate(id="r1", points=1, amount_minor=1, currency="EUR", rounding="down")


def allocated(*, points: int, other: int = 0, net: bool = False) -> Allocation:
    cart = Cart(
        currency="EUR",
        lines=[LAMP, BOOK],
        shipping_minor=490,
        shipping_vat_rate="19",
        other_tenders_minor=other,
        prices_include_vat=not net,
    )
    return allocate(cart=cart, points=points, value_minor=points, rules=ShopRules())


def taxes(invoice: object) -> list[tuple[str, int, int, int]]:
    return [
        (tax.vat_rate, tax.gross.amount_minor, tax.net.amount_minor, tax.vat.amount_minor)
        for tax in invoice.taxes  # type: ignore[attr-defined]
    ]


@pytest.mark.scenario("T53", "points as a tender leave VAT alone; as a discount they lower it line by line")
def test_a_tender_leaves_vat_alone_and_a_discount_lowers_it():
    made = allocated(points=427)
    invoice = invoice_of("A-1", made, rate=RATE, tax_mode="tender")
    assert [(tender.kind, tender.amount.amount_minor, tender.points) for tender in invoice.tenders] == [
        ("points", 427, 427),
        ("money", 6053, 0),
    ]
    # 54.80 at 19 %: 46.0504 net; 10.00 at 7 %: 9.3458 net.
    assert taxes(invoice) == [("19", 5480, 4605, 875), ("7", 1000, 935, 65)]
    assert (invoice.total.amount_minor, invoice.taxable.amount_minor, invoice.rate) == (6480, 6480, RATE)
    # As a discount: 3.29 off the lamps and 0.32 off the shipping, 0.66 off the book.
    lower = invoice_of("A-1", made, rate=RATE, tax_mode="discount")
    # 51.19 at 19 %: 43.0168 net; 9.34 at 7 %: 8.7290 net.
    assert taxes(lower) == [("19", 5119, 4302, 817), ("7", 934, 873, 61)]
    assert lower.taxable.amount_minor == 6480 - 427


def test_a_gift_card_is_a_tender_of_its_own_and_all_may_be_paid():
    invoice = invoice_of("A-1", allocated(points=480, other=6000), rate=RATE, tax_mode="tender")
    assert [(tender.kind, tender.amount.amount_minor) for tender in invoice.tenders] == [
        ("other", 6000),
        ("points", 480),
        ("money", 0),
    ]


def test_no_points():
    invoice = invoice_of("A-1", allocated(points=0), rate=RATE, tax_mode="discount")
    assert [(tender.kind, tender.amount.amount_minor) for tender in invoice.tenders] == [("money", 6480)]
    assert invoice.rate is None
    assert taxes(invoice) == [("19", 5480, 4605, 875), ("7", 1000, 935, 65)]


def test_net_prices_come_out_as_they_went_in():
    # 54.80 net at 19 % are 10.412 VAT, 10.00 at 7 % are 0.70.
    invoice = invoice_of("A-1", allocated(points=0, net=True), rate=None, tax_mode="tender")
    assert taxes(invoice) == [("19", 6521, 5480, 1041), ("7", 1070, 1000, 70)]
    assert invoice.total == Money(amount_minor=7591, currency="EUR")


def test_a_rate_without_vat():
    card = Line(sku="card", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False)
    made = allocate(cart=Cart(currency="EUR", lines=[card, BOOK]), points=5, value_minor=5, rules=ShopRules())
    invoice = invoice_of("A-1", made, rate=RATE, tax_mode="discount")
    # 9.95 at 7 %: 9.2991 net.
    assert taxes(invoice) == [("0", 2000, 2000, 0), ("7", 995, 930, 65)]
