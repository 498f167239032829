"""The demo shop in process, its customer and its clerk in one browser; for the tests of what its pages say."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from html import unescape

from examples.shop.points import points
from flask.testing import FlaskClient

from _conformance_shops import DemoShop, form
from punktgenau import Money
from punktgenau.testing.conformance import ShopCart, ShopOrder

CART = ShopCart(lines={"pilz": 1, "karo": 1}, total=Money(amount_minor=9272, currency="EUR"))
SMALL = ShopCart(lines={"karo": 1, "koecher": 1}, total=Money(amount_minor=3172, currency="EUR"))


class Demo(DemoShop):
    """The shop and its two sides: the customer's browser is also the clerk's."""

    __test__ = False

    def bought(self, *, ship: bool = True, cart: ShopCart = CART) -> ShopOrder:
        order = self.place(cart, 427)
        self.clerk(order, ship=ship)
        return order

    def browser(self, order: ShopOrder) -> FlaskClient:
        return self.browsers[order.reference]

    def clerk(self, order: ShopOrder, *, ship: bool) -> None:
        browser = self.browser(order)
        self.send(browser, "/clerk/sign-in", of="/account")
        if ship:
            desk = f"/clerk/orders/{order.reference}"
            assert self.send(browser, f"{desk}/ship", of=desk).status_code == 303

    def says(self, order: ShopOrder, path: str = "", *, at: str = "orders") -> str:
        """A page of the order in English, as words."""
        page = self.browser(order).get(f"/{at}/{order.reference}{path}{'&' if '?' in path else '?'}lang=en")
        assert page.status_code == 200
        return words(page.text)

    def ask(self, order: ShopOrder, **lines: str) -> tuple[int, str]:
        path = f"/orders/{order.reference}/return"
        token = (form(self.browser(order).get("/account").text, "/account/sign-out") or {})["csrf_token"]
        chosen = {f"q.{sku}": count for sku, count in lines.items()}
        sent = {"csrf_token": token, **chosen, "draft": "-".join(lines.values()), "reason": "wrong"}
        answer = self.browser(order).post(f"{path}?lang=en", data=sent)
        return answer.status_code, words(answer.text)

    def confirm(self, order: ShopOrder, number: int = 1) -> str:
        desk = f"/clerk/orders/{order.reference}"
        self.send(self.browser(order), f"/clerk/returns/{order.reference}-R{number}/confirm", of=desk)
        return self.says(order, at="clerk/orders")

    def at_the_office(self, order: ShopOrder, **lines: int) -> None:
        """Taken in by somebody who knows the points' books alone."""
        with self.app.app_context():
            points.refund(order.reference, return_reference=f"office-{order.reference}", lines=lines, actor="office")

    def write(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute(statement, values)


def words(page: str) -> str:
    bare = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.S)
    return " ".join(unescape(bare).split())
