"""Payouts: points become money on the member's bank account, which only the provider knows."""

from __future__ import annotations

import sqlite3
from typing import Literal

from . import events, issued, ledger, lots, members, profile, programme
from .database import Work
from .problems import Refusal
from .replies import Money
from .replies_vouchers import Payout
from .schemas_vouchers import PayoutRequest


def set_account(work: Work, *, member_id: str, hint: str | None) -> None:
    """Where a member's money goes, as far as a partner may see it. None: nowhere yet."""
    work.run("DELETE FROM payout_account WHERE member_id = ?", member_id)
    if hint is not None:
        work.run("INSERT INTO payout_account VALUES (?, ?)", member_id, hint)


def request(work: Work, wanted: PayoutRequest, *, partner_id: str, key: str) -> str:
    """Take the points, note the payout, and say its id. Raises Refusal."""
    played = profile.current(work)
    profile.need(played.payouts, "Points are not paid out here.")
    member, _ = members.consenting(work, member_id=wanted.member_id, partner_id=partner_id)
    if member["state"] != "active":
        raise Refusal("member_blocked", "The provider has blocked this account.", field="member_id")
    reference = wanted.payout_reference
    known = work.one(
        "SELECT id FROM payout WHERE partner_id = ? AND mode = ? AND payout_reference = ?",
        partner_id, work.mode, reference,
    )  # fmt: skip
    if known is not None:
        raise Refusal("reference_reused", f"{reference} was requested as {known['id']}.", field="payout_reference")
    hint = work.text("SELECT hint FROM payout_account WHERE member_id = ?", member["id"])
    if hint is None:
        raise Refusal("payout_account_missing", "The member has named no bank account.", field="member_id")
    rate, available_points = programme.current_rate(work), ledger.available_points(work, member["id"])
    if wanted.points > available_points:
        raise Refusal(
            "insufficient_points", f"{available_points} points are available, {wanted.points} were asked for.",
            field="points", remaining_points=available_points, remaining_minor=rate.worth_minor(available_points),
        )  # fmt: skip
    value_minor = rate.worth_minor(wanted.points)
    if not value_minor:
        raise Refusal("below_minimum", "So few points are worth nothing.", field="points")
    number, payout_id = work.next_id("pay")
    work.run(
        "INSERT INTO payout VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'requested', NULL, 1, ?, ?)",
        number, payout_id, partner_id, work.mode, member["id"], reference, key if played.has_keys else "",
        wanted.points, value_minor, rate.currency, rate.id, hint, work.at, work.at,
    )  # fmt: skip
    movement = ledger.Movement("payout", member["id"], f"Payout {payout_id} to {hint}", partner_id)
    shares = lots.spend(work, movement, target=_waiting(member["id"]), points=wanted.points)
    for position, (lot_id, points) in enumerate(shares):
        work.run("INSERT INTO payout_draw VALUES (?, ?, ?, ?)", payout_id, position, lot_id, points)
    events.payout_changed(work, get(work, payout_id, partner_id=partner_id))
    return payout_id


def decide(work: Work, payout_id: str, state: Literal["paid", "rejected"], *, reason: str | None) -> sqlite3.Row:
    """What the provider's bank, or its staff, says: paid for good, or rejected and the points are back.

    Raises Refusal not_found, payout_decided.
    """
    row = work.one("SELECT * FROM payout WHERE id = ?", payout_id)
    if row is None:
        raise Refusal("not_found", "There is no such payout.", field="payout_id")
    if row["state"] != "requested":
        raise Refusal("invalid_request", f"state: it is {row['state']} already", field="state")
    member_id, points = row["member_id"], row["points"]
    draws = work.all("SELECT * FROM payout_draw WHERE payout_id = ? ORDER BY position DESC", payout_id)
    shares = [(draw["lot_id"], draw["points"]) for draw in draws]
    if state == "rejected":
        movement = ledger.Movement(
            "payout_returned", member_id, f"Payout {payout_id} was not possible: {reason or 'rejected'}",
            row["partner_id"],
        )  # fmt: skip
        lots.bring_back(work, movement, source=_waiting(member_id), shares=shares)
    else:
        ledger.post(
            work,
            ledger.Movement("payout", member_id, f"Payout {payout_id} was paid", row["partner_id"]),
            [ledger.Transfer(_waiting(member_id), ledger.Account("paid_out"), points)],
        )
        issued.spent(work, shares[::-1], amount_minor=row["value_minor"], currency=row["currency"])
    work.run(
        "UPDATE payout SET state = ?, reason = ?, sequence = sequence + 1, updated_at = ? WHERE id = ?",
        state, reason, work.at, payout_id,
    )  # fmt: skip
    changed = get(work, payout_id, partner_id=row["partner_id"])
    events.payout_changed(work, changed)
    return changed


def get(work: Work, payout_id: str, *, partner_id: str) -> sqlite3.Row:
    """The partner's payout. Raises Refusal not_found, also for somebody else's."""
    row = work.one("SELECT * FROM payout WHERE id = ? AND mode = ?", payout_id, work.mode)
    if row is None or row["partner_id"] != partner_id:
        raise Refusal("not_found", "There is no such payout.")
    return row


def reply(work: Work, row: sqlite3.Row) -> Payout:
    """The payout as it is now."""
    same = (
        "id", "state", "member_id", "partner_id", "payout_reference", "points", "account_hint", "reason", "sequence",
        "created_at", "updated_at",
    )  # fmt: skip
    return Payout.model_validate(
        {
            **{name: row[name] for name in same},
            "former_member_ids": [],
            "idempotency_key": row["idempotency_key"],
            "value": Money(amount_minor=row["value_minor"], currency=row["currency"]),
            "rate": programme.rate_reply(programme.known_rate(work, row["rate_id"])),
            "now": work.at,
            "mode": work.mode,
        }
    )


def _waiting(member_id: str) -> ledger.Account:
    """Points that have left the member and are no money yet."""
    return ledger.Account("paying_out", member_id)
