"""The provider of a history: the sandbox's application, called in process, with its books open to who checks them."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from punktgenau.sandbox import create_app, profile
from punktgenau.sandbox.clock import SandboxClock
from punktgenau.sandbox.faults import Fault, FaultOnWire
from punktgenau.sandbox.seed import DEMO_PARTNER, DEMO_SECRET
from punktgenau.sandbox.state import sandbox_of
from punktgenau.testing import books

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import WSGIEnvironment

URL = "https://points.example"
PARTNER = DEMO_PARTNER
SECRET = DEMO_SECRET
BEGINS = datetime(2026, 1, 15, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class SimulatedProvider:
    """One provider, used for one history after the other."""

    def __init__(self) -> None:
        self._clock = _MovedClock()
        self._app = create_app(clock=self._clock)
        self._state = sandbox_of(self._app)
        with self._state.work() as work:
            self._books = work.connection
        self._blank = sqlite3.connect(":memory:", check_same_thread=False)
        self._books.backup(self._blank)

    def reset(self, *, variant: str = "reference") -> None:
        """As it was at the beginning; its ids too, so that the same history gets the same ids."""
        self._clock.moment = BEGINS
        self._blank.backup(self._books)
        self._state.faults.clear()
        self._state.journal.clear()
        with self._state.work() as work:
            profile.play(work, profile.VARIANTS[variant])

    def deliver(self, request: WSGIEnvironment, *, at: datetime, fault: Fault | None = None) -> Reply:
        """Let one request reach it at a moment. Raises FaultOnWire where no answer can show the fault."""
        self._clock.moment = at
        if fault is not None:
            self._state.faults.add(fault)
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Callable[[bytes], object]:
            answered.append((status, headers))
            return len

        try:
            parts: Iterable[bytes] = self._app.wsgi_app(request, start)
            body = b"".join(parts)
            if hasattr(parts, "close"):
                parts.close()
        finally:
            # One that did not fit this request must not meet the next one.
            self._state.faults.clear()
        status, headers = answered[0]
        return Reply(int(status[:3]), tuple(headers), body)

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Plain SQL on its books; nobody is at work on them, because whoever looks has the turn."""
        return self._books.execute(statement, values).fetchall()

    def unbalanced(self) -> list[str]:
        """What in the books does not balance."""
        with self._state.work() as work:
            return books.findings(work)

    def catch_up(self, at: datetime) -> None:
        """Let time alone do what it does: holds end."""
        self._clock.moment = at
        self._state.catch_up(self._clock.now())


class _MovedClock(SandboxClock):
    def __init__(self) -> None:
        super().__init__(frozen_at=BEGINS)
        self.moment = BEGINS

    def now(self) -> datetime:
        return self.moment.replace(microsecond=0)


def environ_of(method: str, url: str, headers: Mapping[str, str], body: bytes) -> WSGIEnvironment:
    """A request as WSGI has it."""
    path, _, query = url.removeprefix(URL).partition("?")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "SERVER_NAME": "points.example",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(body)),
        "punktgenau.requests_before": 1,
    }
    for name, value in headers.items():
        spelled = name.upper().replace("-", "_")
        environ[spelled if spelled == "CONTENT_TYPE" else f"HTTP_{spelled}"] = value
    environ.pop("HTTP_CONTENT_LENGTH", None)
    return environ


__all__ = ["BEGINS", "PARTNER", "SECRET", "URL", "Fault", "FaultOnWire", "Reply", "SimulatedProvider", "environ_of"]
