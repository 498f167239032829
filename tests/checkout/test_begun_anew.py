"""What is proven to have done nothing is begun anew, whatever has happened to its row since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy

from _world import CART, MovedClock, Provider, World
from punktgenau.checkout.extending import extension
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


def extending_and_dead(provider: Provider, database_url: str) -> World:
    """A shop without an order loader, whose worker died while it made a hold longer; its lease goes on."""
    provider.play("short_holds")
    world = World(provider, MovedClock(), database_url, profile=PROFILES["short_holds"])
    checkout = world.checkout(loader=False, deadline_s=0.5)
    checkout.upgrade()
    checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
    checkout.authorize("A-1", CART, customer_id="anna", points=427, hold_s=7200)
    world.advance(700)
    row = checkout._journal.latest("A-1")
    assert row is not None
    longer = extension(PROFILES["short_holds"], row, now_ms=checkout._journal.now_ms())
    assert longer is not None
    checkout._journal.begin_operation(row, longer, lease_s=8)
    return world


def lease_ends(world: World) -> None:
    """On PostgreSQL leases go by the server's clock, which no test moves."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_operation SET lease_until = 0"))
    engine.dispose()


def close(world: World) -> None:
    for made, client in world.made:
        made.close()
        client.close()


@pytest.mark.parametrize("ends_s", [61, 1000])
def test_paid_while_a_dead_worker_makes_the_hold_longer(provider: Provider, database_url: str, ends_s: int) -> None:
    """Noted, and carried out without an order loader: by the hold, or anew where that has ended meanwhile."""
    world = extending_and_dead(provider, database_url)
    checkout = world.made[0][0]
    payment = checkout.capture("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.due.amount_minor) == ("capturing", 427, 5053)
    assert checkout.capture("A-1") == payment
    lease_ends(world)
    for _ in range(3):
        world.advance(ends_s)
        checkout.recover(due_only=True)
    payment = checkout.find("A-1")
    close(world)
    assert payment is not None
    assert (payment.state, payment.attempt) == ("captured", 1 if ends_s == 61 else 2)
    assert provider.points() == (2073, 0)


def test_cancelled_after_it_was_noted_as_paid(provider: Provider, database_url: str) -> None:
    world = extending_and_dead(provider, database_url)
    checkout = world.made[0][0]
    checkout.capture("A-1")
    checkout.cancel("A-1")
    lease_ends(world)
    for _ in range(3):
        world.advance(61)
        checkout.recover(due_only=True)
    payment = checkout.find("A-1")
    close(world)
    assert payment is not None
    assert (payment.state, payment.due.amount_minor) == ("voided", 5480)
    assert provider.points() == (2500, 0)
