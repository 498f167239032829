"""The shop's view of a return: what goes back to whom, and how far that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from punktgenau.checkout.settings import RefundPolicy
from punktgenau.money import Money

RefundState = Literal["done", "reversing", "declined", "needs_attention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What one return gives back: `goods` = `other` (gift cards) + `points_value` + `money`.

    `carry` is what is still owed of a point after it, where a point is worth more than the smallest unit.
    """

    points: int
    points_value: Money
    money: Money
    other: Money
    goods: Money
    carry: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One return of an order: points in `points`, amounts as Money; the money half is the shop's to pay.

    `state` tells about the points: "reversing" until the provider has confirmed, "declined" when it refused for good.
    `restored`, `already_expired` and `converted` are points as the provider gave them back; None: not said.
    """

    state: RefundState
    order_reference: str
    return_reference: str
    policy: RefundPolicy
    points: int
    points_value: Money
    money: Money
    other: Money
    goods: Money
    carry: Money
    restored: int | None
    already_expired: int | None
    converted: int | None
    expired_money: Money
    """What the shop pays in money for points that came back already expired, where its rule says so."""
    reason: str
    actor: str
    asked_at: datetime
    psp_reference: str | None
    money_refunded_at: datetime | None

    @property
    def money_due(self) -> Money:
        """What the shop still has to pay to the customer; nothing once `money_refunded` was called."""
        owed = self.money + self.expired_money
        return owed if self.money_refunded_at is None else owed - owed


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPreview:
    """What a return would give back under each policy, reckoned as if it had been the order's from the beginning.

    `policy` is the order's own. `already_expired`: how many of its points would come back expired; None: not known.
    """

    order_reference: str
    policy: RefundPolicy
    policies: Mapping[RefundPolicy, Split]
    already_expired: int | None = None
    earned_points: int = 0

    @property
    def split(self) -> Split:
        """What the return would really give back."""
        return self.policies[self.policy]
