"""Order pages. An order that belongs to somebody else does not exist."""

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug import Response

from punktgenau import PunktgenauError

from .. import bill, changes, clerk, customers, orders, payments, return_desk, returns, till
from ..orders import Order
from ..payments import Method, Payment
from ..points import due_minor, points
from ..returns import Return
from ..settings import Settings
from ..story import Event, story_of

pages = Blueprint("orders", __name__)

_FOR_THE_REST: tuple[Method, ...] = ("card", "card_declined")


@pages.get("/orders")
def index() -> str:
    own = orders.list_own(owner=customers.owner())
    rows = [(order, situation(order, payments.newest(order.reference))) for order in own]
    return render_template("orders.html", rows=rows)


@pages.get("/orders/<reference>")
def show(reference: str) -> str | Response:
    order = orders.find_own(reference, owner=customers.owner())
    if order is None and clerk.current() and orders.find(reference):
        # The back office's link to an order leads here, too.
        return redirect(url_for("clerk.order", reference=reference), 303)
    return _page(order or abort(404))


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


@pages.post("/orders/<reference>/rest")
def pay_rest(reference: str) -> Response:
    """What the points could not pay any more, by card."""
    number, amount = request.form.get("number", ""), request.form.get("amount", "")
    method = chosen_method(needs_money=True)
    if method in _FOR_THE_REST and all(
        text.isascii() and text.isdigit() and len(text) < 9 for text in (number, amount)
    ):
        till.pay_rest(_own(reference), number=int(number), method=method, amount_minor=int(amount))
    return redirect(url_for(".show", reference=reference), 303)


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
        return _shipped(order) if order.shipped_at else _paid(order)
    if payment is None or not (payment.is_live or payment.state == "declined"):
        by_points = points.find(order.reference)
        return "unconfirmed" if by_points and by_points.state == "authorizing" else "unpaid"
    if payment.state == "declined":
        return "refused" if payment.method == "bank" else "declined"
    return "waiting" if payment.state == "waiting" else "working"


def ship_problem(order: Order) -> str:
    """Why an order does not leave."""
    if changes.begun(order.reference):
        return "clerk.begun"
    return "demo.not_covered" if any(returns.kept(order).values()) else "clerk.all_back"


def _shipped(order: Order) -> str:
    asked = returns.of_order(order.reference)
    if any(one.is_open for one in asked):
        return "return_asked"
    is_confirmed = any(one.state == "confirmed" for one in asked)
    return "returned" if is_confirmed and not any(returns.left(order).values()) else "shipped"


def _paid(order: Order) -> str:
    if not any(returns.kept(order).values()):
        return "returned"
    by_points = points.find(order.reference)
    if till.open_minor(order):
        return "short"
    return "settling" if by_points and by_points.state in ("short", "needs_attention") else "paid"


def happened(order: Order, tries: tuple[Payment, ...], all_returns: tuple[Return, ...]) -> list[Event]:
    """What happened to an order, for whoever looks at it."""
    by_points = points.find(order.reference)
    return story_of(
        order,
        tries,
        all_returns,
        changes.of_order(order.reference),
        bill.points_back(order),
        has_vouchers=bool(by_points and by_points.asked_vouchers),
    )


def _page(order: Order, *, is_refused: bool = False) -> str:
    bill.learn(order)
    tries = payments.history(order.reference)
    payment = tries[-1] if tries else None
    all_returns = return_desk.of_order(order.reference)
    where = situation(order, payment)
    by_points = points.find(order.reference)
    return render_template(
        "order.html",
        order=order,
        situation=where,
        story=happened(order, tries, all_returns),
        returns=all_returns,
        can_cancel=order.can_cancel and not all_returns,
        can_return=returns.can_ask(order),
        bank_url=bank_url(payment) if payment and payment.state == "waiting" else None,
        explained=_explained(order, where, tries, all_returns),
        # Why no points were used does not matter any more once the order is paid without them, or will not happen.
        shows_points=order.state == "pending" or not (by_points and by_points.state == "declined"),
        open_minor=till.open_minor(order),
        rest_methods=_FOR_THE_REST,
        can_pay=where in ("unpaid", "declined", "refused"),
        is_refused=is_refused,
        next_number=len(tries) + 1,
        methods=payments.METHODS,
    )


def _explained(order: Order, where: str, tries: tuple[Payment, ...], all_returns: tuple[Return, ...]) -> str:
    """The text below the situation; where nothing was paid, nothing goes back, nor do points that were refused."""
    if where == "returned" and any(one.points_state == "declined" for one in all_returns):
        return "returned_refused"
    if where == "returned" and any(one.expired and not one.expired_minor + one.new_points for one in all_returns):
        return "returned_expired"
    was_paid = order.paid_at is not None or any(payment.state == "refunded" for payment in tries)
    return where if where != "cancelled" or was_paid else "cancelled_unpaid"


def _own(reference: str) -> Order:
    return orders.find_own(reference, owner=customers.owner()) or abort(404)
