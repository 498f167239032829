"""The part of the port that is about vouchers and payouts: what a provider that has them offers besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from punktgenau.payout_records import Payout
    from punktgenau.voucher_records import Voucher, VoucherProduct


class VouchersPort(Protocol):
    """What the engine asks of a provider that has vouchers; a code is a secret, and travels in bodies only."""

    def products(self, *, deadline_s: float | None = None) -> tuple[VoucherProduct, ...]:
        """What can be bought with points, the smallest value first."""
        ...

    def buy(
        self,
        *,
        member_id: str,
        voucher_product_id: str,
        voucher_reference: str,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Voucher:
        """Turn points into a voucher, once per voucher reference; the answer has its code."""
        ...

    def look_up(self, *, code: str, deadline_s: float | None = None) -> Voucher:
        """What a code is worth; from then on the voucher can be used by its id."""
        ...

    def get(self, voucher_id: str, *, deadline_s: float | None = None) -> Voucher:
        """One voucher as it is now, by its id; VoucherError where it may not be named by it."""
        ...

    def list(self, *, member_id: str, deadline_s: float | None = None) -> tuple[Voucher, ...]:
        """A member's vouchers, newest first."""
        ...

    def find(
        self,
        *,
        voucher_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Voucher, ...]:
        """What this partner bought by a reference or a key."""
        ...


@runtime_checkable
class VouchersProvider(Protocol):
    """A provider that has vouchers; its profile says `vouchers`."""

    @property
    def vouchers(self) -> VouchersPort:
        """Points as vouchers, and vouchers that a customer brings along."""
        ...


class PayoutsPort(Protocol):
    """What the engine asks of a provider that turns points into money."""

    def request(
        self,
        *,
        member_id: str,
        points: int,
        payout_reference: str,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> Payout:
        """Turn points into money, once per payout reference."""
        ...

    def get(self, payout_id: str, *, deadline_s: float | None = None) -> Payout:
        """One payout as it is now."""
        ...

    def find(
        self,
        *,
        member_id: str | None = None,
        payout_reference: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: float | None = None,
    ) -> tuple[Payout, ...]:
        """Payouts of a member, a reference or a key, newest first."""
        ...


@runtime_checkable
class PayoutsProvider(Protocol):
    """A provider that turns points into money; its profile says `payouts`."""

    @property
    def payouts(self) -> PayoutsPort:
        """Money instead of points."""
        ...
