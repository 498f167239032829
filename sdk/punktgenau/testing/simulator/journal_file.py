"""The journal's connections in a history: a file in memory, a lock that others can wait for, commits that fail."""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from punktgenau.checkout.pools import SQLITE_BUSY_MS
from punktgenau.testing.simulator.seams import Seams

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

_BUSY_S = SQLITE_BUSY_MS / 1000
_OPERATION, _STEP, _EARNING = "punktgenau_operation", "punktgenau_earning_step", "punktgenau_earning "
_EXCHANGE = "punktgenau_exchange"
_STEPS = {"accrue": "accrue", "post": "post_accrual", "claw_back": "reverse_accrual", "voucher": "buy_voucher"}
"""What a step about an earning, or points that become something else, are to the provider."""
_PRAGMAS = {"PRAGMA synchronous": "PRAGMA synchronous=OFF", "PRAGMA busy_timeout": "PRAGMA busy_timeout=0"}
"""What would cost time at the disk, or wait in reality."""
_SETTINGS = (*_PRAGMAS, "PRAGMA foreign_keys")
_BEGUN = tuple(f"INSERT INTO {table} " for table in (_OPERATION, _STEP, _EXCHANGE))
_CHANGED = tuple(f"UPDATE {table} " for table in (_OPERATION, _STEP, _EXCHANGE))
_EARNED = (f"INSERT INTO {_EARNING}", f"UPDATE {_EARNING}")
_JUDGED = tuple(
    f"{verb} {table} " for verb in ("INSERT INTO", "UPDATE") for table in (_OPERATION, "punktgenau_redemption")
)


# Where a pool looks at what opens its connections, it would have all of this written out.
@dataclass(eq=False, repr=False)
class JournalFile:
    """One journal, and who is writing to it: SQLite lets one in at a time."""

    path: Path
    seams: Seams
    idle: list[Connection] = field(default_factory=list)
    """Connections that ended processes have left: opening one costs more than most histories do with it."""
    writer: Connection | None = None
    committed: Callable[[], None] = lambda: None
    """Called after each commit that changed a redemption or an operation."""
    earned: Callable[[], None] = lambda: None
    """Called after each commit that changed an earning."""
    finished: Callable[[str, str, str | None], None] = lambda kind, outcome, holder: None
    """Called for each result that was committed: kind of operation, outcome, and who holds its lease."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Kind of operation by its id, as far as this history has written it."""
    begun: list[tuple[str, str]] = field(default_factory=list)
    """Who began which operation, one after the other: process, and the operation's id."""
    holders: dict[str, str] = field(default_factory=dict)
    """Which process was given an operation last, by the operation's id."""
    given: dict[tuple[str, str], int] = field(default_factory=dict)
    """How long a process had stood still in all when it was given an operation, by the operation's id and its name."""

    def taken_from(self, operation: str) -> str | None:
        """Who has the lease of what the present process sends, if another has it and this one never stood still."""
        me, holder = self.seams.turns.current, self.holders.get(operation)
        if me is None or holder in (None, me.name) or self.given.get((operation, me.name)) != me.idle_us:
            return None
        return holder

    def open(self) -> DBAPIConnection:
        """A connection for the code under test."""
        connection = (
            self.idle.pop()
            if self.idle
            else sqlite3.connect(
                self.path,
                isolation_level=None,
                timeout=0,
                check_same_thread=False,
                cached_statements=512,
                factory=Connection,
            )
        )
        connection.of(self)
        return cast("DBAPIConnection", connection)


class Connection(sqlite3.Connection):
    """The driver's connection with a seam before each transaction, and before and after each commit."""

    _file: JournalFile
    _is_open = False
    _cursors: list[weakref.ref[Cursor]]
    _spot = ""
    _doing = ""
    _given: list[str]
    _results: list[tuple[str, str]]
    _is_judged = _is_earned = False
    settings: frozenset[str] = frozenset()
    """What was set on it. SQLite would forget every statement that it has prepared if some of it was set again."""

    def of(self, file: JournalFile) -> None:
        """Belong to this journal."""
        self._file = file
        self._is_open = True
        self._cursors = []

    def cursor(self, factory: object = None) -> Cursor:  # type: ignore[override]
        """A cursor that tells what it executes."""
        cursor = super().cursor(Cursor)
        self._cursors.append(weakref.ref(cursor))
        return cursor

    def begin(self, *, write: bool) -> None:
        """Wait for whoever writes, as long as SQLite would."""
        self._spot = self._doing = ""
        self._given, self._results, self._is_judged, self._is_earned = [], [], False, False
        seams = self._file.seams
        seams.reach("before the transaction")
        me = seams.turns.current
        if not write or me is None:
            return
        seams.linger()
        began_us = seams.turns.now_us
        if seams.script.happens(seams.place("busy"), seams.odds.busy):
            seams.note("the journal is BUSY")
            seams.cells["journal", "busy", ""] += 1
            me.idle_us += round(_BUSY_S * 1_000_000)
            seams.sleep(_BUSY_S, "asleep")
            raise sqlite3.OperationalError("database is locked")
        seams.turns.wait(lambda: self._file.writer is None)
        me.idle_us += seams.turns.now_us - began_us
        self._file.writer = self

    def tell(self, statement: str, values: Mapping[str, object]) -> None:
        """What this transaction is about, from a statement that changed something."""
        if not self._is_judged and statement.startswith(_JUDGED):
            # Who only takes something on, or gives it back as it was, says nothing new about the provider.
            self._is_judged = "state" in values or "outcome" in values
        if statement.startswith(_BEGUN):
            self._spot, self._doing = "intent", _STEPS.get(str(values["kind"]), str(values["kind"]))
            self._file.kinds[str(values["id"])] = self._doing
            self._given.append(str(values["id"]))
        elif statement.startswith(_CHANGED):
            operation = str(values.get("operation_id") or values.get("step_id") or values["exchange_id"])
            if "outcome" in values:
                self._results.append((operation, str(values["outcome"])))
            else:
                self._given.append(operation)
            if self._spot != "intent":
                self._spot = "result" if "outcome" in values else "claim"
                self._doing = self._file.kinds.get(operation, "")
        elif statement.startswith(_EARNED):
            self._is_earned = True

    def commit(self) -> None:
        """Commit; it may fail, with or without having taken effect."""
        seams, what = self._file.seams, self._spot
        if self._file.writer is not self:
            self._commit()
            return
        doing = self._doing or None
        seams.reach(f"before the {what}'s commit" if what else "before a commit", doing)
        place = seams.place("commit")
        if seams.script.happens(place, seams.odds.commit):
            took = seams.script.fraction(place, "took") < 0.5
            seams.note(f"COMMIT FAILS{' although it took' if took else ''} ({what or 'change'} {doing or ''})")
            seams.cells["journal", f"commit fails, {'took' if took else 'did not take'}", what or "change"] += 1
            if took:
                self._done()
            raise sqlite3.OperationalError("disk I/O error")
        self._done()
        if what:
            seams.note(f"commits the {what} of {doing}")
        seams.reach(f"after the {what}'s commit" if what else "after a commit", doing)

    def rollback(self) -> None:
        """Nothing of it took."""
        super().rollback()
        self._free()

    def close(self) -> None:
        """As when its process ends: nothing of it is left but the file handle."""
        if not self._is_open:
            return
        self._is_open = False
        for known in self._cursors:
            if (cursor := known()) is not None:
                cursor.close()
        super().rollback()
        self._free()
        self._file.idle.append(self)

    def __exit__(self, *args: object) -> None:  # type: ignore[override]
        raise NotImplementedError

    def __enter__(self) -> Self:
        raise NotImplementedError

    def _done(self) -> None:
        self._commit()
        self._free()
        file, me = self._file, self._file.seams.turns.current
        for operation in self._given:
            file.holders[operation] = me.name if me is not None else ""
            if me is not None:
                file.given[operation, me.name] = me.idle_us
            if self._spot == "intent" and me is not None:
                file.begun.append((me.name, operation))
        for operation, outcome in self._results:
            file.finished(file.kinds.get(operation, ""), outcome, file.holders.get(operation))
        if self._is_judged:
            file.committed()
        if self._is_earned:
            file.earned()

    def _commit(self) -> None:
        # The driver's own way has the word prepared each time.
        sqlite3.Cursor(self).execute("COMMIT")

    def _free(self) -> None:
        if self._file.writer is self:
            self._file.writer = None


class Cursor(sqlite3.Cursor):
    """The driver's cursor; nothing that costs time at the disk, nothing that waits in reality."""

    def execute(self, statement: str, values: Mapping[str, object] | tuple[object, ...] = (), /) -> Self:  # type: ignore[override]
        """Execute, after the seam where there is one."""
        if statement.startswith("BEGIN"):
            self._of.begin(write="IMMEDIATE" in statement)
        elif statement.startswith(_SETTINGS):
            if statement in self._of.settings:
                return self
            self._of.settings |= {statement}
            statement = _PRAGMAS.get(statement.partition("=")[0], statement)
        super().execute(statement, values)
        if isinstance(values, dict) and self.rowcount > 0:
            self._of.tell(statement, values)
        return self

    @property
    def _of(self) -> Connection:
        return cast("Connection", self.connection)
