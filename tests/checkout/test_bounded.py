"""Every call comes back by its deadline, whatever another process does or does not do."""

import pytest

from _world import CART, World
from punktgenau import UnavailableError
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


def test_a_look_up_gets_what_the_call_left(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    # The first send takes 1.2 s of the two, and the answer to the repeat has to be looked up.
    world.provider.fault("capture", "hang", when="before", delay_s=1.2)
    world.provider.fault("get", "hang", when="before", times=9, delay_s=5)
    shop = world.checkout(deadline_s=2.0)
    started = world.clock.monotonic()
    assert shop.capture("A-1").state == "capturing"
    assert world.clock.monotonic() - started < 2.0 * 1.05 + 0.3


def test_the_balance_is_asked_within_what_the_call_has_left(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    world.provider.fault("get", "hang", when="before", delay_s=1.2)
    world.provider.fault("balance", "hang", when="before", times=9, delay_s=5)
    shop = world.checkout(deadline_s=2.0)
    started = world.clock.monotonic()
    with pytest.raises(UnavailableError):
        shop.authorize("A-1", CART, customer_id="anna", points=427)
    assert world.clock.monotonic() - started < 2.0 * 1.05 + 0.3
    assert world.provider.points() == (2500, 0)
