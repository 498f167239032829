"""The worth of the points over the lines of an order, and back again when parts of it are returned.

Cents first, points follow: the worth is spread over the lines, and each line owns a range of its cents. What comes back
is always the difference of two cumulative states, so any order of lines, units and returns ends exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from punktgenau.checkout.cart import Cart
from punktgenau.checkout.rules import ShopRules, payable_minor
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import ceil_div, largest_remainder, require_points


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatedLine:
    """One line and who pays it, in the smallest unit: `other_minor` first, then points, then money.

    `value_minor` is what the points pay: the cents from `start_minor` on, of all that the points are worth.
    """

    id: str
    quantity: int
    vat_rate: str
    amount_minor: int
    other_minor: int
    value_minor: int
    start_minor: int

    @property
    def money_minor(self) -> int:
        """What money pays of this line."""
        return self.amount_minor - self.other_minor - self.value_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """`points` and their worth over the lines of one order; every sum is exact, no part is negative."""

    points: int
    value_minor: int
    currency: str
    lines: tuple[AllocatedLine, ...]

    def __post_init__(self) -> None:
        start = 0
        for line in self.lines:
            if line.start_minor != start or min(line.other_minor, line.value_minor, line.money_minor) < 0:
                raise AssertionError(f"line {line.id!r} does not fit into {self}")
            start += line.value_minor
        if start != self.value_minor or (self.points == 0) != (self.value_minor == 0):
            raise AssertionError(f"the parts do not add up in {self}")

    def line(self, line_id: str) -> AllocatedLine:
        """The line of that id. Raises InvalidArgumentError where the order has none."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise InvalidArgumentError(f"The order has no line {line_id!r}.", field="lines")


def allocate(*, cart: Cart, points: int, value_minor: int, rules: ShopRules) -> Allocation:
    """Spread what the points are worth over the lines that they may pay, in proportion to what other tenders left.

    `value_minor` is in the smallest unit of the cart's currency. Raises InvalidArgumentError where it is more than
    points may pay of this cart.
    """
    require_points(points, least=0)
    weights = payable_minor(cart, rules)
    if not 0 <= value_minor <= sum(weights) or (points == 0) != (value_minor == 0):
        raise InvalidArgumentError(
            f"{points} points worth {value_minor} cannot pay {sum(weights)} {cart.currency} (smallest unit).",
            field="points",
        )
    parts = largest_remainder(value_minor, weights)
    lines = []
    start = 0
    for line, left, part in zip(cart.gross_lines, cart.left_minor, parts, strict=True):
        lines.append(
            AllocatedLine(
                id=line.id,
                quantity=line.quantity,
                vat_rate=line.vat_rate,
                amount_minor=line.amount_minor,
                other_minor=line.amount_minor - left,
                value_minor=part,
                start_minor=start,
            )
        )
        start += part
    return Allocation(points=points, value_minor=value_minor, currency=cart.currency, lines=tuple(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What came back of an order so far, or by one return: goods = other tenders + points' value + money.

    `points` go back to the member. Where a point is worth more than a cent, `carry_minor` of the value is less than one
    point and still owed; by one return it may also shrink. All amounts are in the smallest unit.
    """

    goods_minor: int
    other_minor: int
    value_minor: int
    money_minor: int
    points: int
    carry_minor: int

    def since(self, before: Returned) -> Returned:
        """The difference that leads from `before` to this state: what one return gives back."""
        step = Returned(
            goods_minor=self.goods_minor - before.goods_minor,
            other_minor=self.other_minor - before.other_minor,
            value_minor=self.value_minor - before.value_minor,
            money_minor=self.money_minor - before.money_minor,
            points=self.points - before.points,
            carry_minor=self.carry_minor - before.carry_minor,
        )
        if min(step.goods_minor, step.other_minor, step.value_minor, step.money_minor, step.points) < 0:
            raise AssertionError(f"a return would take back: {step}")
        return step


def returned(allocation: Allocation, quantities: Mapping[str, int]) -> Returned:
    """The state after so many units of each line came back in all; a line that is left out came back not at all.

    Raises InvalidArgumentError for an unknown line or more units than were bought.
    """
    other = value = goods = points = 0
    for line_id, quantity in quantities.items():
        line = allocation.line(line_id)
        if type(quantity) is not int or not 0 <= quantity <= line.quantity:
            raise InvalidArgumentError(f"Line {line_id!r} has {line.quantity} units to return.", field="lines")
        line_goods, line_other, line_value = _line_returned(line, quantity)
        goods += line_goods
        other += line_other
        value += line_value
        points += _points_up_to(allocation, line.start_minor + line_value)
        points -= _points_up_to(allocation, line.start_minor)
    carry = 0
    if allocation.value_minor > allocation.points:
        # A point is worth more than a cent: whole points of the order's returned value, the rest is owed.
        points = allocation.points * value // allocation.value_minor
        carry = value - ceil_div(allocation.value_minor * points, allocation.points)
    state = Returned(
        goods_minor=goods,
        other_minor=other,
        value_minor=value,
        money_minor=goods - other - value,
        points=points,
        carry_minor=carry,
    )
    _check(allocation, state)
    return state


def _line_returned(line: AllocatedLine, quantity: int) -> tuple[int, int, int]:
    """Goods, other tenders and points' value after so many units; each is a whole part of what the one before leaves.

    Never shorten the chain: parts that are rounded beside each other, not inside each other, can exceed the goods.
    """
    if line.amount_minor == 0:
        return 0, 0, 0
    goods = line.amount_minor * quantity // line.quantity
    other = line.other_minor * goods // line.amount_minor
    left = line.amount_minor - line.other_minor
    value = line.value_minor * (goods - other) // left if left else 0
    return goods, other, value


def _points_up_to(allocation: Allocation, value_minor: int) -> int:
    """The points that the first cents of the worth stand for, where a point is worth at most a cent."""
    if allocation.value_minor == 0:
        return 0
    return ceil_div(allocation.points * value_minor, allocation.value_minor)


def _check(allocation: Allocation, state: Returned) -> None:
    least = min(state.other_minor, state.value_minor, state.money_minor, state.points, state.carry_minor)
    if least < 0 or state.points > allocation.points or state.value_minor > allocation.value_minor:
        raise AssertionError(f"{state} does not fit into {allocation}")
    if state.carry_minor * max(allocation.points, 1) >= max(allocation.value_minor, 1):
        raise AssertionError(f"{state} owes a whole point of {allocation}")
