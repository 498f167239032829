"""The points box in a real shop: without script, by keyboard, for everybody, with bad input, and when things change."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from _demo import Demo
from _shopper import Shopper

NewShopper = Callable[..., Shopper]
AllowConsole = Callable[[str], None]

# Karo 8.37 and 4.90 shipping: 13.27. With Pilz, 84.35, and free shipping: 92.72. 10**100 and other nonsense as text.
NONSENSE = ["0", "-5", "1e3", "٣", "1" + "0" * 100, ""]
LOOKS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (390, "dark"))


def sentence(page: Page) -> str:
    return page.locator(".pg-note").inner_text()


def test_without_script_everything_can_be_done(new_shopper: NewShopper, demo: Demo) -> None:
    shopper = new_shopper(script=False)
    shopper.add("pilz", "karo")
    shopper.use(300)
    shopper.expect_box("applied")
    shopper.box.get_by_role("button", name="Remove").click()
    shopper.expect_box("ready")
    shopper.use(427)
    shopper.open("/checkout")
    shopper.expect_left_to_pay("€88.45")
    shopper.number.fill("500")
    shopper.order_and_pay()
    reference = shopper.on_order()
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 500)]
    assert demo.payments() == [("card", "accepted", 8772)]


def test_by_keyboard_alone(shopper: Shopper, demo: Demo) -> None:
    shopper.add("pilz", "karo")
    keyboard, page = shopper.page.keyboard, shopper.page
    shopper.number.focus()
    keyboard.type("400")
    keyboard.press("Tab")
    expect(page.get_by_role("slider")).to_be_focused()
    for _ in range(27):
        keyboard.press("ArrowRight")
    expect(shopper.number).to_have_value("427")
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="Use points")).to_be_focused()
    keyboard.press("Enter")
    shopper.expect_box("applied")
    page.get_by_role("link", name="Go to checkout").focus()
    keyboard.press("Enter")
    page.get_by_role("radio", name="Card", exact=False).first.focus()
    keyboard.press("Space")
    page.get_by_role("button", name="Order and pay").focus()
    keyboard.press("Enter")
    reference = shopper.on_order()
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 427)]


def test_nobody_stumbles_on_any_page(shopper: Shopper, demo: Demo, axe: Callable[..., None]) -> None:
    turns = cycle([LOOKS, LOOKS[::-1]])

    def check() -> None:
        """Each page fits both widths, and is looked at closely in one of them."""
        for width, scheme in next(turns):
            shopper.page.set_viewport_size({"width": width, "height": 900})
            shopper.page.emulate_media(color_scheme=scheme)
            assert shopper.page.evaluate("document.documentElement.scrollWidth") <= width
        axe(shopper.page)

    shopper.add("pilz", "karo")
    check()
    shopper.use(427)
    check()
    shopper.open("/checkout")
    check()
    demo.fault("authorize", "reset", times=3)
    shopper.place_order("card_declined")
    check()
    shopper.box.get_by_role("button", name="Try again").click()
    shopper.pay_again("card_declined")
    shopper.expect_situation("declined")
    check()
    shopper.pay_again("card")
    shopper.expect_situation("paid")
    check()
    shopper.open("/points/history")
    check()
    shopper.open("/account")
    check()


def test_linking_is_for_everybody(new_shopper: NewShopper, axe: Callable[..., None]) -> None:
    shopper = new_shopper(linked=False, width=390)
    shopper.open("/points/history")
    axe(shopper.page)
    shopper.page.get_by_role("link", name="Link points account").click()
    axe(shopper.page)
    shopper.page.locator("button[value=mbr_2500]").click()
    axe(shopper.page)
    # Whoever says no there is told so, and the shop goes on.
    shopper.page.get_by_role("button", name="Decline").click()
    expect(shopper.page.get_by_role("link", name="Go on without points")).to_be_visible()
    axe(shopper.page)


@pytest.mark.scenario("T11", "a cart that became smaller: fewer points, never a negative sum, and the customer is told")
def test_a_cart_that_changes_corrects_the_points_and_says_so(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", "karo", points=2500)
    shopper.open("/cart")
    shopper.page.get_by_role("button", name="Remove Pilz").click()
    shopper.expect_box("reclamped")
    assert "1,327 instead of 2,500" in sentence(shopper.page)
    shopper.expect_left_to_pay("€0.00")
    # It is still said at the checkout, and what was said is what is taken.
    shopper.open("/checkout")
    assert "1,327 instead of 2,500" in sentence(shopper.page)
    shopper.order_and_pay()
    assert demo.ledger() == [(shopper.on_order(), "captured", 1327)]


@pytest.mark.scenario("K10", "the cart changed in another tab: the new sum is shown, nothing is held or lost")
def test_a_cart_that_changed_in_another_tab_is_shown_again(
    shopper: Shopper, demo: Demo, allow_console: AllowConsole
) -> None:
    allow_console("status of 422")
    shopper.fill_cart("pilz", "karo", points=427)
    shopper.open("/checkout")
    other_tab = shopper.page.context.new_page()
    Shopper(other_tab, demo).fill_cart("falke")
    shopper.order_and_pay()
    expect(shopper.page.get_by_role("alert")).to_contain_text("The cart has changed")
    expect(shopper.number).to_have_value("427")
    assert demo.orders() == []
    shopper.order_and_pay()
    reference = shopper.on_order()
    shopper.expect_situation("paid")
    assert demo.ledger() == [(reference, "captured", 427)]
    assert demo.payments() == [("card", "accepted", 10808)]  # 92.72 + 19.63 - 4.27


@pytest.mark.parametrize("script", [True, False])
def test_a_rest_of_23_cents_offers_both_neighbours(new_shopper: NewShopper, demo: Demo, script: bool) -> None:
    shopper = new_shopper(script=script)
    shopper.add("karo")
    shopper.use(1304)
    shopper.expect_box("small_rest")
    expect(shopper.box.get_by_role("button", name="1,277 points, pay €0.50")).to_be_visible()
    shopper.box.get_by_role("button", name="1,327 points, pay nothing").click()
    shopper.expect_box("applied")
    shopper.open("/checkout")
    shopper.order_and_pay()
    assert demo.ledger() == [(shopper.on_order(), "captured", 1327)]


def test_a_rest_of_23_cents_typed_at_the_checkout_is_not_charged_otherwise(
    new_shopper: NewShopper, demo: Demo, allow_console: AllowConsole
) -> None:
    allow_console("status of 422")
    shopper = new_shopper(script=False)
    shopper.add("karo")
    shopper.open("/checkout")
    shopper.number.fill("1304")
    shopper.order_and_pay()
    shopper.expect_box("small_rest")
    expect(shopper.box).to_contain_text("1,277 points, pay €0.50 · 1,327 points, pay nothing")
    expect(shopper.number).to_have_value("1277")
    assert demo.orders() == []
    shopper.order_and_pay()
    shopper.expect_situation("paid")
    assert demo.payments() == [("card", "accepted", 50)]


@pytest.mark.scenario("B1", "nonsense in the cart's field: a sentence, nothing sent, cart and earlier points stay")
def test_nonsense_in_the_cart_gets_a_sentence(new_shopper: NewShopper, demo: Demo) -> None:
    shopper = new_shopper(script=False)
    shopper.fill_cart("pilz", "karo", points=427)
    shopper.open("/cart")
    for entered in NONSENSE:
        # A field of the type "number" would not let some of these be typed.
        shopper.page.locator(".pg-change summary").first.click()
        shopper.page.evaluate("document.querySelector('.pg-number').type = 'text'")
        shopper.number.fill(entered)
        shopper.box.get_by_role("button", name="Use points").click()
        said = sentence(shopper.page)
        assert len(said) > 20, entered
        assert entered[:40] in said
        shopper.expect_box("applied")
        expect(shopper.box).to_contain_text("427 points")
        expect(shopper.page.locator(".lines .line")).to_have_count(2)
    assert demo.sent("authorize") == 0


@pytest.mark.parametrize("script", [True, False])
def test_nonsense_at_the_checkout_orders_nothing(
    new_shopper: NewShopper, demo: Demo, script: bool, allow_console: AllowConsole
) -> None:
    allow_console("status of 422")
    shopper = new_shopper(script=script)
    shopper.fill_cart("pilz", "karo", points=427)
    shopper.open("/checkout")
    shopper.page.locator("input[name=street]").fill("Anderer Weg 7")
    for entered in ("-5", "٣", "1e3x", "2501", "1" + "0" * 100):
        shopper.page.evaluate(
            "(entered) => { const field = document.querySelector('.pg-number'); field.type = 'text';"
            " field.value = entered; }",
            entered,
        )
        shopper.order_and_pay()
        expect(shopper.page.get_by_role("alert")).to_contain_text("Nothing has been ordered yet")
        assert f"You entered “{entered[:40]}”." in sentence(shopper.page)
        expect(shopper.number).to_have_value("427")
        expect(shopper.page.locator("input[name=street]")).to_have_value("Anderer Weg 7")
    assert demo.orders() == []
    assert demo.sent("authorize") == 0
    shopper.order_and_pay()
    assert demo.ledger() == [(shopper.on_order(), "captured", 427)]


@pytest.mark.scenario("N16", "provider away: the shop says why there are no points, sells, and nothing is held")
def test_the_shop_sells_while_the_provider_is_away(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", "karo", points=427)
    shopper.open("/cart")
    shopper.press_in_drawer("away")
    # The balance that was seen a moment ago is too old by then.
    shopper.press_in_drawer("later")
    shopper.expect_box("away")
    expect(shopper.box).to_contain_text("Points can’t be used right now")
    shopper.open("/checkout")
    shopper.expect_box("away")
    shopper.order_and_pay()
    reference = shopper.on_order()
    shopper.expect_situation("paid")
    assert demo.payments() == [("card", "accepted", 9272)]
    assert demo.orders() == [(reference, "paid")]
    assert demo.ledger() == []
    # All well again: it takes the shop a few seconds to try once more.
    shopper.add("karo")
    shopper.press_in_drawer("well")
    shopper.page.wait_for_function(
        "async () => (await (await fetch('/points/panel')).text()).includes('data-state=\"ready\"')",
        polling=250,
    )


def test_the_drawer_shows_what_is_held_and_what_was_asked(shopper: Shopper, demo: Demo) -> None:
    shopper.fill_cart("pilz", points=427)
    reference = shopper.place_order("bank")
    shopper.open(f"/orders/{reference}")
    shopper.page.locator("[data-drawer] summary").click()
    books = shopper.page.locator(".drawer-books")
    expect(books).to_contain_text("mbr_2500")
    expect(books).to_contain_text("authorized")
    expect(books.locator("tr", has_text="authorize").filter(has_text=reference).first).to_contain_text("427")
    shopper.press_in_drawer("later")
    shopper.press_in_drawer("later")
    demo.later(60)
    shopper.open("/demo/provider")
    expect(shopper.page.locator("main")).to_contain_text("expired")
