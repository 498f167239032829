"""The double-entry books: every change is a movement of balanced entries, added and never altered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .database import Work

AccountKind = Literal[
    "issued", "expired", "available", "held", "clearing", "pending", "owed", "vouchers", "paying_out", "paid_out",
]  # fmt: skip
MovementKind = Literal[
    "opening", "adjustment", "hold", "capture", "release", "reversal", "expiry",
    "accrual", "accrual_posted", "claw_back", "owed_settled", "voucher", "payout", "payout_returned",
]  # fmt: skip


@dataclass(frozen=True)
class Account:
    """A place where points are. Most never fall below zero; `issued`, the counter-side of everything, and `owed` do."""

    kind: AccountKind
    member_id: str | None = None
    lot_id: int | None = None
    redemption_id: str | None = None
    partner_id: str | None = None
    accrual_id: str | None = None

    @property
    def name(self) -> str:
        parts = (self.kind, self.member_id, self.lot_id, self.redemption_id, self.partner_id, self.accrual_id)
        return ":".join(str(part) for part in parts if part is not None)


ISSUED = Account("issued")
EXPIRED = Account("expired")


def issuing(*, partner_id: str) -> Account:
    """What a partner has given out: the counter-side of its accruals."""
    return Account("issued", partner_id=partner_id)


def available(*, member_id: str, lot_id: int) -> Account:
    """What a member can spend from one lot."""
    return Account("available", member_id=member_id, lot_id=lot_id)


def held(*, member_id: str, lot_id: int, redemption_id: str) -> Account:
    """What one redemption holds of one lot."""
    return Account("held", member_id=member_id, lot_id=lot_id, redemption_id=redemption_id)


def clearing(*, partner_id: str) -> Account:
    """What a partner took and is owed for."""
    return Account("clearing", partner_id=partner_id)


def pending(*, member_id: str, accrual_id: str) -> Account:
    """What a partner has given that cannot be spent yet."""
    return Account("pending", member_id=member_id, accrual_id=accrual_id)


def owed(*, member_id: str) -> Account:
    """What was taken from a member beyond what there was: zero or below, never above."""
    return Account("owed", member_id=member_id)


@dataclass(frozen=True)
class Transfer:
    """So many points from one account to another: two entries that cancel out."""

    source: Account
    target: Account
    points: int


@dataclass(frozen=True)
class Movement:
    """What a member reads about a change."""

    kind: MovementKind
    member_id: str
    reason: str
    partner_id: str | None = None
    order_reference: str | None = None
    redemption_id: str | None = None
    accrual_id: str | None = None


def post(work: Work, movement: Movement, transfers: Sequence[Transfer]) -> int:
    """Write one movement with its entries and say what it changed of the member's available points.

    Raises sqlite3.IntegrityError when an account would fall below zero.
    """
    before, pending_before = _standing(work, movement.member_id)
    number, movement_id = work.next_id("ent", digits=8)
    changes: list[tuple[int, int]] = []
    for transfer in transfers:
        if transfer.points <= 0:
            raise ValueError("a transfer moves at least one point")
        for account, points in ((transfer.source, -transfer.points), (transfer.target, transfer.points)):
            changes.append((_apply(work, account, points), points))
    after, pending_after = _standing(work, movement.member_id)
    sequence = 1 + work.number("SELECT max(sequence) FROM movement WHERE member_id = ?", movement.member_id)
    work.run(
        "INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        number, movement_id, movement.member_id, sequence, movement.kind, after - before, after,
        movement.partner_id, movement.order_reference, movement.redemption_id, movement.reason, work.at,
        pending_after - pending_before, movement.accrual_id,
    )  # fmt: skip
    for account_id, points in changes:
        work.run("INSERT INTO entry (movement_number, account_id, points) VALUES (?, ?, ?)", number, account_id, points)
    return after - before


def available_points(work: Work, member_id: str) -> int:
    """What the member can spend now; below zero where points are owed."""
    return _standing(work, member_id)[0]


def held_points(work: Work, member_id: str) -> int:
    """What is reserved for orders of this member."""
    return _total(work, member_id, "held")


def pending_points(work: Work, member_id: str) -> int:
    """What was given to this member and cannot be spent yet."""
    return _standing(work, member_id)[1]


def owed_points(work: Work, member_id: str) -> int:
    """What was taken from this member beyond what there was."""
    return -_total(work, member_id, "owed")


def _total(work: Work, member_id: str, kind: AccountKind) -> int:
    return work.number("SELECT sum(points) FROM account WHERE member_id = ? AND kind = ?", member_id, kind)


def _standing(work: Work, member_id: str) -> tuple[int, int]:
    """What the member can spend, less what is owed; and what is pending."""
    row = work.one(
        "SELECT coalesce(sum(points) FILTER (WHERE kind <> 'pending'), 0),"
        " coalesce(sum(points) FILTER (WHERE kind = 'pending'), 0)"
        " FROM account WHERE member_id = ? AND kind IN ('available', 'owed', 'pending')",
        member_id,
    )
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def _apply(work: Work, account: Account, points: int) -> int:
    """Change an account by `points`, opening it where needed. Returns its row id."""
    row = work.one("SELECT id FROM account WHERE name = ?", account.name)
    if row:
        work.run("UPDATE account SET points = points + ? WHERE id = ?", points, row["id"])
        return int(row["id"])
    cursor = work.run(
        "INSERT INTO account (name, kind, member_id, lot_id, redemption_id, partner_id, points, accrual_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        account.name, account.kind, account.member_id, account.lot_id, account.redemption_id, account.partner_id,
        points, account.accrual_id,
    )  # fmt: skip
    return int(cursor.lastrowid or 0)
