"""Which of a cart's reward lines its points can pay: the first in the cart come first, the others stay with a reason.

Pure; what no points are bound to is no matter of this file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from punktgenau.checkout.cart import Cart, GrossLine
from punktgenau.checkout.counting import Counting
from punktgenau.checkout.rewards import at_rate, check_prices, without
from punktgenau.checkout.rules import ReasonCode, ShopRules, usable_limits
from punktgenau.money import Rate
from punktgenau.provider import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardQuote:
    """One line that points must pay: how many, and why they cannot; `reason` None: they can."""

    line_id: str
    sku: str
    points: int
    name: str
    """As the shop calls it for customers, or its sku."""
    reason: ReasonCode | None = None


def affordable(
    *, cart: Cart, available: int, rate: Rate, limits: Limits, rules: ShopRules
) -> tuple[Counting, tuple[RewardQuote, ...]]:
    """What points may do in this cart, with the lines that they must and can pay; and all that they must.

    Raises InvalidArgumentError (`reward_price`) for a line that costs less than its points are worth.
    """
    lines = cart.gross_lines
    rewards = [line for line in lines if line.reward_points]

    def counted(chosen: Sequence[GrossLine]) -> Counting:
        others = frozenset(line.id for line in rewards) - {line.id for line in chosen}
        bound = at_rate(without(lines, others), rate) if chosen else ()
        usable = usable_limits(cart=cart, available=available, rate=rate, limits=limits, rules=rules, bound=bound)
        return Counting(payable=cart.payable, rate=rate, usable=usable, money_minimum_minor=rules.money_minimum_minor)

    if not rewards:
        return counted(()), ()
    reasons: dict[str, ReasonCode] = {}
    if rate.currency != cart.currency:
        reasons = {line.id: "currency" for line in rewards}
    else:
        check_prices(rewards, rate)
        if not rules.rewards_beyond_limits:
            reasons = {line.id: "articles" for line in rewards if not line.points_allowed}
    chosen = [line for line in rewards if line.id not in reasons]
    counting = counted(chosen)
    if chosen and _barrier(counting) is not None:
        counting, chosen = _first_come(chosen, reasons, counted)
    told = [replace(one, reason=reasons.get(one.line_id)) for one in rewards_of(cart)]
    return counting, tuple(told)


def rewards_of(cart: Cart) -> tuple[RewardQuote, ...]:
    """The lines of a cart that points must pay, whether or not they can."""
    return tuple(
        RewardQuote(line_id=line.id, sku=line.sku, points=line.bound_points, name=line.name or line.sku)
        for line in cart.gross_lines
        if line.reward_points
    )


def _first_come(
    rewards: Sequence[GrossLine], reasons: dict[str, ReasonCode], counted: Callable[[Sequence[GrossLine]], Counting]
) -> tuple[Counting, list[GrossLine]]:
    chosen: list[GrossLine] = []
    counting = counted(())
    for line in rewards:
        more = counted([*chosen, line])
        reason = _barrier(more)
        if reason is None:
            chosen, counting = [*chosen, line], more
        else:
            reasons[line.id] = reason
    return counting, chosen


def _barrier(counting: Counting) -> ReasonCode | None:
    """Why these points cannot be used; None: they can."""
    usable, tightest = counting.usable, counting.usable.tightest
    if usable.mandatory > tightest.points:
        return tightest.code
    if usable.first > tightest.points:
        return "minimum" if usable.min_points > max(usable.mandatory, tightest.points) else "step"
    return None if counting.least() else "money_minimum"
