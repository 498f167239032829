"""Order pages. An order that belongs to somebody else does not exist."""

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug import Response

from punktgenau import PunktgenauError

from .. import customers, orders, payments, till
from ..orders import Order
from ..payments import Method, Payment
from ..points import due_minor, points
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
    return _page(_own(reference))


@pages.post("/orders/<reference>/pay")
def pay(reference: str) -> Response | tuple[str, int]:
    order = _own(reference)
    number = request.form.get("number", "")
    if order.state == "pending" and number.isascii() and number.isdigit() and len(number) <= 3:
        try:
            needs_money = due_minor(order) > 0
        except PunktgenauError:
            return _page(order, is_refused=True), 422
        method = chosen_method(needs_money=needs_money)
        if method:
            till.pay(order, number=int(number), method=method)
    return redirect(next_page(reference), 303)


@pages.post("/orders/<reference>/cancel")
def cancel(reference: str) -> Response:
    till.cancel_order(_own(reference))
    return redirect(url_for(".show", reference=reference), 303)


def chosen_method(*, needs_money: bool) -> Method | None:
    """The way to pay that was chosen in this form; None when there is none although money is needed."""
    for method in payments.METHODS:
        if request.form.get("method") == method:
            return method
    return None if needs_money else "none"


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
        by_points = points.find(order.reference)
        return "unconfirmed" if by_points and by_points.state == "authorizing" else "unpaid"
    if payment.state == "declined":
        return "refused" if payment.method == "bank" else "declined"
    return "waiting" if payment.state == "waiting" else "working"


def _page(order: Order, *, is_refused: bool = False) -> str:
    tries = payments.history(order.reference)
    payment = tries[-1] if tries else None
    where = situation(order, payment)
    return render_template(
        "order.html",
        order=order,
        situation=where,
        story=story_of(order, tries),
        bank_url=bank_url(payment) if payment and payment.state == "waiting" else None,
        can_pay=where in ("unpaid", "declined", "refused"),
        is_refused=is_refused,
        next_number=len(tries) + 1,
        methods=payments.METHODS,
    )


def _own(reference: str) -> Order:
    return orders.find_own(reference, owner=customers.owner()) or abort(404)
