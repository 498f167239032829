"""Answers that are well-formed and wrong: about somebody else, from the other mode, in shapes that nobody foresaw."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from _calls import SAMPLES, WRITES, assert_unknown, failure, key_of, reply
from _canned import Canned, answer, problem
from punktgenau import (
    Client,
    ConfigurationError,
    OutcomeUnknownError,
    ProviderError,
    UnavailableError,
    UnexpectedResponseError,
)

NewClient = Callable[..., Client]


def changed(name: str, **changes: Any) -> dict[str, Any]:
    body = reply(name)
    if name == "find":
        return {**body, "items": [{**body["items"][0], **changes}]}
    return {**body, **changes}


OTHER_MONEY = {"amount_minor": 426, "currency": "EUR"}
USD = {"amount_minor": 427, "currency": "USD"}
OTHER_RATE = {"id": "rate_eur_2", "points": 1, "amount_minor": 1, "currency": "EUR", "rounding": "down"}
FEWER = pytest.mark.scenario("P9", "fewer points than asked are not what was asked: unknown")
# call, what its answer says instead, the field that the error names
WRONG_WRITES = [
    ("authorize", {"idempotency_key": "another-key"}, "idempotency_key"),
    ("authorize", {"order_reference": "A-1002"}, "order_reference"),
    ("authorize", {"member_id": "mbr_42"}, "member_id"),
    pytest.param("authorize", {"points": 426}, "points", marks=FEWER),
    ("authorize", {"points": 428}, "points"),
    ("authorize", {"value": OTHER_MONEY}, "value"),
    ("authorize", {"value": USD}, "total"),
    ("authorize", {"total": {"amount_minor": 5989, "currency": "EUR"}}, "total"),
    ("authorize", {"rate": OTHER_RATE}, "rate"),
    ("capture", {"id": "red_0002"}, "id"),
    pytest.param("capture", {"captured_points": 426}, "captured_points", marks=FEWER),
    ("capture", {"captured_points": 0, "state": "authorized"}, "captured_points"),
    ("extend", {"id": "red_0002"}, "id"),
    ("void", {"id": "red_0002"}, "id"),
    ("void", {"state": "authorized", "held_points": 427}, "state"),
    ("void", {"held_points": 1}, "state"),
    ("reverse", {"redemption_id": "red_0002"}, "content"),
    ("reverse", {"return_reference": "R-2"}, "content"),
    ("reverse", {"points": 99}, "content"),
    ("reverse", {"value": OTHER_MONEY}, "value"),
    ("cancel_by_key", {"idempotency_key": "another-key"}, "idempotency_key"),
    ("cancel_by_key", {"state": "authorized"}, "state"),
    ("cancel_by_key", {"state": "captured"}, "state"),
]
WRONG_READS = [
    ("balance", {"member_id": "mbr_42"}, "member_id"),
    ("member", {"member_id": "mbr_42"}, "member_id"),
    ("get", {"id": "red_0002"}, "id"),
    ("find", {"order_reference": "A-1002"}, "order_reference"),
    ("find_by_key", {"idempotency_key": "another-key"}, "idempotency_key"),
    ("quote", {"asked_points": 428}, "points"),
    ("quote", {"value": USD}, "points"),
]


@pytest.mark.parametrize(("name", "changes", "field"), WRONG_WRITES)
@pytest.mark.scenario("P11", "another member, order, key, currency or amount in the answer: unknown, never taken")
@pytest.mark.scenario("P6", "an older answer of another operation is recognised and not believed")
def test_a_write_answered_about_something_else_is_unknown(
    name: str, changes: dict[str, Any], field: str, client: Client, server: Canned
) -> None:
    server.next(answer(changed(name, **changes)))
    error = failure(name, client)
    assert_unknown(error, name)
    assert (error.code, error.field, error.sends) == ("wrong_echo", field, 1)


@pytest.mark.parametrize(("name", "changes", "field"), WRONG_READS)
@pytest.mark.scenario("N11", "an answer that belongs to another request is not taken for this one's")
def test_a_read_answered_about_something_else_is_refused(
    name: str, changes: dict[str, Any], field: str, client: Client, server: Canned
) -> None:
    body = changed("find", **changes) if name.startswith("find") else changed(name, **changes)
    server.next(answer(body))
    error = failure(name, client)
    assert (type(error), error.outcome, error.field) == (UnexpectedResponseError, "not_done", field)


def test_a_member_who_was_merged_is_the_same_member(client: Client, server: Canned) -> None:
    merged = {"member_id": "mbr_new", "former_member_ids": ["mbr_2500"]}
    server.next(*[answer(changed(name, **merged)) for name in ("authorize", "balance", "member")])
    assert SAMPLES["authorize"](client).member_id == "mbr_new"
    assert SAMPLES["balance"](client).member_id == "mbr_new"
    assert SAMPLES["member"](client).member_id == "mbr_new"


@pytest.mark.parametrize("echo", ["points", "order_reference", "member_id", "currency", "idempotency_key"])
def test_a_real_hold_with_a_wrong_answer_is_found_by_its_key(echo: str, shop: Client, sandbox: Any) -> None:
    sandbox.fault("authorize", "wrong_echo", echo=echo)
    error = failure("authorize", shop)
    assert (type(error), error.code) == (OutcomeUnknownError, "wrong_echo")
    [held] = shop.redemptions.find(idempotency_key=error.idempotency_key)
    assert (held.state, held.points, held.member_id) == ("authorized", 427, "mbr_2500")


@pytest.mark.scenario("P9", "a hold of fewer points than asked is unknown until it is looked up")
def test_a_partial_approval_is_not_what_was_asked(shop: Client, sandbox: Any) -> None:
    sandbox.fault("authorize", "partial_approval")
    error = failure("authorize", shop)
    assert (type(error), error.code, error.field) == (OutcomeUnknownError, "wrong_echo", "points")


@pytest.mark.scenario("P10", "a rate that changed since the quote: a typed refusal, nothing held, no silent price")
def test_a_rate_that_changed_is_refused(shop: Client, sandbox: Any) -> None:
    sandbox.fault("authorize", "rate_changed")
    error = failure("authorize", shop)
    assert (error.code, error.outcome, error.retry) == ("rate_changed", "not_done", "new_attempt")
    assert sandbox.redemptions() == []


# Modes.


@pytest.mark.parametrize(("expected", "answered"), [("live", "sandbox"), ("sandbox", "live")])
@pytest.mark.parametrize("name", WRITES)
@pytest.mark.scenario("P20", "an answer from the other mode is not believed: unknown on writes")
def test_a_write_answered_in_the_other_mode_is_unknown(name: str, expected: str, answered: str, server: Canned) -> None:
    server.token = answer({"access_token": "pat", "token_type": "Bearer", "expires_in": 60, "mode": expected})
    server.next(answer(changed(name, mode=answered)))
    with Client(server.url, client_id="a", client_secret="b", mode=expected) as client:  # type: ignore[arg-type]
        error = failure(name, client)
    assert_unknown(error, name)
    assert error.code == "mode_mismatch"


@pytest.mark.parametrize("name", ["balance", "get", "find", "quote", "member", "identify"])
def test_a_read_answered_in_the_other_mode_is_refused(name: str, new_client: NewClient, server: Canned) -> None:
    client = new_client(mode="sandbox")
    server.next(answer({**reply(name), "mode": "live"}))
    error = failure(name, client)
    assert (type(error), error.outcome, error.field) == (ConfigurationError, "not_done", "mode")


@pytest.mark.scenario("P20", "without a configured mode the first answer decides, and the other one is refused")
def test_the_first_answer_decides_the_mode(client: Client, server: Canned) -> None:
    server.next(answer(reply("balance")), answer(changed("authorize", mode="live")))
    assert SAMPLES["balance"](client).mode == "sandbox"
    assert failure("authorize", client).code == "mode_mismatch"


@pytest.mark.parametrize("mode", ["test", "", "SANDBOX", 1, True])
def test_a_mode_that_there_is_not_is_refused(mode: Any) -> None:
    with pytest.raises(ConfigurationError, match="mode"):
        Client("https://points.example", client_id="a", client_secret="b", mode=mode)


# Shapes.

FULL = json.dumps(reply("authorize"))
POINTS = '"points": 427'


def with_points(text: str) -> bytes:
    assert FULL.count(POINTS) == 2
    return FULL.replace(POINTS, f'"points": {text}', 1).encode()


SHAPES: dict[str, bytes] = {
    "number as text": with_points('"427"'),
    "true": with_points("true"),
    "float": with_points("427.0"),
    "exponent": with_points("4.27e2"),
    "NaN": with_points("NaN"),
    "Infinity": with_points("Infinity"),
    "1e400": with_points("1e400"),
    "null": with_points("null"),
    "list": with_points("[427]"),
    "no points": FULL.replace(POINTS + ", ", "", 1).encode(),
    "minus": with_points("-427"),
    "more than there are": with_points(str(10**15 + 1)),
    "a number of 5000 digits": with_points("4" * 5000),
    "duplicate keys": with_points('427, "points": 428'),
    "a state that is new": json.dumps(changed("authorize", state="on_the_moon")).encode(),
    "a currency that is none": json.dumps(
        changed("authorize", value={"amount_minor": 427, "currency": "eur"})
    ).encode(),
    "an amount below zero": json.dumps(changed("authorize", value={"amount_minor": -1, "currency": "EUR"})).encode(),
    "a rate of nothing": json.dumps(changed("authorize", rate={**OTHER_RATE, "points": 0})).encode(),
    "a time without a zone": json.dumps(changed("authorize", now="2026-11-22T10:00:00")).encode(),
    "a time that is a number": json.dumps(changed("authorize", now=1_795_341_600)).encode(),
    "a mode that is new": json.dumps(changed("authorize", mode="test")).encode(),
    "deep nesting": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "deep lists": b"[" * 100_000,
    "byte order mark": b"\xef\xbb\xbf" + FULL.encode(),
    "UTF-16": FULL.encode("utf-16"),
    "invalid UTF-8": FULL.replace("A-1001", "A-\x00").encode("latin-1").replace(b"\x00", b"\xff"),
    "two documents": FULL.encode() * 2,
    "a list": f"[{FULL}]".encode(),
    "a text": b'"authorized"',
    "just too large": FULL.encode() + b" " * 262_144,
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
@pytest.mark.scenario("P15", "numbers as text, NaN, new states, nesting, bad UTF-8, 256 kB: unknown, never raised raw")
def test_a_shape_that_nobody_knows_leaves_a_write_unknown(body: bytes, client: Client, server: Canned) -> None:
    server.next(*[answer(body)] * 3)
    assert_unknown(failure("authorize", client), "authorize")


# The last one of two equal keys counts, as every JSON reader has it; only an echo can tell.
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "duplicate keys"])
def test_a_shape_that_nobody_knows_is_refused_on_a_read(shape: str, client: Client, server: Canned) -> None:
    server.next(answer(SHAPES[shape]))
    assert type(failure("get", client)) in (UnexpectedResponseError, UnavailableError)


@pytest.mark.parametrize(
    "limits",
    [{"step": -1}, {"min_points": -1}, {"max_points": -1}, {"max_share_percent": 101}, {"step": None}],
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any], client: Client, server: Canned) -> None:
    server.next(answer(changed("balance", limits={**reply("balance")["limits"], **limits})))
    assert type(failure("balance", client)) is UnexpectedResponseError


@pytest.mark.scenario("P15", "fields that are added later are passed over")
def test_fields_that_are_new_are_passed_over(client: Client, server: Canned) -> None:
    more = {"moon": {"phase": [1, 2, {"x": None}]}, "replayed": True, "sends": 7}
    server.next(answer(changed("authorize", **more)))
    red = SAMPLES["authorize"](client)
    assert (red.state, red.replayed, red.sends) == ("authorized", False, 1)


@pytest.mark.scenario("P15", "a body of 8 MB or a packed bomb is cut at 256 kB and not unpacked")
@pytest.mark.scenario("S17", "what a hostile provider makes large is cut")
@pytest.mark.parametrize("kind", ["huge_body", "gzip_bomb"])
def test_a_flood_is_cut(kind: str, shop: Client, sandbox: Any) -> None:
    sandbox.fault("balance", kind)
    assert type(failure("balance", shop)) is UnexpectedResponseError


# Refusals from a provider that means harm, or is careless.

HOSTILE = {
    "lines of a log": {"detail": "No.\r\n2026-11-22 CRITICAL shop: everything is lost\x1b[31m\u202e"},
    "a very long text": {"detail": "x" * 100_000},
    "a field with a line end": {"field": "points\r\nX: 1"},
    "an id with a line end": {"redemption_id": "red_1\nX"},
}


@pytest.mark.parametrize("more", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.scenario("S17", "a provider's text cannot forge lines of a log, and is cut")
def test_a_refusals_text_is_one_short_line(more: dict[str, str], client: Client, server: Canned) -> None:
    server.next(problem("insufficient_points", 422, **more))
    error = failure("authorize", client)
    assert error.code == "insufficient_points"
    for text in (str(error), error.message, error.field or "", error.redemption_id or ""):
        assert text.isprintable()
        assert len(text) < 500


@pytest.mark.parametrize("code", ["", "x" * 65, "no\r\nline", "Größe", "<script>", 5, None])
def test_a_code_that_is_none_makes_the_refusal_no_answer(code: Any, client: Client, server: Canned) -> None:
    server.next(*[problem(code, 422)] * 3)
    assert_unknown(failure("authorize", client), "authorize")


def test_a_request_id_is_kept_and_cut(client: Client, server: Canned) -> None:
    server.next(problem("not_found", 404, headers={"X-Request-Id": "req-17"}))
    assert failure("get", client).request_id == "req-17"
    server.next(problem("not_found", 404, headers={"X-Request-Id": "r" * 5000}))
    assert len(failure("get", client).request_id or "") == 300


def test_an_unknown_code_on_a_refused_write_is_never_unknown_by_itself(client: Client, server: Canned) -> None:
    server.next(problem("weather", 409))
    error = failure("authorize", client)
    assert (type(error), error.code, error.outcome) == (ProviderError, "weather", "not_done")


def test_nothing_of_a_strange_answer_is_shown(client: Client, server: Canned, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="punktgenau")
    server.next(*[answer(changed("authorize", state="canary-4711", member_id="canary-4712"))] * 3)
    error = failure("authorize", client)
    assert "state" in str(error)
    assert "canary" not in f"{error!s}{error!r}{error.__cause__!r}{caplog.text}"
    assert error.idempotency_key == key_of("authorize")
