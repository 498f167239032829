"""What people do in the demo shop, click by click."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from _demo import Demo


@dataclass(frozen=True)
class Shopper:
    """One person with one browser window in the demo shop."""

    page: Page
    demo: Demo

    def open(self, path: str) -> None:
        self.page.goto(self.demo.url + path)

    def sign_in(self, customer_id: str = "cust_2500") -> None:
        self.open("/account")
        self.page.locator(f"button[value={customer_id}]").click()
        expect(self.page.locator("a[href='/points/history']").first).to_be_visible()

    def add(self, *skus: str) -> None:
        for sku in skus:
            self.open(f"/articles/{sku}")
            self.page.locator("form.add button").click()
            self.page.wait_for_url("**/cart")

    @property
    def box(self) -> Locator:
        """The points box; on the page of an order there may be two, and this is the first."""
        return self.page.locator("punktgenau-panel").first

    @property
    def number(self) -> Locator:
        return self.page.locator(".pg-number")

    def expect_box(self, state: str) -> None:
        expect(self.box).to_have_attribute("data-state", state)

    def use(self, points: int | str) -> None:
        """Choose points on the cart page."""
        self.open("/cart")
        if not self.number.is_visible():
            self.box.locator("summary").click()
        self.number.fill(str(points))
        self.box.locator(".pg-main").first.click()
        self.page.wait_for_url("**/cart")

    def place_order(self, method: str = "card") -> str:
        """Order and pay at the checkout; the order's reference."""
        self.open("/checkout")
        self.choose(method)
        self.page.locator("form.pays button.wide").click()
        return self.on_order()

    def on_order(self) -> str:
        self.page.wait_for_url(re.compile(r"/(orders/A-\d+|payments/\S+)$"))
        (((reference,),)) = self.demo.shop_rows("SELECT reference FROM orders ORDER BY number DESC LIMIT 1")
        return str(reference)

    def choose(self, method: str) -> None:
        self.page.locator(f"input[name=method][value={method}]").check()

    def pay_again(self, method: str = "card") -> None:
        """Pay on the order's page."""
        if method != "none":
            self.choose(method)
        self.page.locator("form.pay button[type=submit]").click()

    def expect_situation(self, situation: str) -> None:
        expect(self.page.locator(f".situation-{situation}")).to_be_visible()
