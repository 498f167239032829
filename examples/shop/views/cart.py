"""The cart page: change quantities, remove, go on to the checkout."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug import Response

from .. import cart, catalogue

pages = Blueprint("cart", __name__)


@pages.get("/cart")
def show() -> str:
    return render_template("cart.html", max_quantity=cart.MAX_QUANTITY)


@pages.post("/cart/add")
def add() -> Response:
    cart.add(_sku(), max(1, _quantity(default=1)))
    return redirect(url_for(".show"), 303)


@pages.post("/cart/change")
def change() -> Response:
    cart.put(_sku(), 0 if "remove" in request.form else _quantity(default=1))
    return redirect(url_for(".show"), 303)


def _sku() -> str:
    article = catalogue.find(request.form.get("sku", ""))
    if article is None:
        abort(404)
    return article.sku


def _quantity(*, default: int) -> int:
    """Two digits are enough for a lamp; anything else leaves the default."""
    given = request.form.get("quantity", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 2 else default
