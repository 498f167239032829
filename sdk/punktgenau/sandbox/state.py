"""The parts of one running sandbox, and how a request reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from flask import Flask, current_app, g

from . import database, holds, idempotency, lots, seed, voucher_values
from .clock import SandboxClock, moment
from .database import Database, Work
from .faults import FaultBook
from .journal import RequestJournal
from .webhooks import WebhookBook

EXTENSION = "punktgenau_sandbox"
_NEXT = f"""
    SELECT min(at) FROM (
        SELECT ({holds.NEXT_END}) AS at
        UNION ALL SELECT ({lots.NEXT_EXPIRY})
        UNION ALL SELECT ({voucher_values.NEXT_EXPIRY})
    )
"""
"""When time alone brought something about that nobody has looked at since; stamped moments sort as the moments do."""


@dataclass(frozen=True)
class Sandbox:
    """One provider: its books, its time, the faults it is told to play, what it was asked lately."""

    database: Database
    clock: SandboxClock
    mode: Literal["sandbox", "live"] = "sandbox"
    seed: Literal["demo"] | None = "demo"
    faults: FaultBook = field(default_factory=FaultBook)
    journal: RequestJournal = field(default_factory=RequestJournal)
    webhooks: WebhookBook = field(default_factory=WebhookBook)

    @contextmanager
    def work(self, now: datetime | None = None) -> Iterator[Work]:
        """One transaction at `now` (default: the clock's)."""
        with self.database.transaction() as connection:
            yield Work(connection, now or self.clock.now(), self.mode)

    def catch_up(self, now: datetime) -> None:
        """Let everything happen that time alone brings about, in its order and each at its own moment."""
        with self.work(now) as work:
            while due := work.text(_NEXT, work.at):
                then = replace(work, now=moment(due))
                holds.expire_due(then)
                lots.expire(then)
                voucher_values.expire(then)
            idempotency.forget_old(work)

    def fill(self) -> None:
        """Bring the seed into an empty database."""
        with self.work() as work:
            self._seed(work)

    def remember_clock(self) -> None:
        """Keep how far the clock was moved, for the next start on the same file."""
        with self.work() as work:
            work.run("INSERT OR REPLACE INTO setting VALUES ('advanced_s', ?)", str(self.clock.advanced_s))

    def recall_clock(self) -> None:
        """Move the clock as far as it was moved before the last stop."""
        with self.work() as work:
            row = work.one("SELECT value FROM setting WHERE name = 'advanced_s'")
        if row is not None:
            self.clock.advance(max(0, int(row["value"]) - self.clock.advanced_s))

    def reset(self) -> None:
        """Back to the seed. Ids go on counting and the clock stays, so nothing old can be mistaken for new."""
        with self.work() as work:
            database.empty(work.connection)
            self._seed(work)
        self.faults.clear()
        self.journal.clear()
        self.webhooks.clear()

    def _seed(self, work: Work) -> None:
        if self.seed == "demo":
            seed.demo(work)


def sandbox_of(app: Flask) -> Sandbox:
    """The sandbox behind an application."""
    found: Sandbox = app.extensions[EXTENSION]
    return found


def sandbox() -> Sandbox:
    """The sandbox that the current request belongs to."""
    return sandbox_of(current_app)


def request_now() -> datetime:
    """The moment at which everything in the current request happens."""
    now: datetime | None = g.get("now")
    if now is None:
        now = g.now = sandbox().clock.now()
    return now


def request_work() -> AbstractContextManager[Work]:
    """One transaction of the current request."""
    return sandbox().work(request_now())
