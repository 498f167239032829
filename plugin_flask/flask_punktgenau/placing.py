"""The moment an order is placed: how many points the customer wants for it, and the call that holds them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import has_request_context, request

from flask_punktgenau.asking import ask_quote
from flask_punktgenau.problems import remember_order
from flask_punktgenau.session import (
    ALL,
    Chosen,
    PlacedOrder,
    Points,
    drop_vouchers,
    drop_wish,
    keep_order,
    read_order,
    read_wish,
)
from flask_punktgenau.state import AppState, current_state
from flask_punktgenau.transactions import require_no_open_transaction
from flask_punktgenau.visitor import current_visitor, end_guest
from flask_punktgenau.voucher_placing import LIVE, chosen_for, paid_by_vouchers
from flask_punktgenau.voucher_wish import OFFER_AGE_S, for_points_minor
from punktgenau.checkout import Cart, CartQuote, Checkout, Payment, parse_points
from punktgenau.checkout.attempt import without_points
from punktgenau.checkout.quote import refusal, unaffordable
from punktgenau.errors import AmountChangedError, InvalidArgumentError, LimitError, NotLinkedError, UnavailableError
from punktgenau.money import AMOUNT_MINOR_MAX, POINTS_MAX, Money
from punktgenau.voucher_records import Voucher

FIELD_POINTS = "punktgenau_points"
FIELD_ON_PAGE = "punktgenau_apply"
FIELD_SEEN_POINTS = "punktgenau_seen_points"
FIELD_SEEN_DUE = "punktgenau_seen_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """How many points, and what the page showed as left to pay for how many; None: it showed no such thing."""

    points: Points
    seen_points: int = 0
    seen_due: Money | None = None


def authorize(
    order_reference: str,
    cart: Cart,
    *,
    points: Points | None = None,
    customer_id: str | None = None,
    hold_s: int | None = None,
    seen_due: Money | None = None,
    vouchers: Sequence[Voucher] | None = None,
    chosen: tuple[Chosen, ...] | None = None,
) -> Payment:
    """See `Punktgenau.authorize`; `chosen` instead of the vouchers that form or session name."""
    _require_cart(cart)
    require_no_open_transaction()
    state = current_state()
    if customer_id is None and has_request_context():
        customer_id = _customer_id(state, order_reference)
    if has_request_context():
        remember_order(order_reference)
    checkout = state.journal()
    if vouchers is not None:
        reserved_minor = for_points_minor(checkout, customer_id, cart) if checkout and customer_id else 0
        partner_id = state.provider().partner_id
        cart = cart.with_vouchers(vouchers, partner_id=partner_id, reserved_minor=reserved_minor)
    elif chosen or points != 0:
        chosen = chosen_for(order_reference, customer_id=customer_id) if chosen is None else chosen
        cart = paid_by_vouchers(state, checkout, order_reference, cart, chosen, customer_id=customer_id)
    asked = _asked(checkout, order_reference, cart, points=points, customer_id=customer_id, seen_due=seen_due)
    if points is None:
        asked = _at_least_rewards(asked, cart, customer_id=customer_id)
    if asked.points == 0 and not cart.vouchers:
        return _without(checkout, order_reference, cart, asked)
    if customer_id is None:
        raise NotLinkedError("No account is linked here, so there are no points to use. Nothing was sent.")
    if checkout is None or (state.off_reason() is not None and checkout.find(order_reference) is None):
        if has_request_context():
            drop_wish()
            drop_vouchers()
        raise UnavailableError("Points are off in this shop. Nothing was sent.", code="points_off")
    if has_request_context():
        kept = chosen or tuple(Chosen(id=one.id) for one in cart.vouchers)
        was_placed = read_order(order_reference) is not None
        keep_order(order_reference, PlacedOrder(customer_id=customer_id, points=asked.points, vouchers=kept))
    try:
        payment = checkout.authorize(
            order_reference,
            cart,
            customer_id=customer_id,
            points=asked.points,
            hold_s=hold_s,
            seen_due=_due_to_insist_on(checkout, customer_id, cart, asked),
        )
    finally:
        if cart.vouchers:
            # Held or refused, they are not any more what they were.
            state.vouchers.seen.forget(customer_id)
    if has_request_context():
        drop_wish()
        if not was_placed:
            drop_vouchers()
        end_guest(customer_id)
    return payment


def quote(cart: Cart, *, order_reference: str = "", seen_due: Money | None = None) -> CartQuote | None:
    """See `Punktgenau.quote`."""
    _require_cart(cart)
    state = current_state()
    customer_id = _customer_id(state, order_reference)
    checkout = state.journal() if state.off_reason() is None else None
    chosen = chosen_for(order_reference, customer_id=customer_id, in_front=not order_reference)
    cart = paid_by_vouchers(
        state, checkout, order_reference, cart, chosen, customer_id=customer_id, max_age_s=OFFER_AGE_S
    )
    asked = _asked(
        checkout,
        order_reference,
        cart,
        points=None,
        customer_id=customer_id,
        seen_due=seen_due,
        in_front=not order_reference,
    )
    if asked.points == 0 and checkout is not None and customer_id is not None and _is_first_look(order_reference):
        # Placed in another browser: what the field on this page starts with.
        asked = replace(asked, points=checkout.asked(order_reference, customer_id=customer_id))
    asked = _at_least_rewards(asked, cart, customer_id=customer_id)
    if asked.points == 0 and cart.reward_points:
        raise _needs_points()
    if asked.points == 0 and not cart.vouchers:
        _require_unchanged(cart, asked)
        return None
    if customer_id is None:
        raise NotLinkedError("No account is linked here, so there are no points to use.")
    if checkout is None:
        drop_wish()
        raise UnavailableError("Points are off in this shop.", code="points_off")
    made = ask_quote(checkout, customer_id, cart, points=asked.points)
    if (missing := unaffordable(made)) is not None:
        raise missing
    seen = _due_to_insist_on(checkout, customer_id, cart, asked)
    if seen is not None and seen != made.due:
        raise _changed(made.due, seen)
    refused = None if asked.points == ALL and made.is_paid_by_vouchers else refusal(made)
    if refused is not None and asked.points and (made.points == 0 or (asked.points != ALL and seen is None)):
        raise refused
    return made


def _is_first_look(order_reference: str) -> bool:
    """Whether this browser knows nothing yet of the order, and no form was sent that says how many points."""
    return bool(order_reference) and request.method == "GET" and read_order(order_reference) is None


def _require_cart(cart: object) -> None:
    if not isinstance(cart, Cart):
        raise InvalidArgumentError("cart must be a Cart; nothing was sent.", field="cart")


def _customer_id(state: AppState, order_reference: str) -> str | None:
    """Whose points: the customer's; for an order placed here as a guest, that guest's, whose link it has used up."""
    visitor = current_visitor(state)
    if visitor.signed_in:
        return visitor.customer_id
    placed = read_order(order_reference)
    return placed.customer_id if placed is not None else visitor.customer_id


def _asked(
    checkout: Checkout | None,
    order_reference: str,
    cart: Cart,
    *,
    points: Points | None,
    customer_id: str | None,
    seen_due: Money | None,
    in_front: bool = True,
) -> _Asked:
    """The wish for this order: what the shop says, else what this form says, else what was chosen before.

    `in_front`: the wish for the cart in front of this browser may be meant.
    """
    if points is not None:
        # Seen by the shop's own account: it is about these very points.
        return _Asked(points=points, seen_points=0 if points == ALL else points, seen_due=seen_due)
    if has_request_context():
        if FIELD_ON_PAGE in request.form:
            return _from_form(cart, seen_due=seen_due)
        wish = read_wish(customer_id=customer_id, currency=cart.currency) if in_front else None
        if wish is not None:
            return _Asked(points=wish.shown, seen_points=wish.shown, seen_due=seen_due)
        placed = read_order(order_reference)
        if placed is not None and placed.customer_id == customer_id:
            return _Asked(points=placed.points, seen_points=0, seen_due=seen_due)
    payment = checkout.find(order_reference) if checkout is not None else None
    standing = payment.points if payment is not None and payment.state in LIVE else 0
    return _Asked(points=standing, seen_points=standing, seen_due=seen_due)


def _from_form(cart: Cart, *, seen_due: Money | None) -> _Asked:
    """What `punktgenau_field()` sent along; of the amounts only the comparison with ours counts."""
    entered = request.form.get(FIELD_POINTS, "").strip()
    points: Points = 0 if entered in ("", "0") else parse_points(entered)
    seen_points = _whole(FIELD_SEEN_POINTS, most=POINTS_MAX)
    if seen_due is None and FIELD_SEEN_DUE in request.form:
        seen_due = Money(amount_minor=_whole(FIELD_SEEN_DUE, most=AMOUNT_MINOR_MAX), currency=cart.currency)
    return _Asked(points=points, seen_points=seen_points, seen_due=seen_due)


def _whole(name: str, *, most: int) -> int:
    text = request.form.get(name, "") or "0"
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII) or int(text) > most:
        raise InvalidArgumentError(f"{name} is not a number that the page had written there.", field=name)
    return int(text)


def _without(checkout: Checkout | None, order_reference: str, cart: Cart, asked: _Asked) -> Payment:
    _require_unchanged(cart, asked)
    if has_request_context():
        placed = read_order(order_reference)
        if placed is None:
            drop_wish()
            drop_vouchers()
        else:
            # Another try to pay this order must not bring back what was just declined.
            keep_order(order_reference, replace(placed, points=0, vouchers=()))
    if checkout is None:
        if cart.reward_points:
            raise _needs_points()
        return without_points(order_reference, cart)
    # Whose points is of no matter: none are asked for, and what was asked for before is known by its order.
    return checkout.authorize(order_reference, cart, customer_id="", points=0)


def _at_least_rewards(asked: _Asked, cart: Cart, *, customer_id: str | None) -> _Asked:
    """Who chose no number uses what the cart's articles must be paid with."""
    return replace(asked, points=cart.reward_points) if asked.points == 0 and customer_id is not None else asked


def _needs_points() -> LimitError:
    return LimitError(
        "The cart has articles that must be paid with points, so it cannot be ordered without. Nothing was sent.",
        code="reward_needs_points",
        field="points",
    )


def _require_unchanged(cart: Cart, asked: _Asked) -> None:
    if asked.seen_due is not None and asked.seen_points == 0 and asked.seen_due != cart.payable:
        raise _changed(cart.payable, asked.seen_due)


def _due_to_insist_on(checkout: Checkout, customer_id: str, cart: Cart, asked: _Asked) -> Money | None:
    """What must be left to pay, as the customer saw it.

    Without JavaScript a page cannot show what a number that was just typed leaves to pay. Then what it did show must
    still hold for the number that it showed, and the engine takes exactly what was typed or nothing.
    """
    if asked.seen_due is None or asked.points == asked.seen_points or asked.points == ALL:
        return asked.seen_due
    due_then = checkout.quote(customer_id, cart, points=asked.seen_points).due
    if due_then != asked.seen_due:
        raise _changed(due_then, asked.seen_due)
    return None


def _changed(due: Money, seen_due: Money) -> AmountChangedError:
    return AmountChangedError(
        f"{due.amount_minor} would be due, the customer saw {seen_due.amount_minor} ({due.currency}, smallest unit). "
        "Nothing is held; show the customer again."
    )
