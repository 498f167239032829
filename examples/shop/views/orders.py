"""Order pages. An order that belongs to somebody else does not exist."""

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug import Response

from .. import customers, orders, payments, till
from ..orders import Order
from ..payments import Payment
from ..settings import Settings
from ..story import story_of

pages = Blueprint("orders", __name__)


@pages.get("/orders")
def index() -> str:
    own = orders.list_own(owner=customers.owner())
    rows = [(order, situation(order, payments.newest(order.reference))) for order in own]
    return render_template("orders.html", rows=rows)


@pages.get("/orders/<reference>")
def show(reference: str) -> str:
    order = _own(reference)
    tries = payments.history(reference)
    payment = tries[-1] if tries else None
    return render_template(
        "order.html",
        order=order,
        payment=payment,
        situation=situation(order, payment),
        story=story_of(order, tries),
        bank_url=bank_url(payment) if payment and payment.state == "waiting" else None,
        next_number=len(tries) + 1,
        methods=payments.METHODS,
    )


@pages.post("/orders/<reference>/pay")
def pay(reference: str) -> Response:
    order = _own(reference)
    number, method = request.form.get("number", ""), request.form.get("method", "")
    for known in payments.METHODS:
        if known == method and number.isascii() and number.isdigit() and len(number) <= 3:
            till.pay(order, number=int(number), method=known)
    return redirect(next_page(reference), 303)


@pages.post("/orders/<reference>/cancel")
def cancel(reference: str) -> Response:
    till.cancel_order(_own(reference))
    return redirect(url_for(".show", reference=reference), 303)


def next_page(reference: str) -> str:
    """Where the customer goes after paying: the bank's page if it waits for them, else the order."""
    payment = payments.newest(reference)
    if payment and payment.state == "waiting":
        return bank_url(payment)
    return url_for("orders.show", reference=reference)


def bank_url(payment: Payment) -> str:
    """The bank is another site: the same host, another port."""
    settings: Settings = current_app.extensions["shop_settings"]
    host = request.host.rsplit(":", 1)[0]
    return f"http://{host}:{settings.bank_port}/payments/{payment.token}"


def situation(order: Order, payment: Payment | None) -> str:
    """One word for where the order stands; its texts are `order.situation.*`."""
    if order.state == "cancelled":
        return "cancelled"
    if order.state == "paid":
        return "shipped" if order.shipped_at else "paid"
    if payment is None or not (payment.is_live or payment.state == "declined"):
        return "unpaid"
    if payment.state == "declined":
        return "refused" if payment.method == "bank" else "declined"
    return "waiting" if payment.state == "waiting" else "working"


def _own(reference: str) -> Order:
    return orders.find_own(reference, owner=customers.owner()) or abort(404)
