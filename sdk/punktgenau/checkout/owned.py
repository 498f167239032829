"""Which points the cents that came back own, and what of them was paid in money. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from punktgenau.checkout.allocation import Allocation, Pot


def paid_in_money(allocation: Allocation, money: int) -> int:
    """Of what money should have paid of these goods, what was paid."""
    if allocation.written_off_minor == 0:
        return money
    return money - allocation.written_off_minor * money // (allocation.paid_minor + allocation.written_off_minor)


def points_back(
    made: Allocation, value: int, ranges: Sequence[tuple[int, int]], own: Mapping[Pot, int], *, whole: bool
) -> tuple[int, int]:
    """The points that go back for these cents, those in `own` bound to lines, and what they are worth."""
    if value == made.value_minor:
        return made.points, value
    if whole:
        return 0, 0
    if made.is_coarse:
        # A point is worth more than a cent: whole points of the order's cents, the rest is owed.
        back = made.points_of(value)
        return back, made.worth_of(back)
    if made.is_in_parcels:
        # Parcels take the order's cents from the first one on, so never more comes back than was captured.
        ranges = [(0, sum(length for _, length in ranges))]
    # Each cent owns its points, as the order's cents own them: nothing is lost between two ranges.
    free = sum(made.points_of(start + length) - made.points_of(start) for start, length in ranges)
    return made.bound_points(own) + free, value
