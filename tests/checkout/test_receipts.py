"""Receipts of orders as they stand; two lamps of 24.95 and shipping of 4.90, 427 points."""

import pytest

from _world import CART, World
from punktgenau import Money
from punktgenau.checkout import Cart, Checkout, Invoice, Line
from punktgenau.errors import OutcomeUnknownError


def tenders(invoice: Invoice | None) -> list[tuple[str, int]]:
    assert invoice is not None
    return [(tender.kind, tender.amount.amount_minor) for tender in invoice.tenders]


def place(checkout: Checkout) -> None:
    checkout.balance("anna")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)


def test_held_captured_returned(world: World, checkout: Checkout):
    place(checkout)
    assert tenders(checkout.invoice("A-1")) == [("points", 427), ("money", 5053)]
    checkout.capture("A-1")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    invoice = checkout.invoice("A-1")
    assert tenders(invoice) == [("points", 427), ("money", 5053)]
    assert invoice is not None
    assert [(one.return_reference, one.points) for one in invoice.returns] == [("R-1", 194)]
    assert checkout.invoice("A-9") is None


def test_what_came_back_before_the_order_was_changed_is_apart(world: World, checkout: Checkout):
    place(checkout)
    checkout.capture("A-1")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    # The other lamp is another one now, 20.00 instead of 24.95; shipping stays.
    lamp = Line(sku="lamp", quantity=1, unit_price_minor=2000, vat_rate="19")
    checkout.amend("A-1", Cart(currency="EUR", lines=[lamp], shipping_minor=490, shipping_vat_rate="19"))
    checkout.refund("A-1", return_reference="R-2", shipping_minor=490)
    invoice = checkout.invoice("A-1")
    assert invoice is not None
    assert [(one.return_reference, one.is_amendment) for one in invoice.earlier] == [("R-1", False), ("amend-2", True)]
    assert [(one.return_reference, one.is_amendment) for one in invoice.returns] == [("R-2", False)]
    # Nothing is counted twice: 54.80 are 24.95 that came back, 4.95 that the change gave back, and 24.90 that stay.
    assert [one.goods.amount_minor for one in invoice.earlier] == [2495, 495]
    assert (invoice.total.amount_minor, 2495 + 495 + 2490) == (2490, 5480)


def test_what_a_cancellation_gave_back_is_said_beside_what_had_been_paid(world: World, checkout: Checkout):
    place(checkout)
    checkout.capture("A-1")
    # A lamp is 24.95 of 54.80: 4.27 x 2495 / 5480 = 1.944, rounded down 194 points; 427 - 194 = 233 are left.
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert given_back(checkout) is None
    world.provider.fault("reverse", "status_503", when="before", times=20)
    checkout.cancel("A-1")
    assert given_back(checkout) is None
    world.provider.heal()
    world.advance(3600)
    checkout.recover()
    invoice = checkout.invoice("A-1")
    assert tenders(invoice) == [("points", 427), ("money", 5053)]
    assert given_back(checkout) == (233, 233)


def given_back(checkout: Checkout) -> tuple[int, int] | None:
    invoice = checkout.invoice("A-1")
    assert invoice is not None
    return invoice.given_back and (invoice.given_back.points, invoice.given_back.amount.amount_minor)


def test_points_whose_worth_was_paid_in_money_did_not_come_back(world: World, checkout: Checkout):
    place(checkout)
    checkout.capture("A-1")
    world.provider.play("no_partial_reversal")
    refused = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert refused is not None
    assert refused.state == "declined"
    checkout.pay_instead("A-1", return_reference="R-1", actor="clerk", reason="refused")
    world.provider.play("reference")
    checkout.cancel("A-1")
    # 194 of the 427 stay captured; the lamp's worth was paid in money.
    assert given_back(checkout) == (233, 233)


def test_points_that_went_back_before_they_paid_are_not_on_it(world: World, checkout: Checkout):
    place(checkout)
    checkout.void("A-1")
    invoice = checkout.invoice("A-1")
    assert tenders(invoice) == [("money", 5480)]
    assert invoice is not None
    assert (invoice.rate, invoice.points) == (None, 0)


@pytest.mark.scenario("T53", "whether points lower VAT is declared when the order is placed, and holds for its receipt")
def test_the_tax_mode_is_the_one_of_the_placement(world: World, checkout: Checkout):
    discount = world.checkout(tax_mode="discount")
    place(discount)
    invoice = checkout.invoice("A-1")
    assert invoice is not None
    # 54.80 - 4.27 = 50.53; / 1.19 = 42.462
    assert [(tax.gross.amount_minor, tax.net.amount_minor) for tax in invoice.taxes] == [(5053, 4246)]
    assert (invoice.tax_mode, invoice.total) == ("discount", Money(amount_minor=5480, currency="EUR"))


def test_nobody_writes_a_receipt_about_an_unknown(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.provider.fault("authorize", "reset", when="after", times=20)
    place(checkout)
    with pytest.raises(OutcomeUnknownError):
        checkout.invoice("A-1")


@pytest.mark.parametrize(("tax_mode", "gross_minor"), [("tender", 5480), ("discount", 5480 - 232)])
def test_points_that_are_missing_are_paid_by_nobody(world: World, tax_mode: str, gross_minor: int):
    shop = world.checkout(capture="shipped", hold_s=600, tax_mode=tax_mode)
    place(shop)
    world.order("A-1", "paid")
    # The first lamp is 194 points and shipping 38; the hold of the other 195 ends.
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    shop.refund("A-1", return_reference="R-1", shipping_minor=490)
    assert tenders(shop.invoice("A-1")) == [("points", 427), ("money", 5053)]
    world.advance(3600)
    shop.recover()
    invoice = shop.invoice("A-1")
    assert tenders(invoice) == [("points", 232), ("missing", 195), ("money", 5053)]
    assert invoice is not None
    assert (invoice.points, sum(tax.gross.amount_minor for tax in invoice.taxes)) == (232, gross_minor)
    assert [one.points for one in invoice.returns] == [38]
