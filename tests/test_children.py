"""The demo's processes: none outlives the one that started it, and who is there already is named."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from examples.shop.children import free_port

from _source import ROOT
from _world import provider_url

__all__ = ["provider_url"]

# Starts the sandbox as the demo does, says so, and waits until it is killed. Nobody but the two holds its stderr.
_LAUNCHER = """
import os, sys, threading
from examples.shop.children import Children
children = Children()
children.start("punktgenau.sandbox", "--port", sys.argv[1], "--db", sys.argv[2], "--seed", "demo",
               environment=os.environ, ready_url=f"http://127.0.0.1:{sys.argv[1]}/sandbox/clock")
children.wait()
print("started", flush=True)
threading.Event().wait()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="nobody is killed like that there")
def test_a_killed_launcher_leaves_nobody_behind(tmp_path: Path) -> None:
    port = str(free_port())
    command = [sys.executable, "-c", _LAUNCHER, port, f"{tmp_path}/sandbox.sqlite"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == "started\n"
        launcher.send_signal(signal.SIGKILL)
        # Read to its end, which comes when the last process that could write there is gone.
        launcher.communicate(timeout=20)
    assert launcher.returncode == -signal.SIGKILL


def test_a_second_start_says_who_is_there(provider_url: str) -> None:
    port = provider_url.rsplit(":", 1)[1]
    command = [
        sys.executable,
        "-m",
        "examples.shop",
        "--no-browser",
        "--port",
        str(free_port()),
        "--sandbox-port",
        port,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"On port {port} a demo's provider runs already: http://127.0.0.1:{port}/" in done.stderr
    assert f"python3 examples --sandbox-port {int(port) + 50}" in done.stderr
