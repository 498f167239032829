"""An operator sees which articles of an order must be paid with points, and what comes back of them."""

from _office_shop import paid, text_of
from _small_shop import SmallShop, Visitor
from punktgenau.checkout import Cart, Line

BRUSH = Line(sku="brush", quantity=2, unit_price_minor=50, vat_rate="19", reward_points=50)
LAMP = Line(sku="lamp", quantity=1, unit_price_minor=2990, vat_rate="19")


def test_an_order_with_reward_articles(shop: SmallShop, mira: Visitor) -> None:
    shop.shop.cart = Cart(currency="EUR", lines=[LAMP, BRUSH])
    one = f"/points/admin/redemptions/{paid(shop, points=100)}"
    assert "must be paid with 50 points each" in text_of(mira.browser, one)
    page = text_of(mira.browser, f"{one}/return?line.brush=1")
    assert "must be paid with 50 points each" in page
    with shop.app.app_context():
        preview = shop.points.preview_refund("A-1", lines={"brush": 1})
    assert preview is not None
    assert {(split.points, split.money.amount_minor) for split in preview.policies.values()} == {(50, 0)}
