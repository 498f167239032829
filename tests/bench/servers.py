"""Servers in processes of their own, for as long as they are needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

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
