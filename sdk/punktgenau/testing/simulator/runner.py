"""Many histories, in several processes of the machine, each with its own provider and journal."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from punktgenau.testing.simulator.coverage import Cell
from punktgenau.testing.simulator.provider import URL
from punktgenau.testing.simulator.schedule import plan
from punktgenau.testing.simulator.watch import Violation
from punktgenau.testing.simulator.world import Ground, Verdict, World

_AT_ONCE = 25
_KEPT_VARIABLES = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "PYTHONHASHSEED"})
_ground: Ground | None = None


@dataclass
class Tally:
    """What a number of histories came to."""

    histories: int = 0
    calls: int = 0
    tokens: int = 0
    workers: int = 0
    faults: int = 0
    crashes: int = 0
    cells: Counter[Cell] = field(default_factory=Counter)
    broken: dict[int, tuple[Violation, ...]] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """Count one history."""
        self.histories += 1
        self.calls += verdict.calls
        self.tokens += verdict.tokens
        self.workers += verdict.workers
        self.faults += verdict.faults
        self.crashes += verdict.crashes
        self.cells += verdict.cells
        self.digests[verdict.plan.seed] = verdict.digest
        if verdict.violations:
            self.broken[verdict.plan.seed] = verdict.violations

    def merge(self, other: Tally) -> None:
        """Count the histories of another tally."""
        for name in ("histories", "calls", "tokens", "workers", "faults", "crashes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cells += other.cells
        self.broken |= other.broken
        self.digests |= other.digests

    @property
    def digest(self) -> str:
        """One text for all histories, in the order of their seeds."""
        return sha256("".join(self.digests[seed] for seed in sorted(self.digests)).encode()).hexdigest()


@contextmanager
def ground() -> Iterator[Ground]:
    """A place for histories, in memory where the machine has such a folder."""
    with tempfile.TemporaryDirectory(prefix="punktgenau-simulator-", dir=_memory()) as folder:
        yield Ground(Path(folder))


def history(place: Ground, seed: int) -> Verdict:
    """One history and its verdict."""
    return World(place, plan(seed)).run()


def run(seeds: range, *, processes: int) -> Iterator[Tally]:
    """All histories; yields a tally of some of them whenever they are done."""
    shares = [seeds[at : at + _AT_ONCE] for at in range(0, len(seeds), _AT_ONCE)]
    if processes <= 1:
        with ground() as place:
            for share in shares:
                yield _tally(place, share)
        return
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="punktgenau-simulator-", dir=_memory()) as folder,
        ProcessPoolExecutor(
            processes, mp_context=context, initializer=_settle, initargs=(folder, context.Value("i"), processes)
        ) as pool,
    ):
        waiting = [pool.submit(_share, share) for share in shares]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            for one in waiting:
                one.cancel()


def _memory() -> Path | None:
    """The usual folder of Linux that is kept in memory; None: the ordinary temporary one."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else None


def _settle(folder: str, number: Synchronized[int], of: int) -> None:
    """Make a place for the histories of this process of the machine."""
    global _ground
    with number.get_lock():
        _stay_on_one(number.value, of=of)
        number.value += 1
    for name in set(os.environ) - _KEPT_VARIABLES:
        # Every client reads the environment for proxies; nothing in here may depend on it.
        del os.environ[name]
    os.environ["NO_PROXY"] = URL.rpartition("/")[2]
    own = Path(folder) / str(os.getpid())
    own.mkdir()
    _ground = Ground(own)
    # Nobody asks who wrote a line of the log, and to find out costs more than the line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    # What stands by now stays; a history leaves little that only the collector could find.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _stay_on_one(number: int, *, of: int) -> None:
    """Actors hand their turn from thread to thread all the time, which takes far longer from processor to processor."""
    if sys.platform == "linux":
        processors = sorted(os.sched_getaffinity(0))
        if of == len(processors):
            os.sched_setaffinity(0, {processors[number % of]})


def _share(seeds: range) -> Tally:
    if _ground is None:
        raise AssertionError("a process of the pool has not settled")
    return _tally(_ground, seeds)


def _tally(place: Ground, seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        tally.add(history(place, seed))
    return tally
