"""What vouchers pay of an order, and what went back onto them, stands in the back office beside the points."""

from __future__ import annotations

import pytest

from _office_shop import text_of
from _small_shop import SmallShop, Visitor
from _world import CART
from punktgenau.checkout.office import Office
from punktgenau.voucher_records import Voucher


def brought(shop: SmallShop, minor: int, *, residual: str) -> Voucher:
    made = shop.provider.control("POST", "/vouchers", {"value_minor": minor, "residual": residual})
    assert isinstance(made, dict)
    return shop.points.checkout.look_up_voucher(made["code"])


def test_vouchers_stand_beside_points(shop: SmallShop, mira: Visitor) -> None:
    with shop.app.app_context():
        checkout = shop.points.checkout
        shop.shop.cart = CART
        shop.shop.order("A-1", state="paid", customer_id="anna")
        # 54.80: 10.00, then 44.80 of 50.00, and nothing is left for points or money.
        vouchers = [brought(shop, 1_000, residual="keeps"), brought(shop, 5_000, residual="lost")]
        checkout.authorize("A-1", CART, customer_id="anna", points=0, vouchers=vouchers)
        checkout.capture("A-1")
        listed = text_of(mira.browser, "/points/admin/")
        assert '<td class="pga-number pga-wide">€54.80</td>' in listed
        # One lamp of 24.95: 10.00 onto the first, 14.95 onto the second.
        checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
        one = Office(checkout).searching.attempts("A-1")[-1]
    assert (one.vouchers.amount_minor, one.vouchers_back.amount_minor) == (5_480, 2_495)
    page = text_of(mira.browser, f"/points/admin/redemptions/{one.id}")
    first, second = (voucher.last_four for voucher in vouchers)
    for said in (
        "Vouchers that pay the order",
        f"…{first}</th>",
        f"€10.00 onto voucher …{first}",
        f"€14.95 onto voucher …{second}",
        "<dt>Bill</dt><dd>€54.80</dd>",
        "0 points worth €0.00, of a bill of €54.80",
        "Vouchers besides: €54.80",
        "Onto vouchers: €24.95",
        '€5.20\n      <span class="pga-side">lost</span>',
    ):
        assert said in page, said
    told = text_of(mira.browser, "/points/admin/redemptions.csv")
    assert told.splitlines()[0].endswith("vouchers_minor,vouchers_back_minor")
    assert told.splitlines()[1].endswith(",5480,2495")
    preview = text_of(mira.browser, f"/points/admin/redemptions/{one.id}/return?line.lamp=1")
    assert "Vouchers, gift cards" in preview


@pytest.mark.parametrize("points", [0, 427])
def test_what_vouchers_paid_goes_back_by_a_person(shop: SmallShop, mira: Visitor, points: int) -> None:
    with shop.app.app_context():
        checkout = shop.points.checkout
        shop.shop.cart = CART
        shop.shop.order("A-1", state="paid", customer_id="anna")
        voucher = brought(shop, 2_500, residual="keeps")
        checkout.authorize("A-1", CART, customer_id="anna", points=points, vouchers=[voucher])
        checkout.capture("A-1")
        # One lamp of 24.95: floor(2500 x 2495 / 5480) = 11.38, so 13.62 are left.
        checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
        one = f"/points/admin/redemptions/{Office(checkout).searching.attempts('A-1')[-1].id}"
    assert "Give everything back" in text_of(mira.browser, one)
    page = text_of(mira.browser, f"{one}/cancel")
    assert "<dt>Vouchers</dt><dd>€13.62</dd>" in page
    mira.post(f"{one}/cancel", reason="Lost in the mail")
    with shop.app.app_context():
        assert checkout.find("A-1").state == "reversed"
        [now] = checkout.vouchers_now([voucher.id])
    assert (now.state, now.left.amount_minor) == ("active", 2_500)
    assert "There is nothing that could go back: Given back." in text_of(mira.browser, f"{one}/cancel")


def test_orders_without_vouchers_say_nothing_of_them(shop: SmallShop, mira: Visitor) -> None:
    with shop.app.app_context():
        shop.shop.order("A-1", state="paid", customer_id="anna")
        assert shop.shop.cart is not None
        shop.points.checkout.authorize("A-1", shop.shop.cart, customer_id="anna", points=100)
        one = Office(shop.points.checkout).searching.attempts("A-1")[-1]
    for page in ("", f"redemptions/{one.id}"):
        assert "oucher" not in text_of(mira.browser, f"/points/admin/{page}")
