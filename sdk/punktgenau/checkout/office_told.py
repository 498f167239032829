"""The stories of earnings and exchanges for the back office: what was asked, what came of it, who did what. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from punktgenau.checkout.actions import Action
from punktgenau.checkout.earning.schema import EarningReturnRow, EarningRow, StepRow
from punktgenau.checkout.exchanging.journal import BY_HAND
from punktgenau.checkout.exchanging.schema import ExchangeRow
from punktgenau.checkout.moments import moment
from punktgenau.checkout.timeline import SLOW_MS, Moment, Tone
from punktgenau.money import Money

ORDER_GONE, RETURNED = "order_gone", "returned"
_TONES: dict[str, Tone] = {
    "done": "good",
    "paid": "good",
    "requested": "good",
    "declined": "bad",
    "needs_attention": "bad",
    "sending": "open",
}


def story_of_earning(
    row: EarningRow,
    steps: Sequence[StepRow],
    noted: Sequence[EarningReturnRow],
    actions: Sequence[Action],
) -> tuple[Moment, ...]:
    """What happened to the points that an order earns, the oldest first."""
    told = [Moment(at=moment(row.created_at), kind="earn.planned", points=row.points + row.offset_points)]
    if row.offset_points:
        told.append(Moment(at=moment(row.created_at), kind="earn.set_off", points=row.offset_points))
    told += (one for step in steps for one in _step(step))
    told += (
        Moment(
            at=moment(one.created_at),
            kind="earn.returned",
            reference=one.reference,
            units=json.loads(one.wanted)["lines"],
        )
        for one in noted
    )
    if row.state == "reversed" and row.accrual_id is None:
        is_gone = row.reason == ORDER_GONE
        told.append(
            Moment(
                at=moment(row.updated_at),
                kind="earn.never",
                points=row.points,
                reason=ORDER_GONE if is_gone else "",
                code="" if is_gone or row.reason == RETURNED else row.reason,
            )
        )
    told += (_action(one) for one in actions)
    return tuple(sorted(told, key=lambda one: one.at))


def story_of_exchange(row: ExchangeRow, actions: Sequence[Action]) -> tuple[Moment, ...]:
    """What happened to points that become a voucher or money, the oldest first."""
    value = None
    if row.value_minor is not None and row.currency is not None:
        value = Money(amount_minor=row.value_minor, currency=row.currency)
    told = [Moment(at=moment(row.created_at), kind=f"exchange.asked.{row.kind}", points=row.points)]
    if row.code != BY_HAND:
        told.append(
            Moment(
                at=moment(row.updated_at),
                kind=f"exchange.{row.state}",
                tone=_TONES.get(row.state, "plain"),
                points=row.points,
                value=value,
                reason=row.reason,
                code="" if row.outcome == "done" else row.code or "",
                sends=row.sends,
            )
        )
    told += (_action(one) for one in actions)
    return tuple(sorted(told, key=lambda one: one.at))


def _step(step: StepRow) -> Iterator[Moment]:
    request, reply = json.loads(step.request), json.loads(step.reply or "{}")
    is_open = step.open_key is not None
    outcome = "unknown" if is_open or step.outcome is None else step.outcome
    ended_at = step.finished_at

    def told(at_ms: int, how: str, tone: Tone) -> Moment:
        return Moment(
            at=moment(at_ms),
            kind=f"earn.{step.kind}.{how}",
            tone=tone,
            points=int(request.get("points", 0)),
            code="" if how == "done" else step.code or "",
            sends=step.sends,
            not_there=int(reply.get("not_taken") or 0) if how == "done" else 0,
        )

    if is_open or (ended_at is not None and ended_at - step.created_at > SLOW_MS):
        yield told(step.created_at, "asked", "open")
    if ended_at is not None:
        yield told(ended_at, outcome, "good" if outcome == "done" else "bad" if outcome == "not_done" else "plain")


def _action(one: Action) -> Moment:
    return Moment(at=one.at, kind=f"action.{one.kind}", tone="hand", actor=one.actor, reason=one.reason)
