"""The demo shop under the conformance kit's checks: in process, the fake behind it, a browser without JavaScript."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal

import pytest
from examples.shop.app import create_app
from examples.shop.points import points
from examples.shop.settings import Settings
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from _templates import compiled_once
from punktgenau import Money
from punktgenau.testing import fake_provider
from punktgenau.testing.conformance import (
    BehindShop,
    Card,
    NotPlacedError,
    ShopCart,
    ShopConformance,
    ShopOrder,
    ShopProvider,
)

MEMBER = "mbr_2500"
PROVIDER_URL = "http://127.0.0.1:8611"
"""Nobody listens there; the fake answers. On this machine, so that the sandbox's control plane answers as well."""


class _Forms(HTMLParser):
    """What each form of a page sends when nothing is typed or ticked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((found.get("action", ""), {}))
            self._open = True
        elif tag == "input" and self._open and found.get("name") and found.get("type") not in ("radio", "checkbox"):
            self.forms[-1][1].setdefault(found["name"], found.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "form"


def form(page: str, action: str) -> dict[str, str] | None:
    """The fields of the first form that is sent to an address, or None."""
    return next((fields for target, fields in _Forms(page).forms if target == action), None)


class DemoShop(ShopConformance):
    """examples/shop"""

    cart = ShopCart(lines={"pilz": 1, "karo": 1}, total=Money(amount_minor=8435 + 837, currency="EUR"))

    @pytest.fixture(autouse=True)
    def shop(self, tmp_path: Path) -> Iterator[None]:
        """The demo shop with empty books, and a customer whose account is linked."""
        self.browsers: dict[str, FlaskClient] = {}
        self.database = tmp_path / "shop.sqlite"
        with fake_provider(PROVIDER_URL) as fake:
            self.behind = BehindShop(fake, member_id=MEMBER)
            self.app = create_app(
                Settings(
                    data_dir=str(tmp_path), shop_port=5000, bank_port=5001, sandbox_url=fake.url, secret_key="for tests"
                )
            )
            compiled_once(self.app)
            with self.app.app_context():
                points.upgrade()
                points.checkout.link("cust_2500", member_id=MEMBER, consent_id=f"con_{MEMBER}")
            yield
            fake.assert_books_balance()

    def provider(self) -> ShopProvider:
        return self.behind

    def recover(self) -> None:
        with self.app.app_context():
            points.checkout.recover()

    def place(self, cart: ShopCart, points: int | Literal["all"], *, card: Card = "good", clicks: int = 1) -> ShopOrder:
        browser = self.app.test_client()
        self.send(browser, "/account/sign-in", of="/account", customer="cust_2500")
        for sku in cart.lines:
            self.send(browser, "/cart/add", of=f"/articles/{sku}", sku=sku, quantity="1")
        self.choose(browser, points)
        fields = form(browser.get("/checkout").text, "/checkout") or {}
        for _ in range(clicks):
            answer = browser.post("/checkout", data={**fields, "method": _METHODS[card]})
        if answer.status_code == 422:
            raise NotPlacedError(answer.text)
        (reference,) = self.row("SELECT reference FROM orders ORDER BY number DESC LIMIT 1")
        self.browsers[str(reference)] = browser
        return self.order(str(reference))

    def pay(self, order: ShopOrder, *, card: Card = "good", clicks: int = 1, with_points: bool = True) -> ShopOrder:
        browser, path = self.browsers[order.reference], f"/orders/{order.reference}/pay"
        self.go_on(browser, order, with_points=with_points)
        fields = form(self.page(order), path)
        if fields is not None and not with_points:
            fields["punktgenau_points"] = ""
        for _ in range(clicks if fields is not None else 0):
            browser.post(path, data={**(fields or {}), "method": _METHODS[card]})
        return self.order(order.reference)

    def cancel(self, order: ShopOrder) -> ShopOrder:
        path = f"/orders/{order.reference}"
        self.send(self.browsers[order.reference], f"{path}/cancel", of=path)
        return self.order(order.reference)

    def refund(self, order: ShopOrder, *, lines: Mapping[str, int], return_reference: str) -> ShopOrder:
        """The parcel leaves, the customer asks for the return by a draft of that name, the clerk confirms."""
        browser, path = self.browsers[order.reference], f"/orders/{order.reference}/return"
        self.send(browser, "/clerk/sign-in", of="/account")
        desk = f"/clerk/orders/{order.reference}"
        self.send(browser, f"{desk}/ship", of=desk)
        token = {"csrf_token": (form(browser.get("/account").text, "/account/sign-out") or {})["csrf_token"]}
        chosen = {f"q.{sku}": str(count) for sku, count in lines.items()}
        # Sent again even where the page offers nothing more.
        browser.post(path, data={**token, **chosen, "draft": return_reference, "reason": "wrong"})
        (found,) = self.row(
            "SELECT reference FROM returns WHERE order_reference = ? AND draft = ?", order.reference, return_reference
        )
        browser.post(f"/clerk/returns/{found}/confirm", data=token)
        return self.order(order.reference)

    def send(self, browser: FlaskClient, path: str, *, of: str, **typed: str) -> TestResponse:
        """Send a form that stands on the page `of`; one that is not offered is not sent."""
        answer = browser.get(of)
        fields = form(answer.text, path)
        return answer if fields is None else browser.post(path, data={**fields, **typed})

    def order(self, reference: str) -> ShopOrder:
        """As the shop's own database has it."""
        (state,) = self.row("SELECT state FROM orders WHERE reference = ?", reference)
        (charged_minor,) = self.row(
            "SELECT coalesce(sum(amount_minor), 0) FROM payments"
            " WHERE order_reference = ? AND state IN ('accepted', 'refunded')",
            reference,
        )
        return ShopOrder(
            reference=reference,
            state="paid" if state == "paid" else "cancelled" if state == "cancelled" else "unpaid",
            charged=Money(amount_minor=int(str(charged_minor)), currency="EUR"),
        )

    def choose(self, browser: FlaskClient, points: int | Literal["all"]) -> None:
        """Choose points in the box on the cart's page. Raises NotPlacedError: the box does not take the number."""
        if points == 0:
            return
        fields = form(browser.get("/cart").text, "/points/apply")
        if fields is not None:
            browser.post("/points/apply", data={**fields, "points": points, "next": "/cart"})
        page = browser.get("/cart").text
        if 'data-state="applied"' not in page:
            raise NotPlacedError(page)

    def go_on(self, browser: FlaskClient, order: ShopOrder, *, with_points: bool) -> None:
        """Of the two ways on, the one that is meant, where the order's page offers them."""
        way = f"/points/{'retry' if with_points else 'without'}"
        fields = form(browser.get(f"/orders/{order.reference}").text, way)
        if fields is not None:
            browser.post(way, data=fields)

    def page(self, order: ShopOrder) -> str:
        return self.browsers[order.reference].get(f"/orders/{order.reference}").text

    def row(self, statement: str, *values: object) -> tuple[object, ...]:
        """One row of the shop's own database."""
        with closing(sqlite3.connect(self.database)) as database:
            found: tuple[object, ...] = database.execute(statement, values).fetchone()
        return found


_METHODS: dict[Card, str] = {"good": "card", "declined": "card_declined"}
