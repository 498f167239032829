"""The shop's orders beside their points: paid and never captured, cancelled and never given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from punktgenau.checkout.booking import DAY_MS, Window
from punktgenau.checkout.bookings import MANY, Bookings, OrderPoints
from punktgenau.checkout.cart import Order
from punktgenau.checkout.findings import FINDINGS_MAX, Findings
from punktgenau.checkout.matched import DifferenceKind
from punktgenau.checkout.moments import moment

BEFORE_MS = 31 * DAY_MS
"""Orders of a month before the period are looked at as well: they may have been paid or cancelled in it."""
TOLD_EVERY = 100
_NOT_TAKEN = frozenset({"authorized", "extending", "expired", "voided", "short"})
_NOT_BACK = frozenset({"authorized", "extending", "partially_captured", "captured", "partially_reversed", "short"})


def disagreement(order: Order, points: OrderPoints | None) -> DifferenceKind | None:
    """Whether an order's points are not where its state says; what is under way is no disagreement."""
    if points is None or points.is_wished_back:
        return None
    if order.state == "paid" and points.state in _NOT_TAKEN:
        return "not_captured"
    has_left = points.left_points or points.left_vouchers_minor
    if order.state == "cancelled" and points.state in _NOT_BACK and has_left:
        return "not_released"
    return None


class OrderCheck:
    """Goes through the orders day by day, so that no more than a day's are asked for at once."""

    def __init__(
        self,
        bookings: Bookings,
        findings: Findings,
        *,
        orders_loader: Callable[[datetime, datetime], Iterator[Order]],
        order_loader: Callable[[str], Order | None] | None,
        progress: Callable[[str, int, int], None],
    ) -> None:
        self._bookings = bookings
        self._findings = findings
        self._orders_loader = orders_loader
        self._order_loader = order_loader
        self._progress = progress

    def run(self, window: Window) -> int:
        """Compare every order; how many there were. What seems wrong is looked at once more before it is told."""
        seen = 0
        suspicious: list[Order] = []
        orders = self._orders(window)
        while batch := list(islice(orders, MANY)):
            points = self._bookings.of_orders([order.reference for order in batch])
            for order in batch:
                if disagreement(order, points.get(order.reference)) and len(suspicious) < FINDINGS_MAX:
                    suspicious.append(order)
            seen += len(batch)
        for order in suspicious:
            self._progress("orders", seen, 0)
            self._look_again(order)
        return seen

    def _look_again(self, order: Order) -> None:
        # Between the shop's commit and its call of ours lies a moment, and a run that comes into it invents nothing.
        now = order if self._order_loader is None else self._order_loader(order.reference)
        points = self._bookings.of_orders([order.reference]).get(order.reference)
        kind = None if now is None else disagreement(now, points)
        if now is not None and points is not None and kind is not None:
            self._findings.order(kind, now, points)

    def _orders(self, window: Window) -> Iterator[Order]:
        since = moment(window.since - BEFORE_MS)
        until = moment(min(window.until, window.as_of + 1))
        day = timedelta(days=1)
        seen = 0
        while since < until:
            self._progress("orders", seen, 0)
            for order in self._orders_loader(since, min(since + day, until)):
                yield order
                seen += 1
                if seen % TOLD_EVERY == 0:
                    self._progress("orders", seen, 0)
            since += day
