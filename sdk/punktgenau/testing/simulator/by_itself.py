"""What the provider does that nobody asked for, on its own books."""

from __future__ import annotations

from punktgenau.sandbox import holds, profile, redemptions, reversals
from punktgenau.sandbox.database import Work
from punktgenau.sandbox.schemas import ReverseRequest

OWN = "own-"
"""How the references of its own corrections begin."""


def change(work: Work, what: str, *, order_reference: str, partner_id: str) -> str | None:
    """Do that to the order's live redemption, if it fits; what became of it, or None."""
    red = redemptions.live_for_order(work, order_reference, partner_id=partner_id)
    if red is None:
        return None
    taken = red["captured_points"] - red["reversed_points"]
    if what in ("voided", "ended"):
        if not red["held_points"]:
            return None
        if what == "voided":
            holds.void(work, red)
        else:
            holds.expire_early(work, red)
        return _state(work, red["id"], partner_id)
    if not taken or red["held_points"]:
        return None
    in_part = what == "corrected" and profile.current(work).reverses_in_parts
    points = max(1, taken // 3) if in_part else taken
    reference = f"{OWN}{red['sequence']}"
    request = ReverseRequest(points=points, return_reference=reference)
    reversals.reverse(work, red, request, key=f"{reference}-{red['id']}")
    return _state(work, red["id"], partner_id)


def _state(work: Work, redemption_id: str, partner_id: str) -> str:
    return str(redemptions.get(work, redemption_id, partner_id=partner_id)["state"])
