"""A journal with a long past: copies of one finished order, made by the database itself."""

from __future__ import annotations

import psycopg
from sqlalchemy import Table

from punktgenau.checkout import Checkout
from punktgenau.checkout.schema import link, operation, redemption, tender

MEMBERS = 100_000
NUMBERED = {"id": "i", "redemption_id": "i", "key": "k", "order_reference": "o", "provider_id": "p"}


def fill_sqlite(checkout: Checkout, count: int) -> None:
    """So many orders, captured and done with."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
    with checkout._database.transaction() as tx:
        for table in (redemption, tender, operation):
            tx._cursor.execute(_insert(table, f"{numbers} SELECT", "CROSS JOIN n"))
    with checkout._database.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")


def fill_postgres(checkout: Checkout, count: int) -> None:
    """So many orders, captured and done with."""
    with checkout._database.transaction() as tx:
        # A statement of the journal's own may take fifteen seconds.
        tx._cursor.execute("SET LOCAL statement_timeout = 0")
        for table in (redemption, tender, operation):
            tx._cursor.execute(_insert(table, "SELECT", f"CROSS JOIN generate_series(1, {count}) AS n(i)"))
    address = checkout._database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        # As the server itself does, sooner or later.
        connection.execute("VACUUM ANALYZE")


def fill_links(checkout: Checkout, count: int) -> None:
    """So many linked customers besides, each with a balance that was seen just now, on PostgreSQL."""
    with checkout._database.transaction() as tx:
        tx._cursor.execute(_insert(link, "SELECT", f"CROSS JOIN generate_series(1, {count}) AS n(i)"))


def _insert(table: Table, select: str, numbered: str) -> str:
    columns = ", ".join(column.name for column in table.columns)
    values = ", ".join(_value(table, column.name) for column in table.columns)
    first = f"(SELECT * FROM {table.name} {_only_done(table)} LIMIT 1) AS one"
    # SQLite wants the WITH before the INSERT's SELECT, PostgreSQL does not mind.
    return f"INSERT INTO {table.name} ({columns}) {select} {values} FROM {first} {numbered}"


def _only_done(table: Table) -> str:
    return "WHERE kind = 'capture'" if table is operation else ""


def _value(table: Table, name: str) -> str:
    if name in ("live_key", "open_key", "next_at", "check_at"):
        return "NULL"
    if name in ("customer_id", "member_id"):
        return f"'past-' || (n.i % {MEMBERS})"
    if table is redemption and name == "state":
        return "'reversed'"
    if name in NUMBERED:
        return f"'{NUMBERED[name]}-' || n.i"
    return f"one.{name}"
