"""The provider is away and no calls are made any more: what is due stays due, not put off by calls never made."""

import pytest
from sqlalchemy import select

from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.schema import operation

ROWS = 10
OPEN_S = 5
"""For so long the client makes no calls after five in a row that failed."""


def ops(shop: Checkout) -> list[tuple[int, int, str]]:
    """Passes, sends and outcome of everything that is open."""
    asked = select(operation.c.passes, operation.c.sends, operation.c.outcome).where(operation.c.open_key.is_not(None))
    with shop._database.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(asked)]  # type: ignore[misc]


def due_rows(world: World) -> Checkout:
    """Ten captures whose answers never came, due again; seen by a process that has made no call yet."""
    checkout = world.made[0][0]
    for number in range(ROWS):
        world.order(f"A-{number}", "paid")
        checkout.authorize(f"A-{number}", CART, customer_id="anna", points=100)
    world.provider.fault("any", "reset", when="before", times=9_999)
    for number in range(ROWS):
        # Each process of the shop has a client, and a circuit, of its own.
        world.checkout().capture(f"A-{number}")
    world.clock.advance(61)
    return world.checkout()


@pytest.mark.scenario("N16", "away for long: no call is made, nothing is put off; back again, all is done in a minute")
@pytest.mark.parametrize("one_by_one", [False, True])
def test_an_open_circuit_puts_nothing_off(world: World, checkout: Checkout, one_by_one: bool) -> None:
    shop = due_rows(world)
    assert [passes for passes, _, _ in ops(shop)] == [1] * ROWS
    shop.recover(due_only=True)
    tried = sorted(passes for passes, _, _ in ops(shop))
    # Five calls failed, and no further one was made: neither counted nor put off.
    assert tried == [1] * 5 + [2] * 5
    for _ in range(20):
        if one_by_one:
            assert not shop.recover_one(deadline_s=2.0)
        else:
            shop.recover(due_only=True)
        shop.recover()
    assert sorted(passes for passes, _, _ in ops(shop)) == tried
    world.provider.heal()
    world.clock.advance(60)
    if one_by_one:
        for _ in range(ROWS):
            assert shop.recover_one(deadline_s=2.0)
    else:
        assert shop.recover(due_only=True).finished == ROWS
    assert ops(shop) == []
    assert world.provider.points() == (2500 - 100 * ROWS, 0)
    assert {there(shop.find(f"A-{number}")).state for number in range(ROWS)} == {"captured"}
