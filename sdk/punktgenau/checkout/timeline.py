"""An order's story from the journal: what was asked, what came of it, who did something by hand; in order of time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, select

from punktgenau.checkout.accrual_journal import ACCRUE, accrual_reference
from punktgenau.checkout.actions import Action
from punktgenau.checkout.database import Database
from punktgenau.checkout.moments import moment
from punktgenau.checkout.rest import is_rest
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema import EventRow, OperationRow, RedemptionRow, event
from punktgenau.checkout.schema_returns import (
    AmendmentRow,
    PayoutRow,
    ReturnRow,
    ShipmentRow,
    amendment,
    payout,
    returns,
)
from punktgenau.checkout.shipment_statements import ALL as _SHIPMENTS
from punktgenau.checkout.standing import PSEUDONYM
from punktgenau.checkout.vouchers import of_cart, parts_of, sum_of, worth_minor
from punktgenau.money import Money

Tone = Literal["plain", "good", "open", "bad", "hand"]
SLOW_MS = 60_000
"""An operation that took longer is told twice: when it was asked for, and when it was known."""
_ENDED = frozenset({"expired", "short"})
_TOLD_BY_RETURNS = frozenset({"refund", "money_refunded"})
_CAUSES = frozenset({"void", "reverse", "cancel_by_key", "give_up"})
_EVENTS = select(event).where(event.c.redemption_id == bindparam("redemption_id")).order_by(event.c.received_at)
_AMENDMENTS = (
    select(amendment).where(amendment.c.redemption_id == bindparam("redemption_id")).order_by(amendment.c.version)
)
_PAYOUTS = (
    select(payout)
    .where(
        payout.c.return_id.in_(select(returns.c.id).where(returns.c.redemption_id == bindparam("redemption_id"))),
        payout.c.amount_minor > 0,
    )
    .order_by(payout.c.created_at)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One sentence of the story; `kind` says which, the rest fills it in.

    `code` is of `punktgenau.codes` or the provider's word; `reference` names a return or a shipment, `units` what came
    back or left with it; `vouchers` what these pay, or what goes back onto them. What a return pays in money besides
    `money`: `expired_money`, `money_instead`. `not_there`: of earned points that were taken back so many were spent
    already.
    """

    at: datetime
    kind: str
    tone: Tone = "plain"
    attempt: int = 1
    points: int | None = None
    value: Money | None = None
    money: Money | None = None
    actor: str = ""
    reason: str = ""
    code: str = ""
    reference: str = ""
    units: Mapping[str, int] | None = None
    sends: int = 0
    expired_points: int = 0
    expired_money: Money | None = None
    money_instead: Money | None = None
    version: int = 0
    not_there: int = 0
    vouchers: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """All that the journal knows of one attempt."""

    redemption: RedemptionRow
    operations: tuple[OperationRow, ...]
    returns: tuple[ReturnRow, ...]
    payouts: tuple[PayoutRow, ...]
    amendments: tuple[AmendmentRow, ...]
    shipments: tuple[ShipmentRow, ...]
    events: tuple[EventRow, ...]
    actions: tuple[Action, ...]


def heard_of(
    database: Database, redemption_id: str
) -> tuple[tuple[EventRow, ...], tuple[AmendmentRow, ...], tuple[ShipmentRow, ...], tuple[PayoutRow, ...]]:
    """The provider's events about a redemption, its order's versions, its shipments, what was paid of its returns."""
    values = {"redemption_id": redemption_id}
    with database.transaction(write=False) as tx:
        events = tuple(row_of(EventRow, row) for row in tx.all(_EVENTS, values))
        versions = tuple(row_of(AmendmentRow, row) for row in tx.all(_AMENDMENTS, values))
        shipments = tuple(row_of(ShipmentRow, row) for row in tx.all(_SHIPMENTS, values))
        payouts = tuple(row_of(PayoutRow, row) for row in tx.all(_PAYOUTS, values))
    return events, versions, shipments, payouts


def story(chapters: tuple[Chapter, ...]) -> tuple[Moment, ...]:
    """What happened to an order's points, the oldest first; pure."""
    told = [one for chapter in chapters for one in _told(chapter)]
    return tuple(sorted(told, key=lambda one: one.at))


def _told(chapter: Chapter) -> Iterator[Moment]:
    row = chapter.redemption
    yield Moment(
        at=moment(row.created_at),
        kind="taken_anew" if row.cause == "shortfall" else "placed",
        attempt=row.attempt,
        points=row.points,
        value=_money(row, row.value_minor),
        money=_money(row, row.payable_minor),
        vouchers=_some(row, worth_minor(of_cart(row.cart))),
    )
    yield from (_shipment(row, one) for one in chapter.shipments)
    by_operation = {one.operation_id: one for one in chapter.returns if one.operation_id is not None}
    by_accrual = {accrual_reference(one): one for one in chapter.returns}
    for operation in chapter.operations:
        named = json.loads(operation.request).get("accrual_reference")
        yield from _operation(row, operation, by_operation.get(operation.id) or by_accrual.get(named))
    for one in chapter.returns:
        yield from _return(row, one)
        yield from _paid(chapter, one)
    told_by_deeds = {one.detail.get("version") for one in chapter.actions}
    for version in chapter.amendments:
        if version.version in told_by_deeds:
            continue
        yield Moment(
            at=moment(version.created_at),
            kind="amended",
            tone="hand" if version.actor else "plain",
            attempt=row.attempt,
            points=version.points,
            money=_money(row, version.payable_minor),
            actor=version.actor,
            reason=version.reason,
            version=version.version,
        )
    for heard in chapter.events:
        yield Moment(at=moment(heard.received_at), kind="event", attempt=row.attempt, code=heard.said or heard.type)
    yield from (_action(row, one) for one in chapter.actions if one.kind not in _TOLD_BY_RETURNS)
    if row.state in _ENDED and (ended := _ended(chapter)) is not None:
        yield ended


def _operation(row: RedemptionRow, operation: OperationRow, returned: ReturnRow | None) -> Iterator[Moment]:
    pays_minor = 0
    if returned is not None and is_rest(returned) and operation.kind != ACCRUE:
        # Nobody took it in as a return, so what it pays is told here.
        pays_minor, returned = returned.expired_minor, None
    request = json.loads(operation.request)
    reply = json.loads(operation.reply or "{}")
    points = request.get("points", row.points)
    onto = parts_of(request.get("vouchers"))
    value_minor = request.get("value_minor", row.value_minor)
    cause = operation.cause if operation.kind in {"cancel_by_key", "give_up"} else row.release_cause or ""
    is_told = operation.kind in _CAUSES and returned is None and not cause.startswith(PSEUDONYM)
    reason = cause if is_told else ""
    is_open = operation.open_key is not None
    outcome = "unknown" if is_open or operation.outcome is None else operation.outcome
    finished_at = operation.finished_at
    is_slow = finished_at is not None and finished_at - operation.created_at > SLOW_MS

    def told(at_ms: int, how: str, tone: Tone) -> Moment:
        return Moment(
            at=moment(at_ms),
            kind=f"{operation.kind}.{how}",
            tone=tone,
            attempt=row.attempt,
            points=points,
            value=None if operation.kind == ACCRUE else _money(row, value_minor),
            reason=reason,
            reference=returned.reference if returned is not None else str(request.get("capture_reference") or ""),
            code="" if how == "done" else operation.code or "",
            sends=operation.sends,
            expired_points=int(reply.get("expired_points") or 0),
            expired_money=_some(row, pays_minor),
            vouchers=_some(row, sum_of(onto)),
        )

    if is_open or is_slow:
        yield told(operation.created_at, "asked", "open")
    if finished_at is None:
        return
    tone: Tone = "good" if outcome == "done" else "bad" if outcome == "not_done" else "plain"
    yield told(finished_at, outcome, tone)


def _shipment(row: RedemptionRow, one: ShipmentRow) -> Moment:
    return Moment(
        at=moment(one.created_at),
        kind="shipment",
        attempt=row.attempt,
        points=one.points,
        value=_money(row, one.worth_minor),
        reference=one.reference,
        units=json.loads(one.lines),
    )


def _return(row: RedemptionRow, one: ReturnRow) -> Iterator[Moment]:
    wanted = json.loads(one.wanted)
    if not is_rest(one):
        yield Moment(
            at=moment(one.created_at),
            kind="return",
            tone="hand" if one.actor not in {"", "customer"} else "plain",
            attempt=row.attempt,
            points=one.points,
            value=_money(row, one.value_minor),
            money=_money(row, one.money_minor),
            expired_money=_some(row, one.expired_minor),
            money_instead=_some(row, one.instead_minor),
            vouchers=_some(row, sum_of(parts_of(one.vouchers))),
            actor=one.actor,
            reason=one.reason,
            reference=one.reference,
            units=wanted["lines"],
        )


def _paid(chapter: Chapter, one: ReturnRow) -> Iterator[Moment]:
    """Each payment by itself: what it was, whatever became owed or was paid after it."""
    told = {
        deed.detail.get("psp_reference"): deed.actor
        for deed in chapter.actions
        if deed.kind == "money_refunded" and deed.detail.get("return_reference") == one.reference
    }
    for paid in chapter.payouts:
        if paid.return_id == one.id:
            yield Moment(
                at=moment(paid.created_at),
                kind="money_refunded",
                tone="good",
                attempt=chapter.redemption.attempt,
                money=_money(chapter.redemption, paid.amount_minor),
                actor=told.get(paid.psp_reference, ""),
                reference=one.reference,
                code=paid.psp_reference,
            )


def _action(row: RedemptionRow, one: Action) -> Moment:
    return Moment(
        at=one.at,
        kind=f"action.{one.kind}",
        tone="hand",
        attempt=row.attempt,
        value=one.value,
        actor=one.actor,
        reason=one.reason,
        reference=str(one.detail.get("return_reference") or ""),
        code=str(one.detail.get("psp_reference") or ""),
    )


def _ended(chapter: Chapter) -> Moment | None:
    """A hold that ended without a call of ours."""
    row = chapter.redemption
    if any(one.finished_at == row.updated_at for one in chapter.operations):
        return None
    return Moment(
        at=moment(row.updated_at),
        kind=f"ended.{row.state}",
        tone="bad" if row.state == "short" else "plain",
        attempt=row.attempt,
        points=row.points,
        code=row.reason,
    )


def _some(row: RedemptionRow, amount_minor: int) -> Money | None:
    return _money(row, amount_minor) if amount_minor else None


def _money(row: RedemptionRow, amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency=row.currency)
