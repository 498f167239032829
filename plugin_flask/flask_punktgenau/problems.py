"""An error of ours that nobody caught: people get a page with choices, scripts get problem+json (RFC 9457)."""

from __future__ import annotations

import json

from flask import Flask, g, make_response, render_template, request
from werkzeug import Response

from flask_punktgenau import csrf
from flask_punktgenau.answers import make_private, wants_json
from flask_punktgenau.locales import current_language
from flask_punktgenau.pages import build_problem
from flask_punktgenau.panel import CsrfField
from flask_punktgenau.redirects import next_page
from flask_punktgenau.state import AppState, current_state, logger
from flask_punktgenau.urls import panel_urls
from flask_punktgenau.visitor import find_own_order, is_open_to_customer
from punktgenau import errors as e
from punktgenau.checkout import Payment
from punktgenau.codes import explain

MEDIA_TYPE = "application/problem+json"
_ORDER = "_punktgenau_order"
_STATUS: tuple[tuple[type[e.PunktgenauError], int], ...] = (
    (e.InvalidArgumentError, 422),
    (e.LimitError, 422),
    (e.InsufficientPointsError, 422),
    (e.VoucherError, 422),
    (e.CartMismatchError, 422),
    (e.ConfigurationError, 503),
    (e.OpenTransactionError, 503),
    (e.NotSentError, 503),
    (e.OutcomeUnknownError, 503),
    (e.UnavailableError, 503),
    (e.UnexpectedResponseError, 503),
    (e.AuthenticationError, 503),
    (e.RateLimitedError, 503),
    (e.PunktgenauError, 409),
)
"""The first class that fits; a page says 409 where a script is told 422."""
_STATUS_BY_CODE = {"form_expired": 400, "callback_invalid": 400}


def init_problems(app: Flask) -> None:
    """Answer for our errors in this app, unless the shop has a handler of its own."""
    if e.PunktgenauError not in app.error_handler_spec[None][None]:
        app.register_error_handler(e.PunktgenauError, problem_response)


def remember_order(order_reference: str) -> None:
    """The order that this request is about, so that a problem's page can offer ways on for it."""
    setattr(g, _ORDER, order_reference)


def status_of(error: e.PunktgenauError, *, as_page: bool) -> int:
    """The HTTP status of an error; never 500, because nothing is broken: points were not used, or not yet."""
    if error.code in _STATUS_BY_CODE:
        return _STATUS_BY_CODE[error.code]
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    return 409 if as_page and status == 422 else status


def problem_response(error: e.PunktgenauError) -> Response:
    """The answer to an error that nobody caught."""
    logger.info("answered with a problem: %s", error.brief)
    state = current_state()
    response = problem_json(state, error) if wants_json() else _as_page(state, error)
    return make_private(response)


def problem_json(state: AppState, error: e.PunktgenauError, *, status: int | None = None) -> Response:
    """An error as problem+json, with the status that fits it unless another is given."""
    status = status or status_of(error, as_page=False)
    explained = explain(error)
    body = {
        "type": f"urn:punktgenau:problem:{explained.code}",
        "title": explained.cause,
        "status": status,
        "detail": current_language(state).code(explained.code),
        "instance": request.path,
        "code": error.code,
        "outcome": error.outcome,
        "retryable": error.retry == "same_key",
        "field": error.field,
        "remaining": error.remaining,
    }
    if error.field == "csrf":
        # The text for people is about a page that was open for too long; a script has to know what to send.
        body["hint"] = error.message
    return _with_retry_after(make_response(json.dumps(body, ensure_ascii=False), status), status, MEDIA_TYPE)


def _as_page(state: AppState, error: e.PunktgenauError) -> Response:
    status = status_of(error, as_page=True)
    order_reference, payment, order_url = _order_at_hand(state)
    view = build_problem(
        error,
        # An order that stands is chosen for anew on its own page: the cart that it came from may be empty by now.
        urls=panel_urls(state, back=order_url or next_page()),
        order_reference=order_reference,
        payment=payment,
        csrf=_csrf_field(error),
    )
    page = render_template("punktgenau/problem.html", view=view, t=current_language(state))
    return _with_retry_after(make_response(page, status), status, "text/html; charset=utf-8")


def _with_retry_after(response: Response, status: int, media_type: str) -> Response:
    response.headers["Content-Type"] = media_type
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def _csrf_field(error: e.PunktgenauError) -> CsrfField | None:
    # Without a session there is no token; this page must not fail for the very reason that it reports.
    return None if isinstance(error, e.ConfigurationError) and error.field == "SECRET_KEY" else csrf.form_field()


def _order_at_hand(state: AppState) -> tuple[str, Payment | None, str]:
    """The order that this request tried to pay, where its points can be tried again or left out, and its page."""
    order_reference: str = g.get(_ORDER, "")
    try:
        checkout = state.journal() if order_reference else None
        # An order that is not committed yet ends with this request: only going back makes sense then.
        own = find_own_order(state, checkout, order_reference) if checkout is not None else None
        if checkout is None or own is None:
            return "", None, ""
        payment = checkout.find(order_reference)
        return (order_reference, payment, own.order.url or "") if is_open_to_customer(payment) else ("", None, "")
    except e.PunktgenauError as error:
        logger.warning("the order of a problem could not be looked up: %s", error.brief)
        return "", None, ""
