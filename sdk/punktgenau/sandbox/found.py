"""Looking things up: one by its id, or what an order or a key came to, page by page."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel

from . import profile
from .answering import reply
from .call import Call, Reply
from .clock import stamp
from .database import Work
from .parameters import FindQuery
from .problems import Refusal

Table = Literal["redemption", "accrual"]
Get = Callable[..., sqlite3.Row]
Shown = Callable[[Work, sqlite3.Row], BaseModel]
# What was just made may not be seen yet, and a key that is forgotten finds nothing but tombstones.
_MATCHING = (
    " WHERE partner_id = ?1 AND mode = ?2"
    " AND (?3 IS NULL OR order_reference = ?3) AND (?4 IS NULL OR idempotency_key = ?4)"
    " AND (?4 IS NULL OR created_at >= ?8 OR member_id = '') AND created_at <= ?7"
    " AND (?5 IS NULL OR number < ?5) ORDER BY number DESC LIMIT ?6"
)
_SEARCH: dict[Table, str] = {
    "redemption": "SELECT * FROM redemption" + _MATCHING,
    "accrual": "SELECT * FROM accrual" + _MATCHING,
}


def one(call: Call, table: Table, row_id: str, *, get: Get, shown: Shown) -> Reply:
    """One of the partner's as it is now. Raises Refusal."""
    if call.meets("slow_lookup"):
        raise Refusal("not_found", f"There is no such {table}.")
    with call.work() as work:
        played = profile.current(work)
        profile.need(played.finds_by_key or played.finds_by_order, "Nothing can be looked up.")
        return reply(shown(work, get(work, row_id, partner_id=call.partner_id)))


def page_of(call: Call, table: Table, query: FindQuery, *, shown: Shown, page: type[BaseModel]) -> Reply:
    """A page of the partner's that match everything given, newest first. Raises Refusal."""
    with call.work() as work:
        played = profile.current(work)
        is_offered = played.finds_by_key if query.idempotency_key is not None else played.finds_by_order
        sought = "order_reference" if query.idempotency_key is None else "idempotency_key"
        profile.need(is_offered, "Nothing can be looked up by that.", field=sought)
        rows = work.all(
            _SEARCH[table],
            call.partner_id, work.mode, query.order_reference, query.idempotency_key,
            None if query.cursor is None else int(query.cursor), query.limit + 1,
            stamp(work.now - timedelta(seconds=played.settle_s)), profile.oldest_key(work),
        )  # fmt: skip
        seen = [] if call.meets("slow_lookup") else rows[: query.limit]
        return reply(
            page.model_validate(
                {
                    "items": [shown(work, row) for row in seen],
                    "next_cursor": str(seen[-1]["number"]) if seen and len(rows) > len(seen) else None,
                    "now": stamp(work.now),
                    "mode": call.provider.mode,
                }
            )
        )
