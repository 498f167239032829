"""What happened, for partners that ask later: one event per change, in the same transaction."""

from __future__ import annotations

import json
import sqlite3

from . import profile
from .database import Work


def redemption_changed(work: Work, red: sqlite3.Row) -> None:
    """Note the state that a redemption has just reached."""
    _append(
        work,
        partner_id=red["partner_id"],
        kind=f"redemption.{red['state']}",
        data={
            "redemption_id": red["id"],
            "order_reference": red["order_reference"],
            "idempotency_key": str(red["idempotency_key"]).partition(profile.FORGOTTEN)[0],
            "state": red["state"],
            "redemption_sequence": red["sequence"],
        },
    )


def accrual_changed(work: Work, row: sqlite3.Row) -> None:
    """Note the state that an accrual has just reached."""
    _append(
        work,
        partner_id=row["partner_id"],
        kind=f"accrual.{row['state']}",
        data={
            "accrual_id": row["id"],
            "order_reference": row["order_reference"],
            "idempotency_key": row["idempotency_key"],
            "state": row["state"],
            "accrual_sequence": row["sequence"],
        },
    )


def payout_changed(work: Work, row: sqlite3.Row) -> None:
    """Note the state that a payout has just reached."""
    _append(
        work,
        partner_id=row["partner_id"],
        kind=f"payout.{row['state']}",
        data={
            "payout_id": row["id"],
            "payout_reference": row["payout_reference"],
            "idempotency_key": row["idempotency_key"],
            "state": row["state"],
            "payout_sequence": row["sequence"],
        },
    )


def consent_revoked(work: Work, *, partner_id: str, member_id: str, consent_id: str) -> None:
    """Note that a member has withdrawn the consent."""
    _append(
        work, partner_id=partner_id, kind="consent.revoked", data={"member_id": member_id, "consent_id": consent_id}
    )


def after(work: Work, *, partner_id: str, sequence: int, limit: int) -> list[sqlite3.Row]:
    """The partner's events beyond `sequence`, oldest first."""
    return work.all(
        "SELECT * FROM event WHERE partner_id = ? AND mode = ? AND sequence > ? ORDER BY sequence LIMIT ?",
        partner_id, work.mode, sequence, limit,
    )  # fmt: skip


def _append(work: Work, *, partner_id: str, kind: str, data: dict[str, str | int]) -> None:
    sequence, event_id = work.next_id("evt")
    work.run(
        "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)",
        sequence, event_id, partner_id, work.mode, kind, json.dumps(data), work.at,
    )  # fmt: skip
