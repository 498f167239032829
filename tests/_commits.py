"""Counted at the driver, without a clock: commits that write, and connections in use while the provider is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from requests.adapters import HTTPAdapter
from sqlalchemy import event

from punktgenau.checkout.database import Database


@contextmanager
def counted_commits(database: Database) -> Iterator[list[str]]:
    """Every commit of this journal's connections that wrote something, as it happens."""
    found: list[str] = []
    seen: dict[int, list[str]] = {}

    def watch(connection: Any, *_: object) -> None:
        if id(connection) in seen:
            return
        statements = seen[id(connection)] = []
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(lambda text: _sqlite(text, statements, found))
        else:
            connection.commit = _counting(connection, found)

    database.rest()
    event.listen(database.engine, "checkout", watch)
    try:
        yield found
    finally:
        event.remove(database.engine, "checkout", watch)


def _sqlite(text: str, statements: list[str], found: list[str]) -> None:
    if text.startswith("BEGIN"):
        statements.clear()
    if text == "COMMIT" and any(statement.startswith(("INSERT", "UPDATE", "DELETE")) for statement in statements):
        found.append("; ".join(statement.split("(")[0][:60] for statement in statements))
    statements.append(text)


def _counting(connection: Any, found: list[str]) -> Any:
    commit = connection.commit

    def counting() -> None:
        # Only a transaction that writes is given a number.
        if connection.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()[0] is not None:
            found.append("a transaction that wrote")
        commit()

    return counting


@contextmanager
def connections_in_use_while_asking(database: Database) -> Iterator[list[int]]:
    """How many of the journal's connections were in use each time something was sent."""
    found: list[int] = []
    send = HTTPAdapter.send

    def watched(adapter: HTTPAdapter, *arguments: Any, **more: Any) -> Any:
        found.append(database.in_use)
        return send(adapter, *arguments, **more)

    with patch.object(HTTPAdapter, "send", watched):
        yield found
