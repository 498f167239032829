"""Who notices a mutant: tests and histories that execute what it changes, one by one, in a process forked for it.

Everything is imported and collected once. A first round runs every check on the source as it is and writes down which
lines it executes and how long it takes. Then each mutant gets a process of its own, in which the code of the functions
that differ is exchanged, and is asked about by the checks that come to it, until one of them fails.
"""

import gc
import json
import os
import selectors
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import IO, Any

import pytest

from _mutant_code import Change, Watching, exchange

HANGS_S = 25.0
SLOWER = 20.0
Lines = frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Check:
    """A test or a history, as it went on the source as it is; `lines` are those of watched files that it executed."""

    name: str
    duration_s: float
    lines: Lines
    failed: str = ""


@dataclass
class Job:
    """What one forked process has to do, and what is heard of it."""

    key: object
    names: Sequence[str]
    change: Change | None
    most_s: float
    told: list[dict[str, Any]] = field(default_factory=list)
    rest: bytes = b""
    began: float = 0.0
    since: float = 0.0
    hung: str = ""
    late: bool = False
    broke: str = ""


class Runs:
    """A plugin of pytest that, instead of running the tests, lets forked processes run some of them."""

    def __init__(self, work: Callable[["Runs"], None], *, processes: int, histories: int, folder: Path) -> None:
        self._work, self._processes, self._histories, self._folder = work, processes, histories, folder
        self.items: dict[str, pytest.Item] = {}
        self.files: Sequence[Path] = ()
        self.expected_s: dict[str, float] = {}
        self._functions: list[FunctionType] = []
        self._failed = ""
        self._ground: Any = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for item in session.items:
            if "postgres" not in item.name and not {"postgres_url", "postgres_server"} & set(_fixtures(item)):
                self.items[item.nodeid.removeprefix("tests/")] = item
        import punktgenau.testing.simulator.runner  # noqa: F401 — loaded before the first fork

        # What is frozen is not told of.
        gc.unfreeze()
        gc.collect()
        self._functions = [one for one in gc.get_objects() if isinstance(one, FunctionType)]
        gc.freeze()
        self._work(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._failed:
            told = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
            self._failed = f"{report.when}: {' '.join(told[0].split()) if told else 'no reason given'}"[:200]

    def baseline(self, files: Sequence[Path]) -> list[Check]:
        """Every check on the source as it is."""
        self.files = files
        histories = [f"history {seed}" for seed in range(1, self._histories + 1)]
        shares: dict[str, list[str]] = {}
        for name in self.items:
            shares.setdefault(name.partition("::")[0], []).append(name)
        parts = [*shares.values(), *(histories[at : at + 50] for at in range(0, len(histories), 50))]
        jobs = [Job(names[0], names, None, 1200.0) for names in parts]
        found = []
        for job in self.run(iter(jobs)):
            for told in job.told:
                if "s" in told:
                    lines = frozenset((str(files[number]), line) for number, line in told["lines"])
                    found.append(Check(told["name"], told["s"], lines, told["failed"]))
            if job.hung:
                found.append(Check(job.hung, 0.0, frozenset(), "hangs"))
        self.expected_s = {one.name: one.duration_s for one in found}
        return found

    def run(self, jobs: Iterator[Job]) -> Iterator[Job]:
        """Each in a forked process of its own, some at a time; yields those that have ended."""
        running: dict[int, tuple[Job, int, int]] = {}
        free = list(range(self._processes))
        try:
            with selectors.DefaultSelector() as selector:
                while True:
                    while free and (job := next(jobs, None)) is not None:
                        slot = free.pop()
                        pid, heard = self._fork(job, slot)
                        job.began = job.since = time.monotonic()
                        running[heard] = (job, pid, slot)
                        selector.register(heard, selectors.EVENT_READ)
                    if not running:
                        return
                    ready = {key.fd for key, _ in selector.select(1.0)}
                    for heard, (job, pid, slot) in list(running.items()):
                        ended = heard in ready and _hear(job, heard)
                        if ended or self._overdue(job):
                            _end(pid)
                            if ended and (not job.told or "begins" in job.told[-1]):
                                job.broke = (self._folder / f"out{slot}").read_text("utf-8", "replace")[-3000:]
                            selector.unregister(heard)
                            os.close(heard)
                            del running[heard]
                            free.append(slot)
                            shutil.rmtree(self._folder / f"run{slot}", ignore_errors=True)
                            yield job
        finally:
            for _, pid, _ in running.values():
                _end(pid)

    def _overdue(self, job: Job) -> bool:
        """Whether its time is up, or that of the check that it is at."""
        now = time.monotonic()
        at = job.told[-1].get("begins", "") if job.told else ""
        if now - job.since > HANGS_S + SLOWER * self.expected_s.get(at, 2.0):
            job.hung = at or "the beginning"
        job.late = now - job.began > job.most_s
        return job.late or bool(job.hung)

    def _fork(self, job: Job, slot: int) -> tuple[int, int]:
        heard, told = os.pipe()
        pid = os.fork()
        if pid:
            os.close(told)
            return pid, heard
        try:
            os.setsid()
            out = os.open(self._folder / f"out{slot}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1)
            os.dup2(out, 2)
            cores = sorted(os.sched_getaffinity(0))
            if self._processes == len(cores):
                # As the simulator does: its threads hand on their turn far faster within one processor.
                os.sched_setaffinity(0, {cores[slot]})
            with os.fdopen(told, "w", buffering=1) as say:
                self._child(job, slot, say)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _child(self, job: Job, slot: int, say: IO[str]) -> None:
        import tempfile

        place = self._folder / f"run{slot}"
        place.mkdir()
        tempfile.tempdir = os.environ["TMPDIR"] = str(place)
        config = next(iter(self.items.values())).config
        config._tmp_path_factory._basetemp = place / "tests"  # type: ignore[attr-defined]
        (place / "tests").mkdir(mode=0o700)
        if job.change is None:
            self._checks(job, say)
            return
        exchange(job.change, self._functions)
        # For those that start programs of their own: a package of links, but for the file that differs.
        os.environ["PYTHONPATH"] = os.pathsep.join((str(place), os.environ["PYTHONPATH"]))
        _linked(self.package, place / "punktgenau", job.change)
        self._checks(job, say)

    @property
    def package(self) -> Path:
        """The folder of the package as it is loaded."""
        import punktgenau

        return Path(punktgenau.__file__).parent

    def _checks(self, job: Job, say: IO[str]) -> None:
        following = {name: self.items.get(after) for name, after in zip(job.names, [*job.names[1:], ""], strict=False)}
        numbers = {str(path): number for number, path in enumerate(self.files)}
        for name in job.names:
            say.write(json.dumps({"begins": name}) + "\n")
            started = time.monotonic()
            if job.change is None:
                with Watching(numbers) as watching:
                    failed = self._check(name, following[name])
                lines = sorted((numbers[file], line) for file, line in watching.lines)
            else:
                failed, lines = self._check(name, following[name]), []
            told = {"name": name, "s": time.monotonic() - started, "failed": failed, "lines": lines}
            say.write(json.dumps(told) + "\n")
            if failed and job.change is not None:
                return

    def _check(self, name: str, following: pytest.Item | None) -> str:
        """Why it fails; empty when it does not."""
        if name.startswith("history "):
            return self._history(int(name.split()[1]))
        self._failed = ""
        item = self.items[name]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        return self._failed

    def _history(self, seed: int) -> str:
        from punktgenau.testing.simulator.runner import ground, history

        try:
            if self._ground is None:
                self._ground = ground()
                self._place = self._ground.__enter__()
            verdict = history(self._place, seed)
        except Exception as error:
            # Whatever a mutant breaks unforeseen is noticed.
            return f"breaks the history: {error!r}"
        return "; ".join(f"{one.invariant}: {one.what}" for one in verdict.violations)


def _linked(package: Path, place: Path, change: Change) -> None:
    """The package again, of links to what is the same."""
    place.mkdir()
    for one in package.iterdir():
        if one == change.path:
            (place / one.name).write_text(change.text, "utf-8")
        elif one in change.path.parents:
            _linked(one, place / one.name, change)
        elif one.name != "__pycache__":
            (place / one.name).symlink_to(one)


def _fixtures(item: pytest.Item) -> Sequence[str]:
    return getattr(item, "fixturenames", ())


def _hear(job: Job, heard: int) -> bool:
    """Take in what a process says; whether it has ended."""
    more = os.read(heard, 1 << 20)
    *lines, job.rest = (job.rest + more).split(b"\n")
    job.told += [json.loads(line) for line in lines]
    job.since = time.monotonic()
    return not more


def _end(pid: int) -> None:
    """A process, and those that it has started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
