"""Brings the journal's tables up to date with Alembic, with a version table of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from punktgenau.checkout.database import Database
from punktgenau.checkout.schema import VERSION_TABLE
from punktgenau.errors import UnavailableError

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x70756E6B74
_MIGRATIONS = Path(__file__).parent / "migrations"
_FOLLOWS = re.compile(r'^down_revision = "?(\w+)"?$', re.MULTILINE)


@cache
def revisions() -> list[str]:
    """The revisions that this version knows, each behind the one that it follows: m<revision>_<what>.py in a folder."""
    following: dict[str, str] = {}
    for file in _MIGRATIONS.glob("versions/m*_*.py"):
        (follows,) = _FOLLOWS.findall(file.read_text("utf-8"))
        following[follows] = file.name[1:].partition("_")[0]
    chain = [following.pop("None")]
    while chain[-1] in following:
        chain.append(following.pop(chain[-1]))
    return chain


def _config() -> Config:
    # Not needed by a shop whose tables are up to date, and as long to import as the rest of the engine.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _connection(database: Database) -> Iterator[Connection]:
    """A connection of the engine's. Raises UnavailableError (`journal_unavailable`) where the database fails."""
    try:
        with database.engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise UnavailableError(
            f"The journal's database did not take it ({type(error).__name__}). Nothing was sent.",
            code="journal_unavailable",
        ) from error


def upgrade(database: Database) -> None:
    """Create or change our tables; a second run, or a second process at the same time, does nothing."""
    with _connection(database) as connection:
        if database.dialect == "postgresql":
            # To change a table takes the time that it takes, and waits for whoever is at work.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            # Two deployments at once: the second waits here and then finds nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _revision(connection) != revisions()[-1]:
            from alembic import command

            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        connection.commit()


def is_current(database: Database) -> bool:
    """Whether the tables are there and fit this version; False where there are none.

    Tables of a newer version fit: within one minor version migrations only add. Raises UnavailableError
    (`journal_unavailable`) for tables of an older one: what they hold must not be taken for nothing.
    """
    with _connection(database) as connection:
        found = _revision(connection)
    if found in revisions()[:-1]:
        raise UnavailableError(
            "The journal's tables are of an older version. Nothing was sent; run `flask punktgenau upgrade`.",
            code="journal_unavailable",
        )
    return found is not None


def _revision(connection: Connection) -> str | None:
    """Which revision the tables say that they are of; None: there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return found
