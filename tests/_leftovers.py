"""A run ends: threads and processes that tests left behind are named, and are a failure, not a run that hangs."""

import os
import sys
import threading

import psutil
import pytest

_GRACE_S = 2.0
# Belongs to the standard library's multiprocessing and ends with this process.
_HARMLESS = "multiprocessing"


class Leftovers:
    """Remembers which test was the first to be followed by a thread."""

    def __init__(self) -> None:
        self._before = set(threading.enumerate())
        self._seen_after: dict[threading.Thread, str] = {}
        self._found: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        for thread in self._threads():
            self._seen_after.setdefault(thread, nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        for thread in self._threads():
            thread.join(_GRACE_S)
            if thread.is_alive():
                self._found.append(f"thread {thread.name}, begun during {self._seen_after.get(thread, 'the end')}")
        for process in psutil.Process().children(recursive=True):
            try:
                self._end(process)
            except psutil.NoSuchProcess:
                continue
        if self._found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._found:
            terminalreporter.write_line(f"LEFT BEHIND, which is a failure: {line}", red=True, bold=True)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        if self._threads():
            # Python would wait for these threads for ever.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(pytest.ExitCode.TESTS_FAILED))

    def _threads(self) -> list[threading.Thread]:
        running = set(threading.enumerate()) - self._before
        return [thread for thread in running if not thread.daemon]

    def _end(self, process: psutil.Process) -> None:
        command = " ".join(process.cmdline())
        if process.status() != psutil.STATUS_ZOMBIE and _HARMLESS not in command:
            self._found.append(f"process {process.pid}: {command[:160]}")
            process.kill()


def pytest_configure(config: pytest.Config) -> None:
    spread = getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput")
    if not spread:
        config.pluginmanager.register(Leftovers(), "leftovers")
