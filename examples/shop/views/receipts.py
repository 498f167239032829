"""The receipt of a paid order, to look at and to print: for its customer, and behind the counter."""

from flask import Blueprint, abort, render_template

from punktgenau import PunktgenauError

from .. import bill, changes, clerk, customers, language, orders, payments, return_desk
from ..bill import Bill
from ..orders import Order

pages = Blueprint("receipts", __name__)


@pages.get("/orders/<reference>/receipt")
def show(reference: str) -> str:
    order = orders.find(reference) if clerk.current() else orders.find_own(reference, owner=customers.owner())
    if order is None or order.paid_at is None:
        abort(404)
    paid = _bill(order)
    return render_template(
        "receipt.html",
        order=order,
        bill=paid,
        invoice=paid.invoice if paid else None,
        payments=[one for one in payments.history(reference) if one.amount_minor and one.state in _PAID],
        changed_minor=changes.money_back_minor(reference),
        instead_minor=sum(one.instead_minor for one in changes.of_order(reference)),
        returns=[one for one in return_desk.of_order(reference) if one.state == "confirmed"],
        day=language.day,
    )


_PAID = ("accepted", "refunded")


def _bill(order: Order) -> Bill | None:
    """None: nobody knows yet who has paid what, so no receipt may say so."""
    try:
        return bill.of(order)
    except PunktgenauError:
        return None
