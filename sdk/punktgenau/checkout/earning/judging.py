"""Pure: what a call about an earning proves, and what its row is by that."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from punktgenau.checkout.earning.schema import EarningRow, StepClaim
from punktgenau.checkout.resolve import REFUSED, Verdict, judge_error, needing_attention
from punktgenau.errors import NotFoundError, PunktgenauError

if TYPE_CHECKING:
    from punktgenau.accrual_records import Accrual, AccrualReversal

NOT_DUE = "accrual_not_due"
EXCEEDS = "reversal_exceeds_accrual"
TAKEN_ELSEWHERE = frozenset({"accrual_reversed", EXCEEDS})
"""Refusals by which the provider, or somebody there, has taken back more than we know."""
REUSED = "reference_reused"
LEAST_WAIT_S = 60
UNDONE_CODE = "never_arrived"


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider has said about an accrual: as it is now, and what a claw-back took of it.

    `known_not_taken`: how many points earlier claw-backs did not find, where only a look-up tells of this one.
    """

    accrual: Accrual
    reversal: AccrualReversal | None = None
    known_not_taken: int = 0

    @property
    def not_taken(self) -> int:
        """How many points a claw-back did not find; as far as a provider tells, also where its answer was lost."""
        if self.reversal is not None:
            return self.reversal.not_taken
        return max(0, (self.accrual.not_taken_points or 0) - self.known_not_taken)

    def reply(self, *, is_ours: bool = True) -> dict[str, str | int | None]:
        """The fields that the journal keeps; `is_ours`: what is gone was taken by the very call that was looked up."""
        made = self.accrual
        kept: dict[str, str | int | None] = {
            "id": made.id,
            "state": made.state,
            "points": made.points,
            "value_minor": made.value.amount_minor,
            "currency": made.value.currency,
            "reversed_points": made.reversed_points,
            "not_taken": self.not_taken,
        }
        if self.reversal is None and made.not_taken_points is not None and made.posted_at is not None:
            kept["is_charged"] = int(is_ours)
        if self.reversal is not None:
            took = self.reversal
            kept |= {
                "reversal_id": took.id,
                "taken_pending": took.taken_pending,
                "taken_available": took.taken_available,
                "taken_below_zero": took.taken_below_zero,
                "taken_minor": took.value.amount_minor,
            }
        return kept


def judge(kind: str, error: PunktgenauError, *, first: bool) -> Verdict:
    """A call that raised. `first`: no earlier pass may have arrived.

    `not_done` without a state means: this call did nothing, and it is made again.
    """
    if isinstance(error, NotFoundError):
        unknown = needing_attention(Verdict("unknown", code=error.code))
        return Verdict("not_done", state="declined", code=error.code) if first and kind == "accrue" else unknown
    if kind == "post" and error.code == NOT_DUE:
        # Nothing pending is posted early, whatever was sent before.
        return Verdict("not_done", state="pending", code=NOT_DUE)
    if error.code in TAKEN_ELSEWHERE or error.code == REUSED:
        return Verdict("unknown", code=error.code)
    verdict = judge_error("reverse", error, first=first)
    if verdict.state == REFUSED:
        return replace(verdict, state="declined") if kind == "accrue" else needing_attention(verdict)
    return verdict


def judge_found(claim: StepClaim, found: Accrual, *, heard: Verdict) -> Verdict | None:
    """What a look at the accrual shows of a step that may have been done; None: nothing of it."""
    kind = claim.operation.kind
    if kind == "accrue":
        return Verdict("done", state=found.state)
    if kind == "post":
        return Verdict("done", state=found.state) if found.state != "pending" else None
    if found.reversed_points >= _reversed(claim.earning) + points_of(claim):
        # Whether by us or, after a refusal, by somebody at the provider: they are taken.
        return Verdict("done", state=found.state, code=heard.code)
    if heard.code in TAKEN_ELSEWHERE:
        return Verdict("not_done", state=found.state, code=heard.code)
    return None


def points_of(claim: StepClaim) -> int:
    """How many points a step is about."""
    return int(json.loads(claim.operation.request).get("points", 0))


def _reversed(row: EarningRow) -> int:
    """What the provider has taken back, as far as we know: all but what was never given."""
    return row.points_taken - (row.points - row.given_points)


def after(row: EarningRow, claim: StepClaim, verdict: Verdict, said: Said | None, *, now_ms: int) -> EarningRow:
    """The row once a step is closed, or needs a person."""
    if verdict.code == UNDONE_CODE or (said is None and verdict.state == "pending"):
        # Begun anew, under another key; or the points are still pending, by the provider's clock.
        again_at = now_ms + (LEAST_WAIT_S * 1000 if verdict.code == NOT_DUE else 0)
        return replace(row, state=state_before(row), reason=verdict.code or "", check_at=again_at)
    if verdict.state == "declined":
        return replace(row, state="declined", reason=verdict.code or "", check_at=None)
    if verdict.state is None or said is None:
        # An unknown is seen by a person once it has lasted for long, and stays that until it is known.
        return replace(row, state=verdict.state or row.state, reason=verdict.code or "")
    made, is_back = said.accrual, claim.operation.kind == "claw_back" and verdict.outcome == "done"
    is_found = claim.operation.kind == "accrue" and made.idempotency_key not in {claim.operation.key, "", None}
    if is_found:
        # Given before, by this journal or one that was lost: as it was given then, and whatever came back is taken.
        row = replace(row, given_points=made.points, points_taken=row.points - made.points)
    ours = row.points_taken + (points_of(claim) if is_back else 0)
    elsewhere = max(0, made.reversed_points - (ours - (row.points - row.given_points)))
    taken = min(row.points, ours + elsewhere)
    is_gone, is_pending = taken >= row.points, made.state == "pending"
    until = now_ms + (made.pending_in_s or 0) * 1000 if is_pending and not is_gone else None
    return replace(
        row,
        state="reversed" if is_gone else "pending" if is_pending else "posted",
        accrual_id=made.id,
        posted_at=row.posted_at or (None if is_pending or made.posted_at is None else now_ms),
        pending_until=until,
        points_taken=taken,
        owed_points=row.owed_points + said.not_taken,
        reason=verdict.code or "",
        check_at=now_ms if is_found else until,
    )


def state_before(row: EarningRow) -> str:
    """What a row was before a step that has done nothing."""
    if row.accrual_id is None:
        return "planned"
    return "pending" if row.posted_at is None else "posted"
