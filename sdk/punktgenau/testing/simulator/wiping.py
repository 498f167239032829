"""Databases that serve history after history: emptied row by row, so that nobody has to read their schema anew.

A connection reads the whole schema and prepares every statement once; that costs more than what a history does with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

Rows = dict[str, list[tuple[object, ...]]]
"""Rows by table."""


def tables_of(connection: sqlite3.Connection, *, first: Iterable[str] = ()) -> tuple[str, ...]:
    """Every table, those named `first` before the others: whoever is referred to comes last."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
    names = [str(row[0]) for row in found if not str(row[0]).startswith("sqlite_")]
    before = [name for name in first if name in names]
    return (*before, *(name for name in names if name not in before))


def rows_of(connection: sqlite3.Connection, tables: Iterable[str]) -> Rows:
    """What is in there."""
    found = {name: [tuple(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in tables}
    return {name: rows for name, rows in found.items() if rows}


def wipe(connection: sqlite3.Connection, tables: tuple[str, ...], rows: Rows) -> None:
    """Just these rows are in there from now on."""
    connection.execute("BEGIN IMMEDIATE")
    for name in tables:
        connection.execute(f"DELETE FROM {name}")
    for name in reversed(tables):
        if name in rows:
            marks = ", ".join("?" * len(rows[name][0]))
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows[name])
    connection.execute("COMMIT")
