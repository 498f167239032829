"""What a paid order stands at: who paid which line of its newest version, and what came back of that."""

from __future__ import annotations

import json

from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.frozen import thaw
from punktgenau.checkout.journal import CLOSED
from punktgenau.checkout.return_journal import Books
from punktgenau.checkout.returned import History, Wanted, with_return
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.errors import RedemptionEndedError, StateConflictError
from punktgenau.money import Rate, Rounding

PSEUDONYM = "erased:"
"""How a customer's name begins that was erased."""
_RETURNABLE = frozenset({"captured", "partially_reversed", "reversing", "capturing", "reversed"})
"""Also where all points are back: what is left of the goods is money then."""


def allocation_of(books: Books, *, with_points: bool = True) -> Allocation:
    """Who pays which line of the order as it is now."""
    row, changed = books.redemption, books.amendment
    points, value_minor = (row.points, row.value_minor) if changed is None else (changed.points, changed.value_minor)
    return thaw(row.cart if changed is None else changed.cart).allocation(
        points=points if with_points else 0,
        value_minor=value_minor if with_points else 0,
        currency=row.currency,
    )


def so_far(books: Books) -> tuple[Allocation, History]:
    """Who paid which line of the order as it is now, and what came back of that."""
    allocation = allocation_of(books)
    first = 1 if books.amendment is None else books.amendment.after_number + 1
    history: History = {}
    for one in books.returns:
        if one.number >= first:
            history = with_return(allocation, history, Wanted(**json.loads(one.wanted)))
    return allocation, history


def rate_of(row: RedemptionRow) -> Rate:
    """What a point was worth when the order was placed."""
    rounding: Rounding = "up" if row.rate_rounding == "up" else "half_up" if row.rate_rounding == "half_up" else "down"
    return Rate(
        id=row.rate_id,
        points=row.rate_points,
        amount_minor=row.rate_amount_minor,
        currency=row.currency,
        rounding=rounding,
    )


def check_returnable(row: RedemptionRow) -> None:
    """Raises StateConflictError and RedemptionEndedError where nothing of an order can come back (any more)."""
    if row.release_cause is not None:
        raise RedemptionEndedError(
            f"Order {row.order_reference} was cancelled ({row.release_cause}); all of its points go back by that. "
            "Nothing else was booked.",
        )
    if row.customer_id.startswith(PSEUDONYM):
        raise StateConflictError(
            f"Whose points paid order {row.order_reference} was erased, so they can go back to nobody. Nothing was "
            "booked; pay money back.",
        )
    if row.state in _RETURNABLE:
        return
    if row.state == "partially_captured":
        raise StateConflictError(
            f"A part of order {row.order_reference} is still to be shipped. Nothing was booked; capture the "
            "rest first, or cancel the order.",
            code="not_captured",
        )
    if row.state in CLOSED or row.state in {"authorizing", "authorized", "extending", "voiding", "abandoning"}:
        raise StateConflictError(
            f"Points have paid nothing of order {row.order_reference} ({row.state}), so none can come back. Nothing "
            "was booked; capture them first, or void them.",
            code="not_captured",
        )
    raise StateConflictError(
        f"The points of order {row.order_reference} need a person first ({row.state}). Nothing was booked.",
    )
