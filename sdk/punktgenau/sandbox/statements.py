"""What the provider takes and gives back, line by line and month by month, as it will be settled with the partner."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel

from . import programme, redemptions
from .database import Work
from .problems import Refusal
from .replies_statements import StatementAmount, StatementLine, StatementTotals

LineKind = Literal[
    "capture", "reversal", "accrual", "accrual_reversal", "voucher", "voucher_reversal", "correction",
]  # fmt: skip
COLUMNS = tuple(StatementLine.model_fields)


def book(
    work: Work,
    red: sqlite3.Row,
    kind: LineKind,
    *,
    points: int,
    amount_minor: int,
    capture_reference: str | None = None,
    return_reference: str | None = None,
    corrects: str | None = None,
    reason: str = "",
    voucher_id: str | None = None,
) -> str:
    """Add a line to the present month; what goes to the member is negative. Returns its id."""
    return _add(
        work, red, kind, points=points, amount_minor=amount_minor, key=redemptions.key_of(red), redemption_id=red["id"],
        capture_reference=capture_reference, return_reference=return_reference, corrects=corrects, reason=reason,
        voucher_id=voucher_id,
    )  # fmt: skip


def book_accrual(work: Work, row: sqlite3.Row, *, points: int, amount_minor: int) -> str:
    """Add the line of points that were posted: the partner is charged. Returns its id."""
    return _add(
        work, row, "accrual", points=-points, amount_minor=-amount_minor, key=row["idempotency_key"],
        accrual_id=row["id"], reason=row["reason"],
    )  # fmt: skip


def book_claw_back(
    work: Work, row: sqlite3.Row, *, points: int, amount_minor: int, return_reference: str, reason: str
) -> str:
    """Add the line of posted points that were taken back: the partner gets back what it was charged. Returns its id."""
    return _add(
        work, row, "accrual_reversal", points=points, amount_minor=amount_minor, key=row["idempotency_key"],
        accrual_id=row["id"], return_reference=return_reference, reason=reason,
    )  # fmt: skip


def _add(
    work: Work,
    about: sqlite3.Row,
    kind: LineKind,
    *,
    points: int,
    amount_minor: int,
    key: str,
    redemption_id: str | None = None,
    accrual_id: str | None = None,
    capture_reference: str | None = None,
    return_reference: str | None = None,
    corrects: str | None = None,
    reason: str = "",
    voucher_id: str | None = None,
) -> str:
    number, line_id = work.next_id("stl", digits=8)
    period = work.at[:7]
    sequence = 1 + count(work, period=period, partner_id=about["partner_id"])
    work.run(
        "INSERT INTO statement_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        number, line_id, about["partner_id"], work.mode, period, sequence, kind, work.at, points, amount_minor,
        about["currency"], redemption_id, accrual_id, key, about["order_reference"], capture_reference,
        return_reference, corrects, reason or f"Order {about['order_reference']}", voucher_id,
    )  # fmt: skip
    return line_id


def book_again(
    work: Work, line_id: str, kind: LineKind, *, points: int, amount_minor: int, reason: str
) -> StatementLine:
    """Add a line that the ledger knows nothing of, about what another line is about: for trying what a partner does.

    Raises Refusal not_found.
    """
    line = work.one("SELECT * FROM statement_line WHERE id = ?", line_id)
    red = None if line is None else redemptions.find(work, str(line["redemption_id"]))
    if line is None or red is None:
        raise Refusal("not_found", "There is no such line.", field="line_id")
    added = book(
        work, red, kind, points=points, amount_minor=amount_minor, capture_reference=line["capture_reference"],
        return_reference=line["return_reference"], corrects=line_id if kind == "correction" else None, reason=reason,
        voucher_id=line["voucher_id"],
    )  # fmt: skip
    return _line(work.all("SELECT * FROM statement_line WHERE id = ?", added)[0])


def count(work: Work, *, period: str, partner_id: str) -> int:
    """How many lines a month has so far; they are numbered without a gap."""
    return work.number(
        "SELECT max(sequence) FROM statement_line WHERE partner_id = ? AND mode = ? AND period = ?",
        partner_id, work.mode, period,
    )  # fmt: skip


def lines(work: Work, *, period: str, partner_id: str, after: int, limit: int) -> list[StatementLine]:
    """The lines of a month after this sequence, oldest first."""
    rows = work.all(
        "SELECT * FROM statement_line WHERE partner_id = ? AND mode = ? AND period = ? AND sequence > ?"
        " ORDER BY sequence LIMIT ?",
        partner_id, work.mode, period, after, limit,
    )  # fmt: skip
    return [_line(row) for row in rows]


def totals(work: Work, *, period: str, partner_id: str) -> StatementTotals:
    """All lines of a month together."""
    sums = work.all(
        "SELECT currency, count(*) AS lines, sum(points) AS points, sum(amount_minor) AS amount_minor"
        " FROM statement_line WHERE partner_id = ? AND mode = ? AND period = ? GROUP BY currency ORDER BY currency",
        partner_id, work.mode, period,
    )  # fmt: skip
    return StatementTotals(
        lines=sum(row["lines"] for row in sums),
        points=sum(row["points"] for row in sums),
        amounts=[
            StatementAmount(
                lines=row["lines"], points=row["points"], amount_minor=row["amount_minor"], currency=row["currency"]
            )
            for row in sums
        ],
    )


def is_closed(work: Work, period: str) -> bool:
    """Whether the month is over: no line is added to it any more."""
    return period < work.at[:7]


def written_out(pages: Iterable[Sequence[BaseModel]], columns: Sequence[str] = COLUMNS) -> Iterator[str]:
    """CSV (RFC 4180): a head, then the lines of every page."""
    yield _rows([list(columns)])
    for page in pages:
        yield _rows([[_cell(value) for value in line.model_dump().values()] for line in page])


def total_rows(
    work: Work, sums_of: StatementTotals, *, period: str, partner_id: str, columns: Sequence[str] = COLUMNS
) -> str:
    """The last rows of a CSV: one of the kind `total` per currency, whose sequence is the number of lines."""
    sums = sums_of.amounts or [
        StatementAmount(lines=0, points=0, amount_minor=0, currency=programme.current_rate(work).currency)
    ]
    blank = dict.fromkeys(columns, "")
    common = {"kind": "total", "at": work.at, "partner_id": partner_id}
    if "reason" in blank:
        common["reason"] = f"Statement {period}"
    rows = [
        blank | common | {
            "sequence": str(one.lines), "points": str(one.points), "amount_minor": str(one.amount_minor),
            "currency": one.currency,
        }
        for one in sums
    ]  # fmt: skip
    return _rows([list(row.values()) for row in rows])


def _line(row: sqlite3.Row) -> StatementLine:
    return StatementLine.model_validate({name: row[name] for name in COLUMNS})


def _cell(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _rows(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
