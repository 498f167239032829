"""How many points somebody wishes to use: for the cart in front, or for another try to pay an order."""

from __future__ import annotations

from flask import request

from flask_punktgenau.asking import ask_quote
from flask_punktgenau.placing import FIELD_ON_PAGE, FIELD_POINTS
from flask_punktgenau.session import (
    ALL,
    Notice,
    PlacedOrder,
    Points,
    Wish,
    drop_wish,
    keep_order,
    keep_wish,
    read_order,
    read_wish,
)
from flask_punktgenau.state import logger
from punktgenau.checkout import Cart, CartQuote, Checkout, parse_points
from punktgenau.checkout.quote import ReasonCode, refusal
from punktgenau.errors import InvalidArgumentError, PunktgenauError

_REFUSED: frozenset[ReasonCode] = frozenset({"balance", "cart", "minimum", "currency", "worthless"})
"""Reasons for which a number is refused; for the others the nearest usable number is taken, and the page says why."""
_ENTERED_LENGTH_MAX = 40
OVER = frozenset({"none", "declined", "voided", "expired", "abandoned", "reversed"})
"""States after which the same order may be paid with points and vouchers again."""


def require_usable(made: CartQuote, points: Points) -> None:
    """Raises the typed error, with what is possible, where so many points must not become another number silently."""
    refused = refusal(made)
    if refused is not None and (made.points == 0 or (points != ALL and _is_refused(made))):
        raise refused


def find_wish(
    cart: Cart, *, customer_id: str | None, order_reference: str = "", checkout: Checkout | None = None
) -> Wish | None:
    """What this browser asks for: for that order where one is named, else for its cart.

    Where another browser placed the order, it is what the journal knows of the last attempt.
    """
    if not order_reference:
        return read_wish(customer_id=customer_id, currency=cart.currency)
    placed = read_order(order_reference)
    if placed is None and checkout is not None and customer_id is not None:
        placed = PlacedOrder(customer_id=customer_id, points=checkout.asked(order_reference, customer_id=customer_id))
    if placed is None or placed.customer_id != customer_id or placed.points == 0:
        return None
    return Wish(points=placed.points, shown=0 if placed.points == ALL else placed.points)


def take_typed(checkout: Checkout, cart: Cart, *, customer_id: str, order_reference: str = "") -> Notice | None:
    """Remember what the shop's own form asked for, since its page is shown again; else the reason, to say there."""
    if request.method != "POST" or FIELD_ON_PAGE not in request.form:
        return None
    entered = request.form.get(FIELD_POINTS, "").strip()
    points: Points = 0
    shown = 0
    if entered not in ("", "0"):
        try:
            points = parse_points(entered)
        except InvalidArgumentError as error:
            return _notice(error, entered)
        try:
            made = ask_quote(checkout, customer_id, cart, points=points)
        except PunktgenauError as error:
            # The provider is away, which the box says by itself: the number waits.
            logger.info("a number of points cannot be quoted now: %s", error.brief)
        else:
            shown = made.points
            try:
                require_usable(made, points)
            except PunktgenauError as error:
                return _notice(error, entered)
    if order_reference:
        placed = read_order(order_reference)
        vouchers = placed.vouchers if placed is not None and placed.customer_id == customer_id else ()
        keep_order(order_reference, PlacedOrder(customer_id=customer_id, points=points, vouchers=vouchers))
    elif points == 0:
        drop_wish()
    else:
        keep_wish(Wish(points=points, shown=shown), customer_id=customer_id, currency=cart.currency)
    return None


def _notice(error: PunktgenauError, entered: str) -> Notice:
    return Notice(code=error.code, entered=entered[:_ENTERED_LENGTH_MAX], remaining=error.remaining)


def _is_refused(made: CartQuote) -> bool:
    return any(reason.code in _REFUSED for reason in made.reasons)
