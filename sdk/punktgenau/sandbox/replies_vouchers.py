"""What is answered about vouchers and payouts: always every key, absent is null."""

from __future__ import annotations

from typing import Literal

from .replies import Mode, Money, Rate, Stamp, _Reply

VoucherState = Literal["active", "used", "expired", "void"]
PayoutState = Literal["requested", "paid", "rejected"]


class VoucherProduct(_Reply):
    """What can be bought. `partners`: where it can be used; empty: everywhere."""

    id: str
    value: Money
    price_points: int
    valid_days: int
    partners: list[str]
    residual: Literal["keeps", "lost"]


class VoucherProductPage(_Reply):
    """All products, the smallest value first."""

    items: list[VoucherProduct]
    next_cursor: str | None
    now: Stamp
    mode: Mode


class Voucher(_Reply):
    """A voucher as it is now. `code` is told to whoever buys it and to nobody else.

    `left` can be used, `held` waits for orders. Member, reference and key are told to the partner it was bought at.
    """

    id: str
    state: VoucherState
    voucher_product_id: str | None
    value: Money
    left: Money
    held: Money
    residual: Literal["keeps", "lost"]
    partners: list[str]
    last_four: str
    code: str | None
    points: int
    member_id: str | None
    former_member_ids: list[str]
    voucher_reference: str | None
    idempotency_key: str
    created_at: Stamp
    updated_at: Stamp
    expires_at: Stamp
    now: Stamp
    mode: Mode


class VoucherPage(_Reply):
    """Vouchers, newest first."""

    items: list[Voucher]
    next_cursor: str | None
    now: Stamp
    mode: Mode


class Payout(_Reply):
    """Points that become money on a member's bank account, which the provider knows and nobody else."""

    id: str
    state: PayoutState
    member_id: str
    former_member_ids: list[str]
    partner_id: str
    payout_reference: str
    idempotency_key: str
    points: int
    value: Money
    rate: Rate
    account_hint: str
    reason: str | None
    sequence: int
    created_at: Stamp
    updated_at: Stamp
    now: Stamp
    mode: Mode


class PayoutPage(_Reply):
    """Payouts, newest first."""

    items: list[Payout]
    next_cursor: str | None
    now: Stamp
    mode: Mode


class PayoutEventData(_Reply):
    """Which payout reached which state."""

    payout_id: str
    payout_reference: str
    idempotency_key: str
    state: PayoutState
    payout_sequence: int
