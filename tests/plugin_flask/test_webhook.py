"""`POST /points/webhook`: the provider's server knocks, and so does everybody else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from _small_shop import Provider, SmallShop, make_small_shop
from flask_punktgenau import Punktgenau
from punktgenau import Client, ConfigurationError

KEY = b"webhook-key-of-this-shop"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@pytest.fixture
def shop(make_shop: Callable[..., SmallShop]) -> SmallShop:
    """A shop with a secret for webhooks; order A-1 holds 427 of anna's points."""
    shop = make_shop(PUNKTGENAU_WEBHOOK_SECRETS=SECRET)
    shop.link()
    anna = shop.visitor("anna")
    anna.apply("427")
    anna.place("A-1", card="later")
    return shop


def body_of(shop: SmallShop, *, event_id: str = "evt_1", state: str = "voided", **data: object) -> bytes:
    payment = shop.find("A-1")
    assert payment is not None
    said = {"idempotency_key": payment.idempotency_key, "order_reference": "A-1", "state": state, **data}
    event = {"id": event_id, "type": f"redemption.{state}", "timestamp": "2026-11-22T10:00:00Z", "data": said}
    return json.dumps(event).encode()


def knock(
    app: Flask, body: bytes, *, event_id: str = "evt_1", key: bytes = KEY, away_s: int = 0, **headers: str
) -> TestResponse:
    """Send a webhook, signed by hand."""
    at = str(int(time.time()) + away_s)
    mac = hmac.new(key, f"{event_id}.{at}.".encode() + body, hashlib.sha256).digest()
    signed = {
        "webhook-id": event_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
    return app.test_client().post(
        "/points/webhook", data=body, content_type="application/json", headers={**signed, **headers}
    )


def recover(shop: SmallShop) -> None:
    with shop.app.app_context():
        shop.points.checkout.recover(due_only=True)


def state_of(shop: SmallShop) -> str:
    payment = shop.find("A-1")
    assert payment is not None
    return payment.state


@pytest.mark.scenario("C13", "a webhook is answered once it is written down; the provider is asked afterwards")
def test_a_genuine_event_is_taken_and_followed_up(shop: SmallShop, provider: Provider) -> None:
    recover(shop)
    asked = provider.operations()
    answer = knock(shop.app, body_of(shop))
    assert (answer.status_code, answer.data) == (204, b"")
    assert provider.operations() == asked
    recover(shop)
    assert provider.operations()[0] == "get"
    assert state_of(shop) == "authorized"  # what it said is not so


@pytest.mark.scenario("S7", "a genuine webhook again within the tolerance: taken once; outside of it: refused")
def test_replayed(shop: SmallShop, provider: Provider) -> None:
    recover(shop)
    for _ in range(3):
        assert knock(shop.app, body_of(shop)).status_code == 204
        recover(shop)
    assert provider.operations().count("get") == 1
    for away_s in (-400, 400):
        assert knock(shop.app, body_of(shop, event_id="evt_2"), event_id="evt_2", away_s=away_s).status_code == 401


@pytest.mark.scenario("S6", "forged, unsigned, by another's secret: 401, always the same words, no side effect")
def test_forged(shop: SmallShop, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    recover(shop)
    asked = provider.operations()
    genuine = body_of(shop)
    with caplog.at_level(logging.DEBUG):
        answers = [
            knock(shop.app, genuine, key=b"another-merchants-secret"),
            knock(shop.app, genuine, **{"webhook-signature": "v1"}),
            knock(shop.app, genuine, **{"webhook-signature": "v1,\xff"}),
            knock(shop.app, genuine, **{"webhook-id": "evt_2"}),
            knock(shop.app, genuine, away_s=-3600),
            knock(shop.app, b"\xff\xfe"),
            knock(shop.app, b"{}"),
            shop.app.test_client().post("/points/webhook", data=genuine),
            shop.app.test_client().post("/points/webhook", data={"points": "1"}),
        ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.content_type for answer in answers} == {"application/problem+json"}
    assert len({answer.data for answer in answers}) == 1
    body = answers[0].get_json()
    assert (body["code"], body["outcome"], body["status"]) == ("webhook_signature", "not_done", 401)
    assert SECRET not in caplog.text
    assert "whsec" not in caplog.text
    recover(shop)
    assert provider.operations() == asked


@pytest.mark.scenario("S8", "a genuine webhook about another order than its key's: taken, kept apart, nothing moved")
def test_a_genuine_event_that_contradicts_itself(shop: SmallShop, provider: Provider) -> None:
    recover(shop)
    assert knock(shop.app, body_of(shop, order_reference="A-2")).status_code == 204
    recover(shop)
    assert "get" not in provider.operations()


@pytest.mark.scenario("B7", "an event of the future is taken with 2xx, so the provider does not repeat it for ever")
def test_types_that_nobody_knows_yet(shop: SmallShop) -> None:
    body = b'{"id":"evt_1","type":"wallet.opened","timestamp":"2026-11-22T10:00:00Z","data":{}}'
    assert knock(shop.app, body).status_code == 204


def test_one_byte_more_than_bearable_is_not_read(shop: SmallShop) -> None:
    body = body_of(shop)
    fits = body + b" " * (64 * 1024 - len(body))
    assert knock(shop.app, fits).status_code == 204
    assert knock(shop.app, fits + b" ").status_code == 413


@pytest.mark.parametrize("first", [True, False])
def test_a_shop_that_guards_its_forms_lets_webhooks_in(
    make_shop: Callable[..., SmallShop], provider: Provider, first: bool
) -> None:
    """Whichever of the two extensions is set up first; forms stay guarded."""
    shop = make_shop(PUNKTGENAU_WEBHOOK_SECRETS=SECRET)
    app = shop.app
    if first:
        app = Flask("guarded", instance_path=shop.app.instance_path)
        app.config.update(shop.app.config)
        CSRFProtect(app)
        Punktgenau(app)
    else:
        CSRFProtect(app)
    body = b'{"id":"evt_1","type":"wallet.opened","timestamp":"2026-11-22T10:00:00Z","data":{}}'
    assert knock(app, body).status_code == 204
    assert knock(app, body, key=b"x" * 24).status_code == 401
    assert app.test_client().post("/points/apply", data={"points": "1"}).status_code == 400


def test_without_secrets_there_is_no_such_door(small: SmallShop) -> None:
    assert knock(small.app, b"{}").status_code == 404


@pytest.mark.scenario("C13", "the journal does not take it: 503, so the provider says it again, and then it is taken")
def test_a_journal_that_is_away(tmp_path: Path, provider: Provider) -> None:
    config = {
        "PUNKTGENAU_WEBHOOK_SECRETS": SECRET,
        "PUNKTGENAU_DATABASE_URL": f"sqlite:///{tmp_path / 'journal.sqlite'}",
    }
    shop = make_small_shop(tmp_path, provider=provider, provider_url=provider.url, **config)
    body = b'{"id":"evt_1","type":"wallet.opened","timestamp":"2026-11-22T10:00:00Z","data":{}}'
    answer = knock(shop.app, body)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    with shop.app.app_context():
        shop.points.upgrade()
    assert knock(shop.app, body).status_code == 204


def test_secrets_are_rotated(make_shop: Callable[..., SmallShop]) -> None:
    new = "whsec_" + base64.b64encode(b"n" * 32).decode()
    shop = make_shop(PUNKTGENAU_WEBHOOK_SECRETS=f" {new} , {SECRET},")
    body = b'{"id":"evt_1","type":"wallet.opened","timestamp":"2026-11-22T10:00:00Z","data":{}}'
    for key, status in ((KEY, 204), (b"n" * 32, 204), (b"o" * 32, 401)):
        assert knock(shop.app, body, key=key).status_code == status


@pytest.mark.parametrize("secrets", ["secret", "whsec_", f"{SECRET},whsec_%", "whsec_AAAA"])
def test_secrets_that_cannot_be_meant_stop_the_start(make_shop: Callable[..., SmallShop], secrets: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_shop(PUNKTGENAU_WEBHOOK_SECRETS=secrets)
    assert caught.value.field == "PUNKTGENAU_WEBHOOK_SECRETS"
    assert SECRET not in str(caught.value)


@pytest.fixture
def door(shop: SmallShop, provider: Provider) -> Iterator[str]:
    """The shop's address for webhooks, on a real server that the provider reaches; both go by one clock."""
    clock = provider.control("GET", "/clock")
    assert isinstance(clock, dict)
    shop.clock.shift = timedelta(seconds=int(clock["advanced_s"]))
    server = make_server("127.0.0.1", 0, shop.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/points/webhook"
    provider.control("DELETE", "/webhooks")
    server.shutdown()
    thread.join()
    server.server_close()


def deliver(provider: Provider, fault: str | None = None) -> set[object]:
    answer = provider.control("POST", "/webhooks/deliver", {"fault": fault})
    assert isinstance(answer, dict)
    return {item["status"] for item in answer["items"]}


@pytest.mark.scenario("K9", "a provider's webhooks late, forged, about others, repeated, out of order: one truth")
@pytest.mark.scenario("S8", "a webhook about another order than its key's, between true ones: kept apart")
def test_from_a_provider_at_its_worst(shop: SmallShop, provider: Provider, door: str) -> None:
    recover(shop)
    provider.control("POST", "/webhooks", {"url": door, "secret": SECRET, "when": "asked"})
    with Client(provider.url, client_id="demo-shop", client_secret="demo-secret") as desk:
        desk.redemptions.capture(str(provider.redemptions("A-1")[0]["id"]))
        desk.redemptions.reverse(str(provider.redemptions("A-1")[0]["id"]), points=27, return_reference="R-1")
    for fault, statuses in (("late", {401}), ("future", {401}), ("forged", {401}), ("mismatching", {204})):
        assert deliver(provider, fault) == statuses
        recover(shop)
        assert state_of(shop) == "authorized"
    for fault in ("out_of_order", "repeated"):
        assert deliver(provider, fault) <= {204}
    recover(shop)
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points) == ("partially_reversed", 400)


@pytest.mark.scenario("K9", "the webhook is there before the answer that it is about, which is lost: held once")
def test_before_the_answer(shop: SmallShop, provider: Provider, door: str) -> None:
    provider.control("POST", "/webhooks", {"url": door, "secret": SECRET, "when": "early"})
    provider.fault("authorize", "reset", when="after", times=4)
    anna = shop.visitor("anna")
    anna.apply("100")
    anna.place("A-2", card="later")
    lost = shop.find("A-2")
    assert lost is not None
    assert lost.state == "authorizing"
    provider.no_faults()
    # The webhook's own request has looked already, while the call was still going on.
    shop.clock.shift += timedelta(seconds=6)
    recover(shop)
    payment = shop.find("A-2")
    assert payment is not None
    assert payment.state == "authorized"
    assert provider.states("A-2") == [("authorized", 100)]
