"""What an answer, a look-up or a refusal proves of each kind of call; every row says by hand what may be believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from _calls import eur, reply
from punktgenau.checkout.resolve import (
    Kind,
    Moved,
    Verdict,
    judge_error,
    judge_evidence,
    judge_failure,
    judge_refusal,
    judge_reply,
    needing_attention,
)
from punktgenau.errors import (
    AlreadyCapturedError,
    DeclinedError,
    IdempotencyConflictError,
    InsufficientPointsError,
    LiveRedemptionError,
    NotLinkedError,
    NotSentError,
    OutcomeUnknownError,
    ProviderError,
    PunktgenauError,
    RateLimitedError,
    RedemptionEndedError,
    StateConflictError,
)
from punktgenau.provider import PROFILES, Redemption
from punktgenau.tender_records import Tender


def shown(state: str, *, held: int = 0, captured: int = 0, back: int = 0, released: int = 0, **more: Any) -> Redemption:
    """What the provider shows of 427 points."""
    figures = {"held_points": held, "captured_points": captured, "reversed_points": back, "released_points": released}
    body: dict[str, Any] = {**reply("authorize"), "state": state, **figures}
    return Redemption.model_validate_json(json.dumps(body)).model_copy(update=more)


def unknown(code: str) -> Verdict:
    return Verdict("unknown", code=code)


HELD = shown("authorized", held=427)


@pytest.mark.parametrize(
    ("first", "replayed", "sends", "expected"),
    [
        # Nobody can have sent it before, and its bytes went out once: what is repeated here is somebody else's answer.
        (True, True, 1, unknown("unexpected_replay")),
        (True, True, 2, Verdict("done", "authorized")),
        (False, True, 1, Verdict("done", "authorized")),
        (True, False, 1, Verdict("done", "authorized")),
    ],
)
def test_a_repeated_answer_counts_where_something_was_sent_before(
    first: bool, replayed: bool, sends: int, expected: Verdict
):
    heard = HELD.model_copy(update={"replayed": replayed, "sends": sends})
    assert judge_reply("authorize", heard, first=first, mismatch=None) == expected


def test_an_answer_about_something_else_proves_nothing():
    assert judge_reply("authorize", HELD, first=True, mismatch="points") == unknown("wrong_echo")


ALL, HALF = Moved(captured_points=427), Moved(reversed_points=200)


@pytest.mark.parametrize(
    ("kind", "evidence", "moved", "expected"),
    [
        ("authorize", HELD, None, Verdict("done", "authorized")),
        ("authorize", shown("declined"), None, Verdict("not_done", "declined", "hold_declined")),
        ("authorize", shown("voided", released=427), None, Verdict("not_done", "voided", "hold_voided")),
        ("capture", shown("captured", captured=427), None, Verdict("done", "captured")),
        ("capture", shown("captured", captured=427), ALL, Verdict("done", "captured")),
        ("capture", HELD, ALL, unknown("still_authorized")),
        ("capture", HELD, None, unknown("still_authorized")),
        # A part was taken before: this one shows neither as long as the rest is held, nor once it is gone.
        ("capture", shown("partially_captured", captured=200, held=227), ALL, unknown("still_partially_captured")),
        ("capture", shown("captured", captured=200, released=227), ALL, Verdict("not_done", "short", "hold_expired")),
        ("capture", shown("voided", released=427), ALL, Verdict("not_done", "short", "hold_voided")),
        ("capture", shown("expired", released=427), ALL, Verdict("not_done", "short", "hold_expired")),
        ("capture", shown("cancelled", released=427), None, Verdict("not_done", "short", "hold_abandoned")),
        ("capture", shown("partially_reversed", captured=427, back=27), ALL, Verdict("done", "partially_reversed")),
        ("void", shown("voided", released=427), None, Verdict("done", "voided")),
        ("void", HELD, None, unknown("still_authorized")),
        ("void", shown("authorized", held=100, released=327), None, unknown("still_authorized")),
        ("void", shown("captured", captured=427), None, Verdict("not_done", "captured", "already_captured")),
        # A part was taken, and the rest released, which is what a void asks for.
        ("void", shown("captured", captured=200, released=227), None, Verdict("done", "captured")),
        (
            "void",
            shown("partially_captured", captured=200, held=127, released=100),
            None,
            unknown("still_partially_captured"),
        ),
        (
            "cancel_by_key",
            shown("captured", captured=200, released=227),
            None,
            Verdict("not_done", "captured", "already_captured"),
        ),
        ("cancel_by_key", HELD, None, unknown("still_authorized")),
        ("reverse", shown("captured", captured=427), HALF, unknown("still_captured")),
        ("reverse", shown("captured", captured=427), None, unknown("still_captured")),
        ("reverse", shown("partially_reversed", captured=427, back=200), HALF, Verdict("done", "partially_reversed")),
        ("reverse", shown("partially_reversed", captured=427, back=100), HALF, unknown("still_partially_reversed")),
        ("reverse", shown("reversed", captured=427, back=427), HALF, unknown("still_reversed")),
        ("extend", HELD, None, Verdict("done", "authorized")),
        ("extend", shown("captured", captured=427), None, Verdict("not_done", "captured", "hold_captured")),
        ("extend", shown("voided", released=427), None, Verdict("not_done", "voided", "hold_voided")),
        ("give_up", shown("captured", captured=427), None, Verdict("done", "captured")),
    ],
)
def test_what_a_look_up_shows(kind: Kind, evidence: Redemption, moved: Moved | None, expected: Verdict):
    assert judge_evidence(kind, evidence, moved=moved) == expected


def with_voucher(back_minor: int) -> Redemption:
    """25.00 on a voucher and nothing else, of which so much went back."""
    paid = Tender(
        kind="voucher",
        value=eur(2500),
        voucher_id="vou_0001",
        last_four="ER25",
        residual="keeps",
        held_value=eur(0),
        captured_value=eur(2500),
        reversed_value=eur(back_minor),
        released_value=eur(0),
    )
    return shown("partially_reversed", tenders=(paid,))


@pytest.mark.parametrize(("back_minor", "is_done"), [(1000, False), (1800, True), (1900, False)])
def test_a_second_part_onto_a_voucher_shows_when_both_are_back(back_minor: int, is_done: bool):
    # 10.00 went back before, and 8.00 were asked for now.
    moved = Moved(reversed_points=0, reversed_vouchers_minor=1800)
    expected = Verdict("done", "partially_reversed") if is_done else unknown("still_partially_reversed")
    assert judge_evidence("reverse", with_voucher(back_minor), moved=moved) == expected


def not_done(code: str, state: str | None = None) -> Verdict:
    return Verdict("not_done", state=state, code=code)


@pytest.mark.parametrize(
    ("kind", "error", "first", "expected"),
    [
        # Unknown is what says so, by its class or by its outcome, whatever else it is.
        ("authorize", OutcomeUnknownError(""), True, unknown("outcome_unknown")),
        ("authorize", OutcomeUnknownError("", outcome="not_done"), True, unknown("outcome_unknown")),
        ("authorize", DeclinedError("", outcome="unknown"), True, unknown("declined")),
        # The provider knows more than we do.
        ("capture", AlreadyCapturedError(""), True, unknown("already_captured")),
        ("capture", StateConflictError("", code="of_their_own"), True, unknown("of_their_own")),
        ("capture", IdempotencyConflictError(""), True, unknown("idempotency_key_reused")),
        ("capture", ProviderError("", code="not_captured"), True, unknown("not_captured")),
        # An authorize that was never sent before cannot have done anything.
        ("authorize", RedemptionEndedError(""), True, not_done("redemption_ended", "declined")),
        ("authorize", RedemptionEndedError(""), False, unknown("redemption_ended")),
        ("authorize", IdempotencyConflictError(""), True, not_done("idempotency_key_reused", "declined")),
        ("authorize", IdempotencyConflictError(""), False, unknown("idempotency_key_reused")),
        # One live redemption per order: the other is not this one, or the answer under its key would have been it.
        ("authorize", LiveRedemptionError(""), False, not_done("order_has_live_redemption", "declined")),
        ("authorize", InsufficientPointsError(""), True, not_done("insufficient_points", "declined")),
        ("authorize", InsufficientPointsError(""), False, not_done("insufficient_points", "declined")),
        # Refused before the key was looked at: says nothing of an earlier send.
        ("authorize", NotLinkedError(""), True, not_done("not_linked", "declined")),
        ("authorize", NotLinkedError(""), False, unknown("not_linked")),
        ("authorize", NotSentError(""), True, not_done("not_sent", "declined")),
        ("authorize", NotSentError(""), False, unknown("not_sent")),
        # A hold that is not made longer is as long as it was.
        ("extend", ProviderError("", code="not_offered"), True, not_done("extend_refused", "authorized")),
        ("extend", NotSentError(""), True, not_done("not_sent")),
        ("reverse", DeclinedError(""), True, not_done("declined", "refused")),
        ("reverse", DeclinedError(""), False, not_done("declined", "refused")),
        ("reverse", ProviderError("", code="not_offered"), True, not_done("not_offered", "refused")),
        ("reverse", NotLinkedError(""), False, Verdict("unknown", state="needs_attention", code="not_linked")),
        (
            "reverse",
            ProviderError("", code="not_offered"),
            False,
            Verdict("unknown", state="needs_attention", code="not_offered"),
        ),
        # Nothing happened, and the goal stands.
        ("reverse", RateLimitedError(""), False, not_done("rate_limited")),
        ("capture", DeclinedError(""), True, not_done("declined")),
        ("void", NotSentError(""), False, not_done("not_sent")),
    ],
)
def test_what_a_refusal_proves(kind: Kind, error: PunktgenauError, first: bool, expected: Verdict):
    assert judge_error(kind, error, first=first) == expected


def test_without_keys_a_second_live_redemption_may_be_this_very_call():
    live, poor = LiveRedemptionError(""), InsufficientPointsError("")
    declined = not_done("order_has_live_redemption", "declined")
    assert judge_failure(PROFILES["no_keys"], "authorize", live, first=True) == unknown("order_has_live_redemption")
    assert judge_failure(PROFILES["reference"], "authorize", live, first=True) == declined
    expected = not_done("insufficient_points", "declined")
    assert judge_failure(PROFILES["no_keys"], "authorize", poor, first=True) == expected


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("capture", "hold_expired", not_done("hold_expired", "short")),
        ("void", "already_voided", Verdict("done", "voided", "already_voided")),
        ("capture", "outcome_unknown", unknown("outcome_unknown")),
        ("capture", None, Verdict("unknown")),
        # The hold ends when it would have: whoever looks then finds out.
        ("extend", "outcome_unknown", not_done("extend_unknown", "authorized")),
        ("extend", None, not_done("extend_unknown", "authorized")),
        ("extend", "already_voided", not_done("already_voided", "voided")),
    ],
)
def test_what_a_refusal_says_where_nothing_can_be_looked_up(kind: Kind, code: str | None, expected: Verdict):
    assert judge_refusal(kind, Verdict("unknown", code=code)) == expected


def test_a_person_is_told_what_was_heard_or_that_nothing_was():
    assert needing_attention(unknown("wrong_echo")) == Verdict("unknown", "needs_attention", "wrong_echo")
    assert needing_attention(Verdict("unknown")) == Verdict("unknown", "needs_attention", "no_answer")


def test_a_refused_capture_of_what_was_captured_in_parts_took_nothing():
    refused = Verdict("unknown", code="already_captured")
    assert judge_refusal("capture", refused) == Verdict("done", state="captured", code="already_captured")
    in_parts = judge_refusal("capture", refused, in_parts=True)
    assert in_parts == Verdict("not_done", state="short", code="hold_expired")
    other = Verdict("unknown", code="unavailable")
    assert judge_refusal("capture", other, in_parts=True) == other
