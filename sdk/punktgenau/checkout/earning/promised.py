"""What is promised for a cart with articles that must be paid with points, where these are missing. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from punktgenau.checkout.cart import Cart
from punktgenau.money import Rate


@dataclass(frozen=True, slots=True)
class Promised:
    """The cart that is promised for, and what points pay of it; `cart` None: nothing of it can be bought."""

    cart: Cart | None
    points: int
    value_minor: int


def promised(cart: Cart, *, points: int, value_minor: int, rate: Rate | None) -> Promised:
    """Only money earns, and what points must pay is never paid in money.

    Lines for which `points` do not suffice count as if they did, so with their co-payment; where no rate tells what
    that is, they are left out.
    """
    missing = dict(_missing(cart, points))
    if not missing:
        return Promised(cart, points, value_minor)
    if rate is None or rate.currency != cart.currency:
        lines = tuple(line for line in cart.lines if line.id not in missing)
        return Promised(replace(cart, lines=lines, total_minor=None) if lines else None, points, value_minor)
    points += sum(missing.values())
    more_minor = sum(rate.worth_minor(one) for one in missing.values())
    return Promised(cart, points, min(value_minor + more_minor, cart.payable.amount_minor))


def _missing(cart: Cart, points: int) -> Iterator[tuple[str, int]]:
    """The lines that are not paid, each with its points: the first in the cart come first."""
    for line in cart.gross_lines:
        if line.bound_points > points:
            yield line.id, line.bound_points
        else:
            points -= line.bound_points
