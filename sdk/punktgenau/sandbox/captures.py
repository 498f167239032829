"""Capture: what was held becomes the partner's, at once or in parts."""

from __future__ import annotations

import sqlite3

from . import events, issued, lots, profile, redemptions, statements, voucher_tenders
from .arithmetic import share_minor
from .database import Work
from .problems import Refusal
from .programme import known_rate
from .schemas import CaptureRequest


def capture(work: Work, red: sqlite3.Row, request: CaptureRequest, *, key: str) -> sqlite3.Row:
    """Take points of a hold; a final capture releases the rest. Raises Refusal."""
    in_parts = profile.current(work).captures_in_parts
    profile.need(request.final or in_parts, "A hold is captured in one piece.", field="final")
    reference = request.capture_reference
    if reference is not None and _is_known(work, red, reference):
        detail = f"Capture {reference} has been made with another key."
        raise Refusal("reference_reused", detail, field="capture_reference", redemption_id=red["id"])
    redemptions.check_can_act_on_hold(red)
    points = red["held_points"] if request.points is None else request.points
    minor = _checked_minor(work, red, request, points)
    # Vouchers are taken whole, and with the first part.
    vouchers_minor = red["held_vouchers_minor"]
    work.run(
        "INSERT INTO capture VALUES (?, ?, ?, ?, ?, ?, ?)",
        red["id"], reference, points, minor, key, work.at, vouchers_minor,
    )  # fmt: skip
    _take(work, red, points=points, minor=minor, reference=reference)
    rest_points = red["held_points"] - points if request.final else 0
    if rest_points:
        reason = f"Not needed for order {red['order_reference']}"
        lots.release(work, red, points=rest_points, reason=reason)
    return redemptions.change(
        work, red, capture_points=points, capture_minor=minor, release_points=rest_points,
        capture_vouchers_minor=vouchers_minor,
    )  # fmt: skip


def in_one_step(work: Work, red: sqlite3.Row) -> sqlite3.Row:
    """Capture a hold in the very change that made it: one sequence, one event."""
    points = red["held_points"]
    work.run(
        "INSERT INTO capture VALUES (?, NULL, ?, ?, ?, ?, ?)",
        red["id"], points, red["value_minor"], red["idempotency_key"], work.at, red["held_vouchers_minor"],
    )  # fmt: skip
    _take(work, red, points=points, minor=red["value_minor"], reference=None)
    work.run(
        "UPDATE redemption SET held_points = 0, captured_points = points, captured_minor = value_minor,"
        " captured_vouchers_minor = vouchers_minor, held_vouchers_minor = 0, state = 'captured',"
        " expires_at = NULL WHERE id = ?",
        red["id"],
    )
    captured = redemptions.get(work, red["id"], partner_id=red["partner_id"])
    events.redemption_changed(work, captured)
    return captured


def _take(work: Work, red: sqlite3.Row, *, points: int, minor: int, reference: str | None) -> None:
    if points:
        statements.book(work, red, "capture", points=points, amount_minor=minor, capture_reference=reference)
        lots.capture(work, red, points=points)
        issued.redeemed(work, red, points=points, amount_minor=minor)
    voucher_tenders.capture(work, red, capture_reference=reference)


def _is_known(work: Work, red: sqlite3.Row, reference: str) -> bool:
    return bool(
        work.number(
            "SELECT count(*) FROM capture WHERE redemption_id = ? AND capture_reference = ?", red["id"], reference
        )
    )


def _checked_minor(work: Work, red: sqlite3.Row, request: CaptureRequest, points: int) -> int:
    """The value of the points to be captured, given or priced. Raises Refusal."""
    left_minor = red["value_minor"] - red["captured_minor"]
    exceeds = Refusal(
        "capture_exceeds_hold",
        f"{red['held_points']} points worth {left_minor} are held.",
        field="points" if points > red["held_points"] else "value",
        remaining_points=red["held_points"],
        remaining_minor=left_minor,
        redemption_id=red["id"],
    )
    if points > red["held_points"]:
        raise exceeds
    if request.value is None:
        taken = red["captured_points"] + points
        whole = share_minor(part_points=taken, whole_points=red["points"], whole_minor=red["value_minor"])
        return max(0, min(whole - int(red["captured_minor"]), int(left_minor)))
    rate, minor = known_rate(work, red["rate_id"]), request.value.amount_minor
    if request.value.currency != red["currency"]:
        raise Refusal("currency_not_offered", f"It is held in {red['currency']}.", field="value.currency")
    if minor > left_minor:
        raise exceeds
    if not rate.fits(points=points, amount_minor=minor, line_count=red["line_count"]):
        detail = f"{points} points are worth {rate.worth_minor(points)}, not {minor}."
        raise Refusal("value_mismatch", detail, field="value", redemption_id=red["id"])
    return minor
