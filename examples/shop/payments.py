"""Payments of an order, try by try: the rows. What a payment means for its order is in `till.py`."""

import secrets
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, cast

from . import clock
from .database import connect, transaction

Method = Literal["card", "card_declined", "bank", "none"]
PaymentState = Literal["started", "waiting", "accepted", "declined", "stopped", "refunded"]
# What a customer chooses from; "none" is for orders that points pay wholly.
METHODS: tuple[Method, ...] = ("card", "card_declined", "bank")

# A try that was begun and never ended (the process died) stops counting after this time.
_STALE = timedelta(minutes=2)


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


def give_back(payment: Payment) -> None:
    """The money goes back: an accepted payment, or one that arrived for an order that was cancelled."""
    _move(payment, "refunded", from_states=("accepted", "stopped"))


def accepted_minor(order_reference: str) -> int:
    """The money that is there, in cents."""
    return sum(payment.amount_minor or 0 for payment in history(order_reference) if payment.state == "accepted")


def newest(order_reference: str) -> Payment | None:
    return next(iter(reversed(history(order_reference))), None)


def history(order_reference: str) -> tuple[Payment, ...]:
    """Every try, oldest first."""
    rows = connect().execute("SELECT * FROM payments WHERE order_reference = ? ORDER BY number", (order_reference,))
    return tuple(map(_payment, rows.fetchall()))


def by_token(token: str) -> Payment | None:
    row = connect().execute("SELECT * FROM payments WHERE token = ?", (token,)).fetchone()
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
        method=cast(Method, row["method"]),
        state=cast(PaymentState, row["state"]),
        amount_minor=row["amount_minor"],
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
    )
