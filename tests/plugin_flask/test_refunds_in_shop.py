"""Returns and receipts in a shop: a lamp of 59.90 EUR, of which 427 points pay 4.27."""

import re
from collections.abc import Callable

import pytest

from _small_shop import SmallShop, Visitor
from punktgenau import Money, NotFoundError
from punktgenau.checkout import Cart, Line
from punktgenau.errors import StateConflictError


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


@pytest.fixture
def bought(small: SmallShop, anna: Visitor) -> SmallShop:
    anna.apply(427)
    assert anna.place("A-1").status_code == 303
    return small


def test_a_return_and_its_money_half(bought: SmallShop):
    points = bought.points
    with bought.app.app_context():
        preview = points.preview_refund("A-1", amount_minor=1000)
        assert preview is not None
        # 10.00 of 59.90: 4.27 x 1000 / 5990 = 0.7128, so 0.71 in points and 9.29 in money.
        assert (preview.split.points, preview.split.money, preview.policy) == (71, euro(929), "proportional")
        assert points.refunds("A-1") == ()
        given = points.refund("A-1", return_reference="R-1", amount_minor=1000, reason="scratched", actor="clerk 7")
        assert given is not None
        assert (given.state, given.points, given.money, given.reason, given.actor) == (
            "done", 71, euro(929), "scratched", "clerk 7",
        )  # fmt: skip
        assert list(points.open_refunds()) == [("A-1", "R-1", euro(929))]
        closed = points.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
        assert (closed.money_due, points.refunds("A-1"), list(points.open_refunds())) == (euro(0), (closed,), [])
    assert bought.provider.available() == 2500 - 427 + 71


def test_a_receipt(bought: SmallShop):
    with bought.app.app_context():
        bought.points.refund("A-1", return_reference="R-1", amount_minor=1000)
        invoice = bought.points.invoice("A-1")
    assert invoice is not None
    assert [(tender.kind, tender.points, tender.amount) for tender in invoice.tenders] == [
        ("points", 427, euro(427)),
        ("money", 0, euro(5563)),
    ]
    # 59.90 / 1.19 = 50.336
    assert [(tax.vat_rate, tax.net, tax.vat) for tax in invoice.taxes] == [("19", euro(5034), euro(956))]
    assert invoice.rate is not None
    assert (invoice.rate.points, invoice.rate.amount_minor, invoice.points) == (1, 1, 427)
    assert [one.return_reference for one in invoice.returns] == ["R-1"]


def test_the_bill_adds_up_after_a_change(bought: SmallShop, anna: Visitor):
    lamp = Line(sku="lamp", quantity=1, unit_price_minor=3000, vat_rate="19")
    with bought.app.app_context():
        bought.points.amend("A-1", Cart(currency="EUR", lines=[lamp]), reason="another lamp", actor="clerk 7")
        # 29.90 of 59.90 less: 4.27 x 2990 / 5990 = 2.131, so 213 points go back and 214 pay of what is left.
        for count in (1, 2):
            payment = bought.points.find("A-1")
            assert payment is not None
            assert (payment.total, payment.due) == (euro(3000), euro(2786))
            assert (payment.agreed_points, payment.agreed_value) == (214, euro(214))
            page = anna.browser.get("/orders/A-1", headers={"Accept-Language": "en"}).text
            rows = re.findall(r"<d[td]>([^<]*)", page)
            assert rows == ["Bill", "€30.00", "214 points", "−€2.14", "In money", "€27.86"], count
            # Of these 213 nothing is said beside the bill of what is left; 214 x 1000 / 3000 = 71.33 come back of it.
            assert ("71 points worth €0.71 came back" if count == 2 else "The points were used") in page
            assert "213 points" not in page
            # What comes back of it later changes nothing of what was agreed.
            bought.points.refund("A-1", return_reference="R-1", amount_minor=1000)


def test_an_order_without_points(small: SmallShop):
    points = small.points
    with small.app.app_context():
        assert points.refund("A-9", return_reference="R-1", amount_minor=5) is None
        assert points.preview_refund("A-9", amount_minor=5) is None
        assert points.invoice("A-9") is None
        assert points.refunds("A-9") == ()
        with pytest.raises(NotFoundError):
            points.money_refunded("A-9", return_reference="R-1", psp_reference="psp_1")


def test_an_order_that_changes_and_is_shipped_in_parts(make_shop: Callable[..., SmallShop]):
    small = make_shop(PUNKTGENAU_CAPTURE="shipped")
    small.link()
    lamp = Line(sku="lamp", quantity=1, unit_price_minor=3000, vat_rate="19")
    cup = Line(sku="cup", quantity=1, unit_price_minor=1000, vat_rate="19")
    points = small.points
    with small.app.app_context():
        points.authorize("A-2", Cart(currency="EUR", lines=[lamp]), points=400, customer_id="anna")
        amended = points.amend("A-2", Cart(currency="EUR", lines=[lamp, cup]), reason="one more", actor="clerk 7")
        assert amended is not None
        assert (amended.points, amended.due) == (400, euro(3600))
        first = points.capture("A-2", lines={"cup": 1}, shipment_reference="S-1")
        assert first is not None
        assert first.state == "partially_captured"
        last = points.capture("A-2", lines={"lamp": 1}, shipment_reference="S-2")
        assert last is not None
        assert last.state == "captured"
    # A quarter of 400 points with the cup, the rest with the lamp.
    (redemption,) = small.provider.redemptions("A-2")
    assert (redemption["state"], redemption["captured_points"]) == ("captured", 400)


def test_a_parcel_comes_back_and_the_rest_is_changed(make_shop: Callable[..., SmallShop]):
    small = make_shop(PUNKTGENAU_CAPTURE="shipped")
    small.link()
    lamp = Line(sku="lamp", quantity=2, unit_price_minor=1500, vat_rate="19")
    cup = Line(sku="cup", quantity=1, unit_price_minor=1000, vat_rate="19")
    points = small.points
    with small.app.app_context():
        points.authorize("A-2", Cart(currency="EUR", lines=[lamp, cup]), points=400, customer_id="anna")
        points.capture("A-2", lines={"cup": 1}, shipment_reference="S-1")
        with pytest.raises(StateConflictError) as caught:
            points.refund("A-2", return_reference="R-1", lines={"lamp": 1})
        assert caught.value.code == "not_shipped"
        # A quarter of 400 points with the cup.
        given = points.refund("A-2", return_reference="R-1", lines={"cup": 1})
        assert given is not None
        assert (given.points, given.money) == (100, euro(900))
        one = Line(sku="lamp", quantity=1, unit_price_minor=1500, vat_rate="19")
        amended = points.amend("A-2", Cart(currency="EUR", lines=[one]), reason="out of stock", actor="clerk 7")
        assert amended is not None
        assert (amended.state, amended.points, amended.due) == ("partially_captured", 300, euro(1200))
        points.capture("A-2", lines={"lamp": 1}, shipment_reference="S-2")
        assert [(one.return_reference, one.money) for one in points.refunds("A-2")] == [
            ("R-1", euro(900)),
            ("amend-2", euro(1500)),
        ]
    (redemption,) = small.provider.redemptions("A-2")
    assert (redemption["state"], redemption["captured_points"], redemption["reversed_points"]) == (
        "partially_reversed", 400, 100,
    )  # fmt: skip


def test_a_refused_return_in_a_shop(bought: SmallShop):
    points = bought.points
    bought.provider.control("POST", "/profile", {"name": "no_partial_reversal"})
    with bought.app.app_context():
        given = points.refund("A-1", return_reference="R-1", amount_minor=1000)
        assert given is not None
        assert given.state == "declined"
        assert [one.return_reference for one in points.refused_refunds()] == ["R-1"]
        again = points.refund_again("A-1", return_reference="R-1", actor="clerk 7", reason="again")
        assert again.state == "declined"
        owed = points.pay_instead("A-1", return_reference="R-1", actor="clerk 7", reason="blocked")
        assert (owed.money_due, owed.money_instead) == (euro(929 + 71), euro(71))
        assert list(points.refused_refunds()) == []
    bought.provider.control("POST", "/profile", {"name": "reference"})
