"""The client against the hand-written samples: what it sends, what it reads, and how it takes every refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import BaseModel

import punktgenau
from _calls import NEXT_CALLS, SAMPLES, WIRE, sample
from _canned import Canned, answer
from punktgenau import Client, PunktgenauError, UnavailableError

# Nothing of a token is kept, and what is in a wallet has no place yet.
NOT_READ = {
    "balance": {"wallets"},
    "identify": {"access_token", "token_type", "expires_in"},
    "find": {"next_cursor", "now", "mode"},
    "find_accruals": {"next_cursor", "now", "mode"},
    "find_payouts": {"next_cursor", "now", "mode"},
    "vouchers": {"next_cursor", "now", "mode"},
    "voucher_products": {"next_cursor", "now", "mode"},
}
NOT_CALLS = {"errors", "events", "token"}
ERRORS = sample("errors")


def headers_of(content: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in content["headers"].items() if name != "Content-Type"}


def play(server: Canned, content: dict[str, Any]) -> None:
    server.next(
        answer(
            content["body"],
            content["status"],
            content_type=content["headers"]["Content-Type"],
            headers=headers_of(content),
        )
    )


def parsed(content_type: str, body: bytes) -> object:
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True))
    return json.loads(body) if body else None


def exactly(value: object) -> object:
    """A value in which 1, 1.0 and true are three different things."""
    if isinstance(value, dict):
        return {key: exactly(part) for key, part in value.items()}
    if isinstance(value, list):
        return [exactly(part) for part in value]
    return (type(value).__name__, value)


def test_every_sample_is_a_call_or_on_the_list_of_those_that_are_none() -> None:
    assert {path.stem for path in WIRE.glob("*.json")} == SAMPLES.keys() | NOT_CALLS


@pytest.mark.parametrize("name", SAMPLES)
def test_the_client_sends_exactly_the_request_of_the_sample(name: str, client: Client, server: Canned) -> None:
    content = sample(name)
    play(server, content["reply"])
    SAMPLES[name](client)

    [sent] = server.seen
    request = content["request"]
    assert (sent.method, sent.path) == (request["method"], request["path"])
    for header, value in request["headers"].items():
        assert sent.headers[header.lower()] == value
    assert exactly(parsed(sent.headers.get("content-type", ""), sent.body)) == exactly(request["body"])
    # What is left out of a sample because it depends on the credentials, and what depends on nothing.
    basic = "Basic ZGVtby1zaG9wOmRlbW8tc2VjcmV0"
    assert sent.headers["authorization"] == (basic if name == "identify" else "Bearer pat_5f2c9d")
    assert sent.headers["accept"] == "application/json"
    assert sent.headers["accept-encoding"] == "identity"
    if "Idempotency-Key" not in request["headers"]:
        assert "idempotency-key" not in sent.headers


def test_the_token_is_asked_for_as_in_the_sample(client: Client, server: Canned) -> None:
    request = sample("token")["request"]
    [sent] = server.tokens
    assert (sent.method, sent.path) == (request["method"], request["path"])
    assert sent.headers["content-type"] == request["headers"]["Content-Type"]
    assert parsed(sent.headers["content-type"], sent.body) == request["body"]
    assert sent.headers["authorization"] == "Basic ZGVtby1zaG9wOmRlbW8tc2VjcmV0"


def differences(got: object, wire: object, where: str, ignored: set[str] = frozenset()) -> Iterator[str]:
    """Where a record is not what the reply says, key by key."""
    if isinstance(wire, dict):
        names = set(type(got).model_fields) if isinstance(got, BaseModel) else set()
        names |= {field.name for field in fields(got)} if is_dataclass(got) else set()
        for key, value in wire.items():
            if key in ignored:
                continue
            if key not in names:
                yield f"{where}.{key} is not read"
            else:
                yield from differences(getattr(got, key), value, f"{where}.{key}")
    elif isinstance(wire, list):
        if not isinstance(got, tuple) or len(got) != len(wire):
            yield f"{where} has another length"
        else:
            for position, value in enumerate(wire):
                yield from differences(got[position], value, f"{where}[{position}]")
    elif isinstance(got, datetime):
        if got.tzinfo is None or got.strftime("%Y-%m-%dT%H:%M:%SZ") != wire:
            yield f"{where} is {got}"
    elif type(got) is not type(wire) or got != wire:
        yield f"{where} is {got!r}, not {wire!r}"


@pytest.mark.parametrize("name", SAMPLES)
def test_the_record_says_what_the_reply_says(name: str, client: Client, server: Canned) -> None:
    content = sample(name)
    play(server, content["reply"])
    record = SAMPLES[name](client)
    body, operation = content["reply"]["body"], content["operation"]
    if "items" in body and isinstance(record, tuple):
        assert NOT_READ[operation] == body.keys() - {"items"}
        body = body["items"]
    assert list(differences(record, body, operation, NOT_READ.get(operation, set()))) == []
    if isinstance(record, BaseModel) and "replayed" in type(record).model_fields:
        assert record.replayed is (name == "authorize_replayed")
        assert record.sends == 1


def test_the_list_of_keys_that_are_not_read_has_nothing_else_on_it() -> None:
    for operation, keys in NOT_READ.items():
        assert keys <= sample(operation)["reply"]["body"].keys()


def row_of(code: str) -> dict[str, Any]:
    [row] = [row for row in ERRORS["codes"] if row["code"] == code]
    return row


def full_problem(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": f"urn:punktgenau:problem:{row['code']}",
        "title": "A title",
        "status": row["status"],
        "detail": "What happened.",
        "instance": "/v1/redemptions",
        "code": row["code"],
        "outcome": row["outcome"],
        "retryable": row["retryable"],
        "field": "points",
        "remaining": {"points": 7, "value": {"amount_minor": 7, "currency": "EUR"}},
        "redemption_id": "red_0001",
        "now": "2026-11-22T10:00:00Z",
        "mode": "sandbox",
    }


def raised(call: Callable[[], object]) -> PunktgenauError:
    with pytest.raises(PunktgenauError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("row", ERRORS["codes"], ids=lambda row: row["code"])
def test_a_refused_write_raises_what_the_contract_says(row: dict[str, Any], client: Client, server: Canned) -> None:
    problem = answer(full_problem(row), row["status"], content_type=ERRORS["content_type"])
    server.next(*[problem] * 3)
    error = raised(lambda: SAMPLES["authorize"](client, deadline_s=0.4))

    assert type(error) is getattr(punktgenau, row["class"])
    assert (error.code, error.outcome) == (row["code"], row["outcome"])
    assert (error.retry == "same_key") is row["retryable"]
    assert error.idempotency_key == "key-authorize-A-1001"
    assert error.status == row["status"]
    if row["outcome"] == "unknown":
        assert error.next_call == NEXT_CALLS["authorize"]
    elif row["code"] != "rate_limited":
        assert (error.field, error.remaining, error.redemption_id) == ("points", 7, "red_0001")
        assert error.message == "What happened."
    if row["outcome"] == "not_done" and row["code"] not in ("unauthorized", "rate_limited"):
        assert len(server.seen) == 1


@pytest.mark.parametrize("row", ERRORS["codes"], ids=lambda row: row["code"])
def test_a_refused_read_never_says_that_points_may_have_moved(
    row: dict[str, Any], client: Client, server: Canned
) -> None:
    server.next(*[answer(full_problem(row), row["status"], content_type=ERRORS["content_type"])] * 3)
    error = raised(lambda: SAMPLES["balance"](client, deadline_s=0.4))
    assert error.outcome == "not_done"
    if row["outcome"] == "not_done":
        assert type(error) is getattr(punktgenau, row["class"])
        assert error.code == row["code"]
    elif row["status"] >= 500:
        assert type(error) is UnavailableError


@pytest.mark.parametrize("number", range(len(ERRORS["samples"])))
def test_the_full_samples_of_refusals_are_read_whole(number: int, client: Client, server: Canned) -> None:
    content = ERRORS["samples"][number]
    body = content["reply"]["body"]
    if content["operation"] == "token":
        server.token = answer(body, 401, content_type="application/problem+json")
        with Client(server.url, client_id="demo-shop", client_secret="wrong") as cold:
            error = raised(lambda: SAMPLES["authorize"](cold))
    else:
        play(server, content["reply"])
        name = content["operation"]
        error = raised(lambda: SAMPLES[name](client))
    assert type(error).__name__ == row_of(body["code"])["class"]
    assert (error.message, error.code, error.field) == (body["detail"], body["code"], body["field"])
    assert error.redemption_id == body["redemption_id"]
    assert error.remaining == (body["remaining"]["points"] if body["remaining"] else None)


def test_a_code_that_only_the_provider_knows_keeps_its_name(client: Client, server: Canned) -> None:
    row = {"code": "moon_in_the_wrong_house", "status": 422, "outcome": "not_done", "retryable": False}
    server.next(answer(full_problem(row), 422, content_type="application/problem+json"))
    error = raised(lambda: SAMPLES["authorize"](client))
    assert type(error) is punktgenau.ProviderError
    assert (error.code, error.outcome, error.retry) == ("moon_in_the_wrong_house", "not_done", "never")
