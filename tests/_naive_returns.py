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


@dataclass
class _Part:
    """Some units of a line: which parcel they left with, and who paid them."""

    line: BillLine
    parcel: int | None
    other: int
    value: int
    kept: _Kept
    amount: int

    def back(self) -> tuple[int, int, int]:
        """Other tenders, value and money that came back."""
        goods = self.amount - self.kept.worth
        other = floor(Fraction(self.other * goods, self.amount)) if self.amount else 0
        left = self.amount - self.other
        value = floor(Fraction(self.value, left) * (goods - other)) if left else 0
        return other, value, goods - other - value


class SentBill:
    """An order that leaves in parcels, each counted apart as soon as something comes back before all have left."""

    def __init__(self, bill: Bill) -> None:
        self.bill = bill
        self.sent: list[dict[str, int]] = []
        self.first = 0
        rows = zip(bill.lines, bill.others, bill.values, bill.kept, strict=True)
        self.parts = [_Part(line, None, other, value, kept, line.amount) for line, other, value, kept in rows]
        self.cut = 0

    @property
    def a_point(self) -> Fraction:
        """What a point is worth."""
        return Fraction(self.bill.worth, self.bill.points) if self.bill.points else Fraction(1)

    def send(self, units: dict[str, int]) -> None:
        """A parcel leaves; the shipping with the first."""
        with_shipping = not self.sent and any(line.id == "shipping" for line in self.bill.lines)
        self.sent.append({**units, **({"shipping": 1} if with_shipping else {})})

    def captured(self) -> tuple[int, int]:
        """Points, and their worth, of all that has left."""
        value = sum(
            self._paid_of(line, other, value, self._sent_of(line))[2]
            for line, other, value in zip(self.bill.lines, self.bill.others, self.bill.values, strict=True)
        )
        if self.a_point > 1:
            points = floor(value / self.a_point)
            return points, ceil(points * self.a_point)
        return ceil(value / self.a_point), value

    def take_units(self, line_id: str, units: int) -> None:
        """Units of one line come back, those that left first before the others."""
        self._cut_parcels()
        for part in self._here():
            if part.line.id == line_id:
                some = min(units, part.kept.units)
                part.kept.units -= some
                units -= some
        assert units == 0

    def take_of_all(self, amount: int, *, line_id: str = "") -> None:
        """An amount of what has left comes back; or of one line."""
        self._cut_parcels()
        here = [part for part in self._here() if line_id in ("", part.line.id)]
        for part, less in zip(here, split(amount, [part.kept.worth for part in here]), strict=True):
            if less:
                part.kept.of_units, part.kept.of_amount = part.kept.units, part.kept.worth - less

    def settle(self) -> None:
        """A return is over: what points first would have given back by it, never more than was captured."""
        paid = sum(value + money for part in self.parts for _, value, money in [part.back()])
        most = sum(part.value for part in self._here())
        self.first = min(self.first + paid - self.paid_before, most)

    def begin(self) -> None:
        """A return begins."""
        self.paid_before = sum(value + money for part in self.parts for _, value, money in [part.back()])

    def state(self, policy: Policy) -> State:
        """What came back in all, and to whom."""
        rows = [part.back() for part in self.parts]
        other, paid = sum(row[0] for row in rows), sum(row[1] + row[2] for row in rows)
        money_paid = sum(line.amount for line in self.bill.lines) - self.bill.gift_card - self.bill.worth
        if policy == "proportional":
            value = sum(row[1] for row in rows)
        elif policy == "points_first":
            value = self.first
        else:
            value = paid - min(paid, money_paid)
        points, worth = self._points(policy, value)
        return State(points, value, paid - value, other, value - worth)

    def _points(self, policy: Policy, value: int) -> tuple[int, int]:
        if value == self.bill.worth:
            return self.bill.points, value
        if policy == "whole":
            return 0, 0
        if self.a_point > 1:
            points = floor(value / self.a_point)
            return points, ceil(points * self.a_point)
        if self.cut or policy != "proportional":
            return ceil(value / self.a_point), value
        points = start = 0
        for part in self.parts:
            back = part.back()[1]
            points += ceil((start + back) / self.a_point) - ceil(start / self.a_point)
            start += part.value
        return points, value

    def _here(self) -> list[_Part]:
        if self._all_sent():
            return self.parts
        return [part for part in self.parts if part.parcel is not None]

    def _all_sent(self) -> bool:
        return all(self._sent_of(line) == line.quantity for line in self.bill.lines)

    def _sent_of(self, line: BillLine, parcels: int | None = None) -> int:
        return sum(parcel.get(line.id, 0) for parcel in self.sent[:parcels])

    def _cut_parcels(self) -> None:
        if self._all_sent():
            return
        while self.cut < len(self.sent):
            rest = [part for part in self.parts if part.parcel is None]
            whole = dict(zip((line.id for line in self.bill.lines), range(len(self.bill.lines)), strict=True))
            self.parts = [part for part in self.parts if part.parcel is not None]
            cut = [self._part(part.line, whole[part.line.id], self.cut, self.cut + 1) for part in rest]
            left = [self._part(part.line, whole[part.line.id], self.cut + 1, None) for part in rest]
            self.parts += [part for part in (*cut, *left) if part.kept.of_units]
            self.cut += 1

    def _part(self, line: BillLine, number: int, since: int, until: int | None) -> _Part:
        """What left between two parcels; until None: what comes after the last one that was cut."""
        other, value = self.bill.others[number], self.bill.values[number]
        here = line.quantity if until is None else self._sent_of(line, until)
        before = self._sent_of(line, since)
        to, from_ = self._paid_of(line, other, value, here), self._paid_of(line, other, value, before)
        goods, others, values = (now - then for now, then in zip(to, from_, strict=True))
        return _Part(line, until, others, values, _Kept(here - before, here - before, goods), goods)

    def _paid_of(self, line: BillLine, other: int, value: int, units: int) -> tuple[int, int, int]:
        """Of the first so many units: their amount, and what other tenders and points pay of that."""
        goods = floor(Fraction(line.amount, line.quantity) * units)
        paid = floor(Fraction(other * goods, line.amount)) if line.amount else 0
        left = line.amount - other
        return goods, paid, floor(Fraction(value, left) * (goods - paid)) if left else 0
