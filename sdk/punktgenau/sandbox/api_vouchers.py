"""The routes of vouchers: what there is to buy, buying one, looking at one, and whose are whose."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from . import members, profile, vouchers
from .answering import reply, write
from .call import Call, Reply
from .clock import stamp
from .database import Work
from .idempotency import Effect
from .openapi import VOUCHERS, answers
from .parameters import VoucherPath, VouchersQuery, WriteHeader
from .replies_vouchers import Voucher, VoucherPage, VoucherProductPage
from .routes import Noun
from .schemas_vouchers import VoucherLookUp, VoucherRequest

_NONE_HERE = "There are no vouchers here."


def products(call: Call) -> Reply:
    """What can be bought with points."""
    with call.work() as work:
        profile.need(profile.current(work).vouchers, _NONE_HERE)
        return reply(
            VoucherProductPage(
                items=[vouchers.product_reply(row) for row in vouchers.products(work)],
                next_cursor=None,
                now=stamp(work.now),
                mode=call.provider.mode,
            )
        )


def buy(call: Call, header: WriteHeader, body: VoucherRequest) -> Reply:
    """Turn points into a voucher. Its code is told here, to the same key again, and nowhere else."""

    def execute(work: Work) -> Effect:
        made = vouchers.buy(work, body, partner_id=call.partner_id, key=header.idempotency_key)
        return Effect(voucher_id=made)

    return write(call, header.idempotency_key, execute, status=201)


def look_up(call: Call, body: VoucherLookUp) -> Reply:
    """What a code is worth. Whoever was shown it may use the voucher by its id."""
    with call.work() as work:
        profile.need(profile.current(work).vouchers, _NONE_HERE)
        row = vouchers.by_code(work, body.code)
        vouchers.show(work, row, partner_id=call.partner_id)
        return reply(vouchers.reply(work, row, partner_id=call.partner_id))


def get(call: Call, path: VoucherPath) -> Reply:
    """A voucher as it is now, for whoever may name it by its id: shown its code, sold it, or linked to whose it is."""
    with call.work() as work:
        profile.need(profile.current(work).vouchers, _NONE_HERE)
        row = vouchers.known_to(work, path.voucher_id, partner_id=call.partner_id)
        return reply(vouchers.reply(work, row, partner_id=call.partner_id))


def find(call: Call, query: VouchersQuery) -> Reply:
    """A member's vouchers, or what this partner bought with a reference or a key, newest first."""
    with call.work() as work:
        played = profile.current(work)
        profile.need(played.vouchers, _NONE_HERE)
        if query.member_id is not None:
            members.consenting(work, member_id=query.member_id, partner_id=call.partner_id)
        if query.idempotency_key is not None:
            profile.need(played.finds_by_key, "Nothing can be looked up by that.", field="idempotency_key")
        rows = _matching(work, query, partner_id=call.partner_id, settle_s=played.settle_s)
        page = [] if call.meets("slow_lookup") else rows[: query.limit]
        return reply(
            VoucherPage(
                items=[vouchers.reply(work, row, partner_id=call.partner_id) for row in page],
                next_cursor=str(page[-1]["number"]) if page and len(rows) > len(page) else None,
                now=stamp(work.now),
                mode=call.provider.mode,
            )
        )


def _matching(work: Work, query: VouchersQuery, *, partner_id: str, settle_s: int) -> list[sqlite3.Row]:
    # A member's own are the member's wherever they were bought; anything else is this partner's business.
    return work.all(
        "SELECT * FROM voucher WHERE mode = ?1 AND (?2 IS NOT NULL AND ?3 IS NULL AND ?4 IS NULL OR partner_id = ?5)"
        " AND (?2 IS NULL OR member_id = ?2) AND (?3 IS NULL OR voucher_reference = ?3)"
        " AND (?4 IS NULL OR idempotency_key = ?4 AND created_at >= ?9) AND (?6 IS NULL OR number < ?6)"
        " AND created_at <= ?8 ORDER BY number DESC LIMIT ?7",
        work.mode, query.member_id, query.voucher_reference, query.idempotency_key, partner_id,
        None if query.cursor is None else int(query.cursor), query.limit + 1,
        stamp(work.now - timedelta(seconds=settle_s)), profile.oldest_key(work),
    )  # fmt: skip


_below = Noun("/v1/vouchers", VOUCHERS)
_products = Noun("/v1/voucher-products", VOUCHERS)
ROUTES = (
    _products.get("", "voucher_products", products, answers({200: VoucherProductPage}, 422)),
    _below.post("", "buy_voucher", buy, answers({200: Voucher, 201: Voucher}, 403, 404, 409, 422)),
    _below.post("/look-up", "look_up_voucher", look_up, answers({200: Voucher}, 422)),
    _below.get("", "vouchers", find, answers({200: VoucherPage}, 403, 404, 422)),
    _below.get("/<voucher:voucher_id>", "get_voucher", get, answers({200: Voucher}, 405, 422)),
)
