"""Vouchers as tenders of a redemption: held, taken whole with the first capture, released, given back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from . import profile, replies, statements, voucher_values, vouchers
from .database import Work
from .problems import Refusal
from .schemas import TenderIn, VoucherBack
from .voucher_values import clearing, expired, held, left, lost, move


@dataclass(frozen=True)
class Wanted:
    """A voucher and how much of it an order shall be paid with, in minor units."""

    voucher: sqlite3.Row
    value_minor: int


def checked(
    work: Work, tenders: Sequence[TenderIn], *, partner_id: str, member_id: str, currency: str, room_minor: int
) -> list[Wanted]:
    """The vouchers among these tenders, each fit to be held. `room_minor`: what the order leaves them to pay.

    Raises the Refusal of the first that is not.
    """
    found: list[Wanted] = []
    for position, tender in enumerate(tenders):
        if tender.kind != "voucher":
            continue
        profile.need(profile.current(work).vouchers, "There are no vouchers here.", field=f"tenders.{position}.kind")
        one = _checked(
            work, tender, f"tenders.{position}", partner_id=partner_id, member_id=member_id, room_minor=room_minor
        )
        if one.voucher["currency"] != currency:
            detail = f"The voucher pays in {one.voucher['currency']} only."
            raise Refusal("voucher_currency", detail, field=f"tenders.{position}.value.currency")
        if any(one.voucher["id"] == other.voucher["id"] for other in found):
            raise Refusal("voucher_held", "This order has it already.", field=f"tenders.{position}.{_named(tender)}")
        found.append(one)
        room_minor -= one.value_minor
    return found


def _checked(work: Work, tender: TenderIn, field: str, *, partner_id: str, member_id: str, room_minor: int) -> Wanted:
    named = f"{field}.{_named(tender)}"
    if tender.code is not None:
        row = vouchers.by_code(work, tender.code, field=named)
    else:
        row = _by_id(work, str(tender.voucher_id), partner_id=partner_id, member_id=member_id, field=named)
    usable_at = vouchers.partners_of(row)
    if usable_at and partner_id not in usable_at:
        raise Refusal("voucher_not_valid_here", "It is for other shops.", field=named)
    figures = voucher_values.figures(work, row["id"])
    state = vouchers.state(row, figures)
    if state in ("void", "expired"):
        raise Refusal("voucher_expired", f"It is {state}; it was good until {row['expires_at']}.", field=named)
    if state == "used":
        raise Refusal("voucher_used", "Nothing is left of it.", field=named)
    if not figures.left or (figures.held and row["residual"] == "lost"):
        raise Refusal("voucher_held", "It waits for another order.", field=named)
    if tender.value is not None and tender.value.currency != row["currency"]:
        raise Refusal("voucher_currency", f"The voucher pays in {row['currency']} only.", field=f"{field}.value")
    value_minor = min(figures.left, room_minor) if tender.value is None else tender.value.amount_minor
    if not 0 < value_minor <= figures.left:
        raise Refusal(
            "voucher_value", f"{figures.left} are left of it, {value_minor} were asked for.", field=f"{field}.value",
            remaining_points=0, remaining_minor=figures.left,
        )  # fmt: skip
    return Wanted(row, value_minor)


def hold(work: Work, red: sqlite3.Row, wanted: Sequence[Wanted]) -> None:
    """Reserve what the redemption was written down with."""
    for position, one in enumerate(wanted):
        work.run(
            "INSERT INTO voucher_tender (redemption_id, position, voucher_id, value_minor) VALUES (?, ?, ?, ?)",
            red["id"], position, one.voucher["id"], one.value_minor,
        )  # fmt: skip
        move(
            work, one.voucher, "hold", source=left(one.voucher), target=held(one.voucher, red["id"]),
            amount_minor=one.value_minor, about=red["id"],
        )  # fmt: skip
        _touch(work, one.voucher)


def capture(work: Work, red: sqlite3.Row, *, capture_reference: str | None = None) -> None:
    """Take every held voucher whole. What it leaves over is lost where it keeps nothing."""
    if not red["held_vouchers_minor"]:
        return
    for row, voucher in _tenders(work, red):
        amount = int(row["value_minor"])
        move(
            work, voucher, "capture", source=held(voucher, red["id"]), target=clearing(red["partner_id"]),
            amount_minor=amount, about=red["id"],
        )  # fmt: skip
        rest = voucher_values.figures(work, voucher["id"]).left
        if rest and voucher["residual"] == "lost":
            move(work, voucher, "lose", source=left(voucher), target=lost(voucher), amount_minor=rest, about=red["id"])
        _add(work, red, voucher, "captured_minor", amount)
        statements.book(
            work, red, "voucher", points=0, amount_minor=amount, capture_reference=capture_reference,
            voucher_id=voucher["id"],
        )  # fmt: skip
        _touch(work, voucher)


def release(work: Work, red: sqlite3.Row) -> int:
    """Let every held voucher go, and say how much that is. What is past its date expires at once."""
    if not red["held_vouchers_minor"]:
        return 0
    for row, voucher in _tenders(work, red):
        amount = int(row["value_minor"])
        source, target = held(voucher, red["id"]), _home(work, voucher)
        move(work, voucher, "release", source=source, target=target, amount_minor=amount, about=red["id"])
        _add(work, red, voucher, "released_minor", amount)
        _touch(work, voucher)
    return int(red["held_vouchers_minor"])


def check_back(work: Work, red: sqlite3.Row, asked: Sequence[VoucherBack]) -> int:
    """How much these are together. Raises the Refusal of the first that was not captured, or not as much."""
    rows = {row["voucher_id"]: row for row, _ in _tenders(work, red)}
    for position, one in enumerate(asked):
        field, minor = f"vouchers.{position}", one.value.amount_minor
        row = rows.pop(one.voucher_id, None)
        if row is None:
            raise Refusal(
                "reversal_exceeds_capture", "This redemption took nothing of that voucher.",
                field=f"{field}.voucher_id", redemption_id=red["id"], remaining_points=0, remaining_minor=0,
            )  # fmt: skip
        if one.value.currency != red["currency"]:
            raise Refusal("voucher_currency", f"It was paid in {red['currency']}.", field=f"{field}.value.currency")
        most = row["captured_minor"] - row["reversed_minor"]
        if minor > most:
            raise Refusal(
                "reversal_exceeds_capture", f"{most} can still go back onto it, {minor} were asked for.",
                field=f"{field}.value", redemption_id=red["id"], remaining_points=0, remaining_minor=most,
            )  # fmt: skip
        if not minor:
            raise Refusal("voucher_value", "Nothing would go back onto it.", field=f"{field}.value")
    return sum(one.value.amount_minor for one in asked)


def give_back(
    work: Work, red: sqlite3.Row, asked: Sequence[VoucherBack], *, reversal_id: str, return_reference: str
) -> None:
    """Put so much back onto captured vouchers; onto one whose time is over it expires on arrival."""
    for position, one in enumerate(asked):
        voucher, amount = vouchers.get(work, one.voucher_id), one.value.amount_minor
        target = _home(work, voucher)
        move(
            work, voucher, "reverse", source=clearing(red["partner_id"]), target=target, amount_minor=amount,
            about=red["id"],
        )  # fmt: skip
        late = amount if target.kind == "expired" else 0
        work.run(
            "INSERT INTO voucher_reversal VALUES (?, ?, ?, ?, ?)", reversal_id, position, voucher["id"], amount, late
        )
        _add(work, red, voucher, "reversed_minor", amount)
        statements.book(
            work, red, "voucher_reversal", points=0, amount_minor=-amount, return_reference=return_reference,
            voucher_id=voucher["id"],
        )  # fmt: skip
        _touch(work, voucher)


def reply(work: Work, red: sqlite3.Row) -> list[replies.VoucherTender]:
    """What became of each, in the order in which they were asked for."""
    if not red["vouchers_minor"]:
        return []

    def money(amount_minor: int) -> replies.Money:
        return replies.Money(amount_minor=amount_minor, currency=red["currency"])

    return [
        replies.VoucherTender(
            kind="voucher", voucher_id=row["voucher_id"], last_four=voucher["code"][-4:], residual=voucher["residual"],
            value=money(row["value_minor"]),
            held_value=money(row["value_minor"] - row["captured_minor"] - row["released_minor"]),
            captured_value=money(row["captured_minor"]), reversed_value=money(row["reversed_minor"]),
            released_value=money(row["released_minor"]),
        )
        for row, voucher in _tenders(work, red)
    ]  # fmt: skip


def reversal_reply(work: Work, reversal_id: str, *, currency: str) -> list[replies.VoucherReversal]:
    """What went back onto vouchers with a reversal."""
    rows = work.all("SELECT * FROM voucher_reversal WHERE reversal_id = ? ORDER BY position", reversal_id)
    return [
        replies.VoucherReversal(
            voucher_id=row["voucher_id"],
            value=replies.Money(amount_minor=row["value_minor"], currency=currency),
            already_expired_value=replies.Money(amount_minor=row["already_expired_minor"], currency=currency),
        )
        for row in rows
    ]


def _by_id(work: Work, voucher_id: str, *, partner_id: str, member_id: str, field: str) -> sqlite3.Row:
    """By its id it can be named where it is the member's own, or once the partner was shown its code."""
    row = work.one(
        "SELECT * FROM voucher WHERE id = ?1 AND mode = ?2 AND (member_id = ?3 OR EXISTS"
        " (SELECT 1 FROM voucher_shown WHERE voucher_id = ?1 AND partner_id = ?4))",
        voucher_id, work.mode, member_id, partner_id,
    )  # fmt: skip
    if row is None:
        raise Refusal("voucher_unknown", "There is no such voucher.", field=field)
    return row


def _home(work: Work, voucher: sqlite3.Row) -> voucher_values.Place:
    is_over = voucher["voided_at"] is not None or voucher["expires_at"] <= work.at
    return expired(voucher) if is_over else left(voucher)


def _named(tender: TenderIn) -> str:
    return "voucher_id" if tender.code is None else "code"


def _tenders(work: Work, red: sqlite3.Row) -> list[tuple[sqlite3.Row, sqlite3.Row]]:
    rows = work.all("SELECT * FROM voucher_tender WHERE redemption_id = ? ORDER BY position", red["id"])
    return [(row, vouchers.get(work, row["voucher_id"])) for row in rows]


def _add(work: Work, red: sqlite3.Row, voucher: sqlite3.Row, column: str, amount_minor: int) -> None:
    work.run(
        f"UPDATE voucher_tender SET {column} = {column} + ? WHERE redemption_id = ? AND voucher_id = ?",
        amount_minor, red["id"], voucher["id"],
    )  # fmt: skip


def _touch(work: Work, voucher: sqlite3.Row) -> None:
    work.run("UPDATE voucher SET updated_at = ? WHERE id = ?", work.at, voucher["id"])
