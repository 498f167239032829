"""The routes of payouts: from a request to the rules and back."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from . import members, payouts, profile
from .answering import reply, write
from .call import Call, Reply
from .clock import stamp
from .database import Work
from .idempotency import Effect
from .openapi import PAYOUTS, answers
from .parameters import PayoutPath, PayoutsQuery, WriteHeader
from .problems import Refusal
from .replies_vouchers import Payout, PayoutPage
from .routes import Noun
from .schemas_vouchers import PayoutRequest


def request_payout(call: Call, header: WriteHeader, body: PayoutRequest) -> Reply:
    """Turn points into money on the member's bank account; the points leave at once."""

    def execute(work: Work) -> Effect:
        made = payouts.request(work, body, partner_id=call.partner_id, key=header.idempotency_key)
        return Effect(payout_id=made)

    return write(call, header.idempotency_key, execute, status=201)


def get(call: Call, path: PayoutPath) -> Reply:
    """A payout as it is now."""
    if call.meets("slow_lookup"):
        raise Refusal("not_found", "There is no such payout.")
    with call.work() as work:
        profile.need(profile.current(work).payouts, "Points are not paid out here.")
        return reply(payouts.reply(work, payouts.get(work, path.payout_id, partner_id=call.partner_id)))


def find(call: Call, query: PayoutsQuery) -> Reply:
    """The payouts that match, newest first: of a member, or of a reference or a key of this partner."""
    with call.work() as work:
        played = profile.current(work)
        profile.need(played.payouts, "Points are not paid out here.")
        if query.member_id is not None:
            members.consenting(work, member_id=query.member_id, partner_id=call.partner_id)
        if query.idempotency_key is not None:
            profile.need(played.finds_by_key, "Nothing can be looked up by that.", field="idempotency_key")
        rows = _matching(work, query, partner_id=call.partner_id, settle_s=played.settle_s)
        page = [] if call.meets("slow_lookup") else rows[: query.limit]
        return reply(
            PayoutPage(
                items=[payouts.reply(work, row) for row in page],
                next_cursor=str(page[-1]["number"]) if page and len(rows) > len(page) else None,
                now=stamp(work.now),
                mode=call.provider.mode,
            )
        )


def _matching(work: Work, query: PayoutsQuery, *, partner_id: str, settle_s: int) -> list[sqlite3.Row]:
    return work.all(
        "SELECT * FROM payout WHERE partner_id = ?1 AND mode = ?2 AND (?3 IS NULL OR member_id = ?3)"
        " AND (?4 IS NULL OR payout_reference = ?4)"
        " AND (?5 IS NULL OR idempotency_key = ?5 AND created_at >= ?9)"
        " AND (?6 IS NULL OR number < ?6) AND created_at <= ?8 ORDER BY number DESC LIMIT ?7",
        partner_id, work.mode, query.member_id, query.payout_reference, query.idempotency_key,
        None if query.cursor is None else int(query.cursor), query.limit + 1,
        stamp(work.now - timedelta(seconds=settle_s)), profile.oldest_key(work),
    )  # fmt: skip


_below = Noun("/v1/payouts", PAYOUTS)
ROUTES = (
    _below.post("", "payout", request_payout, answers({200: Payout, 201: Payout}, 403, 404, 409, 422)),
    _below.get("", "find_payouts", find, answers({200: PayoutPage}, 403, 404, 422)),
    _below.get("/<payout_id>", "get_payout", get, answers({200: Payout}, 404, 422)),
)
