"""The shop's view of a difference, and of a whole reconciliation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from punktgenau.checkout.matched import DifferenceKind
from punktgenau.checkout.moments import moment
from punktgenau.checkout.schema_clearing import DifferenceRow

DifferenceState = Literal["waiting", "open", "repairing", "repaired", "dismissed", "settled"]
Proposal = Literal["capture", "cancel", "look_up", "claim", "accept"]
"""Take the points; give them back; ask the provider; have it corrected by hand; nothing but to know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What statement, journal and orders do not agree about, with what is proposed; nothing happens by itself.

    Points and `..._minor` are signed: negative where they went back; None: that side says nothing. `actor`, `reason`
    and `result` tell who decided what, once somebody has.
    """

    id: str
    period: str
    kind: DifferenceKind
    state: DifferenceState
    order_reference: str
    order_state: str
    """As the shop says: pending, paid, cancelled, missing; empty: it was not asked."""
    redemption_id: str | None
    provider_id: str
    line_id: str
    there_points: int | None
    there_minor: int | None
    there_at: datetime | None
    here_points: int | None
    here_minor: int | None
    here_at: datetime | None
    currency: str
    """Of the statement, where it says anything, and else of the journal."""
    here_currency: str
    """The currency that the journal's side is in: the order's, which the statement may have wrong."""
    proposal: Proposal
    note: str
    found_at: datetime
    actor: str
    reason: str
    result: str
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What one run has read and found; points as each side has them, what went back taken off.

    `open_by_kind` counts what waits for somebody in this month, also from earlier runs; `repairing` of them are repairs
    that were begun and have not ended. `found` is what this run has found.
    `broken_lines`: the first of `broken` lines that could not be read, with number and reason.
    """

    period: str
    lines: int
    bookings: int
    orders: int
    matched: int
    points_there: int
    points_here: int
    found: Mapping[str, int]
    waiting: int
    broken: int
    broken_lines: tuple[tuple[int, str], ...]
    open_by_kind: Mapping[str, int]
    repairing: int = 0

    @property
    def open(self) -> int:
        """How many differences wait for somebody."""
        return sum(self.open_by_kind.values())

    @property
    def is_clean(self) -> bool:
        """Whether nothing waits for somebody and every line could be read."""
        return not (self.open or self.broken)


def difference_of(row: DifferenceRow) -> Difference:
    """What a row means for the shop."""
    return Difference(
        id=row.id,
        period=row.period,
        kind=row.kind,  # type: ignore[arg-type]
        state=row.state,  # type: ignore[arg-type]
        order_reference=row.order_reference,
        order_state=row.order_state,
        redemption_id=row.redemption_id,
        provider_id=row.provider_id,
        line_id=row.line_id,
        there_points=row.there_points,
        there_minor=row.there_minor,
        there_at=_moment(row.there_at),
        here_points=row.here_points,
        here_minor=row.here_minor,
        here_at=_moment(row.here_at),
        currency=row.currency,
        here_currency=row.here_currency or row.currency,
        proposal=row.proposal,  # type: ignore[arg-type]
        note=row.note,
        found_at=moment(row.created_at),
        actor=row.actor,
        reason=row.reason,
        result=row.result,
        done_at=_moment(row.done_at),
    )


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else moment(at_ms)
