"""The application: what every request goes through before and after its route."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NoReturn

from flask import Flask, Response, current_app, g, request
from flask_openapi3.openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from . import fault_replies, oauth, openapi, profile, replies
from .answering import refuse
from .api import redemption_routes
from .api_accruals import accrual_routes
from .api_members import event_routes, member_routes
from .api_oauth import token_routes
from .api_payouts import payout_routes
from .api_statements import statement_routes
from .api_vouchers import product_routes, voucher_routes
from .clock import SandboxClock
from .control import control_routes
from .database import Database
from .faults import WRITES, Fault, FaultOnWire
from .operations import RedemptionId, VoucherId, operation_of
from .pages import register_pages
from .problems import Refusal
from .seen import note_request
from .state import EXTENSION, Sandbox, request_now, request_work, sandbox
from .strictjson import StrictJSON

MAX_BODY_BYTES = 262_144


def create_app(
    database: Database | None = None,
    *,
    clock: SandboxClock | None = None,
    mode: Literal["sandbox", "live"] = "sandbox",
    seed: Literal["demo"] | None = "demo",
) -> Flask:
    """A provider as a WSGI application. Without `database` its books are in memory and end with it.

    In process, `create_app().test_client()` speaks to it; faults of the connection then come out as FaultOnWire.
    """
    app = OpenAPI(
        __name__,
        info=openapi.INFO,
        security_schemes=openapi.SECURITY_SCHEMES,
        validation_error_status=400,
        validation_error_model=replies.Problem,
        validation_error_callback=_refuse_shape,
        doc_ui=False,
    )
    app.json = StrictJSON(app)
    app.url_map.converters["redemption"] = RedemptionId
    app.url_map.converters["voucher"] = VoucherId
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # So that FaultOnWire reaches whoever holds the connection.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    state = Sandbox(database or Database(), clock or SandboxClock(), mode, seed)
    state.recall_clock()
    state.fill()
    app.extensions[EXTENSION] = state
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(Refusal, refuse)
    app.register_error_handler(FaultOnWire, _let_through)
    app.register_error_handler(HTTPException, _refuse_http)
    app.register_error_handler(Exception, _refuse_unforeseen)
    nouns = (
        member_routes(), redemption_routes(), accrual_routes(), event_routes(), statement_routes(), product_routes(),
        voucher_routes(), payout_routes(),
    )  # fmt: skip
    for routes in (token_routes(), *nouns):
        app.register_api(routes)
    app.register_blueprint(control_routes())
    register_pages(app)
    app.add_url_rule("/openapi.json", "openapi_json", lambda: app.api_doc)
    app.add_url_rule("/healthz", "healthz", lambda: {"status": "ok", "mode": mode})
    return app


def _begin() -> Response | None:
    """Time first, then the fault, then who asks, then whether it is JSON at all."""
    provider = sandbox()
    provider.catch_up(request_now())
    operation = g.operation = operation_of(request)
    if operation is None:
        return None
    environ = request.environ
    is_fresh = environ.get("punktgenau.requests_before") == 0
    fault = g.fault = provider.faults.take(operation, is_fresh_connection=is_fresh)
    if operation in WRITES and (fault is not None or "HTTP_IDEMPOTENCY_KEY" not in environ):
        fault = g.fault = _as_played(fault)
    if fault is not None and fault.moment == "before":
        played = fault_replies.instead_of_answer(fault)
        if played is not None:
            return played
    if operation not in ("token", "identify"):
        with request_work() as work:
            g.partner_id = oauth.partner_of_token(work, _bearer_token())
        _check_json()
    return None


def _as_played(fault: Fault | None) -> Fault | None:
    """Where keys are nothing, none is missed; where errors are kept, a 5xx is one that is answered for ever."""
    with request_work() as work:
        played = profile.current(work)
    if not played.has_keys:
        request.environ.setdefault("HTTP_IDEMPOTENCY_KEY", "-")
    if played.replays_errors and fault is not None and fault.kind in ("status_500", "status_503"):
        return replace(fault, kind="replayed_500")
    return fault


def _finish(response: Response) -> Response:
    if g.get("operation") is None:
        return response
    provider = sandbox()
    provider.webhooks.deliver(provider.work, when="early")
    fault = g.get("fault")
    if fault is not None and fault.moment == "after":
        response = fault_replies.instead_of_reply(fault, response)
    note_request(response.status_code, replayed="Idempotency-Replayed" in response.headers)
    return response


def _bearer_token() -> str:
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise Refusal("unauthorized", "A Bearer token is needed.")
    return sent.token


def _check_json() -> None:
    """A body has to be one JSON object. What is in it, the schema of the operation says."""
    if request.method != "POST":
        return
    if request.mimetype != "application/json":
        raise Refusal("invalid_request", "The body has to be application/json.", field="Content-Type")
    try:
        body = request.get_json()
    except HTTPException:
        body = None
    if not isinstance(body, dict):
        raise Refusal("invalid_request", "The body has to be one JSON object, with no key twice.")


def _refuse_shape(error: ValidationError) -> NoReturn:
    """The first thing that does not fit, by its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if not field:
        # A rule over several fields names its own.
        field, _, message = message.partition(": ")
    if field == "Idempotency-Key" and first["type"] == "missing":
        raise Refusal("idempotency_key_missing", "Send one with every write.", field=field)
    raise Refusal("invalid_request", f"{field}: {message}", field=field)


def _let_through(fault: FaultOnWire) -> NoReturn:
    raise fault


def _refuse_http(error: HTTPException) -> Response:
    status = error.code or 500
    code = "not_found" if status == 404 else "invalid_request" if status < 500 else "internal_error"
    # The contract has no 413 or 415: what cannot be read is an invalid request.
    response = refuse(Refusal(code, error.name), status=status if status in (404, 405) else None)
    if error.code == 405:
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response


def _refuse_unforeseen(error: Exception) -> Response:
    current_app.logger.error("unforeseen in %s", g.get("operation"), exc_info=error)
    return refuse(Refusal("internal_error", "An error of the sandbox; its log says more."))
