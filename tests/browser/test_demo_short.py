"""Points that are gone when the money comes, and what pages say of orders that points did not pay."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from _demo import Demo
from _shopper import Shopper

NewShopper = Callable[..., Shopper]


def short_order(shopper: Shopper, demo: Demo) -> str:
    """2,500 points and 59.35 at the bank for Pilz (84.35); the hold ends; 2,335 of them pay Köcher; the bank pays."""
    shopper.fill_cart("pilz", points=2500)
    reference = shopper.place_order("bank")
    bank_page = shopper.page.url
    demo.later(2 * 3600 + 60)
    demo.recover()
    shopper.fill_cart("koecher", points=2335)
    shopper.place_order(None)
    shopper.expect_situation("paid")
    shopper.page.goto(bank_page)
    expect(shopper.page.locator(".said")).to_contain_text("points worth €25.00 again")
    shopper.page.get_by_role("button", name="Confirm now").click()
    shopper.page.get_by_role("link", name="Back to the shop").click()
    return reference


@pytest.mark.scenario("P12", "the points are spent when the bank confirms: not shipped, the rest is asked for once")
def test_the_rest_of_a_short_order_is_paid_by_card(shopper: Shopper, demo: Demo, axe: Callable[..., None]) -> None:
    reference = short_order(shopper, demo)
    shopper.expect_situation("short")
    expect(shopper.page.locator(".situation")).to_contain_text("€25.00 is still open")
    axe(shopper.page)
    shopper.press_in_drawer("ship")
    expect(shopper.page.locator(".drawer-said").first).to_contain_text("Not yet")

    # Nobody has paid these 25.00, so neither receipt nor counter says that points did.
    shopper.open(f"/orders/{reference}/receipt")
    paid = shopper.page.locator(".receipt-below section").last
    expect(paid).to_contain_text(re.compile(r"Bank transfer\s*€59\.35\s*Points that could not be taken\s*€25\.00"))
    expect(paid).not_to_contain_text("2,500 points")
    shopper.open(f"/orders/{reference}")

    # A declined card leaves it as it is, and the points cannot be taken any more.
    shopper.pay_again("card_declined")
    shopper.expect_situation("short")
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    assert demo.payments()[0] == ("bank", "accepted", 5935)
    assert demo.payments()[-2:] == [("card_declined", "declined", 2500), ("card", "accepted", 2500)]
    demo.control("POST", "/members", {"id": "mbr_2500", "points": 2500})
    demo.recover()
    assert demo.points() == (2500, 0)
    shopper.press_in_drawer("ship")
    shopper.expect_situation("shipped")
    assert (reference, "captured", 2500) not in demo.ledger()


def test_both_payments_go_back_when_the_order_is_cancelled(shopper: Shopper, demo: Demo) -> None:
    short_order(shopper, demo)
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    shopper.page.get_by_role("button", name="Cancel order").click()
    shopper.expect_situation("cancelled")
    states = demo.shop_rows("SELECT method, state, amount_minor FROM payments WHERE order_reference = 'A-1001'")
    assert states == [("bank", "refunded", 5935), ("card", "refunded", 2500)]


def test_an_order_whose_hold_has_ended_says_that_points_are_taken_again(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=427)
    reference = shopper.place_order("bank")
    expect(shopper.page.locator(".said")).to_have_count(0)
    demo.later(2 * 3600 + 60)
    demo.recover()
    shopper.open(f"/orders/{reference}")
    expect(shopper.page.locator(".anew")).to_contain_text("points worth €4.27 are taken again")


def test_cancelled_before_anything_was_paid(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=427)
    demo.fault("authorize", "reset", times=3)
    shopper.place_order("card")
    shopper.page.get_by_role("button", name="Cancel order").click()
    expect(shopper.page.locator(".situation-cancelled")).to_contain_text("Nothing had been paid")
    assert demo.points() == (2500, 0)


def test_paid_without_points_as_the_provider_was_away(
    shopper: Shopper, demo: Demo, allow_console: Callable[[str], None]
) -> None:
    allow_console("status of 503")
    shopper.fill_cart("pilz", points=427)
    shopper.open("/checkout")
    demo.fault("authorize", "status_503", when="before", times=50)
    shopper.order_and_pay()
    ((reference, _),) = demo.orders()
    shopper.open(f"/orders/{reference}")
    without = shopper.box.get_by_role("button", name="Go on without points")
    if without.count():
        without.click()
    else:
        shopper.number.fill("")
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    expect(shopper.page.locator("main")).not_to_contain_text("reached right now")
    assert demo.payments()[-1] == ("card", "accepted", 8435)


def test_the_open_drawer_fits_a_narrow_phone(new_shopper: NewShopper) -> None:
    shopper = new_shopper(width=320)
    shopper.fill_cart("pilz", points=427)
    shopper.place_order("card")
    shopper.page.locator("[data-drawer] summary").click()
    tables = shopper.page.locator(".drawer-wide")
    expect(tables).to_have_count(2)
    for element in (shopper.page.locator("html"), tables.first, tables.last):
        assert element.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
