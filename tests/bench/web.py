"""M-W1 to M-W4: what our routes cost in a shop, through WSGI without sockets, beside the least that such routes do."""

from __future__ import annotations

import hmac
import io
import json
import os
import sqlite3
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
from flask import Flask, Response, jsonify, redirect, request, session
from werkzeug.test import EnvironBuilder

from _small_shop import Provider, SmallShop, make_small_shop
from bench.candidates import plain_requests
from bench.client import CREDENTIALS, MEMBER
from bench.measure import Call, Row, compared, counted, in_turn, microseconds, ratio, same
from bench.pairs import driver_pair, fresh
from bench.servers import sandbox
from bench.stub import engine
from punktgenau.webhooks import verify

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes ...").decode()


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """One shop with everything as shipped: extension, engine, journal on SQLite, client, sandbox over TCP."""
    with ExitStack() as stack:
        url = stack.enter_context(sandbox())
        http = stack.enter_context(requests.Session())
        http.trust_env = False
        http.post(f"{url}/sandbox/members", json={"id": MEMBER, "points": 10**12}, timeout=10).raise_for_status()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        small = _shop(folder, Provider(url, http), name="shop")
        size, rounds = (40, 10) if quick else (100, 40)
        found = []
        if not figures or figures & {"M-W1", "M-W2"}:
            found += _box(small, _stubbed(folder, small.provider), size=size, rounds=rounds)
        if not figures or "M-W3" in figures:
            found += _checkout(small, url, http, size=max(10, size // 4), rounds=rounds)
    if not figures or "M-W4" in figures:
        found += _webhook(size=size, rounds=rounds)
    return found


def _shop(folder: Path, provider: Provider, *, name: str) -> SmallShop:
    made = make_small_shop(folder, provider=provider, provider_url=provider.url, name=name)
    made.link(member_id=MEMBER)
    # The balance, and which vouchers there are, stay fresh, as they do while somebody types.
    stands, since = datetime.now(UTC), made.clock.monotonic()
    made.clock.now = lambda: stands  # type: ignore[method-assign]
    made.clock.monotonic = lambda: since  # type: ignore[method-assign]
    return made


def _stubbed(folder: Path, provider: Provider) -> SmallShop:
    """Another one, whose journal answers from memory: M-W1 is about the route, without client and journal."""
    made = _shop(folder, provider, name="stubbed")
    with made.app.app_context():
        checkout = made.points.checkout
    checkout.balance("anna")
    link = checkout.find_link("anna")
    checkout._links.find = lambda customer_id: link  # type: ignore[method-assign]
    return made


def _box(small: SmallShop, stubbed: SmallShop, *, size: int, rounds: int) -> list[Row]:
    anna, least = small.visitor("anna"), _least()
    assert anna.apply("427").status_code == 303
    assert anna.browser.get("/points/panel").status_code == 200
    token, cookie = anna.token(), _cookie(anna.browser)
    form = {"points": "427", "next": "/cart", "punktgenau_csrf": token}
    calls: dict[str, Call] = {
        "route": _route(stubbed.app, "POST", "/points/apply", cookie, form, expected="303"),
        "apply": _route(small.app, "POST", "/points/apply", cookie, form, expected="303"),
        "quote": _route(small.app, "GET", "/points/quote?points=427", cookie),
        "panel": _route(small.app, "GET", "/points/panel", cookie),
        "post": _route(least, "POST", "/post", cookie, form, expected="303"),
        "again": _route(least, "POST", "/post", cookie, form, expected="303"),
        "get": _route(least, "GET", "/get", cookie),
    }
    asked = len(small.provider.operations())
    spent = in_turn(calls, size=size, rounds=rounds)
    more = len(small.provider.operations()) - asked
    what = "`POST /points/apply` through WSGI, {} / POST of the same form with hooks and session"
    return [
        compared("M-W1", what.format("journal stubbed"), spent, most=1.5, ours="route", beside="post"),
        compared("M-W1", what.format("with its read of the journal"), spent, most=None, ours="apply", beside="post"),
        same("M-W1", spent, floor="post"),
        *(
            compared("M-W2", f"`GET /points/{name}`, fresh balance / jsonify", spent, most=2, ours=name, beside="get")
            for name in ("quote", "panel")
        ),
        counted("M-W2", "provider calls meanwhile", more, most=0, exactly=True),
    ]


def _least() -> Flask:
    """Routes that do what ours cannot do without."""
    app = Flask("least")
    app.config.update(SECRET_KEY="only for tests", TESTING=True)

    @app.before_request
    def before() -> None:
        return None

    @app.after_request
    def after(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.post("/post")
    def post() -> Any:
        session["wish"] = {"points": int(request.form["points"]), "customer": "anna", "currency": "EUR"}
        return redirect(request.form["next"], 303)

    @app.get("/get")
    def get() -> Any:
        return jsonify(points=427, value="4.27", due="55.63")

    return app


def _checkout(small: SmallShop, url: str, http: requests.Session, *, size: int, rounds: int) -> list[Row]:
    anna, least = small.visitor("anna"), _least()
    anna.apply("427")
    cookie = _cookie(anna.browser)
    reply = http.post(f"{url}/oauth/token", data={"grant_type": "client_credentials"}, auth=CREDENTIALS, timeout=10)
    token = f"Bearer {reply.json()['access_token']}"
    orders = (f"/place/{fresh()}" for _ in iter(int, 1))
    with tempfile.TemporaryDirectory() as folder, engine(f"sqlite:///{Path(folder) / 'journal.sqlite'}") as checkout:
        raw = sqlite3.connect(Path(folder) / "journal.sqlite", isolation_level=None)
        raw.execute("PRAGMA synchronous=FULL")
        calls: dict[str, Call] = {
            "ours": lambda: _route(small.app, "POST", next(orders), cookie, {}, expected="303")(),
            "post": lambda: _route(least, "POST", "/post", cookie, {"points": "427", "next": "/x"}, expected="303")(),
            "call": plain_requests(url, path="/v1/redemptions", token=token, member_id=MEMBER),
            "pair": driver_pair(checkout, raw),
        }
        spent = in_turn(calls, size=size, rounds=rounds)
        raw.close()
    parts = zip(spent["post"], spent["call"], spent["pair"], strict=True)
    two = [post + 2 * call + 2 * pair for post, call, pair in parts]
    found = ratio(spent["ours"], two)
    return [
        Row(
            figure="M-W3",
            what="an order placed and paid with points through WSGI / POST + 2 x requests + 2 x driver pairs",
            ours=microseconds(spent["ours"]),
            beside=microseconds(two),
            ratio=str(found),
            target="<= 1.25",
            met=found.middle <= 1.25,
        )
    ]


def _webhook(*, size: int, rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, engine(f"sqlite:///{Path(folder) / 'journal.sqlite'}") as checkout:
        raw = sqlite3.connect(Path(folder) / "plain.sqlite", isolation_level=None)
        for text in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE heard(id PRIMARY KEY, at)"):
            raw.execute(text)
        now = datetime.now(UTC)
        mail = _signed(now, count=size * (rounds + 1))
        plain, again = (_signed(now, count=size * (rounds + 1)) for _ in range(2))

        def ours() -> object:
            body, headers = next(mail)
            return checkout.hear(verify(body, headers, secrets=[SECRET], now=now))

        def floor(letters: Iterator[tuple[bytes, dict[str, str]]]) -> object:
            body, headers = next(letters)
            key = headers["webhook-id"]
            signed = f"{key}.{headers['webhook-timestamp']}.".encode() + body
            assert hmac.digest(_KEY, signed, sha256)
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("INSERT INTO heard VALUES (?, ?)", (key, 1))
            raw.execute("COMMIT")
            return None

        calls: dict[str, Call] = {"ours": ours, "floor": lambda: floor(plain), "again": lambda: floor(again)}
        spent = in_turn(calls, size=size, rounds=rounds)
        raw.close()
    what = "webhook verified, deduplicated, written down / one HMAC + one commit"
    return [compared("M-W4", what, spent, most=2.0), same("M-W4", spent)]


_KEY = b"a secret of thirty-two bytes ..."


def _signed(now: datetime, *, count: int) -> Iterator[tuple[bytes, dict[str, str]]]:
    """Letters that are there before the clock runs."""
    letters = []
    for number in range(count):
        key, stamp = f"evt_{fresh()}", str(int(now.timestamp()))
        data = {"redemption_id": f"red_{number}", "idempotency_key": f"key-{number}", "state": "captured"}
        event = {"id": key, "type": "redemption.captured", "sequence": number, "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        body = json.dumps({**event, "data": data}).encode()
        signature = b64encode(hmac.digest(_KEY, f"{key}.{stamp}.".encode() + body, sha256)).decode()
        headers = {"webhook-id": key, "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}
        letters.append((body, headers))
    return iter(letters)


def _route(
    app: Flask, method: str, path: str, cookie: str, form: dict[str, str] | None = None, *, expected: str = "200"
) -> Call:
    """One request through the app's WSGI callable."""
    made = EnvironBuilder(path=path, method=method, data=form, headers={"Cookie": cookie}).get_environ()
    body = made["wsgi.input"].read()

    def start(status: str, headers: Any, trouble: Any = None) -> Any:
        if not status.startswith(expected):
            sys.stderr.write(f"{method} {path}: {status}\n")
            os._exit(1)

    def call() -> object:
        answer = app({**made, "wsgi.input": io.BytesIO(body)}, start)
        whole = b"".join(answer)
        answer.close()  # type: ignore[attr-defined]
        return whole

    return call


def _cookie(browser: Any) -> str:
    found = browser.get_cookie("session")
    return f"session={found.value}"
