"""The journal's own connections: pool and dialect by SQLAlchemy, statements compiled once, run on the driver's cursor.

Going through the expression path per call costs 4 to 7 times the driver; compiled text costs twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Literal

from sqlalchemy import BigInteger, Engine, bindparam, cast, create_engine, extract, func, make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool
from sqlalchemy.sql import ClauseElement, ColumnElement

from punktgenau._clock import Clock
from punktgenau.checkout.moments import now_ms
from punktgenau.checkout.pools import POSTGRES_WAIT_S, Connect, postgres_engine, sqlite_pool
from punktgenau.checkout.turns import turn
from punktgenau.errors import ConfigurationError, UnavailableError

Value = str | int | None
IDLE_MOST = 5
"""As many as the pool would keep."""

# By dialect and statement: the same text serves every journal of a process.
_COMPILED: dict[tuple[str, int], tuple[str, dict[str, Value], ClauseElement]] = {}


class DuplicateError(Exception):
    """A unique index refused the row: somebody else was first, so read theirs."""


class UnconfirmedError(UnavailableError):
    """The database did not confirm a commit: it took effect or not."""

    default_code = "journal_unavailable"


class Transaction:
    """Statements between one begin and one commit."""

    def __init__(self, database: Database, cursor: DBAPICursor, now_ms: int) -> None:
        self._database = database
        self._cursor = cursor
        self._now_ms = now_ms

    def run(self, statement: ClauseElement, values: Mapping[str, Value]) -> int:
        """Execute; the number of rows it touched."""
        text, defaults = self._database.compiled(statement)
        try:
            self._cursor.execute(text, {**defaults, **self._database.identity, "now_ms": self._now_ms, **values})
        except self._database.integrity_error as error:
            raise DuplicateError from error
        return self._cursor.rowcount

    def many(self, statement: ClauseElement, rows: Sequence[Mapping[str, Value]]) -> None:
        """Execute for each of these; values that all of them share are in each."""
        text, _ = self._database.compiled(statement)
        self._cursor.executemany(text, rows)

    def all(self, statement: ClauseElement, values: Mapping[str, Value]) -> list[tuple[Value, ...]]:
        """Every row."""
        self.run(statement, values)
        return list(self._cursor.fetchall())

    def one(self, statement: ClauseElement, values: Mapping[str, Value]) -> tuple[Value, ...] | None:
        """The first row, or None."""
        self.run(statement, values)
        row: tuple[Value, ...] | None = self._cursor.fetchone()
        return row


class Database:
    """One engine with one pool, never the host's; SQLite in a file of its own, or PostgreSQL.

    `connect` opens the driver's connections in its place. Raises ConfigurationError for any other dialect.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        connect: Connect | None = None,
        identity: Mapping[str, str] | None = None,
        wait_s: float = POSTGRES_WAIT_S,
    ) -> None:
        # Whose rows are meant, bound by every statement that looks for some: own_provider, own_partner, own_mode.
        self.identity: Mapping[str, Value] = {f"own_{name}": text for name, text in (identity or {}).items()}
        try:
            parsed = make_url(url)
            if "@" in (parsed.host or ""):
                raise ValueError("the rest of a password stands where the host should be")
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            dialect = parsed.get_backend_name()
            if dialect not in ("sqlite", "postgresql"):
                raise ConfigurationError(
                    f"The journal runs on SQLite or PostgreSQL, not on {dialect}.", field="database_url"
                )
            if dialect == "sqlite" and parsed.database in (None, "", ":memory:"):
                raise ConfigurationError(
                    "The journal needs a SQLite file: memory is lost with the process.", field="database_url"
                )
            self._engine: Engine | None = None
            if dialect == "postgresql":
                self._engine = postgres_engine(parsed, connect, wait_s=min(wait_s, POSTGRES_WAIT_S))
                self._pool, sql = self._engine.pool, self._engine.dialect
            else:
                self._pool, sql = sqlite_pool(parsed, connect)
        except (NoSuchModuleError, ImportError) as error:
            raise ConfigurationError(
                f"The journal's database has no driver here: {error}", field="database_url"
            ) from error
        except (ArgumentError, ValueError):
            # What cannot be read may be a part of the password, so it is not repeated.
            raise ConfigurationError(
                "The journal's database address cannot be read; in passwords @ : / are written as %40 %3A %2F.",
                field="database_url",
            ) from None
        self.dialect: Literal["sqlite", "postgresql"] = "sqlite" if dialect == "sqlite" else "postgresql"
        self._url, self._sql = parsed, sql
        self._clock = clock
        # Connections that somebody else opens are not ours to line up.
        self._turns = f"{parsed.database}-turn" if dialect == "sqlite" and connect is None else None
        self._pid = os.getpid()
        # To take a connection from the pool and to give it back costs more than a read of a SQLite file does.
        self._idle: list[PoolProxiedConnection] = []
        self._inherited: list[PoolProxiedConnection] = []
        driver = sql.dbapi
        if driver is None:
            raise AssertionError("the dialect has no driver")
        self._driver_error: type[Exception] = driver.Error
        self.integrity_error: type[Exception] = driver.IntegrityError

    @property
    def engine(self) -> Engine:
        """For migrations only: to make one takes as long as all else here."""
        if self._engine is None:
            self._engine = create_engine(self._url, pool=self._pool)
        return self._engine

    @property
    def in_use(self) -> int:
        """How many connections are in a transaction."""
        return (self._pool.checkedout() if isinstance(self._pool, QueuePool) else 0) - len(self._idle)

    def now(self) -> ColumnElement[int]:
        """The moment that leases are judged by: the server's clock on PostgreSQL, the injected one on SQLite."""
        if self.dialect == "postgresql":
            return cast(extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
        return bindparam("now_ms", type_=BigInteger)

    def compiled(self, statement: ClauseElement) -> tuple[str, dict[str, Value]]:
        """The statement's text for this dialect, and the constants in it."""
        known = _COMPILED.get((self.dialect, id(statement)))
        if known is None:
            result = statement.compile(dialect=self._sql)
            # The statement itself is kept, so that its id is never given to another.
            known = _COMPILED[self.dialect, id(statement)] = (str(result), dict(result.params), statement)
        return known[0], known[1]

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Transaction]:
        """Begin, and commit at the end; rolls back on any exception.

        Raises UnavailableError (`journal_unavailable`) when the database does not take it: nothing is written;
        UnconfirmedError when it failed at the commit.
        """
        if os.getpid() != self._pid:
            # Sockets and file locks of the parent must not be shared after a fork.
            self._pool = self._pool.recreate()
            if self._engine is not None:
                self._engine.pool = self._pool
            self._inherited, self._idle = self._idle, []
            self._pid = os.getpid()
        in_turn: AbstractContextManager[None] = turn(self._turns) if write and self._turns else nullcontext()
        try:
            with in_turn:
                connection = self._take()
                try:
                    cursor = connection.cursor()
                    if self.dialect == "sqlite":
                        cursor.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                    yield Transaction(self, cursor, now_ms(self._clock))
                    # A look that was not read to its end would go on seeing what was so then.
                    cursor.close()
                    self._commit(connection)
                except BaseException:
                    # A connection that is lost has nothing to roll back, and must not hide what was found out.
                    with suppress(self._driver_error, SQLAlchemyError):
                        connection.rollback()
                    connection.close()
                    raise
                self._give_back(connection)
        except (self._driver_error, SQLAlchemyError) as error:
            raise UnavailableError(
                f"The journal's database did not take it ({type(error).__name__}). Nothing was sent.",
                code="journal_unavailable",
            ) from error

    def _take(self) -> PoolProxiedConnection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._pool.connect()

    def _give_back(self, connection: PoolProxiedConnection) -> None:
        if self.dialect == "sqlite" and len(self._idle) < IDLE_MOST:
            self._idle.append(connection)
        else:
            connection.close()

    def _commit(self, connection: PoolProxiedConnection) -> None:
        try:
            connection.commit()
        except (self._driver_error, SQLAlchemyError) as error:
            raise UnconfirmedError(
                f"The journal's database did not confirm a change ({type(error).__name__}). Nothing was sent."
            ) from error

    def close(self) -> None:
        """Close the pool."""
        self.rest()
        # The engine's own way would make a new pool at once.
        self._pool.dispose()

    def rest(self) -> None:
        """Give back to the pool what waits outside of it."""
        while self._idle:
            self._idle.pop().close()
