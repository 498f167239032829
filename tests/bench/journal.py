"""M-J2: what the journal costs beside the same statements on the bare driver, on SQLite."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from bench.measure import Row, compared, in_turn, same
from bench.pairs import driver_pair, journal_pair
from bench.stub import engine

MOST = 2.0


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """CPU of intent and result, each a commit."""
    size, rounds = (100, 10) if quick else (200, 40)
    with tempfile.TemporaryDirectory() as folder, engine(f"sqlite:///{Path(folder) / 'journal.sqlite'}") as checkout:
        raw = sqlite3.connect(Path(folder) / "journal.sqlite", isolation_level=None)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")
        floor = driver_pair(checkout, raw)
        spent = in_turn({"ours": journal_pair(checkout), "floor": floor, "again": floor}, size=size, rounds=rounds)
        raw.close()
    what = "intent and result, two commits / the same statements on sqlite3, WAL, FULL"
    return [compared("M-J2", what, spent, most=MOST), same("M-J2", spent)]
