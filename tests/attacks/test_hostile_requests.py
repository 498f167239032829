"""Every route of the extension under hostile requests, made from a description of its inputs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from _hostile import FEW, Described, Sent, assert_proper, requests_to
from _small_shop import Provider, SmallShop, Visitor, make_small_shop

KEY = b"webhook-key-of-this-shop"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
VICTIM = ("V-7001", "V-7002", "mbr_carla", "1234567", "1,234,567", "customer-carla")
"""Carla's orders, account, points and id: nobody else may ever read one of them where they did not write it."""
PROBLEM = "application/problem+json"
FORM = frozenset({200, 303, 400, 409, 422})

ROUTES: dict[str, Described] = {
    "static": Described(path={"filename": ("punktgenau.css", "punktgenau.js")}, query=("v",), answers=frozenset(
        {200, 206, 304, 416}), types=("text/css; charset=utf-8", "text/javascript; charset=utf-8")),
    "panel": Described(query=("next", "form", "order_reference"), known=("field", "A-1", "A-2", "V-7002")),
    "vouchers": Described(query=("next", "order_reference"), answers=frozenset({200, 409, 422}),
                          types=("text/html; charset=utf-8", PROBLEM),
                          known=("A-1", "A-2", "V-7001", "V-7002")),
    "add_voucher": Described(method="POST", body="form", fields=("code", "order_reference", "next"), answers=FORM,
                             types=("text/html; charset=utf-8", PROBLEM), known=("ABCD-EFGH-9999", "A-2", "V-7002")),
    "use_voucher": Described(method="POST", body="form", fields=("voucher", "order_reference", "next"), answers=FORM,
                             types=("text/html; charset=utf-8", PROBLEM), known=("vou_0001", "A-2", "V-7002")),
    "remove_voucher": Described(method="POST", body="form", fields=("voucher", "order_reference", "next"), answers=FORM,
                                types=("application/json", PROBLEM), known=("vou_0001", "A-2", "V-7002")),
    "quote": Described(
        query=("points",), answers=frozenset({200, 409, 422}), types=("application/json", PROBLEM)
    ),
    "apply": Described(method="POST", body="form", fields=("points", "next"), answers=FORM,
                       types=("application/json", PROBLEM)),
    "remove": Described(method="POST", body="form", fields=("next",), answers=FORM | {204}, types=(PROBLEM,)),
    "history": Described(query=("cursor", "next", "show")),
    "exchange": Described(query=("next", "product", "points"), answers=frozenset({200, 409}),
                          known=("voucher_10", "427")),
    "voucher": Described(method="POST", body="form", fields=("form", "product", "points", "next"), answers=FORM,
                         types=("text/html; charset=utf-8", PROBLEM), known=("f" * 16, "voucher_10", "1000")),
    "payout": Described(method="POST", body="form", fields=("form", "points", "next"), answers=FORM,
                        types=("text/html; charset=utf-8", PROBLEM), known=("f" * 16, "427")),
    "healthz": Described(types=("application/json",)),
    "connect": Described(query=("next",), answers=frozenset({303})),
    "callback": Described(query=("state", "code", "error"), answers=frozenset({200, 303, 400}), known=("begun",)),
    "disconnect": Described(method="POST", body="form", fields=("next",), answers=FORM, types=(PROBLEM,)),
    "retry": Described(method="POST", body="form", fields=("order_reference",), answers=FORM, types=(PROBLEM,),
                       known=("A-1", "A-2", "V-7001", "V-7002")),
    "without": Described(method="POST", body="form", fields=("order_reference",), answers=FORM, types=(PROBLEM,),
                         known=("A-1", "A-2", "V-7001", "V-7002")),
    "webhook": Described(method="POST", body="json", fields=("id", "type", "timestamp", "data"),
                         answers=frozenset({204, 401}), types=(PROBLEM,),
                         known=("evt_1", "redemption.captured", "2026-11-22T10:00:00Z")),
}  # fmt: skip


@dataclass
class Attacked:
    """The shop, the cookies of those who attack it, and what must not change."""

    small: SmallShop
    cookies: tuple[str, ...]
    tokens: tuple[str, ...]
    states: tuple[str, ...]
    foreign_token: str

    @property
    def app(self) -> Flask:
        return self.small.app

    def rows(self, *, whose: str) -> list[tuple[Any, ...]]:
        """What the journal keeps about links, orders and events: carla's alone, or all."""
        where = "customer_id = 'customer-carla'" if whose == "carla" else "1"
        with closing(sqlite3.connect(Path(self.app.instance_path) / "punktgenau.sqlite")) as journal:
            links = journal.execute(f"SELECT customer_id, member_id, consent_id FROM punktgenau_link WHERE {where}")
            found = links.fetchall()
            found += journal.execute(f"SELECT * FROM punktgenau_redemption WHERE {where}").fetchall()
            found += journal.execute(f"SELECT * FROM punktgenau_exchange WHERE {where}").fetchall()
            if whose == "all":
                found += journal.execute("SELECT id, key, kind, outcome FROM punktgenau_operation").fetchall()
                found += journal.execute("SELECT id FROM punktgenau_event").fetchall()
        return sorted(found, key=repr)

    def wish(self, cookie: str) -> object:
        """What a session wishes for."""
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        return serializer.loads(cookie).get("_punktgenau") if cookie else None


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, attacked_provider: Provider, empty_journal: Path) -> Attacked:
    """A shop in the middle of its work: anna and carla are linked, and have orders that are not confirmed."""
    attacked_provider.control("POST", "/reset")
    attacked_provider.control("POST", "/members", {"id": "mbr_carla", "points": 1234567})
    small = make_small_shop(
        tmp_path_factory.mktemp("hostile"),
        provider=attacked_provider,
        provider_url=attacked_provider.url,
        PUNKTGENAU_WEBHOOK_SECRETS=SECRET,
        PUNKTGENAU_INLINE_RECOVERY=0,
    )
    small.link("anna", "mbr_2500")
    small.link("customer-carla", "mbr_carla")
    carla = small.visitor("customer-carla")
    _place(carla, "V-7001", "V-7002", points=100)
    anna, ben, guest = small.visitor("anna"), small.visitor("ben"), small.visitor()
    _place(anna, "A-1", "A-2", points=42)
    anna.apply("427")
    states = tuple(_state_of(one) for one in (anna, ben, guest))
    browsers = (anna, ben, guest)
    return Attacked(
        small=small,
        cookies=(*(_cookie(one) for one in browsers), ""),
        tokens=(*(one.token() for one in browsers), ""),
        states=(*states, "none"),
        foreign_token=carla.token(),
    )


def _place(visitor: Visitor, held: str, open_: str, *, points: int) -> None:
    """One order whose points are held, and one that waits for the customer to say how to go on."""
    visitor.apply(points)
    assert visitor.place(held, card="later").status_code == 303
    visitor.small.shop.order(open_, customer_id=visitor.small.shop.orders[held].customer_id)


def _state_of(visitor: Visitor) -> str:
    assert visitor.browser.get("/points/connect").status_code == 303
    visitor.token()
    with visitor.browser.session_transaction() as kept:
        return str(kept["_punktgenau_link"][-1][0])


def _cookie(visitor: Visitor) -> str:
    cookie = visitor.browser.get_cookie("session")
    assert cookie is not None
    return cookie.value


def _send(attacked: Attacked, sent: Sent, *, endpoint: str) -> tuple[TestResponse, bool]:
    """Send it as one of them; and whether it may change anything."""
    cookie = attacked.cookies[sent.who]
    token = {"right": attacked.tokens[sent.who], "none": "", "garbage": "x.y.z", "foreign": attacked.foreign_token}
    headers = dict(sent.headers)
    if cookie:
        headers["Cookie"] = f"session={cookie}"
    if sent.origin != "unsaid":
        headers.pop("Referer", None)
        headers["Origin"] = "http://localhost" if sent.origin == "own" else "https://evil.example"
    if sent.token != "none":
        headers["X-Punktgenau-CSRF"] = token[sent.token]
    body = sent.body if sent.pairs is None else urlencode(sent.pairs).encode()
    url = sent.url.replace("begun", attacked.states[sent.who])
    signed = endpoint == "webhook" and sent.token == "right"
    if signed:
        headers |= _signature(body or b"")
    answer = attacked.app.test_client(use_cookies=False).open(
        url, method=sent.method, data=body, content_type=sent.content_type, headers=headers, buffered=True
    )
    from_here = sent.origin == "own" or (sent.origin == "unsaid" and "evil.example" not in headers.get("Referer", ""))
    is_form = sent.method == "POST" and sent.token == "right" and from_here and cookie != ""
    return answer, signed if endpoint == "webhook" else is_form


def _signature(body: bytes) -> dict[str, str]:
    at = str(int(time.time()))
    mac = hmac.digest(KEY, f"evt_1.{at}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(mac).decode()}"
    return {"webhook-id": "evt_1", "webhook-timestamp": at, "webhook-signature": signature}


def _rules(app: Flask) -> dict[str, Rule]:
    return {
        rule.endpoint.removeprefix("punktgenau."): rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("punktgenau.")
    }


def test_every_route_is_described(attacked: Attacked) -> None:
    rules = _rules(attacked.app)
    assert rules.keys() == ROUTES.keys()
    for endpoint, rule in rules.items():
        assert (rule.methods or set()) - {"HEAD", "OPTIONS"} == {ROUTES[endpoint].method}
        assert rule.arguments == set(ROUTES[endpoint].path)


@pytest.mark.parametrize("endpoint", ROUTES)
def test_hostile_requests_get_a_proper_answer_and_change_nothing(attacked: Attacked, endpoint: str) -> None:
    described, rule = ROUTES[endpoint], _rules(attacked.app)[endpoint]

    wanted = requests_to(rule, described)

    @FEW
    @given(st.data())
    def attack(data: st.DataObject) -> None:
        sent = data.draw(wanted)
        carlas, everything = attacked.rows(whose="carla"), attacked.rows(whose="all")
        answer, may_write = _send(attacked, sent, endpoint=endpoint)
        written = "".join(map(str, (sent.url, sent.pairs, sent.body)))
        assert_proper(answer, described, sent, secrets=tuple(one for one in VICTIM if one not in written))
        assert attacked.rows(whose="carla") == carlas
        if not may_write:
            assert attacked.rows(whose="all") == everything
            assert_wish_as_it_was(attacked, sent, answer)
        assert_stays_here(answer, attacked.small.provider.url, endpoint=endpoint)
        if answer.status_code != 405 and endpoint != "static" and sent.method != "OPTIONS":
            assert_private(answer)

    attack()


def assert_wish_as_it_was(attacked: Attacked, sent: Sent, answer: TestResponse) -> None:
    for line in answer.headers.getlist("Set-Cookie"):
        name, _, rest = line.partition("=")
        value, _, attributes = rest.partition(";")
        assert (name, "HttpOnly" in attributes) == ("session", True)
        assert attacked.wish(value) == attacked.wish(attacked.cookies[sent.who])


def assert_stays_here(answer: TestResponse, provider_url: str, *, endpoint: str) -> None:
    where = answer.headers.get("Location", "/")
    is_provider = endpoint == "connect" and where.startswith(f"{provider_url}/oauth/authorize?")
    assert is_provider or (where.startswith("/") and not where.startswith(("//", "/\\"))), where


def assert_private(answer: TestResponse) -> None:
    headers = answer.headers
    assert headers.get("Cache-Control") == "no-store", answer.request.path
    assert "Cookie" in headers.get("Vary", "")
    assert (headers.get("X-Content-Type-Options"), headers.get("X-Frame-Options")) == ("nosniff", "SAMEORIGIN")


def test_the_provider_keeps_what_it_kept(attacked: Attacked, attacked_provider: Provider) -> None:
    """After all of it (or before, if it comes first): carla's points are where she put them."""
    assert attacked_provider.states("V-7001") == [("authorized", 100)]
    assert attacked_provider.states("V-7002") == []
    assert attacked_provider.available("mbr_carla") == 1234467
