"""The records of accruals: points that a partner has given to a member."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from punktgenau.money import Money, Rate
from punktgenau.records import Mode, Named, Page, Points

AccrualState = Literal["pending", "posted", "reversed"]


class Accrual(Named):
    """Points given to a member, as the provider has them now; `value` is what the partner is charged for them.

    `expires_at`: how long they can be spent; None: for ever. `replayed` and `sends` as on a redemption.
    """

    state: AccrualState
    partner_id: str
    accrual_reference: str
    points: Points
    value: Money
    rate: Rate
    reversed_points: Points
    reason: str
    sequence: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    pending_until: AwareDatetime | None
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
