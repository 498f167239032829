"""The whole path in a real browser: shop, sandbox and bank as processes, and the books of all three at the end."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from _demo import Demo
from _shopper import Shopper

NewShopper = Callable[..., Shopper]

# Pilz 84.35 and Karo 8.37, free shipping: 92.72. Köcher 18.45 and 4.90 shipping: 23.35.


def test_link_at_the_sandbox_and_pay_427_points_and_the_rest_by_card(new_shopper: NewShopper, demo: Demo) -> None:
    shopper = new_shopper(None)
    page = shopper.page
    shopper.open("/")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign in as Demo customer with 2,500 points").click()
    for article in ("Pilz", "Karo"):
        shopper.open("/")
        page.locator("a.card", has_text=article).click()
        page.get_by_role("button", name="Add to cart").click()
        page.wait_for_url("**/cart")
    shopper.expect_box("not_linked")

    shopper.box.get_by_role("link", name="Link points account").click()
    page.locator("button[value=mbr_2500]").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("points")
    page.get_by_role("button", name="Agree").click()
    page.wait_for_url(f"{demo.url}/cart")
    shopper.expect_box("ready")
    expect(shopper.box).to_contain_text("2,500")

    shopper.use(427)
    shopper.expect_box("applied")
    shopper.expect_left_to_pay("€88.45")
    page.get_by_role("link", name="Go to checkout").click()
    page.get_by_role("button", name="Order and pay").click()
    reference = shopper.on_order()
    shopper.expect_situation("paid")
    expect(shopper.box).to_contain_text("427 points")
    expect(shopper.box).to_contain_text("€88.45")

    assert demo.ledger() == [(reference, "captured", 427)]
    assert demo.points() == (2073, 0)
    assert demo.journal() == [(reference, "captured", 427)]
    assert demo.journal_rows(
        "SELECT kind, outcome, sends, passes FROM punktgenau_operation ORDER BY created_at, kind"
    ) == [("authorize", "done", 1, 1), ("capture", "done", 1, 1)]
    assert demo.open_operations() == 0
    assert demo.payments() == [("card", "accepted", 8845)]

    shopper.open("/points/history")
    expect(page.locator("main")).to_contain_text("2,073")
    page.get_by_role("link", name=re.compile(reference)).first.click()
    page.wait_for_url(f"**/orders/{reference}")


@pytest.mark.scenario("T19", "a declined card gives the points back; the second try on the same order: one captured")
def test_a_declined_card_and_then_a_good_one(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", "karo", points=427)
    reference = shopper.place_order("card_declined")
    shopper.expect_situation("declined")
    assert demo.points() == (2500, 0)
    assert demo.ledger() == [(reference, "voided", 427)]

    # The same points stand ready, and the button says what the card will be asked for.
    expect(shopper.number).to_have_value("427")
    expect(shopper.page.get_by_role("button", name="Pay €88.45")).to_be_visible()
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 427), (reference, "voided", 427)]
    assert demo.journal() == [(reference, "captured", 427), (reference, "voided", 427)]
    assert demo.payments() == [("card_declined", "declined", 8845), ("card", "accepted", 8845)]
    assert demo.points() == (2073, 0)


@pytest.mark.parametrize("script", [True, False])
def test_another_browser_starts_with_the_points_of_the_last_try(
    new_shopper: NewShopper, demo: Demo, script: bool
) -> None:
    first = new_shopper()
    first.fill_cart("pilz", "karo", points=427)
    reference = first.place_order("card_declined")
    other = new_shopper(linked=False, script=script)
    other.open(f"/orders/{reference}")
    expect(other.number).to_have_value("427")
    expect(other.page.get_by_role("button", name="Pay €88.45")).to_be_visible()
    other.pay_again("card")
    other.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 427), (reference, "voided", 427)]
    assert demo.payments()[-1] == ("card", "accepted", 8845)


def test_the_second_try_may_be_without_points(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", "karo", points=427)
    reference = shopper.place_order("card_declined")
    shopper.number.fill("")
    expect(shopper.page.get_by_role("button", name="Pay €92.72")).to_be_visible()
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "voided", 427)]
    assert demo.payments()[-1] == ("card", "accepted", 9272)


@pytest.mark.scenario("T55", "points pay the whole bill: nobody is asked how to pay, no money is moved")
@pytest.mark.parametrize("script", [True, False])
def test_a_bill_paid_wholly_by_points_never_shows_the_money_step(
    new_shopper: NewShopper, demo: Demo, script: bool
) -> None:
    shopper = new_shopper(script=script)
    shopper.add("koecher")
    shopper.box.get_by_role("button", name="2,335").click()
    shopper.expect_box("applied")
    shopper.open("/checkout")
    expect(shopper.page.locator("input[name=method]").first).to_be_hidden()
    shopper.order_and_pay()
    reference = shopper.on_order()
    shopper.expect_situation("paid")
    expect(shopper.page.locator(".story")).to_contain_text("Paid wholly with points")
    assert demo.ledger() == [(reference, "captured", 2335)]
    assert demo.payments() == [("none", "accepted", 0)]


def test_choosing_all_at_the_checkout_puts_the_money_step_away(shopper: Shopper, demo: Demo) -> None:
    shopper.add("koecher")
    shopper.open("/checkout")
    expect(shopper.page.get_by_text("Test card that is accepted")).to_be_visible()
    shopper.box.get_by_role("button", name="2,335").click()
    expect(shopper.page.get_by_text("Test card that is accepted")).to_be_hidden()
    shopper.expect_left_to_pay("€0.00")
    shopper.order_and_pay()
    assert demo.ledger() == [(shopper.on_order(), "captured", 2335)]


@pytest.mark.scenario("K1", "a double click on 'order and pay': one order, one hold, one payment")
@pytest.mark.parametrize("script", [True, False])
def test_a_double_click_makes_one_order_and_one_hold(new_shopper: NewShopper, demo: Demo, script: bool) -> None:
    shopper = new_shopper(script=script)
    shopper.fill_cart("koecher", points=2335)
    shopper.open("/checkout")
    shopper.page.locator("form.pays button.wide").dblclick()
    reference = shopper.on_order()
    shopper.open(f"/orders/{reference}")
    shopper.expect_situation("paid")
    assert demo.orders() == [(reference, "paid")]
    assert demo.ledger() == [(reference, "captured", 2335)]
    assert demo.journal() == [(reference, "captured", 2335)]
    assert demo.sent("authorize") == 1


def test_the_bank_confirms_45_minutes_later_from_its_own_process(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", "karo", points=427)
    reference = shopper.place_order("bank")
    bank = shopper.page.url
    shopper.open(f"/orders/{reference}")
    shopper.expect_situation("waiting")
    assert demo.points() == (2073, 427)

    demo.later(45 * 60)
    shopper.page.goto(bank)
    shopper.page.get_by_role("button", name="Confirm now").click()
    shopper.page.get_by_role("link", name="Back to the shop").click()
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 427)]
    assert demo.journal() == [(reference, "captured", 427)]
    assert demo.payments() == [("bank", "accepted", 8845)]


def test_paying_at_the_bank_refused_gives_the_points_back(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=427)
    reference = shopper.place_order("bank")
    shopper.page.get_by_role("button", name="Do not pay").click()
    shopper.page.get_by_role("link", name="Back to the shop").click()
    shopper.expect_situation("refused")
    assert demo.ledger() == [(reference, "voided", 427)]
    assert demo.points() == (2500, 0)


@pytest.mark.scenario("T26", "the hold of an abandoned order ends by itself, is written down, and the points are free")
def test_the_hold_of_an_abandoned_order_ends(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=2500)
    reference = shopper.place_order("bank")
    shopper.add("karo")
    shopper.expect_box("held_elsewhere")
    expect(shopper.box).to_contain_text(f"2,500 of your points wait for order {reference}")

    demo.later(2 * 3600 + 60)
    assert "looked at 1" in demo.run("recover")
    assert demo.points() == (2500, 0)
    assert demo.ledger() == [(reference, "expired", 2500)]
    assert demo.journal() == [(reference, "expired", 2500)]
    shopper.open("/cart")
    shopper.expect_box("ready")
    shopper.use(427)
    shopper.expect_box("applied")


@pytest.mark.scenario(
    "P12", "the bank confirms after the hold has ended: the same points are taken anew, then it ships"
)
def test_the_bank_confirms_after_the_hold_has_ended(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=427)
    reference = shopper.place_order("bank")
    demo.later(3 * 3600)
    shopper.page.get_by_role("button", name="Confirm now").click()
    shopper.page.get_by_role("link", name="Back to the shop").click()
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 427), (reference, "expired", 427)]
    shopper.press_in_drawer("ship")
    shopper.expect_situation("shipped")


@pytest.mark.scenario("T10", "points spent elsewhere after the page was shown: refused, nothing charged, two ways on")
def test_points_that_were_spent_elsewhere_meanwhile(
    new_shopper: NewShopper, demo: Demo, allow_console: Callable[[str], None], axe: Callable[..., None]
) -> None:
    allow_console("status of 409")
    shopper = new_shopper()
    shopper.fill_cart("pilz", "karo", points=427)
    shopper.open("/checkout")
    demo.control("POST", "/members", {"id": "mbr_2500", "points": 100})
    shopper.order_and_pay()
    page = shopper.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing was changed")
    axe(page)
    ((reference, _),) = demo.orders()
    assert demo.payments() == [("card", "stopped", None)]
    expect(page.get_by_role("button", name="Go on without points")).to_be_visible()
    page.get_by_role("link", name="choose").click()
    page.wait_for_url(f"**/orders/{reference}")
    # On the order's page as many as are left stand ready.
    expect(shopper.number).to_have_value("100")
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    assert demo.payments()[-1] == ("card", "accepted", 9172)
    assert demo.points() == (0, 0)


@pytest.mark.scenario("T28", "cancelled after it was paid: the points come back once, and the money")
def test_cancel_gives_back_points_and_money(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=427)
    reference = shopper.place_order("card")
    shopper.page.get_by_role("button", name="Cancel order").click()
    shopper.expect_situation("cancelled")
    assert demo.ledger() == [(reference, "reversed", 427)]
    assert demo.points() == (2500, 0)
    assert demo.payments() == [("card", "refunded", 8008)]


@pytest.mark.scenario("T57", "guests pay with points as well, for this browser and one order")
def test_a_guest_pays_with_points(new_shopper: NewShopper, demo: Demo) -> None:
    guest = new_shopper(None)
    guest.add("pilz")
    guest.expect_box("guest")
    guest.box.get_by_role("link", name="Use my points").click()
    guest.page.locator("button[value=mbr_2500]").click()
    guest.page.get_by_role("button", name="Agree").click()
    guest.page.wait_for_url("**/cart")
    guest.use(427)
    guest.open("/checkout")
    for name, value in (("name", "A guest"), ("email", "guest@example.org"), ("street", "Weg 1"), ("city", "Berlin")):
        guest.page.locator(f"input[name={name}]").fill(value)
    guest.page.locator("input[name=postcode]").fill("10115")
    guest.order_and_pay()
    reference = guest.on_order()
    guest.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 427)]
    guest.add("karo")
    guest.expect_box("guest")
