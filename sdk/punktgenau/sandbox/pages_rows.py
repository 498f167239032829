"""Rows for the pages, read from the books as they stand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from itertools import groupby

from . import ledger, lots, members, voucher_values
from . import vouchers as voucher_books
from .database import Work

Row = Mapping[str, object]
_KINDS = (
    "issued", "pending", "available", "held", "owed", "clearing", "vouchers", "paying_out", "paid_out", "expired",
)  # fmt: skip
_SELDOM = frozenset({"pending", "owed", "vouchers", "paying_out", "paid_out"})


def all_members(work: Work, *, limit: int) -> list[Row]:
    """Members in the order in which they came, each with what there is and whether the first partner may ask."""
    rows = work.all("SELECT * FROM member ORDER BY rowid LIMIT ?", limit)
    return [
        {
            **dict(row),
            "available": ledger.available_points(work, row["id"]),
            "held": ledger.held_points(work, row["id"]),
            "pending": ledger.pending_points(work, row["id"]),
            "lots": open_lots(work, row["id"]),
            "consents": members.consents_of(work, row["id"]),
        }
        for row in rows
    ]


def open_lots(work: Work, member_id: str) -> list[sqlite3.Row]:
    """The lots of a member that still have something, first-expiring first."""
    return [lot for lot in lots.of_member(work, member_id) if lot["available_points"]]


def live_holds(work: Work, *, member_id: str | None = None, limit: int) -> list[sqlite3.Row]:
    """Redemptions that hold points, the one that ends first on top."""
    return work.all(
        "SELECT redemption.*, display_name FROM redemption JOIN member ON member.id = member_id"
        " WHERE redemption.expires_at IS NOT NULL AND (?1 IS NULL OR member_id = ?1)"
        " ORDER BY expires_at, number LIMIT ?2",
        member_id, limit,
    )  # fmt: skip


def redemptions(work: Work, *, member_id: str | None = None, limit: int) -> list[sqlite3.Row]:
    """Redemptions, newest first; keys that were cancelled before anything came are among them."""
    return work.all(
        "SELECT redemption.*, display_name FROM redemption LEFT JOIN member ON member.id = member_id"
        " WHERE ?1 IS NULL OR member_id = ?1 ORDER BY number DESC LIMIT ?2",
        member_id, limit,
    )  # fmt: skip


def accruals(work: Work, *, member_id: str, limit: int) -> list[sqlite3.Row]:
    """Points that were given to a member, newest first, each with until when those posted can be spent."""
    return work.all(
        "SELECT accrual.*, lot.expires_at FROM accrual LEFT JOIN lot ON lot.id = lot_id WHERE accrual.member_id = ?"
        " ORDER BY number DESC LIMIT ?",
        member_id, limit,
    )  # fmt: skip


def pending(work: Work, member_id: str) -> list[sqlite3.Row]:
    """What a member will get: points and from when on, the earliest first."""
    return work.all(
        "SELECT sum(points - reversed_points) AS points, pending_until FROM accrual"
        " WHERE member_id = ? AND state = 'pending' GROUP BY pending_until ORDER BY pending_until",
        member_id,
    )


def accounts(work: Work) -> dict[str, int]:
    """What lies in all accounts of a kind together, in the order in which points pass; what is rare only if it is."""
    found = {
        row["kind"]: row["points"] for row in work.all("SELECT kind, sum(points) AS points FROM account GROUP BY 1")
    }
    return {kind: int(found.get(kind, 0)) for kind in _KINDS if found.get(kind) or kind not in _SELDOM}


def sum_of_entries(work: Work) -> int:
    """Zero."""
    return work.number("SELECT sum(points) FROM entry")


def movements(
    work: Work, *, member_id: str | None = None, redemption_id: str | None = None, before: int | None = None, limit: int
) -> list[Row]:
    """Movements, newest first: kind, moved points, who and why; each with its entries."""
    rows = work.all(
        "SELECT movement.*, account.name AS account, entry.points AS entry_points FROM"
        " (SELECT * FROM movement WHERE (?1 IS NULL OR member_id = ?1) AND (?2 IS NULL OR redemption_id = ?2)"
        " AND (?3 IS NULL OR number < ?3) ORDER BY number DESC LIMIT ?4) AS movement"
        " JOIN entry ON entry.movement_number = movement.number JOIN account ON account.id = entry.account_id"
        " ORDER BY movement.number DESC, entry.id",
        member_id, redemption_id, before, limit,
    )  # fmt: skip
    found: list[Row] = []
    for _, grouped in groupby(rows, key=lambda row: row["number"]):
        entries = list(grouped)
        moved = sum(max(0, entry["entry_points"]) for entry in entries)
        found.append({**dict(entries[0]), "moved": moved, "entries": entries})
    return found


def vouchers(work: Work, member_id: str) -> list[Row]:
    """A member's vouchers with their codes, newest first: this is read by their owner."""
    rows = work.all("SELECT * FROM voucher WHERE member_id = ? ORDER BY number DESC", member_id)
    return [
        {
            **dict(row),
            "left_minor": (figures := voucher_values.figures(work, row["id"])).left,
            "state": voucher_books.state(row, figures),
            "written": voucher_books.written(row["code"]),
        }
        for row in rows
    ]


def payouts(work: Work, member_id: str, *, limit: int) -> list[sqlite3.Row]:
    """A member's payouts, newest first."""
    return work.all("SELECT * FROM payout WHERE member_id = ? ORDER BY number DESC LIMIT ?", member_id, limit)


def voucher_tenders(work: Work, redemption_id: str) -> list[sqlite3.Row]:
    """What a redemption holds, took and gave back of vouchers, in the order in which they were asked for."""
    return work.all(
        "SELECT voucher_tender.*, substr(voucher.code, -4) AS last_four, voucher.currency FROM voucher_tender"
        " JOIN voucher ON voucher.id = voucher_id WHERE redemption_id = ? ORDER BY position",
        redemption_id,
    )


def events(work: Work, *, redemption_id: str | None = None, limit: int) -> list[Row]:
    """Events, newest first, with what they say."""
    rows = work.all(
        "SELECT * FROM event WHERE ?1 IS NULL OR json_extract(data, '$.redemption_id') = ?1"
        " ORDER BY sequence DESC LIMIT ?2",
        redemption_id, limit,
    )  # fmt: skip
    return [{**dict(row), **json.loads(row["data"])} for row in rows]


def counts(work: Work) -> dict[str, int]:
    """How much a reset would throw away."""
    return {table: work.number(f"SELECT count(*) FROM {table}") for table in ("member", "redemption", "entry")}


def has_partner(work: Work, partner_id: str) -> bool:
    """Whether there is such a shop: a sandbox can be started with none."""
    return work.one("SELECT id FROM partner WHERE id = ?", partner_id) is not None


def worth(work: Work, points: int) -> tuple[int, str] | None:
    """What points are worth now, in minor units of a currency; None: this sandbox has no programme."""
    row = work.one("SELECT * FROM rate WHERE is_current = 1")
    return None if row is None else (points * int(row["amount_minor"]) // int(row["points"]), str(row["currency"]))
