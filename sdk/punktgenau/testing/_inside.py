"""One request of the shop, carried into the sandbox and back without a socket."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from punktgenau.sandbox.faults import FaultOnWire
from punktgenau.sandbox.operations import operation_of
from punktgenau.testing import _broken
from punktgenau.testing._broken import Answer
from punktgenau.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from requests import PreparedRequest

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
        self._app = app
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
        call = _Call(request, self._path(request), self._base_url)
        operation = self._operation(call)
        fault = None
        try:
            environ = {"punktgenau.requests_before": self._requests_before}
            # One per request: a shop's threads may ask at the same time.
            reply = self._app.test_client(use_cookies=False).open(**call.sent, environ_overrides=environ)
            self._requests_before += 1
        except FaultOnWire as told:
            fault = told
            self._requests_before = 0
        if fault is not None:
            if fault.kind != "refuse":
                self._note(call, operation, status=None)
            return _broken.play(fault, request, timeout_s=_timeout_s(request), sleep=self._clock.sleep)
        replayed = reply.headers.get("Idempotency-Replayed") == "true"
        self._note(call, operation, status=reply.status_code, replayed=replayed)
        return _broken.answer(reply.status_code, reply.headers.to_wsgi_list(), reply.get_data())

    def _path(self, request: PreparedRequest) -> str:
        path = request.path_url
        if not path.startswith(f"{self._prefix}/"):
            raise _no_such(request)
        return path.removeprefix(self._prefix)

    def _operation(self, call: _Call) -> str | None:
        """Which operation this is, by the sandbox's own routes; None for its other pages."""
        with self._app.test_request_context(**call.sent) as context:
            if context.request.routing_exception is not None:
                raise _no_such(call.request)
            return operation_of(context.request)

    def _note(self, call: _Call, operation: str | None, *, status: int | None, replayed: bool = False) -> None:
        if operation is not None:
            self.sent.append(
                SentRequest(
                    operation=operation,
                    method=str(call.request.method),
                    path=call.path,
                    idempotency_key=call.request.headers.get("Idempotency-Key"),
                    body=None if operation in _WITH_SECRETS else _json_object(call.request.body),
                    status=status,
                    replayed=replayed,
                )
            )


class _Sent(TypedDict):
    path: str
    method: str
    base_url: str
    headers: dict[str, str]
    data: bytes


@dataclass(frozen=True)
class _Call:
    request: PreparedRequest
    path: str
    base_url: str

    @property
    def sent(self) -> _Sent:
        """What Flask's test helpers take."""
        body = self.request.body or b""
        return {
            "path": self.path,
            "method": str(self.request.method),
            "base_url": self.base_url,
            "headers": dict(self.request.headers.items()),
            "data": body.encode() if isinstance(body, str) else bytes(body),
        }


def _no_such(request: PreparedRequest) -> AssertionError:
    # No error of the network: code under test would take that for an outage, and the test might pass.
    return AssertionError(f"{request.method} {request.url}: the provider offers no such thing")


def _json_object(body: str | bytes | None) -> Mapping[str, object] | None:
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
