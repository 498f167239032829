"""The sandbox provider as a process of its own, for examples that need one that outlives a crash."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_sandbox() -> Iterator[str]:
    """The address of a sandbox that runs until the block ends; a shell does `python -m punktgenau.sandbox`."""
    command = [sys.executable, "-m", "punktgenau.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            # Its first line says where it listens.
            yield process.stdout.readline().split()[-1].rstrip("/")
        finally:
            process.terminate()
