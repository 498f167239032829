"""Reward lines: points that must pay a line and are bound to it, and what of its price they are. Pure.

Amounts in the smallest unit. Lines are gross lines, shipping among them, and everything is told line by line, in their
order. Bound points pay before any other tender does, because nothing else may pay their part of the price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from punktgenau.checkout.cart import GrossLine
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import Money, Rate, ceil_div, largest_remainder, require_points


@dataclass(frozen=True, slots=True)
class Bound:
    """Points that are bound to one line, and what they pay of it; both are 0, or neither."""

    points: int = 0
    minor: int = 0


FREE = Bound()


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardPrice:
    """What so many units of a reward article cost: points per unit and money, for a `Line`.

    `unit_price` is the whole price of a unit, the points' worth and the co-payment; `discount` is what the line of
    `quantity` units costs less than that, where a unit's points are not worth whole cents.
    """

    sku: str
    quantity: int
    reward_points: int
    unit_price: Money
    discount: Money
    copayment: Money


def reward_price(*, sku: str, quantity: int, reward_points: int, copayment_minor: int, rate: Rate) -> RewardPrice:
    """The price of a reward article at a rate, so that its points pay all of the line but the co-payment.

    Raises InvalidArgumentError for a number that cannot be meant.
    """
    require_points(quantity, field="quantity")
    require_points(reward_points, field="reward_points")
    points = require_points(reward_points * quantity, field="reward_points")
    copayment = Money(amount_minor=copayment_minor, currency=rate.currency)
    unit_minor = ceil_div(reward_points * rate.amount_minor, rate.points)
    line_minor = ceil_div(points * rate.amount_minor, rate.points)
    return RewardPrice(
        sku=sku,
        quantity=quantity,
        reward_points=reward_points,
        unit_price=Money(amount_minor=unit_minor + copayment_minor, currency=rate.currency),
        discount=Money(amount_minor=unit_minor * quantity - line_minor, currency=rate.currency),
        copayment=copayment,
    )


def reward_points(lines: Sequence[GrossLine]) -> int:
    """The points that all of these lines must be paid with."""
    return sum(line.bound_points for line in lines)


def at_rate(lines: Sequence[GrossLine], rate: Rate) -> tuple[Bound, ...]:
    """What the bound points pay at a rate: of all of them, in the order of the lines, each line what it adds."""
    ends = list(accumulate((line.bound_points for line in lines), initial=0))
    worth = [rate.worth_minor(end) for end in ends]
    return _within(lines, [line.bound_points for line in lines], worth)


def of_order(lines: Sequence[GrossLine], *, points: int, value_minor: int) -> tuple[Bound, ...]:
    """The same for an order that so many points pay: each line its own, by what this order's points are worth.

    As far as they go: of an order that was changed fewer may be left. None are bound where that cannot be told apart.
    """
    none = tuple(FREE for _ in lines)
    if points == 0 or not any(line.reward_points for line in lines):
        return none
    ends = [min(end, points) for end in accumulate((line.bound_points for line in lines), initial=0)]
    worth = [value_minor * end // points for end in ends]
    made = _within(lines, [end - since for since, end in pairwise(ends)], worth)
    free_points = points - sum(bound.points for bound in made)
    free_minor = value_minor - sum(bound.minor for bound in made)
    return made if (free_points == 0) == (free_minor == 0) else none


def left_minor(lines: Sequence[GrossLine], bound: Sequence[Bound], other_tenders_minor: int) -> list[int]:
    """What bound points and other tenders leave of each line; the others pay every line's rest in proportion.

    Never below 0: other tenders that pay more than that are told by the cart's own bound.
    """
    rests = [line.amount_minor - part.minor for line, part in zip(lines, bound, strict=True)]
    if other_tenders_minor == 0:
        return rests
    paid = largest_remainder(min(other_tenders_minor, sum(rests)), rests)
    return [rest - part for rest, part in zip(rests, paid, strict=True)]


def check_prices(lines: Sequence[GrossLine], rate: Rate) -> None:
    """Raises InvalidArgumentError (`reward_price`) where bound points are worth nothing, or more than their line."""
    for line in lines:
        if not line.reward_points:
            continue
        worth_minor = rate.worth_minor(line.bound_points)
        if rate.amount_minor * line.bound_points < rate.points or worth_minor > line.amount_minor:
            raise InvalidArgumentError(
                f"Line {line.id!r} costs {line.amount_minor}, and the {line.bound_points} points that must pay it are "
                f"worth {worth_minor} {rate.currency} (smallest unit).",
                code="reward_price",
                field="reward_points",
            )


def without(lines: Sequence[GrossLine], line_ids: frozenset[str]) -> tuple[GrossLine, ...]:
    """The lines, of which these are bound to no points."""
    return tuple(replace(line, reward_points=0) if line.id in line_ids else line for line in lines)


def _within(lines: Sequence[GrossLine], points: Sequence[int], worth: Sequence[int]) -> tuple[Bound, ...]:
    """Each line's part of the cumulative worth, never more than the line; what is too much goes to the next ones."""
    parts, over = [], 0
    for line, (since, end) in zip(lines, pairwise(worth), strict=True):
        wanted = end - since + (over if line.reward_points else 0)
        part = min(wanted, line.amount_minor)
        if line.reward_points:
            over = wanted - part
        parts.append(part)
    for number in range(len(parts) - 1, -1, -1):
        if over and lines[number].reward_points:
            more = min(over, lines[number].amount_minor - parts[number])
            parts[number], over = parts[number] + more, over - more
    return tuple(Bound(own, minor) if own and minor else FREE for own, minor in zip(points, parts, strict=True))
