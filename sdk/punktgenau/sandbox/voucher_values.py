"""The books of vouchers: every change of a value is two entries that cancel out, added and never altered."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal

from .database import Work

Kind = Literal["issue", "hold", "release", "capture", "lose", "reverse", "expire", "withdraw"]


@dataclass(frozen=True)
class Place:
    """Where a value is. All but `issued` never fall below zero; `issued` is the counter-side of everything."""

    kind: Literal["issued", "left", "held", "clearing", "lost", "expired"]
    voucher_id: str | None = None
    redemption_id: str | None = None
    partner_id: str | None = None


@dataclass(frozen=True)
class Figures:
    """What became of a voucher's value, in minor units."""

    left: int = 0
    held: int = 0
    lost: int = 0
    expired: int = 0


def left(voucher: sqlite3.Row) -> Place:
    """What can still be used."""
    return Place("left", voucher["id"])


def held(voucher: sqlite3.Row, redemption_id: str) -> Place:
    """What one redemption holds."""
    return Place("held", voucher["id"], redemption_id)


def lost(voucher: sqlite3.Row) -> Place:
    """What a use left over, where the voucher keeps nothing."""
    return Place("lost", voucher["id"])


def expired(voucher: sqlite3.Row) -> Place:
    """What nobody used in time."""
    return Place("expired", voucher["id"])


def clearing(partner_id: str) -> Place:
    """What a partner took and is owed for."""
    return Place("clearing", partner_id=partner_id)


ISSUED = Place("issued")


def move(
    work: Work, voucher: sqlite3.Row, kind: Kind, *, source: Place, target: Place, amount_minor: int, about: str = ""
) -> None:
    """Book so much from one place to another. Raises sqlite3.IntegrityError when one would fall below zero."""
    if amount_minor <= 0:
        raise ValueError("a movement moves at least one cent")
    movement, _ = work.next_id("voe")
    for place, amount in ((source, -amount_minor), (target, amount_minor)):
        account_id = _apply(work, voucher, place, amount)
        work.run(
            "INSERT INTO voucher_entry (movement, kind, voucher_id, account_id, amount_minor, redemption_id, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            movement, kind, voucher["id"], account_id, amount, about or None, work.at,
        )  # fmt: skip


def figures(work: Work, voucher_id: str) -> Figures:
    """What is where of a voucher now."""
    rows = work.all(
        "SELECT kind, sum(amount_minor) AS amount FROM voucher_account WHERE voucher_id = ? GROUP BY kind", voucher_id
    )
    return Figures(**{row["kind"]: int(row["amount"]) for row in rows})


NEXT_EXPIRY = (
    "SELECT min(expires_at) FROM voucher_account WHERE kind = 'left' AND amount_minor > 0 AND expires_at <= ?1"
)
"""When the first of the vouchers that still have something past their date expired, by ?1; NULL: none has."""


def expire(work: Work) -> None:
    """Let what is left of every voucher past its date expire. What is held stays."""
    due = work.all(
        "SELECT voucher.*, voucher_account.amount_minor AS due_minor FROM voucher_account"
        " JOIN voucher ON voucher.id = voucher_id WHERE voucher_account.kind = 'left'"
        " AND voucher_account.amount_minor > 0 AND voucher_account.expires_at <= ? ORDER BY voucher.number",
        work.at,
    )
    for voucher in due:
        amount = int(voucher["due_minor"])
        move(work, voucher, "expire", source=left(voucher), target=expired(voucher), amount_minor=amount)


def _apply(work: Work, voucher: sqlite3.Row, place: Place, amount_minor: int) -> int:
    """Change an account by so much, opening it where needed. Returns its row id."""
    parts = (place.kind, place.voucher_id, place.redemption_id, place.partner_id, voucher["currency"])
    name = ":".join(part for part in parts if part is not None)
    row = work.one("SELECT id FROM voucher_account WHERE name = ?", name)
    if row:
        work.run("UPDATE voucher_account SET amount_minor = amount_minor + ? WHERE id = ?", amount_minor, row["id"])
        return int(row["id"])
    cursor = work.run(
        "INSERT INTO voucher_account (name, kind, voucher_id, redemption_id, partner_id, currency, amount_minor,"
        " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        name, place.kind, place.voucher_id, place.redemption_id, place.partner_id, voucher["currency"], amount_minor,
        voucher["expires_at"] if place.kind == "left" else None,
    )  # fmt: skip
    return int(cursor.lastrowid or 0)
