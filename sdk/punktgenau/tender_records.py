"""The records of tenders: with what an order shall be paid, what became of that, and what goes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import model_validator

from punktgenau._record import Points, Record
from punktgenau.money import Money

TenderKind = Literal["points", "wallet_cash", "wallet_credit", "voucher"]


class Tender(Record):
    """One way in which a part is paid, with what became of it: of points in points, of a voucher in money.

    `residual` of a voucher: what the value leaves over stays on it ("keeps"), or is gone ("lost").
    """

    kind: TenderKind
    value: Money
    points: Points = 0
    held_points: Points = 0
    captured_points: Points = 0
    reversed_points: Points = 0
    released_points: Points = 0
    voucher_id: str | None = None
    last_four: str | None = None
    residual: Literal["keeps", "lost"] | None = None
    held_value: Money | None = None
    captured_value: Money | None = None
    reversed_value: Money | None = None
    released_value: Money | None = None

    @model_validator(mode="after")
    def _a_voucher_says_its_values(self) -> Tender:
        values = (self.held_value, self.captured_value, self.reversed_value, self.released_value)
        if self.kind == "voucher" and (self.voucher_id is None or None in values):
            raise ValueError("a voucher without its id, or without what became of its value")
        return self


class VoucherReversal(Record):
    """What went back onto a voucher; `already_expired_value` of it is gone because the voucher's time is over."""

    voucher_id: str
    value: Money
    already_expired_value: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TenderRequest:
    """One way in which a part shall be paid; `value` left out: the provider prices.

    A voucher (`kind="voucher"`) is named by `voucher_id` or by its `code`, which is a secret, and has no points.
    """

    kind: TenderKind = "points"
    points: int = 0
    value: Money | None = None
    voucher_id: str | None = None
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherReturn:
    """So much of a captured voucher shall go back onto it."""

    voucher_id: str
    value: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionLine:
    """One line of the order as the provider sees it: gross amount in the order's currency, VAT rate in percent."""

    id: str
    sku: str
    quantity: int
    amount_minor: int
    vat_rate: str


def is_that_voucher(tender: Tender, asked: TenderRequest) -> bool:
    """Whether what became of a voucher is about the one that was asked for, and about as much of it."""
    is_it = asked.voucher_id is None or tender.voucher_id == asked.voucher_id
    return is_it and (asked.value is None or tender.value == asked.value)
