"""What a return gives back by its order's own rule, and what it would if another rule held from now on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from punktgenau.checkout.allocation import Allocation, Pot
from punktgenau.checkout.owned import paid_in_money, points_back
from punktgenau.checkout.refund import Split, split_of
from punktgenau.checkout.returned import BackBy, History, Returned, bound_back, has_left, returned
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
            own_cents = (bound_back(allocation, history), bound_back(allocation, with_it))
            step = _from_now_on(allocation, before, step, policy=each, parcels=parcels, owned=own_cents)
            carry_minor = before.carry_minor + step.carry_minor
        splits[each] = split_of(step, carry_minor, currency)
    return splits


def _from_now_on(
    allocation: Allocation,
    before: Returned,
    share: Returned,
    *,
    policy: RefundPolicy,
    parcels: int | None,
    owned: tuple[Mapping[Pot, int], Mapping[Pot, int]],
) -> Returned:
    """One return by another rule than the order's own, which has led to `before`; what went back stays as it went.

    Points first: points as far as any are left, the rest in money; money first the other way round; proportional: the
    `share` of its lines, as far as points and money are left for it. What is bound to its lines comes back by any rule:
    `owned` by what came back before, and with it.
    """
    split_minor = share.goods_minor - share.other_minor - share.bound_minor
    captured_minor = sum(line.free_minor for line in allocation.lines if has_left(line, parcels))
    gone_free_minor = before.value_minor - before.bound_minor
    points_left_minor = max(0, captured_minor - gone_free_minor)
    gone_minor = before.goods_minor - before.other_minor - before.value_minor
    money_left_minor = max(0, sum(line.money_minor for line in allocation.lines) - gone_minor)
    own_minor = share.value_minor - share.bound_minor
    wanted_minor = {"points_first": split_minor, "money_first": 0, "proportional": own_minor}[policy]
    free_minor = min(max(wanted_minor, split_minor - money_left_minor), points_left_minor)
    rest_minor = split_minor - free_minor
    value_minor = share.bound_minor + free_minor
    first = (before.value_minor, before.value_minor + value_minor)
    # Lines own their points cent by cent, so a few more or less may be left than the same cents of the order own.
    (from_points, from_worth), (to_points, to_worth) = (
        points_back(allocation, minor, [(0, minor - sum(own.values()))], own, whole=False)
        for minor, own in zip(first, owned, strict=True)
    )
    left = allocation.points - before.points
    return Returned(
        goods_minor=share.goods_minor,
        other_minor=share.other_minor,
        value_minor=value_minor,
        money_minor=paid_in_money(allocation, gone_minor + rest_minor) - paid_in_money(allocation, gone_minor),
        points=left if first[1] == allocation.value_minor else min(to_points - from_points, left),
        carry_minor=value_minor - (to_worth - from_worth),
        bound_minor=share.bound_minor,
    )
