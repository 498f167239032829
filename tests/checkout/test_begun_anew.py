"""What is proven to have done nothing is begun anew, whatever has happened to its row since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from _world import CART, MovedClock, Provider, World
from punktgenau.provider import PROFILES


@pytest.fixture
def shop(provider: Provider, database_url: str) -> Iterator[World]:
    """A shop without an order loader, at a provider that knows no keys and holds for a quarter of an hour."""
    provider.play("no_keys", longest_hold_s=900)
    profile = replace(PROFILES["no_keys"], longest_hold_s=900)
    world = World(provider, MovedClock(), database_url, profile=profile)
    checkout = world.checkout(loader=False)
    checkout.upgrade()
    checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
    yield world
    for made, client in world.made:
        made.close()
        client.close()


def test_a_capture_proven_undone_and_then_a_longer_hold(shop: World) -> None:
    checkout = shop.made[0][0]
    checkout.authorize("A-1", CART, customer_id="anna", points=427, hold_s=7200)
    shop.provider.fault("capture", "reset", when="before", times=9)
    payment = checkout.capture("A-1")
    assert payment is not None
    assert payment.state == "capturing"
    shop.provider.heal()
    for _ in range(12):
        shop.advance(65)
        checkout.recover(due_only=True)
    row = checkout._journal.latest("A-1")
    assert row is not None
    kinds = [operation.kind for operation in checkout._journal.operations(row.id)]
    # The row has forgotten why the capture failed; the operation has not.
    assert (row.state, kinds) == ("authorized", ["authorize", "capture", "extend"])
    payment = checkout.capture("A-1")
    assert payment is not None
    assert payment.state == "captured"
    operations = checkout._journal.operations(row.id)
    assert [operation.kind for operation in operations].count("capture") == 2
    assert len({operation.key for operation in operations}) == 4
    assert shop.provider.points() == (2073, 0)
