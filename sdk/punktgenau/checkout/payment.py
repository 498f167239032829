"""The shop's view of an order's redemption."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from punktgenau.checkout.vouchers import CartVoucher, worth_minor
from punktgenau.errors import OutcomeUnknownError
from punktgenau.money import Money

PaymentState = Literal[
    "none",
    "authorizing",
    "authorized",
    "partially_captured",
    "capturing",
    "captured",
    "voiding",
    "voided",
    "reversing",
    "partially_reversed",
    "reversed",
    "expired",
    "declined",
    "cancelled",
    "abandoning",
    "abandoned",
    "short",
    "needs_attention",
]
"""A redemption's states, plus what only the shop's side knows: an open operation, a shortfall, a person needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What points pay of one order: `points` and their `value`, the order's `total`, and until when they are held.

    `points` and `value` are what the points pay now: 0 once they are given back or were never taken.
    `due` is frozen when the order is placed: returns leave it as it is, and `amend` says it anew. Once the points go
    back because the order is cancelled or goes on without them, it is all of `total`. What the shop has written off is
    no part of it. `total` is what other tenders leave: once vouchers stand for nothing any more, their part is in it.
    """

    state: PaymentState
    order_reference: str
    points: int
    value: Money
    total: Money
    due_minor: int
    attempt: int = 0
    hold_until: datetime | None = None
    reason: str = ""
    idempotency_key: str | None = None
    returned_minor: int = 0
    is_unknown: bool = False
    """Nobody knows yet whether the points are held."""
    returned_points: int = 0
    """How many of the captured points came back, by returns or because the order was cancelled."""
    needs_points: bool = False
    """Whether it was placed with articles that must be paid with points, so that it cannot go on without."""
    agreed_points: int = 0
    """How many points pay of `total` by what was agreed last, whatever came back of the goods since."""
    vouchers: tuple[CartVoucher, ...] = ()
    """What vouchers pay of the order now, before `total`; none once they are given back or were never taken."""
    agreed_vouchers: tuple[CartVoucher, ...] = ()
    """The same by what was agreed, whatever came back of the goods since."""
    asked_vouchers: tuple[CartVoucher, ...] = ()
    """The vouchers that it was placed with, whatever became of them."""
    customer_id: str = field(default="", repr=False, compare=False)
    """Whose points; empty where none were asked for."""

    @property
    def vouchers_value(self) -> Money:
        """What `vouchers` pay together."""
        return Money(amount_minor=worth_minor(self.vouchers), currency=self.total.currency)

    @property
    def returned_value(self) -> Money:
        """What those were worth."""
        return Money(amount_minor=self.returned_minor, currency=self.total.currency)

    @property
    def agreed_value(self) -> Money:
        """What those are worth: `total` without `due`."""
        return Money(amount_minor=self.total.amount_minor - self.due_minor, currency=self.total.currency)

    @property
    def due(self) -> Money:
        """What the shop still has to charge.

        Raises OutcomeUnknownError while it is not known whether the points are held: never charge on a guess.
        """
        if self.is_unknown:
            raise OutcomeUnknownError(
                f"The points for order {self.order_reference} are not confirmed yet. Try the same call again, or go on "
                "without points (points=0).",
                idempotency_key=self.idempotency_key,
            )
        return Money(amount_minor=self.due_minor, currency=self.total.currency)

    @property
    def settled(self) -> bool:
        """Whether nothing is under way any more."""
        return self.state not in {"authorizing", "capturing", "voiding", "reversing", "abandoning", "short"}
