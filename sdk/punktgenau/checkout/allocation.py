"""The worth of the points over the lines of an order.

Cents first, points follow: the worth is spread over the lines, and each line owns a range of its cents. What comes back
when parts of the order are returned: `returned`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from punktgenau.checkout.cart import Cart, GrossLine
from punktgenau.checkout.rules import ShopRules, payable_minor
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import ceil_div, largest_remainder, require_points


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatedLine:
    """One line and who pays it, in the smallest unit: `other_minor` first, then points, then money.

    `value_minor` is what the points pay: the cents from `start_minor` on, of all that the points are worth. `parcel`:
    these units of the line left with that one (0: before the order was changed); None: all else.
    """

    id: str
    quantity: int
    vat_rate: str
    amount_minor: int
    other_minor: int
    value_minor: int
    start_minor: int
    parcel: int | None = None

    @property
    def money_minor(self) -> int:
        """What money pays of this line."""
        return self.amount_minor - self.other_minor - self.value_minor

    def parts_of(self, goods_minor: int) -> tuple[int, int]:
        """Other tenders and points' value of so many cents of it; each is a whole part of what the one before leaves.

        Never shorten the chain: parts that are rounded beside each other, not inside each other, can exceed the goods.
        """
        if self.amount_minor == 0:
            return 0, 0
        other = self.other_minor * goods_minor // self.amount_minor
        left = self.amount_minor - self.other_minor
        return other, self.value_minor * (goods_minor - other) // left if left else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """`points` and their worth over the lines of one order; every sum is exact, no part is negative.

    `taken`: the first so many points, and their worth, were captured before the rest was reckoned, so they are apart.
    `written_off_minor`: so much of what money should pay was paid by nobody, so nobody gets it back.
    """

    points: int
    value_minor: int
    currency: str
    lines: tuple[AllocatedLine, ...]
    taken: tuple[int, int] = (0, 0)
    written_off_minor: int = 0

    def __post_init__(self) -> None:
        start = 0
        for line in self.lines:
            if line.start_minor != start or min(line.other_minor, line.value_minor, line.money_minor) < 0:
                raise AssertionError(f"line {line.id!r} does not fit into {self}")
            start += line.value_minor
        if start != self.value_minor or min(*self.blocks[-1], self.paid_minor) < 0:
            raise AssertionError(f"the parts do not add up in {self}")
        if any((points == 0) != (worth == 0) for points, worth in self.blocks):
            raise AssertionError(f"points and worth do not go together in {self}")

    @property
    def paid_minor(self) -> int:
        """What was paid in money."""
        return sum(line.money_minor for line in self.lines) - self.written_off_minor

    @property
    def blocks(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Points and worth of what was captured before, and of all else."""
        return self.taken, (self.points - self.taken[0], self.value_minor - self.taken[1])

    @property
    def is_coarse(self) -> bool:
        """Whether a point is worth more than a cent."""
        return any(worth > points for points, worth in self.blocks)

    @property
    def is_in_parcels(self) -> bool:
        """Whether something left by itself; then what is captured and given back counts from the first cent on."""
        return any(line.parcel is not None for line in self.lines)

    def line(self, line_id: str) -> AllocatedLine:
        """The first line of that id. Raises InvalidArgumentError where the order has none."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise InvalidArgumentError(f"The order has no line {line_id!r}.", field="lines")

    def points_of(self, cents: int) -> int:
        """The points that the first so many cents own: each cent its own, or as many whole points as they are worth."""
        (points, worth), (more_points, more_worth) = self.blocks
        if cents > worth:
            points, worth, cents, before = more_points, more_worth, cents - worth, points
        else:
            before = 0
        if cents == 0:
            return before
        return before + (points * cents // worth if self.is_coarse else ceil_div(points * cents, worth))

    def worth_of(self, points: int) -> int:
        """What the first so many points are worth where a point is worth more than a cent; rounded up."""
        (taken, worth), (more, more_worth) = self.blocks
        if points > taken:
            return worth + ceil_div(more_worth * (points - taken), more)
        return ceil_div(worth * points, taken) if points else 0


def allocate(*, cart: Cart, points: int, value_minor: int, rules: ShopRules) -> Allocation:
    """Spread what the points are worth over the lines that they may pay, in proportion to what other tenders left.

    `value_minor` is in the smallest unit of the cart's currency. Raises InvalidArgumentError where it is more than
    points may pay of this cart.
    """
    return spread(
        cart.gross_lines,
        left_minor=cart.left_minor,
        payable_minor=payable_minor(cart, rules),
        points=points,
        value_minor=value_minor,
        currency=cart.currency,
    )


def spread(
    lines: Sequence[GrossLine],
    *,
    left_minor: Sequence[int],
    payable_minor: Sequence[int],
    points: int,
    value_minor: int,
    currency: str,
) -> Allocation:
    """The same for lines as they were frozen: of each, what other tenders leave, and what of that points may pay.

    Raises InvalidArgumentError as `allocate`.
    """
    require_points(points, least=0)
    if not 0 <= value_minor <= sum(payable_minor) or (points == 0) != (value_minor == 0):
        raise InvalidArgumentError(
            f"{points} points worth {value_minor} cannot pay {sum(payable_minor)} {currency} (smallest unit).",
            field="points",
        )
    allocated = []
    start = 0
    for line, left, part in zip(lines, left_minor, largest_remainder(value_minor, payable_minor), strict=True):
        allocated.append(
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
    return Allocation(points=points, value_minor=value_minor, currency=currency, lines=tuple(allocated))
