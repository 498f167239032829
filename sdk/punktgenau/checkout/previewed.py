"""What a return gives back by its order's own rule, and what it would if another rule held from now on."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.refund import Split, split_of
from punktgenau.checkout.returned import BackBy, History, Returned, has_left, paid_in_money, points_back, returned
from punktgenau.checkout.settings import RefundPolicy


def under_each(
    allocation: Allocation,
    histories: tuple[History, History],
    *,
    own: RefundPolicy,
    by: Callable[[RefundPolicy], BackBy],
    parcels: int | None,
    currency: str,
) -> dict[RefundPolicy, Split]:
    """What a return gives back under each rule; `histories` are those before it and with it."""
    history, with_it = histories
    before = returned(allocation, history, policy=by(own))
    splits: dict[RefundPolicy, Split] = {}
    for each in get_args(RefundPolicy):
        after = returned(allocation, with_it, policy=by(each))
        step, carry_minor = after.since(returned(allocation, history, policy=by(each))), after.carry_minor
        if by(each) != by(own):
            step = _from_now_on(allocation, before, step, policy=each, parcels=parcels)
            carry_minor = before.carry_minor + step.carry_minor
        splits[each] = split_of(step, carry_minor, currency)
    return splits


def _from_now_on(
    allocation: Allocation, before: Returned, share: Returned, *, policy: RefundPolicy, parcels: int | None
) -> Returned:
    """One return by another rule than the order's own, which has led to `before`; what went back stays as it went.

    Points first: points as far as any are left, the rest in money; money first the other way round; proportional: the
    `share` of its lines, as far as points and money are left for it.
    """
    split_minor = share.goods_minor - share.other_minor
    captured_minor = sum(line.value_minor for line in allocation.lines if has_left(line, parcels))
    points_left_minor = max(0, captured_minor - before.value_minor)
    gone_minor = before.goods_minor - before.other_minor - before.value_minor
    money_left_minor = max(0, sum(line.money_minor for line in allocation.lines) - gone_minor)
    wanted_minor = {"points_first": split_minor, "money_first": 0, "proportional": share.value_minor}[policy]
    value_minor = min(max(wanted_minor, split_minor - money_left_minor), points_left_minor)
    rest_minor = split_minor - value_minor
    first = (before.value_minor, before.value_minor + value_minor)
    # Lines own their points cent by cent, so a few more or less may be left than the same cents of the order own.
    (from_points, from_worth), (to_points, to_worth) = (
        points_back(allocation, minor, [(0, minor)], whole=False) for minor in first
    )
    left = allocation.points - before.points
    return Returned(
        goods_minor=share.goods_minor,
        other_minor=share.other_minor,
        value_minor=value_minor,
        money_minor=paid_in_money(allocation, gone_minor + rest_minor) - paid_in_money(allocation, gone_minor),
        points=left if first[1] == allocation.value_minor else min(to_points - from_points, left),
        carry_minor=value_minor - (to_worth - from_worth),
    )
