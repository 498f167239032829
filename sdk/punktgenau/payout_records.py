"""The records of payouts: points that become money on a member's bank account."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from punktgenau.money import Money, Rate
from punktgenau.records import Mode, Page, Points, Record

PayoutState = Literal["requested", "paid", "rejected"]


class Payout(Record):
    """A payout as the provider has it now; rejected, its points are back and `reason` says why.

    The account is the provider's knowledge; `account_hint` is enough for its owner to know it again. `replayed` and
    `sends` as on a redemption.
    """

    id: str
    state: PayoutState
    member_id: str
    former_member_ids: tuple[str, ...]
    partner_id: str
    payout_reference: str
    idempotency_key: str
    points: Points
    value: Money
    rate: Rate
    account_hint: Annotated[str, Field(max_length=64)]
    reason: str | None
    sequence: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    now: AwareDatetime
    mode: Mode
    replayed: bool = False
    sends: int = 1


class PayoutPage(Page):
    """Payouts, newest first."""

    items: tuple[Payout, ...]
    now: AwareDatetime
    mode: Mode
