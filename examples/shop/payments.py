"""Payments of an order, try by try: the rows. What a payment means for its order is in `till.py`."""

import secrets
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, cast

from . import clock
from .database import connect, transaction

Method = Literal["card", "card_declined", "bank", "none", "otherwise"]
PaymentState = Literal["started", "waiting", "accepted", "declined", "stopped", "refunded"]
# What a customer chooses from; "none" is for orders that points pay wholly, "otherwise" what came past this shop.
METHODS: tuple[Method, ...] = ("card", "card_declined", "bank")

# A try that was begun and never ended (the process died) stops counting after this time.
_STALE = timedelta(minutes=2)

# Before `money_back` was kept, everything went back at once.
_ROWS = (
    "SELECT payments.*, CASE state WHEN 'refunded' THEN coalesce((SELECT amount_minor FROM money_back"
    " WHERE order_reference = payments.order_reference AND number = payments.number), amount_minor, 0) ELSE 0 END"
    " AS back_minor, EXISTS (SELECT 1 FROM paid_otherwise WHERE order_reference = payments.order_reference"
    " AND number = payments.number) AS is_otherwise FROM payments"
)


@dataclass(frozen=True, kw_only=True)
class Payment:
    order_reference: str
    number: int
    token: str
    method: Method
    state: PaymentState
    amount_minor: int | None
    started_at: datetime
    ended_at: datetime | None
    back_minor: int = 0
    """What of it went back with the cancellation, in cents."""

    @property
    def is_live(self) -> bool:
        """Nothing else may be charged while this one is under way or accepted."""
        if self.state == "started":
            return clock.now() - self.started_at < _STALE
        return self.state in ("waiting", "accepted")


def begin(order_reference: str, *, number: int, method: Method, is_further: bool = False) -> Payment | None:
    """Claim one try. None: somebody else has it, or another payment of this order is live.

    `is_further`: besides what was accepted already.
    """
    with transaction() as connection:
        latest = newest(order_reference)
        is_live = latest is not None and latest.is_live and not (is_further and latest.state == "accepted")
        if latest and (is_live or latest.number >= number):
            return None
        if latest and latest.state == "started":
            finish(latest, "stopped")
        connection.execute(
            "INSERT INTO payments (order_reference, number, token, method, state, started_at)"
            " VALUES (?, ?, ?, ?, 'started', ?)",
            (order_reference, number, secrets.token_urlsafe(16), method, clock.now().isoformat()),
        )
    return newest(order_reference)


def need_no_money(payment: Payment) -> Payment:
    """Points pay everything: whatever was chosen, no money is asked for."""
    connect().execute(
        "UPDATE payments SET method = 'none' WHERE order_reference = ? AND number = ? AND state = 'started'",
        (payment.order_reference, payment.number),
    )
    return replace(payment, method="none")


def ask_bank(payment: Payment, *, amount_minor: int) -> None:
    _move(payment, "waiting", from_states=("started",), amount_minor=amount_minor)


def finish(payment: Payment, state: PaymentState, *, amount_minor: int | None = None) -> bool:
    """End a payment that is under way. False: it had ended already."""
    return _move(payment, state, from_states=("started", "waiting"), amount_minor=amount_minor)


def came_otherwise(order_reference: str, *, amount_minor: int) -> None:
    """Money that came past this shop, once per order. Part of the caller's transaction."""
    (number,) = connect().execute(
        "SELECT coalesce(max(number), 0) + 1 FROM payments WHERE order_reference = ?", (order_reference,)
    ).fetchone()  # fmt: skip
    now = clock.now().isoformat()
    connect().execute(
        "INSERT INTO payments VALUES (?, ?, ?, 'bank', 'accepted', ?, ?, ?)",
        (order_reference, number, secrets.token_urlsafe(16), amount_minor, now, now),
    )
    connect().execute("INSERT INTO paid_otherwise VALUES (?, ?)", (order_reference, number))


def give_back(payment: Payment, *, amount_minor: int) -> None:
    """The money goes back: an accepted payment, or one that arrived for an order that was cancelled.

    `amount_minor`: what earlier changes and returns have left of it, in cents. Part of the caller's transaction.
    """
    if _move(payment, "refunded", from_states=("accepted", "stopped")):
        connect().execute(
            "INSERT INTO money_back VALUES (?, ?, ?)", (payment.order_reference, payment.number, amount_minor)
        )


def accepted_minor(order_reference: str) -> int:
    """The money that came, less what went back with the cancellation, in cents; changes and returns are not in it."""
    came = (one for one in history(order_reference) if one.state in ("accepted", "refunded"))
    return sum((one.amount_minor or 0) - one.back_minor for one in came)


def newest(order_reference: str) -> Payment | None:
    return next(iter(reversed(history(order_reference))), None)


def history(order_reference: str) -> tuple[Payment, ...]:
    """Every try, oldest first."""
    rows = connect().execute(f"{_ROWS} WHERE order_reference = ? ORDER BY number", (order_reference,))
    return tuple(map(_payment, rows.fetchall()))


def by_token(token: str) -> Payment | None:
    row = connect().execute(f"{_ROWS} WHERE token = ?", (token,)).fetchone()
    return _payment(row) if row else None


def _move(
    payment: Payment, state: PaymentState, *, from_states: tuple[PaymentState, ...], amount_minor: int | None = None
) -> bool:
    ended_at = None if state == "waiting" else clock.now().isoformat()
    marks = ", ".join("?" for _ in from_states)
    changed = connect().execute(
        "UPDATE payments SET state = ?, ended_at = ?, amount_minor = coalesce(?, amount_minor)"
        f" WHERE order_reference = ? AND number = ? AND state IN ({marks})",
        (state, ended_at, amount_minor, payment.order_reference, payment.number, *from_states),
    )
    return changed.rowcount == 1


def _payment(row: sqlite3.Row) -> Payment:
    return Payment(
        order_reference=row["order_reference"],
        number=row["number"],
        token=row["token"],
        method="otherwise" if row["is_otherwise"] else cast(Method, row["method"]),
        state=cast(PaymentState, row["state"]),
        amount_minor=row["amount_minor"],
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
        back_minor=row["back_minor"],
    )
