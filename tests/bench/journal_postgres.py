"""M-J3: what the journal costs beside the same statements on the bare driver, on PostgreSQL."""

from __future__ import annotations

import psycopg

from bench.measure import Row, compared, in_turn, same
from bench.pairs import driver_pair, journal_pair
from bench.servers import postgres
from bench.stub import engine

MOST = 2.0


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """CPU of intent and result in this process; the server's is its own."""
    size, rounds = (50, 10) if quick else (100, 40)
    with postgres() as url, engine(url) as checkout, psycopg.connect(url.replace("+psycopg", "")) as raw:
        floor = driver_pair(checkout, raw)
        spent = in_turn({"ours": journal_pair(checkout), "floor": floor, "again": floor}, size=size, rounds=rounds)
    what = "intent and result, two commits / the same statements on psycopg"
    return [compared("M-J3", what, spent, most=MOST), same("M-J3", spent)]
