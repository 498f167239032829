"""Connections, redirects and traces: what leaves, over which connection, and what an error shows of it."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest

from _calls import READS, SAMPLES, WRITES, assert_not_sent, assert_unknown, failure, key_of, reply
from _canned import Act, Canned, answer, canned, close, problem, raw
from punktgenau import (
    Client,
    InsufficientPointsError,
    NotSentError,
    OutcomeUnknownError,
    PunktgenauError,
    UnexpectedResponseError,
    _deadline,
)

NewClient = Callable[..., Client]

# Redirects.


@pytest.mark.parametrize("name", WRITES + READS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.scenario("N12", "a redirect is not followed: the other host sees nothing, no credentials leave")
@pytest.mark.scenario("S11", "where a provider's answer points to is never fetched")
def test_a_redirect_is_never_followed(name: str, status: int, client: Client, server: Canned) -> None:
    with canned() as elsewhere:
        server.next(*[answer(b"", status, headers={"Location": f"{elsewhere.url}/v1/redemptions"})] * 3)
        error = failure(name, client, deadline_s=3)
        assert (elsewhere.seen, elsewhere.tokens, elsewhere.connections) == ([], [], 0)
    if name in WRITES:
        assert_unknown(error, name)
    else:
        assert type(error) is UnexpectedResponseError


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirected_token_request_takes_no_secret_along(status: int, server: Canned) -> None:
    with canned() as elsewhere:
        server.token = answer(b"", status, headers={"Location": f"{elsewhere.url}/oauth/token"})
        with Client(server.url, client_id="demo-shop", client_secret="demo-secret") as client:
            assert_not_sent(failure("authorize", client, deadline_s=1), "authorize")
        assert elsewhere.connections == 0


# Connections.


def test_a_request_leaves_in_one_piece(client: Client, server: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body in two writes wake the other side twice, and the second may wait for the first to be confirmed."""
    pieces: list[bytes] = []
    send = _deadline._Socket.sendall
    monkeypatch.setattr(_deadline._Socket, "sendall", lambda sock, data: (pieces.append(data), send(sock, data))[1])
    server.next(answer(reply("authorize")))
    SAMPLES["authorize"](client)
    (piece,) = pieces
    assert piece.startswith(b"POST /v1/redemptions HTTP/1.1\r\n")
    assert piece.endswith(b"\r\n\r\n" + server.seen[0].body)
    assert server.seen[0].headers["content-length"] == str(len(server.seen[0].body))


def test_an_answer_sets_no_cookie(client: Client, server: Canned) -> None:
    server.next(answer(reply("balance"), headers={"Set-Cookie": "track=1"}), answer(reply("balance")))
    SAMPLES["balance"](client)
    SAMPLES["balance"](client)
    assert "cookie" not in server.seen[1].headers


@pytest.mark.parametrize("name", WRITES + READS)
@pytest.mark.scenario("N5", "a kept connection that the server has closed: repeated unseen, with the same key")
def test_a_stale_connection_is_repeated_unseen(name: str, client: Client, server: Canned) -> None:
    server.next(answer(reply("balance")), close, answer(reply(name), headers={"Connection": "close"}))
    SAMPLES["balance"](client)
    SAMPLES[name](client)
    first, lost, again = server.seen
    assert first.connection == lost.connection != again.connection
    assert server.keys() == [None, key_of(name), key_of(name)]


def test_a_server_that_ends_every_connection_costs_no_error(client: Client, server: Canned) -> None:
    server.usual = answer(reply("authorize"), close=True)
    for _ in range(5):
        assert SAMPLES["authorize"](client).sends <= 2


@pytest.mark.parametrize(
    "first",
    [
        raw(b"HTTP/1.1 103 Early Hints\r\n\r\n", close=False),
        raw(b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", close=False),
    ],
    ids=["103", "204"],
)
@pytest.mark.scenario("N12", "after an answer without a body nothing more is read from that connection")
def test_what_follows_a_bodiless_answer_is_not_the_next_calls_answer(
    first: Act, client: Client, server: Canned
) -> None:
    server.next(first, answer(reply("authorize")))
    red = SAMPLES["authorize"](client)
    assert red.sends == 2
    one, two = server.seen
    assert one.connection != two.connection


def test_connections_are_kept_between_calls(client: Client, server: Canned) -> None:
    server.next(*[answer(reply(name)) for name in WRITES])
    for name in WRITES:
        SAMPLES[name](client)
    assert len({seen.connection for seen in server.seen}) == 1


# Traces.


def own_frames(trace: TracebackType | None) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(trace) if "/punktgenau/" in frame.filename]


@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("how", ["connection refused", "declined", "lost"])
def test_a_trace_shows_three_frames_of_ours(
    is_warm: bool, how: str, new_client: NewClient, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = new_client() if is_warm else Client(server.url, client_id="demo-shop", client_secret="demo-secret")
    kind = {"connection refused": NotSentError, "declined": InsufficientPointsError, "lost": OutcomeUnknownError}[how]
    server.next(*[problem("insufficient_points", 422) if how == "declined" else close] * 3)
    if how == "connection refused":
        server.stop()
    with client:
        error = failure("authorize", client, deadline_s=1)
    assert type(error) is kind
    assert own_frames(error.__traceback__) == ["authorize", "call", "_send_once"]
    # What a log shows: the causes by their names, without the inside of other libraries.
    whole = "".join(traceback.format_exception(error))
    assert whole.count("/punktgenau/") == 3
    assert "site-packages" not in whole


def test_an_unknown_that_a_later_refusal_does_not_settle_keeps_a_short_trace(client: Client, server: Canned) -> None:
    server.next(close, answer(reply("authorize"), 202), problem("not_found", 404))
    error = failure("authorize", client, deadline_s=3)
    assert_unknown(error, "authorize")
    assert error.sends == 3
    assert len(own_frames(error.__traceback__)) <= 3
    assert isinstance(error.__cause__, PunktgenauError)
    assert error.__cause__.code == "not_found"


def test_a_cause_names_what_went_wrong_and_carries_no_credentials(client: Client, server: Canned) -> None:
    server.stop()
    error = failure("authorize", client, deadline_s=1)
    cause: Any = error.__cause__
    assert "refused" in str(cause)
    assert (cause.__traceback__, cause.request, cause.response) == (None, None, None)


# Unknown stays unknown.

SETTLES = {
    "insufficient_points": (422, InsufficientPointsError),
    "order_has_live_redemption": (409, None),
    "hold_expired": (409, None),
    "key_cancelled": (409, None),
    "value_mismatch": (422, None),
    "idempotency_key_reused": (422, None),
}
SETTLES_NOT = {
    "not_linked": 403,
    "consent_revoked": 403,
    "not_found": 404,
    "unauthorized": 401,
    "forbidden": 403,
    "invalid_request": 400,
    "rate_limited": 429,
    "internal_error": 500,
    "operation_in_progress": 409,
}


@pytest.mark.parametrize("code", SETTLES)
def test_a_refusal_that_looked_at_the_key_settles_an_earlier_unknown(code: str, client: Client, server: Canned) -> None:
    server.next(close, problem(code, SETTLES[code][0]))
    error = failure("authorize", client, deadline_s=3)
    assert (error.code, error.outcome, error.sends) == (code, "not_done", 2)


@pytest.mark.parametrize("code", SETTLES_NOT)
def test_a_refusal_that_comes_before_the_key_settles_nothing(code: str, client: Client, server: Canned) -> None:
    refusal = problem(code, SETTLES_NOT[code])
    server.next(close, refusal, refusal)
    assert_unknown(failure("authorize", client, deadline_s=1), "authorize")


def test_a_provider_that_goes_away_after_a_loss_settles_nothing(client: Client, server: Canned) -> None:
    def close_and_stop_listening(talk: Any) -> None:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        talk.ends = True

    server.next(close_and_stop_listening)
    error = failure("authorize", client, deadline_s=1)
    assert_unknown(error, "authorize")
    assert error.sends == 1
