"""Every fault as the caller meets it, over a real connection, and what became of the points."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests

from punktgenau.sandbox import Fault, FaultOnWire
from punktgenau.sandbox.faults import KINDS

RED = "/v1/redemptions"
HELD = {"before": (2500, 0), "after": (2073, 427)}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "status", "content_type", "code"),
    [
        ("html_200", 200, "text/html; charset=utf-8", None),
        ("html_502", 502, "text/html; charset=utf-8", None),
        ("empty_200", 200, "application/json", None),
        ("other_json_200", 200, "application/json", None),
        ("malformed_json", 200, "application/json", None),
        ("status_500", 500, "application/problem+json", "internal_error"),
        ("status_503", 503, "application/problem+json", "unavailable"),
        ("status_429", 429, "application/problem+json", "rate_limited"),
        ("in_progress_409", 409, "application/problem+json", "operation_in_progress"),
        ("redirect", 307, "text/html; charset=utf-8", None),
    ],
)
def test_a_wrong_answer_once(shop: Any, when: str, kind: str, status: int, content_type: str, code: str | None) -> None:
    shop.fault("authorize", kind, when=when)
    reply = shop.authorize()
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, content_type)
    if code is not None:
        assert reply.json()["code"] == code
    assert shop.balance() == HELD[when]
    # The same call again is whole, whatever the first one was told.
    again = shop.authorize()
    assert (again.status_code, again.json()["state"]) == ({"before": 201, "after": 200}[when], "authorized")
    assert shop.balance() == (2073, 427)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("reset", {}),
        ("hang", {"delay_s": 0.2}),
        ("truncated_body", {}),
        ("drip_headers", {"delay_s": 0.2}),
        ("drip_body", {"delay_s": 0.2}),
    ],
)
def test_a_broken_connection_once(shop: Any, when: str, kind: str, more: dict[str, Any]) -> None:
    shop.fault("authorize", kind, when=when, **more)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        shop.authorize()
    assert shop.balance() == HELD[when]
    assert shop.authorize().json()["state"] == "authorized"
    assert shop.balance() == (2073, 427)
    log = shop.get("/sandbox/requests").json()["items"]
    assert [entry["fault"] for entry in log if entry["operation"] == "authorize"] == [None, kind]
    assert [entry["status"] for entry in log if entry["fault"]] == [None]


def test_a_hanging_request_holds_up_nobody(shop: Any) -> None:
    shop.fault("authorize", "hang", when="after", delay_s=30)
    waiting = threading.Event()
    outcome: list[str] = []

    def hang() -> None:
        with requests.Session() as http:
            http.headers.update(shop.http.headers)
            waiting.set()
            try:
                body = {"member_id": "mbr_42", "order_reference": "A-2", "points": 1}
                total = {"amount_minor": 100, "currency": "EUR"}
                http.post(
                    f"{shop.url}{RED}", json={**body, "total": total}, headers={"Idempotency-Key": "h"}, timeout=1
                )
            except requests.ReadTimeout:
                outcome.append("timed out")

    thread = threading.Thread(target=hang)
    thread.start()
    waiting.wait()
    for number in range(5):
        assert shop.get(f"/v1/members/mbr_2500/balance?{number}").status_code == 200
    thread.join()
    assert outcome == ["timed out"]
    assert shop.balance("mbr_42") == (41, 1)


def test_dripping_is_one_byte_at_a_time(shop: Any) -> None:
    shop.fault("authorize", "drip_body", when="after", delay_s=30)
    body = {
        "member_id": "mbr_42",
        "order_reference": "A-2",
        "points": 1,
        "total": {"amount_minor": 1, "currency": "EUR"},
    }
    headers = {"Idempotency-Key": "key-1"}
    with shop.http.post(f"{shop.url}{RED}", json=body, headers=headers, stream=True, timeout=5) as reply:
        assert reply.status_code == 201
        assert int(reply.headers["Content-Length"]) > 500
        assert reply.raw.read(1) == b"{"


def test_a_stale_connection_breaks_only_if_it_was_used_before(shop: Any) -> None:
    shop.fault("authorize", "stale_connection")
    with pytest.raises(requests.ConnectionError):
        shop.authorize()
    assert shop.balance() == (2500, 0)
    shop.fault("authorize", "stale_connection")
    with requests.Session() as fresh:
        fresh.headers.update(shop.http.headers)
        body = {
            "member_id": "mbr_42",
            "order_reference": "A-2",
            "points": 1,
            "total": {"amount_minor": 1, "currency": "EUR"},
        }
        reply = fresh.post(f"{shop.url}{RED}", json=body, headers={"Idempotency-Key": "key-2"}, timeout=5)
    assert reply.status_code == 201


def test_refused_means_that_nobody_listens(shop: Any) -> None:
    def knock() -> str:
        try:
            with requests.Session() as http:
                http.get(f"{shop.url}/healthz", timeout=5)
        except requests.ConnectionError as error:
            return "refused" if "refused" in str(error) else "broken"
        return "answered"

    shop.fault("any", "refuse", delay_s=1)
    heard = []
    while "refused" not in heard or heard[-1] != "answered":
        heard.append(knock())
        assert len(heard) < 20_000
    assert shop.authorize().status_code == 201


def test_retry_after_is_passed_on_as_told(shop: Any) -> None:
    for value in (0, 86_400, "soon", "Wed, 21 Oct 2026 07:28:00 GMT"):
        shop.fault("balance", "status_429", retry_after=value)
        assert shop.get("/v1/members/mbr_2500/balance").headers["Retry-After"] == str(value)


def test_times_counts_requests(shop: Any) -> None:
    shop.fault("balance", "status_503", times=3)
    statuses = [shop.get("/v1/members/mbr_2500/balance").status_code for _ in range(4)]
    assert statuses == [503, 503, 503, 200]


def test_faults_can_be_taken_back(shop: Any) -> None:
    shop.fault("any", "status_503", times=99)
    assert shop.authorize().status_code == 503
    assert shop.http.delete(f"{shop.url}/sandbox/faults").status_code == 204
    assert shop.get("/sandbox/faults").json()["items"] == []
    assert shop.authorize().status_code == 201


def test_the_token_can_fail_too(shop: Any) -> None:
    shop.fault("token", "status_500")
    form = {"grant_type": "client_credentials"}
    reply = shop.http.post(f"{shop.url}/oauth/token", data=form, auth=("demo-shop", "demo-secret"))
    assert (reply.status_code, reply.json()["error"]) == (500, "invalid_request")


def test_a_huge_answer_and_a_small_one_that_becomes_huge(shop: Any) -> None:
    shop.fault("balance", "huge_body")
    with shop.http.get(f"{shop.url}/v1/members/mbr_2500/balance", stream=True, timeout=20) as reply:
        assert int(reply.headers["Content-Length"]) > 8_000_000
    shop.fault("balance", "gzip_bomb")
    with shop.http.get(f"{shop.url}/v1/members/mbr_2500/balance", stream=True, timeout=20) as reply:
        assert reply.headers["Content-Encoding"] == "gzip"
        assert int(reply.headers["Content-Length"]) < 200_000


@pytest.mark.parametrize(
    ("echo", "path", "wrong"),
    [
        ("points", ("points",), 428),
        ("order_reference", ("order_reference",), "OTHER-1"),
        ("member_id", ("member_id",), "mbr_other"),
        ("idempotency_key", ("idempotency_key",), "other-key"),
        ("currency", ("value", "currency"), "XTS"),
    ],
)
def test_the_answer_speaks_of_something_else(shop: Any, echo: str, path: tuple[str, ...], wrong: Any) -> None:
    shop.fault("authorize", "wrong_echo", echo=echo)
    found = shop.authorize().json()
    for name in path:
        found = found[name]
    assert found == wrong
    assert shop.balance() == (2073, 427)


def test_fewer_points_than_asked_for_are_held(shop: Any) -> None:
    shop.fault("authorize", "partial_approval")
    red = shop.authorize().json()
    assert (red["points"], red["value"]["amount_minor"], red["held_points"]) == (213, 213, 213)
    assert shop.balance() == (2287, 213)


def test_the_rate_has_changed(shop: Any) -> None:
    shop.fault("authorize", "rate_changed")
    assert (shop.authorize().status_code, shop.balance()) == (422, (2500, 0))
    assert shop.authorize().json()["code"] == "rate_changed"
    assert shop.authorize(key="key-2").status_code == 201


def test_a_lookup_that_lags_behind(shop: Any) -> None:
    red_id = shop.authorize().json()["id"]
    shop.fault("get", "slow_lookup", times=2)
    shop.fault("find", "slow_lookup")
    assert [shop.get(f"{RED}/{red_id}").status_code for _ in range(3)] == [404, 404, 200]
    assert [len(shop.get(f"{RED}?order_reference=A-1001").json()["items"]) for _ in range(2)] == [0, 1]


def test_a_hold_that_ends_before_its_time(shop: Any) -> None:
    shop.fault("authorize", "expired_early")
    red = shop.authorize().json()
    assert (red["state"], red["expires_in_s"]) == ("authorized", 7200)
    assert shop.balance() == (2500, 0)
    assert shop.post(f"{RED}/{red['id']}/capture", {}, key="key-2").json()["code"] == "hold_expired"

    red_id = shop.authorize(key="key-3").json()["id"]
    shop.fault("capture", "expired_early")
    assert shop.post(f"{RED}/{red_id}/capture", {}, key="key-4").json()["code"] == "hold_expired"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_500_that_is_kept_for_its_key(shop: Any, when: str) -> None:
    shop.fault("authorize", "replayed_500", when=when)
    assert shop.authorize().status_code == 500
    again = shop.authorize()
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (500, "true")
    assert shop.balance() == HELD[when]
    assert len(shop.get(f"{RED}?idempotency_key=key-1").json()["items"]) == {"before": 0, "after": 1}[when]


def test_a_request_delivered_twice(shop: Any) -> None:
    shop.fault("authorize", "duplicate_delivery")
    reply = shop.authorize()
    assert (reply.status_code, reply.headers["Idempotency-Replayed"]) == (200, "true")
    assert shop.balance() == (2073, 427)
    red_id = reply.json()["id"]
    shop.post(f"{RED}/{red_id}/capture", {}, key="key-2")
    shop.fault("reverse", "duplicate_delivery")
    back = shop.post(f"{RED}/{red_id}/reversals", {"points": 100, "return_reference": "R-1"}, key="key-3").json()
    assert back["redemption"]["reversed_points"] == 100


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "authorize", "kind": "earthquake"},
        {"operation": "pay", "kind": "reset"},
        {"operation": "balance", "kind": "partial_approval"},
        {"operation": "authorize", "kind": "hang", "delay_s": 31},
        {"operation": "authorize", "kind": "reset", "times": 0},
        {"operation": "authorize", "kind": "status_429", "retry_after": "a\r\nSet-Cookie: b"},
    ],
)
def test_a_fault_that_cannot_be_played_is_refused(shop: Any, body: dict[str, Any]) -> None:
    reply = shop.post("/sandbox/faults", body)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("kind", KINDS)
def test_in_process_every_fault_is_an_answer_or_a_fault_on_the_wire(frozen: Any, kind: str) -> None:
    operation = "get" if kind == "slow_lookup" else "authorize"
    assert frozen.client.post("/sandbox/faults", json={"operation": operation, "kind": kind}).status_code == 201
    on_wire = {"refuse", "hang", "reset", "stale_connection", "truncated_body", "drip_headers", "drip_body"}
    if kind not in on_wire:
        assert frozen.call("GET", f"{RED}/red_0001").status_code == 404 if operation == "get" else frozen.authorize()
    else:
        with pytest.raises(FaultOnWire) as raised:
            frozen.authorize()
        assert raised.value.kind == kind
        assert frozen.member()["available"] == 2500
    assert frozen.client.get("/sandbox/faults").get_json()["items"] == []


def test_a_fault_on_the_wire_carries_the_answer_that_was_lost(frozen: Any) -> None:
    frozen.client.post("/sandbox/faults", json={"operation": "authorize", "kind": "truncated_body", "when": "after"})
    with pytest.raises(FaultOnWire) as raised:
        frozen.authorize()
    assert raised.value.status == 201
    assert raised.value.body.startswith(b'{"id":"red_0001"')
    assert Fault("authorize", "reset").moment == "before"
