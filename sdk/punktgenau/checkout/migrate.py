"""Brings the journal's tables up to date with Alembic, with a version table of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from punktgenau.checkout.database import Database
from punktgenau.checkout.schema import VERSION_TABLE
from punktgenau.errors import UnavailableError

_LOCK = 0x70756E6B74


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
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
    config = _config()
    with _connection(database) as connection:
        if database.dialect == "postgresql":
            # To change a table takes the time that it takes, and waits for whoever is at work.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            # Two deployments at once: the second waits here and then finds nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def is_current(database: Database) -> bool:
    """Whether the tables are there and fit this version; False where there are none.

    Tables of a newer version fit: within one minor version migrations only add. Raises UnavailableError
    (`journal_unavailable`) for tables of an older one: what they hold must not be taken for nothing.
    """
    script = ScriptDirectory.from_config(_config())
    head = script.get_current_head()
    with _connection(database) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        found = context.get_current_revision()
    if found is not None and found != head and found in {revision.revision for revision in script.walk_revisions()}:
        raise UnavailableError(
            "The journal's tables are of an older version. Nothing was sent; run `flask punktgenau upgrade`.",
            code="journal_unavailable",
        )
    return found is not None
