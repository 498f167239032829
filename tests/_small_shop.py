"""A very small shop with points, for tests of the extension: a cart, orders that are "committed" in a dict, a card."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from flask import Flask, abort, redirect, render_template_string, request, session
from flask.testing import FlaskClient
from werkzeug import Response
from werkzeug.test import TestResponse

from _templates import CompiledOnce
from _world import control
from flask_punktgenau import Punktgenau, csrf
from punktgenau import SystemClock
from punktgenau.checkout import Cart, Line, Order, Payment
from punktgenau.checkout.cart import OrderState

CREDENTIALS = {"PUNKTGENAU_CLIENT_ID": "demo-shop", "PUNKTGENAU_CLIENT_SECRET": "demo-secret"}
BILL_MINOR = 5990

CART_PAGE = "<h1>Cart</h1>{{ punktgenau_panel() }}"
CHECKOUT_PAGE = "<h1>Checkout</h1><form method=post>{{ punktgenau_field() }}<button>Order</button></form>"
ORDER_PAGE = "<h1>Order {{ reference }}</h1>{{ punktgenau_summary(reference) }}"


class MovableClock(SystemClock):
    """The machine's time, shifted as far as a test says."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift


def cart_of(amount_minor: int, *, currency: str = "EUR") -> Cart:
    """One lamp for so much."""
    return Cart(
        currency=currency,
        lines=[Line(sku="lamp", quantity=1, unit_price_minor=amount_minor, vat_rate="19")],
    )


@dataclass
class Provider:
    """The sandbox's control plane."""

    url: str
    http: requests.Session

    def agree(self, consent_url: str, *, member_id: str = "mbr_2500") -> str:
        """Sign in on the provider's page and agree on the next; the code that the browser brings back."""
        with requests.Session() as browser:
            browser.trust_env = False
            page = browser.get(consent_url, timeout=20)
            page = browser.post(f"{self.url}/sign-in", data=_hidden_fields(page.text) | {"member_id": member_id})
            answer = browser.post(
                f"{self.url}/oauth/consent",
                data=_hidden_fields(page.text) | {"decision": "agree"},
                allow_redirects=False,
            )
        back, asked = (parse_qs(urlsplit(url).query) for url in (answer.headers["Location"], consent_url))
        assert back["state"] == asked["state"]
        return back["code"][0]

    def control(self, method: str, path: str, body: object = None) -> object:
        answer: object = control(self.http, self.url, method, path, body)
        return answer

    def now(self) -> datetime:
        """Its own time: other tests may have moved it on."""
        told = self.control("GET", "/clock")
        assert isinstance(told, dict)
        return datetime.fromisoformat(told["now"])

    def fault(self, operation: str, kind: str, **more: object) -> None:
        self.control("POST", "/faults", {"operation": operation, "kind": kind, **more})

    def no_faults(self) -> None:
        self.control("DELETE", "/faults")

    def redemptions(self, order_reference: str | None = None) -> list[dict[str, object]]:
        query = f"?order_reference={order_reference}" if order_reference else ""
        answer = self.control("GET", f"/redemptions{query}")
        assert isinstance(answer, dict)
        return list(answer["items"])

    def states(self, order_reference: str) -> list[tuple[str, int]]:
        """State and points of an order's redemptions, newest first."""
        return [(str(one["state"]), int(str(one["points"]))) for one in self.redemptions(order_reference)]

    def member(self, member_id: str) -> dict[str, object]:
        answer = self.control("GET", f"/members/{member_id}")
        assert isinstance(answer, dict)
        return answer

    def available(self, member_id: str = "mbr_2500") -> int:
        return int(str(self.member(member_id)["available"]))

    def operations(self) -> list[str]:
        """What partners have asked for, newest first."""
        answer = self.control("GET", "/requests")
        assert isinstance(answer, dict)
        return [str(one["operation"]) for one in answer["items"]]


@dataclass
class Shop:
    """The shop's "database", and what its pages are told by the test."""

    cart: Cart | None = field(default_factory=lambda: cart_of(BILL_MINOR))
    orders: dict[str, Order] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)

    def order(self, reference: str, *, state: OrderState = "pending", customer_id: str | None = None) -> None:
        assert self.cart is not None
        self.orders[reference] = Order(
            reference=reference, state=state, cart=self.cart, customer_id=customer_id, url=f"/orders/{reference}"
        )

    def mark(self, reference: str, state: OrderState) -> None:
        self.orders[reference] = replace(self.orders[reference], state=state)


@dataclass
class SmallShop:
    """A shop's app, its points, and what a test needs to know."""

    app: Flask
    points: Punktgenau
    shop: Shop
    clock: MovableClock
    provider: Provider

    def visitor(self, customer_id: str | None = None) -> Visitor:
        """Somebody with a browser of their own."""
        browser = self.app.test_client()
        if customer_id is not None:
            browser.post("/sign-in", data={"customer": customer_id})
        return Visitor(self, browser)

    def link(self, customer_id: str = "anna", member_id: str = "mbr_2500") -> None:
        """As if the customer had linked the account before."""
        with self.app.app_context():
            self.points.checkout.link(customer_id, member_id=member_id, consent_id=f"con_{member_id}")

    def find(self, reference: str) -> Payment | None:
        with self.app.app_context():
            return self.points.find(reference)


@dataclass
class Visitor:
    """A browser, used without JavaScript."""

    small: SmallShop
    browser: FlaskClient

    def token(self) -> str:
        """What a form of ours carries in this browser."""
        return self.browser.get("/our-token").text

    def post(self, path: str, **data: object) -> TestResponse:
        """Send a form of ours as a person would: with its token."""
        return self.browser.post(path, data={"punktgenau_csrf": self.token(), **data})

    def apply(self, points: object) -> TestResponse:
        return self.post("/points/apply", points=points, next="/cart")

    def place(self, reference: str = "A-1001", **form: object) -> TestResponse:
        return self.browser.post(f"/place/{reference}", data=form)

    def link(self, *, member_id: str = "mbr_2500") -> TestResponse:
        """Go to the provider, agree there, and come back."""
        there = self.browser.get("/points/connect?next=/cart").location
        assert there is not None
        code = self.small.provider.agree(there, member_id=member_id)
        state = parse_qs(urlsplit(there).query)["state"][0]
        return self.browser.get("/points/callback", query_string={"state": state, "code": code})

    def wish(self) -> dict[str, object] | None:
        with self.browser.session_transaction() as kept:
            found = kept.get("_punktgenau")
        return found if isinstance(found, dict) else None


def _hidden_fields(page: str) -> dict[str, str]:
    """What the first form of a page carries unseen."""
    form = page[page.index("<form") : page.index("</form>")]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    return {name: unescape(value) for name, value in found}


def hidden(page: str, name: str) -> str:
    """The value of a hidden field on a page."""
    start = page.index(f'name="{name}" value="') + len(f'name="{name}" value="')
    return page[start : page.index('"', start)]


def make_small_shop(
    tmp_path: Path, *, provider: Provider, provider_url: str | None, name: str = "small_shop", **config: object
) -> SmallShop:
    """A shop whose journal is a file of its own, with points at that provider."""
    app = Flask(name, instance_path=str(tmp_path / f"{name}_instance"))
    app.jinja_options = {"bytecode_cache": CompiledOnce()}
    app.config.update(SECRET_KEY="only for tests", TESTING=True)
    if provider_url is not None:
        app.config.update(CREDENTIALS, PUNKTGENAU_PROVIDER_URL=provider_url)
    app.config.update(config)
    points, shop, clock = Punktgenau(), Shop(), MovableClock()
    points.init_app(app, clock=clock)
    points.customer_loader(lambda: session.get("customer"))
    points.cart_loader(lambda: shop.cart)
    points.order_loader(lambda reference: shop.orders.get(reference))
    _add_pages(app, points, shop)
    return SmallShop(app=app, points=points, shop=shop, clock=clock, provider=provider)


def _add_pages(app: Flask, points: Punktgenau, shop: Shop) -> None:
    @app.post("/sign-in")
    def sign_in() -> str:
        session["customer"] = request.form["customer"]
        return "hello"

    @app.post("/sign-out")
    def sign_out() -> str:
        session.pop("customer")
        return "goodbye"

    @app.get("/our-token")
    def our_token() -> str:
        return csrf.form_field().value

    @app.get("/cart")
    def cart() -> str:
        return render_template_string(CART_PAGE)

    @app.get("/beside/<line_id>")
    def beside(line_id: str) -> str:
        return render_template_string("{{ punktgenau_missing(line_id) }}", line_id=line_id)

    @app.get("/checkout")
    def checkout() -> str:
        return render_template_string(CHECKOUT_PAGE)

    @app.post("/place/<reference>")
    def place(reference: str) -> Response:
        """Commit the order, hold its points, charge the card. The card of the customer "broke" is declined."""
        if shop.cart is None:
            abort(400)
        if reference not in shop.orders:
            shop.order(reference, customer_id=session.get("customer"))
        payment = points.authorize(reference, shop.cart)
        return _pay(reference, payment)

    @app.post("/pay/<reference>")
    def pay(reference: str) -> Response:
        payment = points.find(reference)
        due = payment.due if payment is not None else shop.cart.payable if shop.cart else abort(400)
        shop.paid[reference] = due.amount_minor
        shop.mark(reference, "paid")
        points.capture(reference)
        return redirect(f"/orders/{reference}", 303)

    def _pay(reference: str, payment: Payment) -> Response:
        due_minor = payment.due.amount_minor
        if request.form.get("card") == "declined":
            points.void(reference)
            return redirect(f"/orders/{reference}?{urlencode({'declined': 1})}", 303)
        if request.form.get("card") == "later":
            return redirect(f"/orders/{reference}", 303)
        shop.paid[reference] = due_minor
        shop.mark(reference, "paid")
        points.capture(reference)
        return redirect(f"/orders/{reference}", 303)

    @app.get("/orders/<reference>")
    def order(reference: str) -> str:
        return render_template_string(ORDER_PAGE, reference=reference)
