"""Returns and their lines: the rows. What a return means for points and money is in `return_desk.py`."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from punktgenau.checkout import Refund, VoucherBack
from punktgenau.checkout.refund import NewPointsState, RefundState

from . import clock
from .database import connect, transaction
from .orders import Order, OrderLine

ReturnState = Literal["asked", "confirming", "confirmed", "refused"]
REASONS = ("not_liked", "wrong", "damaged", "late")
RETURN_WITHIN = timedelta(days=30)
OFFICE = "office"
"""The reason of a return that was taken in at the points' own back office, and how its draft begins."""


@dataclass(frozen=True, kw_only=True)
class Return:
    """`points` and `money_minor` are what went back; None until it is confirmed. `known_as`: to the points engine."""

    reference: str
    order_reference: str
    state: ReturnState
    reason: str
    lines: Mapping[str, int]
    shipping_minor: int
    asked_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    points: int | None
    value_minor: int | None
    money_minor: int | None
    known_as: str
    points_state: RefundState = "done"
    """What became of its points; this and what follows as `return_desk` tells it."""
    expired: int = 0
    """How many of `points` came back expired."""
    expired_minor: int = 0
    """What of `money_minor` is for those."""
    new_points: int = 0
    """What is given anew for those."""
    new_points_state: NewPointsState = "none"
    due_minor: int = 0
    """What of `money_minor` is still to be paid."""
    vouchers: tuple[VoucherBack, ...] = ()
    """What went back onto which vouchers."""

    @property
    def is_open(self) -> bool:
        """Whether a clerk still has to decide."""
        return self.state in ("asked", "confirming")


class NothingLeftError(Exception):
    """More units than are left of a line, or none at all; nothing was written."""


class TooLateError(Exception):
    """The thirty days have passed, or there is nothing that could come back; nothing was written."""


def left(order: Order) -> dict[str, int]:
    """How many units of each line may still come back; vouchers may not."""
    gone: Counter[str] = Counter()
    for one in of_order(order.reference):
        if one.state != "refused":
            gone.update(one.lines)
    return {line.sku: line.quantity - gone[line.sku] for line in order.lines if _may_come_back(line)}


def kept(order: Order) -> dict[str, int]:
    """How many units of each line have not come back for certain."""
    gone: Counter[str] = Counter()
    for one in of_order(order.reference):
        if one.state == "confirmed":
            gone.update(one.lines)
    return {line.sku: line.quantity - gone[line.sku] for line in order.lines}


def can_ask(order: Order) -> bool:
    """Within thirty days of the parcel, while something is left."""
    in_time = order.shipped_at is not None and clock.now() - order.shipped_at < RETURN_WITHIN
    return order.state == "paid" and in_time and any(left(order).values())


def shipping_minor(order: Order, lines: Mapping[str, int]) -> int:
    """The shipping goes back with the last of the order's things, in cents."""
    rest = left(order)
    comes_all = len(rest) == len(order.lines) and all(count == lines.get(sku, 0) for sku, count in rest.items())
    return order.sums.shipping_minor if comes_all else 0


def ask(order: Order, lines: Mapping[str, int], *, reason: str, draft: str) -> Return:
    """Write the wish down; the same draft again gives the one that is there. Raises NothingLeftError, TooLateError."""
    with transaction() as connection:
        mine = "SELECT * FROM returns WHERE order_reference = ? AND draft = ?"
        existing = connection.execute(mine, (order.reference, draft)).fetchone()
        if existing:
            return _return(existing)
        if not can_ask(order):
            raise TooLateError(order.reference)
        rest = left(order)
        if not lines or any(not 0 < count <= rest.get(sku, 0) for sku, count in lines.items()):
            raise NothingLeftError(order.reference)
        reference = _next_reference(order.reference)
        connection.execute(
            "INSERT INTO returns (reference, order_reference, draft, state, reason, shipping_minor, asked_at)"
            " VALUES (?, ?, ?, 'asked', ?, ?, ?)",
            (reference, order.reference, draft, reason, shipping_minor(order, lines), clock.now().isoformat()),
        )
        _add_lines(reference, lines)
        return _found(reference)


def write_down(order_reference: str, refund: Refund) -> None:
    """Note a return that somebody took in elsewhere, at the points' back office; once."""
    draft = f"{OFFICE}:{refund.return_reference}"
    with transaction() as connection:
        mine = "SELECT 1 FROM returns WHERE order_reference = ? AND (draft = ? OR reference = ?)"
        if connection.execute(mine, (order_reference, draft, refund.return_reference)).fetchone():
            return
        reference, at = _next_reference(order_reference), refund.asked_at.isoformat()
        connection.execute(
            "INSERT INTO returns (reference, order_reference, draft, state, reason, shipping_minor, asked_at,"
            " decided_at, decided_by) VALUES (?, ?, ?, 'confirmed', ?, ?, ?, ?, ?)",
            (reference, order_reference, draft, OFFICE, refund.shipping.amount_minor, at, at, refund.actor),
        )
        _add_lines(reference, refund.lines)


def find(reference: str) -> Return | None:
    row = connect().execute("SELECT * FROM returns WHERE reference = ?", (reference,)).fetchone()
    return _return(row) if row else None


def of_order(order_reference: str) -> tuple[Return, ...]:
    """Every return of an order, oldest first."""
    rows = connect().execute(
        "SELECT * FROM returns WHERE order_reference = ? ORDER BY asked_at, rowid", (order_reference,)
    )
    return tuple(map(_return, rows.fetchall()))


def count_open() -> int:
    (count,) = connect().execute("SELECT count(*) FROM returns WHERE state IN ('asked', 'confirming')").fetchone()
    return int(count)


def begin_confirming(reference: str) -> bool:
    """From here on nobody can refuse it any more; True as often as it is asked before the end."""
    return _move(reference, "confirming", from_states=("asked", "confirming"))


def stop_confirming(reference: str) -> None:
    """Nothing was given back after all, so it is open again."""
    _move(reference, "asked", from_states=("confirming",))


def finish(reference: str, *, by: str, points: int, value_minor: int, money_minor: int, money_reference: str) -> None:
    """It is confirmed, and this went back: so it stands, whatever another clerk has made of it meanwhile."""
    connect().execute(
        "UPDATE returns SET state = 'confirmed', decided_at = ?, decided_by = ?, points = ?, value_minor = ?,"
        " money_minor = ?, money_reference = ? WHERE reference = ? AND state != 'confirmed'",
        (clock.now().isoformat(), by, points, value_minor, money_minor, money_reference, reference),
    )


def refuse(reference: str, *, by: str) -> bool:
    """False: somebody has decided already."""
    changed = connect().execute(
        "UPDATE returns SET state = 'refused', decided_at = ?, decided_by = ? WHERE reference = ? AND state = 'asked'",
        (clock.now().isoformat(), by, reference),
    )
    return changed.rowcount == 1


def _next_reference(order_reference: str) -> str:
    (number,) = (
        connect().execute("SELECT count(*) + 1 FROM returns WHERE order_reference = ?", (order_reference,)).fetchone()
    )
    return f"{order_reference}-R{number}"


def _add_lines(reference: str, lines: Mapping[str, int]) -> None:
    connect().executemany(
        "INSERT INTO return_lines VALUES (?, ?, ?)", [(reference, sku, count) for sku, count in lines.items()]
    )


def _may_come_back(line: OrderLine) -> bool:
    return line.article is None or not line.article.by_mail


def _move(reference: str, state: ReturnState, *, from_states: tuple[ReturnState, ...]) -> bool:
    marks = ", ".join("?" for _ in from_states)
    changed = connect().execute(
        f"UPDATE returns SET state = ? WHERE reference = ? AND state IN ({marks})", (state, reference, *from_states)
    )
    return changed.rowcount == 1


def _found(reference: str) -> Return:
    found = find(reference)
    assert found is not None
    return found


def _return(row: sqlite3.Row) -> Return:
    lines = connect().execute(
        "SELECT sku, quantity FROM return_lines WHERE return_reference = ? ORDER BY rowid", (row["reference"],)
    )
    return Return(
        reference=row["reference"],
        order_reference=row["order_reference"],
        state=cast(ReturnState, row["state"]),
        reason=row["reason"],
        lines={line["sku"]: line["quantity"] for line in lines},
        shipping_minor=row["shipping_minor"],
        asked_at=datetime.fromisoformat(row["asked_at"]),
        decided_at=datetime.fromisoformat(row["decided_at"]) if row["decided_at"] else None,
        decided_by=row["decided_by"],
        points=row["points"],
        value_minor=row["value_minor"],
        money_minor=row["money_minor"],
        known_as=row["draft"].removeprefix(f"{OFFICE}:") if row["reason"] == OFFICE else row["reference"],
    )
