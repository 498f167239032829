"""The worth of the points over the lines of an order.

Cents first, points follow: the worth is spread over the lines, and each line owns a range of its cents. Points that are
bound to a line are apart from that: their cents are the line's own. What comes back when parts of the order are
returned: `returned`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from punktgenau.checkout.cart import Cart, GrossLine
from punktgenau.checkout.rewards import FREE, Bound, left_minor, of_order
from punktgenau.checkout.rules import ShopRules, payable_minor
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import ceil_div, largest_remainder, require_points

Back = tuple[int, int]
"""Points, and what they are worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatedLine:
    """One line and who pays it, in the smallest unit: `other_minor` first, then points, then money.

    `value_minor` is what the points pay: `bound_minor` by those that are bound to the line, all else the cents from
    `start_minor` on, of what the other points are worth. `parcel`: these units of the line left with that one (0:
    before the order was changed); None: all else. `reward_points` are bound to each unit.
    """

    id: str
    quantity: int
    vat_rate: str
    amount_minor: int
    other_minor: int
    value_minor: int
    start_minor: int
    parcel: int | None = None
    bound_minor: int = 0
    reward_points: int = 0

    @property
    def money_minor(self) -> int:
        """What money pays of this line."""
        return self.amount_minor - self.other_minor - self.value_minor

    @property
    def free_minor(self) -> int:
        """What points pay of it that are not bound to it."""
        return self.value_minor - self.bound_minor

    @property
    def pot(self) -> Pot:
        """Where its bound points are."""
        return self.id, self.parcel == 0

    def parts_of(self, goods_minor: int) -> tuple[int, int, int]:
        """Other tenders, bound and other points' value of so many cents; each is a whole part of what is left before.

        Never shorten the chain: parts that are rounded beside each other, not inside each other, can exceed the goods.
        """
        if self.amount_minor == 0:
            return 0, 0, 0
        other = self.other_minor * goods_minor // self.amount_minor
        left, rest = self.amount_minor - self.other_minor, goods_minor - other
        bound = self.bound_minor * rest // left if left else 0
        left, rest = left - self.bound_minor, rest - bound
        return other, bound, self.free_minor * rest // left if left else 0


Pot = tuple[str, bool]
"""A line's id, and whether its units had left before the order was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """`points` and their worth over the lines of one order; every sum is exact, no part is negative.

    `taken`: the first so many points, and their worth, were captured before the rest was reckoned, so they are apart.
    `bound`: points of these that belong to single lines. `written_off_minor`: so much of what money should pay was paid
    by nobody, so nobody gets it back.
    """

    points: int
    value_minor: int
    currency: str
    lines: tuple[AllocatedLine, ...]
    taken: tuple[int, int] = (0, 0)
    written_off_minor: int = 0
    bound: tuple[tuple[Pot, Bound], ...] = ()

    def __post_init__(self) -> None:
        start = 0
        for line in self.lines:
            least = min(line.other_minor, line.bound_minor, line.free_minor, line.money_minor)
            if line.start_minor != start or least < 0:
                raise AssertionError(f"line {line.id!r} does not fit into {self}")
            start += line.free_minor
        bound_minor = sum(bound.minor for _, bound in self.bound)
        if start + bound_minor != self.value_minor or min(*self.pots[-1], self.paid_minor) < 0:
            raise AssertionError(f"the parts do not add up in {self}")
        if bound_minor != sum(line.bound_minor for line in self.lines):
            raise AssertionError(f"the lines do not own the bound points of {self}")
        if any((points == 0) != (worth == 0) for points, worth in self.pots):
            raise AssertionError(f"points and worth do not go together in {self}")

    @property
    def paid_minor(self) -> int:
        """What was paid in money."""
        return sum(line.money_minor for line in self.lines) - self.written_off_minor

    @property
    def blocks(self) -> tuple[Back, Back]:
        """Points that are bound to no line, and their worth: of what was captured before, and of all else."""
        taken, rest = self._apart(is_taken=True), self._apart(is_taken=False)
        return (
            (self.taken[0] - taken[0], self.taken[1] - taken[1]),
            (self.points - self.taken[0] - rest[0], self.value_minor - self.taken[1] - rest[1]),
        )

    def _apart(self, *, is_taken: bool) -> Back:
        some = [bound for (_, is_of_taken), bound in self.bound if is_of_taken == is_taken]
        return sum(bound.points for bound in some), sum(bound.minor for bound in some)

    @property
    def pots(self) -> tuple[Back, ...]:
        """All points, and their worth, as they are kept apart: what was captured before comes first."""
        if not self.bound:
            return self.blocks
        before, rest = self.blocks
        mine = [(bound.points, bound.minor) for (_, is_taken), bound in self.bound if is_taken]
        others = [(bound.points, bound.minor) for (_, is_taken), bound in self.bound if not is_taken]
        return (*mine, before, *others, rest)

    @property
    def is_coarse(self) -> bool:
        """Whether a point is worth more than a cent."""
        return any(worth > points for points, worth in self.pots)

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

    def bound_points(self, cents: Mapping[Pot, int]) -> int:
        """The points that so many cents of each pot own, where a point is worth at most a cent."""
        pots = dict(self.bound)
        return sum(ceil_div(pots[pot].points * some, pots[pot].minor) for pot, some in cents.items() if some)

    def points_of(self, cents: int) -> int:
        """The points that the first so many cents own: each cent its own, or as many whole points as they are worth.

        Where a point is worth at most a cent, only those that are bound to no line count.
        """
        if self.is_coarse:
            return _floored(self.pots, cents)
        (points, worth), (more_points, more_worth) = self.blocks
        if cents > worth:
            points, worth, cents, before = more_points, more_worth, cents - worth, points
        else:
            before = 0
        return before + ceil_div(points * cents, worth) if cents else before

    def worth_of(self, points: int) -> int:
        """What the first so many points are worth where a point is worth more than a cent; rounded up."""
        before = 0
        for some, worth in self.pots:
            if points <= some:
                return before + (ceil_div(worth * points, some) if points else 0)
            points, before = points - some, before + worth
        raise AssertionError(f"{points} points are more than there are in {self}")


def _floored(pots: Sequence[Back], cents: int) -> int:
    before = 0
    for points, worth in pots:
        if cents <= worth:
            return before + (points * cents // worth if cents else 0)
        cents, before = cents - worth, before + points
    raise AssertionError(f"{cents} cents are more than {pots} are worth")


def allocate(*, cart: Cart, points: int, value_minor: int, rules: ShopRules) -> Allocation:
    """Spread what the points are worth over the lines that they may pay, in proportion to what other tenders left.

    `value_minor` is in the smallest unit of the cart's currency. Raises InvalidArgumentError where it is more than
    points may pay of this cart.
    """
    bound = of_order(cart.gross_lines, points=points, value_minor=value_minor)
    return spread(
        cart.gross_lines,
        left_minor=left_minor(cart.gross_lines, bound, cart.other_tenders_minor),
        payable_minor=payable_minor(cart, rules, bound),
        points=points,
        value_minor=value_minor,
        currency=cart.currency,
        bound=bound,
    )


def spread(
    lines: Sequence[GrossLine],
    *,
    left_minor: Sequence[int],
    payable_minor: Sequence[int],
    points: int,
    value_minor: int,
    currency: str,
    bound: Sequence[Bound] = (),
) -> Allocation:
    """The same for lines as they were frozen: of each, what bound points and other tenders leave, and what of that
    points may pay.

    Raises InvalidArgumentError as `allocate`.
    """
    require_points(points, least=0)
    free_minor = value_minor - sum(part.minor for part in bound)
    if any(part.minor for part in bound) and free_minor > sum(payable_minor):
        # A cent more or less is bound than when the cart was quoted, so other tenders pay others of the lines.
        payable_minor = left_minor
    if not 0 <= free_minor <= sum(payable_minor) or (points == 0) != (value_minor == 0):
        raise InvalidArgumentError(
            f"{points} points worth {value_minor} cannot pay {sum(payable_minor)} {currency} (smallest unit).",
            field="points",
        )
    own = bound or [FREE] * len(lines)
    allocated = []
    start = 0
    rows = zip(lines, own, left_minor, largest_remainder(free_minor, payable_minor), strict=True)
    for line, mine, left, part in rows:
        allocated.append(
            AllocatedLine(
                id=line.id,
                quantity=line.quantity,
                vat_rate=line.vat_rate,
                amount_minor=line.amount_minor,
                other_minor=line.amount_minor - mine.minor - left,
                value_minor=mine.minor + part,
                start_minor=start,
                bound_minor=mine.minor,
                reward_points=line.reward_points,
            )
        )
        start += part
    return Allocation(
        points=points,
        value_minor=value_minor,
        currency=currency,
        lines=tuple(allocated),
        bound=tuple(((line.id, False), mine) for line, mine in zip(lines, own, strict=True) if mine.points),
    )
