"""M-J4: eight processes write to one SQLite file without a pause: the longest wait, and what turns cost."""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.measure import Row
from bench.pairs import driver_pair, journal_pair
from bench.stub import Stub, engine
from punktgenau.checkout import Checkout

PROCESSES = 8
WORST_MS_MOST = 150
SHARE_LEAST = 0.5
Lane = tuple[list[float], int]


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """In turn, each on a file of its own."""
    seconds, rounds = (1.0, 2) if quick else (3.0, 5)
    ours, raw = [], []
    for _ in range(rounds):
        ours.append(_saturate(_journal, seconds))
        raw.append(_saturate(_driver, seconds))
    worst_ms = median(max(waits) * 1000 for waits, _ in ours)
    raw_ms = median(max(waits) * 1000 for waits, _ in raw)
    rates = [median(len(waits) / seconds for waits, _ in found) for found in (ours, raw)]
    errors = sum(failed for _, failed in ours)
    what = f"{PROCESSES} processes on one SQLite file, {seconds:.0f} s:"
    share = rates[0] / rates[1]
    return [
        Row(
            figure="M-J4",
            what=f"{what} longest wait for intent and result",
            ours=f"{worst_ms:,.0f} ms",
            beside=f"{raw_ms:,.0f} ms",
            target=f"<= {WORST_MS_MOST} ms",
            met=worst_ms <= WORST_MS_MOST,
        ),
        Row(
            figure="M-J4",
            what=f"{what} pairs per second / raw",
            ours=f"{rates[0]:,.0f}",
            beside=f"{rates[1]:,.0f}",
            ratio=f"{share:.2f}",
            target=f">= {SHARE_LEAST}",
            met=share >= SHARE_LEAST,
        ),
        Row(figure="M-J4", what=f"{what} refused locks", ours=str(errors), target="0", met=errors == 0),
    ]


def _saturate(lane: Callable[[str, float, object, object], None], seconds: float) -> Lane:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'journal.sqlite'}"
        with engine(url):
            pass
        context = multiprocessing.get_context("spawn")
        told, start = context.Queue(), context.Barrier(PROCESSES)
        crowd = [context.Process(target=lane, args=(url, seconds, told, start)) for _ in range(PROCESSES)]
        for one in crowd:
            one.start()
        found: list[Lane] = [told.get(timeout=120) for _ in crowd]
        for one in crowd:
            one.join()
    return [wait for waits, _ in found for wait in waits], sum(failed for _, failed in found)


def _journal(url: str, seconds: float, told: object, start: object) -> None:
    checkout = Checkout(Stub(), url)
    _go(journal_pair(checkout), seconds, told, start)


def _driver(url: str, seconds: float, told: object, start: object) -> None:
    raw = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")
    _go(driver_pair(Checkout(Stub(), url), raw), seconds, told, start)


def _go(pair: Callable[[], object], seconds: float, told: object, start: object) -> None:
    waits: list[float] = []
    failed = 0
    pair()
    start.wait(60)  # type: ignore[attr-defined]
    ends = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < ends:
        try:
            pair()
        except Exception as error:  # counted: whatever is refused here is refused to a customer
            failed += "lock" in f"{error} {error.__cause__}".lower() or 1
        waits.append(time.perf_counter() - begun)
    told.put((waits, failed))  # type: ignore[attr-defined]
