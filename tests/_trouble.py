"""A journal whose database gets into trouble at a chosen commit, for real where that can be had.

SQLite: no file of this process may grow meanwhile. PostgreSQL: the server itself raises the error of that name.
"""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from _world import World
from punktgenau import Client
from punktgenau.checkout import Checkout, Settings

INTENT, RESULT = 1, 2
"""The commits of an operation."""


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows any more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@dataclass
class Trouble:
    """Which writing commits go wrong, counted from 1 on, and how: an SQLSTATE, or "lost" for a connection that ends.

    A commit that goes wrong after it has taken effect is named in `unconfirmed`.
    """

    at: set[int] = field(default_factory=set)
    unconfirmed: set[int] = field(default_factory=set)
    how: str = "53100"
    commits: int = 0

    def begin(self, *at: int, how: str = "53100", unconfirmed: bool = False) -> None:
        """Count anew."""
        self.at, self.unconfirmed = (set(), set(at)) if unconfirmed else (set(at), set())
        self.how, self.commits = how, 0


class _Lite(sqlite3.Connection):
    trouble: Trouble
    written = 0

    def commit(self) -> None:
        """Commit, or fail to."""
        wrote, self.written = self.total_changes != self.written, self.total_changes
        self.trouble.commits += wrote
        if wrote and self.trouble.commits in self.trouble.at:
            if self.trouble.how == "40001":
                raise sqlite3.OperationalError("database is locked")
            with full_disk():
                super().commit()
        super().commit()
        if wrote and self.trouble.commits in self.trouble.unconfirmed:
            raise sqlite3.OperationalError("disk I/O error")


class _Post(psycopg.Connection[Any]):
    trouble: Trouble

    def commit(self) -> None:
        """Commit, or fail to."""
        written = self.execute("SELECT pg_current_xact_id_if_assigned()").fetchone()
        wrote = written is not None and written[0] is not None
        self.trouble.commits += wrote
        if wrote and self.trouble.commits in self.trouble.at:
            self._fail()
        super().commit()
        if wrote and self.trouble.commits in self.trouble.unconfirmed:
            self._end()
            super().execute("SELECT 1")

    def _fail(self) -> None:
        if self.trouble.how == "lost":
            self._end()
            return
        # By the server, so that the transaction is aborted as it would be.
        self.execute(
            "DO $$ BEGIN RAISE EXCEPTION 'told so' USING ERRCODE = '%s'; END $$" % self.trouble.how  # noqa: UP031
        )

    def _end(self) -> None:
        with psycopg.connect(self.info.dsn, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (self.info.backend_pid,))


def shop_in(world: World, trouble: Trouble, **settings: Any) -> Checkout:
    """One process of the shop whose journal has such trouble."""
    client = Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret", clock=world.clock)
    shop = Checkout(
        client,
        world.database_url,
        order_loader=world.orders.get,
        settings=Settings(**{"deadline_s": 4.0, **settings}),
        clock=world.clock,
        connect=_opener(world.database_url, trouble),
        on_event=world.hear,
    )
    world.made.append((shop, client))
    return shop


def _opener(database_url: str, trouble: Trouble) -> Callable[[], Any]:
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite":
        _Lite.trouble = trouble
        path = address.database or ""
        return lambda: sqlite3.connect(path, isolation_level=None, factory=_Lite, check_same_thread=False)
    _Post.trouble = trouble
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    return lambda: _Post.connect(plain)


__all__ = ["INTENT", "RESULT", "Trouble", "full_disk", "shop_in"]
