"""The receipt of a paid order, to look at and to print: for its customer, and behind the counter."""

from flask import Blueprint, abort, render_template

from punktgenau import PunktgenauError

from .. import bill, changes, clerk, customers, language, orders, payments, return_desk
from ..bill import Bill
from ..orders import Order
from ..points import points

pages = Blueprint("receipts", __name__)


@pages.get("/orders/<reference>/receipt")
def show(reference: str) -> str:
    order = orders.find(reference) if clerk.current() else orders.find_own(reference, owner=customers.owner())
    if order is None or order.paid_at is None:
        abort(404)
    paid = _bill(order)
    back_points, back_points_minor = _cancelled_points(reference) if order.cancelled_at else (0, 0)
    return render_template(
        "receipt.html",
        order=order,
        bill=paid,
        invoice=paid.invoice if paid else None,
        payments=[one for one in payments.history(reference) if one.amount_minor and one.state in _PAID],
        changed_minor=changes.money_back_minor(reference),
        returns=[one for one in return_desk.of_order(reference) if one.state == "confirmed"],
        back_points=back_points,
        back_points_minor=back_points_minor,
        day=language.day,
    )


_PAID = ("accepted", "refunded")


def _bill(order: Order) -> Bill | None:
    """None: nobody knows yet who has paid what, so no receipt may say so."""
    try:
        return bill.of(order)
    except PunktgenauError:
        return None


def _cancelled_points(order_reference: str) -> tuple[int, int]:
    """The points that the cancellation itself gave back, and their worth in cents: without changes and returns."""
    payment = points.find(order_reference)
    if payment is None:
        return 0, 0
    before = [one for one in points.refunds(order_reference) if one.state not in ("declined", "ended")]
    count = payment.returned_points - sum(one.points for one in before)
    worth_minor = payment.returned_minor - sum(one.points_value.amount_minor for one in before)
    return max(0, count), max(0, worth_minor)
