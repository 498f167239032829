"""Cancel by key: whatever an authorize holds ends, and one that never arrived never will."""

from __future__ import annotations

import sqlite3

from . import events, holds, idempotency, profile, programme, redemptions
from .database import Work
from .problems import Refusal


def cancel_by_key(work: Work, *, partner_id: str, key: str, target_key: str) -> sqlite3.Row:
    """End what the target holds, or bury its key. Raises Refusal already_captured, redemption_ended and others."""
    profile.need(profile.current(work).cancels_by_key, "Nothing can be cancelled by its key.")
    if key == target_key:
        raise Refusal("idempotency_key_reused", "A cancel-by-key needs a key of its own.", field="target_key")
    red = redemptions.by_key(work, target_key, partner_id=partner_id)
    if red is not None:
        return _end(work, red)
    used = idempotency.find(work, target_key, partner_id=partner_id)
    if used is not None and used["operation"] != "authorize":
        detail = f"The target was used for {used['operation']}; only an authorize can be cancelled by its key."
        raise Refusal("idempotency_key_reused", detail, field="target_key")
    tombstone = _tombstone(work, partner_id=partner_id, target_key=target_key)
    idempotency.bury(work, partner_id=partner_id, key=target_key, redemption_id=tombstone["id"])
    return tombstone


def _end(work: Work, red: sqlite3.Row) -> sqlite3.Row:
    if redemptions.has_captured(red):
        if red["state"] == "reversed":
            raise Refusal("redemption_ended", "It was given back in full.", redemption_id=red["id"])
        detail = f"{red['captured_points']} points were captured; a reversal gives back what was."
        raise Refusal("already_captured", detail, redemption_id=red["id"])
    if not redemptions.is_holding(red):
        return red
    return holds.end(work, red, ended_as="cancelled", reason=f"Cancelled, order {red['order_reference']}")


def _tombstone(work: Work, *, partner_id: str, target_key: str) -> sqlite3.Row:
    """A redemption of nothing, so that the key has something to show."""
    rate = programme.current_rate(work)
    number, redemption_id = work.next_id("red")
    red = redemptions.insert(
        work,
        {
            "number": number, "id": redemption_id, "partner_id": partner_id, "mode": work.mode, "member_id": "",
            "order_reference": "", "idempotency_key": target_key, "points": 0, "value_minor": 0, "total_minor": 0,
            "currency": rate.currency, "rate_id": rate.id, "line_count": 0, "context": "{}", "state": "cancelled",
            "is_live": 0, "expires_at": None,
        },
    )  # fmt: skip
    events.redemption_changed(work, red)
    return red
