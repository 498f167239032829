"""The demo's other processes: start, wait until they answer, end."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests

# Where `-m examples.shop.bank` finds its package, wherever the demo was started from.
_ROOT = Path(__file__).resolve().parents[2]
_TIED = _ROOT / "examples" / "_tied.py"
_READY_S = 20.0
_GRACE_S = 3.0
HOST = "127.0.0.1"


class StartError(Exception):
    """Something could not start; the message is a plain sentence for the person at the terminal."""


@dataclass
class Children:
    """Every process that was started here, all at the same time; `end` ends them all."""

    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _awaited: list[tuple[subprocess.Popen[bytes], str, str]] = field(default_factory=list)
    _ready: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, module: str, *arguments: str, environment: Mapping[str, str], ready_url: str = "") -> None:
        """Start `python -m module`; where it has a URL, `wait` waits until it answers there."""
        # A session of its own: Ctrl-C at the terminal reaches the launcher alone, which then ends the children. A pipe
        # to it that nobody writes to: it is at its end when the launcher is gone, even killed, and then the child ends.
        process = subprocess.Popen(
            [sys.executable, str(_TIED), module, *arguments],
            env=dict(environment),
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._started.append(process)
        threading.Thread(target=self._watch, args=(process, module), daemon=True).start()
        if ready_url:
            self._awaited.append((process, module, ready_url))
        else:
            self._ready.append(process)

    def wait(self) -> None:
        """Until each that was started answers. Raises StartError: one does not."""
        give_up_at = time.monotonic() + _READY_S
        for process, module, ready_url in self._awaited:
            while not _answers(ready_url):
                if process.poll() is not None:
                    raise StartError(f"{module} ended at once (exit code {process.returncode}).")
                if time.monotonic() > give_up_at:
                    raise StartError(f"{module} did not answer within {_READY_S:.0f} seconds.")
                time.sleep(0.05)
            self._ready.append(process)
        self._awaited.clear()

    def _watch(self, process: subprocess.Popen[bytes], module: str) -> None:
        code = process.wait()
        if process in self._ready:
            print(f"{module} has ended (exit code {code}); the rest goes on without it.", file=sys.stderr, flush=True)

    def end(self) -> None:
        self._ready.clear()
        for process in reversed(self._started):
            process.terminate()
        for process in reversed(self._started):
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()
        self._started.clear()


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback. Raises StartError: the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise StartError(f"Port {port} cannot be used: {error.strerror}.") from error
    return listener


def free_port() -> int:
    with listen(0) as listener:
        port: int = listener.getsockname()[1]
    return port


def require_free(port: int) -> None:
    """Raises StartError: somebody listens there."""
    listen(port).close()


def is_demo(url: str) -> bool:
    """Whether what answers there is of this demo: the shop, or its provider's control plane."""
    try:
        reply = requests.get(url, timeout=1.0, proxies={"http": ""})
    except requests.RequestException:
        return False
    return reply.ok and (reply.text == "ok\n" or "advanced_s" in reply.text)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1.0, proxies={"http": ""}).status_code < 500
    except requests.RequestException:
        return False
