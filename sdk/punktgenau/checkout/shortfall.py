"""What a person decides about points that are missing from a paid order: written off, or paid in money. Pure.

What was captured stays, and what is left of it pays the order from then on, as a version of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from punktgenau.checkout.books import Books
from punktgenau.checkout.frozen import FrozenCart, thaw
from punktgenau.checkout.intent import ended_short, taken_state
from punktgenau.checkout.returned import BackBy, goods_minor, returned
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_returns import AmendmentRow, ReturnRow
from punktgenau.checkout.standing import Standing, so_far
from punktgenau.checkout.vouchers import CartVoucher, of_cart, parts_of, share_minor, sum_of, worth_minor
from punktgenau.errors import StateConflictError

Settlement = Literal["written_off", "paid_otherwise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The order's version, its row, and how many points were missing, with their worth in the smallest unit.

    `back_minor` was owed of a point for what came back before: it is paid in money, as return `back`.
    """

    version: AmendmentRow
    row: RedemptionRow
    missing_points: int
    missing_minor: int
    back_minor: int = 0
    back: ReturnRow | None = None


def settled(books: Books, as_: Settlement, *, policy: BackBy, actor: str, reason: str, now_ms: int) -> Settled:
    """What a decision makes of an order that is short.

    Raises StateConflictError where only all points at once can come back, and some are owed for what came back before.
    """
    row = books.redemption
    # Of an order whose points were never captured none came back, whatever its returns were to give back.
    given = books.returns if row.captured_points else ()
    ended = () if row.captured_points else books.of_version
    ended_minor = sum(one.worth_minor + sum_of(parts_of(one.vouchers)) for one in ended)
    missing_points, missing_minor = books.missing
    # Vouchers are taken with the first points or not at all: where nothing was captured they pay nothing either.
    vouchers = of_cart(books.cart)
    points = row.taking[0] - missing_points - sum(one.points for one in given)
    value_minor = row.taking[1] - missing_minor - sum(one.worth_minor for one in given)
    missing_minor += worth_minor(vouchers)
    frozen, owed_minor = _frozen(books, vouchers, value_minor=value_minor, policy=policy)
    total_minor = sum(line.amount_minor for line in frozen.lines)
    payable_minor = total_minor - frozen.other_tenders_minor
    if value_minor > payable_minor:
        raise StateConflictError(
            f"Points pay {value_minor} of order {row.order_reference} and {payable_minor} of it is left. Nothing was "
            "changed; take the rest of it back, or cancel it.",
        )
    # What is paid otherwise pays for what came back, too.
    written_off_minor, back_minor = 0, owed_minor + ended_minor
    if as_ == "written_off":
        # What is owed of a point, or came back, is no loss where it was not paid in money.
        written_off_minor = min(missing_minor - ended_minor, payable_minor - value_minor)
        back_minor -= missing_minor - written_off_minor
    version = AmendmentRow(
        redemption_id=row.id,
        version=books.version + 1,
        cart=frozen.text(),
        points=points,
        value_minor=value_minor,
        total_minor=total_minor,
        payable_minor=payable_minor,
        after_number=books.last_number + (back_minor > 0),
        reason=reason,
        actor=actor,
        created_at=now_ms,
        taken_points=points,
        taken_minor=value_minor,
        after_shipment=len(books.shipments),
    )
    pays = row.captured_points > row.reversed_points
    after = replace(
        row,
        # Nothing is taken anew; what was captured waits for nothing.
        state=taken_state(row) if row.captured_points else ended_short(row),
        release_cause=None if pays else as_,
        reason=as_,
        check_at=None,
        amended_points=points,
        amended_minor=value_minor,
        amended_payable_minor=payable_minor,
        settled_points=row.captured_points - points,
        settled_minor=row.captured_minor - value_minor,
        written_off_minor=written_off_minor,
    )
    return Settled(
        version=version,
        row=after,
        missing_points=missing_points,
        missing_minor=missing_minor,
        back_minor=back_minor,
    )


def _frozen(
    books: Books, vouchers: Sequence[CartVoucher], *, value_minor: int, policy: BackBy
) -> tuple[FrozenCart, int]:
    """What did not come back of an order, without vouchers that pay nothing of it; and what is owed of a point."""
    cart, owed_minor, back_minor = thaw(books.cart), 0, 0
    if books.of_version:
        at = so_far(books)
        came = returned(at.allocation, at.history, policy=policy)
        cart = _kept(at, cart, other_minor=came.other_minor).fitting(value_minor)
        owed_minor = came.carry_minor
        other_minor = sum(line.other_minor for line in at.allocation.lines)
        back_minor = share_minor(vouchers, other_total_minor=other_minor, other_minor=came.other_minor)
    if not vouchers:
        return cart, owed_minor
    paid_minor = cart.other_tenders_minor - (worth_minor(vouchers) - back_minor)
    return replace(cart, other_tenders_minor=paid_minor), owed_minor


def _kept(at: Standing, cart: FrozenCart, *, other_minor: int) -> FrozenCart:
    """What did not come back of an order, at what is left of its price; `other_minor` went back to other tenders."""
    units: dict[str, int] = {}
    minor: dict[str, int] = {}
    for line in at.allocation.lines:
        came = at.history.of(line)
        units[line.id] = units.get(line.id, 0) + line.quantity - came.quantity
        minor[line.id] = minor.get(line.id, 0) + line.amount_minor - goods_minor(line, came)
    return FrozenCart(
        lines=tuple(
            replace(line, quantity=units[line.id], amount_minor=minor[line.id]) for line in cart.lines if units[line.id]
        ),
        other_tenders_minor=cart.other_tenders_minor - other_minor,
    )
