"""Looking at the books: plain rows for the control plane, the dashboard and tests."""

from __future__ import annotations

from . import accruals, ledger, lots, members, redemptions, replies, reversals
from .database import Work
from .replies_accruals import Accrual

Plain = dict[str, object]


def member(work: Work, member_id: str) -> Plain:
    """A member with lots, consents and redemptions. Raises Refusal not_found."""
    row = members.get(work, member_id)
    reds = work.all(
        "SELECT * FROM redemption WHERE member_id = ? AND mode = ? ORDER BY number DESC", member_id, work.mode
    )
    return {
        "id": row["id"],
        "display_name": row["display_name"],
        "state": row["state"],
        "available": ledger.available_points(work, member_id),
        "held": ledger.held_points(work, member_id),
        "pending": ledger.pending_points(work, member_id),
        "owed": ledger.owed_points(work, member_id),
        "captured": sum(red["captured_points"] for red in reds),
        "reversed": sum(red["reversed_points"] for red in reds),
        "lots": [dict(lot) for lot in lots.of_member(work, member_id)],
        "consents": [dict(consent) for consent in members.consents_of(work, member_id)],
        "redemptions": [redemptions.reply(work, red).model_dump() for red in reds],
        "now": work.at,
    }


def all_members(work: Work) -> list[Plain]:
    """Every member with what is available, held, pending and owed."""
    return [
        {
            "id": row["id"],
            "display_name": row["display_name"],
            "state": row["state"],
            "available": ledger.available_points(work, row["id"]),
            "held": ledger.held_points(work, row["id"]),
            "pending": ledger.pending_points(work, row["id"]),
            "owed": ledger.owed_points(work, row["id"]),
        }
        for row in members.all_members(work)
    ]


def all_redemptions(
    work: Work, *, order_reference: str | None = None, member_id: str | None = None, limit: int = 200
) -> list[Plain]:
    """Redemptions of every partner, newest first, each with its reversals."""
    rows = work.all(
        "SELECT * FROM redemption WHERE mode = ?1 AND (?2 IS NULL OR order_reference = ?2)"
        " AND (?3 IS NULL OR member_id = ?3) ORDER BY number DESC LIMIT ?4",
        work.mode, order_reference, member_id, limit,
    )  # fmt: skip
    return [
        {
            **redemptions.reply(work, row).model_dump(),
            "reversals": [dict(reversal) for reversal in reversals.of_redemption(work, row["id"])],
        }
        for row in rows
    ]


def all_accruals(work: Work, *, order_reference: str | None = None) -> list[Accrual]:
    """Points that partners gave, oldest first."""
    rows = work.all(
        "SELECT * FROM accrual WHERE mode = ?1 AND (?2 IS NULL OR order_reference = ?2) ORDER BY number",
        work.mode, order_reference,
    )  # fmt: skip
    return [accruals.reply(work, row) for row in rows]


def all_entries(work: Work, *, member_id: str | None = None) -> list[Plain]:
    """Every entry of the books, oldest first; with `member_id` those of the movements of one member."""
    rows = work.all(
        "SELECT entry.id, movement.id AS movement_id, movement.kind, movement.at, movement.member_id,"
        " movement.order_reference, movement.redemption_id, account.name AS account, account.kind AS account_kind,"
        " account.lot_id, account.partner_id, entry.points, movement.reason"
        " FROM entry JOIN movement ON movement.number = movement_number JOIN account ON account.id = account_id"
        " WHERE ?1 IS NULL OR movement.member_id = ?1 ORDER BY entry.id",
        member_id,
    )
    return [dict(row) for row in rows]


def member_entries(work: Work, *, member_id: str, limit: int = 200) -> list[Plain]:
    """A member's movements as the member reads them, newest first."""
    rows = members.movements(work, member_id=member_id, before=None, limit=limit)
    return [{name: row[name] for name in replies.Entry.model_fields} for row in rows]
