"""One amount, one rate, one set of limits: which numbers of points fit, and why another does not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau.checkout.rules import Reason, ReasonCode, UsableLimits
from punktgenau.money import Money, Rate

_ON_WORTH: frozenset[ReasonCode] = frozenset({"cart", "articles", "share"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """One amount, one rate, one set of limits: which numbers of points fit. Reckons in the smallest unit.

    Where the rate is of another currency than the amount, the limits let no points through.
    """

    payable: Money
    rate: Rate
    usable: UsableLimits
    money_minimum_minor: int

    def value(self, points: int) -> Money:
        """What so many points are worth."""
        # Without points the rate does not matter, and it may be one of another currency.
        return self.rate.worth(points) if points else Money(amount_minor=0, currency=self.payable.currency)

    def due(self, points: int) -> Money:
        """What so many points leave to pay."""
        return self.payable - self.value(points)

    def payable_rest(self, points: int) -> bool:
        """Whether what they leave is nothing, or enough to be paid in money."""
        if points == 0:
            return True
        due_minor = self.payable.amount_minor - self.rate.worth_minor(points)
        return due_minor == 0 or due_minor >= self.money_minimum_minor

    def clamp(self, wanted: int) -> tuple[int, tuple[Reason, ...]]:
        """The number that limits, steps and worth make of `wanted`; the money minimum is not looked at yet."""
        usable, tightest = self.usable, self.usable.tightest
        if wanted <= usable.mandatory < usable.first <= tightest.points or wanted < usable.mandatory:
            return usable.first, (Reason(code="reward", points=usable.first),)
        points = min(wanted, tightest.points)
        reasons = [tightest] if points < wanted or wanted == 0 else []
        if points == 0:
            return 0, tuple(reasons)
        if points < usable.first:
            reasons.append(Reason(code="minimum" if points < usable.min_points else "step", points=usable.first))
            points = usable.first
        if usable.first > tightest.points:
            return 0, tuple(reasons) if tightest in reasons else (*reasons, tightest)
        if points != usable.down(points):
            points = usable.down(points)
            reasons.append(Reason(code="step", points=points))
        value_minor = self.rate.worth_minor(points)
        if not value_minor:
            return 0, (*reasons, Reason(code="worthless", points=self._least_worth_something()))
        fewest = usable.fewest(value_minor, self.rate)
        if fewest == points:
            return points, tuple(reasons)
        if reasons == [tightest] and tightest.code in _ON_WORTH:
            # The worth is the bound, so the points above the fewest are no second thing to tell.
            return fewest, (Reason(code=tightest.code, points=fewest),)
        return fewest, (*reasons, Reason(code="fewest", points=fewest))

    def lower(self) -> int:
        """The most points that leave at least the money minimum; 0 where there are none."""
        room_minor = self.payable.amount_minor - self.money_minimum_minor
        if room_minor <= 0:
            return 0
        return self._fit(self.usable.down(min(self.usable.tightest.points, self.rate.most_for_minor(room_minor))))

    def upper(self) -> int:
        """The points that leave nothing to pay; 0 where there are none."""
        points = self.usable.fewest(self.payable.amount_minor, self.rate)
        return points if points <= self.usable.tightest.points and not self.due(points) else 0

    def most(self) -> int:
        """The most points that can be used; 0 where there are none."""
        points = self._fit(self.usable.down(self.usable.tightest.points))
        return points if self.payable_rest(points) else self.lower()

    def least(self) -> int:
        """The fewest points that can be used; 0 where there are none."""
        if self.usable.tightest.points == 0:
            return 0
        points = self._least_worth_something()
        if points > self.usable.tightest.points:
            return 0
        return points if self.payable_rest(points) else self.upper()

    def _fit(self, points: int) -> int:
        """The fewest points worth the same as these, which are on step and not above a bound; 0 where none fit."""
        if points < self.usable.first or not (value_minor := self.rate.worth_minor(points)):
            return 0
        return self.usable.fewest(value_minor, self.rate)

    def _least_worth_something(self) -> int:
        return self.usable.fewest(1, self.rate)
