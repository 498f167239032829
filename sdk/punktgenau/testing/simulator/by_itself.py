"""What the provider does that nobody asked for, on its own books."""

from __future__ import annotations

from punktgenau.sandbox import holds, profile, redemptions, reversals
from punktgenau.sandbox.database import Work
from punktgenau.sandbox.schemas import MoneyIn, ReverseRequest, VoucherBack

OWN = "own-"
"""How the references of its own corrections begin."""


def change(work: Work, what: str, *, order_reference: str, partner_id: str) -> str | None:
    """Do that to the order's live redemption, if it fits; what became of it, or None."""
    red = redemptions.live_for_order(work, order_reference, partner_id=partner_id)
    if red is None:
        return None
    taken = red["captured_points"] - red["reversed_points"]
    onto = _taken_of_vouchers(work, red["id"])
    is_held = bool(red["held_points"] or red["held_vouchers_minor"])
    if what in ("voided", "ended"):
        if not is_held:
            return None
        if what == "voided":
            holds.void(work, red)
        else:
            holds.expire_early(work, red)
        return _state(work, red["id"], partner_id)
    if is_held or not (taken or onto):
        return None
    in_part = taken and what == "corrected" and profile.current(work).reverses_in_parts
    points = max(1, taken // 3) if in_part else taken
    reference = f"{OWN}{red['sequence']}"
    request = ReverseRequest(points=points, return_reference=reference, vouchers=None if in_part else onto or None)
    reversals.reverse(work, red, request, key=f"{reference}-{red['id']}")
    return _state(work, red["id"], partner_id)


def _taken_of_vouchers(work: Work, redemption_id: str) -> list[VoucherBack]:
    """What is still taken of each voucher."""
    rows = work.all(
        "SELECT t.voucher_id, t.captured_minor - t.reversed_minor AS minor, v.currency FROM voucher_tender t"
        " JOIN voucher v ON v.id = t.voucher_id WHERE t.redemption_id = ? AND t.captured_minor > t.reversed_minor"
        " ORDER BY t.position",
        redemption_id,
    )
    return [
        VoucherBack(voucher_id=row["voucher_id"], value=MoneyIn(amount_minor=row["minor"], currency=row["currency"]))
        for row in rows
    ]


def _state(work: Work, redemption_id: str, partner_id: str) -> str:
    return str(redemptions.get(work, redemption_id, partner_id=partner_id)["state"])
