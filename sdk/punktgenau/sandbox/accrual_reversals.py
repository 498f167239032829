"""Points that were given are taken back: pending ones first, then what there is, then below zero where that is said."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from . import accruals, events, ledger, lots, profile, statements
from .database import Work
from .ledger import Transfer
from .problems import Refusal
from .replies import Money
from .replies_accruals import AccrualReversal
from .schemas_accruals import ReverseAccrualRequest


@dataclass(frozen=True)
class _Taken:
    """Where the points of one reversal come from; together they are what was asked for."""

    pending: int
    available: int
    below_zero: int
    nowhere: int

    @property
    def charged(self) -> int:
        """What the partner gets back: pending points were never charged."""
        return self.available + self.below_zero

    @property
    def points(self) -> int:
        return self.pending + self.charged


def reverse(work: Work, row: sqlite3.Row, request: ReverseAccrualRequest, *, key: str) -> str:
    """Take points back and say the reversal's id; needs no consent. Raises Refusal."""
    reference = request.return_reference
    known = work.one(
        "SELECT id FROM accrual_reversal WHERE accrual_id = ? AND return_reference = ?", row["id"], reference
    )
    if known is not None:
        detail = f"Return {reference} has been taken back as {known['id']}."
        raise Refusal("reference_reused", detail, field="return_reference")
    left_points = row["points"] - row["reversed_points"]
    if request.points > left_points:
        raise Refusal(
            "reversal_exceeds_accrual",
            f"{left_points} points can still be taken back, {request.points} were asked for.",
            field="points",
            remaining_points=left_points,
            remaining_minor=row["value_minor"] - accruals.worth_minor(row, row["reversed_points"]),
        )
    taken = _take(work, row, request)
    _, reversal_id = work.next_id("arv")
    asked_points = row["reversed_points"] + request.points
    value_minor = accruals.worth_minor(row, asked_points) - accruals.worth_minor(row, row["reversed_points"])
    work.run(
        "INSERT INTO accrual_reversal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        reversal_id, row["id"], reference, request.points, value_minor, taken.pending, taken.available,
        taken.below_zero, taken.nowhere, key if profile.current(work).has_keys else "", request.reason, work.at,
    )  # fmt: skip
    taken_points = row["taken_points"] + taken.points
    if taken.charged:
        amount_minor = accruals.worth_minor(row, taken_points) - accruals.worth_minor(row, row["taken_points"])
        statements.book_claw_back(
            work, row, points=taken.charged, amount_minor=amount_minor, return_reference=reference,
            reason=request.reason,
        )  # fmt: skip
    _note(work, row, reversed_points=asked_points, taken_points=taken_points)
    return reversal_id


def reply(work: Work, reversal_id: str, row: sqlite3.Row) -> AccrualReversal:
    """The reversal with its accrual as it is now."""
    made = work.one("SELECT * FROM accrual_reversal WHERE id = ?", reversal_id)
    if made is None:
        raise LookupError(reversal_id)
    same = (
        "id", "accrual_id", "return_reference", "idempotency_key", "points", "taken_pending", "taken_available",
        "taken_below_zero", "not_taken", "created_at",
    )  # fmt: skip
    return AccrualReversal.model_validate(
        {
            **{name: made[name] for name in same},
            "value": Money(amount_minor=made["value_minor"], currency=row["currency"]),
            "accrual": accruals.reply(work, row),
            "now": work.at,
            "mode": work.mode,
        }
    )


def _take(work: Work, row: sqlite3.Row, request: ReverseAccrualRequest) -> _Taken:
    """Move the points; an accrual is wholly pending or not at all."""
    member_id, target = row["member_id"], ledger.issuing(partner_id=row["partner_id"])
    if row["state"] == "pending":
        taken = _Taken(request.points, 0, 0, 0)
        transfers = [Transfer(ledger.pending(member_id=member_id, accrual_id=row["id"]), target, request.points)]
    else:
        available_points = min(request.points, max(0, ledger.available_points(work, member_id)))
        missing_points = request.points - available_points
        owed_points = missing_points if request.below_zero else 0
        taken = _Taken(0, available_points, owed_points, missing_points - owed_points)
        transfers = [
            Transfer(ledger.available(member_id=member_id, lot_id=lot_id), target, share)
            for lot_id, share in lots.first_expiring(work, member_id, available_points, first_id=row["lot_id"])
        ]
        if owed_points:
            transfers.append(Transfer(ledger.owed(member_id=member_id), target, owed_points))
    if transfers:
        ledger.post(work, accruals.movement("claw_back", row, request.reason), transfers)
    return taken


def _note(work: Work, row: sqlite3.Row, *, reversed_points: int, taken_points: int) -> None:
    """Write down what is left of the accrual."""
    is_over = reversed_points == row["points"]
    work.run(
        "UPDATE accrual SET reversed_points = ?, taken_points = ?, sequence = sequence + 1, updated_at = ?,"
        " state = ?, pending_until = ? WHERE id = ?",
        reversed_points, taken_points, work.at, "reversed" if is_over else row["state"],
        None if is_over else row["pending_until"], row["id"],
    )  # fmt: skip
    events.accrual_changed(work, accruals.get(work, row["id"], partner_id=row["partner_id"]))
