"""Money and rates: integers in the smallest unit, and the only place that rounds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from punktgenau.errors import InvalidArgumentError

AMOUNT_MINOR_MAX = 10**15
POINTS_MAX = 10**15

Rounding = Literal["down", "half_up", "up"]
_CURRENCY = re.compile("[A-Z]{3}")


def require_points(points: int, *, field: str = "points", least: int = 1) -> int:
    """A whole number of points from `least` on, or InvalidArgumentError with its code: no bool, no float, no text."""
    if type(points) is not int:
        raise InvalidArgumentError(
            f"{field} must be a whole number, not {type(points).__name__}.", code="points_not_whole", field=field
        )
    if not least <= points <= POINTS_MAX:
        code = "invalid_argument"
        if points > POINTS_MAX:
            code = "points_too_large"
        elif points <= 0:
            code = "points_negative" if points < 0 else "points_zero"
        raise InvalidArgumentError(f"{field} must be between {least} and {POINTS_MAX}.", code=code, field=field)
    return points


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount of money: `amount_minor` in the smallest unit (cents for EUR), never negative, ISO 4217 currency.

    Raises InvalidArgumentError for anything else; currencies never mix.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        amount, currency = self.amount_minor, self.currency
        if type(amount) is not int or not 0 <= amount <= AMOUNT_MINOR_MAX:
            raise InvalidArgumentError(
                f"amount_minor must be a whole number of the smallest unit from 0 to {AMOUNT_MINOR_MAX}.",
                field="amount_minor",
            )
        if type(currency) is not str or not _CURRENCY.fullmatch(currency):
            raise InvalidArgumentError("currency must be an ISO 4217 code such as EUR.", field="currency")

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise InvalidArgumentError(f"{self.currency} and {other.currency} cannot be mixed.", field="currency")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(amount_minor=self.amount_minor + other.amount_minor, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(amount_minor=self.amount_minor - other.amount_minor, currency=self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor < other.amount_minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor <= other.amount_minor

    def __bool__(self) -> bool:
        return self.amount_minor != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What points are worth: `points` are worth `amount_minor` of `currency`; the provider's, fixed per redemption."""

    id: str
    points: int
    amount_minor: int
    currency: str
    rounding: Rounding = "down"

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise InvalidArgumentError("rate.id must be a text.", field="rate.id")
        require_points(self.points, field="rate.points")
        Money(amount_minor=self.amount_minor, currency=self.currency)
        if self.amount_minor == 0:
            raise InvalidArgumentError("rate.amount_minor must be at least 1.", field="rate.amount_minor")
        if self.rounding not in get_args(Rounding):
            raise InvalidArgumentError("rate.rounding must be down, half_up or up.", field="rate.rounding")

    def worth(self, points: int) -> Money:
        """The value of so many points, rounded as the programme does."""
        return Money(amount_minor=self.worth_minor(require_points(points, least=0)), currency=self.currency)

    def fewest_points(self, value: Money) -> int:
        """The fewest points that are worth at least `value`."""
        return self.fewest_for_minor(self._minor(value))

    def most_points(self, value: Money) -> int:
        """The most points that are worth at most `value`."""
        return self.most_for_minor(self._minor(value))

    def _minor(self, value: Money) -> int:
        if value.currency != self.currency:
            raise InvalidArgumentError(f"{self.currency} and {value.currency} cannot be mixed.", field="currency")
        return value.amount_minor

    def worth_minor(self, points: int) -> int:
        """The same as a bare number in the smallest unit, for whoever reckons with many of them."""
        product = points * self.amount_minor
        if self.rounding == "up":
            return ceil_div(product, self.points)
        if self.rounding == "half_up":
            return (2 * product + self.points) // (2 * self.points)
        return product // self.points

    def most_for_minor(self, value_minor: int) -> int:
        """The most points that are worth at most this bare number."""
        return self.fewest_for_minor(value_minor + 1) - 1

    def fewest_for_minor(self, target_minor: int) -> int:
        """The fewest points that are worth at least this bare number."""
        if target_minor == 0:
            return 0
        # The least product that still rounds to the target, divided exactly; one line per rounding.
        if self.rounding == "up":
            points = (target_minor - 1) * self.points // self.amount_minor + 1
        elif self.rounding == "half_up":
            points = ceil_div((2 * target_minor - 1) * self.points, 2 * self.amount_minor)
        else:
            points = ceil_div(target_minor * self.points, self.amount_minor)
        if not self.worth_minor(points) >= target_minor > self.worth_minor(points - 1):
            raise AssertionError(f"the fewest points worth {target_minor} at {self} came out as {points}")
        return points


def ceil_div(numerator: int, denominator: int) -> int:
    """Whole division, rounded up; for numbers that are not negative."""
    return -(-numerator // denominator)


def largest_remainder(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `amount` over `weights` in proportion, exactly; ties go to the earlier one; no part exceeds its weight.

    Needs `0 <= amount <= sum(weights)`.
    """
    whole = sum(weights)
    if not 0 <= amount <= whole or any(weight < 0 for weight in weights):
        raise AssertionError(f"cannot split {amount} over {whole}")
    if whole == 0:
        return tuple(0 for _ in weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    if sum(parts) != amount or any(part > weight for part, weight in zip(parts, weights, strict=True)):
        raise AssertionError(f"split of {amount} over {weights} does not add up")
    return tuple(parts)
