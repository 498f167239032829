"""Pure: what was sent and heard -> what the journal may say, and what comes next.

Nothing here reads a clock or a row; states change by the provider's evidence only, never by a timer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from punktgenau._retry import proves_not_done
from punktgenau.errors import NotSentError, Outcome, OutcomeUnknownError, PunktgenauError, StateConflictError
from punktgenau.provider import ProviderProfile, Redemption, RedemptionState

Kind = Literal["authorize", "capture", "void", "reverse", "cancel_by_key"]
Step = Literal["repeat", "look_up", "cancel_by_key", "needs_attention"]

_STATE_BY_EVIDENCE: dict[RedemptionState, str] = {
    "authorized": "authorized",
    "partially_captured": "partially_captured",
    "captured": "captured",
    "partially_reversed": "partially_reversed",
    "reversed": "reversed",
    "voided": "voided",
    "expired": "expired",
    "cancelled": "abandoned",
    "declined": "declined",
}
_GOAL: dict[Kind, frozenset[str]] = {
    "authorize": frozenset({"authorized", "partially_captured", "captured", "partially_reversed", "reversed"}),
    "capture": frozenset({"captured", "partially_reversed", "reversed"}),
    "void": frozenset({"voided", "expired", "abandoned", "declined"}),
    "reverse": frozenset({"reversed", "partially_reversed"}),
    "cancel_by_key": frozenset({"voided", "expired", "abandoned", "declined", "reversed"}),
}


ASK_FIRST = frozenset(
    {
        "wrong_echo",
        "unexpected_replay",
        "already_captured",
        "already_voided",
        "hold_expired",
        "redemption_ended",
        "key_cancelled",
        "not_captured",
        "capture_exceeds_hold",
        "reversal_exceeds_capture",
    }
)
"""Answers that say the provider knows more than we do: a look-up decides."""
GIVEN_UP_BY_KEY = frozenset({"consent_revoked", "not_linked", "not_found"})
"""Refusals that come before the key is looked at and will come again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one send, or one look-up, proves: an outcome, and the state that the evidence shows (None: none)."""

    outcome: Outcome
    state: str | None = None
    code: str | None = None


def kind_of(text: str) -> Kind:
    """The kind of an operation, from the journal's text."""
    match text:
        case "authorize" | "capture" | "void" | "reverse" | "cancel_by_key":
            return text
    raise AssertionError(f"unknown kind of operation {text!r}")


def state_of(evidence: Redemption) -> str:
    """The journal's word for the provider's state."""
    return _STATE_BY_EVIDENCE[evidence.state]


def judge_reply(kind: Kind, evidence: Redemption, *, first: bool, mismatch: str | None) -> Verdict:
    """A proper answer: done only when it is about what was sent and shows the goal of this kind.

    `first`: the operation's first bytes. When they went out once, an answer marked as a repeat is somebody else's.
    """
    if mismatch is not None:
        return Verdict("unknown", code="wrong_echo")
    if first and evidence.replayed and evidence.sends == 1:
        return Verdict("unknown", code="unexpected_replay")
    return judge_evidence(kind, evidence)


def judge_evidence(kind: Kind, evidence: Redemption, *, reversed_points: int | None = None) -> Verdict:
    """What a look-up shows, for the operation that was under way.

    `reversed_points`: of a reversal, how many are given back in all once it is done; earlier returns count as well.
    """
    state = state_of(evidence)
    if reversed_points is not None and evidence.reversed_points != reversed_points:
        return Verdict("unknown", code=f"still_{state}")
    if state in _GOAL[kind]:
        return Verdict("done", state=state)
    if kind == "capture" and state in {"voided", "expired", "abandoned", "declined"}:
        # The order stands and its points are gone: never silent, and never a failure of the shop's payment hook.
        return Verdict("not_done", state="short", code=f"hold_{state}")
    if kind == "authorize":
        return Verdict("not_done", state=state, code=f"hold_{state}")
    if kind in ("void", "cancel_by_key") and state in {"captured", "partially_captured", "partially_reversed"}:
        return Verdict("not_done", state=state, code="already_captured")
    return Verdict("unknown", code=f"still_{state}")


def judge_error(kind: Kind, error: PunktgenauError, *, first: bool) -> Verdict:
    """A call that raised. `first`: no earlier pass of this operation may have reached the provider.

    `not_done` without a state means: proven that this call did nothing, and the goal still stands.
    """
    if isinstance(error, OutcomeUnknownError) or error.outcome == "unknown":
        return Verdict("unknown", code=error.code)
    if isinstance(error, StateConflictError) and kind != "authorize":
        return Verdict("unknown", code=error.code)
    if isinstance(error, StateConflictError) and error.code not in {"order_has_live_redemption"} and not first:
        return Verdict("unknown", code=error.code)
    if kind == "authorize" and (first or (proves_not_done(error) and not isinstance(error, NotSentError))):
        return Verdict("not_done", state="declined", code=error.code)
    if kind == "authorize":
        return Verdict("unknown", code=error.code)
    return Verdict("not_done", code=error.code)


def next_step(profile: ProviderProfile, kind: Kind, *, code: str | None, age_s: float, settled: bool) -> Step:
    """How an unknown operation is resolved, `age_s` seconds after its intent.

    `settled`: `profile.settle_s` has passed since the last send, so that a look-up's 404 counts.
    """
    if age_s > profile.resolution_bound_s:
        return "needs_attention"
    if code in ASK_FIRST and profile.lookup:
        return "look_up"
    if age_s < profile.key_window_s and not profile.replays_errors:
        return "repeat"
    if profile.lookup and settled:
        return "look_up"
    if kind == "authorize" and profile.cancel_by_key:
        return "cancel_by_key"
    return "needs_attention"


def back_off_s(passes: int) -> int:
    """Seconds until an unresolved operation is due again: 5, 10, 20 ... up to 15 minutes."""
    return int(min(900, 5 * 2 ** min(passes, 10)))
