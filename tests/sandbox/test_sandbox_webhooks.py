"""The sandbox pushes its events: signed as the standard says, at least once, and wrongly when told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

KEY = b"0123456789abcdefghijklmn"
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass
class Listener:
    """A partner's door that notes what comes."""

    url: str = ""
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        with self.news:
            self.came.append((headers, body))
            self.news.notify_all()
            return self.answers.pop(0) if self.answers else 204

    def wait_for(self, count: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.came) >= count, timeout=20)

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.came]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.came]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = listener.take({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    listener.url = f"http://127.0.0.1:{server.server_port}/points/webhook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield listener
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told(shop: Any, listener: Listener) -> Iterator[Any]:
    """The shop, told of events when it asks."""
    subscribe(shop, listener, when="asked")
    yield shop
    shop.http.delete(f"{shop.url}/sandbox/webhooks", timeout=20)


def subscribe(shop: Any, listener: Listener, **more: Any) -> None:
    reply = shop.post("/sandbox/webhooks", {"url": listener.url, "secret": SECRET, **more})
    assert reply.status_code == 201, reply.text
    assert SECRET not in reply.text + shop.get("/sandbox/webhooks").text


def deliver(shop: Any, fault: str | None = None) -> list[tuple[str, int | None]]:
    reply = shop.post("/sandbox/webhooks/deliver", {"fault": fault})
    assert reply.status_code == 200, reply.text
    return [(item["type"], item["status"]) for item in reply.json()["items"]]


def is_signed(headers: dict[str, str], body: bytes, *, key: bytes = KEY) -> bool:
    """By hand, as the standard says."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{mac}"


def now_s(shop: Any) -> float:
    """The sandbox's own time."""
    return datetime.fromisoformat(shop.get("/sandbox/clock").json()["now"]).timestamp()


def hold_and_capture(shop: Any) -> str:
    red: str = shop.authorize().json()["id"]
    assert shop.post(f"/v1/redemptions/{red}/capture", {}, key="key-2").status_code == 200
    return red


def test_what_is_pushed_is_what_stands_in_the_log(told: Any, listener: Listener) -> None:
    red = hold_and_capture(told)
    assert listener.came == []
    assert deliver(told) == [("redemption.authorized", 204), ("redemption.captured", 204)]
    assert deliver(told) == []
    log = told.get("/v1/events").json()["items"][-2:]
    assert [json.loads(body) for _, body in listener.came] == log
    assert log[1]["data"]["redemption_id"] == red
    for headers, body in listener.came:
        assert is_signed(headers, body)
        assert headers["content-type"] == "application/json"
        assert headers["webhook-id"] == json.loads(body)["id"]
        assert abs(int(headers["webhook-timestamp"]) - now_s(told)) < 60


def test_what_was_before_is_pushed_only_when_asked_for(told: Any, listener: Listener) -> None:
    hold_and_capture(told)
    subscribe(told, listener, when="asked")
    assert deliver(told) == []
    subscribe(told, listener, when="asked", after=0)
    assert [kind for kind, _ in deliver(told)][-2:] == ["redemption.authorized", "redemption.captured"]


def test_at_least_once(told: Any, listener: Listener) -> None:
    hold_and_capture(told)
    listener.answers[:] = [503]
    assert deliver(told) == [("redemption.authorized", 503)]
    listener.answers[:] = [204, 500]
    assert deliver(told) == [("redemption.authorized", 204), ("redemption.captured", 500)]
    assert deliver(told) == [("redemption.captured", 204)]
    assert deliver(told) == []


def test_nobody_is_there(told: Any, listener: Listener) -> None:
    reply = told.post("/sandbox/webhooks", {"url": "http://127.0.0.1:9/", "secret": SECRET, "when": "asked"})
    assert reply.status_code == 201
    hold_and_capture(told)
    found = deliver(told)
    assert found.count(("redemption.authorized", None)) == 1
    assert found.count(("redemption.captured", 204)) == 1


def test_soon_without_being_asked_and_again_until_it_is_taken(shop: Any, listener: Listener) -> None:
    listener.answers[:] = [500, 204]
    subscribe(shop, listener)
    hold_and_capture(shop)
    listener.wait_for(3)
    assert listener.types() == ["redemption.authorized"] * 2 + ["redemption.captured"]
    assert len(set(listener.ids())) == 2
    shop.http.delete(f"{shop.url}/sandbox/webhooks", timeout=20)
    assert shop.get("/sandbox/webhooks").json() == {"items": []}


def test_early_is_before_the_answer(shop: Any, listener: Listener) -> None:
    subscribe(shop, listener, when="early")
    shop.fault("authorize", "status_500", when="after")
    assert shop.authorize().status_code == 500
    assert listener.types() == ["redemption.authorized"]
    shop.http.delete(f"{shop.url}/sandbox/webhooks", timeout=20)


@pytest.mark.parametrize(("fault", "away_s"), [("late", -3600), ("future", 3600)])
def test_at_a_time_that_is_not_now(told: Any, listener: Listener, fault: str, away_s: int) -> None:
    hold_and_capture(told)
    listener.answers[:] = [401, 401]
    assert [status for _, status in deliver(told, fault)] == [401, 401]
    for headers, body in listener.came:
        assert is_signed(headers, body)
        assert abs(int(headers["webhook-timestamp"]) - now_s(told) - away_s) < 60
    assert [status for _, status in deliver(told)] == [204, 204]


def test_out_of_order_and_repeated(told: Any, listener: Listener) -> None:
    hold_and_capture(told)
    listener.answers[:] = [204, 500]
    deliver(told, "out_of_order")
    assert listener.types() == ["redemption.captured", "redemption.authorized"]
    deliver(told, "repeated")
    assert listener.types()[2:] == ["redemption.authorized", "redemption.captured"] * 3
    assert deliver(told) == []


def test_forged(told: Any, listener: Listener) -> None:
    hold_and_capture(told)
    deliver(told, "forged")
    assert not any(is_signed(headers, body) for headers, body in listener.came)
    assert len(deliver(told)) == 2  # the genuine ones are still to come


def test_mismatching(told: Any, listener: Listener) -> None:
    hold_and_capture(told)
    deliver(told, "mismatching")
    assert len(deliver(told)) == 2
    (first, lie), *_ = listener.came
    assert is_signed(first, lie)
    assert json.loads(lie)["data"]["order_reference"] == "OTHER-1"
    assert json.loads(lie)["data"]["idempotency_key"] == "key-1"
    assert len(set(listener.ids())) == 4


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://example.com/", "secret": SECRET},
        {"url": "https://127.0.0.1/", "secret": SECRET},
        {"url": "file:///etc/passwd", "secret": SECRET},
        {"url": "http://[::1", "secret": SECRET},
        {"url": "http://127.0.0.1:99999/", "secret": SECRET},
        {"url": "http://127.0.0.1:9/", "secret": "secret"},
        {"url": "http://127.0.0.1:9/", "secret": "whsec_"},
        {"url": "http://127.0.0.1:9/", "secret": "whsec_ä"},
        {"url": "http://127.0.0.1:9/", "secret": SECRET, "when": "never"},
        {"url": "http://127.0.0.1:9/"},
    ],
)
def test_only_to_this_machine_and_only_signed(shop: Any, body: dict[str, Any]) -> None:
    reply = shop.post("/sandbox/webhooks", body)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert shop.get("/sandbox/webhooks").json() == {"items": []}


def test_a_reset_forgets_who_wanted_to_be_told(told: Any) -> None:
    told.http.post(f"{told.url}/sandbox/reset", timeout=20)
    assert told.get("/sandbox/webhooks").json() == {"items": []}
