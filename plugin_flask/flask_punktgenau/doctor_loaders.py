"""The doctor's look at the shop's functions: each there, callable where it will be called, and of the right answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from flask import Flask

from flask_punktgenau.doctor import Finding, Scope, Sheet
from flask_punktgenau.doctor_provider import UNKNOWN_ORDER
from flask_punktgenau.loaders import Loaders
from flask_punktgenau.state import AppState
from punktgenau.checkout import Cart, Order
from punktgenau.checkout.cart import OrderState
from punktgenau.errors import PunktgenauError

SAMPLE = 20
STATES: tuple[OrderState, ...] = ("pending", "paid", "cancelled")

CUSTOMER = "@points.customer_loader\ndef customer_id() -> str | None: ..."
CART = "@points.cart_loader\ndef cart() -> Cart | None: ..."
ORDER = "@points.order_loader\ndef find_order(reference: str) -> Order | None: ..."
ORDERS = "@points.orders_loader\ndef orders(since: datetime, until: datetime) -> Iterator[Order]: ..."
ANSWERS = {
    "customer_loader": "return str(user.id) if user else None      # None: nobody is signed in",
    "cart_loader": 'line = Line(sku=..., quantity=1, unit_price_minor=..., vat_rate="19")\n'
    'return Cart(currency="EUR", lines=[line])',
    "operator_loader": "return str(user.id) if user and user.is_admin else None",
}
"""The line that a function ends with which answers as it should."""
OPERATOR = "@points.operator_loader\ndef operator_id() -> str | None: ..."


def look_at_loaders(app: Flask, state: AppState, scope: Scope) -> Iterator[Finding]:
    """Every function that a shop registers."""
    sheet, loaders = Sheet("loaders"), state.loaders
    if loaders.customer is None:
        yield sheet.warning("no_customer_loader", "Everybody is a guest: nobody says who is signed in.", CUSTOMER)
    else:
        yield _asked_in_a_request(sheet, app, "customer_loader", loaders.load_customer)
    if loaders.cart is None:
        yield sheet.broken("no_cart_loader", "The points box cannot know the cart.", CART)
    else:
        yield _asked_in_a_request(sheet, app, "cart_loader", loaders.load_cart)
    if loaders.order is None:
        yield sheet.broken("no_order_loader", "Recovery cannot know what became of an order.", ORDER)
    else:
        yield _order_loader(sheet, state)
    if loaders.orders is None:
        yield sheet.warning("no_orders_loader", "Nobody can compare the shop's orders with their points.", ORDERS)
    else:
        yield from _orders_loader(sheet, state, loaders, scope)
    if loaders.operator is None:
        yield sheet.note("no_operator_loader", "There is no back office without somebody who may use it.", OPERATOR)
    else:
        yield _asked_in_a_request(sheet, app, "operator_loader", loaders.operator)


def _asked_in_a_request(sheet: Sheet, app: Flask, name: str, load: Callable[[], object]) -> Finding:
    """Called as a visitor whom nobody knows would have it called."""
    try:
        with app.test_request_context("/"):
            answer = load()
    except PunktgenauError as error:
        return sheet.broken(f"{name}_answer", error.message, ANSWERS[name])
    except Exception as error:  # the shop's code: told, whatever it is
        # It may rely on what runs before each request, which did not run here.
        what = f"{name} fails for a visitor whom nobody knows: {_told(error)}"
        return sheet.warning(f"{name}_fails", what, ANSWERS[name])
    if name == "operator_loader" and answer is not None:
        return sheet.broken("operator_open", "operator_loader lets in whom nobody knows.", OPERATOR)
    if answer is not None and not isinstance(answer, (str, Cart)):
        return sheet.broken(f"{name}_answer", f"{name} answers {type(answer).__name__}.", ANSWERS[name])
    return sheet.fine(name, f"{name} answers.")


def _order_loader(sheet: Sheet, state: AppState) -> Finding:
    """Without a request, about an order that there is not."""
    try:
        answer = state.load_order(UNKNOWN_ORDER)
    except PunktgenauError as error:
        return sheet.broken("order_loader_answer", error.message, ORDER)
    except Exception as error:  # the shop's code: told, whatever it is
        fix = "return None for an order that does not exist, and use no request in it"
        return sheet.broken("order_loader_fails", f"order_loader fails outside of a request: {_told(error)}", fix)
    if answer is not None:
        return sheet.broken(
            "order_loader_invents", "order_loader answers with an order that does not exist.", "return None"
        )
    return sheet.fine("order_loader", "order_loader answers outside of a request.")


def _orders_loader(sheet: Sheet, state: AppState, loaders: Loaders, scope: Scope) -> Iterator[Finding]:
    if loaders.orders is None:
        return
    try:
        sample = list(islice(loaders.orders(scope.since, scope.until), SAMPLE))
    except Exception as error:  # the shop's code: told, whatever it is
        yield sheet.broken("orders_loader_fails", f"orders_loader fails outside of a request: {_told(error)}", ORDERS)
        return
    wrong = next((problem for order in sample if (problem := _problem(order, scope))), None)
    if wrong is not None:
        yield sheet.broken("orders_loader_answer", f"orders_loader: {wrong}", ORDERS)
        return
    yield sheet.fine("orders_loader", "orders_loader answers outside of a request.")
    if not sample:
        yield sheet.note("no_orders", "It knows no orders of this time.")
        return
    if loaders.order is not None:
        yield from _same_orders(sheet, state, sample)
    if not any(order.url for order in sample):
        yield sheet.warning(
            "no_order_url", "Orders have no url, so customers are not led back to them.", "Order(url=...)"
        )
    if not any(order.customer_id for order in sample):
        yield sheet.note("no_order_customer", "Orders do not say whose they are.", "Order(customer_id=...)")


def _same_orders(sheet: Sheet, state: AppState, sample: list[Order]) -> Iterator[Finding]:
    for order in sample:
        try:
            same = state.load_order(order.reference)
        except Exception as error:  # the shop's code: told, whatever it is
            yield sheet.broken("order_loader_fails", f"order_loader fails for {order.reference}: {_told(error)}", ORDER)
            return
        if same is None:
            yield sheet.broken(
                "order_loader_forgets", f"orders_loader knows {order.reference}, order_loader does not.", ORDER
            )
            return
        if (same.reference, _due(same)) != (order.reference, _due(order)):
            yield sheet.broken("loaders_differ", f"The two loaders tell different things about {order.reference}.")
            return
    yield sheet.fine("loaders_agree", "order_loader finds the orders that orders_loader tells of.")


def _problem(order: object, scope: Scope) -> str | None:
    """What is wrong with what orders_loader gave; None: nothing."""
    if not isinstance(order, Order):
        return f"it gives {type(order).__name__}, not Order."
    if order.state not in STATES:
        return f"{order.reference} is {order.state!r}, which is none of {', '.join(STATES)}."
    if not isinstance(order.cart, Cart):
        return f"{order.reference} has no cart, so nobody can say what was due."
    if order.placed_at is None or order.placed_at.tzinfo is None:
        return f"{order.reference} does not say when it was placed, with its time zone."
    if not scope.since <= order.placed_at < scope.until:
        return f"{order.reference} was not placed in the time that was asked for."
    return None


def _due(order: Order) -> int | None:
    return None if order.cart is None else order.cart.payable.amount_minor


def _told(error: Exception) -> str:
    text = " ".join(str(error).split())[:120]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
