"""The routes of payouts: from a request to the rules and back."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from functools import cache

from flask import Response, g
from flask_openapi3.blueprint import APIBlueprint

from . import members, payouts, profile
from .answering import current_fault, reply, write
from .clock import stamp
from .database import Work
from .idempotency import Effect
from .openapi import NEEDS_TOKEN, PAYOUTS, answers
from .parameters import PayoutPath, PayoutsQuery, WriteHeader
from .problems import Refusal
from .replies_vouchers import Payout, PayoutPage
from .schemas_vouchers import PayoutRequest
from .state import request_work, sandbox


@cache
def payout_routes() -> APIBlueprint:
    """Everything below /v1/payouts."""
    api = APIBlueprint("payouts", __name__, url_prefix="/v1/payouts", abp_tags=[PAYOUTS], abp_security=NEEDS_TOKEN)
    made = answers({200: Payout, 201: Payout}, 403, 404, 409, 422)
    api.post("", operation_id="payout", responses=made)(request_payout)
    api.get("", operation_id="find_payouts", responses=answers({200: PayoutPage}, 403, 404, 422))(find)
    api.get("/<payout_id>", operation_id="get_payout", responses=answers({200: Payout}, 404, 422))(get)
    return api


def request_payout(header: WriteHeader, body: PayoutRequest) -> Response:
    """Turn points into money on the member's bank account; the points leave at once."""

    def execute(work: Work) -> Effect:
        made = payouts.request(work, body, partner_id=g.partner_id, key=header.idempotency_key)
        return Effect(payout_id=made)

    return write("payout", header.idempotency_key, execute, status=201)


def get(path: PayoutPath) -> Response:
    """A payout as it is now."""
    if current_fault("slow_lookup"):
        raise Refusal("not_found", "There is no such payout.")
    with request_work() as work:
        profile.need(profile.current(work).payouts, "Points are not paid out here.")
        return reply(payouts.reply(work, payouts.get(work, path.payout_id, partner_id=g.partner_id)))


def find(query: PayoutsQuery) -> Response:
    """The payouts that match, newest first: of a member, or of a reference or a key of this partner."""
    with request_work() as work:
        played = profile.current(work)
        profile.need(played.payouts, "Points are not paid out here.")
        if query.member_id is not None:
            members.consenting(work, member_id=query.member_id, partner_id=g.partner_id)
        if query.idempotency_key is not None:
            profile.need(played.finds_by_key, "Nothing can be looked up by that.", field="idempotency_key")
        rows = _matching(work, query, settle_s=played.settle_s)
        page = [] if current_fault("slow_lookup") else rows[: query.limit]
        return reply(
            PayoutPage(
                items=[payouts.reply(work, row) for row in page],
                next_cursor=str(page[-1]["number"]) if page and len(rows) > len(page) else None,
                now=stamp(work.now),
                mode=sandbox().mode,
            )
        )


def _matching(work: Work, query: PayoutsQuery, *, settle_s: int) -> list[sqlite3.Row]:
    return work.all(
        "SELECT * FROM payout WHERE partner_id = ?1 AND mode = ?2 AND (?3 IS NULL OR member_id = ?3)"
        " AND (?4 IS NULL OR payout_reference = ?4)"
        " AND (?5 IS NULL OR idempotency_key = ?5 AND created_at >= ?9)"
        " AND (?6 IS NULL OR number < ?6) AND created_at <= ?8 ORDER BY number DESC LIMIT ?7",
        g.partner_id, work.mode, query.member_id, query.payout_reference, query.idempotency_key,
        None if query.cursor is None else int(query.cursor), query.limit + 1,
        stamp(work.now - timedelta(seconds=settle_s)), profile.oldest_key(work),
    )  # fmt: skip
