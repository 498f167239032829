"""Which points a redemption uses: drawn from the lot that expires first, given back in the exact reverse."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime

from .clock import stamp
from .database import Work
from .ledger import (
    EXPIRED,
    ISSUED,
    Account,
    Movement,
    MovementKind,
    Transfer,
    available,
    clearing,
    held,
    owed,
    owed_points,
    post,
)

_BY_EXPIRY = "lot.expires_at IS NULL, lot.expires_at, lot.id"


def issue(
    work: Work, *, member_id: str, points: int, expires_at: datetime | None, kind: MovementKind, reason: str
) -> None:
    """Give a member a new lot. `expires_at` None: it never expires."""
    add(work, Movement(kind, member_id, reason), source=ISSUED, points=points, expires_at=expires_at)


def add(work: Work, movement: Movement, *, source: Account, points: int, expires_at: datetime | None) -> int:
    """Give a member a new lot from any account, settle what is owed, and say the lot's id."""
    member_id = movement.member_id
    lot_id = _new_lot(work, member_id=member_id, points=points, expires_at=expires_at)
    post(work, movement, [Transfer(source, available(member_id=member_id, lot_id=lot_id), points)])
    settle(work, member_id)
    return lot_id


def settle(work: Work, member_id: str) -> None:
    """Let what has come in pay what is owed, so that nobody owes points and has some."""
    open_lots = [lot for lot in of_member(work, member_id) if lot["available_points"] > 0]
    points = min(owed_points(work, member_id), sum(lot["available_points"] for lot in open_lots))
    if points > 0:
        transfers = [
            Transfer(available(member_id=member_id, lot_id=lot_id), owed(member_id=member_id), share)
            for lot_id, share in first_expiring(work, member_id, points)
        ]
        post(work, Movement("owed_settled", member_id, f"{points} points settled what was owed"), transfers)


def take_away(work: Work, *, member_id: str, points: int, reason: str) -> None:
    """Take available points out of circulation, first-expiring first."""
    transfers = [
        Transfer(available(member_id=member_id, lot_id=lot_id), ISSUED, share)
        for lot_id, share in first_expiring(work, member_id, points)
    ]
    post(work, Movement("adjustment", member_id, reason), transfers)


def spend(work: Work, movement: Movement, *, target: Account, points: int) -> list[tuple[int, int]]:
    """Turn available points into something else, first-expiring first, and say of which lots how many."""
    shares = first_expiring(work, movement.member_id, points)
    transfers = [
        Transfer(available(member_id=movement.member_id, lot_id=lot_id), target, share) for lot_id, share in shares
    ]
    post(work, movement, transfers)
    return shares


def bring_back(work: Work, movement: Movement, *, source: Account, shares: Iterable[tuple[int, int]]) -> None:
    """Bring points back into their lots. A lot past its date expires at once."""
    transfers = [
        Transfer(source, available(member_id=movement.member_id, lot_id=lot_id), share) for lot_id, share in shares
    ]
    post(work, movement, transfers)
    expire(work, member_id=movement.member_id)
    settle(work, movement.member_id)


def hold(work: Work, red: sqlite3.Row, *, points: int) -> None:
    """Move `points` of the member to the redemption and remember from which lots, in drawing order."""
    transfers = []
    for position, (lot_id, share) in enumerate(first_expiring(work, red["member_id"], points)):
        work.run(
            "INSERT INTO draw (redemption_id, position, lot_id, points) VALUES (?, ?, ?, ?)",
            red["id"], position, lot_id, share,
        )  # fmt: skip
        source = available(member_id=red["member_id"], lot_id=lot_id)
        transfers.append(Transfer(source, _held(red, lot_id), share))
    post(work, _movement("hold", red, f"Held for order {red['order_reference']}"), transfers)


def capture(work: Work, red: sqlite3.Row, *, points: int) -> None:
    """Pay `points` of what is held to the partner, in drawing order."""
    target = clearing(partner_id=red["partner_id"])
    transfers = []
    for draw, share in _walk(
        _draws(work, red), points, lambda d: d["points"] - d["captured_points"] - d["released_points"]
    ):
        _add(work, draw, "captured_points", share)
        transfers.append(Transfer(_held(red, draw["lot_id"]), target, share))
    post(work, _movement("capture", red, f"{points} points paid for order {red['order_reference']}"), transfers)


def release(work: Work, red: sqlite3.Row, *, points: int, reason: str) -> None:
    """Give `points` of what is held back to their lots, last drawn first. A lot past its date expires at once."""
    transfers = []
    draws = reversed(_draws(work, red))
    for draw, share in _walk(draws, points, lambda d: d["points"] - d["captured_points"] - d["released_points"]):
        _add(work, draw, "released_points", share)
        target = available(member_id=red["member_id"], lot_id=draw["lot_id"])
        transfers.append(Transfer(_held(red, draw["lot_id"]), target, share))
    post(work, _movement("release", red, reason), transfers)
    expire(work, member_id=red["member_id"])
    settle(work, red["member_id"])


def give_back(work: Work, red: sqlite3.Row, *, points: int, reason: str) -> int:
    """Return `points` of what was captured to their lots, last drawn first. Says how many expired on arrival."""
    transfers, late_points = [], 0
    source = clearing(partner_id=red["partner_id"])
    for draw, share in _walk(
        reversed(_draws(work, red)), points, lambda d: d["captured_points"] - d["reversed_points"]
    ):
        _add(work, draw, "reversed_points", share)
        transfers.append(Transfer(source, available(member_id=red["member_id"], lot_id=draw["lot_id"]), share))
        late_points += share if draw["expires_at"] is not None and draw["expires_at"] <= work.at else 0
    post(work, _movement("reversal", red, reason), transfers)
    expire(work, member_id=red["member_id"])
    settle(work, red["member_id"])
    return late_points


def expired_of(work: Work, red: sqlite3.Row, *, points: int) -> int:
    """How many of so many captured points would come back already expired now; the same lots as `give_back`."""
    shares = _walk(reversed(_draws(work, red)), points, lambda d: d["captured_points"] - d["reversed_points"])
    return sum(share for draw, share in shares if draw["expires_at"] is not None and draw["expires_at"] <= work.at)


NEXT_EXPIRY = (
    "SELECT min(lot.expires_at) FROM lot JOIN account ON account.lot_id = lot.id"
    " WHERE account.kind = 'available' AND account.points > 0 AND lot.expires_at <= ?1"
)
"""When the first of the lots that still have points past their date expired, by ?1; NULL: no lot has."""


def expire(work: Work, *, member_id: str | None = None) -> None:
    """Let the available points of every lot past its date expire. Held points stay."""
    due = work.all(
        "SELECT lot.id, lot.member_id, account.points FROM lot JOIN account ON account.lot_id = lot.id"
        " WHERE account.kind = 'available' AND account.points > 0 AND lot.expires_at <= ?"
        f" AND (? IS NULL OR lot.member_id = ?) ORDER BY {_BY_EXPIRY}",
        work.at, member_id, member_id,
    )  # fmt: skip
    for lot in due:
        source = available(member_id=lot["member_id"], lot_id=lot["id"])
        movement = Movement("expiry", lot["member_id"], f"{lot['points']} points expired")
        post(work, movement, [Transfer(source, EXPIRED, lot["points"])])


def of_member(work: Work, member_id: str) -> list[sqlite3.Row]:
    """Every lot with what is left of it, first-expiring first: id, points, expires_at, available_points."""
    return work.all(
        "SELECT lot.id, lot.points, lot.expires_at, coalesce(account.points, 0) AS available_points FROM lot"
        " LEFT JOIN account ON account.lot_id = lot.id AND account.kind = 'available'"
        f" WHERE lot.member_id = ? ORDER BY {_BY_EXPIRY}",
        member_id,
    )


def _new_lot(work: Work, *, member_id: str, points: int, expires_at: datetime | None) -> int:
    lot_id, _ = work.next_id("lot")
    expiry = stamp(expires_at) if expires_at else None
    work.run("INSERT INTO lot VALUES (?, ?, ?, ?, ?)", lot_id, member_id, points, expiry, work.at)
    return lot_id


def first_expiring(work: Work, member_id: str, points: int, *, first_id: int | None = None) -> list[tuple[int, int]]:
    """Which lots so many available points are drawn from, as (lot id, points): that one first, then by date.

    Raises ValueError where there are fewer.
    """
    open_lots = [lot for lot in of_member(work, member_id) if lot["available_points"] > 0]
    open_lots.sort(key=lambda lot: lot["id"] != first_id)
    return [(lot["id"], share) for lot, share in _walk(open_lots, points, lambda lot: lot["available_points"])]


def _walk(
    rows: Iterable[sqlite3.Row], points: int, room: Callable[[sqlite3.Row], int]
) -> list[tuple[sqlite3.Row, int]]:
    """Fill `points` from the rows in their order, each up to its room. Raises ValueError when they have too little."""
    shares, missing_points = [], points
    for row in rows:
        share = min(missing_points, room(row))
        if share > 0:
            shares.append((row, share))
            missing_points -= share
    if missing_points:
        raise ValueError(f"{missing_points} of {points} points have no lot")
    return shares


def _draws(work: Work, red: sqlite3.Row) -> list[sqlite3.Row]:
    return work.all(
        "SELECT draw.*, lot.expires_at FROM draw JOIN lot ON lot.id = draw.lot_id"
        " WHERE redemption_id = ? ORDER BY position",
        red["id"],
    )


def _add(work: Work, draw: sqlite3.Row, column: str, points: int) -> None:
    work.run(
        f"UPDATE draw SET {column} = {column} + ? WHERE redemption_id = ? AND position = ?",
        points, draw["redemption_id"], draw["position"],
    )  # fmt: skip


def _held(red: sqlite3.Row, lot_id: int) -> Account:
    return held(member_id=red["member_id"], lot_id=lot_id, redemption_id=red["id"])


def _movement(kind: MovementKind, red: sqlite3.Row, reason: str) -> Movement:
    return Movement(kind, red["member_id"], reason, red["partner_id"], red["order_reference"], red["id"])
