"""How answers are put together: replies, refusals as problem+json, and writes with their key."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import Response, g, request
from pydantic import BaseModel

from . import accrual_reversals, accruals, idempotency, payouts, profile, redemptions, replies, reversals, vouchers
from .clock import stamp
from .database import Work
from .faults import Fault
from .idempotency import Answer, Effect, Write
from .oauth import OAuthRefusal
from .problems import Refusal
from .programme import current_rate
from .state import request_now, request_work, sandbox

REPLAYED = "Idempotency-Replayed"
TOKEN_ENDPOINT = "oauth_token.token"


def reply(model: BaseModel, status: int = 200) -> Response:
    """A reply with this body."""
    return Response(model.model_dump_json(), status, mimetype="application/json")


def refuse(refusal: Refusal, *, status: int | None = None) -> Response:
    """The refusal as problem+json. `status` only where HTTP asks for another than the code's own."""
    body = _problem(refusal, status or refusal.kind.status).model_dump()
    if request.endpoint == TOKEN_ENDPOINT:
        body["error"] = refusal.error if isinstance(refusal, OAuthRefusal) else "invalid_request"
    response = Response(json.dumps(body), body["status"], mimetype="application/problem+json")
    if body["status"] == 401:
        response.headers["WWW-Authenticate"] = "Basic" if request.endpoint == TOKEN_ENDPOINT else "Bearer"
    return response


def current_fault(kind: str) -> Fault | None:
    """The fault of this request if it is of this kind."""
    fault: Fault | None = g.get("fault")
    return fault if fault is not None and fault.kind == kind else None


def write(operation: str, key: str, execute: Callable[[Work], Effect], *, status: int = 200) -> Response:
    """Run a write once per key, in one transaction, and answer with what is now."""
    wanted = Write(g.partner_id, operation, key, request.method, request.path, request.get_json())
    spoiled = current_fault("replayed_500")
    if spoiled and spoiled.moment == "before":
        return _spoil(wanted)
    if current_fault("duplicate_delivery"):
        _deliver(wanted, execute, status)
    response = _deliver(wanted, execute, status)
    return _spoil(wanted) if spoiled else response


def _deliver(wanted: Write, execute: Callable[[Work], Effect], status: int) -> Response:
    with request_work() as work:
        profile.check_key(profile.current(work), wanted.key)
        answer = idempotency.once(work, wanted, lambda: execute(work))
        body = _now(work, answer.effect, wanted.partner_id) if answer.effect else None
    response = _rendered(answer, body, status)
    if answer.is_replay:
        response.headers[REPLAYED] = "true"
    return response


def _rendered(answer: Answer, body: BaseModel | None, status: int) -> Response:
    if answer.refusal is not None:
        return refuse(answer.refusal)
    if body is None:
        raise LookupError("neither effect nor refusal")
    return reply(body, 200 if answer.is_replay else status)


def _spoil(wanted: Write) -> Response:
    """Answer 500, now and whenever this key comes again."""
    refusal = Refusal("internal_error", "It went wrong, and this key will hear nothing else.")
    with request_work() as work:
        idempotency.keep_refusal(work, wanted, refusal)
    return refuse(refusal)


def _now(work: Work, effect: Effect, partner_id: str) -> BaseModel:
    """What the effect looks like by now."""
    if effect.accrual_id is not None:
        row = accruals.get(work, effect.accrual_id, partner_id=partner_id)
        if effect.reversal_id is not None:
            return accrual_reversals.reply(work, effect.reversal_id, row)
        return accruals.reply(work, row)
    if effect.voucher_id is not None:
        return vouchers.reply(work, vouchers.get(work, effect.voucher_id), partner_id=partner_id, with_code=True)
    if effect.payout_id is not None:
        return payouts.reply(work, payouts.get(work, effect.payout_id, partner_id=partner_id))
    if effect.redemption_id is None:
        raise LookupError("a write without an effect")
    red = redemptions.get(work, effect.redemption_id, partner_id=partner_id)
    if effect.reversal_id is not None:
        return reversals.reply(work, effect.reversal_id, red)
    return redemptions.reply(work, red)


def _problem(refusal: Refusal, status: int) -> replies.Problem:
    remaining = None
    if refusal.remaining_points is not None:
        with request_work() as work:
            currency = current_rate(work).currency
        value = {"amount_minor": max(0, refusal.remaining_minor or 0), "currency": currency}
        # Who owes points has fewer than none.
        remaining = {"points": max(0, refusal.remaining_points), "value": value}
    return replies.Problem.model_validate(
        {
            "type": f"urn:punktgenau:problem:{refusal.code}", "title": refusal.kind.title, "status": status,
            "detail": refusal.detail, "instance": request.path, "code": refusal.code,
            "outcome": refusal.kind.outcome, "retryable": refusal.kind.retryable, "field": refusal.field,
            "remaining": remaining, "redemption_id": refusal.redemption_id,
            "now": stamp(request_now()), "mode": sandbox().mode,
        }
    )  # fmt: skip
