"""What comes back with each return, reckoned a second time: from the rules in words, in fractions, without any haste.

Nothing of the product is imported here. Amounts are in the smallest unit.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Literal, NamedTuple

Policy = Literal["proportional", "points_first", "money_first", "whole"]
POLICIES: tuple[Policy, ...] = ("proportional", "points_first", "money_first", "whole")


class State(NamedTuple):
    """What came back in all."""

    points: int
    value: int
    money: int
    other: int
    carry: int


@dataclass(frozen=True)
class BillLine:
    """One line as it was paid; `payable`: points may pay it."""

    id: str
    quantity: int
    amount: int
    payable: bool = True


@dataclass
class _Kept:
    """What is left of a line: units, and since the last amount out of how many and for how much."""

    units: int
    of_units: int
    of_amount: int

    @property
    def worth(self) -> int:
        """What is still worth something: the cents that did not come back."""
        if self.units == 0:
            return 0
        gone = self.of_units - self.units
        return self.of_amount - floor(Fraction(self.of_amount, self.of_units) * gone)


def split(amount: int, weights: list[int]) -> list[int]:
    """By largest remainder, ties to the earlier one."""
    if not sum(weights):
        return [0] * len(weights)
    exact = [Fraction(amount) * weight / sum(weights) for weight in weights]
    parts = [floor(part) for part in exact]
    while sum(parts) < amount:
        behind = [part - given for part, given in zip(exact, parts, strict=True)]
        parts[behind.index(max(behind))] += 1
    return parts


@dataclass
class Bill:
    """An order and what is left of it."""

    lines: list[BillLine]
    gift_card: int
    points: int
    worth: int
    others: list[int] = field(init=False)
    values: list[int] = field(init=False)
    kept: list[_Kept] = field(init=False)

    def __post_init__(self) -> None:
        self.others = split(self.gift_card, [line.amount for line in self.lines])
        may = [line.amount - other if line.payable else 0 for line, other in zip(self.lines, self.others, strict=True)]
        self.values = split(self.worth, may)
        self.kept = [_Kept(line.quantity, line.quantity, line.amount) for line in self.lines]

    def take_units(self, line_id: str, units: int) -> None:
        """Units of one line come back."""
        self._kept(line_id).units -= units

    def take_of(self, line_id: str, amount: int) -> None:
        """An amount of one line comes back; what is left is spread evenly over the units that are left."""
        kept = self._kept(line_id)
        kept.of_units, kept.of_amount = kept.units, kept.worth - amount

    def take_of_all(self, amount: int) -> None:
        """An amount comes back, of every line in proportion to what is left of it."""
        for line, part in zip(self.lines, split(amount, [kept.worth for kept in self.kept]), strict=True):
            if part:
                self.take_of(line.id, part)

    def state(self, policy: Policy) -> State:
        """What came back in all, and to whom."""
        rows = []
        for line, other, value, kept in zip(self.lines, self.others, self.values, self.kept, strict=True):
            goods = line.amount - kept.worth
            other_back = floor(Fraction(other * goods, line.amount)) if line.amount else 0
            left = line.amount - other
            value_back = floor(Fraction(value, left) * (goods - other_back)) if left else 0
            rows.append((goods - other_back, other_back, value_back))
        paid, other = sum(row[0] for row in rows), sum(row[1] for row in rows)
        money_paid = sum(line.amount for line in self.lines) - self.gift_card - self.worth
        if policy == "proportional":
            value = sum(row[2] for row in rows)
        elif policy == "points_first":
            value = min(paid, self.worth)
        else:
            value = paid - min(paid, money_paid)
        points, carry = self._points(policy, value, [row[2] for row in rows])
        return State(points, value, paid - value, other, carry)

    def _points(self, policy: Policy, value: int, values_back: list[int]) -> tuple[int, int]:
        if not self.worth:
            return 0, 0
        a_point = Fraction(self.worth, self.points)
        if policy == "whole":
            return (self.points, 0) if value == self.worth else (0, value)
        if a_point > 1:
            points = floor(value / a_point)
            return points, value - ceil(points * a_point)
        if policy != "proportional":
            return ceil(value / a_point), 0
        points = start = 0
        for owned, back in zip(self.values, values_back, strict=True):
            points += ceil((start + back) / a_point) - ceil(start / a_point)
            start += owned
        return points, 0

    def _kept(self, line_id: str) -> _Kept:
        return next(kept for line, kept in zip(self.lines, self.kept, strict=True) if line.id == line_id)
