"""What came back of an order so far, as a cumulative state; one return is the difference of two such states.

So any order of lines, units and returns ends exact, and nothing is negative on the way. Pure: the journal says what was
asked for, in the order in which it was committed, which matters as soon as an amount is among it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from punktgenau.checkout.allocation import AllocatedLine, Allocation, Pot
from punktgenau.checkout.cart import SHIPPING_ID
from punktgenau.checkout.owned import paid_in_money, points_back
from punktgenau.checkout.settings import RefundPolicy
from punktgenau.errors import InvalidArgumentError, StateConflictError
from punktgenau.money import AMOUNT_MINOR_MAX, ceil_div, largest_remainder

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
    if type(number) is not int or not least <= number <= AMOUNT_MINOR_MAX:
        raise InvalidArgumentError(f"{name} must be a whole number from {least} to {AMOUNT_MINOR_MAX}.", field=field)


@dataclass(frozen=True, slots=True)
class Came:
    """What came back of one line: units in all, and where they count from.

    An amount lowers what the other units of its line are worth, so these count anew: `since_minor` had come back, the
    amount included, with the first `since_quantity` units.
    """

    quantity: int = 0
    since_quantity: int = 0
    since_minor: int = 0


_NOT_AT_ALL = Came()
_Key = tuple[str, int | None]


@dataclass(frozen=True, slots=True)
class History:
    """What came back so far; made by `with_return`, from `History()` on.

    By line and parcel; what is left out came back not at all. `first_minor` of the points' value would have come back
    if points went first, those aside that are bound to a line: never more than was captured at the time, so it depends
    on when something came back.
    """

    came: Mapping[_Key, Came] = field(default_factory=dict)
    first_minor: int = 0

    def of(self, line: AllocatedLine) -> Came:
        """What came back of a line, or of one parcel's part of it."""
        return self.came.get((line.id, line.parcel), _NOT_AT_ALL)

    def units_of(self, allocation: Allocation, line_id: str) -> int:
        """How many units of a line came back, whichever parcel they left with."""
        return sum(self.of(line).quantity for line in allocation.lines if line.id == line_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What came back of an order so far, or by one return: goods = other tenders + points' value + money + written off.

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
    bound_minor: int = 0
    """What of the points' value is bound to the lines that came back."""

    @property
    def written_off_minor(self) -> int:
        """What nobody has paid of it, so nobody gets it back."""
        return self.goods_minor - self.other_minor - self.value_minor - self.money_minor

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
            bound_minor=self.bound_minor - before.bound_minor,
        )
        parts = (step.goods_minor, step.other_minor, step.value_minor, step.money_minor, step.points, step.worth_minor)
        if min(*parts, step.bound_minor, step.written_off_minor) < 0 or (step.points == 0) != (step.worth_minor == 0):
            raise AssertionError(f"a return would take back: {step}")
        return step


def with_return(allocation: Allocation, history: History, wanted: Wanted, *, parcels: int | None = None) -> History:
    """The history with one more return. An amount is spread over the lines, in proportion to what is left of each.

    `parcels`: only so many have left, so only what is in them can come back; None: all. Of a line's units those that
    left first come back first. Raises InvalidArgumentError for an unknown line, more units than are left, or more cents
    than are left; StateConflictError (`not_shipped`) for what is left, but has not left the shop.
    """
    came = dict(history.came)
    here = tuple(line for line in allocation.lines if has_left(line, parcels))
    for line_id, quantity in wanted.lines.items():
        allocation.line(line_id)
        _take_units(came, allocation, here, line_id, quantity)
    if wanted.shipping_minor:
        shipping = [line for line in allocation.lines if line.id == SHIPPING_ID]
        _add_amount(came, shipping, wanted.shipping_minor, parcels=parcels, field="shipping_minor")
    if wanted.amount_minor:
        _add_amount(came, allocation.lines, wanted.amount_minor, parcels=parcels, field="amount_minor")
    after = History(came)
    # Points first: all that comes back, as far as points were captured for what has left.
    more_minor = _paid_back(allocation, after) - _paid_back(allocation, history)
    captured_minor = sum(line.free_minor for line in here)
    return replace(after, first_minor=min(history.first_minor + more_minor, captured_minor))


def has_left(line: AllocatedLine, parcels: int | None) -> bool:
    """Whether a part of a line has left, where so many parcels have; None: all has."""
    return parcels is None or (line.parcel is not None and line.parcel <= parcels)


def _take_units(
    came: dict[_Key, Came], allocation: Allocation, here: Sequence[AllocatedLine], line_id: str, quantity: int
) -> None:
    kept = [line.quantity - _came(came, line).quantity for line in allocation.lines if line.id == line_id]
    mine = [line for line in here if line.id == line_id]
    ready = sum(line.quantity - _came(came, line).quantity for line in mine)
    if quantity > sum(kept):
        raise InvalidArgumentError(
            f"Line {line_id!r} has {sum(kept)} units to return, {quantity} were asked for.", field="lines"
        )
    if quantity > ready:
        raise _not_shipped(f"Of line {line_id!r} {ready} units have left and can come back", field="lines")
    for line in mine:
        before = _came(came, line)
        units = min(quantity, line.quantity - before.quantity)
        quantity -= units
        if units:
            came[line.id, line.parcel] = replace(before, quantity=before.quantity + units)


def _add_amount(
    came: dict[_Key, Came],
    lines: Sequence[AllocatedLine],
    amount_minor: int,
    *,
    parcels: int | None,
    field: str,
) -> None:
    whole = sum(line.amount_minor - goods_minor(line, _came(came, line)) for line in lines)
    if amount_minor > whole:
        raise InvalidArgumentError(
            f"{whole} can still come back, {amount_minor} were asked for (smallest unit).", field=field
        )
    ready = [line for line in lines if has_left(line, parcels)]
    goods = [goods_minor(line, _came(came, line)) for line in ready]
    left = [line.amount_minor - back for line, back in zip(ready, goods, strict=True)]
    if amount_minor > sum(left):
        raise _not_shipped(f"Of what has left {sum(left)} can come back (smallest unit)", field=field)
    for line, back, part in zip(ready, goods, largest_remainder(amount_minor, left), strict=True):
        if part:
            units = _came(came, line).quantity
            came[line.id, line.parcel] = Came(quantity=units, since_quantity=units, since_minor=back + part)


def _came(came: Mapping[_Key, Came], line: AllocatedLine) -> Came:
    return came.get((line.id, line.parcel), _NOT_AT_ALL)


def _not_shipped(text: str, *, field: str) -> StateConflictError:
    return StateConflictError(
        f"{text}; the rest is still to be shipped. Nothing was booked; what will not be, is taken off by `amend`.",
        code="not_shipped",
        field=field,
    )


def _paid_back(allocation: Allocation, history: History) -> int:
    """The cents that came back of what money paid, and points that are bound to no line."""
    goods = [(line, goods_minor(line, history.of(line))) for line in allocation.lines]
    return sum(back - sum(line.parts_of(back)[:2]) for line, back in goods)


def returned(allocation: Allocation, history: History, *, policy: BackBy = "proportional") -> Returned:
    """The state that a history makes: what came back in all, and to whom.

    `proportional` goes line by line; the others give back the order's own cents, the points' or the money's first, in
    the order in which they were captured. What is bound to a line comes back with it, whatever the policy.
    """
    goods = other = 0
    # Which of the cents that the points are worth come back: the first so many from each start on.
    ranges: list[tuple[int, int]] = []
    for line in allocation.lines:
        line_goods = goods_minor(line, history.of(line))
        line_other, _, line_value = line.parts_of(line_goods)
        goods += line_goods
        other += line_other
        ranges.append((line.start_minor, line_value))
    own = bound_back(allocation, history)
    bound = sum(own.values())
    if policy == "points_first":
        ranges = [(0, history.first_minor)]
    elif policy != "proportional":
        ranges = [(0, max(0, goods - other - bound - sum(line.money_minor for line in allocation.lines)))]
    value = bound + sum(length for _, length in ranges)
    points, worth = points_back(allocation, value, ranges, own, whole=policy is None)
    state = Returned(
        goods_minor=goods,
        other_minor=other,
        value_minor=value,
        money_minor=paid_in_money(allocation, goods - other - value),
        points=points,
        carry_minor=value - worth,
        bound_minor=bound,
    )
    _check(allocation, state, policy)
    return state


def bound_back(allocation: Allocation, history: History) -> dict[Pot, int]:
    """The cents that came back of what bound points pay, by where these are."""
    own = dict.fromkeys((pot for pot, _ in allocation.bound), 0)
    for line in allocation.lines:
        if line.bound_minor:
            own[line.pot] += line.parts_of(goods_minor(line, history.of(line)))[1]
    return own


def goods_minor(line: AllocatedLine, came: Came) -> int:
    """The cents of a line that came back: what had come back at the last amount, and since then the units' part."""
    units = came.quantity - came.since_quantity
    if units == 0:
        return came.since_minor
    return came.since_minor + (line.amount_minor - came.since_minor) * units // (line.quantity - came.since_quantity)


def _check(allocation: Allocation, state: Returned, policy: BackBy) -> None:
    least = min(state.other_minor, state.value_minor, state.money_minor, state.points, state.carry_minor)
    if least < 0 or state.points > allocation.points or state.value_minor > allocation.value_minor:
        raise AssertionError(f"{state} does not fit into {allocation}")
    a_point = max(ceil_div(worth, points) for points, worth in allocation.pots if points) if allocation.points else 1
    if policy is not None and state.carry_minor >= a_point:
        raise AssertionError(f"{state} owes a whole point of {allocation}")
    is_all = state.goods_minor == sum(line.amount_minor for line in allocation.lines)
    if is_all and (state.points, state.worth_minor) != (allocation.points, allocation.value_minor):
        raise AssertionError(f"all came back and not all the points: {state} of {allocation}")
