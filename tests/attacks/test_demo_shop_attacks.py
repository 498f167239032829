"""The demo shop's own routes under its own customers: two tabs, other people's orders, money and points both back."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from examples.shop import payments
from examples.shop.app import create_app
from examples.shop.bank import create_bank
from examples.shop.settings import Settings
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from werkzeug.test import TestResponse

from _small_shop import Provider
from _templates import compiled_once
from flask_punktgenau.cli import punktgenau

ADDRESS = {"name": "A", "email": "a@b.test", "street": "S 1", "postcode": "10115", "city": "Berlin"}
BILL_MINOR = 8435
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def demo(tmp_path: Path, provider: Provider) -> Flask:
    """The shop as it is, in process, at a real sandbox."""
    settings = Settings(
        data_dir=str(tmp_path), shop_port=1, bank_port=2, sandbox_url=provider.url, secret_key="only for tests"
    )
    app = compiled_once(create_app(settings))
    app.testing = True
    assert FlaskCliRunner(app).invoke(punktgenau, ["upgrade"]).exit_code == 0
    with app.app_context():
        state = app.extensions["punktgenau"]
        for points in ("2500", "42"):
            state.require().link(f"cust_{points}", member_id=f"mbr_{points}", consent_id=f"con_mbr_{points}")
    return app


class Browser:
    """Somebody at the shop."""

    def __init__(self, app: Flask, customer: str | None = None) -> None:
        self.http: FlaskClient = app.test_client()
        if customer is not None:
            assert self.post("/account/sign-in", of="/account", customer=customer).status_code == 303

    def fields(self, page: str) -> dict[str, str]:
        """Every hidden field of a page; the last of a name counts."""
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.http.get(page).text)
        return {name: unescape(value) for name, value in found}

    def post(self, path: str, *, of: str, **form: str) -> TestResponse:
        """Send a form of a page."""
        return self.http.post(path, data=self.fields(of) | form)

    def fill(self, points: str) -> None:
        self.post("/cart/add", of="/articles/pilz", sku="pilz", quantity="1")
        self.post("/points/apply", of="/cart", points=points, next="/cart")

    def place(self, points: str = "427", method: str = "card") -> str:
        """Order a lamp of 84.35; its reference."""
        self.fill(points)
        form = self.fields("/checkout") | ADDRESS | {"method": method, "punktgenau_points": points}
        assert self.http.post("/checkout", data=form).status_code == 303
        return str(re.findall(r"/orders/(A-\d+)", self.http.get("/orders").text)[0])

    def paid(self, app: Flask, reference: str) -> list[tuple[str, int | None]]:
        """State and amount of every payment of an order."""
        with app.app_context():
            return [(one.state, one.amount_minor) for one in payments.history(reference)]


@pytest.fixture
def anna(demo: Flask) -> Browser:
    return Browser(demo, "cust_2500")


def at_once(*things: Callable[[], object]) -> None:
    """Begin all of them together, and wait."""
    together = threading.Barrier(len(things))

    def run(thing: Callable[[], object]) -> None:
        together.wait(20)
        thing()

    threads = [threading.Thread(target=run, args=(thing,)) for thing in things]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


@pytest.mark.scenario("S19", "points and money of a cancelled order come back once each, however often it is cancelled")
def test_cancelled_many_times(demo: Flask, anna: Browser, provider: Provider) -> None:
    reference = anna.place()
    assert provider.states(reference) == [("captured", 427)]
    tabs = [Browser(demo, "cust_2500") for _ in range(3)]
    forms = [(tab, tab.fields(f"/orders/{reference}")) for tab in tabs]
    at_once(*(lambda t=t, f=f: t.http.post(f"/orders/{reference}/cancel", data=f) for t, f in forms))
    anna.post(f"/orders/{reference}/cancel", of="/cart")
    assert anna.paid(demo, reference) == [("refunded", BILL_MINOR - 427)]
    assert provider.states(reference) == [("reversed", 427)]
    assert provider.available() == 2500
    anna.post(f"/orders/{reference}/pay", of="/cart", number="2", method="card")
    assert anna.paid(demo, reference) == [("refunded", BILL_MINOR - 427)]
    assert anna.post("/demo/ship", of="/cart", order_reference=reference).status_code == 303
    assert provider.available() == 2500


@pytest.mark.scenario("S19", "what has left the house is not cancelled: no points and no money come back for it")
def test_cancelled_after_it_was_shipped(demo: Flask, anna: Browser, provider: Provider) -> None:
    reference = anna.place()
    anna.post("/demo/ship", of="/cart", order_reference=reference)
    anna.post(f"/orders/{reference}/cancel", of="/cart")
    assert anna.paid(demo, reference) == [("accepted", BILL_MINOR - 427)]
    assert provider.states(reference) == [("captured", 427)]


@pytest.mark.scenario(
    "S19", "money that comes for an order that was cancelled meanwhile goes back, and takes no points"
)
def test_cancelled_while_the_bank_waits(demo: Flask, anna: Browser, provider: Provider) -> None:
    reference = anna.place(method="bank")
    assert provider.states(reference) == [("authorized", 427)]
    anna.post(f"/orders/{reference}/cancel", of="/cart")
    with demo.app_context():
        newest = payments.newest(reference)
    assert newest is not None
    bank = create_bank(demo, shop_port=1).test_client()
    for _ in range(2):
        bank.post(f"/payments/{newest.token}/confirm")
    assert anna.paid(demo, reference) == [("refunded", BILL_MINOR - 427)]
    assert provider.states(reference) == [("voided", 427)]


@pytest.mark.scenario("S4", "the same checkout form from several tabs at once is one order, one hold, one payment")
def test_two_tabs(demo: Flask, anna: Browser, provider: Provider) -> None:
    anna.fill("427")
    form = anna.fields("/checkout") | ADDRESS | {"method": "card", "punktgenau_points": "427"}
    cookie = anna.http.get_cookie("halbschatten_session")
    assert cookie is not None
    tabs = [demo.test_client() for _ in range(4)]
    for tab in tabs:
        tab.set_cookie("halbschatten_session", cookie.value)
    at_once(*(lambda t=t: t.post("/checkout", data=form) for t in tabs))
    assert provider.available() == 2500 - 427
    [order] = set(re.findall(r"/orders/(A-\d+)", anna.http.get("/orders").text))
    assert anna.paid(demo, order) == [("accepted", BILL_MINOR - 427)]


@pytest.mark.scenario("S1", "forged sums, rates, owners and numbers of a checkout form change neither money nor points")
@pytest.mark.parametrize(
    "forged",
    [
        {"seen_total": "1"},
        {"punktgenau_seen_due": "0"},
        {"punktgenau_seen_due": "1", "punktgenau_seen_points": "8434"},
        {"punktgenau_points": "-427"},
        {"punktgenau_points": "4.27"},
        {"punktgenau_points": "8435"},
        {"method": "none"},
        {"method": "free"},
        {"punktgenau_seen_points": "NaN"},
    ],
)
def test_a_forged_checkout_is_shown_again(anna: Browser, provider: Provider, forged: dict[str, str]) -> None:
    anna.fill("427")
    form = anna.fields("/checkout") | ADDRESS | {"method": "card", "punktgenau_points": "427"}
    answer = anna.http.post("/checkout", data=form | forged)
    assert answer.status_code in (409, 422)
    assert provider.redemptions() == []
    assert "/orders/A-" not in anna.http.get("/orders").text


def test_extra_fields_are_nobodys(demo: Flask, anna: Browser, provider: Provider) -> None:
    anna.fill("427")
    extra = {"total": "1", "due": "0", "currency": "JPY", "rate": "100", "owner": "cust_42", "customer": "cust_42"}
    form = anna.fields("/checkout") | ADDRESS | {"method": "card", "punktgenau_points": "427"} | extra
    assert anna.http.post("/checkout", data=form).status_code == 303
    reference = re.findall(r"/orders/(A-\d+)", anna.http.get("/orders").text)[0]
    assert anna.paid(demo, reference) == [("accepted", BILL_MINOR - 427)]
    assert provider.available("mbr_42") == 42


@pytest.mark.scenario(
    "S2", "another customer, guest or swapped session neither sees an order nor pays, frees or ships it"
)
def test_somebody_elses_order(demo: Flask, anna: Browser, provider: Provider) -> None:
    reference = anna.place(method="bank")
    ben, guest, swapped = Browser(demo, "cust_42"), Browser(demo), anna
    swapped.post("/account/sign-in", of="/account", customer="cust_42")
    for stranger in (ben, guest, swapped):
        assert stranger.http.get(f"/orders/{reference}").status_code == 404
        for action, form in (
            ("pay", {"number": "2", "method": "card"}),
            ("rest", {"number": "2", "method": "card", "amount": "1"}),
            ("cancel", {}),
        ):
            assert stranger.post(f"/orders/{reference}/{action}", of="/account", **form).status_code == 404
        assert stranger.post("/demo/ship", of="/account", order_reference=reference).status_code == 404
        for path in ("/points/retry", "/points/without"):
            stranger.fill("1")
            # A guest has no form of ours at hand, and therefore no token.
            assert stranger.post(path, of="/cart", order_reference=reference).status_code == (
                400 if stranger is guest else 404
            )
    assert provider.states(reference) == [("authorized", 427)]


@pytest.mark.scenario(
    "S14", "what a customer writes into an order, and the provider into an account, is text on every page"
)
def test_markup_in_names(demo: Flask, anna: Browser, provider: Provider) -> None:
    provider.control("POST", "/members", {"id": "mbr_2500", "points": 2500})
    anna.fill("10")
    form = anna.fields("/checkout") | {**ADDRESS, "name": EVIL, "street": f"\"'{EVIL}", "city": EVIL}
    assert anna.http.post("/checkout", data=form | {"method": "card", "postcode": EVIL}).status_code == 422
    answer = anna.http.post("/checkout", data=form | {"method": "card", "punktgenau_points": "10"})
    assert answer.status_code == 303
    assert answer.location is not None
    pages = [urlsplit(answer.location).path, "/orders", "/points/history", f"/cart?next={EVIL}", f"/?lang={EVIL}"]
    for page in pages:
        assert EVIL not in anna.http.get(page).text
    assert EVIL not in anna.post("/points/apply", of="/cart", points=EVIL, next=f"/cart?{EVIL}").text
    assert EVIL not in anna.http.get("/cart").text


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_the_drawer_leads_nowhere_else(anna: Browser, back: str) -> None:
    assert anna.post("/demo/do/well", of="/cart", back=back).location == "/"


def pages_of(app: Flask) -> Iterator[str]:
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or set()) and not rule.endpoint.startswith("punktgenau"):
            yield re.sub(r"<[^>]+>", "A-1001", rule.rule)


@pytest.mark.scenario("S3", "every form of the demo shop needs the token of the session that it was shown in")
def test_every_form_of_the_shop_has_its_token(demo: Flask, anna: Browser, provider: Provider) -> None:
    reference = anna.place()
    foreign = Browser(demo, "cust_42").fields("/account")["csrf_token"]
    for path in pages_of(demo):
        for token in ({}, {"csrf_token": "x"}, {"csrf_token": foreign}):
            form = {"number": "2", "method": "card", "order_reference": reference, "sku": "karo", **token}
            assert anna.http.post(path, data=form).status_code == 400, path
    assert provider.states(reference) == [("captured", 427)]
