"""What orders earn, and points that become vouchers or money, in the back office: lists, and a page for each."""

from __future__ import annotations

from flask import request
from werkzeug import Response

from flask_punktgenau.backoffice_gate import language, office, operator, page, to
from flask_punktgenau.backoffice_language import ToldError
from flask_punktgenau.backoffice_lists import filters_of
from flask_punktgenau.redirects import see_other
from flask_punktgenau.state import current_state
from flask_punktgenau.urls import order_urls
from punktgenau.checkout.office_listed import EARNING_STATES, EXCHANGE_STATES
from punktgenau.errors import NotFoundError, PunktgenauError


def earned() -> Response:
    """Everything that orders earn, newest first, a page at a time; also of orders that no points have paid."""
    filters = filters_of(language(), tuple(EARNING_STATES))
    cursor = request.args.get("after", "")
    found = office().listed.earnings(filters.search, cursor=cursor)
    return page(
        "earned.html",
        here="earned",
        filters=filters,
        found=found,
        states=tuple(EARNING_STATES),
        older=to("earned", **filters.query, after=found.next_cursor) if found.next_cursor else "",
        newest=to("earned", **filters.query) if cursor else "",
    )


def earning(earning_id: str, *, error: PunktgenauError | None = None) -> Response:
    """The page of one earning; with `?ask=1` also what the provider has of it now."""
    its = office()
    try:
        whole = its.earning(earning_id)
    except NotFoundError as missing:
        return page("problem.html", here="earned", error=missing)
    reference = whole.row.order_reference
    return page(
        "earning.html",
        here="earned",
        error=error,
        whole=whole,
        entered=request.form,
        asked=its.ask_accrual(earning_id) if _asks() else None,
        order_url=order_urls(current_state(), [reference]).get(reference, ""),
    )


def retry_earned(earning_id: str) -> Response:
    """Do now what is due for it anyway."""
    try:
        office().retry_earned(earning_id, actor=operator(), reason=request.form.get("reason", ""))
    except PunktgenauError as error:
        return earning(earning_id, error=error)
    return see_other(to("earning", earning_id=earning_id, done="retry"))


def settle_earned(earning_id: str) -> Response:
    """Decide about it, with a reason."""
    try:
        again = _choice({"again": True, "left": False})
        office().settle_earned(earning_id, again=again, actor=operator(), reason=request.form.get("reason", ""))
    except PunktgenauError as error:
        return earning(earning_id, error=error)
    return see_other(to("earning", earning_id=earning_id, done="settle"))


def exchanged() -> Response:
    """Everything that points became, newest first, a page at a time."""
    filters = filters_of(language(), EXCHANGE_STATES)
    cursor = request.args.get("after", "")
    found = office().listed.exchanges(filters.search, cursor=cursor)
    return page(
        "exchanged.html",
        here="exchanged",
        filters=filters,
        found=found,
        states=EXCHANGE_STATES,
        older=to("exchanged", **filters.query, after=found.next_cursor) if found.next_cursor else "",
        newest=to("exchanged", **filters.query) if cursor else "",
    )


def exchange(exchange_id: str, *, error: PunktgenauError | None = None) -> Response:
    """The page of one exchange; with `?ask=1` also what the provider has of it now."""
    its = office()
    try:
        whole = its.exchange(exchange_id)
    except NotFoundError as missing:
        return page("problem.html", here="exchanged", error=missing)
    return page(
        "exchange.html",
        here="exchanged",
        error=error,
        whole=whole,
        entered=request.form,
        asked=its.ask_exchange(exchange_id) if _asks() else None,
    )


def retry_exchange(exchange_id: str) -> Response:
    """Ask now what is asked anyway."""
    try:
        office().retry_exchange(exchange_id, actor=operator(), reason=request.form.get("reason", ""))
    except PunktgenauError as error:
        return exchange(exchange_id, error=error)
    return see_other(to("exchange", exchange_id=exchange_id, done="retry"))


def settle_exchange(exchange_id: str) -> Response:
    """Write down what a person found out, with a reason."""
    try:
        happened = _choice({"done": True, "not_done": False})
        office().settle_exchange(
            exchange_id, happened=happened, actor=operator(), reason=request.form.get("reason", "")
        )
    except PunktgenauError as error:
        return exchange(exchange_id, error=error)
    return see_other(to("exchange", exchange_id=exchange_id, done="settle"))


def _asks() -> bool:
    return request.args.get("ask") == "1" and request.method == "GET"


def _choice(choices: dict[str, bool]) -> bool:
    as_ = request.form.get("as", "")
    if as_ not in choices:
        raise ToldError(language().gettext("Choose what is to be done."), field="as")
    return choices[as_]
