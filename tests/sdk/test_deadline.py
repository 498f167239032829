"""Calls over TLS end on time as well, and never reach a server that cannot prove who it is."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from _calls import SAMPLES, assert_not_sent, assert_unknown, failure, reply
from _canned import Act, AtAccept, Canned, answer, canned, close, closed_port, drip, head, raw, reset, then_silence
from punktgenau import Client, ConfigurationError, NotSentError
from punktgenau._deadline import _tls_context

SHORT_S = 0.4
NOISE_S = 0.5
JSON_HEAD = head(200, {"Content-Type": "application/json", "Content-Length": "400"})


@contextmanager
def bounded(deadline_s: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < deadline_s * 1.05 + 0.05 + NOISE_S


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names a bundle with our authority, as administrators do it."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


@pytest.fixture
def secure(authority: trustme.CA, trusted: None) -> Iterator[Canned]:
    with canned(tls=context(authority.issue_cert("127.0.0.1"))) as running:
        yield running


@pytest.fixture
def client(secure: Canned) -> Iterator[Client]:
    with Client(secure.url, client_id="demo-shop", client_secret="demo-secret") as made:
        secure.next(answer(reply("member"), headers={"Connection": "close"}, close=True))
        SAMPLES["member"](made)
        secure.seen.clear()
        yield made


def test_a_call_over_tls_is_a_call(client: Client, secure: Canned) -> None:
    secure.next(answer(reply("authorize")), answer(reply("void")))
    assert SAMPLES["authorize"](client).state == "authorized"
    assert SAMPLES["void"](client).state == "voided"
    assert len({seen.connection for seen in secure.seen}) == 1


SLOW: dict[str, Act] = {
    "silence": then_silence(),
    "status line in drips": drip(b"HTTP/1.1 200 OK\r\n" * 9),
    "headers in drips": drip(b"X-Patience: " + b"x" * 500, at_once=b"HTTP/1.1 200 OK\r\n"),
    "body in drips": drip(b" " * 400, at_once=JSON_HEAD),
}


@pytest.mark.parametrize("act", SLOW.values(), ids=SLOW)
@pytest.mark.scenario("N8", "the same over TLS, where one byte is a whole record")
def test_a_slow_answer_over_tls_ends_by_the_deadline(act: Act, client: Client, secure: Canned) -> None:
    secure.next(act)
    with bounded(SHORT_S):
        error = failure("authorize", client, deadline_s=SHORT_S)
    assert_unknown(error, "authorize")


# The first bytes of a record of 16 kB that never comes.
HANDSHAKES: dict[str, Act] = {
    "silence": then_silence(),
    "a record in drips": drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + b"\x00" * 400),
    "closed": close,
    "reset": reset,
    "plain HTTP": raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("act", HANDSHAKES.values(), ids=HANDSHAKES)
@pytest.mark.scenario("N2", "a TLS handshake that never ends, or breaks: not sent, for certain, by the deadline")
def test_a_handshake_that_does_not_end_is_certainly_not_done(act: Act, client: Client, secure: Canned) -> None:
    secure.next(*[AtAccept(act)] * 3)
    with bounded(SHORT_S):
        error = failure("authorize", client, deadline_s=SHORT_S)
    assert_not_sent(error, "authorize")
    assert secure.seen == []


def test_a_socket_that_was_reset_before_the_handshake_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plain = socket.create_connection(listener.getsockname())
        far = listener.accept()[0]
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far.close()
    select.select([plain], [], [], 5)
    with pytest.raises(OSError) as told:
        _tls_context().wrap_socket(plain, server_hostname="127.0.0.1")
    (left,) = {own for entry in told.traceback if isinstance(own := entry.frame.f_locals.get("self"), ssl.SSLSocket)}
    assert left.fileno() == -1


Issue = Callable[[trustme.CA], trustme.LeafCert]
UNTRUSTED: dict[str, Issue] = {
    "another authority": lambda authority: trustme.CA().issue_cert("127.0.0.1"),
    "another host": lambda authority: authority.issue_cert("points.example"),
    "expired": lambda authority: authority.issue_cert(
        "127.0.0.1", not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime(2021, 1, 1, tzinfo=UTC)
    ),
    "not valid yet": lambda authority: authority.issue_cert(
        "127.0.0.1", not_before=datetime(2090, 1, 1, tzinfo=UTC), not_after=datetime(2091, 1, 1, tzinfo=UTC)
    ),
}


@pytest.mark.parametrize("issue", UNTRUSTED.values(), ids=UNTRUSTED)
@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
@pytest.mark.usefixtures("trusted")
@pytest.mark.scenario("N3", "a certificate of another authority, host or time: nothing sent, nothing repeated")
def test_an_untrusted_certificate_gets_nothing_and_one_try(issue: Issue, is_warm: bool, authority: trustme.CA) -> None:
    with (
        canned(tls=context(issue(authority))) as impostor,
        Client(impostor.url, client_id="demo-shop", client_secret="demo-secret") as client,
    ):
        if is_warm:
            client._transport._token._header, client._transport._token._ends = "Bearer pat_5f2c9d", float("inf")
        error = failure("authorize", client, deadline_s=2)
        assert (type(error), error.code, error.outcome) == (NotSentError, "tls_untrusted", "not_done")
        assert (impostor.seen, impostor.tokens, impostor.connections) == ([], [], 1)


@pytest.mark.scenario("N3", "without the bundle the same server is not trusted: verification has no switch")
def test_what_the_environment_does_not_trust_is_not_trusted(secure: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with Client(secure.url, client_id="demo-shop", client_secret="demo-secret") as client:
        assert failure("authorize", client).code == "tls_untrusted"


def test_a_bundle_that_is_not_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(ConfigurationError, match=r"gone\.pem"):
        Client("https://points.example", client_id="demo-shop", client_secret="demo-secret")


# Proxies.


def test_a_proxy_that_refuses_is_certainly_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    with Client("https://points.example", client_id="demo-shop", client_secret="demo-secret") as client:
        assert_not_sent(failure("authorize", client), "authorize")


@pytest.mark.parametrize(
    "act",
    [
        raw(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.1 200 Connection established\r\n\r\n"),
    ],
    ids=["407", "502", "a tunnel that ends"],
)
def test_a_proxy_without_a_tunnel_is_certainly_not_done(
    act: Act, server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.next(*[act] * 3)
    with Client("https://points.example", client_id="demo-shop", client_secret="demo-secret") as client:
        assert_not_sent(failure("authorize", client), "authorize")
    assert {seen.method for seen in server.seen} == {"CONNECT"}
    assert not any("authorization" in seen.headers for seen in server.seen)


def test_a_tunnel_whose_far_end_is_silent_ends_by_the_deadline(server: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.next(then_silence(b"HTTP/1.1 200 Connection established\r\n\r\n"))
    with (
        Client("https://points.example", client_id="demo-shop", client_secret="demo-secret") as client,
        bounded(SHORT_S),
    ):
        assert_not_sent(failure("authorize", client, deadline_s=SHORT_S), "authorize")


@pytest.mark.scenario("S15", "what may go without TLS never leaves the machine through a proxy")
def test_a_provider_on_this_machine_is_not_reached_through_a_proxy(
    server: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.next(answer(reply("authorize")))
    with canned() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with Client(server.url, client_id="demo-shop", client_secret="demo-secret") as client:
            assert SAMPLES["authorize"](client).state == "authorized"
        assert proxy.connections == 0
