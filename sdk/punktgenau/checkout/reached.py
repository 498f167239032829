"""Pure: what a verdict, with what the provider showed, makes of a redemption's row."""

from __future__ import annotations

import json

from punktgenau.checkout.intent import deal_stands, taken_state
from punktgenau.checkout.journal import CLOSED
from punktgenau.checkout.resolve import REFUSED, UNDONE, Verdict
from punktgenau.checkout.rows import replace
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.vouchers import gone_of, gone_text, of_cart, parts_of, plus, sum_of
from punktgenau.provider import Redemption

GIVEN_UP = "given_up"
"""Why what was never all that was asked for goes back, where nobody wished that."""


def after_verdict(
    before: RedemptionRow, verdict: Verdict, evidence: Redemption | None, *, now_ms: int, request: str = "{}"
) -> RedemptionRow:
    """The row as a verdict leaves it; `evidence` is what the provider has, `request` what it was asked for last."""
    after = before
    # Of an attempt that is given up a part, held or taken, is enough to give it back.
    is_there = evidence is not None and (evidence.is_holding or evidence.has_captured)
    in_part = is_there and before.state == "abandoning"
    if evidence is not None and before.release_cause is not None and evidence.id == before.provider_id:
        in_part = True
    if evidence is not None and evidence.id and (evidence.points == before.points or in_part):
        after = replace(
            after,
            provider_id=evidence.id,
            # The interval by our own clock, not the moment by theirs: the two may differ by hours.
            hold_until=before.hold_until if evidence.expires_in_s is None else now_ms + evidence.expires_in_s * 1000,
            captured_points=evidence.captured_points,
            captured_minor=evidence.captured_value.amount_minor,
            reversed_points=evidence.reversed_points,
            reversed_minor=evidence.reversed_value.amount_minor,
            vouchers_back_minor=evidence.reversed_vouchers_minor,
            vouchers_gone=_gone(before, evidence),
        )
    if evidence is None and verdict.state in {"captured", "reversed"}:
        after = _moved_unseen(before, verdict.state, request)
    if verdict.state is None:
        return replace(after, reason=verdict.code or "")
    state = "abandoned" if verdict.state == "voided" and before.state == "abandoning" else verdict.state
    has_taken = after.captured_points or of_cart(after.cart)
    if state == REFUSED or (has_taken and state in {"captured", "partially_reversed", "reversed"}):
        state = _taken(after, evidence, before=before, request=request)
    if state == "authorized" and after.captured_points:
        state = "partially_captured"
    if before.state == "abandoning" and (state == "expired" or state not in {*CLOSED, "needs_attention"}):
        # It was given up and is there: it has to go back. Or its hold ended meanwhile: there is no deal that stands.
        after = replace(after, release_cause=before.release_cause or GIVEN_UP)
    if before.state == "voiding" and before.release_cause is None and state in {"voided", "abandoned"}:
        # Nobody wished it back: asked for only because its time had passed, where nothing can be looked up.
        state = "expired"
    if state == "abandoned" and before.state == "voiding":
        state = "voided"
    # Its goods have come back, points and all.
    is_returned = before.state == "reversing" and state == "reversed" and before.release_cause is None
    if before.cause == "shortfall" and state in CLOSED and before.release_cause in (None, GIVEN_UP) and not is_returned:
        # The order is paid and this was the one repair: without its points the order stays short.
        state, after = "short", replace(after, release_cause=None)
    at_once = state == "captured" and before.state == "authorizing" and before.cause == "placed"
    to_repair = state == "short" and before.cause != "shortfall"
    after = replace(after, state=state, reason=verdict.code or "")
    is_held = state in {"authorized", "partially_captured"}
    # What is proven to have done nothing, such as a return, is begun anew.
    is_undone = verdict.code == UNDONE and state not in CLOSED
    look_again = now_ms if is_held or at_once or to_repair or is_undone or deal_stands(after) else None
    if state == "partially_reversed" and before.state in {"captured", state}:
        # Given back by the provider itself: until its order is known as paid, it is looked at all the same.
        look_again = before.check_at
    return after if after.check_at == look_again else replace(after, check_at=look_again)


def _taken(row: RedemptionRow, evidence: Redemption | None, *, before: RedemptionRow, request: str) -> str:
    """What a row is of which something was captured: a part may be held, or be gone before it was captured."""
    if evidence is None and before.state == "reversing" and json.loads(request).get("more_to_come"):
        return "partially_captured"
    return "short" if row.is_in_parts and row.release_cause is None else taken_state(row)


def _moved_unseen(before: RedemptionRow, state: str, request: str) -> RedemptionRow:
    """Proven by a refusal alone: only we capture and give back this redemption, and just what was asked for."""
    points, value_minor = before.taking
    if state == "captured" and before.state == "voiding" and before.captured_points:
        # Only parts of it were captured, and the rest is gone.
        return before
    if state == "captured":
        return replace(before, captured_points=points, captured_minor=value_minor)
    asked = json.loads(request)
    onto = parts_of(asked.get("vouchers"))
    return replace(
        before,
        captured_points=before.captured_points or points,
        captured_minor=before.captured_minor or value_minor,
        reversed_points=before.reversed_points + int(asked.get("points", before.left_to_reverse[0])),
        reversed_minor=before.reversed_minor + int(asked.get("value_minor", before.left_to_reverse[1])),
        vouchers_back_minor=before.vouchers_back_minor + sum_of(onto),
        vouchers_gone=plus(onto, before.vouchers_gone),
    )


def _gone(before: RedemptionRow, evidence: Redemption) -> str | None:
    if not evidence.vouchers:
        return before.vouchers_gone
    known = gone_of(before.vouchers_gone)
    shown = {
        str(one.voucher_id): (one.reversed_value.amount_minor, known.get(str(one.voucher_id), (0, 0))[1])
        for one in evidence.vouchers
        if one.reversed_value is not None
    }
    return gone_text(shown)
