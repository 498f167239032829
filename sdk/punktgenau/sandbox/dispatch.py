"""What every request of a partner goes through before and after its rules, whatever carried it here.

Nothing in here needs a web framework: a server hands over what it was sent, and so does whoever is in this process.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.sansio.request import Request

from . import (
    api,
    api_accruals,
    api_members,
    api_oauth,
    api_payouts,
    api_statements,
    api_vouchers,
    fault_replies,
    oauth,
    profile,
)
from .answering import JSON, REPLAYED, refuse
from .call import Call, Reply
from .faults import WRITES, Fault, FaultOnWire
from .problems import Refusal
from .reading import arguments
from .routes import CONVERTERS, Route
from .seen import note_request
from .state import Sandbox

ROUTES: tuple[Route, ...] = (
    *api_oauth.ROUTES,
    *api_members.MEMBER_ROUTES,
    *api.ROUTES,
    *api_accruals.ROUTES,
    *api_members.EVENT_ROUTES,
    *api_statements.ROUTES,
    *api_vouchers.ROUTES,
    *api_payouts.ROUTES,
)
_BY_OPERATION: Mapping[str, Route] = {str(route.operation): route for route in ROUTES}
_WAYS = Map(
    [Rule(route.rule, endpoint=route.operation, methods=[route.method]) for route in ROUTES], converters=CONVERTERS
).bind("")
_log = logging.getLogger(__name__)


def route_of(name: str) -> Route:
    """The route of an operation."""
    return _BY_OPERATION[name]


@lru_cache(maxsize=4096)
def find(method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """The route of a request, and what its path names; None: no operation of the contract."""
    try:
        operation, named = _WAYS.match(path, method)
    except HTTPException:
        return None
    return route_of(operation), named


def call_of(
    provider: Sandbox,
    route: Route,
    named: Mapping[str, str],
    request: Request,
    body: bytes | None,
    *,
    is_fresh_connection: bool = False,
) -> Call:
    """A request that has arrived; `body` None: longer than any may be."""
    call = Call(
        provider, route.operation, request, body, named, provider.clock.now(), is_fresh_connection=is_fresh_connection
    )
    if route.operation == "token" and body is not None and call.form.get("grant_type") == "authorization_code":
        call.operation = "identify"
    return call


def answer(call: Call, route: Route) -> Reply:
    """Carry a request out. Raises FaultOnWire where no answer can show the fault that is played on it."""
    try:
        done = _begin(call) or route.handler(call, **arguments(call, route.handler))
    except Refusal as refusal:
        done = refuse(call, refusal)
    except FaultOnWire:
        raise
    except Exception as error:
        _log.error("unforeseen in %s", call.operation, exc_info=error)
        done = refuse(call, Refusal("internal_error", "An error of the sandbox; its log says more."))
    return _finish(call, done)


def _begin(call: Call) -> Reply | None:
    """Time first, then the fault, then who asks, then whether it is JSON at all."""
    provider = call.provider
    provider.catch_up(call.now)
    call.fault = provider.faults.take(call.operation, is_fresh_connection=call.is_fresh_connection)
    if call.operation in WRITES and (call.fault is not None or call.key is None):
        _as_played(call)
    fault = call.fault
    if fault is not None and fault.moment == "before":
        played = fault_replies.instead_of_answer(call, fault)
        if played is not None:
            return played
    if call.operation not in ("token", "identify"):
        with call.work() as work:
            call.partner_id = oauth.partner_of_token(work, _bearer_token(call))
        _check_json(call)
    return None


def _as_played(call: Call) -> None:
    """Where keys are nothing, none is missed; where errors are kept, a 5xx is one that is answered for ever."""
    with call.work() as work:
        played = profile.current(work)
    if not played.has_keys and call.key is None:
        call.key = "-"
    fault: Fault | None = call.fault
    if played.replays_errors and fault is not None and fault.kind in ("status_500", "status_503"):
        call.fault = replace(fault, kind="replayed_500")


def _finish(call: Call, done: Reply) -> Reply:
    provider, fault = call.provider, call.fault
    provider.webhooks.deliver(provider.work, when="early")
    if fault is not None and fault.moment == "after":
        done = fault_replies.instead_of_reply(call, fault, done)
    note_request(call, done.status, replayed=REPLAYED in done.headers)
    return done


def _bearer_token(call: Call) -> str:
    sent = call.request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        raise Refusal("unauthorized", "A Bearer token is needed.")
    return sent.token


def _check_json(call: Call) -> None:
    """A body has to be one JSON object. What is in it, the schema of the operation says."""
    if call.request.method != "POST":
        return
    if call.request.mimetype != JSON:
        raise Refusal("invalid_request", "The body has to be application/json.", field="Content-Type")
    if not isinstance(call.json, dict):
        raise Refusal("invalid_request", "The body has to be one JSON object, with no key twice.")
