"""What a verdict, with what the provider shows, makes of a redemption's row; expected by hand, row by row."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from _calls import eur, reply
from _desk import row_for
from punktgenau.checkout.reached import after_verdict
from punktgenau.checkout.resolve import REFUSED, UNDONE, Verdict
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.provider import Redemption

NOW = 1_000_000
ROW = replace(row_for("A-1001"), value_minor=854, reason="before", check_at=77)
"""427 points worth 8.54 EUR."""
HELD = replace(ROW, provider_id="red_0001", hold_until=500)
TAKEN = replace(HELD, captured_points=427, captured_minor=854)
ABANDONING, VOIDING = replace(ROW, state="abandoning"), replace(HELD, state="voiding")


def shown(**more: Any) -> Redemption:
    """What the provider has: the figures of this row's hold, but for what is said."""
    return Redemption.model_validate_json(json.dumps(reply("authorize"))).model_copy(update=more)


def nothing_left(**more: Any) -> Redemption:
    return shown(held_points=0, expires_in_s=None, **more)


CAPTURED = nothing_left(state="captured", captured_points=427, captured_value=eur(854))


def after(before: RedemptionRow, state: str | None, evidence: Redemption | None = None, **more: Any) -> RedemptionRow:
    code = more.pop("code", None)
    return after_verdict(before, Verdict("done", state=state, code=code), evidence, now_ms=NOW, **more)


def test_what_is_held_is_attached_with_its_end_by_our_own_clock():
    held = after(ROW, "authorized", shown())
    assert held == replace(
        ROW, state="authorized", provider_id="red_0001", hold_until=NOW + 7_200_000, reason="", check_at=NOW
    )


def test_the_figures_are_those_of_the_evidence():
    seen = nothing_left(
        captured_points=300, captured_value=eur(600), reversed_points=100, reversed_value=eur(200), state="captured"
    )
    row = after(replace(HELD, state="capturing"), "captured", seen)
    assert (row.captured_points, row.captured_minor, row.reversed_points, row.reversed_minor) == (300, 600, 100, 200)
    # Nobody says when it ends, so what was known stays.
    assert row.hold_until == 500


@pytest.mark.parametrize(
    ("before", "evidence", "is_attached"),
    [
        (ROW, shown(points=300, held_points=300), False),
        (replace(ROW, state="abandoning"), shown(points=300, held_points=300), True),
        (replace(ROW, state="abandoning"), nothing_left(points=300, captured_points=300), True),
        (replace(ROW, state="abandoning"), nothing_left(points=300), False),
        # An answer that names nothing is about nothing.
        (ROW, shown(id=""), False),
        # Known by its id, and on its way back: a part of it counts as well.
        (replace(HELD, release_cause="customer"), nothing_left(points=300, captured_points=300), True),
        (HELD, nothing_left(points=300, captured_points=300), False),
        (replace(HELD, release_cause="customer"), nothing_left(id="red_2", points=300, captured_points=300), False),
    ],
)
def test_a_part_is_attached_only_to_what_goes_back(before: RedemptionRow, evidence: Redemption, is_attached: bool):
    row = after(before, None, evidence)
    attached = (row.provider_id, row.captured_points)
    assert attached == ((evidence.id, evidence.captured_points) if is_attached else (before.provider_id, 0))


def test_without_evidence_a_wish_to_give_back_changes_nothing():
    before = replace(HELD, state="voiding", release_cause="customer")
    assert after(before, None, code="outcome_unknown") == replace(before, reason="outcome_unknown")


@pytest.mark.parametrize("code", [None, "wrong_echo"])
def test_a_verdict_without_a_state_changes_the_reason_alone(code: str | None):
    assert after(HELD, None, code=code) == replace(HELD, reason=code or "")
    told = after(HELD, "authorized", code=code).reason
    assert (told, type(told)) == (code or "", str)


@pytest.mark.parametrize(
    ("before", "state", "asked", "captured", "back"),
    [
        (HELD, "captured", "{}", (427, 854), (0, 0)),
        (replace(HELD, amended_points=300, amended_minor=600), "captured", "{}", (300, 600), (0, 0)),
        # With the last part all is taken.
        (replace(HELD, captured_points=100, captured_minor=200), "captured", "{}", (427, 854), (0, 0)),
        (VOIDING, "captured", "{}", (427, 854), (0, 0)),
        # Released, so what was captured before is all.
        (replace(VOIDING, captured_points=200, captured_minor=400), "captured", "{}", (200, 400), (0, 0)),
        (replace(VOIDING, captured_points=200, captured_minor=400), "reversed", "{}", (200, 400), (200, 400)),
        (TAKEN, "reversed", '{"points": 100, "value_minor": 200}', (427, 854), (100, 200)),
        (TAKEN, "reversed", "{}", (427, 854), (427, 854)),
        (replace(HELD, captured_points=300, captured_minor=600), "reversed", "{}", (300, 600), (300, 600)),
        # Proven back although nobody saw it taken: it was taken, then.
        (HELD, "reversed", '{"points": 427, "value_minor": 854}', (427, 854), (427, 854)),
        (HELD, "voided", "{}", (0, 0), (0, 0)),
    ],
)
def test_what_a_refusal_alone_proves_is_what_was_asked_for(
    before: RedemptionRow, state: str, asked: str, captured: tuple[int, int], back: tuple[int, int]
):
    row = after(before, state, request=asked)
    found = (row.captured_points, row.captured_minor), (row.reversed_points, row.reversed_minor)
    assert found == (captured, back)
    assert {type(figure) for pair in found for figure in pair} == {int}


def test_what_is_seen_counts_beside_what_was_asked_for():
    assert after(HELD, "captured", nothing_left(captured_points=300, captured_value=eur(600))).captured_points == 300


CANCELLED = replace(VOIDING, release_cause="customer")
REPAIR = replace(ROW, cause="shortfall")


@pytest.mark.parametrize(
    ("before", "told", "state", "release_cause"),
    [
        (ABANDONING, "voided", "abandoned", None),
        (ABANDONING, "declined", "declined", None),
        (ABANDONING, "needs_attention", "needs_attention", None),
        # Given up, and there, or ended by itself: it goes back, for the cause that was named, or for this one.
        (ABANDONING, "authorized", "authorized", "given_up"),
        (ABANDONING, "captured", "captured", "given_up"),
        (ABANDONING, "expired", "expired", "given_up"),
        (replace(ABANDONING, release_cause="customer"), "authorized", "authorized", "customer"),
        (ROW, "authorized", "authorized", None),
        (ROW, "expired", "expired", None),
        (replace(TAKEN, state="reversing"), REFUSED, "captured", None),
        (replace(TAKEN, state="reversing", reversed_points=100), REFUSED, "partially_reversed", None),
        (replace(TAKEN, state="reversing", reversed_points=100), "reversed", "reversed", None),
        # What had come back before the last part was taken stays back.
        (replace(TAKEN, state="capturing", reversed_points=100), "captured", "partially_reversed", None),
        (replace(HELD, state="capturing", captured_points=200), "authorized", "partially_captured", None),
        (replace(CANCELLED, captured_points=200), "voided", "voided", "customer"),
        # Nobody wished it back: only its time had passed.
        (VOIDING, "voided", "expired", None),
        (VOIDING, "abandoned", "expired", None),
        (VOIDING, "captured", "captured", None),
        (CANCELLED, "voided", "voided", "customer"),
        (CANCELLED, "abandoned", "voided", "customer"),
        (CANCELLED, "expired", "expired", "customer"),
        (ROW, "abandoned", "abandoned", None),
        (ROW, "voided", "voided", None),
        # The one repair of a paid order came to nothing.
        (REPAIR, "declined", "short", None),
        (replace(REPAIR, state="abandoning"), "expired", "short", None),
        (replace(REPAIR, state="voiding", release_cause="customer"), "voided", "voided", "customer"),
        (REPAIR, "captured", "captured", None),
        (ROW, "declined", "declined", None),
    ],
)
def test_where_a_row_comes_to_stand(before: RedemptionRow, told: str, state: str, release_cause: str | None):
    request = '{"points": 327, "value_minor": 654}' if told == "reversed" else "{}"
    row = after(before, told, request=request)
    assert (row.state, row.release_cause) == (state, release_cause)


IN_PARTS = replace(HELD, captured_points=200, captured_minor=400)
MORE = '{"points": 100, "value_minor": 200, "more_to_come": 1}'


@pytest.mark.parametrize(
    ("before", "told", "evidence", "state"),
    [
        # A part came back, or was refused, while the rest is held.
        (replace(IN_PARTS, state="reversing"), "reversed", None, "partially_captured"),
        (replace(IN_PARTS, state="reversing"), REFUSED, None, "partially_captured"),
        # Seen with nothing held: the rest is gone, and the order stands.
        (
            replace(IN_PARTS, state="reversing"),
            "captured",
            nothing_left(captured_points=200, captured_value=eur(400)),
            "short",
        ),
        (replace(IN_PARTS, state="voiding", release_cause="customer"), "captured", None, "captured"),
        (replace(IN_PARTS, state="capturing"), "captured", None, "captured"),
    ],
)
def test_where_a_row_in_parts_comes_to_stand(before: RedemptionRow, told: str, evidence: Redemption | None, state: str):
    assert after(before, told, evidence, request=MORE).state == state


@pytest.mark.parametrize(("state", "told"), [("reversing", "reversed"), ("capturing", "short")])
def test_what_was_taken_anew_may_come_back_by_returns(state: str, told: str):
    repaired = replace(TAKEN, cause="shortfall", state=state)
    seen = CAPTURED.model_copy(update={"state": "reversed", "reversed_points": 427, "reversed_value": eur(854)})
    assert after(repaired, "reversed", seen).state == told


def test_what_cannot_be_attached_is_still_what_the_provider_says():
    row = after(replace(ROW, state="reversing"), "reversed", shown(id=""))
    assert (row.state, row.provider_id, row.captured_points) == ("reversed", None, 0)


def test_a_repair_that_ends_while_it_comes_back_leaves_the_order_short():
    assert after(replace(REPAIR, state="reversing"), "expired").state == "short"


def test_a_repair_that_was_given_up_leaves_the_order_short_and_one_that_was_returned_does_not():
    back = replace(REPAIR, state="reversing", captured_points=427, captured_minor=854)
    whole = CAPTURED.model_copy(update={"state": "reversed", "reversed_points": 427, "reversed_value": eur(854)})
    assert after(replace(back, release_cause="given_up"), "reversed", whole).state == "short"
    assert after(back, "reversed", whole).state == "reversed"


def test_what_did_nothing_and_is_over_is_not_looked_at_again():
    assert after(replace(TAKEN, state="reversing"), "captured", code=UNDONE).check_at == NOW
    assert after(replace(TAKEN, state="reversing"), "reversed", code=UNDONE).check_at is None


def test_what_is_given_back_in_part_is_so():
    seen = CAPTURED.model_copy(update={"state": "reversed", "reversed_points": 100, "reversed_value": eur(200)})
    assert after(replace(TAKEN, state="reversing"), "reversed", seen).state == "partially_reversed"
    whole = seen.model_copy(update={"reversed_points": 427, "reversed_value": eur(854)})
    assert after(replace(TAKEN, state="reversing"), "reversed", whole).state == "reversed"


@pytest.mark.parametrize(
    ("before", "told", "is_looked_at"),
    [
        (ROW, "authorized", True),
        (replace(HELD, captured_points=100), "authorized", True),
        # Taken when the order was placed: whether that order came to be is asked.
        (ROW, "captured", True),
        (replace(HELD, state="capturing"), "captured", False),
        (REPAIR, "captured", False),
        (replace(HELD, state="capturing"), "short", True),
        (replace(REPAIR, state="capturing"), "short", False),
        # Ended by itself, and the order may be paid yet.
        (HELD, "expired", True),
        (CANCELLED, "expired", False),
        (ROW, "declined", False),
        (replace(TAKEN, state="reversing"), "reversed", False),
    ],
)
def test_who_is_looked_at_again(before: RedemptionRow, told: str, is_looked_at: bool):
    assert after(before, told).check_at == (NOW if is_looked_at else None)


PARTLY = CAPTURED.model_copy(update={"state": "reversed", "reversed_points": 100, "reversed_value": eur(200)})


@pytest.mark.parametrize(
    ("before", "told", "seen", "expected", "check_at"),
    [
        # Given back by the provider itself: whoever was to look at it looks.
        ("captured", "partially_reversed", PARTLY, "partially_reversed", 77),
        ("partially_reversed", "partially_reversed", PARTLY, "partially_reversed", 77),
        ("reversing", "partially_reversed", PARTLY, "partially_reversed", None),
        ("captured", "captured", CAPTURED, "captured", None),
    ],
)
def test_what_the_provider_gave_back_by_itself_is_looked_at_as_before(
    before: str, told: str, seen: Redemption, expected: str, check_at: int | None
):
    row = after(replace(TAKEN, state=before), told, seen)
    assert (row.state, row.check_at) == (expected, check_at)


def test_a_part_that_went_back_onto_the_only_tender_a_voucher_is_not_all_of_it():
    voucher = {"id": "vou_0001", "last_four": "ER25", "left_over_minor": 0, "residual": "keeps", "value_minor": 2500}
    cart = json.dumps(json.loads(HELD.cart) | {"vouchers": [voucher]}, separators=(",", ":"))
    row = replace(HELD, points=0, value_minor=0, state="reversing", cart=cart)
    request = json.dumps({"points": 0, "value_minor": 0, "vouchers": json.dumps([["vou_0001", 1000]])})
    # Nothing is looked up: the refusal of a second try has proven it.
    gone = after(row, "reversed", request=request)
    assert (gone.state, gone.vouchers_back_minor) == ("partially_reversed", 1000)
