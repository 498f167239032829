"""A small shop whose back office has something to show: orders in all states, made by the engine at a real sandbox."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests
from flask import Response, request, session
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from _small_shop import Provider, SmallShop, make_small_shop
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.cart import OrderState
from punktgenau.checkout.office import Office
from punktgenau.errors import PunktgenauError
from punktgenau.sandbox import Database, create_app
from punktgenau.sandbox.server import Server

OPERATOR = "Mira Sonntag"
REFUSED = "R-refused"
"""The return whose points the provider does not take back."""
DAY_S = 86_400
ARTICLES = (
    ("glocke", 12_900, "19"),
    ("lichtbuch", 1_650, "7"),
    ("pilea", 2_495, "7"),
    ("spatz", 3_490, "19"),
    ("koecher", 1_899, "19"),
    ("storch", 18_750, "19"),
)
CUSTOMERS = tuple(f"kunde-{number}" for number in range(4101, 4113))


def open_office(small: SmallShop) -> None:
    """Let operators in: whoever signs in as one; with the strictest policy that the pages have to work under."""

    @small.points.operator_loader
    def operator() -> str | None:
        return session.get("operator")

    @small.app.post("/operator")
    def let_in() -> str:
        session["operator"] = request.form["operator"]
        return "hello"

    @small.app.get("/operator")
    def operators_door() -> str:
        session["operator"] = OPERATOR
        return "<!doctype html><html lang=en><title>Door</title><h1>Door</h1></html>"

    @small.app.get("/favicon.ico")
    def icon() -> tuple[str, int]:
        return "", 204

    @small.app.after_request
    def guard(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response


@dataclass
class Filler:
    """Places orders and lets things happen to them."""

    small: SmallShop
    checkout: Checkout
    number: int = 0

    def advance(self, seconds: float) -> None:
        """Both clocks move: the shop's and the provider's."""
        self.small.clock.shift += type(self.small.clock.shift)(seconds=seconds)
        self.small.provider.control("POST", "/clock", {"advance_s": int(seconds)})

    def order(self, points: int, *, state: OrderState = "paid", customer_id: str = "") -> str:
        """An order with so many points held; its reference."""
        self.number += 1
        reference = f"LW-{24_800 + self.number}"
        first, second = ARTICLES[self.number % 6], ARTICLES[(self.number * 5 + 2) % 6]
        lines = [Line(sku=first[0], quantity=1 + self.number % 3, unit_price_minor=first[1], vat_rate=first[2])]
        if second[0] != first[0]:
            lines.append(Line(sku=second[0], quantity=1, unit_price_minor=second[1], vat_rate=second[2]))
        self.small.shop.cart = Cart(currency="EUR", lines=lines, shipping_minor=490, shipping_vat_rate="19")
        customer_id = customer_id or CUSTOMERS[self.number % len(CUSTOMERS)]
        self.small.shop.order(reference, state=state, customer_id=customer_id)
        self.checkout.authorize(reference, self.small.shop.cart, customer_id=customer_id, points=points)
        self.advance(2)
        return reference

    def line_of(self, reference: str) -> str:
        """The first article of an order."""
        cart = self.small.shop.orders[reference].cart
        assert cart is not None
        return cart.lines[0].sku

    def happen(self, what: int) -> None:
        """One order and what becomes of it, most of them paid."""
        points = (137 * self.number) % 1_900 + 27
        if what == 3:
            self.small.provider.fault("authorize", "status_429", times=9)
            with suppress(PunktgenauError):
                self.order(points)
            self.small.provider.no_faults()
            return
        reference = self.order(points, state="pending" if what == 5 else "paid")
        if what == 5:
            self.checkout.void(reference)
            return
        self.checkout.capture(reference)
        if what in {7, 11, 13}:
            self.advance(40)
            self.checkout.refund(
                reference, return_reference=f"{reference}-R1", lines={self.line_of(reference): 1},
                reason="Zu hell" if what == 7 else "Beschädigt", actor="customer" if what == 7 else "T. Brandt",
            )  # fmt: skip
            if what == 11:
                self.checkout.money_refunded(reference, return_reference=f"{reference}-R1", psp_reference="re_5g1")
        if what == 17:
            self.checkout.cancel(reference, cause="Kunde rief an")


def fill(small: SmallShop, *, count: int, days: int) -> Filler:
    """So many orders over so many days; and at the end one of each kind that needs a person."""
    with small.app.app_context():
        checkout = small.points.checkout
        for index, customer_id in enumerate(CUSTOMERS):
            member_id = f"mbr_{70_311 + index * 37}"
            small.provider.control("POST", "/members", {"id": member_id, "points": 2_000_000})
            checkout.link(customer_id, member_id=member_id, consent_id=f"con_{index}")
        filler = Filler(small, checkout)
        for number in range(count):
            filler.happen(number % 19)
            filler.advance(days * DAY_S / count * (0.3 + (number % 7) / 5) / 0.9)
        _trouble(filler)
    return filler


def _trouble(filler: Filler) -> None:
    provider, checkout = filler.small.provider, filler.checkout
    # Its points were spent elsewhere after the hold had ended, so it cannot be mended.
    provider.control("POST", "/members", {"id": "mbr_few", "points": 427})
    checkout.link("kunde-4120", member_id="mbr_few", consent_id="con_few")
    short = filler.order(427, customer_id="kunde-4120")
    filler.advance(3 * 3600)
    filler.order(300, state="pending", customer_id="kunde-4120")
    checkout.capture(short)
    unknown = filler.order(1_250)
    for operation in ("capture", "get", "find"):
        provider.fault(operation, "reset", times=500)
    checkout.capture(unknown)
    filler.advance(2 * DAY_S)
    checkout.recover()
    filler.order(318, state="pending")
    provider.fault("authorize", "reset", times=500)
    filler.order(777, state="pending")
    filler.advance(300)
    provider.no_faults()
    refused = filler.order(640)
    checkout.capture(refused)
    checkout.refund(refused, return_reference=f"{refused}-R1", amount_minor=500, actor="T. Brandt")
    provider.control("POST", "/profile", {"name": "no_partial_reversal"})
    checkout.refund(refused, return_reference=REFUSED, lines={filler.line_of(refused): 1}, actor="T. Brandt")
    provider.control("POST", "/profile", {"name": "reference"})


def paid(shop: SmallShop, reference: str = "A-1", points: int = 427) -> str:
    """An order of one lamp for 59.90, paid with points and a card; the redemption's id."""
    with shop.app.app_context():
        made = shop.points.checkout
        shop.shop.order(reference, state="paid", customer_id="anna")
        made.balance("anna", max_age_s=0)
        assert shop.shop.cart is not None
        made.authorize(reference, shop.shop.cart, customer_id="anna", points=points)
        made.capture(reference)
        return Office(made).searching.attempts(reference)[-1].id


def text_of(browser: FlaskClient, path: str) -> str:
    """A page that is there."""
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


@contextmanager
def running_office(folder: Path, *, count: int) -> Iterator[tuple[str, SmallShop]]:
    """Sandbox and shop as servers of this machine, with so many orders and one of each trouble; the shop's address."""
    database = Database()
    sandbox = Server(create_app(database), host="127.0.0.1", port=0)
    sandbox_thread = threading.Thread(target=sandbox.serve_forever)
    sandbox_thread.start()
    with requests.Session() as http:
        http.trust_env = False
        provider = Provider(url=f"http://127.0.0.1:{sandbox.port}", http=http)
        small = make_small_shop(
            folder,
            provider=provider,
            provider_url=provider.url,
            PUNKTGENAU_INLINE_RECOVERY=False,
            PUNKTGENAU_TIMEZONE="Europe/Berlin",
        )
        open_office(small)
        fill(small, count=count, days=12)
        lots = [{"points": 500, "issued_by": "demo-shop"}]
        provider.control("POST", "/members", {"id": "mbr_given", "lots": lots})
        provider.control("POST", "/members/mbr_given/redeem-elsewhere", {"points": 300})
        server = make_server("127.0.0.1", 0, small.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}", small
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            sandbox.stop()
            sandbox_thread.join()
            database.close()
