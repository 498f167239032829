"""The routes of accruals: from a request to the rules and back."""

from __future__ import annotations

from . import accrual_reversals, accruals, found
from .answering import write
from .call import Call, Reply
from .database import Work
from .idempotency import Effect
from .openapi import ACCRUALS, answers
from .parameters import AccrualPath, FindQuery, WriteHeader
from .replies_accruals import Accrual, AccrualPage, AccrualReversal
from .routes import Noun
from .schemas_accruals import AccrualRequest, PostAccrualRequest, ReverseAccrualRequest


def accrue(call: Call, header: WriteHeader, body: AccrualRequest) -> Reply:
    """Give points to a member."""

    def execute(work: Work) -> Effect:
        made = accruals.accrue(work, body, partner_id=call.partner_id, key=header.idempotency_key)
        return Effect(accrual_id=made)

    return write(call, header.idempotency_key, execute, status=201)


def post(call: Call, path: AccrualPath, header: WriteHeader, body: PostAccrualRequest) -> Reply:
    """Let pending points be spent, when their time has come."""

    def execute(work: Work) -> Effect:
        row = accruals.get(work, path.accrual_id, partner_id=call.partner_id)
        accruals.post(work, row)
        return Effect(accrual_id=row["id"])

    return write(call, header.idempotency_key, execute)


def reverse(call: Call, path: AccrualPath, header: WriteHeader, body: ReverseAccrualRequest) -> Reply:
    """Take points back from a member."""

    def execute(work: Work) -> Effect:
        row = accruals.get(work, path.accrual_id, partner_id=call.partner_id)
        made = accrual_reversals.reverse(work, row, body, key=header.idempotency_key)
        return Effect(accrual_id=row["id"], reversal_id=made)

    return write(call, header.idempotency_key, execute, status=201)


def get(call: Call, path: AccrualPath) -> Reply:
    """An accrual as it is now."""
    return found.one(call, "accrual", path.accrual_id, get=accruals.get, shown=accruals.reply)


def find(call: Call, query: FindQuery) -> Reply:
    """The partner's accruals that match, newest first."""
    return found.page_of(call, "accrual", query, shown=accruals.reply, page=AccrualPage)


_below = Noun("/v1/accruals", ACCRUALS)
_MADE = {200: Accrual, 201: Accrual}
_TAKEN = {200: AccrualReversal, 201: AccrualReversal}
ROUTES = (
    _below.post("", "accrue", accrue, answers(_MADE, 403, 404, 409, 422)),
    _below.post("/<accrual_id>/post", "post_accrual", post, answers({200: Accrual}, 404, 409, 422)),
    _below.post("/<accrual_id>/reversals", "reverse_accrual", reverse, answers(_TAKEN, 404, 409, 422)),
    _below.get("", "find_accruals", find, answers({200: AccrualPage}, 422)),
    _below.get("/<accrual_id>", "get_accrual", get, answers({200: Accrual}, 404, 422)),
)
