"""Cart + balance + rules -> how many points may be used, what they are worth, what stays due."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from punktgenau.money import Money, Rate

ReasonCode = Literal[
    "balance",  # the member has no more
    "cart",  # the cart is not larger
    "articles",  # some articles cannot be paid with points
    "minimum",  # below the programme's or the shop's minimum
    "maximum",  # above the programme's or the shop's maximum
    "share",  # only a share of the total may be paid with points
    "step",  # points come in steps
    "money_minimum",  # what would stay due is less than a card takes
    "worthless",  # so few points are worth nothing
    "fewest",  # fewer points are worth the same
    "currency",  # the programme pays in another currency
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the number differs from the one asked for; `points` is the bound that this rule sets."""

    code: ReasonCode
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A number of points near the one asked for that leaves a payable rest."""

    points: int
    value: Money
    due: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CartQuote:
    """Points for this cart now: asked, usable, their worth and what stays due; never a promise of balance.

    `points` is 0 when none can be used; `reasons` says why it differs from `asked`; `neighbours` are offered where the
    rest would be too small to pay. `most` is "use all", `least` the smallest usable number (0: nothing is usable).
    """

    asked: int
    points: int
    value: Money
    total: Money
    due: Money
    available: int
    least: int
    most: int
    step: int
    rate: Rate
    reasons: tuple[Reason, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
