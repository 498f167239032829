"""The moment an order is placed, as far as vouchers go: which of them are to pay, and what they pay of the cart."""

from __future__ import annotations

from collections.abc import Sequence

from flask import has_request_context, request

from flask_punktgenau.session import Chosen, read_order
from flask_punktgenau.state import AppState
from flask_punktgenau.voucher_wish import read_chosen, takes_vouchers, to_place
from punktgenau.checkout import Cart, Checkout

FIELD_VOUCHERS = "punktgenau_vouchers"
LIVE = frozenset({"authorizing", "authorized", "partially_captured", "capturing", "captured"})
"""States in which what an order was placed with stands."""


def chosen_for(order_reference: str, *, customer_id: str | None, in_front: bool = True) -> tuple[Chosen, ...]:
    """Which vouchers are to pay: of this very order where it was tried before, else of the cart in front.

    Where the form says what its page has shown, as paying: none, or whose.
    """
    shown = request.form.get(FIELD_VOUCHERS) if has_request_context() else "none"
    if shown == "none":
        return ()
    placed = read_order(order_reference)
    if shown == "order" or placed is not None or not in_front:
        return read_chosen(customer_id, order_reference) if order_reference else ()
    return read_chosen(customer_id)


def paid_by_vouchers(
    state: AppState,
    checkout: Checkout | None,
    order_reference: str,
    cart: Cart,
    chosen: Sequence[Chosen],
    *,
    customer_id: str | None,
    max_age_s: float | None = None,
) -> Cart:
    """The cart with what vouchers pay of it; for an order whose vouchers stand, just as they do.

    Raises VoucherError and what else a provider answers.
    """
    if checkout is None or customer_id is None or cart.vouchers:
        return cart
    standing = checkout.find(order_reference) if order_reference else None
    if standing is not None and standing.state in LIVE and standing.agreed_vouchers:
        ids = {one.id for one in standing.agreed_vouchers}
        if standing.customer_id == customer_id and (not chosen or ids <= {one.id for one in chosen}):
            return cart.paid_by(standing.agreed_vouchers)
    if not chosen or state.off_reason() is not None or not takes_vouchers(state, checkout):
        return cart
    age_s = float(checkout.settings.hold_s) if max_age_s is None else max_age_s
    return to_place(state, checkout, customer_id, cart, chosen, max_age_s=age_s)
