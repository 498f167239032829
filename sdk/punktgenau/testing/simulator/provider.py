"""The provider of a history: the sandbox's rules, called in process, with its books open to who checks them."""

from __future__ import annotations

import sqlite3
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from punktgenau.sandbox import Database, Sandbox, dispatch, profile
from punktgenau.sandbox.call import Reply, request_of
from punktgenau.sandbox.clock import SandboxClock
from punktgenau.sandbox.faults import Fault, FaultOnWire
from punktgenau.sandbox.seed import DEMO_PARTNER, DEMO_SECRET
from punktgenau.sandbox.tables import DROP_ORDER
from punktgenau.testing import books
from punktgenau.testing.simulator import brought, by_itself
from punktgenau.testing.simulator.replica import Replica
from punktgenau.testing.simulator.wiping import rows_of, tables_of, wipe

if TYPE_CHECKING:
    from punktgenau.testing.simulator.plans import Voucher

URL = "https://points.example"
PARTNER = DEMO_PARTNER
SECRET = DEMO_SECRET
BEGINS = datetime(2026, 1, 15, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it arrives."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class SimulatedProvider:
    """One provider, used for one history after the other."""

    def __init__(self) -> None:
        self._clock = _MovedClock()
        self._state = Sandbox(Database(), self._clock)
        self._state.fill()
        self._state.journal.is_kept = False
        with self._state.work() as work:
            self._books = work.connection
        self.token = self._answer(_token_request(), None)
        """A token that was issued before everything begins."""
        # By whatever clock the provider of a history has.
        self._books.execute("UPDATE token SET expires_at = '2099-01-01T00:00:00Z'")
        for (guard,) in self._books.execute("SELECT name FROM sqlite_master WHERE name LIKE '%_no_delete'").fetchall():
            # The sandbox never deletes what these guard; it is only wiped between histories.
            self._books.execute(f"DROP TRIGGER {guard}")
        self._tables = tables_of(self._books, first=DROP_ORDER)
        self._blank = rows_of(self._books, self._tables)
        self._replica = Replica(self._books)
        self._lags = False

    def reset(self, *, variant: str = "reference", lags: bool = False) -> None:
        """As it was at the beginning; its ids too, so that the same history gets the same ids.

        `lags`: look-ups may be asked for as of an earlier moment.
        """
        self._clock.moment = BEGINS
        self._lags = lags
        self._replica.clear()
        wipe(self._books, self._tables, self._blank)
        self._state.faults.clear()
        with self._state.work() as work:
            profile.play(work, profile.VARIANTS[variant])

    def bring(self, vouchers: Sequence[Voucher], *, at: datetime) -> tuple[str, ...]:
        """Let these vouchers be there; their ids."""
        self._clock.moment = at
        with self._state.work() as work:
            return tuple(brought.issue(work, one, number, partner_id=PARTNER) for number, one in enumerate(vouchers))

    def deliver(
        self, request: Sent, *, at: datetime, fault: Fault | None = None, as_of: datetime | None = None
    ) -> Reply:
        """Let one request reach it at a moment. Raises FaultOnWire where no answer can show the fault.

        `as_of`: a look-up is answered by what was so at that moment.
        """
        self._clock.moment = at
        if self._lags and request.method == "POST":
            self._replica.keep(at)
        if as_of is not None:
            # A replica that lags knows the hour as well: what time alone ends has ended in the books too.
            self.catch_up(at)
            with self._replica.as_of(as_of):
                return self._answer(request, None)
        return self._answer(request, fault)

    def by_itself(self, what: str, *, order_reference: str, at: datetime) -> str | None:
        """Do something that nobody asked for; what became of the order's redemption, None: it has none of that kind."""
        self.catch_up(at)
        if self._lags:
            self._replica.keep(at)
        with self._state.work() as work:
            return by_itself.change(work, what, order_reference=order_reference, partner_id=PARTNER)

    def _answer(self, sent: Sent, fault: Fault | None) -> Reply:
        if fault is not None:
            self._state.faults.add(fault)
        try:
            found = dispatch.find(sent.method, sent.path)
            if found is None:
                raise AssertionError(f"{sent.method} {sent.path}: the provider offers no such thing")
            request = request_of(sent.method, sent.path, query=sent.query, headers=sent.headers)
            return dispatch.answer(dispatch.call_of(self._state, *found, request, sent.body), found[0])
        finally:
            # One that did not fit this request must not meet the next one.
            self._state.faults.clear()

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


def _token_request() -> Sent:
    basic = b64encode(f"{PARTNER}:{SECRET}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    return sent_of("POST", f"{URL}/oauth/token", headers, b"grant_type=client_credentials")


def sent_of(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
    """A request to this provider."""
    path, _, query = url.removeprefix(URL).partition("?")
    return Sent(method, unquote(path), query, headers, body)


__all__ = [
    "BEGINS",
    "PARTNER",
    "SECRET",
    "URL",
    "Fault",
    "FaultOnWire",
    "Reply",
    "Sent",
    "SimulatedProvider",
    "sent_of",
]
