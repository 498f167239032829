"""The routes about vouchers: see them, add one by its code or one of one's own, take one off.

A code is in the body of the form that adds it and nowhere after that: not in the redirect, the session or a log. What
is added is known by its id; ids of others that somebody writes into a form are not.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, jsonify, make_response, render_template, request, session
from werkzeug import Response
from werkzeug.exceptions import BadRequest

from flask_punktgenau import csrf
from flask_punktgenau.answers import wants_json
from flask_punktgenau.choices import ORDER_REFERENCE_LENGTH_MAX
from flask_punktgenau.locales import current_language
from flask_punktgenau.preview import preview
from flask_punktgenau.redirects import next_page, see_other
from flask_punktgenau.session import Chosen, Notice, keep_notice
from flask_punktgenau.state import AppState, current_state, logger
from flask_punktgenau.visitor import current_visitor, find_own_order
from flask_punktgenau.voucher_page import vouchers_view
from flask_punktgenau.voucher_wish import keep_chosen, look, own_vouchers, read_chosen, takes_vouchers
from flask_punktgenau.vouchers import pay_with
from flask_punktgenau.wishing import OVER, find_wish
from punktgenau.checkout import Cart, Checkout
from punktgenau.checkout.vouchers import MOST
from punktgenau.errors import (
    ConfigurationError,
    InvalidArgumentError,
    NotLinkedError,
    PunktgenauError,
    RateLimitedError,
    VoucherError,
)
from punktgenau.voucher_records import Voucher

_SAME_TO_GUESSERS = frozenset({"voucher_not_valid_here", "voucher_currency", "invalid_argument"})
"""Told as "not known here": else a guesser would learn that a code exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    """Whose vouchers, and what they are to pay: the cart in front, or an order that is tried again.

    `before`: those that were added so far.
    """

    state: AppState
    checkout: Checkout
    customer_id: str
    cart: Cart
    order_reference: str
    before: tuple[Chosen, ...]


def add_routes(pages: Blueprint) -> None:
    """GET vouchers, POST vouchers/add, vouchers/use and vouchers/remove."""
    pages.get("/vouchers")(vouchers)
    pages.post("/vouchers/add")(add_voucher)
    pages.post("/vouchers/use")(use_voucher)
    pages.post("/vouchers/remove")(remove_voucher)


def vouchers() -> Response:
    """The vouchers that pay, and those that could."""
    state = current_state()
    view = vouchers_view(state, order_reference=_order_reference())
    return make_response(render_template("punktgenau/vouchers.html", view=view, t=current_language(state)))


def add_voucher() -> Response:
    """Look a code up and let that voucher pay, after those that do."""
    try:
        about = _about()
        _require_room(about)
        found = _looked_up(about, _given("code"))
        about.state.vouchers.seen.keep(about.customer_id, [found])
        _add(about, found)
        about.state.vouchers.guessing.forgive(_guesser(about))
    except PunktgenauError as error:
        return _refused(error)
    return _done(about)


def use_voucher() -> Response:
    """Let a voucher of the linked account pay, after those that do."""
    try:
        about = _about()
        _require_room(about)
        wanted = _given("voucher")
        own = own_vouchers(about.state, about.checkout, about.customer_id)
        found = next((one for one in own if one.id == wanted), None)
        if found is None:
            logger.warning("refused: a voucher that is not of the linked account (%s)", request.endpoint)
            raise VoucherError("The linked account has no such voucher.", code="voucher_unknown", field="voucher")
        _add(about, found)
    except PunktgenauError as error:
        return _refused(error)
    return _done(about)


def remove_voucher() -> Response:
    """Let a voucher not pay; the others stay as they are."""
    try:
        about = _about()
        wanted = _given("voucher")
        _keep(about, [one for one in read_chosen(about.customer_id, about.order_reference) if one.id != wanted])
    except PunktgenauError as error:
        return _refused(error)
    return _done(about)


def _about() -> _About:
    state = current_state()
    if state.off_reason() is not None:
        raise ConfigurationError("Points are off in this shop.", code="points_off")
    checkout, order_reference = state.require(), _order_reference()
    if not takes_vouchers(state, checkout):
        raise ConfigurationError("No vouchers pay in this shop.", code="not_offered")
    own = find_own_order(state, checkout, order_reference) if order_reference else None
    customer_id = own.customer_id if own is not None else current_visitor(state).customer_id
    if customer_id is None or checkout.find_link(customer_id) is None:
        raise NotLinkedError("No account is linked in this browser.")
    if order_reference:
        standing = checkout.find(order_reference) if own is not None else None
        is_open = standing is None or standing.state in OVER
        cart = own.cart if own is not None and own.order.state == "pending" and is_open else None
    else:
        cart = state.loaders.load_cart()
    if cart is None:
        raise InvalidArgumentError("There is nothing here that a voucher could pay.", field="cart")
    return _About(
        state=state,
        checkout=checkout,
        customer_id=customer_id,
        cart=cart,
        order_reference=order_reference,
        before=read_chosen(customer_id, order_reference),
    )


def _looked_up(about: _About, code: str) -> Voucher:
    """The voucher with that code. Raises LimitError (`voucher_tries`), VoucherError, what else a provider answers."""
    about.state.vouchers.guessing.count(_guesser(about))
    try:
        return about.checkout.look_up_voucher(code)
    except (VoucherError, InvalidArgumentError) as error:
        if error.code in _SAME_TO_GUESSERS:
            raise _unknown() from error
        raise
    except RateLimitedError as error:
        raise about.state.vouchers.guessing.too_many() from error


def _guesser(about: _About) -> frozenset[str]:
    """By what somebody who tries codes is known: customer, browser session, and the account that is linked."""
    link = about.checkout.find_link(about.customer_id)
    names = {f"customer {about.customer_id}", f"session {session.get(csrf.NONCE, '')}"}
    return frozenset(names | ({f"member {link.member_id}"} if link is not None else set()))


def _add(about: _About, found: Voucher) -> None:
    """Raises VoucherError for one that cannot pay here, or that was added before."""
    chosen = read_chosen(about.customer_id, about.order_reference)
    if any(one.id == found.id and not one.refused for one in chosen):
        raise VoucherError("This voucher was added before.", code="voucher_chosen", field="voucher")
    others = [one for one in chosen if one.id != found.id]
    partner_id = about.state.provider().partner_id
    tried = pay_with(about.cart, [Chosen(id=found.id)], {found.id: found}, partner_id=partner_id)
    problem = tried.rows[0].problem
    if problem in _SAME_TO_GUESSERS:
        raise _unknown()
    if problem:
        raise VoucherError("This voucher cannot pay here.", code=problem, field="voucher")
    _keep(about, [*others, Chosen(id=found.id)])


def _keep(about: _About, chosen: list[Chosen]) -> None:
    keep_chosen(chosen, checkout=about.checkout, customer_id=about.customer_id, order_reference=about.order_reference)


def _require_room(about: _About) -> None:
    if len(read_chosen(about.customer_id, about.order_reference)) >= MOST:
        raise VoucherError(f"No more than {MOST} vouchers pay one order.", code="vouchers_many", field="voucher")


def _unknown() -> VoucherError:
    return VoucherError("There is no such voucher for this shop.", code="voucher_unknown", field="code")


def _done(about: _About) -> Response:
    if not wants_json():
        return see_other(next_page())
    paid, box = look(about.state, about.checkout, about.customer_id, about.cart, order_reference=about.order_reference)
    wish = find_wish(
        about.cart,
        customer_id=about.customer_id,
        order_reference=about.order_reference,
        checkout=about.checkout,
    )
    try:
        quote = about.checkout.quote(about.customer_id, paid.cart, points=wish.points if wish is not None else 0)
    except PunktgenauError:
        # Told as not done, so it is not: what paid before goes on paying.
        _keep(about, [*about.before])
        raise
    return jsonify(preview(quote, current_language(about.state), vouchers=box))


def _refused(error: PunktgenauError) -> Response:
    logger.info("no voucher was added: %s", error.brief)
    if wants_json():
        raise error
    keep_notice(Notice(code=error.code, about="vouchers"))
    return see_other(next_page())


def _order_reference() -> str:
    given = request.values.get("order_reference", "")
    if len(given) > ORDER_REFERENCE_LENGTH_MAX or not given.isprintable():
        raise InvalidArgumentError("This is no order's reference.", field="order_reference")
    return given


def _given(name: str) -> str:
    """A field of the form, or of a JSON body: a text, or empty."""
    if not request.is_json:
        return request.form.get(name, "")
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise InvalidArgumentError("The body is not JSON.", field=name) from error
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""
