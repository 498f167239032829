"""Whatever goes wrong, the client hears of the fake what it hears of the sandbox over TCP: for every fault there is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import requests

from punktgenau import Client, Money, PunktgenauError, SystemClock
from punktgenau.sandbox import create_app, fault_replies
from punktgenau.sandbox.faults import IN_ROUTES, KINDS, ON_WIRE, Fault, Kind, Operation, When
from punktgenau.sandbox.server import Server
from punktgenau.sandbox.state import Sandbox, sandbox_of
from punktgenau.testing import ManualClock, fake_provider

SLOW: frozenset[Kind] = frozenset({"hang", "drip_headers", "drip_body"})
"""Over TCP these last as long as the caller's deadline."""
TOTAL = Money(amount_minor=5990, currency="EUR")


class EvenClock(SystemClock):
    """No jitter, so that two runs repeat their calls alike."""

    def random_bytes(self, length: int) -> bytes:
        return bytes(length)


class EvenManualClock(ManualClock):
    def random_bytes(self, length: int) -> bytes:
        return bytes(length)


@dataclass(frozen=True)
class Heard:
    """What a call came to, and what the provider saw and wrote down of it."""

    error: str | None
    code: str | None
    outcome: str | None
    retry: str | None
    sends: int | None
    answer: object
    requests: list[tuple[str, int | None]]
    books: tuple[int, int]


Call = Callable[[Client], object]


def authorize(client: Client) -> object:
    red = client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427)
    return red.state, red.points, red.replayed, red.sends


def find(client: Client) -> object:
    return len(client.redemptions.find(order_reference="A-1"))


def capture(client: Client) -> object:
    red = client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1", total=TOTAL, points=427)
    red = client.redemptions.capture(red.id)
    return red.state, red.captured_points, red.replayed, red.sends


CALLS: dict[Operation, Call] = {"authorize": authorize, "find": find, "capture": capture}


@pytest.fixture(autouse=True)
def _small_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing the real one takes longer than anything else here."""
    monkeypatch.setattr(fault_replies, "BOMB_BYTES", 1_000_000)


def _result(call: Call, client: Client) -> tuple[PunktgenauError | None, object]:
    try:
        return None, call(client)
    except PunktgenauError as error:
        return error, None


def _heard(
    error: PunktgenauError | None, answer: object, seen: list[tuple[str, int | None]], books: tuple[int, int]
) -> Heard:
    return Heard(
        error=type(error).__name__ if error else None,
        code=error.code if error else None,
        outcome=error.outcome if error else None,
        retry=error.retry if error else None,
        sends=error.sends if error else None,
        answer=answer,
        requests=seen,
        books=books,
    )


@contextmanager
def serving() -> Iterator[tuple[str, Sandbox]]:
    app = create_app()
    server = Server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}", sandbox_of(app)
    finally:
        server.stop()
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Sandbox]]:
    with serving() as found:
        yield found


def deadline_s(fault: Fault | None) -> float:
    return 0.25 if fault is not None and fault.kind in SLOW else 8.0


def over_tcp(server: tuple[str, Sandbox], fault: Fault | None, call: Call) -> Heard:
    url, sandbox = server
    sandbox.reset()
    if fault is not None:
        sandbox.faults.add(fault)
    with Client(
        url, client_id="demo-shop", client_secret="demo-secret", deadline_s=deadline_s(fault), clock=EvenClock()
    ) as client:
        error, answer = _result(call, client)
    seen = [(str(row["operation"]), row["status"]) for row in reversed(sandbox.journal.newest_first())]
    with sandbox.work() as work:
        held = work.number("SELECT sum(points) FROM account WHERE kind = 'held' AND member_id = 'mbr_2500'")
        free = work.number("SELECT sum(points) FROM account WHERE kind = 'available' AND member_id = 'mbr_2500'")
    return _heard(error, answer, seen, (free, held))  # type: ignore[arg-type]


def in_fake(fault: Fault, call: Call) -> Heard:
    clock = EvenManualClock()
    with (
        fake_provider(clock=clock) as provider,
        Client(
            provider.url,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            deadline_s=deadline_s(fault),
            clock=clock,
        ) as client,
    ):
        provider.faults.next(
            fault.operation, fault.kind, fault.when, fault.times, delay_s=fault.delay_s, retry_after=fault.retry_after
        )
        error, answer = _result(call, client)
        seen = [(sent.operation, sent.status) for sent in provider.requests]
        balance = provider.balance("mbr_2500")
        provider.assert_books_balance()
    return _heard(error, answer, seen, (balance.available, balance.held))


def faults(operation: Operation) -> list[Fault]:
    """Every kind that fits, at both moments where they differ, once and more often than a client repeats."""
    moments: tuple[When, ...] = ("before", "after")
    every = [
        Fault(operation, kind, when, times)
        for kind in KINDS
        if kind != "refuse"
        for when in moments
        for times in (1, 9)
    ]
    fitting = [fault for fault in every if fault.fits(operation) and fault.moment == fault.when]
    return [fault for fault in fitting if fault.kind in ON_WIRE or operation != "capture"]


def _name(fault: Fault) -> str:
    return f"{fault.operation}-{fault.kind}-{fault.when}-{fault.times}"


@pytest.mark.parametrize("fault", faults("authorize") + faults("find") + faults("capture"), ids=_name)
def test_same_error_same_requests_same_books(server: tuple[str, Sandbox], fault: Fault) -> None:
    call = CALLS[fault.operation]  # type: ignore[index]
    assert in_fake(fault, call) == over_tcp(server, fault, call)


def test_every_kind_is_compared() -> None:
    compared = {fault.kind for operation in CALLS for fault in faults(operation)}
    assert compared | {"refuse"} == set(KINDS)
    assert {kind for kind, fitting in IN_ROUTES.items() if not fitting & CALLS.keys()} == set()


@pytest.mark.parametrize("operation", CALLS)
def test_refused_for_a_while_as_over_tcp(operation: Operation) -> None:
    # Over TCP the sandbox stops listening, whatever the operation, so this fault has a duration.
    fault = Fault(operation, "refuse", delay_s=30.0)
    with serving() as (url, sandbox):
        sandbox.faults.add(fault)
        while _listens(url):
            pass
        heard = over_tcp((url, sandbox), None, CALLS[operation])
    assert (heard.error, heard.outcome, heard.requests) == ("NotSentError", "not_done", [])
    assert in_fake(fault, CALLS[operation]) == heard


def _listens(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=3.0).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        return True  # in the moment in which it stops
    return True


def _raised(session: requests.Session, url: str) -> tuple[str, str, str]:
    """Which exception, what it carries, and what that carries in turn."""
    try:
        session.get(f"{url}/v1/members/mbr_2500", timeout=(3.0, 0.3))
    except requests.RequestException as error:
        inner = error.args[0]
        carried = getattr(inner, "reason", None) or inner.args[-1]
        return type(error).__name__, type(inner).__name__, type(carried).__name__
    raise AssertionError("nothing was raised")


# What requests 2 with urllib3 2 raises; the third is a text where urllib3 says no more.
RAISED = {
    "hang": ("ReadTimeout", "ReadTimeoutError", "str"),
    "drip_headers": ("ReadTimeout", "ReadTimeoutError", "str"),
    "drip_body": ("ConnectionError", "ReadTimeoutError", "str"),
    "reset": ("ConnectionError", "ProtocolError", "ConnectionResetError"),
    "stale_connection": ("ConnectionError", "ProtocolError", "RemoteDisconnected"),
    "truncated_body": ("ChunkedEncodingError", "ProtocolError", "IncompleteRead"),
    "refuse": ("ConnectionError", "MaxRetryError", "NewConnectionError"),
}


@pytest.mark.parametrize("kind", sorted(ON_WIRE - {"refuse"}))
def test_plain_requests_raises_the_same(server: tuple[str, Sandbox], kind: Kind) -> None:
    url, sandbox = server
    sandbox.reset()
    fault = Fault("member", kind, "after")
    with requests.Session() as session:
        session.get(f"{url}/healthz", timeout=3.0)
        sandbox.faults.add(fault)
        over_the_wire = _raised(session, url)
    with fake_provider() as provider, requests.Session() as session:
        session.get(f"{provider.url}/healthz", timeout=3.0)
        provider.faults.next("member", kind, "after")
        assert (_raised(session, provider.url), over_the_wire) == (RAISED[kind], RAISED[kind])


def test_plain_requests_is_refused_the_same() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with requests.Session() as session:
        over_the_wire = _raised(session, url)
    with fake_provider() as provider, requests.Session() as session, provider.away():
        assert (_raised(session, provider.url), over_the_wire) == (RAISED["refuse"], RAISED["refuse"])
