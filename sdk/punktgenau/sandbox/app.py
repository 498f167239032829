"""The application for servers and browsers: the partner API's thin edge, the control plane and the pages."""

from __future__ import annotations

import json
from typing import Literal, NoReturn

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from . import description, dispatch
from .answering import PROBLEM, problem
from .call import MAX_BODY_BYTES
from .clock import SandboxClock, stamp
from .control import control_routes
from .database import Database
from .faults import FaultOnWire
from .pages import register_pages
from .problems import Refusal
from .routes import CONVERTERS
from .state import EXTENSION, Sandbox, request_now, sandbox
from .strictjson import StrictJSON

_PARTNER = "partner."
"""What the names of the partner API's endpoints begin with."""


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
    app = Flask(__name__)
    app.json = StrictJSON(app)
    app.url_map.converters.update(CONVERTERS)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    # So that FaultOnWire reaches whoever holds the connection.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    state = Sandbox(database or Database(), clock or SandboxClock(), mode, seed)
    state.recall_clock()
    state.fill()
    app.extensions[EXTENSION] = state
    app.before_request(_catch_up)
    app.register_error_handler(Refusal, _refuse)
    app.register_error_handler(FaultOnWire, _let_through)
    app.register_error_handler(HTTPException, _refuse_http)
    app.register_error_handler(Exception, _refuse_unforeseen)
    for route in dispatch.ROUTES:
        app.add_url_rule(route.rule, f"{_PARTNER}{route.operation}", _carry, methods=[route.method])
    app.register_blueprint(control_routes())
    register_pages(app)
    app.add_url_rule("/openapi.json", "openapi_json", description.described)
    app.add_url_rule("/healthz", "healthz", lambda: {"status": "ok", "mode": mode})
    return app


def _catch_up() -> None:
    """Time first. An operation of the contract sees to it by itself."""
    if not (request.endpoint or "").startswith(_PARTNER):
        sandbox().catch_up(request_now())


def _carry(**named: str) -> Response:
    """Hand an operation over to the rules, and its answer back."""
    route = dispatch.route_of((request.endpoint or "").removeprefix(_PARTNER))
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        body = None
    is_fresh = request.environ.get("punktgenau.requests_before") == 0
    call = dispatch.call_of(sandbox(), route, named, request, body, is_fresh_connection=is_fresh)
    said = dispatch.answer(call, route)
    return Response(said.body, said.status, said.headers)


def _refuse(refusal: Refusal, *, status: int | None = None) -> Response:
    """The refusal as problem+json. `status` only where HTTP asks for another than the code's own."""
    body = problem(refusal, instance=request.path, now=stamp(request_now()), mode=sandbox().mode, status=status)
    return Response(json.dumps(body), status or refusal.kind.status, mimetype=PROBLEM)


def _let_through(fault: FaultOnWire) -> NoReturn:
    raise fault


def _refuse_http(error: HTTPException) -> Response:
    status = error.code or 500
    code = "not_found" if status == 404 else "invalid_request" if status < 500 else "internal_error"
    # The contract has no 413 or 415: what cannot be read is an invalid request.
    response = _refuse(Refusal(code, error.name), status=status if status in (404, 405) else None)
    if error.code == 405:
        response.headers["Allow"] = ", ".join(getattr(error, "valid_methods", None) or ())
    return response


def _refuse_unforeseen(error: Exception) -> Response:
    current_app.logger.error("unforeseen in %s", request.endpoint, exc_info=error)
    return _refuse(Refusal("internal_error", "An error of the sandbox; its log says more."))
