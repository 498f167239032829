"""Where the journal's connections come from, prepared so that nothing is lost and nobody waits for ever."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial

from sqlalchemy import URL, Dialect, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import Pool, PoolProxiedConnection, QueuePool

from punktgenau.checkout.mounts import require_safe_file

Connect = Callable[[], DBAPIConnection]
SQLITE_BUSY_MS = 3_000
POSTGRES_WAIT_S = 3.0
"""How long somebody else's lock, or a connection, is waited for at most; a shop's own deadline may be shorter."""
POSTGRES_STATEMENT_S = 15.0
"""No statement of ours takes nearly as long, even in reconciling; what does is stuck."""


def sqlite_pool(url: URL, connect: Connect | None) -> tuple[Pool, Dialect]:
    """Without the engine around them, which takes five times as long to make as they do."""
    sql = _dialect(url.drivername)
    given, options = sql.create_connect_args(url)
    options.update(isolation_level=None, timeout=SQLITE_BUSY_MS / 1000)
    opened = connect or partial(sql.connect, *given, **options)
    return QueuePool(partial(_prepared, opened), dialect=sql), sql


@cache
def _dialect(driver: str) -> Dialect:
    kind = URL.create(driver).get_dialect()
    made_by: Callable[..., Dialect] = kind
    return made_by(dbapi=kind.import_dbapi(), paramstyle="named")


def _prepared(opened: Connect) -> DBAPIConnection:
    connection = opened()
    cursor = connection.cursor()
    try:
        require_safe_file(cursor)
        # FULL, because a hold that the provider has must still be in the journal after a power loss.
        for pragma in ("synchronous=FULL", f"busy_timeout={SQLITE_BUSY_MS}", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    cursor.close()
    return connection


def postgres_engine(url: URL, connect: Connect | None, *, wait_s: float) -> Engine:
    """An engine whose connections never wait for ever; the address may say otherwise."""
    # The driver waits for two seconds at least.
    lost: dict[str, int] = {
        "connect_timeout": math.ceil(wait_s),
        "tcp_user_timeout": int(POSTGRES_STATEMENT_S * 1000),
    }
    engine = create_engine(
        url,
        pool_pre_ping=False,
        pool_size=5,
        max_overflow=10,
        pool_timeout=POSTGRES_WAIT_S,
        connect_args={name: limit for name, limit in lost.items() if name not in url.query},
        **({} if connect is None else {"creator": connect}),
    )
    stuck = {"lock_timeout": int(wait_s * 1000), "statement_timeout": int(POSTGRES_STATEMENT_S * 1000)}
    given = str(url.query.get("options", ""))

    @event.listens_for(engine, "connect")
    def _bound(connection: PoolProxiedConnection, record: object) -> None:
        # Not as a start-up parameter: poolers in between refuse those.
        cursor = connection.cursor()
        for name, limit_ms in stuck.items():
            if name not in given:
                cursor.execute(f"SET {name} = {limit_ms}")
        cursor.close()
        connection.commit()

    return engine
