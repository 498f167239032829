"""What people do in the demo shop: click by click where that is what a test is about, by bare requests before it."""

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

    # Without looking: what was done before the test begins

    def sign_in(self, customer_id: str = "cust_2500") -> None:
        self._post("/account/sign-in", of="/account", customer=customer_id)

    def fill_cart(self, *skus: str, points: int | str | None = None) -> None:
        for sku in skus:
            self._post("/cart/add", of=f"/articles/{sku}", sku=sku, quantity="1")
        if points is not None:
            self._post("/points/apply", of="/cart", points=str(points), next="/cart")

    def _post(self, path: str, *, of: str, **form: str) -> None:
        """Send a form that stands on the page `of`, with this browser's cookies."""
        text = self.page.request.get(self.demo.url + of).text()
        tokens = dict(re.findall(r'name="(csrf_token|punktgenau_csrf)" value="([^"]+)"', text))
        answer = self.page.request.post(self.demo.url + path, form={**tokens, **form}, max_redirects=0)
        assert answer.status == 303

    # With eyes and hands

    def open(self, path: str) -> None:
        self.page.goto(self.demo.url + path)

    def add(self, *skus: str) -> None:
        """Fill the cart and look at it."""
        self.fill_cart(*skus)
        self.open("/cart")

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
        """Choose points, on the cart page."""
        if not self.number.is_visible():
            self.box.locator(".pg-change summary").click()
        self.number.fill(str(points))
        with self.page.expect_navigation():
            self.box.locator(".pg-main").first.click()

    def place_order(self, method: str | None = "card") -> str:
        """Order and pay at the checkout; the order's reference."""
        self.open("/checkout")
        if method is not None:
            self.choose(method)
        self.order_and_pay()
        return self.on_order()

    def order_and_pay(self) -> None:
        """The button at the foot of the checkout."""
        with self.page.expect_navigation():
            self.page.locator("form.pays button.wide").click()

    def on_order(self) -> str:
        """Where the shop leads after placing an order: its page, or the bank's."""
        self.page.wait_for_url(re.compile(r"/(orders/A-\d+|payments/\S+)$"))
        ((reference,),) = self.demo.shop_rows("SELECT reference FROM orders ORDER BY number DESC LIMIT 1")
        return str(reference)

    def choose(self, method: str) -> None:
        self.page.locator(f"input[name=method][value={method}]").check()

    def pay_again(self, method: str) -> None:
        """Pay on the order's page."""
        self.choose(method)
        with self.page.expect_navigation():
            self.page.locator("form.pay button[type=submit]").click()

    def press_in_drawer(self, action: str) -> None:
        """A button behind the shop; the page comes back and says what it did."""
        drawer = self.page.locator("[data-drawer]")
        if drawer.get_attribute("open") is None:
            drawer.locator("summary").click()
        with self.page.expect_navigation():
            self.page.locator(f"form[action$='/{action}'] button").click()
        expect(self.page.locator("[role=status].drawer-said")).to_be_visible()

    def expect_left_to_pay(self, amount: str) -> None:
        """Beside the shop's own sum."""
        left = self.page.locator(".sums .due .total td")
        expect(left).to_be_visible()
        expect(left).to_have_text(amount)

    def expect_situation(self, situation: str) -> None:
        expect(self.page.locator(f".situation-{situation}")).to_be_visible()
