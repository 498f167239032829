"""Every call comes back by its deadline, whatever another process does or does not do."""

import pytest

from _world import CART, World
from punktgenau.checkout import Checkout


@pytest.mark.scenario("K1", "a double click whose first request died comes back by its deadline, still unknown")
def test_a_second_click_does_not_wait_for_ever(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.provider.fault("authorize", "reset", times=9)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    # Another process took the operation over, and died with it.
    assert checkout._journal.claim(checkout._latest("A-1").id, lease_s=3600) is not None
    started = world.clock.monotonic()
    payment = world.checkout(deadline_s=0.4).authorize("A-1", CART, customer_id="anna", points=427)
    assert payment.state == "authorizing"
    assert world.clock.monotonic() - started < 0.4 * 1.05 + 0.2
    assert world.provider.points() == (2073, 427)
