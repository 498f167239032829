"""A clerk takes things out of an order that is not packed yet: what that gives back, and the rows of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from . import clock, orders, sums
from .database import connect, transaction
from .orders import Order
from .points import points, to_pay


@dataclass(frozen=True, kw_only=True)
class Change:
    at: datetime
    points: int
    money_minor: int


class NotLessError(Exception):
    """More than was ordered, nothing at all, or just what it is; nothing was changed."""


def of_order(order_reference: str) -> tuple[Change, ...]:
    """Every change of an order, oldest first."""
    rows = connect().execute(
        "SELECT * FROM order_changes WHERE order_reference = ? ORDER BY number", (order_reference,)
    )
    return tuple(
        Change(at=datetime.fromisoformat(row["changed_at"]), points=row["points"], money_minor=row["money_minor"])
        for row in rows
    )


def money_back_minor(order_reference: str) -> int:
    """What of an order's money went back because it was made smaller, in cents."""
    return sum(change.money_minor for change in of_order(order_reference))


def reduce(order: Order, quantities: Mapping[str, int], *, by: str) -> None:
    """Keep so many of each line; points and money of the rest go back. Raises NotLessError.

    The engine is told first. Whoever dies before the shop has written it down leaves an order that can be changed
    again: the same change answers as the first time, another one comes on top. Raises PunktgenauError: nothing changed.
    """
    smaller = _smaller(order, quantities)
    if smaller.total_minor >= order.total_minor or not smaller.lines:
        raise NotLessError(order.reference)
    by_points = points.find(order.reference)
    money_minor, points_back = order.total_minor - smaller.total_minor, 0
    if by_points is not None and (by_points.points or by_points.returned_points):
        points.amend(order.reference, to_pay(smaller), reason="out of stock", actor=by)
        # All that changes have ever given back, less what is written down: whoever dies here counts nothing twice.
        written = of_order(order.reference)
        money_minor = -sum(change.money_minor for change in written)
        points_back = -sum(change.points for change in written)
        for refund in points.refunds(order.reference):
            if refund.return_reference.startswith("amend-"):
                money_minor += (refund.money + refund.expired_money).amount_minor
                points_back += refund.points
    _write(order, smaller, points_back=points_back, money_minor=money_minor, by=by)
    for refund in points.refunds(order.reference):
        if refund.return_reference.startswith("amend-") and refund.money_refunded_at is None:
            points.money_refunded(
                order.reference,
                return_reference=refund.return_reference,
                psp_reference=f"refund-{order.reference}-{refund.return_reference}",
            )


def _smaller(order: Order, quantities: Mapping[str, int]) -> Order:
    kept = {line.sku: quantities.get(line.sku, line.quantity) for line in order.lines}
    if any(not 0 <= kept[line.sku] <= line.quantity for line in order.lines):
        raise NotLessError(order.reference)
    lines = tuple(replace(line, quantity=kept[line.sku]) for line in order.lines if kept[line.sku])
    # The shipping stays what it was: the customer did not want less.
    after = sums.of(lines, shipping_minor=order.sums.shipping_minor, shipping_vat_rate=order.sums.shipping_vat_rate)
    return replace(order, lines=lines, sums=after)


def _write(order: Order, smaller: Order, *, points_back: int, money_minor: int, by: str) -> None:
    with transaction() as connection:
        now = orders.find(order.reference)
        if now is None or now.total_minor != order.total_minor:
            # Another clerk has written the same down already.
            return
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
