"""Reversal: captured points go back to the member, once per return."""

from __future__ import annotations

import sqlite3

from . import issued, lots, profile, redemptions, replies, statements, voucher_tenders
from .arithmetic import share_minor
from .database import Work
from .problems import Refusal
from .programme import known_rate
from .schemas import ReversalQuoteRequest, ReverseRequest


def reverse(work: Work, red: sqlite3.Row, request: ReverseRequest, *, key: str) -> str:
    """Give points back and say the reversal's id. Raises Refusal."""
    played, reference = profile.current(work), request.return_reference
    known = work.one("SELECT id FROM reversal WHERE redemption_id = ? AND return_reference = ?", red["id"], reference)
    if known is not None:
        detail = f"Return {reference} has been reversed as {known['id']}."
        raise Refusal("reference_reused", detail, field="return_reference", redemption_id=red["id"])
    _check_captured(red)
    # Asked for too much is refused as that, also where a part would be refused.
    vouchers = request.vouchers or []
    vouchers_minor = voucher_tenders.check_back(work, red, vouchers) if vouchers else 0
    is_whole = (
        request.points >= red["captured_points"] - red["reversed_points"]
        and vouchers_minor >= red["captured_vouchers_minor"] - red["reversed_vouchers_minor"]
    )
    profile.need(is_whole or played.reverses_in_parts, "Only everything can be given back, at once.", field="points")
    minor = _checked_minor(work, red, request)
    _, reversal_id = work.next_id("rev")
    late_points = 0
    if request.points:
        reason = f"Returned, order {red['order_reference']}"
        late_points = lots.give_back(work, red, points=request.points, reason=reason)
        issued.given_back(work, red)
    work.run(
        "INSERT INTO reversal VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
        reversal_id, red["id"], reference, request.points, minor, request.points - late_points, late_points,
        key if played.has_keys else "", work.at, vouchers_minor,
    )  # fmt: skip
    if request.points:
        statements.book(work, red, "reversal", points=-request.points, amount_minor=-minor, return_reference=reference)
    if vouchers:
        voucher_tenders.give_back(work, red, vouchers, reversal_id=reversal_id, return_reference=reference)
    redemptions.change(
        work, red, reverse_points=request.points, reverse_minor=minor, reverse_vouchers_minor=vouchers_minor
    )
    return reversal_id


def quote(work: Work, red: sqlite3.Row, request: ReversalQuoteRequest) -> replies.ReversalQuote:
    """What would become of the points; changes nothing. Raises Refusal."""
    profile.need(profile.current(work).quotes_reversals, "What comes back is told when it does.")
    _check_captured(red)
    left_points = red["captured_points"] - red["reversed_points"]
    if request.points > left_points:
        raise _exceeds(red, request.points)
    expired = lots.expired_of(work, red, points=request.points)
    return replies.ReversalQuote.model_validate(
        {
            "redemption_id": red["id"], "points": request.points, "restoring": request.points - expired,
            "already_expired": expired, "converted": 0, "now": work.at, "mode": work.mode,
        }
    )  # fmt: skip


def of_redemption(work: Work, redemption_id: str) -> list[sqlite3.Row]:
    """Every reversal of a redemption, oldest first."""
    return work.all("SELECT * FROM reversal WHERE redemption_id = ? ORDER BY created_at, id", redemption_id)


def reply(work: Work, reversal_id: str, red: sqlite3.Row) -> replies.Reversal:
    """The reversal with its redemption as it is now."""
    row = work.one("SELECT * FROM reversal WHERE id = ?", reversal_id)
    if row is None:
        raise LookupError(reversal_id)
    same = (
        "id", "redemption_id", "return_reference", "idempotency_key", "points", "restored", "already_expired",
        "converted", "created_at",
    )  # fmt: skip
    return replies.Reversal.model_validate(
        {
            **{name: row[name] for name in same},
            "value": replies.Money(amount_minor=row["value_minor"], currency=red["currency"]),
            "vouchers": voucher_tenders.reversal_reply(work, reversal_id, currency=red["currency"]),
            "redemption": redemptions.reply(work, red),
            "now": work.at,
            "mode": work.mode,
        }
    )


def _check_captured(red: sqlite3.Row) -> None:
    if not redemptions.has_captured(red):
        raise Refusal("not_captured", f"It is {red['state']}.", redemption_id=red["id"])


def _exceeds(red: sqlite3.Row, points: int) -> Refusal:
    left_points = red["captured_points"] - red["reversed_points"]
    return Refusal(
        "reversal_exceeds_capture",
        f"{left_points} points can still be given back, {points} were asked for.",
        field="points",
        remaining_points=left_points,
        remaining_minor=red["captured_minor"] - red["reversed_minor"],
        redemption_id=red["id"],
    )


def _checked_minor(work: Work, red: sqlite3.Row, request: ReverseRequest) -> int:
    """The value to give back with the points, given or priced. Raises Refusal."""
    left_points = red["captured_points"] - red["reversed_points"]
    left_minor = red["captured_minor"] - red["reversed_minor"]
    exceeds = _exceeds(red, request.points)
    if request.points > left_points:
        raise exceeds
    if request.value is None:
        given = red["reversed_points"] + request.points
        whole = share_minor(part_points=given, whole_points=red["captured_points"], whole_minor=red["captured_minor"])
        return max(0, min(whole - int(red["reversed_minor"]), int(left_minor)))
    rate, minor = known_rate(work, red["rate_id"]), request.value.amount_minor
    if request.value.currency != red["currency"]:
        raise Refusal("currency_not_offered", f"It was paid in {red['currency']}.", field="value.currency")
    if minor > left_minor:
        exceeds.field = "value"
        raise exceeds
    if not rate.fits(points=request.points, amount_minor=minor, line_count=red["line_count"]):
        detail = f"{request.points} points are worth {rate.worth_minor(request.points)}, not {minor}."
        raise Refusal("value_mismatch", detail, field="value", redemption_id=red["id"])
    return minor
