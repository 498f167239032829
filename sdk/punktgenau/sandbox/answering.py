"""How answers are put together: replies, refusals as problem+json, and writes with their key."""

from __future__ import annotations

import json
from collections.abc import Callable

from pydantic import BaseModel

from . import accrual_reversals, accruals, idempotency, payouts, profile, redemptions, replies, reversals, vouchers
from .call import Call, Reply
from .clock import stamp
from .database import Work
from .faults import WRITES
from .idempotency import Answer, Effect, Write
from .oauth import OAuthRefusal
from .problems import Refusal
from .programme import current_rate

REPLAYED = "Idempotency-Replayed"
JSON = "application/json"
PROBLEM = "application/problem+json"


def reply(model: BaseModel, status: int = 200) -> Reply:
    """A reply with this body."""
    return Reply(status, {"Content-Type": JSON}, model.model_dump_json().encode())


def refuse(call: Call, refusal: Refusal) -> Reply:
    """The refusal as problem+json."""
    remaining = None
    if refusal.remaining_points is not None:
        with call.work() as work:
            currency = current_rate(work).currency
        value = {"amount_minor": max(0, refusal.remaining_minor or 0), "currency": currency}
        # Who owes points has fewer than none.
        remaining = {"points": max(0, refusal.remaining_points), "value": value}
    body = problem(
        refusal, instance=call.request.path, now=stamp(call.now), mode=call.provider.mode, remaining=remaining
    )
    is_token = call.operation in ("token", "identify")
    if is_token:
        body["error"] = refusal.error if isinstance(refusal, OAuthRefusal) else "invalid_request"
    said = Reply(refusal.kind.status, {"Content-Type": PROBLEM}, json.dumps(body).encode())
    return said.saying("WWW-Authenticate", "Basic" if is_token else "Bearer") if said.status == 401 else said


def problem(
    refusal: Refusal,
    *,
    instance: str,
    now: str,
    mode: str,
    status: int | None = None,
    remaining: dict[str, object] | None = None,
) -> dict[str, object]:
    """The body of a refusal. `status` only where HTTP asks for another than the code's own."""
    return replies.Problem.model_validate(
        {
            "type": f"urn:punktgenau:problem:{refusal.code}", "title": refusal.kind.title,
            "status": status or refusal.kind.status, "detail": refusal.detail, "instance": instance,
            "code": refusal.code, "outcome": refusal.kind.outcome, "retryable": refusal.kind.retryable,
            "field": refusal.field, "remaining": remaining, "redemption_id": refusal.redemption_id,
            "now": now, "mode": mode,
        }
    ).model_dump()  # fmt: skip


def write(call: Call, key: str, execute: Callable[[Work], Effect], *, status: int = 200) -> Reply:
    """Run a write once per key, in one transaction, and answer with what is now."""
    if call.operation not in WRITES:
        raise LookupError(f"{call.operation} is no write")
    wanted = Write(call.partner_id, call.operation, key, call.request.method, call.request.path, call.json)
    spoiled = call.fault if call.meets("replayed_500") else None
    if spoiled and spoiled.moment == "before":
        return _spoil(call, wanted)
    if call.meets("duplicate_delivery"):
        _deliver(call, wanted, execute, status)
    done = _deliver(call, wanted, execute, status)
    return _spoil(call, wanted) if spoiled else done


def _deliver(call: Call, wanted: Write, execute: Callable[[Work], Effect], status: int) -> Reply:
    with call.work() as work:
        profile.check_key(profile.current(work), wanted.key)
        answer = idempotency.once(work, wanted, lambda: execute(work))
        body = _now(work, answer.effect, wanted.partner_id) if answer.effect else None
    done = _rendered(call, answer, body, status)
    return done.saying(REPLAYED, "true") if answer.is_replay else done


def _rendered(call: Call, answer: Answer, body: BaseModel | None, status: int) -> Reply:
    if answer.refusal is not None:
        return refuse(call, answer.refusal)
    if body is None:
        raise LookupError("neither effect nor refusal")
    return reply(body, 200 if answer.is_replay else status)


def _spoil(call: Call, wanted: Write) -> Reply:
    """Answer 500, now and whenever this key comes again."""
    refusal = Refusal("internal_error", "It went wrong, and this key will hear nothing else.")
    with call.work() as work:
        idempotency.keep_refusal(work, wanted, refusal)
    return refuse(call, refusal)


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
