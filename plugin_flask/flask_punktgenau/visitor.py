"""Who is in front of this browser: a customer of the shop, or a guest with points linked for one order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import session

from flask_punktgenau.loaders import GUEST_PREFIX
from flask_punktgenau.session import keep, read_order
from flask_punktgenau.state import AppState, logger
from punktgenau.checkout import Cart, Checkout, Order, Payment
from punktgenau.errors import UnavailableError

GUEST = "_punktgenau_guest"
_OPEN = frozenset({"none", "authorizing", "declined"})
_GUEST_ID = re.compile(re.escape(GUEST_PREFIX) + r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """`customer_id` is None for a guest who has linked nothing."""

    customer_id: str | None
    signed_in: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrder:
    """An order of the one who is here, and whose points it uses."""

    order: Order
    cart: Cart
    customer_id: str


def current_visitor(state: AppState) -> Visitor:
    """Who is here now. A guest's link ends when somebody signs in: it was for this browser, not for that person."""
    customer_id = state.loaders.load_customer()
    guest_id = _guest_id()
    if customer_id is None:
        return Visitor(customer_id=guest_id, signed_in=False)
    if guest_id is not None:
        session.pop(GUEST)
        _forget_link(state, guest_id)
    return Visitor(customer_id=customer_id, signed_in=True)


def begin_guest(state: AppState) -> str:
    """The id of the guest in this browser, made now if there is none yet."""
    guest_id = _guest_id()
    if guest_id is None:
        guest_id = GUEST_PREFIX + state.clock.random_bytes(16).hex()
        keep(GUEST, guest_id)
    return guest_id


def end_guest(customer_id: str) -> None:
    """The guest's link is used up by an order: the next one in this browser starts without."""
    if session.get(GUEST) == customer_id:
        session.pop(GUEST)


def find_own_order(state: AppState, checkout: Checkout, order_reference: str) -> OwnOrder | None:
    """The order, if the one who is here may decide about its points; somebody else's does not exist.

    Whose it is says the journal; before anything stands there, the shop's order or this browser's session. A guest's
    order belongs to the browser that placed it.
    """
    order = state.load_order(order_reference)
    if order is None or order.cart is None or order.state == "cancelled":
        return None
    visitor, placed = current_visitor(state), read_order(order_reference)
    placed_by = placed.customer_id if placed is not None else None
    owner = checkout.customer_of(order_reference) or placed_by or order.customer_id
    if owner is None:
        return None
    # A second click may lose the cookie that remembers the order; the guest is still the same then.
    is_own = visitor.customer_id == owner or (owner.startswith(GUEST_PREFIX) and placed_by == owner)
    return OwnOrder(order=order, cart=order.cart, customer_id=owner) if is_own else None


def is_open_to_customer(payment: Payment | None) -> bool:
    """Whether the customer may still decide about an order's points: they are not known yet, or were refused.

    A hold that stands belongs to the order: its money may be on the way already, for just what the points leave.
    """
    return payment is None or payment.state in _OPEN


def _forget_link(state: AppState, guest_id: str) -> None:
    try:
        checkout = state.journal()
        if checkout is not None:
            checkout.unlink(guest_id)
    except UnavailableError as error:
        # Nobody has that id any more; a page of the shop must not fail for what is left in the journal.
        logger.warning("a guest's link could not be forgotten: %s", error.brief)


def _guest_id() -> str | None:
    kept = session.get(GUEST)
    return kept if isinstance(kept, str) and _GUEST_ID.fullmatch(kept) else None
