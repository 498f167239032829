"""The port between engine and provider: what a provider must be able to do. The records that cross it: `records`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from punktgenau.money import Money
from punktgenau.profiles import PROFILES, LookupBy, ProviderProfile
from punktgenau.provider_statements import IssuedPort, StatementsPort, StatementsProvider
from punktgenau.records import (
    ENDED_STATES,
    Balance,
    Entries,
    Entry,
    EntryGroup,
    ExpiringPoints,
    Identification,
    Limits,
    Member,
    Mode,
    Quote,
    Record,
    Redemption,
    RedemptionLine,
    RedemptionState,
    Reversal,
    ReversalQuote,
    Tender,
    TenderKind,
    TenderRequest,
    VoucherReturn,
    VoucherReversal,
)

if TYPE_CHECKING:
    # Whoever gives no points does not pay for their records.
    from punktgenau.accrual_records import Accrual, AccrualReversal

__all__ = [
    "ENDED_STATES",
    "PROFILES",
    "AccrualsPort",
    "AccrualsProvider",
    "Balance",
    "Entries",
    "Entry",
    "EntryGroup",
    "ExpiringPoints",
    "Identification",
    "IssuedPort",
    "Limits",
    "LookupBy",
    "Member",
    "MembersPort",
    "Mode",
    "Provider",
    "ProviderProfile",
    "Quote",
    "Record",
    "Redemption",
    "RedemptionLine",
    "RedemptionState",
    "RedemptionsPort",
    "Reversal",
    "ReversalQuote",
    "ReversalQuotesPort",
    "StatementsPort",
    "StatementsProvider",
    "Tender",
    "TenderKind",
    "TenderRequest",
    "VoucherReturn",
    "VoucherReversal",
]


class MembersPort(Protocol):
    """What the engine asks about members."""

    def balance(self, *, member_id: str, deadline_s: float | None = None) -> Balance:
        """Points of a member, with rate and limits."""
        ...

    def entries(
        self,
        *,
        member_id: str,
        cursor: str | None = None,
        kinds: Sequence[EntryGroup] | None = None,
        since: date | None = None,
        until: date | None = None,
        limit: int | None = None,
        deadline_s: float | None = None,
    ) -> Entries:
        """Movements of a member, newest first; filtered by groups and by days in UTC, both included."""
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
        vouchers: Sequence[VoucherReturn] | None = None,
        return_reference: str,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Reversal:
        """Give captured points back, captured vouchers (`vouchers`; points may be 0 then), or both."""
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


@runtime_checkable
class ReversalQuotesPort(Protocol):
    """What a provider whose profile quotes reversals offers besides, on `redemptions`."""

    def quote_reversal(self, redemption_id: str, *, points: int, deadline_s: float | None = None) -> ReversalQuote:
        """What would become of captured points that are given back now."""
        ...


class AccrualsPort(Protocol):
    """What the engine asks of a provider at which a partner can give points."""

    def create(
        self,
        *,
        member_id: str,
        points: int,
        order_reference: str,
        accrual_reference: str,
        reason: str,
        pending_s: int | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Accrual:
        """Give points to a member, once per accrual reference; with `pending_s` they cannot be spent at first."""
        ...

    def post(self, accrual_id: str, *, idempotency_key: str | None = None, deadline_s: float | None = None) -> Accrual:
        """Let pending points be spent, which is possible from `pending_until` on."""
        ...

    def reverse(
        self,
        accrual_id: str,
        *,
        points: int,
        return_reference: str,
        reason: str,
        below_zero: bool = False,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> AccrualReversal:
        """Take points back, once per return reference: what is pending or available, and below zero if that is said."""
        ...

    def get(self, accrual_id: str, *, deadline_s: float | None = None) -> Accrual:
        """One accrual as it is now."""
        ...

    def find(
        self,
        *,
        order_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Accrual, ...]:
        """Accruals of an order or of a key, newest first."""
        ...


@runtime_checkable
class AccrualsProvider(Protocol):
    """A provider at which a partner can give points; its profile says `accrues`."""

    @property
    def accruals(self) -> AccrualsPort:
        """Points that the partner gives."""
        ...
