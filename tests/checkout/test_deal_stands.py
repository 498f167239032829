"""A hold that ends at the provider although nobody of the shop wished it: what was agreed with the customer stands."""

from __future__ import annotations

from datetime import UTC, datetime

from _world import CART, MovedClock, Provider, World
from punktgenau.checkout import Checkout
from punktgenau.events import Event
from punktgenau.provider import PROFILES


def voided_at_the_provider(world: World, checkout: Checkout) -> None:
    """By the provider's own support, who tell so with an event."""
    row = checkout._journal.latest("A-1")
    assert row is not None
    checkout._provider.redemptions.void(row.provider_id)
    told = {"redemption_id": row.provider_id, "order_reference": "A-1", "state": "voided"}
    checkout.hear(Event(id="e1", type="redemption.voided", timestamp=datetime.now(UTC), data=told))
    checkout.recover()


def test_what_was_agreed_is_due_and_the_points_are_taken_anew(world: World, checkout: Checkout) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "pending")
    voided_at_the_provider(world, checkout)
    seen = checkout.find("A-1")
    assert seen is not None
    # 54.80 less 4.27: what the customer saw, and what is charged.
    assert (seen.state, seen.points, seen.due.amount_minor) == ("voided", 0, 5053)
    paid = checkout.capture("A-1")
    assert paid is not None
    assert (paid.state, paid.attempt, paid.due.amount_minor) == ("captured", 2, 5053)
    assert ("redemption_short", "A-1") in world.events
    assert world.provider.points() == (2073, 0)


def test_going_on_without_points_ends_the_deal(world: World, checkout: Checkout) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "pending")
    voided_at_the_provider(world, checkout)
    without = checkout.authorize("A-1", CART, customer_id="anna", points=0)
    assert (without.points, without.due.amount_minor) == (0, 5480)
    world.order("A-1", "paid")
    late = checkout.capture("A-1")
    assert late is not None
    assert (late.state, late.due.amount_minor) == ("voided", 5480)
    world.advance(3600)
    checkout.recover()
    assert world.provider.points() == (2500, 0)


def test_somebody_looks_again_and_sees_that_it_was_paid(world: World, checkout: Checkout) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "pending")
    voided_at_the_provider(world, checkout)
    world.order("A-1", "paid")
    world.advance(61)
    checkout.recover(due_only=True)
    found = checkout.find("A-1")
    assert found is not None
    assert (found.state, found.attempt) == ("captured", 2)
    assert world.provider.points() == (2073, 0)


def test_an_extension_that_finds_the_hold_voided(provider: Provider, database_url: str) -> None:
    provider.play("short_holds")
    world = World(provider, MovedClock(), database_url, profile=PROFILES["short_holds"])
    checkout = world.checkout()
    checkout.upgrade()
    checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
    checkout.authorize("A-1", CART, customer_id="anna", points=427, hold_s=7200)
    world.order("A-1", "pending")
    row = checkout._journal.latest("A-1")
    assert row is not None
    checkout._provider.redemptions.void(row.provider_id)
    for _ in range(13):
        world.advance(61)
        checkout.recover(due_only=True)
    paid = checkout.capture("A-1")
    for made, client in world.made:
        made.close()
        client.close()
    assert paid is not None
    assert (paid.state, paid.attempt, paid.due.amount_minor) == ("captured", 2, 5053)
    assert provider.points() == (2073, 0)
