"""The redemption row: how it is read, how its figures change, which state follows from them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from . import events, profile, programme, replies, voucher_tenders
from .clock import moment, stamp
from .database import Work
from .problems import Refusal

EndedAs = Literal["voided", "expired", "cancelled"]
Both = tuple[int, int]
"""Points, and the value of vouchers in minor units."""


def find(work: Work, redemption_id: str) -> sqlite3.Row | None:
    return work.one("SELECT * FROM redemption WHERE id = ? AND mode = ?", redemption_id, work.mode)


def get(work: Work, redemption_id: str, *, partner_id: str) -> sqlite3.Row:
    """The partner's redemption. Raises Refusal not_found, also for somebody else's."""
    row = find(work, redemption_id)
    if row is None or row["partner_id"] != partner_id:
        raise Refusal("not_found", "There is no such redemption.")
    return row


def by_key(work: Work, key: str, *, partner_id: str) -> sqlite3.Row | None:
    """The redemption that an authorize with this key made, as long as keys are remembered."""
    return work.one(
        "SELECT * FROM redemption WHERE partner_id = ? AND mode = ? AND idempotency_key = ?"
        " AND (created_at >= ? OR member_id = '')",
        partner_id, work.mode, key, profile.oldest_key(work),
    )  # fmt: skip


def stored_key(work: Work, key: str, *, redemption_id: str, partner_id: str) -> str:
    """The key to keep with a new redemption. One that was forgotten since an older one had it is taken from that."""
    if not profile.current(work).has_keys:
        return profile.FORGOTTEN + redemption_id
    work.run(
        "UPDATE redemption SET idempotency_key = idempotency_key || ? || id"
        " WHERE partner_id = ? AND mode = ? AND idempotency_key = ? AND created_at < ?",
        profile.FORGOTTEN, partner_id, work.mode, key, profile.oldest_key(work),
    )  # fmt: skip
    return key


def key_of(red: sqlite3.Row) -> str:
    """The key as the partner sent it; empty where keys are nothing to this provider."""
    return str(red["idempotency_key"]).partition(profile.FORGOTTEN)[0]


def live_for_order(work: Work, order_reference: str, *, partner_id: str) -> sqlite3.Row | None:
    return work.one(
        "SELECT * FROM redemption WHERE partner_id = ? AND mode = ? AND order_reference = ? AND is_live = 1",
        partner_id, work.mode, order_reference,
    )  # fmt: skip


def insert(work: Work, columns: Mapping[str, str | int | None]) -> sqlite3.Row:
    """Write a new redemption; figures left out are 0. Returns its row."""
    figures = (
        "held_points",
        "captured_points",
        "released_points",
        "reversed_points",
        "captured_minor",
        "reversed_minor",
        "vouchers_minor",
        "held_vouchers_minor",
        "captured_vouchers_minor",
        "reversed_vouchers_minor",
    )
    row = {**dict.fromkeys(figures, 0), "sequence": 1, "created_at": work.at, "updated_at": work.at, **columns}
    marks = ", ".join("?" * len(row))
    work.run(f"INSERT INTO redemption ({', '.join(row)}) VALUES ({marks})", *row.values())
    return _existing(work, str(row["id"]))


def state_of(*, held: Both, captured: Both, reversed_: Both, ended_as: EndedAs) -> replies.State:
    """The state that follows from the figures; `ended_as` says why, where nothing is held or captured."""
    if any(held):
        return "partially_captured" if any(captured) else "authorized"
    if not any(captured):
        return ended_as
    if not any(reversed_):
        return "captured"
    return "reversed" if reversed_ == captured else "partially_reversed"


def change(
    work: Work,
    red: sqlite3.Row,
    *,
    capture_points: int = 0,
    capture_minor: int = 0,
    release_points: int = 0,
    reverse_points: int = 0,
    reverse_minor: int = 0,
    capture_vouchers_minor: int = 0,
    release_vouchers_minor: int = 0,
    reverse_vouchers_minor: int = 0,
    ended_as: EndedAs = "voided",
    expires_at: datetime | None = None,
) -> sqlite3.Row:
    """Add to the figures, move on by one in sequence, note the event. Returns the new row."""
    held = red["held_points"] - capture_points - release_points
    captured = red["captured_points"] + capture_points
    reversed_ = red["reversed_points"] + reverse_points
    held_vouchers = red["held_vouchers_minor"] - capture_vouchers_minor - release_vouchers_minor
    captured_vouchers = red["captured_vouchers_minor"] + capture_vouchers_minor
    reversed_vouchers = red["reversed_vouchers_minor"] + reverse_vouchers_minor
    is_held = held > 0 or held_vouchers > 0
    state = state_of(
        held=(held, held_vouchers), captured=(captured, captured_vouchers), reversed_=(reversed_, reversed_vouchers),
        ended_as=ended_as,
    )  # fmt: skip
    until = stamp(expires_at) if expires_at else red["expires_at"]
    work.run(
        "UPDATE redemption SET held_points = ?, captured_points = ?, released_points = released_points + ?,"
        " reversed_points = ?, captured_minor = captured_minor + ?, reversed_minor = reversed_minor + ?,"
        " held_vouchers_minor = ?, captured_vouchers_minor = ?, reversed_vouchers_minor = ?,"
        " state = ?, is_live = ?, sequence = sequence + 1, updated_at = ?, expires_at = ? WHERE id = ?",
        held, captured, release_points, reversed_, capture_minor, reverse_minor,
        held_vouchers, captured_vouchers, reversed_vouchers, state,
        int(is_held or captured > reversed_ or captured_vouchers > reversed_vouchers), work.at,
        until if is_held else None, red["id"],
    )  # fmt: skip
    row = _existing(work, red["id"])
    events.redemption_changed(work, row)
    return row


def is_holding(red: sqlite3.Row) -> bool:
    """Whether points or vouchers wait."""
    return bool(red["held_points"] or red["held_vouchers_minor"])


def has_captured(red: sqlite3.Row) -> bool:
    """Whether points or vouchers were taken, given back since or not."""
    return bool(red["captured_points"] or red["captured_vouchers_minor"])


def check_can_act_on_hold(red: sqlite3.Row) -> None:
    """Raise the Refusal that says why there is no hold any more."""
    if is_holding(red):
        return
    state, redemption_id = red["state"], red["id"]
    if state == "voided":
        raise Refusal("already_voided", "The points went back to the member.", redemption_id=redemption_id)
    if state == "expired":
        raise Refusal("hold_expired", f"It ended at {red['updated_at']}.", redemption_id=redemption_id)
    if state in ("captured", "partially_reversed"):
        detail = f"{red['captured_points']} points were captured."
        raise Refusal("already_captured", detail, redemption_id=redemption_id)
    raise Refusal("redemption_ended", f"It is {state}.", redemption_id=redemption_id)


def _existing(work: Work, redemption_id: str) -> sqlite3.Row:
    row = find(work, redemption_id)
    if row is None:
        raise LookupError(redemption_id)
    return row


def reply(work: Work, red: sqlite3.Row) -> replies.Redemption:
    """The redemption as it is now."""

    def money(amount_minor: int) -> replies.Money:
        return replies.Money(amount_minor=amount_minor, currency=red["currency"])

    figures = {name: red[name] for name in ("held_points", "captured_points", "reversed_points", "released_points")}
    value = money(red["value_minor"])
    until = red["expires_at"]
    same = ("id", "state", "member_id", "partner_id", "order_reference", "points", "sequence")
    tender = {"kind": "points", "points": red["points"], "value": value, **figures}
    return replies.Redemption.model_validate(
        {
            **{name: red[name] for name in same}, **figures, "idempotency_key": key_of(red),
            "former_member_ids": [], "value": value, "total": money(red["total_minor"]),
            "rate": programme.rate_reply(programme.known_rate(work, red["rate_id"])),
            "captured_value": money(red["captured_minor"]), "reversed_value": money(red["reversed_minor"]),
            "tenders": [*([tender] if red["points"] else []), *voucher_tenders.reply(work, red)],
            "created_at": red["created_at"], "updated_at": red["updated_at"],
            "expires_at": until, "expires_in_s": int((moment(until) - work.now).total_seconds()) if until else None,
            "now": work.at, "mode": work.mode,
        }
    )  # fmt: skip
