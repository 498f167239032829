"""The shop's own test: points and money add up, whatever is clicked, declined or lost. Run it: pytest test_after.py

The checks are punktgenau's; this file says how a customer does in this shop what they are about.
"""

import re
import runpy
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import pytest
from flask.testing import FlaskClient

from punktgenau import Money
from punktgenau.testing import fake_provider
from punktgenau.testing.conformance import BehindShop, Card, NotPlacedError, ShopCart, ShopConformance, ShopOrder

CARDS: dict[Card, str] = {"good": "4111", "declined": "5111"}


class TestYourShop(ShopConformance):
    cart = ShopCart(lines={"lamp": 1, "pot": 1}, total=Money(amount_minor=5715, currency="EUR"))
    file = Path(__file__).with_name("after.py")

    @pytest.fixture(autouse=True)
    def shop(self, tmp_path: Path) -> Iterator[None]:
        with self.running(tmp_path):
            yield

    @contextmanager
    def running(self, folder: Path) -> Iterator[None]:
        """The shop with an empty database, its provider in process, and Anna, whose account is linked."""
        self.database = folder / "shop.sqlite"
        with fake_provider() as fake, pytest.MonkeyPatch.context() as environment:
            self.behind = BehindShop(fake, member_id="mbr_2500")
            environment.setenv("SHOP_DATABASE", str(self.database))
            environment.setenv("PUNKTGENAU_PROVIDER_URL", fake.url)
            environment.setenv("PUNKTGENAU_CLIENT_ID", fake.client_id)
            environment.setenv("PUNKTGENAU_CLIENT_SECRET", fake.client_secret)
            environment.setenv("PUNKTGENAU_DATABASE_URL", f"sqlite:///{folder / 'points.sqlite'}")
            shop = runpy.run_path(str(self.file), run_name="shop_under_test")
            self.app, self.points = shop["app"], shop["points"]
            with self.app.app_context():
                self.points.upgrade()
                self.points.checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
            yield
            fake.assert_books_balance()

    def provider(self) -> BehindShop:
        return self.behind

    def place(self, cart: ShopCart, points: int | Literal["all"], *, card: Card = "good", clicks: int = 1) -> ShopOrder:
        self.browser: FlaskClient = self.app.test_client()
        self.browser.get("/sign-in/anna")
        for sku in cart.lines:
            self.browser.post("/cart", data={"sku": sku})
        if points:
            page = self.send("/points/apply", page="/", points=points, next="/")
            if 'data-state="applied"' not in page:
                raise NotPlacedError(page)
        for _ in range(clicks):
            self.browser.post("/orders", data={"card": CARDS[card]})
        return self.order("SELECT * FROM orders ORDER BY rowid DESC LIMIT 1")

    def pay(self, order: ShopOrder, *, card: Card = "good", clicks: int = 1, with_points: bool = True) -> ShopOrder:
        path = f"/orders/{order.reference}"
        way = "/points/retry" if with_points else "/points/without"
        if f'action="{way}"' in self.page(order):
            self.send(way, page=path, order_reference=order.reference)
        for _ in range(clicks):
            self.browser.post(f"{path}/pay", data={"card": CARDS[card]})
        return self.order("SELECT * FROM orders WHERE reference = ?", order.reference)

    def cancel(self, order: ShopOrder) -> ShopOrder:
        self.browser.post(f"/orders/{order.reference}/cancel")
        return self.order("SELECT * FROM orders WHERE reference = ?", order.reference)

    def page(self, order: ShopOrder) -> str:
        return self.browser.get(f"/orders/{order.reference}").text

    def recover(self) -> None:
        with self.app.app_context():
            self.points.checkout.recover()

    def order(self, statement: str, *values: str) -> ShopOrder:
        """An order as the shop's database has it."""
        with closing(sqlite3.connect(self.database)) as database:
            reference, _, _, state, charged_minor = database.execute(statement, values).fetchone()
        return ShopOrder(
            reference=reference,
            state=state if state in ("paid", "cancelled") else "unpaid",
            charged=Money(amount_minor=charged_minor, currency="EUR"),
        )

    def send(self, path: str, *, page: str, **fields: object) -> str:
        """Send a form of the extension that stands on a page of the shop; the page afterwards."""
        token = re.search('name="punktgenau_csrf" value="([^"]+)"', self.browser.get(page).text)
        if token:
            self.browser.post(path, data={"punktgenau_csrf": token.group(1), **fields})
        return self.browser.get(page).text
