"""Pure: what a person may decide about an unknown or a shortfall, and what that makes of the row."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

from punktgenau.checkout.intent import Claim, taken_state
from punktgenau.checkout.resolve import UNDONE
from punktgenau.checkout.schema import OperationRow, RedemptionRow
from punktgenau.checkout.shortfall import Settlement
from punktgenau.checkout.vouchers import parts_of, plus, sum_of

Resolution = Literal["done", "not_done", "give_back", Settlement]
"""It happened at the provider; it did not, so do it anew; give all back; and what settles a shortfall."""
BY_HAND = "resolved_by_hand"
_TELLABLE = frozenset({"capture", "void", "reverse"})
"""Kinds about whose outcome a person can be believed: the redemption itself is known to the provider."""


def resolutions(row: RedemptionRow, operation: OperationRow | None) -> tuple[Resolution, ...]:
    """What may be decided about a row as it stands; empty where nothing needs a person."""
    if row.state == "short":
        return ("paid_otherwise", "written_off")
    if row.state != "needs_attention":
        return ()
    if operation is None:
        return ("give_back",)
    if operation.kind in _TELLABLE and row.provider_id is not None:
        may_go_back = operation.kind == "capture" and row.release_cause is None
        return ("done", "not_done", "give_back") if may_go_back else ("done", "not_done")
    if operation.kind == "authorize":
        return ("give_back", "not_done")
    return ("done",)


def resolved(claim: Claim, as_: Resolution, *, now_ms: int) -> tuple[RedemptionRow, str, str]:
    """The row, the operation's outcome and its code, once a person has said so.

    What did not happen is done anew, as an operation of its own with another key; an authorize is closed instead.
    """
    row, operation = claim.redemption, claim.operation
    if as_ == "not_done" and operation.kind == "authorize":
        return replace(row, state="declined", reason=BY_HAND, check_at=None), "not_done", BY_HAND
    if as_ == "not_done":
        is_held = operation.kind != "reverse" or json.loads(operation.request).get("more_to_come")
        held = "partially_captured" if row.captured_points else "authorized"
        state = held if is_held else _taken(row)
        return replace(row, state=state, reason=UNDONE, check_at=now_ms), "not_done", UNDONE
    request = json.loads(operation.request)
    if operation.kind == "capture":
        changed = replace(
            row,
            state="partially_captured" if request.get("more_to_come") else "captured",
            captured_points=row.captured_points + int(request.get("points", row.points)),
            captured_minor=row.captured_minor + int(request.get("value_minor", row.value_minor)),
        )
    elif operation.kind == "reverse":
        changed = replace(
            row,
            reversed_points=row.reversed_points + int(request["points"]),
            reversed_minor=row.reversed_minor + int(request["value_minor"]),
            vouchers_back_minor=row.vouchers_back_minor + sum_of(parts_of(request.get("vouchers"))),
            vouchers_gone=plus(parts_of(request.get("vouchers")), row.vouchers_gone),
        )
        changed = replace(changed, state="partially_captured" if request.get("more_to_come") else _taken(changed))
    elif operation.kind == "void" and row.captured_points:
        changed = replace(row, state=_taken(row))
    else:
        changed = replace(row, state="voided" if operation.kind == "void" else "abandoned")
    # What waits for its turn, or is wished for, is seen to by whoever recovers.
    return replace(changed, reason=BY_HAND, check_at=now_ms if changed.state != "reversed" else None), "done", BY_HAND


def _taken(row: RedemptionRow) -> str:
    """What a row is of which a part was captured and nothing is held."""
    return "short" if row.is_in_parts and row.release_cause is None else taken_state(row)
