"""What the database itself refuses a second time, whatever two processes believe; and nothing besides."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from _desk import Desk

UNIQUE = [
    # The authorize's key, the order's one live attempt, and the attempt's number.
    ("redemption", ("key",)),
    ("redemption", ("live_key",)),
    ("redemption", ("provider", "partner", "mode", "order_reference", "attempt")),
    # An operation's key, the one that is open, and each wish of a kind and cause once.
    ("operation", ("key",)),
    ("operation", ("open_key",)),
    ("operation", ("redemption_id", "kind", "cause")),
    ("return", ("operation_id",)),
    ("return", ("redemption_id", "number")),
    ("return", ("redemption_id", "reference")),
    ("shipment", ("operation_id",)),
    ("shipment", ("redemption_id", "reference")),
]
EMPTY = [
    ("redemption", "live_key"),
    ("operation", "open_key"),
    ("return", "operation_id"),
    ("shipment", "operation_id"),
]


class Tables:
    """The tables as a stranger with SQL sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def row(self, table: str, number: int) -> dict[str, str | int]:
        columns = self._connection.execute(f"PRAGMA table_info(punktgenau_{table})").fetchall()
        assert columns
        return {
            name: f"{name}-{number}" if kind.startswith(("VARCHAR", "TEXT")) else number
            for _, name, kind, *_ in columns
        }

    def add(self, table: str, row: dict[str, str | int | None]) -> None:
        marks = ", ".join("?" * len(row))
        self._connection.execute(
            f"INSERT INTO punktgenau_{table} ({', '.join(row)}) VALUES ({marks})", list(row.values())
        )


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    path = tmp_path / "journal.sqlite"
    with closing(Desk(path).database), closing(sqlite3.connect(path)) as connection:
        yield Tables(connection)


@pytest.mark.parametrize(("table", "columns"), UNIQUE)
def test_twice_is_refused(tables: Tables, table: str, columns: tuple[str, ...]):
    first = tables.row(table, 1)
    tables.add(table, first)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        tables.add(table, tables.row(table, 2) | {name: first[name] for name in columns})
    for number, different in enumerate(columns if len(columns) > 1 else (), start=3):
        tables.add(table, tables.row(table, number) | {name: first[name] for name in columns if name != different})


@pytest.mark.parametrize(("table", "column"), EMPTY)
def test_what_is_not_there_is_not_there_twice(tables: Tables, table: str, column: str):
    for number in (1, 2):
        tables.add(table, tables.row(table, number) | {column: None})
