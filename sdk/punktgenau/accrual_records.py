"""The records of accruals: points that a partner has given to a member."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from punktgenau.money import Money, Rate
from punktgenau.records import Mode, Points, Record

AccrualState = Literal["pending", "posted", "reversed"]


class Accrual(Record):
    """Points given to a member, as the provider has them now; `value` is what the partner is charged for them.

    `expires_at`: how long they can be spent; None: for ever. `replayed` and `sends` as on a redemption.
    """

    id: str
    state: AccrualState
    member_id: str
    former_member_ids: tuple[str, ...]
    partner_id: str
    order_reference: str
    accrual_reference: str
    idempotency_key: str
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
        if idempotency_key is not None and self.idempotency_key != idempotency_key:
            return "idempotency_key"
        if self.accrual_reference != accrual_reference:
            return "accrual_reference"
        if self.order_reference != order_reference:
            return "order_reference"
        if member_id != self.member_id and member_id not in self.former_member_ids:
            return "member_id"
        return None if self.points == points else "points"


class AccrualPage(Record):
    """Accruals of one order or key, newest first."""

    items: tuple[Accrual, ...]
    next_cursor: str | None
    now: AwareDatetime
    mode: Mode
