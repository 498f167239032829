"""A journal of any size: what is looked for often is found by an index, and work stays as small as what is due."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy

from _world import CART, World
from punktgenau.checkout import Checkout, events
from punktgenau.checkout.reading import Reader
from punktgenau.checkout.statements import Statements

SEVERAL = (
    "due_operations",
    "due_checks",
    "waiting_operations",
    "waiting_checks",
    "latest",
    "attention",
    "live_of_customer",
    "operation",
    "open_operation",
    "operations",
    "lease_operation",
    "lease_redemption",
    "finish_operation",
    "swap_redemption",
    "link",
)
EVENTS = (events._BY_KEY, events._BY_PROVIDER_ID, events._WAITING, events._TAKE)
BIG = ("punktgenau_redemption", "punktgenau_operation", "punktgenau_event", "punktgenau_link")


@pytest.fixture
def plans(world: World, checkout: Checkout) -> dict[str, str]:
    """How the database would carry out each statement that runs while shops sell, by name."""
    statements: Statements = Reader(checkout._database)._sql
    wanted = {name: getattr(statements, name) for name in SEVERAL} | {f"event {n}": s for n, s in enumerate(EVENTS)}
    engine = sqlalchemy.create_engine(world.database_url)
    found = {}
    with engine.connect() as connection:
        if world.database_url.startswith("postgresql"):
            # The tables are empty here: what matters is whether there is another way than reading all of it.
            connection.exec_driver_sql("SET enable_seqscan = off")
            connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        for name, statement in wanted.items():
            plain = statement.compile(dialect=engine.dialect)
            values = dict.fromkeys(plain.params, 1)
            text = str(plain)
            for parameter in sorted(values, key=len, reverse=True):
                text = text.replace(f"%({parameter})s::BIGINT", "1").replace(f"%({parameter})s::INTEGER", "1")
                text = text.replace(f"%({parameter})s::VARCHAR", "'1'").replace(f"%({parameter})s", "'1'")
                text = text.replace(f":{parameter}", "'1'")
            if engine.dialect.name == "sqlite":
                rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + text.replace("?", "'1'")).fetchall()
                found[name] = "\n".join(str(row[3]) for row in rows)
            else:
                found[name] = "\n".join(str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {text}"))
    engine.dispose()
    return found


@pytest.mark.scenario("D11", "nothing that runs while shops sell reads a whole table: every look is by an index")
def test_every_look_is_by_an_index(world: World, plans: dict[str, str]) -> None:
    assert len(plans) == len(SEVERAL) + len(EVENTS)
    whole = {
        name: line
        for name, plan in plans.items()
        for line in plan.splitlines()
        for table in BIG
        if f"Seq Scan on {table}" in line or (line.startswith(f"SCAN {table}") and "USING" not in line)
    }
    assert whole == {}
    if world.database_url.startswith("postgresql"):
        return
    # Not only by some index: SQLite would take the one of the shop's identity, and read all that the shop has.
    by = {"due_operations": "operation_due", "waiting_operations": "operation_due", "attention": "redemption_attention"}
    by |= {"due_checks": "redemption_check", "waiting_checks": "redemption_check"}
    assert {name: f"punktgenau_{index}" in plans[name] for name, index in by.items()} == dict.fromkeys(by, True), plans


def fill(path: Path, rows: int, *, unknown: int) -> None:
    """A journal with so many more orders, all paid long ago but the last `unknown`, whose authorize got no answer."""
    with sqlite3.connect(path) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(punktgenau_redemption)")]
        fresh = {
            "id": "printf('r%030d', n)",
            "order_reference": "'B-' || n",
            "key": "'key-' || n",
            "live_key": f"CASE WHEN n > {rows - unknown} THEN 'live-' || n END",
            "state": f"CASE WHEN n > {rows - unknown} THEN 'authorizing' ELSE 'reversed' END",
        }
        fresh["check_at"] = f"CASE WHEN n > {rows - unknown} THEN n END"
        names = ", ".join(columns)
        values = ", ".join(fresh.get(name, name) for name in columns)
        series = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) "
        source = "FROM s, (SELECT * FROM punktgenau_redemption WHERE order_reference = 'A-1')"
        connection.execute(f"{series} INSERT INTO punktgenau_redemption ({names}) SELECT {values} {source}")
        columns = [row[1] for row in connection.execute("PRAGMA table_info(punktgenau_operation)")]
        is_open = f"n > {rows - unknown}"
        fresh = {
            "id": "printf('o%030d', n)",
            "redemption_id": "printf('r%030d', n)",
            "key": "'okey-' || n",
            "open_key": f"CASE WHEN {is_open} THEN printf('r%030d', n) END",
            "next_at": f"CASE WHEN {is_open} THEN n END",
            "outcome": f"CASE WHEN {is_open} THEN 'unknown' ELSE 'done' END",
            "lease_until": "0",
        }
        names = ", ".join(columns)
        values = ", ".join(fresh.get(name, name) for name in columns)
        source = "FROM s, (SELECT * FROM punktgenau_operation WHERE kind = 'authorize' LIMIT 1)"
        connection.execute(f"{series} INSERT INTO punktgenau_operation ({names}) SELECT {values} {source}")
    connection.close()


def steps_of(checkout: Checkout, path: Path) -> dict[str, int]:
    """How many hundred steps of SQLite's machine each look takes."""
    counted: dict[str, int] = {}

    def step() -> int:
        counted[now] = counted.get(now, 0) + 1
        return 0

    # The pool hands the same connection out again.
    connection = checkout._database.engine.raw_connection()
    connection.driver_connection.set_progress_handler(step, 100)  # type: ignore[union-attr]
    connection.close()
    journal = checkout._journal
    for now, look in (
        ("claim", lambda: journal.claim_due(lease_s=1)),
        ("latest", lambda: journal.latest("B-7")),
        ("attention", journal.attention),
        ("live", lambda: journal.live_of_customer("anna")),
        ("check", lambda: journal.claim_check(lease_s=1)),
    ):
        counted[now] = 0
        look()
    return counted


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.scenario("D11", "thirty times as many orders and unknowns: each look takes about as many steps as before")
def test_work_does_not_grow_with_the_journal(world: World, checkout: Checkout) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=1)
    path = Path(world.database_url.removeprefix("sqlite:///"))
    fill(path, 300, unknown=30)
    few = steps_of(checkout, path)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM punktgenau_operation WHERE id LIKE 'o0%'")
        connection.execute("DELETE FROM punktgenau_redemption WHERE id LIKE 'r0%'")
    connection.close()
    fill(path, 9000, unknown=900)
    many = steps_of(checkout, path)
    assert set(few) == {"claim", "latest", "attention", "live", "check"}
    assert all(many[name] <= few[name] + 3 for name in few), (few, many)
