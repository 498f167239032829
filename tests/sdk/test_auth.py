"""The partner's token: asked for once, for however many threads; refused once, and nobody hammers the provider."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from _calls import READS, SAMPLES, WRITES, assert_not_sent, assert_unknown, failure, key_of, reply
from _canned import TOKEN, Act, Canned, Conversation, answer, close, problem
from punktgenau import AuthenticationError, Client, ConfigurationError, NotSentError, SystemClock
from punktgenau._auth import PartnerToken, TokenReply
from punktgenau.errors import PunktgenauError

THREADS = 16
WRONG = problem("unauthorized", 401, detail="Client id or secret is wrong, or the token has ended.")
KEEP = {"Connection": "keep-alive"}


def numbered_tokens(server: Canned, **more: object) -> None:
    """Token after token: pat_1, pat_2 ..."""
    given = iter(range(1, 1000))

    def play(talk: Conversation) -> None:
        answer({**TOKEN, "access_token": f"pat_{next(given)}", **more})(talk)

    server.token = play


def cold(server: Canned, **more: Any) -> Client:
    return Client(server.url, client_id="demo-shop", client_secret="demo-secret", **more)


def together(client: Client, call: Callable[[Client], object]) -> list[object]:
    """The same call in many threads that start at the same moment."""
    start = threading.Barrier(THREADS)

    def run(_: int) -> object:
        start.wait(10)
        return call(client)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.mark.scenario("P17", "16 threads without a token: one request for it serves them all")
def test_one_token_request_serves_every_thread(server: Canned) -> None:
    server.usual = answer(reply("balance"))
    with cold(server) as client:
        got = together(client, SAMPLES["balance"])
    assert [balance.available for balance in got] == [2500] * THREADS  # type: ignore[attr-defined]
    assert (len(server.tokens), len(server.seen)) == (1, THREADS)


@pytest.mark.scenario("P17", "16 threads whose token is refused at once: one new token, each call goes out once more")
def test_a_refused_token_is_renewed_once_for_every_thread(server: Canned) -> None:
    numbered_tokens(server)
    all_arrived, renewed = threading.Barrier(THREADS), threading.Event()

    def play(talk: Conversation) -> None:
        assert talk.request is not None
        if talk.request.headers["authorization"] == "Bearer pat_1":
            # Half of them hear of it only when the new token is in use already.
            if all_arrived.wait(10) >= THREADS // 2:
                assert renewed.wait(10)
            WRONG(talk)
        else:
            renewed.set()
            answer(reply("authorize"))(talk)

    server.usual = play
    with cold(server) as client:
        got = together(client, SAMPLES["authorize"])
    assert [red.sends for red in got] == [2] * THREADS  # type: ignore[attr-defined]
    assert len(server.tokens) == 2
    assert set(server.keys()) == {"key-authorize-A-1001"}


@pytest.mark.parametrize("name", WRITES + READS)
@pytest.mark.scenario("P17", "a token refused once: a new one, and the same call with the same key")
def test_a_token_that_ended_early_is_renewed_unseen(name: str, server: Canned) -> None:
    numbered_tokens(server)
    server.next(WRONG, answer(reply(name)))
    with cold(server) as client:
        SAMPLES[name](client)
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer pat_1", "Bearer pat_2"]
    assert server.keys() == [key_of(name)] * 2


@pytest.mark.scenario("P18", "credentials that stopped working: two sends, two token requests, then a typed error")
def test_a_token_that_is_refused_again_ends_the_call(server: Canned) -> None:
    numbered_tokens(server)
    server.usual = WRONG
    with cold(server) as client:
        error = failure("authorize", client)
    assert type(error) is AuthenticationError
    assert (error.outcome, error.retry, error.sends) == ("not_done", "never", 2)
    assert (len(server.tokens), len(server.seen)) == (2, 2)


def test_a_refused_token_does_not_hide_an_earlier_loss(server: Canned) -> None:
    numbered_tokens(server)
    server.next(close, WRONG, WRONG)
    with cold(server) as client:
        assert_unknown(failure("authorize", client), "authorize")


@pytest.mark.parametrize("name", WRITES + READS)
@pytest.mark.scenario("P18", "a wrong secret: one request for a token per call, nothing else leaves")
def test_a_wrong_secret_is_told_after_one_request(name: str, server: Canned) -> None:
    server.token = WRONG
    with cold(server) as client:
        error = failure(name, client)
    assert type(error) is AuthenticationError
    assert (error.code, error.outcome, error.retry, error.sends) == ("unauthorized", "not_done", "never", 0)
    assert error.idempotency_key == key_of(name)
    assert (len(server.tokens), server.seen) == (1, [])


class Counted:
    """A lock that says when so many have asked for it."""

    def __init__(self, asks: int) -> None:
        self._lock = threading.Lock()
        self._left = threading.Semaphore(0)
        self._asks = asks

    def acquire(self, timeout: float = -1) -> bool:
        self._left.release()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._lock.release()

    def wait_for_all(self) -> None:
        for _ in range(self._asks):
            assert self._left.acquire(timeout=10)


@pytest.mark.scenario("P18", "16 threads that wait for a token share one refusal: no storm")
def test_whoever_waited_shares_the_refusal() -> None:
    token = PartnerToken("demo-shop", "wrong", clock=SystemClock())
    lock = Counted(THREADS)
    token._lock = lock  # type: ignore[assignment]
    fetched: list[int] = []

    def fetch() -> TokenReply | PunktgenauError:
        fetched.append(1)
        lock.wait_for_all()
        return AuthenticationError("Wrong.")

    ends = SystemClock().monotonic() + 10
    with ThreadPoolExecutor(THREADS) as pool:
        got = list(pool.map(lambda _: token.header(fetch, ends=ends), range(THREADS)))
    assert len(fetched) == 1
    assert {type(error) for error in got} == {AuthenticationError}
    # Each raises its own: traces of different threads must not grow on one object.
    assert len({id(error) for error in got}) == THREADS


def test_the_next_call_after_a_refusal_asks_again(server: Canned) -> None:
    server.token = WRONG
    server.next(answer(reply("authorize")))
    with cold(server) as client:
        failure("authorize", client)
        server.token = answer(TOKEN)
        assert SAMPLES["authorize"](client).sends == 1
    assert len(server.tokens) == 2


NO_TOKEN: dict[str, Act] = {
    "lost": close,
    "HTML": answer(b"<html>", content_type="text/html"),
    "500": problem("internal_error", 500, outcome="unknown"),
    "503": problem("unavailable", 503, outcome="unknown"),
    "400": problem("invalid_request", 400),
    "429": problem("rate_limited", 429),
    "204": answer(b"", 204),
    "without its length of life": answer({"access_token": "pat_5f2c9d", "token_type": "Bearer"}),
    "of another type": answer({**TOKEN, "token_type": "mac"}),
    "that is a number": answer({**TOKEN, "access_token": 5}),
    "that is empty": answer({**TOKEN, "access_token": ""}),
    "with a line of its own": answer({**TOKEN, "access_token": "pat\r\nX-Admin: 1"}),
    "outside ASCII": answer({**TOKEN, "access_token": "pät"}),
    "too long": answer({**TOKEN, "access_token": "p" * 9000}),
}


@pytest.mark.parametrize("act", NO_TOKEN.values(), ids=NO_TOKEN)
@pytest.mark.parametrize("name", ["authorize", "balance"])
@pytest.mark.scenario("P17", "no token came: the write was certainly not sent, under its key it may go out again")
@pytest.mark.scenario("S16", "a token that would end its header is none")
def test_without_a_token_nothing_was_sent(act: Act, name: str, server: Canned) -> None:
    server.token = act
    with cold(server, clock=Quick()) as client:
        error = failure(name, client)
    assert_not_sent(error, name)
    assert server.seen == []


def test_a_token_that_comes_at_the_second_try_costs_no_error(server: Canned) -> None:
    given = iter([problem("unavailable", 503, outcome="unknown"), answer(TOKEN)])
    server.token = lambda talk: next(given)(talk)
    server.next(answer(reply("authorize")))
    with cold(server, clock=Quick()) as client:
        assert SAMPLES["authorize"](client).sends == 1
    assert len(server.tokens) == 2


def test_a_token_in_the_wrong_mode_sends_nothing(server: Canned) -> None:
    with cold(server, mode="live") as client:
        error = failure("authorize", client)
    assert type(error) is ConfigurationError
    assert server.seen == []


class Quick(SystemClock):
    """Nobody sleeps by it."""

    def sleep(self, seconds: float) -> None:
        pass


class Moved(Quick):
    """A clock that stands still until it is moved."""

    at = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 10, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at


# expires_in -> the last second at which it is still used, the first at which a new one is asked for
LIVES = [(3600, 3569.9, 3570.1), (60, 29.9, 30.1), (20, 9.9, 10.1), (1, 0.4, 0.6)]


@pytest.mark.parametrize(("expires_in", "last", "first"), LIVES)
def test_a_token_is_renewed_before_it_ends(expires_in: int, last: float, first: float, server: Canned) -> None:
    numbered_tokens(server, expires_in=expires_in)
    server.usual = answer(reply("balance"))
    clock = Moved()
    with cold(server, clock=clock) as client:
        for moment in (0.0, last, first):
            clock.at = 1000.0 + moment
            SAMPLES["balance"](client)
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer pat_1", "Bearer pat_1", "Bearer pat_2"]


def test_a_wait_for_another_threads_token_ends_by_the_deadline() -> None:
    token = PartnerToken("demo-shop", "demo-secret", clock=SystemClock())
    token._lock.acquire()
    got = token.header(lambda: pytest.fail("nobody may ask"), ends=SystemClock().monotonic() + 0.05)
    assert type(got) is NotSentError


@pytest.mark.parametrize(
    ("client_id", "client_secret", "pair"),
    [
        ("demo-shop", "demo-secret", "demo-shop:demo-secret"),
        ("a:b", "c d", "a%3Ab:c%20d"),
        ("ü", "50%", "%C3%BC:50%25"),
    ],
)
def test_id_and_secret_are_encoded_before_they_are_joined(client_id: str, client_secret: str, pair: str) -> None:
    token = PartnerToken(client_id, client_secret, clock=SystemClock())
    assert base64.b64decode(token.basic.removeprefix("Basic ")).decode() == pair


@pytest.mark.parametrize("value", ["", None, 5, "a\r\nb", "a\x00"])
@pytest.mark.parametrize("name", ["client_id", "client_secret"])
@pytest.mark.scenario("S16", "credentials with a line end are refused when the client is made")
def test_credentials_that_cannot_be_meant_are_refused(name: str, value: Any) -> None:
    arguments = {"client_id": "demo-shop", "client_secret": "demo-secret", name: value}
    with pytest.raises(ConfigurationError) as caught:
        Client("https://points.example", **arguments)
    assert caught.value.field == name
