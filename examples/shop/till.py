"""Where orders, money and points meet: pay, confirm, refuse, cancel, ship. Each step is safe to repeat, from any
process, and none asks the points provider while a transaction of the shop is open."""

from collections.abc import Mapping, Sequence

from punktgenau import PunktgenauError
from punktgenau.voucher_records import Voucher

from . import bill, orders, payments, return_desk, returns
from .database import transaction
from .orders import Order
from .payments import Method, Payment
from .points import is_refused, paid_minor, points, to_pay

# Also where some of them came back, because the order became smaller or goods were returned.
_TAKEN = ("captured", "partially_reversed", "reversing", "reversed")


def pay(
    order: Order,
    *,
    number: int,
    method: Method,
    wish: int | None = None,
    vouchers: Sequence[Voucher] | None = None,
    in_parcels: bool = False,
) -> None:
    """Try to pay. A second click asks for the same number, finds it taken and leaves the work to the first.

    `wish` is how many points, `vouchers` which vouchers; None: what the customer in front of this browser chose.
    `in_parcels`: its points are taken as its parcels leave, by `ship_parcel`.
    Raises PunktgenauError: the points or a voucher were refused; the order stays, unpaid.
    """
    if order.state != "pending":
        return
    payment = payments.begin(order.reference, number=number, method=method)
    if payment is None:
        return
    due_minor = _hold_points(order, payment, wish, vouchers)
    if due_minor == 0:
        _accept(payments.need_no_money(payment), amount_minor=0)
    elif due_minor is None or method == "none":
        # The order's page asks: what to do about the points, or how to pay the rest.
        payments.finish(payment, "stopped")
    elif method == "bank":
        payments.ask_bank(payment, amount_minor=due_minor)
    elif _card_accepts(method):
        _accept(payment, amount_minor=due_minor, captures=not in_parcels)
    else:
        payments.finish(payment, "declined", amount_minor=due_minor)
        points.void(order.reference)


def pay_rest(order: Order, *, number: int, method: Method, amount_minor: int) -> None:
    """Pay in money what the points of a paid order could not pay any more; nothing unless it is just that amount."""
    if not 0 < amount_minor == open_minor(order):
        return
    payment = payments.begin(order.reference, number=number, method=method, is_further=True)
    if payment is None:
        return
    # From here on no points can be taken for what is charged now.
    points.void(order.reference)
    if open_minor(order) != amount_minor:
        payments.finish(payment, "stopped")
    elif _card_accepts(method):
        _accept(payment, amount_minor=amount_minor)
    else:
        payments.finish(payment, "declined", amount_minor=amount_minor)


def open_minor(order: Order) -> int:
    """What is missing of a paid order because its points could not be taken, in cents.

    0 while they may still be, and once everything has come back.
    """
    bill.learn(order)
    by_points = points.find(order.reference)
    if order.state != "paid" or (by_points and by_points.is_unknown) or not any(returns.kept(order).values()):
        return 0
    is_paying = by_points is not None and not (by_points.state == "short" and is_refused(by_points))
    points_minor = paid_minor(by_points) if by_points and is_paying else 0
    return max(0, order.total_minor - bill.money_minor(order.reference) - points_minor)


def confirm_payment(order_reference: str) -> None:
    """The bank says the money is there. Runs in the bank's process, perhaps long after the customer has left."""
    payment = payments.newest(order_reference)
    if payment is None or payment.method != "bank":
        return
    if payment.state == "waiting":
        _accept(payment, amount_minor=payment.amount_minor)
    elif payment.state == "stopped":
        with transaction():
            payments.give_back(payment, amount_minor=payment.amount_minor or 0)


def refuse_payment(order_reference: str) -> None:
    """The bank says there will be no money. The order stays, and can be paid another way."""
    payment = payments.newest(order_reference)
    if payment is not None and payment.state == "waiting" and payments.finish(payment, "declined"):
        points.void(order_reference)


def cancel_order(order: Order) -> bool:
    """The order will not happen. False: too late, it has left the house, or something of it was given back."""
    if return_desk.of_order(order.reference):
        return False
    bill.learn(order)
    with transaction():
        if not orders.mark_cancelled(order.reference):
            return False
        _return_money(order.reference)
    points.cancel(order.reference)
    return True


def ship_order(order: Order) -> bool:
    """Goods leave only when everything is paid, in money and in points, and only once; nothing that was given back."""
    return_desk.of_order(order.reference)
    is_left = any(returns.kept(order).values())
    return is_left and _is_covered(order) and orders.mark_shipped(order.reference)


def ship_parcel(order: Order, lines: Mapping[str, int], *, parcel: str) -> None:
    """A part of the order leaves: what its points pay of that is taken. The last one is `ship_order`'s."""
    points.capture(order.reference, lines=lines, shipment_reference=parcel)


def _hold_points(order: Order, payment: Payment, wish: int | None, vouchers: Sequence[Voucher] | None) -> int | None:
    """What is left to pay in money, in cents; None while nobody knows whether the points are held."""
    try:
        customer_id = order.customer_id if wish or vouchers else None
        held = points.authorize(order.reference, to_pay(order), points=wish, customer_id=customer_id, vouchers=vouchers)
    except PunktgenauError:
        payments.finish(payment, "stopped")
        raise
    return None if held.state == "authorizing" else held.due.amount_minor


def _accept(payment: Payment, *, amount_minor: int | None, captures: bool = True) -> None:
    with transaction():
        if not payments.finish(payment, "accepted", amount_minor=amount_minor):
            return
        is_paid = orders.mark_paid(payment.order_reference)
        if not is_paid:
            _return_money(payment.order_reference)
    if is_paid and captures:
        points.capture(payment.order_reference)


def _return_money(order_reference: str) -> None:
    """All that is still there goes back: what was accepted, less what changes and returns gave back before."""
    kept_minor = payments.accepted_minor(order_reference) - return_desk.money_back_minor(order_reference)
    for payment in payments.history(order_reference):
        if payment.state == "accepted":
            back_minor = max(0, min(kept_minor, payment.amount_minor or 0))
            payments.give_back(payment, amount_minor=back_minor)
            kept_minor -= back_minor
        else:
            payments.finish(payment, "stopped")


def _is_covered(order: Order) -> bool:
    bill.learn(order)
    by_points = points.find(order.reference)
    points_minor = paid_minor(by_points) if by_points and by_points.state in _TAKEN else 0
    return bill.money_minor(order.reference) + points_minor >= order.total_minor


def _card_accepts(method: Method) -> bool:
    """The demo's card company. A real shop asks its payment provider here."""
    return method == "card"
