"""The records of the tax report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Why = Literal["", "unnamed", "no_earning", "no_money"]
"""Why an origin is unknown: the provider names no order or no accrual of it, this journal has no such earning, or the
order that it was given for was not paid with money."""
WHY: tuple[Why, ...] = ("unnamed", "no_earning", "no_money")


@dataclass(frozen=True, slots=True)
class RateShare:
    """What of an order is taxed at one VAT rate: points that it earned, and the money that paid it."""

    vat_rate: str
    points: int
    basis_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The order that earned an accrual's points; `shares` by VAT rate, each once."""

    order_reference: str
    accrual_reference: str
    placed_at: datetime
    currency: str
    shares: tuple[RateShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRow:
    """Redeemed points that one order earned at one VAT rate, less those that were given back.

    `worth_minor`: what they paid, in the smallest unit of `currency`. `basis_minor`: what money paid of the order at
    that rate, in its own `basis_currency`. Of an unknown origin (`why` says why) there is no rate and no basis, and
    `order_reference` is what the provider names, if anything.
    """

    order_reference: str
    why: Why
    placed_at: datetime | None
    vat_rate: str | None
    points: int
    worth_minor: int
    currency: str
    basis_minor: int | None
    basis_currency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSum:
    """All rows of one VAT rate and currency together; rate None: all of unknown origin."""

    vat_rate: str | None
    currency: str
    rows: int
    points: int
    worth_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxTotal:
    """The provider's lines in one currency, as they were read; the rows add up to the same."""

    currency: str
    lines: int
    points: int
    amount_minor: int
