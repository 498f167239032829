"""Points and their worth, in integers only. Written apart from the client's arithmetic, on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAX_POINTS = 10**15
MAX_MINOR = 10**15


@dataclass(frozen=True)
class ProgrammeRate:
    """`points` points are worth `amount_minor` minor units; a worth between two units is rounded down."""

    id: str
    points: int
    amount_minor: int
    currency: str
    rounding: Literal["down"] = "down"

    def worth_minor(self, points: int) -> int:
        """What `points` are worth, in whole minor units."""
        return points * self.amount_minor // self.points

    def most_points_within(self, amount_minor: int) -> int:
        """The largest number of points whose worth is at most `amount_minor`."""
        return ((amount_minor + 1) * self.points - 1) // self.amount_minor

    def fewest_points_worth(self, amount_minor: int) -> int:
        """The smallest number of points whose worth is at least `amount_minor`."""
        return -(-amount_minor * self.points // self.amount_minor)

    def fits(self, *, points: int, amount_minor: int, line_count: int) -> bool:
        """Whether the two belong together, within one minor unit per line and one more, or one point's worth."""
        apart = abs(amount_minor * self.points - points * self.amount_minor)
        return apart <= max((max(line_count, 1) + 1) * self.points, self.amount_minor)


def share_minor(*, part_points: int, whole_points: int, whole_minor: int) -> int:
    """The value of the first `part_points` of `whole_points` worth `whole_minor`; all of them have all of it."""
    return whole_minor * part_points // whole_points if whole_points else 0
