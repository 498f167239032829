"""The routes of accruals: from a request to the rules and back."""

from __future__ import annotations

from functools import cache

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint

from . import accruals, profile
from .answering import current_fault, reply, write
from .clock import stamp
from .database import Work
from .idempotency import Effect
from .openapi import ACCRUALS, NEEDS_TOKEN, answers
from .parameters import AccrualPath, FindQuery, WriteHeader
from .problems import Refusal
from .replies_accruals import Accrual, AccrualPage
from .schemas_accruals import AccrualRequest
from .state import request_work, sandbox


@cache
def accrual_routes() -> APIBlueprint:
    """Everything below /v1/accruals."""
    api = APIBlueprint("accruals", __name__, url_prefix="/v1/accruals", abp_tags=[ACCRUALS], abp_security=NEEDS_TOKEN)
    made = {200: Accrual, 201: Accrual}
    api.post("", operation_id="accrue", responses=answers(made, 403, 404, 409, 422))(accrue)
    api.get("", operation_id="find_accruals", responses=answers({200: AccrualPage}, 422))(find)
    api.get("/<accrual_id>", operation_id="get_accrual", responses=answers({200: Accrual}, 404, 422))(get)
    return api


def accrue(header: WriteHeader, body: AccrualRequest) -> Response:
    """Give points to a member."""

    def execute(work: Work) -> Effect:
        made = accruals.accrue(work, body, partner_id=g.partner_id, key=header.idempotency_key)
        return Effect(accrual_id=made)

    return write("accrue", header.idempotency_key, execute, status=201)


def get(path: AccrualPath) -> Response:
    """An accrual as it is now."""
    if current_fault("slow_lookup"):
        raise Refusal("not_found", "There is no such accrual.")
    with request_work() as work:
        played = profile.current(work)
        profile.need(played.finds_by_key or played.finds_by_order, "Nothing can be looked up.")
        return reply(accruals.reply(work, accruals.get(work, path.accrual_id, partner_id=g.partner_id)))


def find(query: FindQuery) -> Response:
    """The partner's accruals that match, newest first."""
    with request_work() as work:
        played = profile.current(work)
        is_offered = played.finds_by_key if query.idempotency_key is not None else played.finds_by_order
        sought = "order_reference" if query.idempotency_key is None else "idempotency_key"
        profile.need(is_offered, "Nothing can be looked up by that.", field=sought)
        rows = accruals.search(
            work,
            partner_id=g.partner_id,
            order_reference=query.order_reference,
            key=query.idempotency_key,
            before=None if query.cursor is None else int(query.cursor),
            limit=query.limit + 1,
        )
        page = [] if current_fault("slow_lookup") else rows[: query.limit]
        return reply(
            AccrualPage(
                items=[accruals.reply(work, row) for row in page],
                next_cursor=str(page[-1]["number"]) if page and len(rows) > len(page) else None,
                now=stamp(work.now),
                mode=sandbox().mode,
            )
        )
