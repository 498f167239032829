"""The records that cross the port: what a provider answers, and what it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from punktgenau._record import Mode, Named, Page, Points, Record
from punktgenau.money import Money, Rate
from punktgenau.tender_records import (
    RedemptionLine,
    Tender,
    TenderKind,
    TenderRequest,
    VoucherReturn,
    VoucherReversal,
    is_that_voucher,
)

__all__ = [
    "ENDED_STATES",
    "Balance",
    "Entries",
    "Entry",
    "ExpiringPoints",
    "Identification",
    "Limits",
    "Member",
    "Mode",
    "Named",
    "Page",
    "Points",
    "Quote",
    "Record",
    "Redemption",
    "RedemptionLine",
    "RedemptionPage",
    "RedemptionState",
    "Reversal",
    "ReversalQuote",
    "Tender",
    "TenderKind",
    "TenderRequest",
    "VoucherReturn",
    "VoucherReversal",
]

RedemptionState = Literal[
    "authorized",
    "partially_captured",
    "captured",
    "partially_reversed",
    "reversed",
    "voided",
    "expired",
    "cancelled",
    "declined",
]
ENDED_STATES: frozenset[RedemptionState] = frozenset({"reversed", "voided", "expired", "cancelled", "declined"})


class Limits(Record):
    """The programme's rules for one member: points per redemption and their step, share of the total in percent."""

    min_points: Points
    max_points: Points | None
    step: Points
    max_share_percent: Annotated[int, Field(ge=0, le=100)] | None
    max_value: Money | None


class ExpiringPoints(Record):
    """So many of the available points end at that moment."""

    points: Points
    expires_at: AwareDatetime


class Balance(Record):
    """What a member has: available, held and pending points, what they are worth, and the limits.

    `available` is below zero where the account owes points. `pending`: given, and not to be spent yet.
    """

    member_id: str
    former_member_ids: tuple[str, ...]
    available: int
    held: Points
    pending: Points
    expiring: tuple[ExpiringPoints, ...]
    rate: Rate
    limits: Limits
    now: AwareDatetime
    mode: Mode


EntryGroup = Literal["earned", "spent", "given_back", "expired", "other"]
"""What movements can be filtered by: points given and taken back; held and paid; released and returned; the rest."""


class Entry(Record):
    """One movement on a member's account: signed points, the balance after it, and the reason.

    `pending_points` is the signed change of what is pending, which is no part of the balance. A balance below zero is
    owed: points that come in settle it first.
    """

    id: str
    sequence: int
    kind: str
    points: int
    pending_points: int = 0
    balance: int
    at: AwareDatetime
    partner_id: str | None
    order_reference: str | None
    redemption_id: str | None
    accrual_id: str | None = None
    reason: str


class Entries(Record):
    """One page of movements, newest first; `next_cursor` leads to the next page."""

    items: tuple[Entry, ...]
    next_cursor: str | None
    now: AwareDatetime
    mode: Mode


class Member(Record):
    """A person with an account at the provider, as this partner may see them."""

    member_id: str
    former_member_ids: tuple[str, ...]
    state: str
    consent_id: str | None
    now: AwareDatetime
    mode: Mode


class Identification(Record):
    """Which member consented, by which consent; the provider's token of that exchange is not kept."""

    member_id: str
    consent_id: str
    scope: str
    mode: Mode


class Quote(Record):
    """What the provider says about so many points for such a total, now; never a promise of balance."""

    member_id: str
    asked_points: Points
    points: Points
    value: Money
    due: Money
    available: int
    rate: Rate
    limits: Limits
    reasons: tuple[str, ...]
    now: AwareDatetime
    mode: Mode


class Redemption(Named):
    """One attempt to pay an order with points, as the provider has it now.

    `replayed`: this answer repeats an earlier one for the same key. `sends`: how often this call's bytes went out.
    """

    state: RedemptionState
    partner_id: str
    points: Points
    value: Money
    total: Money
    rate: Rate
    held_points: Points
    captured_points: Points
    reversed_points: Points
    released_points: Points
    captured_value: Money
    reversed_value: Money
    tenders: tuple[Tender, ...]
    sequence: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    expires_at: AwareDatetime | None
    expires_in_s: int | None
    now: AwareDatetime
    mode: Mode
    replayed: bool = False
    sends: int = 1

    def differs_from(
        self,
        *,
        idempotency_key: str | None,
        order_reference: str,
        member_id: str,
        points: int,
        value: Money | None,
        total: Money,
        rate_id: str | None = None,
        vouchers: Sequence[TenderRequest] = (),
    ) -> str | None:
        """The first field in which this answer is not the one asked for, or None: only a full echo counts.

        `idempotency_key` None: the provider has no keys, so it has none to echo.
        """
        wrong = self.differs_in_name(
            idempotency_key=idempotency_key, order_reference=order_reference, member_id=member_id
        )
        if wrong is not None:
            return wrong
        if self.points != points:
            return "points"
        if self.value.currency != total.currency or self.total != total:
            return "total"
        if value is not None and self.value != value:
            return "value"
        if rate_id is not None and self.rate.id != rate_id:
            return "rate"
        if len(self.vouchers) != len(vouchers):
            return "tenders"
        return None if all(map(is_that_voucher, self.vouchers, vouchers)) else "tenders"

    @property
    def vouchers(self) -> tuple[Tender, ...]:
        """The tenders that are vouchers, in the order in which they were asked for."""
        return tuple(tender for tender in self.tenders if tender.kind == "voucher")

    @property
    def reversed_vouchers_minor(self) -> int:
        """What went back onto vouchers, in minor units."""
        return sum(one.reversed_value.amount_minor for one in self.vouchers if one.reversed_value is not None)

    @property
    def is_holding(self) -> bool:
        """Whether points or vouchers wait."""
        return bool(self.held_points) or any(one.held_value and one.held_value.amount_minor for one in self.vouchers)

    @property
    def has_captured(self) -> bool:
        """Whether points or vouchers were taken, given back since or not."""
        taken = (one.captured_value for one in self.vouchers)
        return bool(self.captured_points) or any(value and value.amount_minor for value in taken)


class RedemptionPage(Page):
    """Redemptions of one order or key, newest attempt first."""

    items: tuple[Redemption, ...]
    mode: Mode


class Reversal(Record):
    """What was given back; of the points: `restored + already_expired + converted == points`."""

    id: str
    redemption_id: str
    return_reference: str
    idempotency_key: str
    points: Points
    value: Money
    restored: Points
    already_expired: Points
    converted: Points
    vouchers: tuple[VoucherReversal, ...] = ()
    created_at: AwareDatetime
    redemption: Redemption
    now: AwareDatetime
    mode: Mode
    replayed: bool = False
    sends: int = 1


class ReversalQuote(Record):
    """What would become of points given back now: `restoring + already_expired + converted == points`."""

    redemption_id: str
    points: Points
    restoring: Points
    already_expired: Points
    converted: Points
    now: AwareDatetime
    mode: Mode
