"""What a paid order stands at: who paid which line of its newest version, and what came back of that."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.books import Books
from punktgenau.checkout.frozen import thaw
from punktgenau.checkout.journal import CLOSED
from punktgenau.checkout.parcels import Units, followed
from punktgenau.checkout.returned import History, Wanted, goods_minor, has_left
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import ShipmentRow
from punktgenau.checkout.vouchers import of_cart, worth_minor
from punktgenau.errors import InProgressError, RedemptionEndedError, ReversalExceedsCaptureError, StateConflictError
from punktgenau.money import Rate, Rounding

PSEUDONYM = "erased:"
"""How a customer's name begins that was erased."""
_RETURNABLE = frozenset({"captured", "partially_reversed", "reversing", "capturing", "reversed"})
"""Also where all points are back: what is left of the goods is money then."""
_IN_PARTS = frozenset({"authorized", "extending", "partially_captured", "short", "voiding"})
"""Where what has left can come back, although something is still to be captured, or never will be."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who pays which line of an order as it is now, what came back of that, and how many parcels of it have left.

    `parcels` None: all that there is has left. `is_leaving`: another one is just being captured.
    """

    allocation: Allocation
    history: History
    parcels: int | None
    is_leaving: bool

    @property
    def has_goods_here(self) -> bool:
        """Whether anything that has left, of goods or shipping, did not come back."""
        return any(
            line.amount_minor > goods_minor(line, self.history.of(line))
            for line in self.allocation.lines
            if has_left(line, self.parcels)
        )

    def units_here(self) -> dict[str, int]:
        """Units by line that have left and did not come back."""
        return self._units(have_left=True)

    def units_to_come(self) -> dict[str, int]:
        """Units by line that have not left."""
        return self._units(have_left=False)

    def _units(self, *, have_left: bool) -> dict[str, int]:
        units: dict[str, int] = {}
        for line in self.allocation.lines:
            kept = line.quantity - self.history.of(line).quantity
            if kept and has_left(line, self.parcels) == have_left:
                units[line.id] = units.get(line.id, 0) + kept
        return units


def allocation_of(
    books: Books, *, with_points: bool = True, with_vouchers: bool = True, missing: tuple[int, int] = (0, 0)
) -> Allocation:
    """Who pays which line of the order as it is now; `missing` points, and their worth, are paid by nobody."""
    row, changed = books.redemption, books.amendment
    points, value_minor = (row.points, row.value_minor) if changed is None else (changed.points, changed.value_minor)
    points, value_minor = (points - missing[0], value_minor - missing[1]) if with_points else (0, 0)
    cart = thaw(books.cart)
    if not with_vouchers:
        cart = replace(cart, other_tenders_minor=cart.other_tenders_minor - worth_minor(of_cart(books.cart)))
    if changed is None or changed.shipped is None:
        made = cart.allocation(points=points, value_minor=value_minor, currency=row.currency)
        return replace(made, written_off_minor=row.written_off_minor + missing[1])
    taken = (changed.taken_points, changed.taken_minor) if with_points else (0, 0)
    shipped = json.loads(changed.shipped)
    made = cart.allocation_in_part(shipped, points=points, value_minor=value_minor, taken=taken, currency=row.currency)
    return replace(made, written_off_minor=missing[1])


def so_far(books: Books) -> Standing:
    """What a paid order stands at, by its newest version."""
    parcels = parcels_of(books)
    left, is_leaving = _left(books)
    allocation, history = followed(
        allocation_of(books),
        [units for _, units in parcels],
        [(Wanted(**json.loads(one.wanted)), one.parcels) for one in books.of_version],
        left=left,
    )
    return Standing(allocation, history, left, is_leaving)


def parcels_of(books: Books) -> list[tuple[ShipmentRow, Units]]:
    """The shipments of the order's newest version, with their units by line."""
    first = 1 if books.amendment is None else books.amendment.after_shipment + 1
    return [(one, json.loads(one.lines)) for one in books.shipments if one.number >= first]


def _left(books: Books) -> tuple[int | None, bool]:
    """How many parcels of the newest version have left and are captured; None: all. And whether one is under way."""
    row, parcels = books.redemption, parcels_of(books)
    is_in_parts = bool(parcels) or (books.amendment is not None and books.amendment.shipped is not None)
    if not is_in_parts or row.captured_points >= row.taking[0]:
        return None, False
    states = [one.state for one, _ in parcels]
    done = next((number for number, state in enumerate(states) if state != "done"), len(states))
    is_leaving = row.state == "capturing" or not {"requested", "capturing"}.isdisjoint(states)
    return done, is_leaving and row.state != "short"


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


def check_returnable(books: Books) -> None:
    """Raises StateConflictError and RedemptionEndedError where nothing of an order can come back (any more)."""
    row = books.redemption
    if row.is_without_points:
        # Only money comes back, to nobody at the provider.
        return
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
    left, is_leaving = _left(books)
    if row.state in _RETURNABLE and (left is None or left or row.captured_points):
        return
    has_some = row.captured_points > 0 or bool(left)
    if has_some and row.state in _IN_PARTS:
        return
    if is_leaving and row.state == "capturing":
        raise InProgressError(
            f"The first parcel of order {row.order_reference} is just being captured, and only what is captured can "
            "come back. Nothing was booked; try the same return again.",
        )
    if row.state in CLOSED or row.state in {
        "authorizing", "authorized", "extending", "capturing", "voiding", "abandoning", "partially_captured"
    }:  # fmt: skip
        raise StateConflictError(
            f"Points have paid nothing of order {row.order_reference} ({row.state}), so none can come back. Nothing "
            "was booked; capture them first, or void them.",
            code="not_captured",
        )
    raise StateConflictError(
        f"The points of order {row.order_reference} need a person first ({row.state}). Nothing was booked.",
    )


def check_left(books: Books, points: int, *, reference: str = "") -> None:
    """Raises ReversalExceedsCaptureError where fewer points are left than a return would give back; "": it has none."""
    row = books.redemption
    if row.state == "capturing" and _left(books)[0] is None:
        # All of them are just being captured.
        return
    promised = sum(one.points for one in books.returns if one.state in {"requested", "reversing"})
    left = max(0, row.left_to_reverse[0] - promised)
    if points > left:
        # Only what the provider took back by itself can be missing.
        raise ReversalExceedsCaptureError(
            f"Return {reference or '–'} of order {row.order_reference} is worth {points} points, and {left} of those "
            "captured are left: the provider has given some back by itself. Nothing was booked; give money back.",
            remaining=left,
        )
