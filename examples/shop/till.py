"""Where orders and money meet: pay, confirm, refuse, cancel, ship. Each step is safe to repeat, from any process."""

from . import orders, payments
from .database import transaction
from .orders import Order
from .payments import Method, Payment


def pay(order: Order, *, number: int, method: Method) -> None:
    """Try to pay. A second click asks for the same number, finds it taken and leaves the work to the first."""
    if order.state != "pending":
        return
    payment = payments.begin(order.reference, number=number, method=method)
    if payment is None:
        return
    due_minor = order.total_minor
    if method == "bank":
        payments.ask_bank(payment, amount_minor=due_minor)
    elif _card_accepts(method):
        _accept(payment, amount_minor=due_minor)
    else:
        payments.finish(payment, "declined", amount_minor=due_minor)


def confirm_payment(order_reference: str) -> None:
    """The bank says the money is there. Runs in the bank's process, perhaps long after the customer has left."""
    payment = payments.newest(order_reference)
    if payment is None or payment.method != "bank":
        return
    if payment.state == "waiting":
        _accept(payment, amount_minor=payment.amount_minor)
    elif payment.state == "stopped":
        payments.give_back(payment)


def refuse_payment(order_reference: str) -> None:
    """The bank says there will be no money. The order stays, and can be paid another way."""
    payment = payments.newest(order_reference)
    if payment is not None and payment.state == "waiting":
        payments.finish(payment, "declined")


def cancel_order(order: Order) -> bool:
    """The order will not happen. False: too late, it has left the house."""
    with transaction():
        if not orders.mark_cancelled(order.reference):
            return False
        _return_money(order.reference)
    return True


def ship_order(order: Order) -> bool:
    """Goods leave only when everything is paid, and only once."""
    return orders.mark_shipped(order.reference)


def _accept(payment: Payment, *, amount_minor: int | None) -> None:
    with transaction():
        if not payments.finish(payment, "accepted", amount_minor=amount_minor):
            return
        if not orders.mark_paid(payment.order_reference):
            _return_money(payment.order_reference)


def _return_money(order_reference: str) -> None:
    payment = payments.newest(order_reference)
    if payment is not None and not payments.finish(payment, "stopped"):
        payments.give_back(payment)


def _card_accepts(method: Method) -> bool:
    """The demo's card company. A real shop asks its payment provider here."""
    return method == "card"
