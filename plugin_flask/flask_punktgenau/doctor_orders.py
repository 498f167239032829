"""The doctor's look at the shop's own orders: what became of each, and what became of its points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask_punktgenau.doctor import ORDERS_SHOWN, Finding, Level, Scope, Sheet, plural
from flask_punktgenau.state import AppState
from punktgenau.checkout import Order, Payment
from punktgenau.checkout.examining import Examiner
from punktgenau.checkout.vouchers import worth_minor

GRACE = timedelta(minutes=10)
"""So long an order may be on its way: paid a moment ago, or just about to be cancelled."""
_HELD = frozenset({"authorized", "authorizing"})
_TAKEN = frozenset({"captured", "capturing", "partially_captured", "partially_reversed"})
_GONE = frozenset({"expired", "short"})


@dataclass(slots=True)
class _Pile:
    """Orders with the same trouble."""

    level: Level
    one: str
    many: str
    fix: str
    count: int = 0
    orders: list[str] = field(default_factory=list)

    def add(self, order_reference: str) -> None:
        self.count += 1
        if len(self.orders) < ORDERS_SHOWN:
            self.orders.append(order_reference)


def _piles() -> dict[str, _Pile]:
    return {
        "not_captured": _Pile(
            "broken",
            "order is paid, and its points were never captured",
            "orders are paid, and their points were never captured",
            "points.capture(order.reference)      # where an order becomes paid",
        ),
        "points_missing": _Pile(
            "warning",
            "order is paid, and its points could not be taken any more",
            "orders are paid, and their points could not be taken any more",
            "ask for the rest in money, or write it off in the back office",
        ),
        "not_released": _Pile(
            "broken",
            "order is cancelled, and its points were never given back",
            "orders are cancelled, and their points were never given back",
            "points.cancel(order.reference)       # where an order is cancelled",
        ),
        "due_differs": _Pile(
            "broken",
            "order has another total than the one that its points were held for",
            "orders have another total than the one that their points were held for",
            "points.amend(order.reference, cart)  # where an order is changed",
        ),
        "without_order": _Pile(
            "broken",
            "redemption belongs to no order that order_loader finds",
            "redemptions belong to no order that order_loader finds",
            "points.authorize(order.reference, cart)  # with the very reference that order_loader is asked for",
        ),
        "needs_attention": _Pile(
            "warning",
            "redemption needs a person",
            "redemptions need a person",
            "open it in the back office, or ask the provider",
        ),
        "returns_refused": _Pile(
            "warning",
            "return waits for a person, because the provider did not take its points back",
            "returns wait for a person, because the provider did not take their points back",
            "points.refund_again(...) or points.pay_instead(...), or in the back office under Needs a person",
        ),
    }


def look_at_orders(state: AppState, examiner: Examiner | None, scope: Scope) -> Iterator[Finding]:
    """Each order of the time that is looked at, and each redemption that is live."""
    sheet = Sheet("orders")
    checkout = state.journal()
    if checkout is None or examiner is None:
        yield sheet.note("not_asked", "Not looked at: the journal is not there.")
        return
    piles, seen = _piles(), 0
    if state.loaders.orders is not None:
        for order in state.loaders.orders(scope.since, scope.until):
            seen += 1
            scope.progress(seen)
            if isinstance(order, Order) and _is_settled(order, scope):
                _sort(piles, order, checkout.find(order.reference))
    redemptions = 0
    for payment in examiner.live(since=scope.since, until=min(scope.until, scope.now - GRACE)):
        redemptions += 1
        scope.progress(seen + redemptions)
        if payment.state == "needs_attention":
            piles["needs_attention"].add(payment.order_reference)
        if state.loaders.order is not None and state.load_order(payment.order_reference) is None:
            piles["without_order"].add(payment.order_reference)
    for refund in checkout.refused_refunds():
        piles["returns_refused"].add(f"{refund.order_reference} ({refund.return_reference})")
    for code, pile in piles.items():
        if pile.count:
            yield Finding(
                section="orders",
                code=code,
                level=pile.level,
                what=f"{plural(pile.count, pile.one, pile.many)}.",
                fix=pile.fix,
                count=pile.count,
                orders=tuple(pile.orders),
            )
    if owing := sum(1 for _ in checkout.open_refunds()):
        waits = plural(owing, "return waits for its money half", "returns wait for their money halves")
        yield sheet.note("money_open", f"{waits}: points.open_refunds(), or in the back office under Needs a person.")
    looked = f"{plural(seen, 'order', 'orders')} and {plural(redemptions, 'live redemption', 'live redemptions')}"
    if any(pile.count for pile in piles.values()):
        yield sheet.note("looked_at", f"{looked} were looked at.")
    else:
        yield sheet.fine("looked_at", f"{looked} were looked at, and their points are as they should be.")


def _is_settled(order: Order, scope: Scope) -> bool:
    placed_at: datetime | None = order.placed_at
    return placed_at is None or placed_at.tzinfo is None or scope.now - placed_at > GRACE


def _sort(piles: dict[str, _Pile], order: Order, payment: Payment | None) -> None:
    if payment is None:
        return
    pays = payment.points > 0 or bool(payment.vouchers)
    if order.state == "paid" and payment.state in _HELD:
        piles["not_captured"].add(order.reference)
    elif order.state == "paid" and payment.state in _GONE:
        piles["points_missing"].add(order.reference)
    elif order.state == "cancelled" and pays and payment.state in _HELD | _TAKEN:
        piles["not_released"].add(order.reference)
    has_returns = payment.returned_points > 0 or payment.vouchers != payment.agreed_vouchers
    if order.state == "cancelled" or order.cart is None or not pays or has_returns:
        # After a return the shop may tell of what is left.
        return
    if order.cart.payable.amount_minor != payment.total.amount_minor + worth_minor(payment.agreed_vouchers):
        piles["due_differs"].add(order.reference)
