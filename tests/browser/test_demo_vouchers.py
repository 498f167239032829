"""Vouchers in the demo shop: added in the cart or at the checkout, by code or of one's own, with or without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from _demo import Demo
from _shopper import Shopper

NewShopper = Callable[..., Shopper]
WIDTHS = [(1280, 900), (390, 844)]


def made(demo: Demo, minor: int, **more: object) -> dict[str, str]:
    answer: dict[str, str] = demo.control("POST", "/vouchers", {"value_minor": minor, "residual": "keeps", **more})
    return answer


def fits(shopper: Shopper) -> None:
    assert shopper.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_code_at_the_checkout_leaves_what_was_typed(
    shopper: Shopper,
    demo: Demo,
    width: tuple[int, int],
    axe: Callable[..., None],
    allow_console: Callable[[str], None],
) -> None:
    allow_console("422")
    page, gift = shopper.page, made(demo, 1000)
    page.set_viewport_size({"width": width[0], "height": width[1]})
    shopper.fill_cart("pilz", "karo")
    shopper.open("/checkout")
    page.locator("#street").fill("Ringgasse 7")
    shopper.number.fill("427")
    page.locator("[data-pg=code]").fill("WRONG-CODE")
    page.locator("[data-pg=code]").press("Enter")
    expect(page.locator("[data-pg=refused]")).to_contain_text("does not know this voucher")
    page.locator("[data-pg=code]").fill(gift["code"])
    page.locator("[data-pg=add]").click()
    # 92.72 less 10.00 less 4.27.
    shopper.expect_left_to_pay("€78.45")
    expect(page.locator(".pg-vouchers")).to_contain_text("−€10.00")
    expect(page.locator("#street")).to_have_value("Ringgasse 7")
    expect(shopper.number).to_have_value("427")
    assert gift["code"] not in page.content()
    fits(shopper)
    axe(page)
    shopper.choose("card")
    shopper.order_and_pay()
    reference = shopper.on_order()
    assert demo.ledger() == [(reference, "captured", 427)]
    assert demo.payments() == [("card", "accepted", 7845)]
    expect(shopper.box).to_contain_text(f"…{gift['code'][-4:]}")
    fits(shopper)


def test_taken_off_at_the_checkout_and_nothing_left_to_pay(
    shopper: Shopper, demo: Demo, axe: Callable[..., None]
) -> None:
    page = shopper.page
    made(demo, 10_000, member_id="mbr_2500")
    shopper.add("pilz", "karo")
    page.locator(".pg-add summary").click()
    axe(page)
    page.locator(".pg-add .pg-vouchers .pg-button").click()
    expect(page.locator(".pg-vouchers")).to_contain_text("€7.28 stays on it.")
    shopper.open("/checkout")
    expect(page.locator(".methods")).to_be_hidden()
    page.locator("[data-voucher]").click()
    expect(page.locator(".methods")).to_be_visible()
    expect(page.locator("[data-voucher]")).to_have_count(0)
    page.locator("a", has_text="Add a voucher (1 of yours)").click()
    axe(page)
    page.locator(".pg-vouchers .pg-button").click()
    page.locator("a.pg-main", has_text="Back").click()
    expect(page.locator(".methods")).to_be_hidden()
    shopper.order_and_pay()
    reference = shopper.on_order()
    assert demo.ledger() == [(reference, "captured", 0)]
    assert [(method, state) for method, state, _ in demo.payments()] == [("none", "accepted")]


@pytest.mark.parametrize("width", WIDTHS)
def test_without_script_and_given_back(new_shopper: NewShopper, demo: Demo, width: tuple[int, int]) -> None:
    gift, shopper = made(demo, 1000, residual="lost"), new_shopper(script=False)
    shopper.page.set_viewport_size({"width": width[0], "height": width[1]})
    shopper.add("pilz", "karo")
    page = shopper.page
    page.locator(".pg-add summary").click()
    page.locator(".pg-typed").fill(gift["code"])
    page.locator(".pg-inline button").click()
    expect(page.locator(".pg-vouchers")).to_contain_text("−€10.00")
    shopper.expect_left_to_pay("€82.72")
    fits(shopper)
    reference = shopper.place_order("card")
    assert demo.payments() == [("card", "accepted", 8272)]
    with page.expect_navigation():
        page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".story")).to_be_visible()
    (one,) = demo.control("GET", "/vouchers")["items"]
    assert (one["state"], one["left"]["amount_minor"]) == ("active", 1000)
    assert demo.orders() == [(reference, "cancelled")]
