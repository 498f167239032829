"""Behind the counter: orders, parcels, returns. For anybody else these pages do not exist."""

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from werkzeug import Response

from punktgenau import PunktgenauError

from .. import bill, changes, clerk, orders, payments, return_desk, returns, till
from ..bill import Bill
from ..orders import Order
from ..points import points
from ..return_desk import Preview
from ..returns import Return
from .orders import happened, ship_problem, situation

pages = Blueprint("clerk", __name__, url_prefix="/clerk")
_PAGE = 40
_OFFICE = "punktgenau_office.redemptions"


@pages.before_request
def let_in() -> None:
    if request.endpoint != "clerk.sign_in" and clerk.current() is None:
        abort(404)


@pages.post("/sign-in")
def sign_in() -> Response:
    clerk.sign_in()
    return redirect(url_for(".index"), 303)


@pages.post("/sign-out")
def sign_out() -> Response:
    clerk.sign_out()
    return redirect(url_for("account.show"), 303)


@pages.get("/orders")
def index() -> str:
    show, before = request.args.get("show", "all"), request.args.get("before", "")
    if show not in orders.LISTS:
        abort(404)
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
    found = orders.list_all(show, before=number, most=_PAGE + 1)
    rows = [
        (order, situation(order, payments.newest(order.reference)), points.find(order.reference))
        for order in found[:_PAGE]
    ]
    return render_template(
        "clerk_orders.html",
        rows=rows,
        show=show,
        lists=orders.LISTS,
        counts={"returns": returns.count_open(), "to_ship": orders.count_to_ship()},
        older=orders.number_of(found[_PAGE - 1].reference) if len(found) > _PAGE else None,
        is_first=number is None,
        office_url=url_for(_OFFICE) if _OFFICE in current_app.view_functions else "",
    )


@pages.get("/orders/<reference>")
def order(reference: str) -> str:
    return _page(_order(reference))


@pages.post("/orders/<reference>/ship")
def ship(reference: str) -> Response:
    flash("clerk.shipped" if till.ship_order(_order(reference)) else ship_problem(_order(reference)), "clerk")
    return redirect(url_for(".order", reference=reference), 303)


@pages.post("/orders/<reference>/change")
def change(reference: str) -> Response | tuple[str, int]:
    found = _order(reference)
    kept = {line.sku: request.form.get(f"q.{line.sku}", "") for line in found.lines}
    if not all(count.isascii() and count.isdigit() and len(count) < 4 for count in kept.values()):
        abort(400)
    if not _can_change(found) or request.form.get("seen_total") != str(found.total_minor):
        flash("clerk.decided", "clerk")
        return redirect(url_for(".order", reference=reference), 303)
    try:
        changes.reduce(found, {sku: int(count) for sku, count in kept.items()}, by=clerk.NAME)
        flash("clerk.changed", "clerk")
    except changes.NotLessError:
        flash("clerk.not_less", "clerk")
    except changes.DecidedError:
        flash("clerk.decided", "clerk")
    except changes.BegunError:
        flash("clerk.begun", "clerk")
    except PunktgenauError as error:
        return _page(found, problem=error), 409
    return redirect(url_for(".order", reference=reference), 303)


@pages.post("/returns/<return_reference>/confirm")
def confirm(return_reference: str) -> Response | tuple[str, int]:
    wanted, found = _return(return_reference)
    try:
        done = return_desk.confirm(found, wanted, by=clerk.NAME)
    except PunktgenauError as error:
        return _page(found, problem=error), 409
    now = {one.reference: one for one in return_desk.of_order(found.reference)}[return_reference]
    told = "clerk.taken" if now.points_state == "declined" else "clerk.confirmed"
    flash(told if done else "clerk.decided", "clerk")
    return redirect(url_for(".order", reference=found.reference) + "#returns", 303)


@pages.post("/returns/<return_reference>/refuse")
def refuse(return_reference: str) -> Response:
    wanted, found = _return(return_reference)
    flash("clerk.refused" if returns.refuse(wanted.reference, by=clerk.NAME) else "clerk.decided", "clerk")
    return redirect(url_for(".order", reference=found.reference) + "#returns", 303)


def _page(order: Order, *, problem: PunktgenauError | None = None) -> str:
    bill.learn(order)
    tries, all_returns = payments.history(order.reference), return_desk.of_order(order.reference)
    where, begun = situation(order, tries[-1] if tries else None), changes.begun(order.reference)
    return render_template(
        "clerk_order.html",
        order=order,
        situation=where,
        story=happened(order, tries, all_returns),
        bill=_bill(order),
        returns=all_returns,
        previews={one.reference: _preview(order, one) for one in all_returns if one.state == "asked"},
        can_change=_can_change(order),
        has_vouchers=_has_vouchers(order),
        can_ship=order.can_ship and any(returns.kept(order).values()) and not begun,
        begun=begun,
        problem=problem,
    )


def _preview(order: Order, wanted: Return) -> Preview | None:
    """What confirming it would give back; None: that cannot be said, and confirming tells why."""
    try:
        return return_desk.preview(order, wanted.lines, shipping_minor=wanted.shipping_minor)
    except PunktgenauError:
        return None


def _can_change(order: Order) -> bool:
    """Whether the order may be made smaller here; once something of it came back, only by further returns.

    Vouchers are taken whole, so an order that they pay is cancelled and placed anew.
    """
    return order.can_ship and not return_desk.of_order(order.reference) and not _has_vouchers(order)


def _has_vouchers(order: Order) -> bool:
    by_points = points.find(order.reference)
    return by_points is not None and bool(by_points.vouchers)


def _bill(order: Order) -> Bill | None:
    """Who pays the order; None while nobody knows, and once it will not happen."""
    try:
        return None if order.state == "cancelled" else bill.of(order)
    except PunktgenauError:
        return None


def _order(reference: str) -> Order:
    return orders.find(reference) or abort(404)


def _return(return_reference: str) -> tuple[Return, Order]:
    wanted = returns.find(return_reference) or abort(404)
    return wanted, _order(wanted.order_reference)
