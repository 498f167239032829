"""What the database itself refuses a second time, whatever two processes believe; and nothing besides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy

from _desk import Desk
from punktgenau.checkout.database import DuplicateError

UNIQUE = [
    # The authorize's key, the order's one live attempt, and the attempt's number.
    ("redemption", ("key",)),
    ("redemption", ("live_key",)),
    ("redemption", ("provider", "partner", "mode", "order_reference", "attempt")),
    # An operation's key, the one that is open, and each wish of a kind and cause once.
    ("operation", ("key",)),
    ("operation", ("open_key",)),
    ("operation", ("redemption_id", "kind", "cause")),
    ("return", ("operation_id",)),
    ("return", ("redemption_id", "number")),
    ("return", ("redemption_id", "reference")),
    ("shipment", ("operation_id",)),
    ("shipment", ("redemption_id", "reference")),
    # What an order earns once for each kind and number, and each step towards it.
    ("earning", ("provider", "partner", "mode", "order_reference", "kind", "number")),
    ("earning_step", ("earning_id", "kind", "cause")),
]
EMPTY = [
    ("redemption", "live_key"),
    ("operation", "open_key"),
    ("return", "operation_id"),
    ("shipment", "operation_id"),
]


class Tables:
    """Rows of the tables as the migrations make them, whatever they mean."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def row(self, table: str, number: int) -> dict[str, str | int | None]:
        with self._desk.database.engine.connect() as connection:
            columns = connection.exec_driver_sql(f"PRAGMA table_info(punktgenau_{table})").all()
        assert columns
        return {
            column.name: f"{column.name}-{number}" if column.type.startswith(("VARCHAR", "TEXT")) else number
            for column in columns
        }

    def add(self, table: str, row: dict[str, str | int | None]) -> None:
        marks = ", ".join(f":{name}" for name in row)
        statement = sqlalchemy.text(f"INSERT INTO punktgenau_{table} ({', '.join(row)}) VALUES ({marks})")
        with self._desk.database.transaction() as tx:
            tx.run(statement, row)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    desk = Desk(tmp_path / "journal.sqlite")
    with closing(desk.database):
        tables = Tables(desk)
        for number in range(1, 8):
            # What the others refer to.
            known = {"redemption_id": f"redemption_id-{number}"}
            tables.add("redemption", tables.row("redemption", 100 + number) | {"id": known["redemption_id"]})
            tables.add("operation", tables.row("operation", 100 + number) | known | {"id": f"operation_id-{number}"})
            tables.add("earning", tables.row("earning", 100 + number) | {"id": f"earning_id-{number}"})
        yield tables


@pytest.mark.parametrize(("table", "columns"), UNIQUE)
def test_twice_is_refused(tables: Tables, table: str, columns: tuple[str, ...]):
    first = tables.row(table, 1)
    tables.add(table, first)
    with pytest.raises(DuplicateError) as refused:
        tables.add(table, tables.row(table, 2) | {name: first[name] for name in columns})
    assert "UNIQUE" in str(refused.value.__cause__)
    for number, different in enumerate(columns if len(columns) > 1 else (), start=3):
        tables.add(table, tables.row(table, number) | {name: first[name] for name in columns if name != different})


@pytest.mark.parametrize(("table", "column"), EMPTY)
def test_what_is_not_there_is_not_there_twice(tables: Tables, table: str, column: str):
    for number in (1, 2):
        tables.add(table, tables.row(table, number) | {column: None})
