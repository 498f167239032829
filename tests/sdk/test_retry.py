"""When the same call goes out again, computed by hand: delays, clamps, quota, circuit. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import punktgenau.errors as e
from _calls import SAMPLES, failure, reply
from _canned import Canned, answer, close, problem
from punktgenau import Client, NotSentError, OutcomeUnknownError, PunktgenauError, RateLimitedError, UnavailableError
from punktgenau._problem import _retry_after
from punktgenau._retry import Circuit, RetryPolicy, RetryQuota, delay_s, proves_not_done

POLICY = RetryPolicy(sends=4, base_s=0.1, throttled_base_s=0.5, cap_s=0.3, clamp_s=5.0)
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def lost(by: Any = None, code: str | None = None) -> PunktgenauError:
    error = OutcomeUnknownError("Lost.", code=code)
    error.lost_by = by
    return error


# error, how many sends so far, chance, Retry-After -> seconds until the next one
DELAYS: dict[str, tuple[PunktgenauError, int, float, float | None, float | None]] = {
    "not sent, no luck": (NotSentError("x"), 1, 0.0, None, 0.0),
    "not sent, half": (NotSentError("x"), 1, 0.5, None, 0.05),
    "twice as long the second time": (NotSentError("x"), 2, 0.5, None, 0.1),
    "never above the cap": (NotSentError("x"), 3, 1.0, None, 0.3),
    "as often as the policy says": (NotSentError("x"), 4, 0.5, None, None),
    "unknown": (lost(), 1, 0.5, None, 0.05),
    "timed out": (lost("timeout"), 1, 0.5, None, 0.05),
    "disconnected: at once": (lost("disconnected"), 1, 0.5, None, 0.0),
    "disconnected again: not at once": (lost("disconnected"), 2, 0.5, None, 0.1),
    "a read": (UnavailableError("x"), 1, 0.5, None, 0.05),
    "throttled starts slower, and the cap holds": (RateLimitedError("x"), 1, 0.5, None, 0.15),
    "in progress starts slower": (lost(code="operation_in_progress"), 1, 0.4, None, 0.12),
    "the server's wish": (RateLimitedError("x"), 1, 0.5, 2.0, 2.0),
    "the server's wish on a 503": (lost(), 1, 0.5, 2.0, 2.0),
    "the server in more of a hurry than we": (RateLimitedError("x"), 1, 0.5, 0.0, 0.15),
    "the server's wish, clamped": (RateLimitedError("x"), 1, 0.5, 86_400.0, 5.15),
    "circuit open": (NotSentError("x", code="circuit_open"), 1, 0.5, None, None),
    "certificate": (NotSentError("x", code="tls_untrusted"), 1, 0.5, None, None),
    "out of time": (NotSentError("x", code="deadline_passed"), 1, 0.5, None, None),
    "a shape that will not get better": (e.UnexpectedResponseError("x"), 1, 0.5, None, None),
    "declined": (e.InsufficientPointsError("x"), 1, 0.5, None, None),
    "a state": (e.HoldExpiredError("x"), 1, 0.5, None, None),
    "a reused key": (e.IdempotencyConflictError("x"), 1, 0.5, None, None),
    "credentials": (e.AuthenticationError("x"), 1, 0.5, None, None),
    "an argument": (e.InvalidArgumentError("x"), 1, 0.5, None, None),
    "a setting": (e.ConfigurationError("x"), 1, 0.5, None, None),
}


@pytest.mark.parametrize("row", DELAYS.values(), ids=DELAYS)
def test_delay(row: tuple[PunktgenauError, int, float, float | None, float | None]) -> None:
    error, sends, chance, retry_after_s, expected = row
    got = delay_s(POLICY, error, sends=sends, chance=chance, retry_after_s=retry_after_s)
    assert got == (None if expected is None else pytest.approx(expected))


RETRY_AFTER: dict[str, float | None] = {
    "0": 0.0,
    "1": 1.0,
    "86400": 86_400.0,
    "999999999": 999_999_999.0,
    "9999999999": None,
    "-5": None,
    "1.5": None,
    "1e3": None,
    "soon": None,
    "": None,
    "NaN": None,
    "٣": None,
    "0x10": None,
    "Sun, 22 Nov 2026 12:00:30 GMT": 30.0,
    "Sun, 22 Nov 2026 11:00:00 GMT": 0.0,
    "Sun, 22 Nov 2026 13:00:30 +0100": 30.0,
    "Sun, 22 Nov 2026 12:00:30": None,
    "Sun, 22 Nov 99999 12:00:30 GMT": None,
    "Sun, 22 Nov 2026 12:00:30 +999999999999999": None,
    "Sun, 22 Nov 2026 12:00:30 +" + "9" * 5000: None,
    "22 Nov": None,
}


@pytest.mark.parametrize("text", RETRY_AFTER, ids=lambda text: str(text)[:48])
@pytest.mark.scenario("P3", "Retry-After of any form is seconds from 0 on, or nothing")
def test_retry_after_is_read_or_ignored(text: str) -> None:
    expected = RETRY_AFTER[text]
    got = _retry_after(text, NOON)
    assert got == expected or (got is None and expected is None)


class Recording:
    """A clock that stands still until somebody sleeps, and remembers for how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.moved = 0.0

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return 1000.0 + self.moved

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moved += seconds

    def random_bytes(self, length: int) -> bytes:
        return b"\x80" + b"\x00" * (length - 1)  # half of the range


@pytest.fixture
def clock() -> Recording:
    return Recording()


@pytest.fixture
def timed(new_client: Callable[..., Client], clock: Recording) -> Client:
    return new_client(clock=clock, deadline_s=20)


@pytest.mark.parametrize(
    ("retry_after", "slept"),
    [
        ("0", [0.25, 0.5]),
        ("1", [1.0, 1.0]),
        ("86400", [5.25, 5.5]),
        ("-5", [0.25, 0.5]),
        ("garbage", [0.25, 0.5]),
        ("Sun, 22 Nov 2026 12:00:03 GMT", [3.0, 3.0]),
        ("Sun, 22 Nov 2026 12:00:03 +999999999999999", [0.25, 0.5]),
    ],
)
@pytest.mark.scenario("P3", "a wish to wait is obeyed up to five seconds above the own back-off")
def test_a_throttled_call_waits_as_asked_within_limits(
    retry_after: str, slept: list[float], timed: Client, clock: Recording, server: Canned
) -> None:
    too_many = problem("rate_limited", 429, headers={"Retry-After": retry_after})
    server.next(too_many, too_many, answer(reply("authorize")))
    assert SAMPLES["authorize"](timed).state == "authorized"
    assert clock.slept == slept
    assert len(set(server.keys())) == 1


@pytest.mark.scenario("P3", "nobody sleeps past the deadline: the call ends at once, as rate limited")
def test_a_wait_that_would_pass_the_deadline_is_not_begun(timed: Client, clock: Recording, server: Canned) -> None:
    server.next(problem("rate_limited", 429, headers={"Retry-After": "3"}))
    error = failure("authorize", timed, deadline_s=2)
    assert (type(error), error.outcome, error.retry) == (RateLimitedError, "not_done", "same_key")
    assert (clock.slept, len(server.seen)) == ([], 1)


@pytest.mark.scenario("P4", "still in progress: waited for, with the same key; no error to anybody")
def test_an_operation_in_progress_is_waited_for(timed: Client, clock: Recording, server: Canned) -> None:
    busy = problem("operation_in_progress", 409, outcome="unknown")
    server.next(busy, busy, answer(reply("authorize"), headers={"Idempotency-Replayed": "true"}))
    red = SAMPLES["authorize"](timed)
    assert (red.replayed, red.sends) == (True, 3)
    assert clock.slept == [0.25, 0.5]
    assert server.keys() == ["key-authorize-A-1001"] * 3


def test_an_operation_in_progress_until_the_deadline_is_unknown(timed: Client, server: Canned) -> None:
    server.next(*[problem("operation_in_progress", 409, outcome="unknown")] * 3)
    error = failure("authorize", timed)
    assert (type(error), error.code, error.sends) == (OutcomeUnknownError, "operation_in_progress", 3)


# The quota.


def test_the_quota_runs_out_and_fills_by_success() -> None:
    quota = RetryQuota(tokens=20)
    assert [quota.take(NotSentError("x")) for _ in range(5)] == [True, True, True, True, False]
    for _ in range(4):
        quota.give()
    assert quota.take(NotSentError("x")) is False
    quota.give()
    assert quota.take(NotSentError("x")) is True


def test_a_timeout_costs_twice() -> None:
    quota = RetryQuota(tokens=20)
    assert [quota.take(lost("timeout")) for _ in range(3)] == [True, True, False]


def test_the_quota_never_holds_more_than_at_first() -> None:
    quota = RetryQuota(tokens=10)
    for _ in range(100):
        quota.give()
    assert [quota.take(NotSentError("x")) for _ in range(3)] == [True, True, False]


@pytest.mark.scenario("N16", "in an outage repeats run dry: 104 calls make 124 sends, at most 1.2 times as many")
def test_an_outage_is_not_made_worse(new_client: Callable[..., Client], server: Canned) -> None:
    client = new_client()
    client._transport._quota = RetryQuota(tokens=100)
    client._transport._circuit = Circuit(failures=10**6)
    for _ in range(104):
        failure("balance", client)
    # 100 tokens pay for 20 repeats; every call itself goes out once.
    assert len(server.seen) == 104 + 20


# The circuit.


def test_a_probe_that_waited_long_in_vain_is_followed_by_a_pause() -> None:
    circuit = Circuit(failures=2, open_s=5.0)
    for moment in (0.0, 1.0):
        circuit.note(answered=False, now=moment)
    assert circuit.admits(6.0)
    circuit.note(answered=False, now=10.9)
    assert [circuit.admits(moment) for moment in (11.0, 15.8, 15.9)] == [False, False, True]


def test_the_circuit_opens_lets_one_through_and_closes() -> None:
    circuit = Circuit(failures=3, open_s=5.0)
    for moment in (0.0, 1.0):
        circuit.note(answered=False, now=moment)
    assert circuit.admits(1.0)
    circuit.note(answered=False, now=2.0)
    assert [circuit.admits(moment) for moment in (2.0, 6.9)] == [False, False]
    # Half open: one probe, and nobody else until it is back, or five seconds after it went or came to nothing.
    assert [circuit.admits(7.0), circuit.admits(7.0), circuit.admits(11.9)] == [True, False, False]
    circuit.note(answered=False, now=7.5)
    assert [circuit.admits(8.0), circuit.admits(12.4), circuit.admits(12.5)] == [False, False, True]
    circuit.note(answered=True, now=13.0)
    assert [circuit.admits(13.0), circuit.admits(13.1)] == [True, True]


def test_one_good_answer_forgets_the_failures_before_it() -> None:
    circuit = Circuit(failures=2, open_s=5.0)
    for answered in (False, True, False):
        circuit.note(answered=answered, now=0.0)
    assert circuit.admits(0.0)


def outage(client: Client, calls: int) -> list[str]:
    return [failure("authorize", client).code for _ in range(calls)]


@pytest.mark.scenario("N16", "after five failed calls in a row the next ones are refused here, at once")
def test_an_open_circuit_sends_nothing_and_says_that_nothing_happened(timed: Client, server: Canned) -> None:
    outage(timed, 5)
    arrived = len(server.seen)
    error = failure("authorize", timed)
    assert (type(error), error.code, error.outcome, error.sends) == (NotSentError, "circuit_open", "not_done", 0)
    assert len(server.seen) == arrived


def test_after_the_pause_one_answer_closes_the_circuit(timed: Client, clock: Recording, server: Canned) -> None:
    outage(timed, 5)
    clock.moved += 5.0
    server.next(answer(reply("authorize")), answer(reply("authorize")))
    assert SAMPLES["authorize"](timed).state == "authorized"
    assert SAMPLES["authorize"](timed).state == "authorized"


def test_a_circuit_that_opened_before_there_was_a_token_closes_again(server: Canned, clock: Recording) -> None:
    proper, server.token = server.token, close
    with Client(server.url, client_id="demo-shop", client_secret="demo-secret", clock=clock) as client:
        outage(client, 5)
        assert failure("authorize", client).code == "circuit_open"
        server.token = proper
        server.next(answer(reply("authorize")))
        clock.moved += 5.0
        assert SAMPLES["authorize"](client).state == "authorized"


def test_a_circuit_that_opens_during_a_call_leaves_its_loss_unknown(timed: Client, server: Canned) -> None:
    timed._transport._circuit = Circuit(failures=1)

    def lose_and_open(talk: Any) -> None:
        timed._transport._circuit.note(answered=False, now=1000.0)
        talk.ends = True

    server.next(lose_and_open)
    error = failure("authorize", timed)
    assert (type(error), error.sends) == (OutcomeUnknownError, 1)
    assert error.__cause__ is not None


def test_refusals_are_answers_and_open_nothing(timed: Client, server: Canned) -> None:
    server.usual = problem("insufficient_points", 422)
    assert outage(timed, 8) == ["insufficient_points"] * 8


def test_calls_that_ran_out_of_time_before_the_send_open_nothing(timed: Client, clock: Recording) -> None:
    class Late(Recording):
        def monotonic(self) -> float:
            self.moved += 10.0
            return super().monotonic()

    timed._transport._clock = Late()
    assert outage(timed, 8) == ["deadline_passed"] * 8


def test_a_new_client_starts_closed(timed: Client, server: Canned) -> None:
    outage(timed, 6)
    server.usual = answer(reply("authorize"))
    with Client(server.url, client_id="demo-shop", client_secret="demo-secret") as client:
        assert SAMPLES["authorize"](client).state == "authorized"


# What a refusal proves.


@pytest.mark.parametrize("cls", [c for c in vars(e).values() if isinstance(c, type) and issubclass(c, PunktgenauError)])
def test_only_refusals_under_the_key_prove_something(cls: type[PunktgenauError]) -> None:
    proves = {
        "DeclinedError",
        "InsufficientPointsError",
        "MemberBlockedError",
        "LimitError",
        "VoucherError",
        "StateConflictError",
        "AlreadyCapturedError",
        "AlreadyVoidedError",
        "HoldExpiredError",
        "RedemptionEndedError",
        "LiveRedemptionError",
        "ReversalExceedsCaptureError",
        "IdempotencyConflictError",
    }
    assert proves_not_done(cls("x")) is (cls.__name__ in proves)
