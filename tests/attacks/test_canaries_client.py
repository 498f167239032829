"""Secrets that are easy to find again, in everything that a client is given: they come out nowhere but on the wire."""

from __future__ import annotations

import json
import logging
import re
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

import pytest
import responses
from requests import ConnectionError as RequestsConnectionError
from requests import PreparedRequest, ReadTimeout

from punktgenau import Client, Money, PunktgenauError, TenderRequest
from punktgenau.checkout import Checkout
from punktgenau.testing import ManualClock

URL = "https://points.example"
WORD = "ca" + "nary"
"""Put together, so that the lines of this file in a trace do not hold it."""
SECRET, TOKEN, CODE, VERIFIER = (f"{WORD}/{name}+%4711" for name in ("secret", "token", "code", "verifier"))
BASIC = b64encode(f"demo-shop:{WORD}%2Fsecret%2B%254711".encode()).decode()
VOUCHER = f"{WORD}-4711-{WORD}"
SHOWN = (WORD, WORD.upper(), BASIC, BASIC[:60])
MEMBER = "mbr_" + "of_somebody"


def told(error: BaseException) -> str:
    """Everything that a log, a page, a crash report or a test runner could print of an error."""
    parts: list[object] = []
    link: BaseException | None = error
    while link is not None:
        parts += [link, repr(link), link.args, vars(link), getattr(link, "__notes__", ())]
        parts += [frame.locals for frame in _frames_of_ours(link)]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\n".join(map(str, [*parts, *traceback.format_exception(error)]))


def _frames_of_ours(error: BaseException) -> list[traceback.FrameSummary]:
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    return [frame for frame in report.stack if "/sdk/" in frame.filename or "/plugin_flask/" in frame.filename]


@pytest.fixture
def client(caplog: pytest.LogCaptureFixture) -> Iterator[Client]:
    caplog.set_level(logging.NOTSET)
    with Client(URL, client_id="demo-shop", client_secret=SECRET, clock=ManualClock()) as client:
        yield client


CALLS: dict[str, Callable[[Client], object]] = {
    "balance": lambda client: client.members.balance(member_id=MEMBER),
    "entries": lambda client: client.members.entries(member_id=MEMBER),
    "identify": lambda client: client.members.identify(code=CODE, redirect_uri="https://x/", code_verifier=VERIFIER),
    "look_up_voucher": lambda client: client.vouchers.look_up(code=VOUCHER),
    "authorize with a voucher": lambda client: client.redemptions.authorize(
        member_id=MEMBER,
        order_reference="A-1",
        total=Money(amount_minor=5990, currency="EUR"),
        tenders=[TenderRequest(kind="voucher", code=VOUCHER), TenderRequest(points=7)],
    ),
    "find": lambda client: client.redemptions.find(order_reference="A-1"),
    "capture": lambda client: client.redemptions.capture("red_1"),
    "authorize": lambda client: client.redemptions.authorize(
        member_id=MEMBER, order_reference="A-1", total=Money(amount_minor=5990, currency="EUR"), points=427
    ),
}


def _echo(request: PreparedRequest) -> str:
    """All that was sent, as a provider's developer might put it into an answer."""
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
    carried = f"{CODE} {VERIFIER} {SECRET}" if "grant_type" in body else ""
    if VOUCHER in body:
        bare = VOUCHER.replace("-", "").upper()
        carried = f"{VOUCHER} {bare} {'-'.join(bare[at : at + 4] for at in range(0, len(bare), 4))}"
    return f"{request.headers['Authorization']} {carried} {body} {dict(request.headers)}"


Answering = Callable[[PreparedRequest], tuple[int, Mapping[str, str], str]]


def _problem(status: int, code: str, *, outcome: str = "not_done") -> Answering:
    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        echo = _echo(request)
        body = {"code": code, "outcome": outcome, "status": status, "detail": echo, "field": echo, "title": echo}
        headers = {"Content-Type": "application/problem+json", "X-Echo": "x", "WWW-Authenticate": f'x="{TOKEN}"'}
        return status, headers, json.dumps(body)

    return answer


def _shape(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
    return 200, {"Content-Type": "application/json"}, json.dumps({"access_token": 1, "member_id": _echo(request)})


def _html(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
    return 502, {"Content-Type": "text/html"}, _echo(request)


def _redirect(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
    return 307, {"Location": f"https://evil.example/?{TOKEN}"}, _echo(request)


def _lost(request: PreparedRequest) -> NoReturn:
    raise RequestsConnectionError(_echo(request) and f"url: {request.url}", request=request)


def _late(request: PreparedRequest) -> NoReturn:
    raise ReadTimeout(f"url: {request.url}", request=request)


ENDINGS: dict[str, Answering] = {
    "declined, with an echo": _problem(422, "insufficient_points"),
    "unknown code, with an echo": _problem(409, "never_heard_of"),
    "malformed, with an echo": _problem(400, "invalid_request"),
    "refused credentials, with an echo": _problem(401, "unauthorized"),
    "broken, with an echo": _problem(500, "internal_error", outcome="unknown"),
    "asked to wait": _problem(429, "rate_limited"),
    "another shape": _shape,
    "a page": _html,
    "sent elsewhere": _redirect,
    "lost": _lost,
    "late": _late,
}


def _token(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
    body = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "mode": "sandbox"}
    return 200, {"Content-Type": "application/json"}, json.dumps(body)


@pytest.mark.scenario("S15", "a secret that the provider says again is not said again by us: error, trace, log, repr")
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("call", CALLS)
def test_what_the_provider_echoes_is_not_said_again(
    client: Client, caplog: pytest.LogCaptureFixture, call: str, ending: str
) -> None:
    def answer(request: PreparedRequest) -> tuple[int, Mapping[str, str], str]:
        is_token = (request.url or "").endswith("/oauth/token") and call != "identify"
        return (_token if is_token else ENDINGS[ending])(request)

    with responses.RequestsMock() as mock:
        for method in ("GET", "POST"):
            mock.add_callback(method, re.compile(f"{URL}/.*"), callback=answer)
        mock.assert_all_requests_are_fired = False
        with pytest.raises(PunktgenauError) as caught:
            CALLS[call](client)
        assert any(one.request.headers["Authorization"].startswith(("Basic", "Bearer")) for one in mock.calls)
    assert_hidden(told(caught.value))
    assert_hidden(caplog.text)
    assert MEMBER not in "\n".join(_texts(caught.value)) or "echo" in ending
    assert MEMBER not in "\n".join(one.getMessage() for one in caplog.records if one.name.startswith("punktgenau"))
    assert_hidden("\n".join(map(repr, (client, client.members, client.redemptions, client._transport))))


def assert_hidden(text: str) -> None:
    """Nothing of it is there; where it is, its line is shown."""
    assert [line[:200] for line in text.splitlines() if any(secret in line for secret in SHOWN)] == []


PROXIES = (
    "http://u:{}@127.0.0.1:1",
    "http://u:{}@127.0.0.1:port",
    "http://u:{}@127.0.0.1:99999",
    "socks5://u:{}@127.0.0.1:1",
    "//u:{}@[",
    "http://u:{}@/",
    "ftp://u:{}@127.0.0.1:1",
)


@pytest.mark.scenario("S15", "a proxy's password is in no error and no log, whatever is wrong with the proxy")
@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("call", ["balance", "capture"])
def test_a_proxys_password(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, proxy: str, call: str
) -> None:
    caplog.set_level(logging.NOTSET)
    monkeypatch.setenv("HTTPS_PROXY", proxy.format(WORD))
    client = Client(URL, client_id="demo-shop", client_secret=SECRET, deadline_s=0.5, clock=ManualClock())
    with pytest.raises(PunktgenauError) as caught:
        CALLS[call](client)
    assert_hidden(told(caught.value))
    assert_hidden(caplog.text + repr(client))
    client.close()


@pytest.mark.parametrize(
    "address",
    [
        "https://u:{}@points.example",
        "https://points.example:{}",
        "https://[{}",
        "ftp://u:{}@x",
        "https://x/?{}",
        "https://x/#{}",
        "https://x y/{}",
        "http://{}.example/",
    ],
)
def test_a_password_in_the_providers_address(address: str) -> None:
    with pytest.raises(PunktgenauError) as caught:
        Client(address.format(WORD), client_id="demo-shop", client_secret=SECRET)
    assert WORD not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"


DATABASES = (
    "postgresql://shop:{}/pw@db/x",
    "postgresql://shop:pass@{}:word/x",
    "postgresql://shop:pass:{}@db:{}/x",
    "postgresql://shop:pass@{}@127.0.0.1:1/x",
    "postgresql://shop:{}@127.0.0.1:1/x",
    "mysql://shop:{}@db/x",
    "postgresql//shop:{}@db/x",
    "{}",
    "sqlite://shop:{}@/",
)


@pytest.mark.scenario("S15", "a database's password is in no error, chained or not, whatever is wrong with its address")
@pytest.mark.parametrize("address", DATABASES)
@pytest.mark.parametrize("step", ["ready", "upgrade", "find"])
def test_a_databases_password(client: Client, caplog: pytest.LogCaptureFixture, address: str, step: str) -> None:
    def use() -> object:
        checkout = Checkout(client, address.format(WORD, WORD))
        try:
            if step == "find":
                return checkout.find("A-1")
            if step == "upgrade":
                checkout.upgrade()
            return checkout.ready()
        finally:
            assert WORD not in repr(checkout)
            checkout.close()

    with pytest.raises(PunktgenauError) as caught:
        use()
    assert WORD not in "\n".join(_texts(caught.value))
    assert_hidden(caplog.text)


def _texts(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{error} {error!r} {error.args}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
