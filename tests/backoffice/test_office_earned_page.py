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
        'Earned</a></th>\n    <td class="pga-number">108</td>\n    <td class="pga-number">18</td>',
        'Welcome gift</a></th>\n    <td class="pga-number">50</td>',
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


def page_of(mira: Visitor, listed: str, folder: str) -> str:
    """The address of what a list shows first, besides a welcome."""
    text = text_of(mira.browser, f"/points/admin/{listed}")
    links = [part.split("</th>")[0] for part in text.split(f'href="/points/admin/{folder}/')[1:]]
    return f"/points/admin/{folder}/" + next(one for one in links if "Welcome" not in one).split('"')[0]


def unpaid_by_points(shop: SmallShop, order: str = "B-7") -> None:
    with shop.app.app_context():
        shop.shop.cart = CART
        shop.shop.order(order, state="paid", customer_id="anna")
        shop.points.checkout.capture(order)


def test_an_order_without_points_is_found_by_whoever_looks_for_it(shop: SmallShop, mira: Visitor) -> None:
    unpaid_by_points(shop)
    with shop.app.app_context():
        shop.points.checkout.recover()
    for asked in ("B-7", "B-", "anna"):
        found = text_of(mira.browser, f"/points/admin/?q={asked}")
        assert "Orders without points that earn some" in found
        assert "B-7</a></th>" in found
    assert "Orders without points" not in text_of(mira.browser, "/points/admin/?q=C-1")
    page = text_of(mira.browser, page_of(mira, "earned?q=B-7", "earned"))
    for said in ("The order earns 120 points", "120 points credited", "Key: credit", "To the content", "lamp"):
        assert said in page, said
    asked = text_of(mira.browser, page_of(mira, "earned?state=pending", "earned") + "?ask=1")
    assert "Ask the provider now" not in asked
    assert "<dd>120</dd>" in asked
    assert "No order has earned" not in text_of(mira.browser, "/points/admin/earned?state=declined")


def test_a_refused_earning_is_settled_on_its_page(shop: SmallShop, mira: Visitor) -> None:
    shop.provider.control("POST", "/members", {"id": "mbr_2500", "state": "blocked"})
    unpaid_by_points(shop)
    with shop.app.app_context():
        shop.points.checkout.recover()
    listed = text_of(mira.browser, "/points/admin/attention")
    assert "120 points were not given: the provider refused." in listed
    page = page_of(mira, "attention", "earned")
    for said in ({"as": "left", "reason": ""}, {"as": "other", "reason": "why"}):
        assert mira.post(f"{page}/settle", **said).status_code == 409
    done = mira.post(f"{page}/settle", **{"as": "left", "reason": "goodwill"})
    assert done.status_code == 303
    after = text_of(mira.browser, done.headers["Location"])
    assert "Settled, with your name and reason." in after
    assert "Left as it was by a person" in after
    assert "Left the earned points as they are" in text_of(mira.browser, "/points/admin/log")
    # The welcome was refused as well, and waits on.
    assert "120 points were" not in text_of(mira.browser, "/points/admin/attention")


def test_a_voucher_that_was_bought_has_a_page(shop: SmallShop, mira: Visitor) -> None:
    with shop.app.app_context():
        bought = shop.points.checkout.buy_voucher("anna", "voucher_10", points=1000, form="f0rm" * 4)
    for asked in ("", "?q=anna", "?q=mbr_2500", f"?q={bought.reference}", "?state=done"):
        page = text_of(mira.browser, page_of(mira, f"exchanged{asked}", "exchanged"))
        assert "Voucher of €10.00 bought" in page
    assert bought.code is not None
    assert bought.code not in page
    assert str(bought.provider_id) in text_of(mira.browser, page_of(mira, "exchanged", "exchanged") + "?ask=1")
    assert "Nothing fits these filters." in text_of(mira.browser, "/points/admin/exchanged?q=ben")
    assert "There is no such earning." in mira.browser.get("/points/admin/earned/nothing").text
    assert "There is no such exchange." in mira.browser.get(f"/points/admin/exchanged/{'0' * 32}").text
