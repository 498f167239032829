"""Members: who they are, what they have, which partner may ask."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from . import events, ledger, lots, programme, replies
from .arithmetic import MAX_POINTS
from .database import Work
from .parameters import EntryGroup
from .problems import Refusal

SCOPE = "balance redeem"
KINDS_OF: Mapping[EntryGroup, tuple[ledger.MovementKind, ...]] = {
    "earned": ("accrual", "accrual_posted", "claw_back", "owed_settled"),
    "spent": ("hold", "capture", "voucher", "payout"),
    "given_back": ("release", "reversal", "payout_returned"),
    "expired": ("expiry",),
    "other": ("opening", "adjustment"),
}
"""Which movements a member looks for together."""


def create(work: Work, *, member_id: str, display_name: str) -> None:
    """Open an account without points."""
    work.run("INSERT INTO member VALUES (?, ?, 'active', ?)", member_id, display_name, work.at)


def find(work: Work, member_id: str) -> sqlite3.Row | None:
    return work.one("SELECT * FROM member WHERE id = ?", member_id)


def get(work: Work, member_id: str) -> sqlite3.Row:
    """The member's row. Raises Refusal not_found."""
    row = find(work, member_id)
    if row is None:
        raise Refusal("not_found", "There is no such member.", field="member_id")
    return row


def all_members(work: Work) -> list[sqlite3.Row]:
    return work.all("SELECT * FROM member ORDER BY created_at, id")


def credit(work: Work, *, member_id: str, shares: Sequence[tuple[int, datetime | None]], reason: str) -> None:
    """Give points in lots of (points, expiry or None for never)."""
    first = work.number("SELECT count(*) FROM movement WHERE member_id = ?", member_id) == 0
    for points, expires_at in shares:
        kind: ledger.MovementKind = "opening" if first else "adjustment"
        lots.issue(work, member_id=member_id, points=points, expires_at=expires_at, kind=kind, reason=reason)


def set_available(work: Work, *, member_id: str, points: int) -> None:
    """Bring what the member can spend to exactly `points`, by an adjustment."""
    missing_points = points - ledger.available_points(work, member_id)
    if missing_points > 0:
        credit(work, member_id=member_id, shares=[(missing_points, None)], reason="Adjusted in the sandbox")
    elif missing_points < 0:
        lots.take_away(work, member_id=member_id, points=-missing_points, reason="Adjusted in the sandbox")


def set_state(work: Work, *, member_id: str, state: str) -> None:
    """`active` or `blocked`."""
    work.run("UPDATE member SET state = ? WHERE id = ?", state, member_id)


def give_consent(work: Work, *, member_id: str, partner_id: str, scope: str = SCOPE) -> str:
    """Let a partner ask for and use this member's points. Returns the consent's id; a standing consent is kept."""
    standing = find_consent(work, member_id=member_id, partner_id=partner_id)
    if standing is not None and standing["revoked_at"] is None:
        return str(standing["id"])
    _, consent_id = work.next_id("con")
    work.run(
        "INSERT OR REPLACE INTO consent VALUES (?, ?, ?, ?, ?, NULL)",
        consent_id, member_id, partner_id, scope, work.at,
    )  # fmt: skip
    return consent_id


def withdraw_consent(work: Work, *, member_id: str, partner_id: str) -> None:
    """End the consent, if one stands. What is held or captured stays and can be finished by the partner."""
    standing = find_consent(work, member_id=member_id, partner_id=partner_id)
    if standing is None or standing["revoked_at"] is not None:
        return
    work.run("UPDATE consent SET revoked_at = ? WHERE id = ?", work.at, standing["id"])
    events.consent_revoked(work, partner_id=partner_id, member_id=member_id, consent_id=standing["id"])


def find_consent(work: Work, *, member_id: str, partner_id: str) -> sqlite3.Row | None:
    return work.one("SELECT * FROM consent WHERE member_id = ? AND partner_id = ?", member_id, partner_id)


def consents_of(work: Work, member_id: str) -> list[sqlite3.Row]:
    """Every consent of a member, with the partner's display_name as partner_name."""
    return work.all(
        "SELECT consent.*, partner.display_name AS partner_name FROM consent JOIN partner ON partner.id = partner_id"
        " WHERE member_id = ? ORDER BY given_at, consent.id",
        member_id,
    )


def consenting(work: Work, *, member_id: str, partner_id: str) -> tuple[sqlite3.Row, str]:
    """The member and the consent's id. Raises Refusal not_found, not_linked or consent_revoked."""
    member = get(work, member_id)
    consent = find_consent(work, member_id=member_id, partner_id=partner_id)
    if consent is None:
        raise Refusal("not_linked", "The member has never agreed to be known to this partner.", field="member_id")
    if consent["revoked_at"] is not None:
        raise Refusal("consent_revoked", f"Withdrawn at {consent['revoked_at']}.", field="member_id")
    return member, str(consent["id"])


def member_reply(work: Work, *, member_id: str, partner_id: str) -> replies.Member:
    member, consent_id = consenting(work, member_id=member_id, partner_id=partner_id)
    return replies.Member.model_validate(
        {
            "member_id": member_id, "former_member_ids": [], "state": member["state"], "consent_id": consent_id,
            "now": work.at, "mode": work.mode,
        }
    )  # fmt: skip


def balance_reply(work: Work, *, member_id: str, partner_id: str) -> replies.Balance:
    consenting(work, member_id=member_id, partner_id=partner_id)
    rate = programme.current_rate(work)
    by_date: dict[str, int] = {}
    for lot in lots.of_member(work, member_id):
        if lot["expires_at"] and lot["available_points"]:
            by_date[lot["expires_at"]] = by_date.get(lot["expires_at"], 0) + lot["available_points"]
    return replies.Balance.model_validate(
        {
            "member_id": member_id, "former_member_ids": [],
            "available": ledger.available_points(work, member_id), "held": ledger.held_points(work, member_id),
            "pending": ledger.pending_points(work, member_id),
            "expiring": [{"points": points, "expires_at": at} for at, points in by_date.items()],
            "wallets": [],
            "rate": programme.rate_reply(rate),
            "limits": programme.limits_reply(programme.limits_of(work), currency=rate.currency),
            "now": work.at, "mode": work.mode,
        }
    )  # fmt: skip


def movements(
    work: Work,
    *,
    member_id: str,
    before: int | None,
    limit: int,
    groups: Sequence[EntryGroup] = (),
    since: str | None = None,
    until: str | None = None,
) -> list[sqlite3.Row]:
    """A member's movements, newest first, beginning below the sequence `before`; days in UTC, both included."""
    kinds = json.dumps([kind for group in groups for kind in KINDS_OF[group]]) if groups else None
    return work.all(
        "SELECT * FROM movement WHERE member_id = ?1 AND sequence < ?2"
        " AND (?4 IS NULL OR kind IN (SELECT value FROM json_each(?4)))"
        " AND (?5 IS NULL OR substr(at, 1, 10) >= ?5) AND (?6 IS NULL OR substr(at, 1, 10) <= ?6)"
        " ORDER BY sequence DESC LIMIT ?3",
        member_id, MAX_POINTS if before is None else before, limit, kinds, since, until,
    )  # fmt: skip
