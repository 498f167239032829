"""Accrual: points that a partner gives to a member, pending first or posted at once, in a lot of their own."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from . import events, ledger, lots, members, profile, programme, statements
from .arithmetic import share_minor
from .clock import moment, stamp
from .database import Work
from .ledger import Movement, MovementKind, Transfer
from .problems import Refusal
from .replies import Money
from .replies_accruals import Accrual
from .schemas_accruals import AccrualRequest

LOT_DAYS = 1_095
"""How long points that were given last from when they are posted, whatever was paid with before."""


def accrue(work: Work, request: AccrualRequest, *, partner_id: str, key: str) -> str:
    """Give points and say the accrual's id. Raises Refusal."""
    played = profile.current(work)
    profile.need(played.accrues, "Partners give no points here.")
    pending_s = request.pending_s or 0
    profile.need(not pending_s or played.accrual_pending, "Points are posted at once here.", field="pending_s")
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
    until = stamp(work.now + timedelta(seconds=max(1, pending_s)))
    work.run(
        "INSERT INTO accrual VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, NULL, ?, 'pending', 1, ?, ?, NULL, ?, 0)",
        number, accrual_id, partner_id, work.mode, request.member_id, request.order_reference, reference,
        key if played.has_keys else "", request.points, rate.worth_minor(request.points), rate.currency, rate.id,
        request.reason, work.at, work.at, until,
    )  # fmt: skip
    row = get(work, accrual_id, partner_id=partner_id)
    issuing = ledger.issuing(partner_id=partner_id)
    if pending_s:
        ledger.post(work, movement("accrual", row, row["reason"]), [Transfer(issuing, _pending(row), row["points"])])
    else:
        row = _make_spendable(work, row, "accrual", source=issuing, sequence=1)
    events.accrual_changed(work, row)
    return accrual_id


def post(work: Work, row: sqlite3.Row) -> None:
    """Let pending points be spent; what was posted before stays as it is. Raises Refusal."""
    if row["state"] == "reversed":
        raise Refusal("accrual_reversed", f"All {row['points']} points were taken back.")
    if row["state"] == "posted":
        return
    if moment(row["pending_until"]) > work.now:
        raise Refusal("accrual_not_due", f"It can be posted from {row['pending_until']} on.")
    row = _make_spendable(work, row, "accrual_posted", source=_pending(row), sequence=row["sequence"] + 1)
    events.accrual_changed(work, row)


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
        "reversed_points", "reason", "sequence", "created_at", "updated_at", "pending_until", "posted_at",
    )  # fmt: skip
    until = row["pending_until"]
    return Accrual.model_validate(
        {
            **{name: row[name] for name in same},
            "former_member_ids": [],
            "value": Money(amount_minor=row["value_minor"], currency=row["currency"]),
            "rate": programme.rate_reply(programme.known_rate(work, row["rate_id"])),
            "not_taken_points": row["reversed_points"] - row["taken_points"],
            "pending_in_s": None if until is None else max(0, int((moment(until) - work.now).total_seconds())),
            "expires_at": work.text("SELECT expires_at FROM lot WHERE id = ?", row["lot_id"]),
            "now": work.at,
            "mode": work.mode,
        }
    )


def movement(kind: MovementKind, row: sqlite3.Row, reason: str) -> Movement:
    """What the member reads about a change of an accrual."""
    return Movement(kind, row["member_id"], reason, row["partner_id"], row["order_reference"], accrual_id=row["id"])


def worth_minor(row: sqlite3.Row, first_points: int) -> int:
    """The value of the first so many points of an accrual; all of them have all of it."""
    return share_minor(part_points=first_points, whole_points=row["points"], whole_minor=row["value_minor"])


def _make_spendable(
    work: Work, row: sqlite3.Row, kind: MovementKind, *, source: ledger.Account, sequence: int
) -> sqlite3.Row:
    """What is left of an accrual becomes a lot, and is charged."""
    points = row["points"] - row["reversed_points"]
    work.run(
        "UPDATE accrual SET state = 'posted', sequence = ?, updated_at = ?, posted_at = ?, pending_until = NULL,"
        " lot_id = ? WHERE id = ?",
        sequence, work.at, work.at,
        lots.add(
            work, movement(kind, row, row["reason"]), source=source, points=points,
            expires_at=work.now + timedelta(days=LOT_DAYS),
        ),
        row["id"],
    )  # fmt: skip
    amount_minor = row["value_minor"] - worth_minor(row, row["taken_points"])
    statements.book_accrual(work, row, points=points, amount_minor=amount_minor)
    return get(work, row["id"], partner_id=row["partner_id"])


def _pending(row: sqlite3.Row) -> ledger.Account:
    return ledger.pending(member_id=row["member_id"], accrual_id=row["id"])


def _check_member(work: Work, member_id: str, *, partner_id: str) -> None:
    """Who was once linked can be given points, also after the consent was withdrawn: it is about using them."""
    member = members.get(work, member_id)
    if members.find_consent(work, member_id=member_id, partner_id=partner_id) is None:
        raise Refusal("not_linked", "The member has never agreed to be known to this partner.", field="member_id")
    if member["state"] == "blocked":
        raise Refusal("member_blocked", "Nothing can be added to a blocked account.", field="member_id")
