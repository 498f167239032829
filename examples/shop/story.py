"""What happened to an order, in order of time. The sentences are `story.*` in the texts."""

from dataclasses import dataclass
from datetime import datetime

from .changes import Change
from .orders import Order
from .payments import Payment
from .returns import OFFICE, Return


@dataclass(frozen=True, kw_only=True)
class Event:
    at: datetime
    what: str
    amount_minor: int | None = None
    points: int = 0
    expired: int = 0
    instead_minor: int = 0
    """What of `amount_minor` is in the place of points."""


def story_of(
    order: Order,
    payments: tuple[Payment, ...],
    returns: tuple[Return, ...] = (),
    changes: tuple[Change, ...] = (),
    points_back: int = 0,
    *,
    has_vouchers: bool = False,
) -> list[Event]:
    events = [Event(at=order.placed_at, what="placed")]
    for payment in payments:
        if payment.method == "none":
            what = "no_money_paid" if has_vouchers else "points_paid"
            events += [Event(at=order.paid_at, what=what)] if order.paid_at else []
            continue
        events += _of_payment(payment)
        if payment.state == "refunded" and order.paid_at:
            means = _means(payment)
            events.append(Event(at=order.paid_at, what=f"{means}_accepted", amount_minor=payment.amount_minor))
    if order.shipped_at:
        events.append(Event(at=order.shipped_at, what="shipped"))
    if order.cancelled_at:
        events.append(Event(at=order.cancelled_at, what="cancelled"))
        events += [Event(at=order.cancelled_at, what="return_points", points=points_back)] if points_back else []
    for change in changes:
        events += _of_change(change)
    for one in returns:
        events += _of_return(one)
    return sorted(events, key=lambda event: event.at)


def _of_payment(payment: Payment) -> list[Event]:
    events = []
    if payment.method == "bank" and payment.amount_minor is not None:
        events.append(Event(at=payment.started_at, what="bank_asked", amount_minor=payment.amount_minor))
    amount_minor = payment.back_minor or None if payment.state == "refunded" else payment.amount_minor
    if payment.ended_at and amount_minor is not None:
        what = f"{_means(payment)}_{payment.state}"
        events.append(Event(at=payment.ended_at, what=what, amount_minor=amount_minor))
    return events


def _of_change(change: Change) -> list[Event]:
    paid_minor = change.money_minor + change.instead_minor - change.due_minor
    parts = ["points"] * bool(change.points) + ["money"] * bool(paid_minor or not change.points)
    changed = Event(
        at=change.at,
        what="_".join(["changed", *parts]),
        points=change.points,
        amount_minor=paid_minor,
        expired=change.expired,
        instead_minor=max(0, paid_minor - change.money_minor),
    )
    due = [Event(at=change.at, what="return_due", amount_minor=change.due_minor)] if change.due_minor else []
    return [changed, *due]


def _of_return(one: Return) -> list[Event]:
    events = [Event(at=one.asked_at, what="return_asked")] if one.reason != OFFICE else []
    if one.decided_at and one.state == "refused":
        events.append(Event(at=one.decided_at, what="return_refused"))
    if one.decided_at and one.state == "confirmed":
        # What the provider did not take back is not told as given back.
        parts = ["points"] * bool(one.points and one.points_state not in ("declined", "ended"))
        paid_minor = (one.money_minor or 0) - one.due_minor
        parts += ["money"] * bool(paid_minor or not (one.points or one.due_minor or one.vouchers))
        onto_minor = sum(onto.value.amount_minor for onto in one.vouchers)
        if onto_minor:
            events.append(Event(at=one.decided_at, what="return_vouchers", amount_minor=onto_minor))
        if parts or not (one.due_minor or onto_minor):
            what = "_".join(["return", *(parts or ["taken"])])
            expired = one.expired if "points" in parts else 0
            count = one.points or 0
            instead_minor = max(0, paid_minor - (one.money_minor or 0) + one.expired_minor)
            events.append(
                Event(
                    at=one.decided_at,
                    what=what,
                    amount_minor=paid_minor,
                    points=count,
                    expired=expired,
                    instead_minor=instead_minor,
                )
            )
        if one.due_minor:
            events.append(Event(at=one.decided_at, what="return_due", amount_minor=one.due_minor))
    return events


def _means(payment: Payment) -> str:
    return {"bank": "bank", "otherwise": "other"}.get(payment.method, "card")
