"""What came back of an order so far, as a cumulative state; one return is the difference of two such states.

So any order of lines, units and returns ends exact, and nothing is negative on the way. Pure: the journal says what was
asked for, in the order in which it was committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from punktgenau.checkout.allocation import AllocatedLine, Allocation
from punktgenau.checkout.cart import SHIPPING_ID
from punktgenau.checkout.settings import RefundPolicy
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import ceil_div, largest_remainder

BackBy = RefundPolicy | None
"""None: the provider gives a redemption back as a whole or not at all, so money comes first, points at the very end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One return as it is asked for: units by line, and of the shipping an amount; or an amount of the whole order.

    Amounts in the smallest unit. Raises InvalidArgumentError for an amount beside lines, numbers that cannot be meant,
    or nothing at all.
    """

    lines: Mapping[str, int] = field(default_factory=dict)
    shipping_minor: int = 0
    amount_minor: int | None = None

    def __post_init__(self) -> None:
        for line_id, quantity in self.lines.items():
            if type(quantity) is not int or quantity < 0:
                raise InvalidArgumentError(
                    f"The quantity of line {line_id!r} must be a whole number from 0.", field="lines"
                )
        if type(self.shipping_minor) is not int or self.shipping_minor < 0:
            raise InvalidArgumentError("shipping_minor must be a whole number from 0.", field="shipping_minor")
        if self.amount_minor is None:
            if not self.shipping_minor and not any(self.lines.values()):
                raise InvalidArgumentError("Nothing is to be returned: name lines or an amount.", field="lines")
            return
        if type(self.amount_minor) is not int or self.amount_minor < 1:
            raise InvalidArgumentError("amount_minor must be a whole number from 1.", field="amount_minor")
        if self.lines or self.shipping_minor:
            raise InvalidArgumentError(
                "Return lines and shipping, or an amount; not both at once.", field="amount_minor"
            )


@dataclass(frozen=True, slots=True)
class Came:
    """What came back of one line: whole units, and cents beyond them (part of the shipping, or goodwill)."""

    quantity: int = 0
    extra_minor: int = 0


History = Mapping[str, Came]
"""By line; a line that is left out came back not at all."""


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


def with_return(allocation: Allocation, history: History, wanted: Wanted) -> History:
    """The history with one more return.

    Raises InvalidArgumentError for an unknown line, more units than are left, or more cents than are left.
    """
    came = dict(history)
    if wanted.amount_minor is not None:
        left = [line.amount_minor - _goods_minor(line, came.get(line.id)) for line in allocation.lines]
        if wanted.amount_minor > sum(left):
            raise InvalidArgumentError(
                f"{sum(left)} {allocation.currency} of this order can still come back, {wanted.amount_minor} were "
                "asked for (smallest unit).",
                field="amount_minor",
            )
        for line, part in zip(allocation.lines, largest_remainder(wanted.amount_minor, left), strict=True):
            came[line.id] = _more(came.get(line.id), extra_minor=part)
        return came
    for line_id, quantity in wanted.lines.items():
        line = allocation.line(line_id)
        came[line_id] = _more(came.get(line_id), quantity=quantity)
        if came[line_id].quantity > line.quantity:
            kept = line.quantity - came[line_id].quantity + quantity
            raise InvalidArgumentError(
                f"Line {line_id!r} has {kept} units to return, {quantity} were asked for.", field="lines"
            )
    if wanted.shipping_minor:
        line = allocation.line(SHIPPING_ID)
        left_minor = line.amount_minor - _goods_minor(line, came.get(SHIPPING_ID))
        if wanted.shipping_minor > left_minor:
            raise InvalidArgumentError(
                f"{left_minor} of the shipping can still come back, {wanted.shipping_minor} were asked for "
                "(smallest unit).",
                field="shipping_minor",
            )
        came[SHIPPING_ID] = _more(came.get(SHIPPING_ID), extra_minor=wanted.shipping_minor)
    return came


def returned(allocation: Allocation, history: History, *, policy: BackBy = "proportional") -> Returned:
    """The state that a history makes: what came back in all, and to whom.

    `proportional` goes line by line; the others give back the order's own cents, points' or money's first.
    """
    goods = other = own_value = own_points = 0
    for line in allocation.lines:
        line_goods = _goods_minor(line, history.get(line.id))
        line_other, line_value = _parts(line, line_goods)
        goods += line_goods
        other += line_other
        own_value += line_value
        own_points += _points_up_to(allocation, line.start_minor + line_value)
        own_points -= _points_up_to(allocation, line.start_minor)
    match policy:
        case "proportional":
            value, points = own_value, own_points
        case "points_first":
            value = min(allocation.value_minor, goods - other)
            points = _points_up_to(allocation, value)
        case "money_first" | None:
            value = max(0, goods - other - sum(line.money_minor for line in allocation.lines))
            points = _points_up_to(allocation, value)
    carry = 0
    if policy is None:
        points = allocation.points if value == allocation.value_minor else 0
        carry = 0 if points else value
    elif allocation.value_minor > allocation.points:
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
    _check(allocation, state, policy)
    return state


def _more(came: Came | None, *, quantity: int = 0, extra_minor: int = 0) -> Came:
    came = came or Came()
    return replace(came, quantity=came.quantity + quantity, extra_minor=came.extra_minor + extra_minor)


def _goods_minor(line: AllocatedLine, came: Came | None) -> int:
    """Units at their part of the line, and what came besides; goodwill counts against the units that come last."""
    if came is None:
        return 0
    return min(line.amount_minor, line.amount_minor * came.quantity // line.quantity + came.extra_minor)


def _parts(line: AllocatedLine, goods_minor: int) -> tuple[int, int]:
    """Other tenders and points' value of so many cents of a line; each is a whole part of what the one before leaves.

    Never shorten the chain: parts that are rounded beside each other, not inside each other, can exceed the goods.
    """
    if line.amount_minor == 0:
        return 0, 0
    other = line.other_minor * goods_minor // line.amount_minor
    left = line.amount_minor - line.other_minor
    return other, line.value_minor * (goods_minor - other) // left if left else 0


def _points_up_to(allocation: Allocation, value_minor: int) -> int:
    """The points that the first cents of the worth stand for, where a point is worth at most a cent."""
    if allocation.value_minor == 0:
        return 0
    return ceil_div(allocation.points * value_minor, allocation.value_minor)


def _check(allocation: Allocation, state: Returned, policy: BackBy) -> None:
    least = min(state.other_minor, state.value_minor, state.money_minor, state.points, state.carry_minor)
    if least < 0 or state.points > allocation.points or state.value_minor > allocation.value_minor:
        raise AssertionError(f"{state} does not fit into {allocation}")
    if policy is not None and state.carry_minor * max(allocation.points, 1) >= max(allocation.value_minor, 1):
        raise AssertionError(f"{state} owes a whole point of {allocation}")
    if state.goods_minor == sum(line.amount_minor for line in allocation.lines) and state.points != allocation.points:
        raise AssertionError(f"all came back and not all the points: {state} of {allocation}")
