"""The port between engine and provider: the records that cross it and what a provider must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict

from punktgenau.money import Money, Rate

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

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Limits(Record):
    """The programme's rules for one member: points per redemption and their step, share of the total in percent."""

    min_points: int
    max_points: int | None
    step: int
    max_share_percent: int | None
    max_value: Money | None


class ExpiringPoints(Record):
    """So many of the available points end at that moment."""

    points: int
    expires_at: AwareDatetime


class Balance(Record):
    """What a member has: available, held and pending points, what they are worth, and the limits."""

    member_id: str
    former_member_ids: tuple[str, ...]
    available: int
    held: int
    pending: int
    expiring: tuple[ExpiringPoints, ...]
    rate: Rate
    limits: Limits
    now: AwareDatetime
    mode: Mode


class Entry(Record):
    """One movement on a member's account: signed points, the balance after it, and the reason."""

    id: str
    sequence: int
    kind: str
    points: int
    balance: int
    at: AwareDatetime
    partner_id: str | None
    order_reference: str | None
    redemption_id: str | None
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
    asked_points: int
    points: int
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
    points: int
    value: Money
    held_points: int
    captured_points: int
    reversed_points: int
    released_points: int


class Redemption(Record):
    """One attempt to pay an order with points, as the provider has it now.

    `replayed`: this answer repeats an earlier one for the same key. `sends`: how often this call's bytes went out.
    """

    id: str
    state: RedemptionState
    member_id: str
    former_member_ids: tuple[str, ...]
    partner_id: str
    order_reference: str
    idempotency_key: str
    points: int
    value: Money
    total: Money
    rate: Rate
    held_points: int
    captured_points: int
    reversed_points: int
    released_points: int
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
        idempotency_key: str,
        order_reference: str,
        member_id: str,
        points: int,
        value: Money | None,
        total: Money,
    ) -> str | None:
        """The first field in which this answer is not the one asked for, or None: only a full echo counts."""
        if self.idempotency_key != idempotency_key:
            return "idempotency_key"
        if self.order_reference != order_reference:
            return "order_reference"
        if member_id != self.member_id and member_id not in self.former_member_ids:
            return "member_id"
        if self.points != points:
            return "points"
        if self.value.currency != total.currency or self.total != total:
            return "total"
        if value is not None and self.value != value:
            return "value"
        return None


class Reversal(Record):
    """Captured points given back: `restored + already_expired + converted == points`."""

    id: str
    redemption_id: str
    return_reference: str
    idempotency_key: str
    points: int
    value: Money
    restored: int
    already_expired: int
    converted: int
    created_at: AwareDatetime
    redemption: Redemption
    now: AwareDatetime
    mode: Mode
    replayed: bool = False
    sends: int = 1


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderProfile:
    """How a provider behaves, as data: the engine asks this, never the class.

    `key_window_s`: how long a key is remembered; `settle_s`: how long a look-up may still miss what was done;
    `longest_hold_s`: 0 where there are no holds; `resolution_bound_s`: after this an unknown needs a person.
    """

    name: str = "reference"
    key_window_s: int = 400 * 86_400
    key_length_max: int = 255
    mismatch: Literal["error", "silent"] = "error"
    replays_errors: bool = False
    lookup: frozenset[Literal["key", "order"]] = field(default_factory=lambda: frozenset({"key", "order"}))
    settle_s: int = 0
    cancel_by_key: bool = True
    longest_hold_s: int = 7 * 86_400
    extend: bool = True
    captures: Literal["one", "many"] = "many"
    partial_reversal: bool = True
    resolution_bound_s: int = 86_400


class MembersPort(Protocol):
    """What the engine asks about members."""

    def balance(self, *, member_id: str, deadline_s: float | None = None) -> Balance:
        """Points of a member, with rate and limits."""
        ...

    def entries(self, *, member_id: str, cursor: str | None = None, deadline_s: float | None = None) -> Entries:
        """Movements of a member, newest first."""
        ...


class RedemptionsPort(Protocol):
    """What the engine asks about redemptions; amounts in points and `Money`, times in seconds."""

    def authorize(
        self,
        *,
        member_id: str,
        order_reference: str,
        total: Money,
        points: int | None = None,
        value: Money | None = None,
        rate_id: str | None = None,
        tenders: Sequence[TenderRequest] | None = None,
        lines: Sequence[RedemptionLine] | None = None,
        hold_s: int | None = None,
        capture: Literal["now"] | None = None,
        attempt: int = 1,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Redemption:
        """Hold points for an order, or with `capture="now"` take them in one step."""
        ...

    def capture(
        self,
        redemption_id: str,
        *,
        points: int | None = None,
        value: Money | None = None,
        final: bool = True,
        capture_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Redemption:
        """Make a hold final, in part or in whole."""
        ...

    def extend(
        self, redemption_id: str, *, hold_s: int, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """Let a live hold end later."""
        ...

    def void(
        self, redemption_id: str, *, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """Release an uncaptured hold."""
        ...

    def reverse(
        self,
        redemption_id: str,
        *,
        points: int,
        value: Money | None = None,
        return_reference: str,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Reversal:
        """Give captured points back."""
        ...

    def cancel_by_key(
        self, *, target_key: str, idempotency_key: str | None = None, deadline_s: float | None = None
    ) -> Redemption:
        """End what is held under a key; success also means that nothing happened and nothing will."""
        ...

    def get(self, redemption_id: str, *, deadline_s: float | None = None) -> Redemption:
        """One redemption as it is now."""
        ...

    def find(
        self,
        *,
        order_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Redemption, ...]:
        """Redemptions of an order or of a key, newest attempt first."""
        ...


class Provider(Protocol):
    """A company that keeps members' points, as the engine sees it."""

    @property
    def partner_id(self) -> str:
        """The shop as this provider knows it."""
        ...

    @property
    def mode(self) -> Mode | None:
        """The mode that was configured; None: the provider's first answer decides."""
        ...

    @property
    def profile(self) -> ProviderProfile:
        """How this provider behaves."""
        ...

    @property
    def members(self) -> MembersPort:
        """Balances and movements."""
        ...

    @property
    def redemptions(self) -> RedemptionsPort:
        """Paying with points."""
        ...
