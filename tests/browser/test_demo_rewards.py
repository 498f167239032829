"""Reward articles in the demo shop: only for points, with a co-payment, too dear; bought, looked at and given back."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from _demo import Demo
from _shopper import Shopper

NewShopper = Callable[..., Shopper]


def look(shopper: Shopper, name: str) -> None:
    if folder := os.environ.get("LOOK"):
        shopper.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.scenario("T43", "what reward articles cost goes back in points and money, each what was paid of it")
def test_for_points_and_for_points_with_money(shopper: Shopper, demo: Demo) -> None:
    shopper.open("/")
    look(shopper, "start")
    expect(shopper.page.locator("a.card", has_text="Wolke")).to_contain_text("50 points")
    expect(shopper.page.locator("a.card", has_text="Reiher")).to_contain_text("25 points + €30.00")
    shopper.open("/articles/reiher")
    look(shopper, "article")
    # 18.45, 0.50, 30.25 and 4.90 shipping: 54.10, of which 75 points must pay 0.75.
    shopper.add("koecher", "wolke", "reiher")
    look(shopper, "cart")
    shopper.expect_box("applied")
    expect(shopper.box).to_contain_text("50 points pay for “Wolke”.")
    shopper.expect_left_to_pay("€53.35")
    reference = shopper.place_order("card")
    shopper.expect_situation("paid")
    look(shopper, "order")
    assert demo.ledger() == [(reference, "captured", 75)]
    assert demo.payments() == [("card", "accepted", 5335)]
    assert demo.points() == (2425, 0)


def test_the_slider_begins_at_what_articles_need(shopper: Shopper, demo: Demo) -> None:
    shopper.add("pilz", "wolke")
    shopper.box.locator(".pg-change summary").click()
    slider = shopper.page.locator(".pg-range")
    expect(slider).to_have_attribute("min", "50")
    shopper.number.fill("")
    expect(shopper.box.locator("[data-pg=value]")).to_have_text("€0.50")
    shopper.number.fill("200")
    expect(shopper.box.locator("[data-pg=value]")).to_have_text("€2.00")
    slider.focus()
    slider.press("Home")
    expect(shopper.number).to_have_value("50")
    look(shopper, "slider")


def test_too_few_points_are_said_at_the_article_and_the_rest_stays(
    new_shopper: NewShopper, demo: Demo, allow_console: Callable[[str], None]
) -> None:
    allow_console("status of 422")
    shopper = new_shopper("cust_42")
    shopper.add("koecher", "wolke")
    look(shopper, "too_few")
    line = shopper.page.locator("li.line", has_text="Wolke")
    expect(line.locator("[role=status]")).to_have_text("Not enough points: this article needs 50 points.")
    expect(shopper.box).to_contain_text("Not enough points for “Wolke”")
    shopper.open("/checkout")
    shopper.choose("card")
    shopper.order_and_pay()
    expect(shopper.page.locator("main")).to_contain_text("Nothing has been ordered yet.")
    expect(shopper.box).to_contain_text("Not enough points for “Wolke”: it needs 50 points.")
    look(shopper, "checkout_refused")
    assert demo.ledger() == []
    shopper.open("/cart")
    line.get_by_role("button", name="Remove Wolke").click()
    shopper.place_order("card")
    shopper.expect_situation("paid")


def test_on_a_phone_by_a_guest(new_shopper: NewShopper) -> None:
    shopper = new_shopper(None, width=390)
    shopper.add("reiher")
    look(shopper, "phone_guest")
    line = shopper.page.locator("li.line", has_text="Reiher")
    expect(line.locator("[role=status]")).to_have_text("This article needs 25 points and can't be ordered without.")
    assert shopper.page.evaluate("document.documentElement.scrollWidth") <= 390
