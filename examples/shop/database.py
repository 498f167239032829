"""The shop's own SQLite file: one connection per request, explicit transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, current_app, g

SCHEMA = Path(__file__).with_name("schema.sql")


def connect() -> sqlite3.Connection:
    """The connection of this request (or of this application context)."""
    if "database" not in g:
        g.database = _open(current_app.config["SHOP_DATABASE"])
    connection: sqlite3.Connection = g.database
    return connection


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """All or nothing. Takes the write lock at once, so that two requests queue instead of failing halfway."""
    connection = connect()
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def init_app(app: Flask, path: Path) -> None:
    app.config["SHOP_DATABASE"] = path
    app.teardown_appcontext(_close)
    connection = _open(path)
    connection.executescript(SCHEMA.read_text(encoding="utf-8"))
    connection.close()


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _close(_error: BaseException | None) -> None:
    connection: sqlite3.Connection | None = g.pop("database", None)
    if connection is not None:
        connection.close()
