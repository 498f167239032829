"""What the provider answers: always every key, absent is null."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

Mode = Literal["sandbox", "live"]
State = Literal[
    "authorized", "partially_captured", "captured", "partially_reversed", "reversed", "voided", "expired", "cancelled"
]
Stamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", examples=["2026-11-22T10:00:00Z"])]


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Money(_Reply):
    """An amount of money in the currency's smallest unit."""

    amount_minor: int
    currency: str


class Rate(_Reply):
    """`points` points are worth `amount_minor`."""

    id: str
    points: int
    amount_minor: int
    currency: str
    rounding: Literal["down"]


class Limits(_Reply):
    """What the programme allows per order; null: no such limit."""

    min_points: int
    max_points: int | None
    step: int
    max_share_percent: int | None
    max_value: Money | None


class Tender(_Reply):
    """What became of one tender."""

    kind: Literal["points"]
    points: int
    value: Money
    held_points: int
    captured_points: int
    reversed_points: int
    released_points: int


class VoucherTender(_Reply):
    """What became of a voucher in a redemption. `residual`: what the value leaves stays on it, or is lost."""

    kind: Literal["voucher"]
    voucher_id: str
    last_four: str
    residual: Literal["keeps", "lost"]
    value: Money
    held_value: Money
    captured_value: Money
    reversed_value: Money
    released_value: Money


class Redemption(_Reply):
    """A redemption as it is now. Points and values at the top are those of the points alone."""

    id: str
    state: State
    member_id: str
    former_member_ids: list[str]
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
    tenders: list[Tender | VoucherTender]
    sequence: int
    created_at: Stamp
    updated_at: Stamp
    expires_at: Stamp | None
    expires_in_s: int | None
    now: Stamp
    mode: Mode


class VoucherReversal(_Reply):
    """What went back onto a voucher; `already_expired_value` of it is gone because the voucher's time is over."""

    voucher_id: str
    value: Money
    already_expired_value: Money


class Reversal(_Reply):
    """What was given back; of the points: `restored` + `already_expired` + `converted` = `points`."""

    id: str
    redemption_id: str
    return_reference: str
    idempotency_key: str
    points: int
    value: Money
    restored: int
    already_expired: int
    converted: int
    vouchers: list[VoucherReversal]
    created_at: Stamp
    redemption: Redemption
    now: Stamp
    mode: Mode


class ReversalQuote(_Reply):
    """What would become of points given back now: `restoring` + `already_expired` + `converted` = `points`."""

    redemption_id: str
    points: int
    restoring: int
    already_expired: int
    converted: int
    now: Stamp
    mode: Mode


class RedemptionPage(_Reply):
    """Redemptions, newest first."""

    items: list[Redemption]
    next_cursor: str | None
    now: Stamp
    mode: Mode


class Quote(_Reply):
    """What points would pay now. A promise of nothing."""

    member_id: str
    asked_points: int | None
    points: int
    value: Money
    due: Money
    available: int
    rate: Rate
    limits: Limits
    reasons: list[str]
    now: Stamp
    mode: Mode


class Member(_Reply):
    """Who a member is to this partner."""

    member_id: str
    former_member_ids: list[str]
    state: Literal["active", "blocked"]
    consent_id: str
    now: Stamp
    mode: Mode


class Expiring(_Reply):
    """Available points that expire together."""

    points: int
    expires_at: Stamp


class Wallet(_Reply):
    """A wallet of the member."""

    kind: str
    available: Money


class Balance(_Reply):
    """What a member can spend, has reserved, and will get."""

    member_id: str
    former_member_ids: list[str]
    available: int
    held: int
    pending: int
    expiring: list[Expiring]
    wallets: list[Wallet]
    rate: Rate
    limits: Limits
    now: Stamp
    mode: Mode


class Entry(_Reply):
    """One line of a member's account: what changed, and what could be spent afterwards; below zero: owed."""

    id: str
    sequence: int
    kind: Literal[
        "opening", "adjustment", "hold", "capture", "release", "reversal", "expiry",
        "accrual", "accrual_posted", "claw_back", "owed_settled", "voucher", "payout", "payout_returned",
    ]  # fmt: skip
    points: int
    pending_points: int
    balance: int
    at: Stamp
    partner_id: str | None
    order_reference: str | None
    redemption_id: str | None
    accrual_id: str | None
    reason: str


class EntryPage(_Reply):
    """A member's entries, newest first."""

    items: list[Entry]
    next_cursor: str | None
    now: Stamp
    mode: Mode


class PartnerToken(_Reply):
    """Access for the partner."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    mode: Mode


class MemberToken(_Reply):
    """Which member gave which consent."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str
    member_id: str
    consent_id: str
    mode: Mode


class Token(RootModel[MemberToken | PartnerToken]):
    """What the token endpoint gives: to the partner, or for a member's code."""


class Remaining(_Reply):
    """How much would still be possible."""

    points: int
    value: Money


class Problem(_Reply):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    outcome: Literal["not_done", "done", "unknown"]
    retryable: bool
    field: str | None
    remaining: Remaining | None
    redemption_id: str | None
    now: Stamp
    mode: Mode


class TokenProblem(Problem):
    """A refusal of the token endpoint, with the word that RFC 6749 has for it."""

    error: str
