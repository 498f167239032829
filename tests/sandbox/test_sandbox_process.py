"""The provider as a process: its command line, its file, its end; and that it stands alone."""

from __future__ import annotations

import ast
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

import punktgenau.sandbox
from punktgenau.sandbox.__main__ import main

HOME = Path(punktgenau.sandbox.__file__).parent
BODY = {
    "member_id": "mbr_2500",
    "order_reference": "A-1001",
    "total": {"amount_minor": 5990, "currency": "EUR"},
    "points": 427,
}


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A sandbox process and its address."""
    command = [sys.executable, "-m", "punktgenau.sandbox", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline().split()[-1].rstrip("/")
        finally:
            running.kill()


@contextmanager
def partner(url: str) -> Iterator[requests.Session]:
    form = {"grant_type": "client_credentials"}
    with requests.Session() as http:
        token = http.post(f"{url}/oauth/token", data=form, auth=("demo-shop", "demo-secret"), timeout=20).json()
        http.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield http


def test_the_books_survive_a_killed_process(tmp_path: Path) -> None:
    file = str(tmp_path / "provider.db")
    with process("--db", file, "--seed", "demo") as (running, url), partner(url) as http:
        made = http.post(f"{url}/v1/redemptions", json=BODY, headers={"Idempotency-Key": "k"}, timeout=20).json()
        http.post(f"{url}/sandbox/clock", json={"advance_s": 600}, timeout=20)
        running.kill()
    with process("--db", file, "--seed", "demo") as (running, url), partner(url) as http:
        again = http.post(f"{url}/v1/redemptions", json=BODY, headers={"Idempotency-Key": "k"}, timeout=20)
        assert (again.status_code, again.json()["id"]) == (200, made["id"])
        balance = http.get(f"{url}/v1/members/mbr_2500/balance", timeout=20).json()
        assert (balance["available"], balance["held"]) == (2073, 427)
        # The moved clock is remembered: about 110 of the 120 minutes are left.
        assert 6500 <= again.json()["expires_in_s"] <= 6600


def test_it_ends_when_told_to() -> None:
    with process() as (running, url):
        assert requests.get(f"{url}/healthz", timeout=20).json()["status"] == "ok"
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0
        assert running.stderr is not None
        assert running.stderr.read() == ""


def test_a_taken_port_is_said_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit) as ended:
            main(["--port", str(taken.getsockname()[1])])
    assert ended.value.code == 1
    assert "in use" in capsys.readouterr().err


def test_a_file_that_is_no_database_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "note.txt").write_text("no database, but long enough to be read as the head of one" * 10)
    for path in (tmp_path / "note.txt", tmp_path / "missing" / "provider.db"):
        with pytest.raises(SystemExit) as ended:
            main(["--port", "0", "--db", str(path)])
        assert ended.value.code == 1
        assert f"{path} cannot be used as a database" in capsys.readouterr().err


def test_it_imports_nothing_of_the_rest() -> None:
    foreign = set()
    for path in HOME.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [("." * node.level) + (node.module or "")]
            foreign |= {
                f"{path.name}: {name}"
                for name in names
                if name.startswith("..") or (name.startswith("punktgenau") and "sandbox" not in name)
            }
    assert not foreign
