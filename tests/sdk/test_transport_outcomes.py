"""What a call means when the network fails it, over real sockets: nothing happened, or nobody knows.

A refused or unreachable provider is certain. Everything after the first byte may have been done, so a write says that
it does not know, with its key and the call that finds out; a read says that it has no answer.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from _calls import READS, WRITES, assert_not_sent, assert_unknown, failure, key_of, reply
from _canned import (
    Act,
    AtAccept,
    Canned,
    answer,
    close,
    closed_port,
    drip,
    full_backlog,
    head,
    problem,
    raw,
    reset,
    reset_unread,
    then_silence,
)
from punktgenau import (
    Client,
    UnavailableError,
    UnexpectedResponseError,
)

SHORT_S = 0.25
NOISE_S = 0.5
NewClient = Callable[..., Client]


@contextmanager
def bounded(deadline_s: float) -> Iterator[None]:
    """Control comes back within the deadline, a twentieth, 50 ms, and what a busy machine takes."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < deadline_s * 1.05 + 0.05 + NOISE_S


# Nothing can have been done: certain on writes and reads.


@pytest.mark.parametrize("name", WRITES + READS)
@pytest.mark.scenario("N1", "refused: not sent, for certain, and the same key may go out again")
def test_refused_is_certainly_not_done(name: str, new_client: NewClient, server: Canned) -> None:
    client = new_client()
    server.stop()
    assert_not_sent(failure(name, client, deadline_s=1), name)


@pytest.mark.parametrize("name", WRITES + READS)
def test_refused_before_there_is_a_token_is_certainly_not_done(name: str) -> None:
    with Client(f"http://127.0.0.1:{closed_port()}", client_id="demo-shop", client_secret="demo-secret") as client:
        assert_not_sent(failure(name, client, deadline_s=1), name)


@pytest.mark.parametrize("name", WRITES + READS)
@pytest.mark.scenario("N1", "the name is not found: not sent, for certain")
def test_a_name_that_is_not_found_is_certainly_not_done(name: str) -> None:
    with Client("https://points.invalid", client_id="demo-shop", client_secret="demo-secret") as client:
        error = failure(name, client, deadline_s=1)
    assert_not_sent(error, name)
    assert "points.invalid" in str(error.__cause__ and error.__cause__.__cause__)


@pytest.mark.parametrize("name", WRITES + READS)
@pytest.mark.scenario("N2", "a connect that takes for ever ends by the deadline and is certainly not done")
def test_a_connect_timeout_is_certainly_not_done(name: str, queue: int, new_client: NewClient, server: Canned) -> None:
    client = new_client()
    # It has its token; its connections are forgotten, and where they lead.
    client._transport.base_url = f"http://127.0.0.1:{queue}"
    client._transport.close()
    with bounded(SHORT_S):
        error = failure(name, client, deadline_s=SHORT_S)
    assert_not_sent(error, name)


@pytest.fixture(scope="module")
def queue() -> Iterator[int]:
    with full_backlog() as port:
        yield port


def test_each_address_of_a_name_gets_its_share_of_the_deadline(queue: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", queue))
    looked_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: [found] * 4 if host == "localhost" else looked_up(host, *rest, **more),
    )
    with (
        Client(f"http://localhost:{queue}", client_id="demo-shop", client_secret="demo-secret") as client,
        bounded(0.4),
    ):
        assert_not_sent(failure("authorize", client, deadline_s=0.4), "authorize")


# Something may have been done.

FULL = raw(head(200, {"Content-Type": "application/json", "Content-Length": "400"}) + b'{"id": "red_0001"')
HTML = b"<!doctype html><title>Welcome</title>"
PROMPT: dict[str, Act | AtAccept] = {
    "closed before reading": AtAccept(close),
    "reset before reading": AtAccept(reset_unread),
    "closed after reading": close,
    "reset after reading": reset,
    "short body": FULL,
    "short headers": raw(b"HTTP/1.1 200 OK\r\nContent-Type: applic"),
    "short status line": raw(b"HTTP/1."),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "status 999": raw(b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"),
    "HTML 200": answer(HTML, content_type="text/html"),
    "HTML 200 that says JSON": answer(HTML),
    "JSON that says HTML": answer(reply("authorize"), content_type="text/html"),
    "empty 200": answer(b""),
    "no content type": answer(reply("authorize"), content_type=None),
    "JSON of other shape": answer({"hello": "world"}),
    "JSON null": answer(b"null"),
    "malformed JSON": answer(b'{"id": "red_0001"'),
    "204": raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False),
    "202": answer(reply("authorize"), 202),
    "206": answer(reply("authorize"), 206),
    "304": raw(b"HTTP/1.1 304 Not Modified\r\n\r\n", close=False),
    "HTML 502": answer(HTML, 502, content_type="text/html"),
    "HTML 503": answer(HTML, 503, content_type="text/html"),
    "HTML 404": answer(HTML, 404, content_type="text/html"),
    "HTML 401": answer(HTML, 401, content_type="text/html"),
    "problem without a code": answer({"title": "No"}, 422, content_type="application/problem+json"),
    "problem that says done": problem("already_captured", 409, outcome="done"),
    "problem that says nothing": problem("already_captured", 409, outcome=""),
    "problem with a status of success": problem("already_captured", 200),
    "gzip": answer(b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"}),
    "huge body": answer(b'{"id": "' + b"x" * 300_000 + b'"}'),
    "huge header": raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"),
    "too many headers": raw(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n"),
    "broken chunking": raw(
        head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}) + b"zz\r\nnot a length\r\n"
    ),
    "chunks that stop": raw(
        head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}) + b'5\r\n{"id"\r\n'
    ),
    "two lengths": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}  "
    ),
    "a length that is no number": raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: many\r\n\r\n{}"
    ),
}
SLOW: dict[str, Act | AtAccept] = {
    "accepted and never read": AtAccept(then_silence()),
    "read and never answered": then_silence(),
    "headers, then silence": then_silence(head(200, {"Content-Type": "application/json", "Content-Length": "400"})),
    "half a body, then silence": then_silence(
        head(200, {"Content-Type": "application/json", "Content-Length": "400"}) + b'{"id"'
    ),
    "status line in drips": drip(b"HTTP/1.1 200 OK\r\n" * 9),
    "headers in drips": drip(b"X-Patience: " + b"x" * 500, at_once=b"HTTP/1.1 200 OK\r\n"),
    "body in drips": drip(b" " * 400, at_once=head(200, {"Content-Type": "application/json", "Content-Length": "400"})),
    "chunks in drips": drip(
        b"1\r\n \r\n" * 200, at_once=head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
    ),
    "early hints, then silence": then_silence(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "continue, for ever": drip(b"\r\n" * 200, at_once=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 "),
}


# What each is an example of.
ROWS = {
    "N4": ("closed before", "reset before", "closed after", "reset after"),
    "N9": ("short body", "short headers", "broken chunking", "chunks that stop", "two lengths", "a length that"),
    "N12": ("204", "304"),
    "N13": ("HTML", "empty 200"),
    "S17": ("gzip", "huge", "too many headers"),
}
ASSERTS = {
    "N4": "closed or reset before a byte of the answer: unknown, with key and next call",
    "N9": "a body that is short, badly chunked or of two lengths: unknown",
    "N12": "a status that has no body is no answer: unknown",
    "N13": "a page of something in between, whatever its status: unknown",
    "S17": "a packed or huge body, huge or too many headers: cut, and unknown",
}


def row(name: str) -> list[pytest.MarkDecorator]:
    found = [identifier for identifier, beginnings in ROWS.items() if name.startswith(beginnings)]
    return [pytest.mark.scenario(identifier, ASSERTS[identifier]) for identifier in found]


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("act", [pytest.param(act, id=name, marks=row(name)) for name, act in PROMPT.items()])
def test_a_write_without_a_proper_answer_is_unknown(
    name: str, act: Act | AtAccept, client: Client, server: Canned
) -> None:
    server.next(act, act, act)
    assert_unknown(failure(name, client, deadline_s=3), name)
    assert server.keys() == [key_of(name)] * len(server.seen)


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("act", PROMPT.values(), ids=PROMPT)
def test_a_read_without_a_proper_answer_has_done_nothing(
    name: str, act: Act | AtAccept, client: Client, server: Canned
) -> None:
    server.next(act, act, act)
    error = failure(name, client, deadline_s=3)
    assert type(error) in (UnavailableError, UnexpectedResponseError)
    assert error.outcome == "not_done"


ON_EVERY_WRITE = ("read and never answered", "headers, then silence")
SLOW_WRITES = [(name, act) for act in SLOW for name in (WRITES if act in ON_EVERY_WRITE else ("authorize",))]


@pytest.mark.parametrize(("name", "act"), SLOW_WRITES)
@pytest.mark.scenario("N8", "silence or one byte at a time, at any place: the deadline ends it, and it is unknown")
def test_a_write_ends_by_its_deadline_and_is_unknown(name: str, act: str, client: Client, server: Canned) -> None:
    server.next(SLOW[act])
    with bounded(SHORT_S):
        error = failure(name, client, deadline_s=SHORT_S)
    assert_unknown(error, name)


@pytest.mark.parametrize("act", SLOW.values(), ids=SLOW)
def test_a_read_ends_by_its_deadline(act: Act | AtAccept, client: Client, server: Canned) -> None:
    server.next(act)
    with bounded(SHORT_S):
        error = failure("balance", client, deadline_s=SHORT_S)
    assert type(error) in (UnavailableError, UnexpectedResponseError)


def test_a_token_that_drips_ends_by_the_deadline_and_nothing_was_sent(server: Canned) -> None:
    server.token = drip(b" " * 400, at_once=head(200, {"Content-Type": "application/json", "Content-Length": "400"}))
    with Client(server.url, client_id="demo-shop", client_secret="demo-secret") as client, bounded(SHORT_S):
        error = failure("authorize", client, deadline_s=SHORT_S)
    assert_not_sent(error, "authorize")
    assert server.seen == []
