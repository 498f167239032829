"""The customer asks for a return: choose what comes back, see what that gives back, ask."""

import re
import secrets
from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug import Response

from punktgenau import InProgressError, NotSentError, OutcomeUnknownError, PunktgenauError, UnavailableError

from .. import customers, orders, return_desk, returns
from ..orders import Order
from ..return_desk import Preview

pages = Blueprint("returns", __name__)

FIELD = "q."
_NUMBER = re.compile(r"[0-9]{1,3}")
_DRAFT = re.compile(rf"(?!{returns.OFFICE}:).{{1,60}}", re.S)
"""Of a form of ours; not what a return of the back office is noted under."""


@pages.get("/orders/<reference>/return")
def show(reference: str) -> str:
    order = _own(reference)
    return _page(order, _choice(order))


@pages.post("/orders/<reference>/return")
def ask(reference: str) -> Response | tuple[str, int]:
    order = _own(reference)
    choice, reason, draft = _choice(order), request.form.get("reason", ""), request.form.get("draft", "")
    lines = {sku: int(text) for sku, text in choice.asked.items() if _NUMBER.fullmatch(text)}
    if reason not in returns.REASONS or not _DRAFT.fullmatch(draft) or len(lines) < len(choice.asked):
        return _page(order, choice, problem="return.choose"), 422
    try:
        returns.ask(order, lines, reason=reason, draft=draft)
    except returns.TooLateError:
        return _page(order, choice), 422
    except returns.NothingLeftError:
        return _page(order, choice, problem="" if choice.problem else "return.nothing"), 422
    return redirect(url_for("orders.show", reference=reference) + "#returns", 303)


@dataclass(frozen=True)
class _Choice:
    """What stands in the form, as typed, and what of it can be sent back; `problem`: why that is not the same."""

    asked: dict[str, str]
    lines: dict[str, int]
    problem: str = ""


def _choice(order: Order) -> _Choice:
    asked = {line.sku: request.values.get(FIELD + line.sku, "").strip() for line in order.lines}
    asked = {sku: text for sku, text in asked.items() if text.strip("0")}
    lines: dict[str, int] = {}
    problem = ""
    rest = returns.left(order)
    for sku, text in asked.items():
        most = rest.get(sku, 0)
        if not _NUMBER.fullmatch(text):
            problem = problem or "return.no_number"
        elif int(text) > most:
            problem = problem or "return.fewer"
        if _NUMBER.fullmatch(text) and most:
            lines[sku] = min(int(text), most)
    return _Choice(asked, lines, problem)


def _preview_of(order: Order, lines: dict[str, int]) -> tuple[Preview | None, str]:
    """What goes back; or why that cannot be said: it may be in a moment, or somebody in the shop has to look."""
    if not lines:
        return None, "return.empty"
    try:
        return return_desk.preview(order, lines, shipping_minor=returns.shipping_minor(order, lines)), ""
    except PunktgenauError as error:
        is_passing = isinstance(error, (UnavailableError, InProgressError, NotSentError, OutcomeUnknownError))
        return None, "return.not_now" if is_passing else "return.ask_us"


def _page(order: Order, choice: _Choice, *, problem: str = "") -> str:
    chosen = choice.lines
    preview, why = _preview_of(order, chosen)
    return render_template(
        "return.html",
        order=order,
        left=returns.left(order),
        chosen=chosen,
        corrected=choice.problem,
        preview=preview,
        why=why,
        shipping_minor=returns.shipping_minor(order, chosen) if chosen else 0,
        can_ask=returns.can_ask(order),
        reasons=returns.REASONS,
        reason=request.values.get("reason", returns.REASONS[0]),
        problem=problem,
        draft=secrets.token_urlsafe(16),
    )


def _own(reference: str) -> Order:
    order = orders.find_own(reference, owner=customers.owner())
    if order is None or not order.shipped_at:
        abort(404)
    return_desk.of_order(reference)
    return order
