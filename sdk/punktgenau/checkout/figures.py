"""Figures over time for the back office: what orders of a span paid with points, and what came back of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, func, select

from punktgenau.checkout.database import Database
from punktgenau.checkout.moments import milliseconds
from punktgenau.checkout.schema import redemption
from punktgenau.checkout.statements import own
from punktgenau.money import Money

_r = redemption.c
_SUMS = (
    select(
        _r.currency,
        _r.state,
        func.count(),
        func.coalesce(func.sum(_r.captured_points), 0),
        func.coalesce(func.sum(_r.reversed_points), 0),
        func.coalesce(func.sum(_r.reversed_minor), 0),
        func.coalesce(func.sum(_r.captured_minor), 0),
        func.coalesce(func.sum(_r.written_off_minor), 0),
    )
    .where(own(redemption), _r.created_at >= bindparam("since"), _r.created_at < bindparam("until"))
    .group_by(_r.currency, _r.state)
    .order_by(_r.currency, _r.state)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `since` until `until`, which is not part of it."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """About orders that were placed in one span: attempts by state, points taken and given back, worth by currency.

    `written_off`: what points should have paid and the shop bears, because a person has decided so.
    """

    span: Span
    attempts: int = 0
    by_state: dict[str, int] = field(default_factory=dict)
    captured_points: int = 0
    reversed_points: int = 0
    captured: dict[str, Money] = field(default_factory=dict)
    reversed: dict[str, Money] = field(default_factory=dict)
    written_off: dict[str, Money] = field(default_factory=dict)

    @property
    def kept_points(self) -> int:
        """Points that were taken and did not come back."""
        return self.captured_points - self.reversed_points

    @property
    def refused(self) -> int:
        """Attempts that the provider refused."""
        return self.by_state.get("declined", 0)


def figures(database: Database, spans: Sequence[Span]) -> tuple[Figures, ...]:
    """The figures of each span, in the same order; one look by index for each."""
    with database.transaction(write=False) as tx:
        found = [
            tx.all(_SUMS, {"since": milliseconds(span.since), "until": milliseconds(span.until)}) for span in spans
        ]
    return tuple(_figures(span, rows) for span, rows in zip(spans, found, strict=True))


def _figures(span: Span, rows: Sequence[Sequence[str | int | None]]) -> Figures:
    by_state: dict[str, int] = {}
    captured_minor: dict[str, int] = {}
    reversed_minor: dict[str, int] = {}
    written_off_minor: dict[str, int] = {}
    captured_points = reversed_points = 0
    for currency, state, count, taken, back, back_minor, taken_minor, lost_minor in rows:
        name = str(state)
        by_state[name] = by_state.get(name, 0) + int(count or 0)
        captured_points += int(taken or 0)
        reversed_points += int(back or 0)
        reversed_minor[str(currency)] = reversed_minor.get(str(currency), 0) + int(back_minor or 0)
        if taken:
            captured_minor[str(currency)] = captured_minor.get(str(currency), 0) + int(taken_minor or 0)
        if lost_minor:
            written_off_minor[str(currency)] = written_off_minor.get(str(currency), 0) + int(lost_minor)
    return Figures(
        span=span,
        attempts=sum(by_state.values()),
        by_state=by_state,
        captured_points=captured_points,
        reversed_points=reversed_points,
        captured=_moneys(captured_minor),
        reversed=_moneys(reversed_minor),
        written_off=_moneys(written_off_minor),
    )


def _moneys(by_currency: dict[str, int]) -> dict[str, Money]:
    return {
        currency: Money(amount_minor=amount_minor, currency=currency) for currency, amount_minor in by_currency.items()
    }
