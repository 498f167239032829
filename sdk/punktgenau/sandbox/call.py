"""One request of a partner on its way to the rules, and its answer on the way back; neither knows what carries them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.sansio.request import Request

from . import strictjson
from .database import Work
from .faults import Fault, Kind, Operation
from .problems import Refusal
from .state import Sandbox

MAX_BODY_BYTES = 262_144
"""No request is longer than this."""


def request_of(method: str, path: str, *, query: str, headers: Mapping[str, str]) -> Request:
    """The head of a request; `path` without escapes, `query` with them."""
    return Request(method, "https", None, "", path, query.encode(), Headers(headers), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. The headers begin with the type of the body and say nothing about its length."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Iterator[str]
    """In pieces where nobody knows how long it will be; these can be taken once."""

    @property
    def content(self) -> bytes:
        """All of the body."""
        return self.body if isinstance(self.body, bytes) else "".join(self.body).encode()

    def saying(self, name: str, value: str) -> Reply:
        """The same with one more header."""
        return replace(self, headers={**self.headers, name: value})


@dataclass(eq=False)
class Call:
    """One request, and what became known about it so far."""

    provider: Sandbox
    operation: Operation
    request: Request
    body: bytes | None
    """None: longer than `MAX_BODY_BYTES`."""
    named: Mapping[str, str]
    """What the path names."""
    now: datetime
    """The moment at which everything in it happens."""
    is_fresh_connection: bool = False
    fault: Fault | None = None
    partner_id: str = ""
    is_noted: bool = False
    key: str | None = field(init=False)
    """The Idempotency-Key."""

    def __post_init__(self) -> None:
        self.key = self.request.headers.get("Idempotency-Key")

    def work(self) -> AbstractContextManager[Work]:
        """One transaction."""
        return self.provider.work(self.now)

    def meets(self, kind: Kind) -> bool:
        """Whether it is to be answered with this fault."""
        return self.fault is not None and self.fault.kind == kind

    @cached_property
    def json(self) -> object:
        """The body, if it is said to be JSON and is."""
        if self.body is None or not self.request.is_json:
            return None
        try:
            return strictjson.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def form(self) -> MultiDict[str, str]:
        """The body as a form. Raises Refusal if it is too long for one."""
        if self.body is None:
            raise Refusal("invalid_request", "Request Entity Too Large")
        found: MultiDict[str, str] = FormDataParser().parse(
            io.BytesIO(self.body), self.request.mimetype, len(self.body), self.request.mimetype_params
        )[1]
        return found
