"""Accrual: points that a partner gives to a member, posted at once, in a lot of their own."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from . import events, lots, members, profile, programme, statements
from .database import Work
from .problems import Refusal
from .replies import Money
from .replies_accruals import Accrual
from .schemas_accruals import AccrualRequest

LOT_DAYS = 1_095
"""How long points that were given last, whatever was paid with before."""


def accrue(work: Work, request: AccrualRequest, *, partner_id: str, key: str) -> str:
    """Give points and say the accrual's id. Raises Refusal."""
    played = profile.current(work)
    profile.need(played.accrues, "Partners give no points here.")
    _check_member(work, request.member_id, partner_id=partner_id)
    reference = request.accrual_reference
    known = work.one(
        "SELECT id FROM accrual WHERE partner_id = ? AND mode = ? AND accrual_reference = ?",
        partner_id, work.mode, reference,
    )  # fmt: skip
    if known is not None:
        raise Refusal("reference_reused", f"{reference} was posted as {known['id']}.", field="accrual_reference")
    rate = programme.current_rate(work)
    number, accrual_id = work.next_id("acc")
    expires_at = work.now + timedelta(days=LOT_DAYS)
    lot_id = lots.accrue(
        work, member_id=request.member_id, partner_id=partner_id, order_reference=request.order_reference,
        points=request.points, expires_at=expires_at, reason=request.reason,
    )  # fmt: skip
    work.run(
        "INSERT INTO accrual VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, 'posted', 1, ?, ?, ?)",
        number, accrual_id, partner_id, work.mode, request.member_id, request.order_reference, reference,
        key if played.has_keys else "", request.points, rate.worth_minor(request.points), rate.currency, rate.id,
        lot_id, request.reason, work.at, work.at, work.at,
    )  # fmt: skip
    row = get(work, accrual_id, partner_id=partner_id)
    statements.book_accrual(work, row)
    events.accrual_changed(work, row)
    return accrual_id


def get(work: Work, accrual_id: str, *, partner_id: str) -> sqlite3.Row:
    """The partner's accrual. Raises Refusal not_found, also for somebody else's."""
    row = work.one("SELECT * FROM accrual WHERE id = ? AND mode = ?", accrual_id, work.mode)
    if row is None or row["partner_id"] != partner_id:
        raise Refusal("not_found", "There is no such accrual.")
    return row


def reply(work: Work, row: sqlite3.Row) -> Accrual:
    """The accrual as it is now."""
    same = (
        "id", "state", "member_id", "partner_id", "order_reference", "accrual_reference", "idempotency_key", "points",
        "reversed_points", "reason", "sequence", "created_at", "updated_at", "posted_at",
    )  # fmt: skip
    return Accrual.model_validate(
        {
            **{name: row[name] for name in same},
            "former_member_ids": [],
            "value": Money(amount_minor=row["value_minor"], currency=row["currency"]),
            "rate": programme.rate_reply(programme.known_rate(work, row["rate_id"])),
            "pending_until": None,
            "expires_at": work.text("SELECT expires_at FROM lot WHERE id = ?", row["lot_id"]),
            "now": work.at,
            "mode": work.mode,
        }
    )


def _check_member(work: Work, member_id: str, *, partner_id: str) -> None:
    """Who was once linked can be given points, also after the consent was withdrawn: it is about using them."""
    member = members.get(work, member_id)
    if members.find_consent(work, member_id=member_id, partner_id=partner_id) is None:
        raise Refusal("not_linked", "The member has never agreed to be known to this partner.", field="member_id")
    if member["state"] == "blocked":
        raise Refusal("member_blocked", "Nothing can be added to a blocked account.", field="member_id")
