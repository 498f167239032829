"""A clerk takes things out of an order that is not packed yet: what that gives back, and the rows of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from punktgenau import PunktgenauError, UnavailableError
from punktgenau.checkout import Refund

from . import clock, orders, payments, sums
from .database import connect, transaction
from .orders import Order
from .points import points, to_pay


@dataclass(frozen=True, kw_only=True)
class Change:
    """What making an order smaller gave back: `points`, and `money_minor` of what was paid in money, in cents."""

    at: datetime
    points: int
    money_minor: int
    expired: int = 0
    """How many of `points` came back expired."""
    instead_minor: int = 0
    """Money in the place of those, or of points that did not come back; the order has not been paid with it."""
    new_points: int = 0
    """What is given anew for those."""
    due_minor: int = 0
    """What of all this money is still to be paid."""


class NotLessError(Exception):
    """More than was ordered, nothing at all, or just what it is; nothing was changed."""


class DecidedError(Exception):
    """Meanwhile the order has left, is cancelled or is another one; nothing was changed."""


class BegunError(Exception):
    """Another change of this order was begun and has to be finished first; nothing was changed."""


def of_order(order_reference: str) -> tuple[Change, ...]:
    """Every change of an order, oldest first, with what became of its points by now."""
    rows = connect().execute(
        "SELECT * FROM order_changes WHERE order_reference = ? ORDER BY number", (order_reference,)
    )
    found = [
        Change(at=datetime.fromisoformat(row["changed_at"]), points=row["points"], money_minor=row["money_minor"])
        for row in rows
    ]
    for refund in points.refunds(order_reference) if found else ():
        if refund.is_amendment:
            # The shop writes a change down once the engine has given back for it.
            place = next((place for place, one in enumerate(found) if one.at >= refund.asked_at), len(found) - 1)
            found[place] = _as_it_is(found[place], refund)
    return tuple(found)


def money_back_minor(order_reference: str) -> int:
    """What of an order's money went back because it was made smaller, in cents.

    Money in the place of points is none of it: the order was not paid with that.
    """
    return _back(order_reference, "money_minor")


def begun(order_reference: str) -> dict[str, int] | None:
    """What stays of an order by a change that was begun and not finished: units by article."""
    row = connect().execute("SELECT kept FROM changing WHERE order_reference = ?", (order_reference,)).fetchone()
    return json.loads(row["kept"]) if row else None


def reduce(order: Order, quantities: Mapping[str, int], *, by: str) -> None:
    """Keep so many of each line; points and money of the rest go back.

    From the first step to the last the order can neither leave nor be cancelled nor be changed otherwise. The engine is
    told before the shop writes it down: whoever dies in between leaves a change that the same call finishes. Raises
    NotLessError, DecidedError, BegunError, PunktgenauError: nothing changed.
    """
    smaller = _smaller(order, quantities)
    if smaller.total_minor >= order.total_minor or not smaller.lines:
        raise NotLessError(order.reference)
    is_new = _begin(order, smaller)
    try:
        by_points = points.find(order.reference)
        has_points = by_points is not None and bool(by_points.points or by_points.returned_points or by_points.vouchers)
        if has_points:
            points.amend(order.reference, to_pay(smaller), reason="out of stock", actor=by)
        else:
            # No points have paid it, but it may have earned some.
            points.returned(order.reference, return_reference=_reference(order), lines=_gone(order, smaller))
    except PunktgenauError as error:
        if is_new and error.outcome == "not_done" and not isinstance(error, UnavailableError):
            _stop(order.reference)
        raise
    money_minor, points_back = order.total_minor - smaller.total_minor, 0
    if has_points:
        # All that changes have ever given back, less what is written down: whoever dies here counts nothing twice.
        points_back = -_back(order.reference, "points")
        points_back += sum(one.points for one in points.refunds(order.reference) if one.is_amendment)
        money_minor = _too_much_minor(order.reference)
    _write(order, smaller, points_back=points_back, money_minor=money_minor, by=by)
    for refund in points.refunds(order.reference):
        if refund.is_amendment and refund.money_refunded_at is None:
            points.money_refunded(
                order.reference,
                return_reference=refund.return_reference,
                psp_reference=f"refund-{order.reference}-{refund.return_reference}",
            )


def _reference(order: Order) -> str:
    """The next change's name, the same until it is written down."""
    return f"change-{len(of_order(order.reference)) + 1}"


def _gone(order: Order, smaller: Order) -> dict[str, int]:
    kept = {line.sku: line.quantity for line in smaller.lines}
    gone = {line.sku: line.quantity - kept.get(line.sku, 0) for line in order.lines}
    return {sku: count for sku, count in gone.items() if count}


def _too_much_minor(order_reference: str) -> int:
    """What was paid in money, and not given back, beyond what is due of the order as the engine has it by now."""
    by_points = points.find(order_reference)
    by_returns = sum(one.money.amount_minor for one in points.refunds(order_reference) if not one.is_amendment)
    kept_minor = payments.accepted_minor(order_reference) - money_back_minor(order_reference) - by_returns
    return max(0, kept_minor - (by_points.due_minor if by_points else kept_minor))


def _back(order_reference: str, what: Literal["points", "money_minor"]) -> int:
    """What is written down of all changes of an order, together."""
    statement = f"SELECT coalesce(sum({what}), 0) FROM order_changes WHERE order_reference = ?"
    (back,) = connect().execute(statement, (order_reference,)).fetchone()
    return int(back)


def _as_it_is(change: Change, refund: Refund) -> Change:
    is_back = refund.state not in ("declined", "ended")
    return replace(
        change,
        points=change.points if is_back else change.points - refund.points,
        expired=change.expired + (refund.already_expired or 0),
        instead_minor=change.instead_minor + (refund.expired_money + refund.money_instead).amount_minor,
        new_points=change.new_points + refund.new_points,
        due_minor=change.due_minor + refund.money_due.amount_minor,
    )


def _smaller(order: Order, quantities: Mapping[str, int]) -> Order:
    kept = {line.sku: quantities.get(line.sku, line.quantity) for line in order.lines}
    if any(not 0 <= kept[line.sku] <= line.quantity for line in order.lines):
        raise NotLessError(order.reference)
    lines = tuple(replace(line, quantity=kept[line.sku]) for line in order.lines if kept[line.sku])
    # The shipping stays what it was: the customer did not want less.
    after = sums.of(lines, shipping_minor=order.sums.shipping_minor, shipping_vat_rate=order.sums.shipping_vat_rate)
    return replace(order, lines=lines, sums=after)


def _begin(order: Order, smaller: Order) -> bool:
    """Claim the order for this change. False: the same change was begun before. Raises DecidedError, BegunError."""
    kept = json.dumps({line.sku: line.quantity for line in smaller.lines}, sort_keys=True)
    with transaction() as connection:
        now = orders.find(order.reference)
        if now is None or not now.can_ship or now.lines != order.lines:
            raise DecidedError(order.reference)
        row = connection.execute("SELECT kept FROM changing WHERE order_reference = ?", (order.reference,)).fetchone()
        if row and row["kept"] != kept:
            raise BegunError(order.reference)
        if row is None:
            connection.execute("INSERT INTO changing VALUES (?, ?)", (order.reference, kept))
        return row is None


def _stop(order_reference: str) -> None:
    connect().execute("DELETE FROM changing WHERE order_reference = ?", (order_reference,))


def _write(order: Order, smaller: Order, *, points_back: int, money_minor: int, by: str) -> None:
    with transaction() as connection:
        now = orders.find(order.reference)
        if now is None or now.lines != order.lines:
            # Another clerk has written the same down already.
            return
        _stop(order.reference)
        connection.execute("DELETE FROM order_lines WHERE order_reference = ?", (order.reference,))
        connection.executemany(
            "INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, ?)",
            [
                (order.reference, line.sku, line.quantity, line.unit_price_minor, line.vat_rate, line.points_allowed)
                for line in smaller.lines
            ],
        )
        connection.execute(
            "UPDATE orders SET total_minor = ? WHERE reference = ?", (smaller.total_minor, order.reference)
        )
        connection.execute(
            "INSERT INTO order_changes SELECT ?, count(*) + 1, ?, ?, ?, ?, ? FROM order_changes"
            " WHERE order_reference = ?",
            (order.reference, order.total_minor, points_back, money_minor, clock.now().isoformat(), by,
             order.reference),
        )  # fmt: skip
