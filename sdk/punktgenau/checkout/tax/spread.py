"""Spreading redeemed points and their worth over the VAT rates of the order that earned them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from punktgenau.money import largest_remainder


def so_many_of(points: int, weights: Sequence[int]) -> tuple[int, ...]:
    """The first `points` points of an accrual over its rates: in proportion, and never fewer where there are more.

    Each rate takes its share of what the rates before it leave, rounded half up. So what is redeemed later comes on
    top of what was redeemed before, whichever month that was, and all points of the accrual are its rates' own.
    """
    shares, left = [], points
    for place, weight in enumerate(weights):
        whole = sum(weights[place:])
        share = (2 * left * weight + whole) // (2 * whole) if whole else 0
        shares.append(share)
        left -= share
    return tuple(shares)


def between(before: int, after: int, weights: Sequence[int]) -> tuple[int, ...]:
    """The points of an accrual from the one to the other; negative where they were given back."""
    pairs = zip(so_many_of(before, weights), so_many_of(after, weights), strict=True)
    return tuple(late - early for early, late in pairs)


def worth_over(amount_minor: int, points: Sequence[int], weights: Sequence[int]) -> tuple[int, ...]:
    """What these points are worth together, over their rates: by the points of each, exact in the sum."""
    sign = -1 if amount_minor < 0 else 1
    by = [abs(one) for one in points]
    if not any(by) or (min(points) < 0 < max(points)):
        # Points that cancel each other out leave nothing to go by but the whole accrual.
        by = list(weights)
    # A point may be worth more than one unit.
    parts = largest_remainder(abs(amount_minor), [weight * max(1, abs(amount_minor)) for weight in by])
    return tuple(sign * part for part in parts)
