"""The records of accruals: points that a partner has given to a member, and taken back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from punktgenau.money import Money, Rate
from punktgenau.records import Mode, Named, Page, Points, Record

AccrualState = Literal["pending", "posted", "reversed"]


class Accrual(Named):
    """Points given to a member, as the provider has them now; `value` is what the partner is charged for them.

    While they are pending, they cannot be spent: `pending_until` is by the provider's clock, `pending_in_s` the seconds
    until then (0: they can be posted); both are None once they are not pending. `reversed_points`: what was asked back,
    taken or not; all of it: reversed. `not_taken_points` of them were not there any more (None: the provider does not
    tell). `expires_at`: how long they can be spent; None: for ever, or still pending.
    `replayed` and `sends` as on a redemption.
    """

    state: AccrualState
    partner_id: str
    accrual_reference: str
    points: Points
    value: Money
    rate: Rate
    reversed_points: Points
    not_taken_points: Points | None = None
    reason: str
    sequence: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    pending_until: AwareDatetime | None
    pending_in_s: Annotated[int, Field(ge=0)] | None = None
    posted_at: AwareDatetime | None
    expires_at: AwareDatetime | None
    now: AwareDatetime
    mode: Mode
    replayed: bool = False
    sends: int = 1

    def differs_from(
        self,
        *,
        idempotency_key: str | None,
        member_id: str,
        points: int,
        order_reference: str,
        accrual_reference: str,
    ) -> str | None:
        """The first field in which this is not what was asked for, or None: only a full echo counts.

        `idempotency_key` None: the provider has no keys, so it has none to echo.
        """
        wrong = self.differs_in_name(
            idempotency_key=idempotency_key, order_reference=order_reference, member_id=member_id
        )
        if wrong is not None:
            return wrong
        if self.accrual_reference != accrual_reference:
            return "accrual_reference"
        return None if self.points == points else "points"


class AccrualPage(Page):
    """Accruals of one order or key, newest first."""

    items: tuple[Accrual, ...]
    now: AwareDatetime
    mode: Mode


class AccrualReversal(Record):
    """Points taken back: `taken_pending + taken_available + taken_below_zero + not_taken == points`.

    `taken_below_zero` is owed by the member's account and settled by the next points that come in; `not_taken` was not
    there any more. `value` is what `points` are worth; a statement gives back what was taken of what was charged.
    """

    id: str
    accrual_id: str
    return_reference: str
    idempotency_key: str
    points: Points
    value: Money
    taken_pending: Points
    taken_available: Points
    taken_below_zero: Points
    not_taken: Points
    created_at: AwareDatetime
    accrual: Accrual
    now: AwareDatetime
    mode: Mode
    replayed: bool = False
    sends: int = 1

    @property
    def taken(self) -> int:
        """Points that the member has less, pending ones and owed ones among them."""
        return self.taken_pending + self.taken_available + self.taken_below_zero

    def differs_from(self, *, accrual_id: str, points: int, return_reference: str, below_zero: bool) -> str | None:
        """The first field in which this is not what was asked for, or None: only a full echo counts."""
        for field, told, asked in (
            ("accrual_id", self.accrual_id, accrual_id),
            ("accrual_id", self.accrual.id, accrual_id),
            ("return_reference", self.return_reference, return_reference),
            ("points", self.points, points),
            ("points", self.taken + self.not_taken, points),
        ):
            if told != asked:
                return field
        return "taken_below_zero" if self.taken_below_zero and not below_zero else None
