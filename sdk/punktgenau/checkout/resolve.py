"""Pure: what was sent and heard -> what the journal may say, and what comes next.

Nothing here reads a clock or a row; states change by the provider's evidence only, never by a timer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from punktgenau._retry import proves_not_done
from punktgenau.errors import (
    DeclinedError,
    IdempotencyConflictError,
    NotSentError,
    Outcome,
    OutcomeUnknownError,
    PunktgenauError,
    StateConflictError,
)
from punktgenau.provider import LookupBy, ProviderProfile, Redemption, RedemptionState

Kind = Literal["authorize", "capture", "void", "reverse", "cancel_by_key", "extend", "give_up", "accrue"]
"""Calls of the port; `give_up` makes none: it is looked up until it is known what an authorize became."""
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
    "capture": frozenset({"captured", "partially_captured", "partially_reversed", "reversed"}),
    "void": frozenset({"voided", "expired", "abandoned", "declined"}),
    # While parcels are still to come, a part is held beside it.
    "reverse": frozenset({"reversed", "partially_reversed", "partially_captured"}),
    "cancel_by_key": frozenset({"voided", "expired", "abandoned", "declined", "reversed"}),
    # Whatever end a live hold shows is the one to reckon with.
    "extend": frozenset({"authorized", "partially_captured"}),
    "give_up": frozenset(_STATE_BY_EVIDENCE.values()),
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
        "reference_reused",
        "idempotency_key_reused",
    }
)
"""Answers that say the provider knows more than we do: a look-up decides."""
GIVEN_UP_BY_KEY = frozenset({"consent_revoked", "not_linked", "not_found", "key_spent", "held_in_part"})
"""Refusals that come before the key is looked at and will come again, and what else no repeat can mend."""
LEAST_SETTLE_S = 5
"""However quickly a provider's look-ups see everything, nothing is believed to be missing at first sight."""
STORED_ERRORS = frozenset({"internal_error", "unavailable"})
"""Codes of a 5xx from the provider itself; some keep it under the key."""
NOT_SENT = "not_sent"
"""The code of a call of which no byte went out."""
AWAY_S = 30
SETTLING = "settling"
"""Nothing is sent any more, and a look-up has not shown the goal; the next one counts once its time has come."""
_NEVER_GIVEN_BACK = frozenset({"not_offered", "invalid_request"})
REFUSED = "refused"
"""What a verdict calls the state of a redemption of which a part was not taken back: it is what it was before."""
UNDONE = "proven_undone"
"""A look-up has shown that an operation did nothing, and its key can do nothing any more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one send, or one look-up, proves: an outcome, and the state that the evidence shows (None: none).

    An unknown has no state but `needs_attention`; only with another one an operation is closed.
    """

    outcome: Outcome
    state: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """How many points are captured, or given back, in all once an operation is done; earlier parts count as well."""

    captured_points: int | None = None
    reversed_points: int | None = None
    reversed_vouchers_minor: int | None = None


_BY_REFUSAL: dict[tuple[Kind, str | None], Verdict] = {
    ("authorize", "key_cancelled"): Verdict("not_done", state="abandoned", code="key_cancelled"),
    ("authorize", "redemption_ended"): Verdict("not_done", state="expired", code="redemption_ended"),
    ("cancel_by_key", "already_captured"): Verdict("not_done", state="captured", code="already_captured"),
    ("cancel_by_key", "redemption_ended"): Verdict("done", state="abandoned", code="redemption_ended"),
    ("capture", "already_captured"): Verdict("done", state="captured", code="already_captured"),
    ("capture", "hold_expired"): Verdict("not_done", state="short", code="hold_expired"),
    ("capture", "already_voided"): Verdict("not_done", state="short", code="already_voided"),
    ("void", "already_captured"): Verdict("not_done", state="captured", code="already_captured"),
    ("void", "already_voided"): Verdict("done", state="voided", code="already_voided"),
    ("void", "hold_expired"): Verdict("done", state="expired", code="hold_expired"),
    ("void", "redemption_ended"): Verdict("done", state="voided", code="redemption_ended"),
    ("reverse", "reference_reused"): Verdict("done", state="reversed", code="reference_reused"),
    ("extend", "already_captured"): Verdict("not_done", state="captured", code="already_captured"),
    ("extend", "already_voided"): Verdict("not_done", state="voided", code="already_voided"),
    ("extend", "hold_expired"): Verdict("not_done", state="expired", code="hold_expired"),
}
"""What a refusal says about its redemption, where that is all there is to hear: outcome and state."""


def kind_of(text: str) -> Kind:
    """The kind of an operation, from the journal's text."""
    match text:
        case "authorize" | "capture" | "void" | "reverse" | "cancel_by_key" | "extend" | "give_up":
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


def judge_evidence(kind: Kind, evidence: Redemption, *, moved: Moved | None = None) -> Verdict:
    """What a look-up shows, for the operation that was under way and would have `moved` so many points."""
    state, moved = state_of(evidence), moved or Moved()
    if moved.reversed_points is not None and evidence.reversed_points != moved.reversed_points:
        return Verdict("unknown", code=f"still_{state}")
    if moved.reversed_vouchers_minor not in (None, evidence.reversed_vouchers_minor):
        return Verdict("unknown", code=f"still_{state}")
    if moved.captured_points is not None and evidence.captured_points < moved.captured_points:
        if evidence.held_points:
            return Verdict("unknown", code=f"still_{state}")
        if evidence.captured_points:
            # Parts were captured before, and the rest of the hold is gone.
            return Verdict("not_done", state="short", code="hold_expired")
    if kind == "void" and evidence.is_holding:
        return Verdict("unknown", code=f"still_{state}")
    if kind == "void" and evidence.released_points:
        # What was captured before the rest was released stays captured.
        return Verdict("done", state=state)
    if state in _GOAL[kind]:
        return Verdict("done", state=state)
    if kind == "capture" and state in {"voided", "expired", "abandoned", "declined"}:
        # The order stands and its points are gone: never silent, and never a failure of the shop's payment hook.
        return Verdict("not_done", state="short", code=f"hold_{state}")
    if kind == "authorize":
        return Verdict("not_done", state=state, code=f"hold_{state}")
    if kind == "extend":
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
    if (isinstance(error, StateConflictError) or error.code in ASK_FIRST) and kind != "authorize":
        return Verdict("unknown", code=error.code)
    if kind == "extend" and not isinstance(error, NotSentError):
        return Verdict("not_done", state="authorized", code="extend_refused")
    if isinstance(error, StateConflictError) and error.code not in {"order_has_live_redemption"} and not first:
        return Verdict("unknown", code=error.code)
    if isinstance(error, IdempotencyConflictError) and not first:
        # Under our key there is something, be it not what is asked for now.
        return Verdict("unknown", code=error.code)
    if kind == "authorize" and (first or proves_not_done(error)):
        return Verdict("not_done", state="declined", code=error.code)
    if kind == "authorize":
        return Verdict("unknown", code=error.code)
    if kind == "reverse" and (isinstance(error, DeclinedError) or error.code in _NEVER_GIVEN_BACK):
        # The customer's points cannot be given back as things are: a person has to know what is owed.
        if first or proves_not_done(error):
            return Verdict("not_done", state=REFUSED, code=error.code)
        return needing_attention(Verdict("unknown", code=error.code))
    return Verdict("not_done", code=error.code)


def judge_failure(profile: ProviderProfile, kind: Kind, error: PunktgenauError, *, first: bool) -> Verdict:
    """As `judge_error`; but without a key nobody can tell whether a second live redemption is not this very call's."""
    if error.code == "order_has_live_redemption" and profile.keys == "none":
        return Verdict("unknown", code=error.code)
    return judge_error(kind, error, first=first)


def judge_refusal(kind: Kind, verdict: Verdict, *, in_parts: bool = False) -> Verdict:
    """What an unknown is by its refusal alone, at a provider where nothing can be looked up.

    `in_parts`: some was captured before, so that is what a refused capture is told, and the rest of the hold is gone.
    """
    if in_parts and (kind, verdict.code) == ("capture", "already_captured"):
        return Verdict("not_done", state="short", code="hold_expired")
    hold_as_known = Verdict("not_done", state="authorized", code="extend_unknown")
    return _BY_REFUSAL.get((kind, verdict.code), hold_as_known if kind == "extend" else verdict)


def may_send(profile: ProviderProfile, kind: Kind, *, code: str | None, age_s: float, first: bool) -> bool:
    """Whether an operation's bytes may go out, `age_s` seconds after its intent, when a send begun now has ended.

    `first`: none can have gone out. Later ones need a key that stands for the first, and one that can still be answered
    with anything new. `code` is what was heard last.
    """
    if kind == "give_up" or code == SETTLING:
        return False
    if first:
        return True
    if kind == "extend":
        # Sent later the same seconds would end later: the hold is looked at instead, and extended anew.
        return False
    return profile.remembers(age_s) and not (profile.replays_errors and code in STORED_ERRORS)


def next_step(profile: ProviderProfile, kind: Kind, *, code: str | None, age_s: float) -> Step:
    """How an unknown operation is resolved; `code` is what was heard last, `age_s` as in `may_send`.

    Repeating comes first, because under its key it asks and acts in one; looking up where an answer says that the
    provider knows more, or nothing may be sent; giving up by the key where neither helps. Else a person is needed.
    """
    sendable = may_send(profile, kind, code=code, age_s=age_s, first=False)
    if profile.lookup and (code in ASK_FIRST or not sendable):
        return "look_up"
    if sendable:
        return "repeat"
    if kind == "authorize" and profile.cancel_by_key and profile.remembers(age_s):
        return "cancel_by_key"
    return "needs_attention"


def look_up_by(profile: ProviderProfile, *, age_s: float) -> LookupBy:
    """What an authorize of that age is looked up by: its key while that is remembered, else its order."""
    if "key" in profile.lookup and (profile.remembers(age_s) or "order" not in profile.lookup):
        return "key"
    return "order"


def judge_settled(
    profile: ProviderProfile, kind: Kind, evidence: Redemption | None, *, heard: Verdict, age_s: float, settled: bool
) -> Verdict:
    """A look-up that did not show the goal, of an operation that nothing is sent for any more.

    `settled`: the settle time has passed since a pass that sent nothing. Then every send of ours has ended, and by the
    provider's word what it led to would show: what does not show has not happened. Before, it proves nothing; nor does
    a key that is not remembered any more, or an id that is not found although the provider once gave it.
    """
    counts = look_up_by(profile, age_s=age_s) == "order" or profile.remembers(age_s)
    if kind == "extend":
        return heard
    about_authorize = kind in {"authorize", "cancel_by_key", "give_up"}
    if evidence is None and not (about_authorize and counts):
        return needing_attention(heard)
    if not settled:
        return replace(heard, outcome="unknown", code=SETTLING)
    if evidence is not None:
        return Verdict("not_done", state=state_of(evidence), code=UNDONE)
    return Verdict("not_done", state="declined" if kind == "authorize" else "abandoned", code="never_arrived")


def needing_attention(verdict: Verdict) -> Verdict:
    """The same, seen by a person from now on."""
    return replace(verdict, state="needs_attention", code=verdict.code or "no_answer")


def back_off_s(passes: int, *, away: bool = False) -> int:
    """Seconds until an unresolved operation is due again: 5, 10, 20 ... up to 15 minutes.

    `away`: not a byte went out, so the provider learnt nothing of it, and once it is back nobody waits for long.
    """
    return int(min(AWAY_S if away else 900, 5 * 2 ** min(passes, 10)))
