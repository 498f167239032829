"""What is answered about accruals: always every key, absent is null."""

from __future__ import annotations

from typing import Literal

from .replies import Mode, Money, Rate, Stamp, _Reply

AccrualState = Literal["pending", "posted", "reversed"]


class Accrual(_Reply):
    """Points that a partner gave to a member, as they are now. `value` is what the partner is charged for them.

    `pending_in_s`: seconds until they can be posted. `reversed_points`: what was asked back, taken or not;
    `not_taken_points` of them were not there any more.
    """

    id: str
    state: AccrualState
    member_id: str
    former_member_ids: list[str]
    partner_id: str
    order_reference: str
    accrual_reference: str
    idempotency_key: str
    points: int
    value: Money
    rate: Rate
    reversed_points: int
    not_taken_points: int
    reason: str
    sequence: int
    created_at: Stamp
    updated_at: Stamp
    pending_until: Stamp | None
    pending_in_s: int | None
    posted_at: Stamp | None
    expires_at: Stamp | None
    now: Stamp
    mode: Mode


class AccrualPage(_Reply):
    """Accruals, newest first."""

    items: list[Accrual]
    next_cursor: str | None
    now: Stamp
    mode: Mode


class AccrualReversal(_Reply):
    """Points taken back: `taken_pending` + `taken_available` + `taken_below_zero` + `not_taken` = `points`."""

    id: str
    accrual_id: str
    return_reference: str
    idempotency_key: str
    points: int
    value: Money
    taken_pending: int
    taken_available: int
    taken_below_zero: int
    not_taken: int
    created_at: Stamp
    accrual: Accrual
    now: Stamp
    mode: Mode


class AccrualEventData(_Reply):
    """Which accrual reached which state."""

    accrual_id: str
    order_reference: str
    idempotency_key: str
    state: AccrualState
    accrual_sequence: int
