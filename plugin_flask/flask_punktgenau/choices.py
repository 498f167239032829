"""The two ways on while an order's points are not confirmed: try again, or go on without points."""

from __future__ import annotations

from flask import Blueprint, abort, request
from werkzeug import Response

from flask_punktgenau.placing import authorize
from flask_punktgenau.redirects import see_other
from flask_punktgenau.session import Chosen, Points, read_order
from flask_punktgenau.state import current_state, logger
from flask_punktgenau.visitor import OwnOrder, find_own_order, is_open_to_customer
from punktgenau.checkout import Payment

ORDER_REFERENCE_LENGTH_MAX = 36


def add_routes(pages: Blueprint) -> None:
    """POST retry and POST without."""
    pages.post("/retry")(retry)
    pages.post("/without")(without)


def retry() -> Response:
    """The same points for the same order, again: the same attempt where it is still open."""
    own, payment = _own_order()
    if payment is not None and payment.state == "authorizing" and own.order.state == "pending":
        # By the order alone: whatever became of the cart meanwhile, this is about the points that were asked for.
        current_state().require().try_again(own.order.reference)
        return _back_to(own)
    placed = read_order(own.order.reference)
    if placed is None:
        return _go_on(own, payment, points=payment.points if payment is not None else 0)
    return _go_on(own, payment, points=placed.points, chosen=placed.vouchers)


def without() -> Response:
    """No points for this order: it is charged in full, and whatever may be held is given back."""
    own, payment = _own_order()
    return _go_on(own, payment, points=0)


def _own_order() -> tuple[OwnOrder, Payment | None]:
    """The order that the form names; one that is somebody else's, unknown or cancelled does not exist here."""
    state = current_state()
    order_reference = request.form.get("order_reference", "")
    checkout = state.journal()
    if checkout is None or len(order_reference) > ORDER_REFERENCE_LENGTH_MAX or not order_reference.isprintable():
        abort(404)
    own = find_own_order(state, checkout, order_reference)
    if own is None:
        # One who tries many is somebody to look at; whose order it is, is nobody's business here.
        logger.warning("refused: an order of somebody else, or none (%s)", request.endpoint)
        abort(404)
    return own, checkout.find(order_reference)


def _go_on(own: OwnOrder, payment: Payment | None, *, points: Points, chosen: tuple[Chosen, ...] = ()) -> Response:
    if is_open_to_customer(payment) and own.order.state == "pending":
        authorize(own.order.reference, own.cart, points=points, customer_id=own.customer_id, chosen=chosen)
    return _back_to(own)


def _back_to(own: OwnOrder) -> Response:
    return see_other(own.order.url or request.script_root + "/")
