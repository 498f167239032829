"""The drawer at the foot: not part of a shop, only of this demo."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug import Response

from .. import customers, drawer, orders, till
from ..control import SandboxAwayError
from .orders import ship_problem

pages = Blueprint("demo", __name__, url_prefix="/demo")


@pages.get("/provider")
def provider() -> str:
    """The provider's books: as a page, or as the part of one that the drawer fetches."""
    bare = "part" in request.args
    return render_template(
        "provider.html" if not bare else "provider_part.html", snapshot=drawer.snapshot(customers.current())
    )


@pages.post("/do/<action>")
def do(action: str) -> Response:
    step = drawer.ACTIONS.get(action) or abort(404)
    try:
        step()
        flash(f"demo.done.{action}", "demo")
    except SandboxAwayError:
        flash("demo.unreachable", "demo")
    return _back()


@pages.post("/ship")
def ship() -> Response:
    reference = request.form.get("order_reference", "")
    order = orders.find_own(reference, owner=customers.owner()) or abort(404)
    flash("demo.done.ship" if till.ship_order(order) else ship_problem(order), "demo")
    return redirect(url_for("orders.show", reference=reference), 303)


def _back() -> Response:
    """To the page whose drawer it was; never to another site."""
    path = request.form.get("back", "")
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return redirect(path if inside else url_for("catalogue.start"), 303)
