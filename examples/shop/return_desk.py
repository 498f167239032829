"""What a return gives back, in points and in money: the preview, and the step that does it. Safe to repeat."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Flask

from punktgenau import PunktgenauError, UnavailableError
from punktgenau.checkout import Payment, Refund

from . import changes, orders, returns
from .orders import Order
from .points import points
from .returns import Return

_TAKEN = ("captured", "partially_reversed", "reversing", "reversed")


@dataclass(frozen=True, kw_only=True)
class Back:
    """What goes back by one rule: points with their worth, money, and what of a point is still owed, in cents.

    `vouchers_minor` goes back onto the vouchers that have paid.
    """

    points: int
    value_minor: int
    money_minor: int
    vouchers_minor: int = 0
    owed_minor: int = 0


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a return would give back: by the order's own rule, and by each there is where points are part of it.

    `expired`: how many of the points would come back expired; None: nobody can say.
    """

    goods_minor: int
    back: Back
    rule: str = ""
    rules: Mapping[str, Back] | None = None
    expired: int | None = None
    earned_taken: int = 0
    """Points that the order has earned and that go back."""


def of_order(order_reference: str) -> tuple[Return, ...]:
    """Every return of an order, oldest first, with what went back by now; also those taken in at the back office."""
    refunds = {
        one.return_reference: one for one in points.refunds(order_reference) if not (one.is_amendment or one.is_rest)
    }
    known = {one.known_as for one in returns.of_order(order_reference)}
    for reference, refund in refunds.items():
        if reference not in known:
            returns.write_down(order_reference, refund)
    return tuple(_as_it_is(one, refunds.get(one.known_as)) for one in returns.of_order(order_reference))


def money_back_minor(order_reference: str) -> int:
    """What of an order's money went back by changes and returns, in cents, wherever they were taken in.

    Money in the place of points is none of it: those points do not come back. Writes nothing.
    """
    refunds = {one.return_reference: one for one in points.refunds(order_reference)}
    by_returns = sum(one.money.amount_minor for one in refunds.values() if not one.is_amendment)
    by_returns += sum(one.money_minor or 0 for one in returns.of_order(order_reference) if one.known_as not in refunds)
    return changes.money_back_minor(order_reference) + by_returns


def learn(_app: Flask, payment: Payment) -> None:
    """Points of an order came back: the shop looks why, so that its lists know before anybody opens the order."""
    if orders.find(payment.order_reference):
        of_order(payment.order_reference)


def preview(order: Order, lines: Mapping[str, int], *, shipping_minor: int) -> Preview:
    """What this return would give back. Raises PunktgenauError: it is not to be had like that."""
    goods_minor = _goods_minor(order, lines) + shipping_minor
    taken = points.earned_taken(order.reference, lines=lines, shipping_minor=shipping_minor)
    seen = None
    if _have_paid(order):
        seen = points.preview_refund(order.reference, lines=lines, shipping_minor=shipping_minor)
    if seen is None:
        back = Back(points=0, value_minor=0, money_minor=goods_minor)
        return Preview(goods_minor=goods_minor, back=back, earned_taken=taken)
    rules: dict[str, Back] = {
        policy: Back(
            points=split.points,
            value_minor=split.points_value.amount_minor,
            money_minor=split.money.amount_minor,
            vouchers_minor=split.other.amount_minor,
            owed_minor=split.carry.amount_minor,
        )
        for policy, split in seen.policies.items()
    }
    return Preview(
        goods_minor=goods_minor,
        back=rules[seen.policy],
        rule=seen.policy,
        rules=rules,
        expired=seen.already_expired,
        earned_taken=taken,
    )


def confirm(order: Order, wanted: Return, *, by: str) -> bool:
    """Give back what the return is worth. False: somebody has decided otherwise.

    Whoever dies in between leaves it `confirming`; the next click does the rest, and each part only once. Raises
    PunktgenauError: nothing went back, and it is open again; or nobody can say, and the next click finds out.
    """
    if wanted.state == "confirmed":
        return True
    if not returns.begin_confirming(wanted.reference):
        return False
    try:
        refund = None
        if _have_paid(order):
            refund = points.refund(
                order.reference,
                return_reference=wanted.reference,
                lines=wanted.lines,
                shipping_minor=wanted.shipping_minor,
                reason=wanted.reason,
                actor=by,
            )
        if refund is None:
            # No points have paid it, but it may have earned some.
            points.returned(
                order.reference,
                return_reference=wanted.reference,
                lines=wanted.lines,
                shipping_minor=wanted.shipping_minor,
            )
    except PunktgenauError as error:
        # A journal that is away does not tell what an earlier click has done.
        if error.outcome == "not_done" and not isinstance(error, UnavailableError):
            returns.stop_confirming(wanted.reference)
        raise
    money_reference = f"refund-{wanted.reference}"
    if refund is None:
        money_minor = _goods_minor(order, wanted.lines) + wanted.shipping_minor
    else:
        money_minor = (refund.money + refund.expired_money).amount_minor
        points.money_refunded(order.reference, return_reference=wanted.reference, psp_reference=money_reference)
    returns.finish(
        wanted.reference,
        by=by,
        points=refund.points if refund else 0,
        value_minor=refund.points_value.amount_minor if refund else 0,
        money_minor=money_minor,
        money_reference=money_reference,
    )
    return True


def _as_it_is(one: Return, refund: Refund | None) -> Return:
    if refund is None or one.state != "confirmed":
        return one
    return replace(
        one,
        points=refund.points,
        value_minor=refund.points_value.amount_minor,
        money_minor=(refund.money + refund.expired_money + refund.money_instead).amount_minor,
        points_state=refund.state,
        expired=refund.already_expired or 0,
        expired_minor=refund.expired_money.amount_minor,
        new_points=refund.new_points,
        new_points_state=refund.new_points_state,
        due_minor=refund.money_due.amount_minor,
        vouchers=refund.vouchers,
    )


def _goods_minor(order: Order, lines: Mapping[str, int]) -> int:
    return sum(line.unit_price_minor * lines.get(line.sku, 0) for line in order.lines)


def _have_paid(order: Order) -> bool:
    """Whether points or vouchers are part of what was paid, or were until earlier returns; not given back unused."""
    by_points = points.find(order.reference)
    if by_points is None:
        return False
    have_vouchers = bool(by_points.asked_vouchers) and by_points.state in _TAKEN
    return by_points.points > 0 or by_points.returned_points > 0 or have_vouchers
