"""The customer asks for a return: choose what comes back, see what that gives back, ask."""

import secrets

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug import Response

from punktgenau import PunktgenauError

from .. import customers, orders, return_desk, returns
from ..orders import Order
from ..return_desk import Preview

pages = Blueprint("returns", __name__)

FIELD = "q."


@pages.get("/orders/<reference>/return")
def show(reference: str) -> str:
    order = _own(reference)
    chosen = chosen_lines(order)
    return _page(order, chosen)


@pages.post("/orders/<reference>/return")
def ask(reference: str) -> Response | tuple[str, int]:
    order = _own(reference)
    chosen, reason, draft = chosen_lines(order), request.form.get("reason", ""), request.form.get("draft", "")
    if reason not in returns.REASONS or not 1 <= len(draft) <= 60:
        return _page(order, chosen, problem="return.choose"), 422
    try:
        returns.ask(order, chosen, reason=reason, draft=draft)
    except returns.NothingLeftError:
        return _page(order, {}, problem="return.nothing"), 422
    return redirect(url_for("orders.show", reference=reference) + "#returns", 303)


def chosen_lines(order: Order) -> dict[str, int]:
    """What stands in the form: so many units of each line, at most as many as are left."""
    rest, chosen = returns.left(order), {}
    for sku, most in rest.items():
        given = request.values.get(FIELD + sku, "")
        if given.isascii() and given.isdigit() and len(given) <= 3 and int(given) > 0:
            chosen[sku] = min(int(given), most)
    return {sku: count for sku, count in chosen.items() if count}


def preview_of(order: Order, lines: dict[str, int]) -> Preview | None:
    """None: nothing is chosen, or nobody can say now."""
    if not lines:
        return None
    try:
        return return_desk.preview(order, lines, shipping_minor=returns.shipping_minor(order, lines))
    except PunktgenauError:
        return None


def _page(order: Order, chosen: dict[str, int], *, problem: str = "") -> str:
    return render_template(
        "return.html",
        order=order,
        left=returns.left(order),
        chosen=chosen,
        preview=preview_of(order, chosen),
        shipping_minor=returns.shipping_minor(order, chosen) if chosen else 0,
        can_ask=returns.can_ask(order),
        reasons=returns.REASONS,
        reason=request.values.get("reason", returns.REASONS[0]),
        problem=problem,
        draft=request.form.get("draft") or secrets.token_urlsafe(16),
    )


def _own(reference: str) -> Order:
    order = orders.find_own(reference, owner=customers.owner())
    return order if order is not None and order.shipped_at else abort(404)
