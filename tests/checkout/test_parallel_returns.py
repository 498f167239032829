"""Fifty times two to four returns at once; a thousand: `python3 tests --long parallel`."""

import pytest

from _parallel_returns import POLICIES, check
from _world import World


@pytest.mark.scenario(
    "T52", "parallel returns, two to four, fifty times: never more comes back than was paid, to the cent"
)
def test_returns_at_once_fifty_times(world: World):
    world.provider.give("mbr_2500", 2500)
    client = world.made[0][1]
    for seed in range(50):
        if seed % 17 == 0:
            settings = {"refund_policy": POLICIES[seed // 17], "deadline_s": 8}
            shops = (world.checkout(**settings), world.checkout(**settings))
            shops[0].balance("anna", max_age_s=0)
        order = f"A-{seed}"
        check(seed, shops, order=order, seen=lambda order: client.redemptions.find(order_reference=order)[0])
    assert world.provider.points() == (2500, 0)
