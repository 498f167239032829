"""What an amended order makes of its points. Pure; amounts in the smallest unit.

Before the points are captured they stay, or fewer of them are taken. Afterwards a smaller order is a return by its
amount, and the new version counts from what is left of points and money then: what was owed of a point is settled.
"""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.returned import BackBy, Returned
from punktgenau.errors import StateConflictError
from punktgenau.money import Money, Rate, ceil_div


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What pays an order as it is now: `points` worth `value_minor`; and what came back with the change.

    `money_minor` goes back to the customer; where the order costs more than before, it is 0 and more is due. `taken`:
    what of its points is captured as it begins, and what that is worth.
    """

    points: int
    value_minor: int
    back_points: int = 0
    back_worth_minor: int = 0
    money_minor: int = 0
    taken: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        parts = (self.points, self.value_minor, self.back_points, self.back_worth_minor, self.money_minor)
        paired = (self.points == 0) == (self.value_minor == 0)
        if min(parts) < 0 or not paired or (self.back_points == 0) != (self.back_worth_minor == 0):
            raise AssertionError(f"an amended order does not add up: {self}")


def before_capture(
    *,
    points: int,
    value_minor: int,
    rate: Rate,
    payable_minor: int,
    fits_minor: int,
    money_minimum_minor: int,
    kept_points: int = 0,
    gone_points: int = 0,
) -> Version:
    """Of the held points the most that fit into what points may pay, and leave nothing or what a card takes.

    At least `kept_points`, which are bound to its lines; `gone_points` were bound to units that it does not have.
    """
    if gone_points:
        points -= gone_points
        value_minor = rate.worth_minor(points)
    most_minor = min(value_minor, fits_minor)
    room_minor = max(0, payable_minor - money_minimum_minor)
    for limit_minor in (most_minor, min(most_minor, room_minor)):
        made = _of_rate(points, value_minor, rate, limit_minor)
        due_minor = payable_minor - made.value_minor
        if made.points >= kept_points and (due_minor == 0 or due_minor >= money_minimum_minor):
            return made
    return Version(points=kept_points, value_minor=rate.worth_minor(kept_points))


def _of_rate(points: int, value_minor: int, rate: Rate, limit_minor: int) -> Version:
    if value_minor <= limit_minor:
        return Version(points=points, value_minor=value_minor)
    most = rate.worth(min(points, rate.most_points(Money(amount_minor=limit_minor, currency=rate.currency))))
    return Version(points=rate.fewest_points(most), value_minor=most.amount_minor)


def after_capture(
    allocation: Allocation,
    back: Returned,
    *,
    policy: BackBy,
    payable_minor: int,
    fits_minor: int,
    kept_points: int = 0,
    gone_points: int = 0,
) -> Version:
    """What the points still pay of the new order, and what goes back; `back` is all that came back before.

    `kept_points` are bound to its lines and stay; `gone_points` were bound to units that it does not have, and go back.
    Raises StateConflictError where a part of the points would have to go back, and the provider takes only all.
    """
    points, value_minor = allocation.points - back.points, allocation.value_minor - back.worth_minor
    money_minor = allocation.paid_minor - back.money_minor
    # What is still owed of a point is no part of what was paid for the goods that are left.
    gone_minor, kept_minor = _bound_minor(points, value_minor, gone_points, kept_points)
    free_points, free_minor = points - gone_points - kept_points, value_minor - gone_minor - kept_minor
    pays_minor = free_minor - back.carry_minor
    less_minor = money_minor + pays_minor - (payable_minor - kept_minor)
    wanted_minor = 0
    if less_minor > 0 and policy == "proportional":
        wanted_minor = pays_minor * less_minor // (money_minor + pays_minor)
    elif less_minor > 0 and policy == "points_first":
        wanted_minor = min(pays_minor, less_minor)
    elif policy == "money_first":
        wanted_minor = max(0, less_minor - money_minor)
    room_minor = max(0, fits_minor - kept_minor)
    wanted_minor = min(max(wanted_minor, free_minor - room_minor), free_minor)
    back_points, worth_minor = _back(free_points, free_minor, wanted_minor, room_minor)
    back_points, worth_minor = back_points + gone_points, worth_minor + gone_minor
    if policy is None and back_points not in {0, points}:
        raise _not_offered(value_minor, fits_minor)
    left_minor = value_minor - worth_minor
    return Version(
        points=points - back_points,
        value_minor=left_minor,
        back_points=back_points,
        back_worth_minor=worth_minor,
        money_minor=max(0, money_minor - (payable_minor - left_minor)),
        taken=(points - back_points, left_minor),
    )


def between_parcels(
    *,
    taken: tuple[int, int],
    held: tuple[int, int],
    money_minor: int,
    policy: BackBy,
    rate: Rate,
    payable_minor: int,
    fits_minor: tuple[int, int],
    money_minimum_minor: int,
    kept_points: int = 0,
    gone_points: int = 0,
) -> Version:
    """What has left stays paid by what was `taken` for it; of what is `held` the most that fits into the rest.

    `money_minor`: what was paid in money and did not come back. `fits_minor`: what points may pay of what has left, and
    of the rest. `kept_points` and `gone_points` as `before_capture`, of the rest. Raises StateConflictError as
    `after_capture`.
    """
    points, value_minor = taken
    fits_here, fits_rest = fits_minor
    back_points, back_worth = _back(points, value_minor, value_minor - fits_here, fits_here)
    if policy is None and back_points not in {0, points}:
        raise _not_offered(value_minor, fits_here)
    kept = (points - back_points, value_minor - back_worth)
    more = before_capture(
        points=held[0],
        value_minor=held[1],
        rate=rate,
        payable_minor=payable_minor - kept[1],
        fits_minor=fits_rest,
        money_minimum_minor=money_minimum_minor,
        kept_points=kept_points,
        gone_points=gone_points,
    )
    pays_minor = kept[1] + more.value_minor
    return Version(
        points=kept[0] + more.points,
        value_minor=pays_minor,
        back_points=back_points,
        back_worth_minor=back_worth,
        money_minor=max(0, money_minor - (payable_minor - pays_minor)),
        taken=kept,
    )


def _not_offered(value_minor: int, fits_minor: int) -> StateConflictError:
    return StateConflictError(
        f"Points pay {value_minor} of this order and may pay {fits_minor} of the new one, and this provider gives "
        "points back only as a whole. Nothing was changed; cancel the order and place it anew.",
        code="not_offered",
    )


def _bound_minor(points: int, value_minor: int, gone_points: int, kept_points: int) -> tuple[int, int]:
    """What points are worth that are bound to units which are gone, and which are kept, of all that are left."""
    if points == 0:
        return 0, 0
    gone_minor = value_minor * gone_points // points
    return gone_minor, value_minor * (gone_points + kept_points) // points - gone_minor


def _back(points: int, value_minor: int, wanted_minor: int, fits_minor: int) -> tuple[int, int]:
    """Whole points that are worth what is wanted, and their worth: the rest is money. What is left has to fit."""
    if wanted_minor <= 0:
        return 0, 0
    if value_minor <= points:
        return ceil_div(points * wanted_minor, value_minor), wanted_minor
    back = points * wanted_minor // value_minor
    worth_minor = ceil_div(value_minor * back, points)
    if value_minor - worth_minor > fits_minor:
        back += 1
        worth_minor = ceil_div(value_minor * back, points)
    return back, worth_minor
