"""Where a process is, written down as it goes, so that whoever finds it killed can read where that was.

The seams are the adapter of the client and the driver's connections of the journal. A process can be told to kill
itself at its n-th passing of a point; then it does so with SIGKILL, as if from outside.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from requests import PreparedRequest, Response
from sqlalchemy import Engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.default import DefaultDialect
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.poolmanager import PoolManager

from punktgenau._deadline import DeadlineAdapter, _Connection, _Pool

POINTS = (
    "before the order",
    "order written, nothing asked",
    "committing claim",
    "claim committed",
    "committing intent",
    "intent committed, nothing sent",
    "half of the request sent",
    "request sent, no answer",
    "answer read, not written",
    "committing result",
    "result committed",
    "held, order not paid",
    "order paid, not captured",
    "order cancelled, points not asked for",
    "between orders",
)
KINDS = ("authorize", "capture", "void", "reverse", "cancel_by_key")
_COMMITTED = {"claim": "claim committed", "intent": "intent committed, nothing sent", "result": "result committed"}
_KIND_BY_PATH = (("/capture", "capture"), ("/void", "void"), ("/reversals", "reverse"), ("/cancel-by-key", KINDS[4]))


class Marks:
    """The file of one process; `kind` and `is_recovering` go with every point."""

    kind = "-"
    is_recovering = False

    def __init__(self, path: Path, *, die_at: str = "") -> None:
        self.begin(path, die_at=die_at)

    def begin(self, path: Path, *, die_at: str = "") -> None:
        """Write to another file from now on, as a forked child does."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        point, _, times = die_at.partition(":")
        self._die_at = point
        self._times = int(times or 0)

    def at(self, point: str) -> None:
        """This point is reached; perhaps it is the last one."""
        os.write(self._file, f"{self.kind}|{point}|{'recovery' if self.is_recovering else 'live'}\n".encode())
        if point == self._die_at:
            self._times -= 1
            if self._times <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


def last_mark(path: Path) -> tuple[str, str, str]:
    """Kind, point, and live or recovery, as a killed process wrote them last."""
    lines = path.read_bytes().splitlines() if path.is_file() else []
    if not lines:
        return "-", "between orders", "live"
    kind, point, where = lines[-1].decode().split("|")
    return kind, point, where


class Watch:
    """What one transaction of the journal is about, told by its statements."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._about: str | None = None

    def statement(self, text: str, values: Any) -> None:
        """A statement is about to run."""
        if text.startswith("BEGIN"):
            self._about = None
        elif text.startswith("INSERT INTO punktgenau_operation"):
            self._about, self._marks.kind = "intent", str(values["kind"])
        elif re.match(r"UPDATE punktgenau_(operation|redemption) SET", text) and self._about is None:
            self._about = "claim" if "lease_token=" in text.partition("WHERE")[0] else "result"

    def commit(self) -> str | None:
        """The commit is about to be made; what to say when it is through."""
        about, self._about = self._about, None
        if about is None:
            return None
        self._marks.at(f"committing {about}")
        return _COMMITTED[about]


def watch_journal(marks: Marks) -> None:
    """Every connection that SQLAlchemy opens from now on in this process tells of its commits."""

    class SqliteCursor(sqlite3.Cursor):
        def execute(self, text: str, values: Any = ()) -> Any:
            self.connection.watch.statement(text, values)  # type: ignore[attr-defined]
            return super().execute(text, values)

    class Sqlite(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.watch = Watch(marks)

        def cursor(self, factory: Any = None) -> Any:
            return super().cursor(factory or SqliteCursor)

        def commit(self) -> None:
            done = self.watch.commit()
            super().commit()
            if done:
                marks.at(done)

    class PostgresCursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
            self.connection.watch.statement(str(query), params)  # type: ignore[attr-defined]
            return super().execute(query, params, **kwargs)

    class Postgres(psycopg.Connection[Any]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.watch = Watch(marks)
            self.cursor_factory = PostgresCursor

        def commit(self) -> None:
            done = self.watch.commit()
            super().commit()
            if done:
                marks.at(done)

    def opened(dialect: Any, record: object, cargs: Any, cparams: Any) -> Any:
        return Postgres.connect(*cargs, **cparams) if dialect.name == "postgresql" else None

    event.listen(Engine, "do_connect", opened)
    # The journal's SQLite has no engine that could be listened to.
    open_sqlite_as(Sqlite)


def open_sqlite_as(kind: type[sqlite3.Connection] | None) -> None:
    """Every SQLite connection that SQLAlchemy opens from now on is of this kind; None: as ever."""
    if kind is None:
        SQLiteDialect_pysqlite.connect = DefaultDialect.connect  # type: ignore[method-assign]
        return

    def connect(dialect: Any, *args: Any, **options: Any) -> Any:
        return DefaultDialect.connect(dialect, *args, **{"factory": kind, **options})

    SQLiteDialect_pysqlite.connect = connect  # type: ignore[method-assign]


def watched_adapter(marks: Marks) -> DeadlineAdapter:
    """The client's own adapter, telling where in a request it is."""

    class Connection(_Connection):
        def send(self, data: Any) -> None:
            # What is only being collected, or is no write of ours, is no point.
            is_collected = getattr(self, "_held", None) is not None
            body = data.partition(b"\r\n\r\n")[2] if data.startswith((b"POST ", b"GET ")) else data
            if marks.kind == "-" or is_collected or not body:
                super().send(data)
                return
            middle = len(data) - len(body) // 2
            super().send(data[:middle])
            marks.at("half of the request sent")
            super().send(data[middle:])
            marks.at("request sent, no answer")

    class Pool(_Pool):
        ConnectionCls = Connection

    class Adapter(DeadlineAdapter):
        @staticmethod
        def _own_pools(manager: PoolManager) -> None:
            pools: dict[str, type[HTTPConnectionPool]] = {"http": Pool}
            manager.pool_classes_by_scheme = pools

        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            marks.kind = _kind_of(request)
            response = super().send(request, *args, **kwargs)
            if marks.kind != "-":
                marks.at("answer read, not written")
            return response

    return Adapter()


def _kind_of(request: PreparedRequest) -> str:
    path = (request.url or "").partition("?")[0]
    if request.method != "POST" or "/v1/redemptions" not in path or path.endswith("/quote"):
        return "-"
    return next((kind for tail, kind in _KIND_BY_PATH if path.endswith(tail)), "authorize")
