"""The records that cross the port: what a provider answers, and what it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from punktgenau.money import POINTS_MAX, Money, Rate

Points = Annotated[int, Field(ge=0, le=POINTS_MAX)]

Mode = Literal["sandbox", "live"]
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
TenderKind = Literal["points", "wallet_cash", "wallet_credit", "voucher"]


class Record(BaseModel):
    """Base of everything a provider answers: frozen, strict, open for fields that are added later."""

    # Inputs are hidden because a reply that does not fit may hold a token or a person's data.
    # Only the keys of a reply are worth keeping: ids and references come once each.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True, cache_strings="keys")


class Page(Record):
    """Some of what was looked for, newest first; `next_cursor` leads to more, None: there is no more."""

    items: tuple[Record, ...]
    next_cursor: str | None


class Named(Record):
    """What a write makes: known by its key, its order, and the member whose points move."""

    id: str
    member_id: str
    former_member_ids: tuple[str, ...]
    order_reference: str
    idempotency_key: str

    def differs_in_name(self, *, idempotency_key: str | None, order_reference: str, member_id: str) -> str | None:
        """The first of these that is not what was asked for, or None.

        `idempotency_key` None: the provider has no keys, so it has none to echo.
        """
        if idempotency_key is not None and self.idempotency_key != idempotency_key:
            return "idempotency_key"
        if self.order_reference != order_reference:
            return "order_reference"
        is_member = member_id == self.member_id or member_id in self.former_member_ids
        return None if is_member else "member_id"


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


class Tender(Record):
    """One way in which a part is paid, with what became of it."""

    kind: TenderKind
    points: Points
    value: Money
    held_points: Points
    captured_points: Points
    reversed_points: Points
    released_points: Points


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
        return None


class RedemptionPage(Page):
    """Redemptions of one order or key, newest attempt first."""

    items: tuple[Redemption, ...]
    mode: Mode


class Reversal(Record):
    """Captured points given back: `restored + already_expired + converted == points`."""

    id: str
    redemption_id: str
    return_reference: str
    idempotency_key: str
    points: Points
    value: Money
    restored: Points
    already_expired: Points
    converted: Points
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderRequest:
    """One way in which a part shall be paid; `value` left out: the provider prices."""

    kind: TenderKind = "points"
    points: int
    value: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionLine:
    """One line of the order as the provider sees it: gross amount in the order's currency, VAT rate in percent."""

    id: str
    sku: str
    quantity: int
    amount_minor: int
    vat_rate: str
