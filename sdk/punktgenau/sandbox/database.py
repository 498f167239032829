"""One SQLite database, one connection, one lock: every change is one transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from .clock import stamp
from .tables import APPEND_ONLY, DROP_ORDER, GAINED, TABLES


class Database:
    """A provider's books in a file (`path`) or in memory (None)."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        # Autocommit mode: transactions begin where this file says so, never implicitly.
        self._connection = sqlite3.connect(
            str(path) if path else ":memory:",
            isolation_level=None,
            check_same_thread=False,
            timeout=10.0,
            # More than there are, so that none is prepared twice.
            cached_statements=512,
        )
        self._connection.row_factory = sqlite3.Row
        if path:
            self._connection.execute("PRAGMA journal_mode=WAL")
        # While tables take the place of older ones, what refers to them by name goes on doing so.
        self._connection.execute("PRAGMA legacy_alter_table=ON")
        with self.transaction() as connection:
            _create(connection)
        self._connection.execute("PRAGMA foreign_keys=ON")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Committed when the block ends, rolled back when it raises; others wait meanwhile."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._connection.close()


@dataclass(frozen=True)
class Work:
    """One unit of work: the open transaction and the moment at which everything in it happens."""

    connection: sqlite3.Connection
    now: datetime
    mode: str

    @cached_property
    def at(self) -> str:
        return stamp(self.now)

    @cached_property
    def profile(self) -> str | None:
        """What is written down about the kind of provider that is played; None: nothing is."""
        return self.text("SELECT value FROM profile")

    def one(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self.connection.execute(statement, values).fetchone()
        return row

    def all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        return self.connection.execute(statement, values).fetchall()

    def run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self.connection.execute(statement, values)

    def number(self, statement: str, *values: object) -> int:
        """The single integer that a statement selects; nothing counts as 0."""
        row = self.one(statement, *values)
        return int(row[0] or 0) if row else 0

    def text(self, statement: str, *values: object) -> str | None:
        """The single text that a statement selects."""
        row = self.one(statement, *values)
        return None if row is None or row[0] is None else str(row[0])

    def next_id(self, prefix: str, *, digits: int = 4) -> tuple[int, str]:
        """The next number of its kind and the id made of it, such as (1, "red_0001")."""
        self.run("INSERT INTO counter (prefix, last) VALUES (?, 1) ON CONFLICT DO UPDATE SET last = last + 1", prefix)
        number = self.number("SELECT last FROM counter WHERE prefix = ?", prefix)
        return number, f"{prefix}_{number:0{digits}d}"


def empty(connection: sqlite3.Connection) -> None:
    """Throw everything away but the counters, so that no id is ever given out twice."""
    for table in DROP_ORDER:
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None:
            continue
        # Where the books are append-only they refuse a DELETE; every new table makes SQLite read all of them anew.
        connection.execute(f"{'DROP TABLE' if table in APPEND_ONLY else 'DELETE FROM'} {table}")
    _create(connection)


def _create(connection: sqlite3.Connection) -> None:
    before = [table for table, column in GAINED.items() if _lacks(connection, table, column)]
    for table in before:
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
        _drop_guards(connection, f"{table}_before")
    for statement in TABLES:
        connection.execute(statement)
    for table in before:
        names = ", ".join(_columns(connection, f"{table}_before"))
        connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_before")
        connection.execute(f"DROP TABLE {table}_before")


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row["name"] for row in connection.execute(f"PRAGMA table_info({table})")]


def _lacks(connection: sqlite3.Connection, table: str, column: str) -> bool:
    columns = _columns(connection, table)
    return bool(columns) and column not in columns


def _drop_guards(connection: sqlite3.Connection, table: str) -> None:
    """What is named after a table goes before another one of its name is made."""
    guards = "SELECT name, type FROM sqlite_master WHERE tbl_name = ? AND type <> 'table' AND sql IS NOT NULL"
    for row in connection.execute(guards, (table,)).fetchall():
        connection.execute(f"DROP {row['type']} {row['name']}")
