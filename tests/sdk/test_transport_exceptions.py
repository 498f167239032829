"""Every exception of the layers below has a meaning of ours; a class that is new fails here until it has one."""

from __future__ import annotations

import http.client
import inspect
import json
import ssl
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
import requests
import urllib3.exceptions as pool_errors
from requests import PreparedRequest, Response
from requests import exceptions as http_errors
from requests.adapters import BaseAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse
from urllib3.connection import HTTPConnection

from _calls import READS, SAMPLES, WRITES, assert_unknown, failure
from _canned import TOKEN
from punktgenau import (
    Client,
    ConfigurationError,
    NotSentError,
    OutcomeUnknownError,
    PunktgenauError,
    SystemClock,
    UnavailableError,
)

UNKNOWN, NOT_SENT, CONFIGURATION = OutcomeUnknownError, NotSentError, ConfigurationError
# What a write raises. Only what is raised before a connection stands is certain.
MEANINGS: dict[str, type[PunktgenauError]] = {
    "RequestException": UNKNOWN,
    "InvalidJSONError": UNKNOWN,
    "JSONDecodeError": UNKNOWN,
    "HTTPError": UNKNOWN,
    "ConnectionError": UNKNOWN,
    "ProxyError": UNKNOWN,
    "SSLError": UNKNOWN,
    "Timeout": UNKNOWN,
    "ConnectTimeout": NOT_SENT,
    "ReadTimeout": UNKNOWN,
    "URLRequired": CONFIGURATION,
    "TooManyRedirects": UNKNOWN,
    "MissingSchema": CONFIGURATION,
    "InvalidSchema": CONFIGURATION,
    "InvalidURL": CONFIGURATION,
    "InvalidHeader": UNKNOWN,
    "InvalidProxyURL": CONFIGURATION,
    "ChunkedEncodingError": UNKNOWN,
    "ContentDecodingError": UNKNOWN,
    "StreamConsumedError": UNKNOWN,
    "RetryError": UNKNOWN,
    "UnrewindableBodyError": UNKNOWN,
}


def classes_of(module: Any, base: type) -> dict[str, type]:
    found = inspect.getmembers(module, inspect.isclass)
    return {cls.__name__: cls for _, cls in found if issubclass(cls, base) and not issubclass(cls, Warning)}


RAISED = classes_of(http_errors, http_errors.RequestException)
Raiser = Callable[[], Response]


class Unhurried(SystemClock):
    """Nobody sleeps by it."""

    def sleep(self, seconds: float) -> None:
        pass


class Broken(BaseAdapter):
    """Gives a token, and then does what it is told."""

    def __init__(self, then: Raiser) -> None:
        super().__init__()
        self._then = then
        self.sends = 0

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        assert request.url is not None
        if request.url.endswith("/oauth/token"):
            return responded(BytesIO(json.dumps(TOKEN).encode()))
        self.sends += 1
        return self._then()

    def close(self) -> None:
        pass


def responded(body: Any) -> Response:
    response = Response()
    response.status_code = 200
    response.headers["Content-Type"] = "application/json"
    response.raw = HTTPResponse(body, status=200, preload_content=False) if isinstance(body, BytesIO) else body
    return response


def raising(error: Exception) -> Raiser:
    def send() -> Response:
        raise error

    return send


def client_with(then: Raiser) -> Client:
    adapter = Broken(then)
    clock = Unhurried()
    return Client(
        "https://points.example", client_id="demo-shop", client_secret="demo-secret", adapter=adapter, clock=clock
    )


def made(cls: type) -> Exception:
    if cls is http_errors.JSONDecodeError:
        return http_errors.JSONDecodeError("No JSON", "<html>", 0)
    error: Exception = cls("It failed.")
    return error


def test_every_class_of_requests_has_a_meaning() -> None:
    assert RAISED.keys() == MEANINGS.keys()


@pytest.mark.parametrize("name", MEANINGS)
@pytest.mark.parametrize("write", WRITES)
def test_what_a_write_makes_of_each(name: str, write: str) -> None:
    error = failure(write, client_with(raising(made(RAISED[name]))))
    assert type(error) is MEANINGS[name]
    if MEANINGS[name] is UNKNOWN:
        assert_unknown(error, write)
    else:
        assert (error.outcome, error.sends) == ("not_done", 0)


@pytest.mark.parametrize("name", MEANINGS)
@pytest.mark.parametrize("read", READS)
def test_what_a_read_makes_of_each(name: str, read: str) -> None:
    error = failure(read, client_with(raising(made(RAISED[name]))))
    assert type(error) is (UnavailableError if MEANINGS[name] is UNKNOWN else MEANINGS[name])
    assert error.outcome == "not_done"


# The class alone does not tell whether anything left; the reason inside does.

POOL = HTTPConnectionPool("points.example")
CONNECTION = HTTPConnection("points.example")
REFUSED = pool_errors.NewConnectionError(CONNECTION, "refused")
NO_NAME = pool_errors.NameResolutionError("points.example", CONNECTION, OSError("no such name"))  # type: ignore[arg-type]


def exhausted(reason: Exception) -> pool_errors.MaxRetryError:
    return pool_errors.MaxRetryError(POOL, "/v1/redemptions", reason)


REASONS: dict[str, tuple[Exception, type[PunktgenauError], str]] = {
    "refused": (http_errors.ConnectionError(exhausted(REFUSED)), NOT_SENT, "not_sent"),
    "name not found": (http_errors.ConnectionError(exhausted(NO_NAME)), NOT_SENT, "not_sent"),
    "proxy refused": (
        http_errors.ProxyError(exhausted(pool_errors.ProxyError("no proxy", REFUSED))),
        NOT_SENT,
        "not_sent",
    ),
    "proxy broke": (
        http_errors.ProxyError(exhausted(pool_errors.ProxyError("proxy", ConnectionResetError()))),
        UNKNOWN,
        "outcome_unknown",
    ),
    "certificate": (
        http_errors.SSLError(exhausted(pool_errors.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))),
        NOT_SENT,
        "tls_untrusted",
    ),
    "bad record": (
        http_errors.SSLError(exhausted(pool_errors.SSLError("[SSL: BAD_RECORD_MAC]"))),
        UNKNOWN,
        "outcome_unknown",
    ),
    "no connection left": (
        http_errors.ConnectionError(pool_errors.ProtocolError("Connection aborted.", ConnectionResetError())),
        UNKNOWN,
        "outcome_unknown",
    ),
}


@pytest.mark.parametrize("why", REASONS)
def test_what_a_write_makes_of_the_reason(why: str) -> None:
    cause, kind, code = REASONS[why]
    error = failure("authorize", client_with(raising(cause)))
    assert (type(error), error.code) == (kind, code)
    assert error.__cause__ is cause


# While the body is read.

BODY_ERRORS: dict[str, Exception] = {
    "HTTPError": pool_errors.HTTPError("x"),
    "PoolError": pool_errors.PoolError(POOL, "x"),
    "RequestError": pool_errors.RequestError(POOL, "/", "x"),
    "SSLError": pool_errors.SSLError("x"),
    "ProxyError": pool_errors.ProxyError("x", OSError()),
    "DecodeError": pool_errors.DecodeError("x"),
    "ProtocolError": pool_errors.ProtocolError("x"),
    "MaxRetryError": exhausted(OSError("x")),
    "HostChangedError": pool_errors.HostChangedError(POOL, "/"),
    "TimeoutStateError": pool_errors.TimeoutStateError("x"),
    "TimeoutError": pool_errors.TimeoutError("x"),
    "ReadTimeoutError": pool_errors.ReadTimeoutError(POOL, "/", "Read timed out."),
    "ConnectTimeoutError": pool_errors.ConnectTimeoutError("x"),
    "NewConnectionError": REFUSED,
    "NameResolutionError": NO_NAME,
    "EmptyPoolError": pool_errors.EmptyPoolError(POOL, "x"),
    "FullPoolError": pool_errors.FullPoolError(POOL, "x"),
    "ClosedPoolError": pool_errors.ClosedPoolError(POOL, "x"),
    "LocationValueError": pool_errors.LocationValueError("x"),
    "LocationParseError": pool_errors.LocationParseError("x"),
    "URLSchemeUnknown": pool_errors.URLSchemeUnknown("x"),
    "ResponseError": pool_errors.ResponseError("x"),
    "ResponseNotChunked": pool_errors.ResponseNotChunked("x"),
    "BodyNotHttplibCompatible": pool_errors.BodyNotHttplibCompatible("x"),
    "IncompleteRead": pool_errors.IncompleteRead(3, 4),
    "InvalidChunkLength": pool_errors.InvalidChunkLength(HTTPResponse(), b"zz"),
    "InvalidHeader": pool_errors.InvalidHeader("x"),
    "ProxySchemeUnknown": pool_errors.ProxySchemeUnknown("x"),
    "HeaderParsingError": pool_errors.HeaderParsingError([], None),
    "UnrewindableBodyError": pool_errors.UnrewindableBodyError("x"),
}
OTHERS: tuple[Exception, ...] = (
    OSError("x"),
    ConnectionResetError("x"),
    BrokenPipeError("x"),
    TimeoutError("x"),
    ssl.SSLError("x"),
    ssl.SSLEOFError("x"),
    ValueError("x"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"),
    http.client.IncompleteRead(b""),
    http.client.BadStatusLine("x"),
    http.client.LineTooLong("x"),
)


class Breaking:
    """A body that breaks in the middle."""

    def __init__(self, error: Exception) -> None:
        self._pieces: Iterator[bytes] = iter([b'{"id"'])
        self._error = error

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        for piece in self._pieces:
            return piece
        raise self._error

    def close(self) -> None:
        pass

    def release_conn(self) -> None:
        raise AssertionError("a broken connection must not be used again")


def test_every_class_of_the_connection_pool_is_on_the_list() -> None:
    assert classes_of(pool_errors, pool_errors.HTTPError).keys() == BODY_ERRORS.keys()


@pytest.mark.parametrize("error", [*BODY_ERRORS.values(), *OTHERS], ids=lambda error: type(error).__name__)
def test_a_body_that_breaks_leaves_a_write_unknown_and_a_read_undone(error: Exception) -> None:
    broken = client_with(lambda: responded(Breaking(error)))
    assert_unknown(failure("authorize", broken), "authorize")
    assert type(failure("balance", broken)) is UnavailableError


@pytest.mark.parametrize("error", [AssertionError("a test's own"), zlib.error("x"), KeyboardInterrupt()])
def test_what_is_no_failure_of_the_network_is_not_dressed_up_as_one(error: BaseException) -> None:
    def send() -> Response:
        raise error

    with pytest.raises(type(error)):
        SAMPLES["authorize"](client_with(send))


def test_the_adapter_that_was_handed_in_is_the_one_that_sends() -> None:
    adapter = Broken(raising(requests.ReadTimeout("x")))
    with Client("https://points.example", client_id="a", client_secret="b", adapter=adapter) as client:
        failure("authorize", client)
    assert adapter.sends == 3
