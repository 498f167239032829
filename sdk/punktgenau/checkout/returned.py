"""What came back of an order so far, as a cumulative state; one return is the difference of two such states.

So any order of lines, units and returns ends exact, and nothing is negative on the way. Pure: the journal says what was
asked for, in the order in which it was committed, which matters as soon as an amount is among it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        if not isinstance(self.lines, Mapping):
            raise InvalidArgumentError("lines must map line ids to quantities.", field="lines")
        for line_id, quantity in self.lines.items():
            _whole(quantity, f"The quantity of line {line_id!r}", field="lines")
        _whole(self.shipping_minor, "shipping_minor", field="shipping_minor")
        some = bool(self.shipping_minor) or any(self.lines.values())
        if self.amount_minor is not None:
            _whole(self.amount_minor, "amount_minor", field="amount_minor", least=1)
            if some:
                raise InvalidArgumentError("Return lines and shipping, or an amount; not both.", field="amount_minor")
        elif not some:
            raise InvalidArgumentError("Nothing is to be returned: name lines or an amount.", field="lines")


def _whole(number: int, name: str, *, field: str, least: int = 0) -> None:
    if type(number) is not int or number < least:
        raise InvalidArgumentError(f"{name} must be a whole number from {least}.", field=field)


@dataclass(frozen=True, slots=True)
class Came:
    """What came back of one line: units in all, and where they count from.

    An amount lowers what the other units of its line are worth, so these count anew: `since_minor` had come back, the
    amount included, with the first `since_quantity` units.
    """

    quantity: int = 0
    since_quantity: int = 0
    since_minor: int = 0


History = Mapping[str, Came]
"""By line; a line that is left out came back not at all. Made by `with_return`, from `{}` on."""
_NOT_AT_ALL = Came()


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What came back of an order so far, or by one return: goods = other tenders + points' value + money.

    `points` go back to the member. `carry_minor` of the value is still owed: less than one point where a point is worth
    more than a cent, all of it where points only go back as a whole, else nothing; by one return it may also shrink.
    All amounts are in the smallest unit.
    """

    goods_minor: int
    other_minor: int
    value_minor: int
    money_minor: int
    points: int
    carry_minor: int

    @property
    def worth_minor(self) -> int:
        """What `points` are worth: the provider is told this with them. 0 if and only if no points go back."""
        return self.value_minor - self.carry_minor

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
        parts = (step.goods_minor, step.other_minor, step.value_minor, step.money_minor, step.points, step.worth_minor)
        if min(parts) < 0 or (step.points == 0) != (step.worth_minor == 0):
            raise AssertionError(f"a return would take back: {step}")
        return step


def with_return(allocation: Allocation, history: History, wanted: Wanted) -> History:
    """The history with one more return. An amount is spread over the lines, in proportion to what is left of each.

    Raises InvalidArgumentError for an unknown line, more units than are left, or more cents than are left.
    """
    came = dict(history)
    for line_id, quantity in wanted.lines.items():
        line, before = allocation.line(line_id), came.get(line_id, _NOT_AT_ALL)
        if quantity > (kept := line.quantity - before.quantity):
            raise InvalidArgumentError(
                f"Line {line_id!r} has {kept} units to return, {quantity} were asked for.", field="lines"
            )
        came[line_id] = replace(before, quantity=before.quantity + quantity)
    if wanted.shipping_minor:
        shipping = [line for line in allocation.lines if line.id == SHIPPING_ID]
        _add_amount(came, shipping, wanted.shipping_minor, field="shipping_minor")
    if wanted.amount_minor:
        _add_amount(came, allocation.lines, wanted.amount_minor, field="amount_minor")
    return came


def _add_amount(came: dict[str, Came], lines: Sequence[AllocatedLine], amount_minor: int, *, field: str) -> None:
    goods = [_goods_minor(line, came.get(line.id, _NOT_AT_ALL)) for line in lines]
    left = [line.amount_minor - back for line, back in zip(lines, goods, strict=True)]
    if amount_minor > sum(left):
        raise InvalidArgumentError(
            f"{sum(left)} can still come back, {amount_minor} were asked for (smallest unit).", field=field
        )
    for line, back, part in zip(lines, goods, largest_remainder(amount_minor, left), strict=True):
        if part:
            units = came.get(line.id, _NOT_AT_ALL).quantity
            came[line.id] = Came(quantity=units, since_quantity=units, since_minor=back + part)


def returned(allocation: Allocation, history: History, *, policy: BackBy = "proportional") -> Returned:
    """The state that a history makes: what came back in all, and to whom.

    `proportional` goes line by line; the others give back the order's own cents, the points' or the money's first.
    """
    goods = other = 0
    # Which of the cents that the points are worth come back: the first so many from each start on.
    ranges: list[tuple[int, int]] = []
    for line in allocation.lines:
        line_goods = _goods_minor(line, history.get(line.id, _NOT_AT_ALL))
        line_other, line_value = _parts(line, line_goods)
        goods += line_goods
        other += line_other
        ranges.append((line.start_minor, line_value))
    if policy == "points_first":
        ranges = [(0, min(goods - other, allocation.value_minor))]
    elif policy != "proportional":
        ranges = [(0, max(0, goods - other - sum(line.money_minor for line in allocation.lines)))]
    value = sum(length for _, length in ranges)
    points, worth = _points_back(allocation, value, ranges, whole=policy is None)
    state = Returned(
        goods_minor=goods,
        other_minor=other,
        value_minor=value,
        money_minor=goods - other - value,
        points=points,
        carry_minor=value - worth,
    )
    _check(allocation, state, policy)
    return state


def _goods_minor(line: AllocatedLine, came: Came) -> int:
    """The cents of a line that came back: what had come back at the last amount, and since then the units' part."""
    units = came.quantity - came.since_quantity
    if units == 0:
        return came.since_minor
    return came.since_minor + (line.amount_minor - came.since_minor) * units // (line.quantity - came.since_quantity)


def _parts(line: AllocatedLine, goods_minor: int) -> tuple[int, int]:
    """Other tenders and points' value of so many cents of a line; each is a whole part of what the one before leaves.

    Never shorten the chain: parts that are rounded beside each other, not inside each other, can exceed the goods.
    """
    if line.amount_minor == 0:
        return 0, 0
    other = line.other_minor * goods_minor // line.amount_minor
    left = line.amount_minor - line.other_minor
    return other, line.value_minor * (goods_minor - other) // left if left else 0


def _points_back(made: Allocation, value: int, ranges: list[tuple[int, int]], *, whole: bool) -> tuple[int, int]:
    """The points that go back for these cents, and what they are worth."""
    points, worth = made.points, made.value_minor
    if value == worth:
        return points, worth
    if whole:
        return 0, 0
    if worth > points:
        # A point is worth more than a cent: whole points of the order's cents, the rest is owed.
        back = points * value // worth
        return back, ceil_div(worth * back, points)
    # Each cent owns its points, as the order's cents own them: nothing is lost between two ranges.
    back = sum(ceil_div(points * (start + length), worth) - ceil_div(points * start, worth) for start, length in ranges)
    return back, value


def _check(allocation: Allocation, state: Returned, policy: BackBy) -> None:
    least = min(state.other_minor, state.value_minor, state.money_minor, state.points, state.carry_minor)
    if least < 0 or state.points > allocation.points or state.value_minor > allocation.value_minor:
        raise AssertionError(f"{state} does not fit into {allocation}")
    if policy is not None and state.carry_minor * max(allocation.points, 1) >= max(allocation.value_minor, 1):
        raise AssertionError(f"{state} owes a whole point of {allocation}")
    is_all = state.goods_minor == sum(line.amount_minor for line in allocation.lines)
    if is_all and (state.points, state.worth_minor) != (allocation.points, allocation.value_minor):
        raise AssertionError(f"all came back and not all the points: {state} of {allocation}")
