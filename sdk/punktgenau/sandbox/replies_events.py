"""What is told about events: always every key."""

from __future__ import annotations

from .replies import Mode, Stamp, State, _Reply
from .replies_accruals import AccrualEventData
from .replies_vouchers import PayoutEventData


class RedemptionEventData(_Reply):
    """Which redemption reached which state."""

    redemption_id: str
    order_reference: str
    idempotency_key: str
    state: State
    redemption_sequence: int


class ConsentEventData(_Reply):
    """Which consent was withdrawn."""

    member_id: str
    consent_id: str


class Event(_Reply):
    """Something that happened."""

    id: str
    type: str
    sequence: int
    timestamp: Stamp
    data: RedemptionEventData | ConsentEventData | AccrualEventData | PayoutEventData


class EventPage(_Reply):
    """Events, oldest first."""

    items: list[Event]
    next_cursor: str | None
    now: Stamp
    mode: Mode
