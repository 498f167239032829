"""The one-page checkout: address, delivery, payment, and the button that places the order."""

import secrets
from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug import Response

from punktgenau import AmountChangedError, PunktgenauError

from .. import address, cart, customers, language, orders, payments, till
from ..cart import ShopCart
from ..points import due_minor
from .orders import chosen_method, next_page

pages = Blueprint("checkout", __name__)

_DRAFT = "draft"


@pages.get("/checkout")
def show() -> str | Response:
    if not cart.current().lines:
        return redirect(url_for("cart.show"), 303)
    return _form(address.prefilled(customers.current()))


@pages.post("/checkout")
def place() -> str | Response | tuple[str, int]:
    draft, owner = request.form.get("draft", ""), customers.owner()
    order, shop_cart = orders.by_draft(draft, owner=owner), cart.current()
    if order is not None and shop_cart.lines and not _is_of(order, shop_cart):
        # The answer was lost, and the customer went on shopping: this cart has never been ordered.
        return _form(address.read(request.form)[0]), 422
    if order is None:
        if not shop_cart.lines:
            return redirect(url_for("cart.show"), 303)
        values, errors = address.read(request.form)
        method = None
        changed = not draft or request.form.get("seen_total") != str(shop_cart.sums.total_minor)
        try:
            method = chosen_method(needs_money=due_minor(shop_cart) > 0)
            if method is None:
                errors["method"] = "checkout.error.method"
        except AmountChangedError:
            changed = True
        except PunktgenauError as error:
            errors["points"] = error.code
        if errors or changed or method is None:
            return _form(values, errors, changed=changed), 422
        order = _place(shop_cart, values, draft=draft, owner=owner)
        _empty_cart()
        till.pay(order, number=1, method=method)
    _empty_cart()
    return redirect(next_page(order.reference), 303)


def _is_of(order: orders.Order, shop_cart: ShopCart) -> bool:
    """Whether an order was made of just this cart."""
    wanted = [(line.sku, line.quantity, line.unit_price_minor) for line in shop_cart.lines]
    return sorted(wanted) == sorted((line.sku, line.quantity, line.unit_price_minor) for line in order.lines)


def _empty_cart() -> None:
    cart.clear()
    session.pop(_DRAFT, None)


def _place(shop_cart: ShopCart, values: Mapping[str, str], *, draft: str, owner: str) -> orders.Order:
    customer = customers.current()
    return orders.place(
        shop_cart,
        address.of(values),
        draft=draft,
        owner=owner,
        customer_id=customer.id if customer else None,
        language=language.current().code,
    )


def _form(values: Mapping[str, str], errors: Mapping[str, str] | None = None, *, changed: bool = False) -> str:
    # Whose order it will be is settled before the first click, so that a second one finds the same owner.
    owner = customers.owner()
    placed = orders.by_draft(session.get(_DRAFT, ""), owner=owner)
    if placed is not None and not _is_of(placed, cart.current()):
        session[_DRAFT] = secrets.token_urlsafe(16)
    else:
        placed = None
    return render_template(
        "checkout.html",
        values=values,
        errors=errors or {},
        changed=changed,
        placed=placed,
        fields=address.FIELDS,
        methods=payments.METHODS,
        method=request.form.get("method", "card"),
        draft=session.setdefault(_DRAFT, secrets.token_urlsafe(16)),
    )
