"""An order's page in the back office says what the order has earned, and what was taken back of it."""

from __future__ import annotations

import pytest

from _office_shop import text_of
from _small_shop import SmallShop, Visitor
from punktgenau.checkout import Cart, Line

CART = Cart(
    currency="EUR",
    lines=[
        Line(sku="lamp", quantity=1, unit_price_minor=10_000, vat_rate="19"),
        Line(sku="pen", quantity=1, unit_price_minor=2_000, vat_rate="19"),
    ],
)


@pytest.fixture
def more_config() -> dict[str, str]:
    """A point for each euro, two weeks later."""
    return {"PUNKTGENAU_EARN_POINTS": "1", "PUNKTGENAU_EARN_PENDING_S": "1209600", "PUNKTGENAU_WELCOME_POINTS": "50"}


def test_what_an_order_earned_stands_on_its_page(shop: SmallShop, mira: Visitor) -> None:
    with shop.app.app_context():
        shop.shop.cart = CART
        shop.shop.order("A-1", state="paid", customer_id="anna")
        checkout = shop.points.checkout
        checkout.authorize("A-1", CART, customer_id="anna", points=1_200)
        checkout.capture("A-1")
        checkout.recover()
        checkout.refund("A-1", return_reference="R-1", lines={"pen": 1}, reason="too blue")
        checkout.recover()
    # 1,200 points paid a tenth of each article; 108.00 in money earned 108, of which the pen's 18 are gone.
    row = mira.browser.get("/points/admin/?q=A-1").text
    page = text_of(
        mira.browser, "/points/admin/redemptions/" + row.split("/points/admin/redemptions/")[1].split('"')[0]
    )
    assert '<h2 id="earned">Points earned with this order</h2>' in page
    for cells in (
        '<th scope="row">Earned</th>\n    <td class="pga-number">108</td>\n    <td class="pga-number">18</td>',
        '<th scope="row">Welcome gift</th>\n    <td class="pga-number">50</td>',
        "Not usable yet, until <time",
    ):
        assert cells in page, cells


def test_an_order_that_earned_nothing_says_nothing_of_it(shop: SmallShop, mira: Visitor) -> None:
    with shop.app.app_context():
        shop.shop.order("A-1", state="pending", customer_id="anna")
        shop.points.checkout.authorize("A-1", CART, customer_id="anna", points=427)
    row = mira.browser.get("/points/admin/?q=A-1").text
    page = text_of(
        mira.browser, "/points/admin/redemptions/" + row.split("/points/admin/redemptions/")[1].split('"')[0]
    )
    assert "Points earned with this order" not in page
