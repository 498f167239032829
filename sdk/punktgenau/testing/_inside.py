"""One request of the shop, carried into the sandbox and back without a socket."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import unquote, urlsplit

from punktgenau.sandbox import dispatch
from punktgenau.sandbox.answering import REPLAYED
from punktgenau.sandbox.call import MAX_BODY_BYTES, Call, request_of
from punktgenau.sandbox.faults import FaultOnWire
from punktgenau.sandbox.state import sandbox_of
from punktgenau.testing import _broken
from punktgenau.testing._broken import Answer
from punktgenau.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from requests import PreparedRequest

    from punktgenau.sandbox.routes import Route

_WITH_SECRETS = ("token", "identify", "look_up_voucher")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """One request that reached the provider. `status` is its answer's; None: there was no answer."""

    operation: str
    method: str
    path: str
    idempotency_key: str | None
    body: Mapping[str, object] | None
    """The JSON object as it came, a voucher's code aside; None for reads, and where there is little but secrets."""
    status: int | None
    replayed: bool


class Inside:
    """Where the requests arrive."""

    def __init__(self, app: Flask, base_url: str, *, clock: ManualClock) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{base_url!r} is not the address of a provider")
        self.sent: list[SentRequest] = []
        self._app, self._provider = app, sandbox_of(app)
        self._prefix = parts.path
        self._base_url = base_url
        self._clock = clock
        self._away_until = -math.inf
        # As if there were one connection, kept between requests until a fault breaks it.
        self._requests_before = 0

    def go_away(self, seconds: float) -> None:
        """Refuse every connection for so long."""
        self._away_until = self._clock.monotonic() + seconds

    def come_back(self) -> None:
        """Answer again."""
        self._away_until = -math.inf

    def handle(self, request: PreparedRequest) -> Answer:
        """Answer, or raise what `requests` would. Raises AssertionError for what no provider offers."""
        if self._clock.monotonic() < self._away_until:
            raise _broken.refused(request)
        path, body = self._path(request), _body(request)
        found = dispatch.find(str(request.method), unquote(path.partition("?")[0]))
        if found is None:
            return self._page(request, path, body)
        call = self._call(request, path, body, *found)
        try:
            reply = dispatch.answer(call, found[0])
        except FaultOnWire as fault:
            self._requests_before = 0
            if fault.kind != "refuse":
                self._note(call, path, status=None)
            return _broken.play(fault, request, timeout_s=_timeout_s(request), sleep=self._clock.sleep)
        self._requests_before += 1
        self._note(call, path, status=reply.status, replayed=REPLAYED in reply.headers)
        return _broken.answer(reply.status, list(reply.headers.items()), reply.content)

    def _call(self, request: PreparedRequest, path: str, body: bytes, route: Route, named: Mapping[str, str]) -> Call:
        plain, _, query = path.partition("?")
        head = request_of(str(request.method), unquote(plain), query=query, headers=request.headers)
        taken = body if len(body) <= MAX_BODY_BYTES else None
        is_fresh = self._requests_before == 0
        return dispatch.call_of(self._provider, route, named, head, taken, is_fresh_connection=is_fresh)

    def _page(self, request: PreparedRequest, path: str, body: bytes) -> Answer:
        """What is there besides the operations. Raises AssertionError for what no provider offers."""
        asked: _Asked = {
            "path": path,
            "method": str(request.method),
            "base_url": self._base_url,
            "headers": dict(request.headers.items()),
            "data": body,
        }
        with self._app.test_request_context(**asked) as context:
            if context.request.routing_exception is not None:
                raise _no_such(request)
        reply = self._app.test_client(use_cookies=False).open(**asked)
        self._requests_before += 1
        return _broken.answer(reply.status_code, reply.headers.to_wsgi_list(), reply.get_data())

    def _path(self, request: PreparedRequest) -> str:
        path = request.path_url
        if not path.startswith(f"{self._prefix}/"):
            raise _no_such(request)
        return path.removeprefix(self._prefix)

    def _note(self, call: Call, path: str, *, status: int | None, replayed: bool = False) -> None:
        self.sent.append(
            SentRequest(
                operation=call.operation,
                method=call.request.method,
                path=path,
                idempotency_key=call.request.headers.get("Idempotency-Key"),
                body=None if call.operation in _WITH_SECRETS else _json_object(call.body),
                status=status,
                replayed=replayed,
            )
        )


class _Asked(TypedDict):
    """What Flask's test helpers take."""

    path: str
    method: str
    base_url: str
    headers: dict[str, str]
    data: bytes


def _body(request: PreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else bytes(body)


def _no_such(request: PreparedRequest) -> AssertionError:
    # No error of the network: code under test would take that for an outage, and the test might pass.
    return AssertionError(f"{request.method} {request.url}: the provider offers no such thing")


def _json_object(body: bytes | None) -> Mapping[str, object] | None:
    try:
        read = json.loads(body or b"null")
    except ValueError:
        return None
    return MappingProxyType(_without_codes(read)) if isinstance(read, dict) else None


def _without_codes(read: dict[str, object]) -> dict[str, object]:
    """What was sent, and nothing of a voucher's code but that there was one."""
    tenders = read.get("tenders")
    if not isinstance(tenders, list):
        return read
    hidden = [{**one, "code": "…"} if isinstance(one, dict) and one.get("code") else one for one in tenders]
    return {**read, "tenders": hidden}


def _timeout_s(request: PreparedRequest) -> float:
    """How long this caller waits for an answer: the reading half of what it told `requests`."""
    given = getattr(request, "req_kwargs", {}).get("timeout")
    read_s = given[1] if isinstance(given, tuple) else given
    return math.inf if read_s is None else float(read_s)
