"""Sorting what a report is made of: lines and rows in a temporary SQLite file, however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from punktgenau.checkout.moments import milliseconds, moment
from punktgenau.checkout.tax.record import TaxRow, TaxSum, TaxTotal, Why
from punktgenau.issued_records import IssuedLine

CACHE_KB = 8_192
_LINES = (
    "CREATE TABLE line (number INTEGER PRIMARY KEY, month TEXT, id TEXT, points INTEGER, amount_minor INTEGER,"
    " currency TEXT, order_reference TEXT, accrual_reference TEXT, before INTEGER, UNIQUE (month, id))"
)
_ADD = (
    "INSERT OR IGNORE INTO line (month, id, points, amount_minor, currency, order_reference, accrual_reference, before)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_ROWS = (
    "CREATE TABLE part (order_reference TEXT, why TEXT, placed_at INTEGER, vat_rate TEXT, rate INTEGER, points INTEGER,"
    " worth_minor INTEGER, currency TEXT, basis_minor INTEGER, basis_currency TEXT)"
)
_GROUPED = (
    "SELECT order_reference, why, min(placed_at) AS placed_at, min(vat_rate) AS vat_rate, sum(points) AS points,"
    " sum(worth_minor) AS worth_minor, currency, max(basis_minor) AS basis_minor, basis_currency, rate FROM part"
    " GROUP BY why, order_reference, currency, basis_currency, rate HAVING sum(points) <> 0 OR sum(worth_minor) <> 0"
)
RATE_PARTS = 1_000_000
"""Rates are compared as numbers: '7' and '7.0' are one, and 19 comes after 7."""


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one accrual in one currency: (points, redeemed before or None), oldest first, and their worth."""

    order_reference: str
    accrual_reference: str
    currency: str
    lines: tuple[tuple[int, int | None], ...]
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What of one group belongs to one rate of an order, or to an unknown origin."""

    order_reference: str
    why: Why
    placed_at: datetime | None = None
    vat_rate: str | None = None
    rate: int | None = None
    points: int
    worth_minor: int
    currency: str
    basis_minor: int | None = None
    basis_currency: str | None = None


class TaxSorting:
    """The lines of a report, and the rows that come of them; neither stands in memory as a whole."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "tax.sqlite", isolation_level=None)
        # Nothing here outlives the report, so nothing has to survive a crash.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "locking_mode=EXCLUSIVE"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        self._connection.execute(_LINES)
        self._connection.execute(_ROWS)
        self._connection.execute("BEGIN")
        self._connection.row_factory = sqlite3.Row

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def add(self, line: IssuedLine) -> bool:
        """Keep one line; False: its month has one with this id already."""
        values = (
            f"{line.at.astimezone(UTC):%Y-%m}", line.id, line.points, line.amount_minor, line.currency,
            line.order_reference or "", line.accrual_reference or "", line.redeemed_before,
        )  # fmt: skip
        return self._connection.execute(_ADD, values).rowcount == 1

    def groups(self) -> Iterator[Group]:
        """Every accrual's lines in each currency, in the order of their orders."""
        rows = self._connection.execute(
            "SELECT order_reference, accrual_reference, currency, points, before, amount_minor FROM line"
            " ORDER BY order_reference, accrual_reference, currency, number"
        )
        key: tuple[str, str, str] | None = None
        lines: list[tuple[int, int | None]] = []
        amount_minor = 0
        for row in rows:
            here = (row["order_reference"], row["accrual_reference"], row["currency"])
            if key is not None and (here != key or len(lines) >= 1_000):
                # What no accrual names can be as long as the whole list.
                yield Group(*key, tuple(lines), amount_minor)
                lines, amount_minor = [], 0
            key = here
            lines.append((row["points"], row["before"]))
            amount_minor += row["amount_minor"]
        if key is not None:
            yield Group(*key, tuple(lines), amount_minor)

    def keep(self, parts: Iterable[Part]) -> None:
        """Keep what one group came to."""
        self._connection.executemany(
            "INSERT INTO part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    one.order_reference, one.why, None if one.placed_at is None else milliseconds(one.placed_at),
                    one.vat_rate, one.rate, one.points, one.worth_minor, one.currency, one.basis_minor,
                    one.basis_currency,
                )
                for one in parts
            ),
        )  # fmt: skip

    def rows(self) -> Iterator[TaxRow]:
        """By order and VAT rate; what is of unknown origin comes last."""
        statement = f"{_GROUPED} ORDER BY why <> '', why, order_reference, currency, rate"
        for row in self._connection.execute(statement):
            yield TaxRow(
                order_reference=row["order_reference"],
                why=row["why"],
                placed_at=None if row["placed_at"] is None else moment(row["placed_at"]),
                vat_rate=row["vat_rate"],
                points=row["points"],
                worth_minor=row["worth_minor"],
                currency=row["currency"],
                basis_minor=row["basis_minor"],
                basis_currency=row["basis_currency"],
            )

    def sums(self) -> Iterator[TaxSum]:
        """The same by VAT rate and currency."""
        statement = (
            "SELECT min(vat_rate) AS vat_rate, currency, count(*) AS rows, sum(points) AS points,"
            f" sum(worth_minor) AS worth_minor FROM ({_GROUPED})"
            " GROUP BY rate, currency ORDER BY rate IS NULL, rate, currency"
        )
        for row in self._connection.execute(statement):
            yield TaxSum(**dict(row))

    def totals(self) -> Iterator[TaxTotal]:
        """The lines themselves, by currency."""
        statement = (
            "SELECT currency, count(*) AS lines, sum(points) AS points, sum(amount_minor) AS amount_minor FROM line"
            " GROUP BY currency ORDER BY currency"
        )
        for row in self._connection.execute(statement):
            yield TaxTotal(**dict(row))
