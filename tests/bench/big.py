"""M-J6: an authorize and a look for what is due, in a journal with a million closed rows and in an empty one."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.filling import fill_postgres, fill_sqlite
from bench.measure import Call, Row, in_turn, microseconds, ratio, same
from bench.pairs import fresh
from bench.servers import postgres
from bench.stub import CART, POINTS, engine
from punktgenau.checkout import Checkout

MOST = 1.2


def rows(*, quick: bool, figures: frozenset[str]) -> list[Row]:
    """On both databases."""
    closed = 20_000 if quick else 1_000_000
    found: list[Row] = []
    for kind in ("SQLite", "PostgreSQL"):
        with ExitStack() as stack:
            addresses = []
            for _ in range(2):
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                file = f"sqlite:///{Path(folder) / 'journal.sqlite'}"
                addresses.append(file if kind == "SQLite" else stack.enter_context(postgres()))
            big, empty = (stack.enter_context(engine(address)) for address in addresses)
            authorize_one(big)
            (fill_sqlite if kind == "SQLite" else fill_postgres)(big, closed)
            found += _compared(kind, big, empty, closed, quick=quick)
            found.append(_plans(kind, big))
    return found


def _compared(kind: str, big: Checkout, empty: Checkout, closed: int, *, quick: bool) -> list[Row]:
    size, rounds = (30, 8) if quick else (60, 30)
    found = []
    for what, call in (("authorize", authorize_one), ("recovery scan", scan)):
        calls: dict[str, Call] = {
            "ours": lambda call=call: call(big),  # type: ignore[misc]
            "floor": lambda call=call: call(empty),  # type: ignore[misc]
            "again": lambda call=call: call(empty),  # type: ignore[misc]
        }
        spent = in_turn(calls, size=size, rounds=rounds)
        times = ratio(spent["ours"], spent["floor"])
        found.append(
            Row(
                figure="M-J6",
                what=f"{what} with {closed:,} closed rows / with none, {kind}",
                ours=microseconds(spent["ours"]),
                beside=microseconds(spent["floor"]),
                ratio=str(times),
                target=f"<= {MOST}",
                met=times.middle <= MOST,
            )
        )
        found.append(replace(same("M-J6", spent), what=f"A/A: {what} with none, {kind}, against itself"))
    return found


def authorize_one(checkout: Checkout) -> object:
    """Place and pay an order, so that nothing stays due."""
    reference = f"B-{fresh()}"
    checkout.authorize(reference, CART, customer_id="customer-0", points=POINTS)
    return checkout.capture(reference)


def scan(checkout: Checkout) -> object:
    """What a worker does when there is nothing to do."""
    return checkout.recover(due_only=True)


def _plans(kind: str, big: Checkout) -> Row:
    """How the database finds what is due: by an index that holds only open rows."""
    sql, database = big._journal._sql, big._database
    read_all = []
    with database.transaction(write=False) as tx:
        for name in ("due_operations", "due_checks", "waiting_operations", "waiting_checks"):
            text, defaults = database.compiled(getattr(sql, name))
            values = {**defaults, **database.identity, "now_ms": 0, "at": 2**60, "most": 10}
            explain = "EXPLAIN QUERY PLAN" if kind == "SQLite" else "EXPLAIN"
            tx._cursor.execute(f"{explain} {text}", values)
            plan = " ".join(str(row[-1]) for row in tx._cursor.fetchall())
            if not ("_due" in plan or "_check" in plan):
                read_all.append(f"{name}: {plan[:80]}")
    what = f"looks for what is due by an index of open rows alone, {kind}"
    return Row(figure="M-J6", what=what, ours="; ".join(read_all) or "all", target="all", met=not read_all)
