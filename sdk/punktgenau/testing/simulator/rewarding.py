"""Reward articles, judged when everything has come to rest: none is had without the points that must pay it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator.plans import REWARD_POINTS

if TYPE_CHECKING:
    from punktgenau.testing.simulator.world import World

_LEAST = 2 * REWARD_POINTS


def never_free(world: World) -> Iterator[str]:
    """I9: an order with reward articles holds all of their points or none, and never goes on without."""
    for told in world.shop.told:
        order = world.shop.orders.get(told.reference)
        if order is None or not order.plan.rewards:
            continue
        if told.call == "without" and told.error is None:
            yield f"{told.actor} was told that {told.reference} goes on without points, and its articles need some"
        if told.payment is not None and 0 < told.payment.agreed_points < _LEAST:
            yield f"{told.actor} was told that {told.payment.agreed_points} points pay {told.reference}"
    for row in world.auditor.rows("SELECT order_reference, points FROM punktgenau_redemption"):
        if world.shop.orders[row["order_reference"]].plan.rewards and row["points"] < _LEAST:
            yield f"{row['order_reference']} was to be paid with {row['points']} points, its articles need {_LEAST}"
