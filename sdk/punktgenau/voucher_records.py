"""The records of vouchers: what can be bought with points, and what somebody has."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from punktgenau.money import Money
from punktgenau.records import Mode, Page, Points, Record

VoucherState = Literal["active", "used", "expired", "void"]
Residual = Literal["keeps", "lost"]


class VoucherProduct(Record):
    """What can be bought for `price_points`; `partners` are where it can be used, none: everywhere.

    `residual`: what a use leaves over stays on the voucher ("keeps"), or is gone ("lost").
    """

    id: str
    value: Money
    price_points: Points
    valid_days: Annotated[int, Field(ge=1)]
    partners: tuple[str, ...]
    residual: Residual


class VoucherProducts(Page):
    """Every product, the smallest value first."""

    items: tuple[VoucherProduct, ...]
    now: AwareDatetime
    mode: Mode


class Voucher(Record):
    """A voucher as the provider has it now: `left` can be used, `held` waits for orders.

    `code` is told to whoever buys it and is a secret: it is no part of `repr`. Who has bought it, by which reference
    and key, is told to the shop at which that was. `replayed` and `sends` as on a redemption.
    """

    id: str
    state: VoucherState
    voucher_product_id: str | None
    value: Money
    left: Money
    held: Money
    residual: Residual
    partners: tuple[str, ...]
    last_four: str
    code: str | None = Field(repr=False)
    points: Points
    member_id: str | None
    former_member_ids: tuple[str, ...]
    voucher_reference: str | None
    idempotency_key: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    expires_at: AwareDatetime
    now: AwareDatetime
    mode: Mode
    replayed: bool = False
    sends: int = 1

    def is_valid_at(self, partner_id: str) -> bool:
        """Whether this shop may take it."""
        return not self.partners or partner_id in self.partners


class VoucherPage(Page):
    """Vouchers, newest first."""

    items: tuple[Voucher, ...]
    now: AwareDatetime
    mode: Mode
