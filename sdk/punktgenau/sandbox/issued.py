"""Points that a partner gave out and that were redeemed anywhere: a list of its own, month by month."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Literal

from .arithmetic import share_minor
from .database import Work
from .replies_issued import IssuedLine
from .replies_statements import StatementAmount, StatementTotals

IssuedKind = Literal["redeemed", "given_back"]
COLUMNS = tuple(IssuedLine.model_fields)
_LINES = (
    "SELECT issued_line.*, accrual.accrual_reference, accrual.order_reference, partner.display_name AS redeemed_at"
    " FROM issued_line LEFT JOIN accrual ON accrual.id = accrual_id LEFT JOIN partner ON partner.id = redeemed_with"
)
_ISSUER = (
    "accrual.id AS accrual_id, coalesce(accrual.partner_id, lot_issuer.partner_id) AS issuer FROM lot"
    " LEFT JOIN accrual ON accrual.lot_id = lot.id LEFT JOIN lot_issuer ON lot_issuer.lot_id = lot.id"
)
_OF_MONTH = "issued_line.partner_id = ? AND issued_line.mode = ? AND issued_line.period = ?"


def name_issuer(work: Work, *, lot_id: int, partner_id: str) -> None:
    """Say that a partner gave out a lot of which no accrual says so: for which order is not known."""
    work.run("INSERT INTO lot_issuer VALUES (?, ?)", lot_id, partner_id)


def redeemed(work: Work, red: sqlite3.Row, *, points: int, amount_minor: int) -> None:
    """Book from which lots a capture of so many points, worth so much, was paid: lot by lot as they were drawn."""
    taken = 0
    for draw in _draws(work, red):
        share = draw["captured_points"] - _booked(work, red, draw["lot_id"], "redeemed")[0]
        if not share:
            continue
        before = share_minor(part_points=taken, whole_points=points, whole_minor=amount_minor)
        taken += share
        after = share_minor(part_points=taken, whole_points=points, whole_minor=amount_minor)
        _add(work, red, draw, "redeemed", points=share, amount_minor=after - before)


def given_back(work: Work, red: sqlite3.Row) -> None:
    """Book to which lots a reversal has brought points back; all of a lot takes with it all that was booked of it."""
    for draw in reversed(_draws(work, red)):
        back_points, back_minor = _booked(work, red, draw["lot_id"], "given_back")
        share = draw["reversed_points"] + back_points
        if not share:
            continue
        whole_points, whole_minor = _booked(work, red, draw["lot_id"], "redeemed")
        due = share_minor(part_points=draw["reversed_points"], whole_points=whole_points, whole_minor=whole_minor)
        _add(work, red, draw, "given_back", points=-share, amount_minor=-max(0, due + back_minor))


def spent(work: Work, shares: Sequence[tuple[int, int]], *, amount_minor: int, currency: str) -> None:
    """Book points of these lots, (lot id, points), that became a voucher or money: redeemed, and at no partner."""
    whole, taken = sum(points for _, points in shares), 0
    for lot_id, points in shares:
        before = share_minor(part_points=taken, whole_points=whole, whole_minor=amount_minor)
        taken += points
        after = share_minor(part_points=taken, whole_points=whole, whole_minor=amount_minor)
        lot = work.one(f"SELECT lot.id AS lot_id, {_ISSUER} WHERE lot.id = ?", lot_id)
        if lot is not None:
            _add(work, None, lot, "redeemed", points=points, amount_minor=after - before, currency=currency)


def count(work: Work, *, period: str, partner_id: str) -> int:
    """How many lines a month has so far; they are numbered without a gap."""
    return work.number(f"SELECT max(sequence) FROM issued_line WHERE {_OF_MONTH}", partner_id, work.mode, period)


def lines(work: Work, *, period: str, partner_id: str, after: int, limit: int) -> list[IssuedLine]:
    """The lines of a month after this sequence, oldest first."""
    rows = work.all(
        f"{_LINES} WHERE {_OF_MONTH} AND issued_line.sequence > ? ORDER BY issued_line.sequence LIMIT ?",
        partner_id, work.mode, period, after, limit,
    )  # fmt: skip
    return [IssuedLine.model_validate({name: row[name] for name in COLUMNS}) for row in rows]


def totals(work: Work, *, period: str, partner_id: str) -> StatementTotals:
    """All lines of a month together."""
    sums = work.all(
        "SELECT currency, count(*) AS lines, sum(points) AS points, sum(amount_minor) AS amount_minor"
        f" FROM issued_line WHERE {_OF_MONTH} GROUP BY currency ORDER BY currency",
        partner_id, work.mode, period,
    )  # fmt: skip
    return StatementTotals(
        lines=sum(row["lines"] for row in sums),
        points=sum(row["points"] for row in sums),
        amounts=[StatementAmount.model_validate(dict(row)) for row in sums],
    )


def _draws(work: Work, red: sqlite3.Row) -> list[sqlite3.Row]:
    """From which lots a redemption draws, in that order, each with who gave the lot out; NULL: the programme itself."""
    return work.all(
        f"SELECT draw.*, {_ISSUER} JOIN draw ON draw.lot_id = lot.id WHERE redemption_id = ? ORDER BY position",
        red["id"],
    )


def _booked(work: Work, red: sqlite3.Row, lot_id: int, kind: IssuedKind) -> tuple[int, int]:
    """Points and amount that are booked of a redemption's lot so far, as they were booked."""
    row = work.one(
        "SELECT coalesce(sum(points), 0), coalesce(sum(amount_minor), 0) FROM issued_line"
        " WHERE redemption_id = ? AND lot_id = ? AND kind = ?",
        red["id"], lot_id, kind,
    )  # fmt: skip
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def _add(
    work: Work,
    red: sqlite3.Row | None,
    lot: sqlite3.Row,
    kind: IssuedKind,
    *,
    points: int,
    amount_minor: int,
    currency: str | None = None,
) -> None:
    """Add a line to the issuer's present month, with how much of the accrual was redeemed before it."""
    number, line_id = work.next_id("iss", digits=8)
    period, issuer, accrual_id = work.at[:7], lot["issuer"], lot["accrual_id"]
    sequence = None if issuer is None else 1 + count(work, period=period, partner_id=issuer)
    before = "SELECT sum(points) FROM issued_line WHERE accrual_id = ?"
    redemption_id, partner_id = (None, None) if red is None else (red["id"], red["partner_id"])
    work.run(
        "INSERT INTO issued_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        number, line_id, issuer, work.mode, period, sequence, kind, work.at, points, amount_minor,
        currency if red is None else red["currency"], redemption_id, lot["lot_id"], accrual_id,
        None if accrual_id is None else work.number(before, accrual_id), partner_id,
    )  # fmt: skip
