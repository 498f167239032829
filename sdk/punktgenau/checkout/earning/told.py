"""What a shop and a customer are told about points that an order earns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from punktgenau.checkout.earning.schema import EarningRow, StepRow
from punktgenau.checkout.moments import moment

EarnedKind = Literal["purchase", "welcome"]
EarnedState = Literal["planned", "pending", "posted", "reversed", "declined", "needs_attention"]
EarnedFate = Literal["", "not_given", "had", "given_unknown", "posted_unknown", "taken_unknown", "left"]
"""What became of points that need a person, or needed one; empty: their state says it."""
MoveKind = Literal["given", "posted", "taken_back", "set_off"]
_UNKNOWN: dict[str, EarnedFate] = {"accrue": "given_unknown", "post": "posted_unknown", "claw_back": "taken_unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedMove:
    """One thing that happened to earned points: `points` more or fewer for the member, and why, in the shop's words.

    `owed`: of what was taken back so much was not there any more. "set_off": so many settled what was owed before.
    """

    kind: MoveKind
    points: int
    at: datetime
    reason: str
    owed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """What one order earns for one reason. All in points.

    `points`: what it earns, after `offset`, by which it settled what was owed for earlier ones; `taken_back` of them;
    `owed`: what could not be taken, so the member's next orders earn that much less. "planned": the provider does not
    know of it yet; "pending": until `pending_until`, as long as the order may come back; "declined": the provider
    refused, see `reason`.
    """

    order_reference: str
    kind: EarnedKind
    state: EarnedState
    points: int
    taken_back: int
    owed: int
    offset: int
    pending_until: datetime | None
    reason: str
    moves: tuple[EarnedMove, ...] = ()

    @property
    def kept(self) -> int:
        """What the member has of it, or will have."""
        return 0 if self.state == "declined" else self.points - self.taken_back


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnPreviewLine:
    """What one line of a cart earns; the lines add up to all."""

    id: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnPreview:
    """What a cart would earn now, in points: `points` for the purchase and, with a first order, `welcome_points`.

    `offset`: so many of these settle what is owed. `campaigns` are the names of those that count. `pending_s`: after so
    many seconds they can be used. Not `is_linked`: nothing is earned yet; whoever links their account earns that.
    """

    pending_s: int
    is_linked: bool
    points: int = 0
    lines: tuple[EarnPreviewLine, ...] = ()
    campaigns: tuple[str, ...] = ()
    welcome_points: int = 0
    offset: int = 0


def earned_of(row: EarningRow, steps: Sequence[StepRow]) -> Earned:
    """An earning as the journal has it."""
    moves = tuple(move for step in steps if (move := _move(step)) is not None)
    if row.offset_points:
        set_off = EarnedMove(kind="set_off", points=-row.offset_points, at=moment(row.created_at), reason="")
        moves = (set_off, *moves)
    return Earned(
        order_reference=row.order_reference,
        kind="welcome" if row.kind == "welcome" else "purchase",
        state=told_state(row),
        points=row.points,
        taken_back=row.points_taken,
        owed=row.owed_points,
        offset=row.offset_points,
        pending_until=_pending_until(row),
        reason=row.reason,
        moves=moves,
    )


def fate_of(state: str, reason: str, open_call: str) -> EarnedFate:
    """What became of the points; `open_call` is the kind of the step that is open, empty: none is."""
    if state == "needs_attention":
        return _UNKNOWN.get(open_call, "")
    if state != "declined":
        return ""
    if reason == "welcome_had":
        return "had"
    return "left" if reason == "left" else "not_given"


def told_state(row: EarningRow) -> EarnedState:
    """Where the points of an earning are, as it is told."""
    match row.state:
        case "planned" | "accruing":
            return "planned"
        case "pending" | "posting":
            return "pending"
        case "reversing":
            return "pending" if row.posted_at is None else "posted"
        case "posted" | "reversed" | "declined" | "needs_attention":
            return row.state
    raise AssertionError(f"unknown state of an earning {row.state!r}")


def _pending_until(row: EarningRow) -> datetime | None:
    if told_state(row) == "planned" and row.pending_s:
        return moment(row.created_at + row.pending_s * 1000)
    return None if row.pending_until is None or told_state(row) != "pending" else moment(row.pending_until)


def _move(step: StepRow) -> EarnedMove | None:
    if step.outcome != "done" or step.finished_at is None:
        return None
    request, reply, at = json.loads(step.request), json.loads(step.reply or "{}"), moment(step.finished_at)
    if step.kind == "post":
        return EarnedMove(kind="posted", points=0, at=at, reason="")
    if step.kind == "accrue":
        return EarnedMove(kind="given", points=int(request["points"]), at=at, reason=request["reason"])
    not_taken = int(reply.get("not_taken") or 0)
    taken = int(request["points"]) - not_taken
    return EarnedMove(kind="taken_back", points=-taken, at=at, reason=request["reason"], owed=not_taken)
