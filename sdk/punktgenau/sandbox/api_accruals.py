"""The routes of accruals: from a request to the rules and back."""

from __future__ import annotations

from functools import cache

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint

from . import accrual_reversals, accruals, found
from .answering import write
from .database import Work
from .idempotency import Effect
from .openapi import ACCRUALS, NEEDS_TOKEN, answers
from .parameters import AccrualPath, FindQuery, WriteHeader
from .replies_accruals import Accrual, AccrualPage, AccrualReversal
from .schemas_accruals import AccrualRequest, PostAccrualRequest, ReverseAccrualRequest


@cache
def accrual_routes() -> APIBlueprint:
    """Everything below /v1/accruals."""
    api = APIBlueprint("accruals", __name__, url_prefix="/v1/accruals", abp_tags=[ACCRUALS], abp_security=NEEDS_TOKEN)
    made = {200: Accrual, 201: Accrual}
    api.post("", operation_id="accrue", responses=answers(made, 403, 404, 409, 422))(accrue)
    api.post("/<accrual_id>/post", operation_id="post_accrual", responses=answers({200: Accrual}, 404, 409, 422))(post)
    taken = {200: AccrualReversal, 201: AccrualReversal}
    api.post("/<accrual_id>/reversals", operation_id="reverse_accrual", responses=answers(taken, 404, 409, 422))(
        reverse
    )
    api.get("", operation_id="find_accruals", responses=answers({200: AccrualPage}, 422))(find)
    api.get("/<accrual_id>", operation_id="get_accrual", responses=answers({200: Accrual}, 404, 422))(get)
    return api


def accrue(header: WriteHeader, body: AccrualRequest) -> Response:
    """Give points to a member."""

    def execute(work: Work) -> Effect:
        made = accruals.accrue(work, body, partner_id=g.partner_id, key=header.idempotency_key)
        return Effect(accrual_id=made)

    return write("accrue", header.idempotency_key, execute, status=201)


def post(path: AccrualPath, header: WriteHeader, body: PostAccrualRequest) -> Response:
    """Let pending points be spent, when their time has come."""

    def execute(work: Work) -> Effect:
        row = accruals.get(work, path.accrual_id, partner_id=g.partner_id)
        accruals.post(work, row)
        return Effect(accrual_id=row["id"])

    return write("post_accrual", header.idempotency_key, execute)


def reverse(path: AccrualPath, header: WriteHeader, body: ReverseAccrualRequest) -> Response:
    """Take points back from a member."""

    def execute(work: Work) -> Effect:
        row = accruals.get(work, path.accrual_id, partner_id=g.partner_id)
        made = accrual_reversals.reverse(work, row, body, key=header.idempotency_key)
        return Effect(accrual_id=row["id"], reversal_id=made)

    return write("reverse_accrual", header.idempotency_key, execute, status=201)


def get(path: AccrualPath) -> Response:
    """An accrual as it is now."""
    return found.one("accrual", path.accrual_id, get=accruals.get, shown=accruals.reply)


def find(query: FindQuery) -> Response:
    """The partner's accruals that match, newest first."""
    return found.page_of("accrual", query, shown=accruals.reply, page=AccrualPage)
