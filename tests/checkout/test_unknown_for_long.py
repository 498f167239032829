"""What takes long to be known: asked again and again, never sent at first, refused or away for days."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from _world import CART, World
from punktgenau import AuthenticationError
from punktgenau.checkout import Checkout

AWAY = "http://127.0.0.1:9"
"""Where nobody listens: nothing is ever sent."""
DAY_S = 86_400


def at(*names: str) -> Any:
    """At each of these kinds of provider, on SQLite: nothing here is kept in another way on PostgreSQL."""
    kinds = pytest.mark.parametrize("shop", names, indirect=True)
    sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    return lambda test: kinds(sqlite(test))


def first(world: World) -> Checkout:
    return world.made[0][0]


def place(world: World, **more: Any) -> Any:
    return first(world).authorize("A-1", CART, customer_id="anna", points=427, **more)


def wait(world: World, checkout: Checkout, *, every_s: int, times: int) -> None:
    for _ in range(times):
        world.advance(every_s)
        checkout.recover()


@contextmanager
def refusing_capture(world: World) -> Iterator[None]:
    """Who we are is not believed any more, whenever something is captured."""
    calls = world.made[0][1].redemptions
    real = calls.capture

    def refuse(*_: Any, **__: Any) -> Any:
        raise AuthenticationError("Not known.", code="invalid_client")

    calls.capture = refuse  # type: ignore[method-assign]
    yield
    calls.capture = real  # type: ignore[method-assign]


@at("no_keys")
def test_asking_each_minute_does_not_put_the_settling_off(shop: World):
    place(shop)
    shop.order("A-1", "paid")
    shop.provider.fault("capture", "reset", when="before")
    shop.provider.fault("get", "status_503", times=400)
    assert first(shop).capture("A-1").state == "capturing"
    wait(shop, first(shop), every_s=61, times=12)
    shop.provider.heal()
    # What is due after the longest pause of 15 minutes settles then, and is captured anew.
    wait(shop, first(shop), every_s=61, times=20)
    assert first(shop).find("A-1").state == "captured"
    assert shop.provider.points() == (2073, 0)


@at("no_keys")
def test_a_customer_who_keeps_asking_is_told_once_it_has_settled(shop: World):
    shop.provider.fault("authorize", "reset", when="before")
    assert place(shop).state == "authorizing"
    for _ in range(11):
        shop.advance(10)
        assert first(shop).try_again("A-1").state == "authorizing"
    # Look-ups see everything after 120 s.
    shop.advance(11)
    first(shop).recover()
    assert first(shop).find("A-1").state == "declined"


@at("reference", "no_keys", "neither", "short_window", "replays_errors")
def test_a_repair_that_was_begun_while_nobody_answered(shop: World):
    place(shop, hold_s=300)
    shop.order("A-1", "pending")
    wait(shop, first(shop), every_s=400, times=1)
    wait(shop, first(shop), every_s=61, times=1)
    assert first(shop).find("A-1").state == "expired"
    away = shop.checkout(url=AWAY)
    shop.order("A-1", "paid")
    assert away.capture("A-1").state == "short"
    wait(shop, away, every_s=61, times=12)
    wait(shop, first(shop), every_s=61, times=20)
    assert first(shop).find("A-1").state == "captured"
    assert shop.provider.points() == (2073, 0)


@at("reference", "no_keys", "neither")
def test_a_capture_that_was_begun_while_nobody_answered(shop: World):
    place(shop)
    shop.order("A-1", "paid")
    assert shop.checkout(url=AWAY).capture("A-1").state == "capturing"
    wait(shop, first(shop), every_s=61, times=1)
    assert first(shop).find("A-1").state == "captured"
    assert shop.provider.points() == (2073, 0)


@at("no_keys")
def test_a_claim_that_ended_unheard_may_have_sent(shop: World):
    """A process that took the operation over and died is not one that is proven to have sent nothing."""
    place(shop)
    shop.order("A-1", "paid")
    assert shop.checkout(url=AWAY).capture("A-1").state == "capturing"
    row = first(shop)._journal.latest("A-1")
    assert row is not None
    assert first(shop)._journal.claim(row.id, lease_s=2.0) is not None
    shop.advance(61)
    again = first(shop)._journal.claim(row.id, lease_s=2.0)
    assert again is not None
    assert not again.is_first


@pytest.mark.parametrize("how", ["refused", "away"])
def test_what_is_not_done_for_days_is_seen_by_a_person_and_asked_all_the_same(
    world: World, checkout: Checkout, how: str
):
    checkout.authorize("A-1", CART, customer_id="anna", points=427, hold_s=7 * DAY_S)
    world.order("A-1", "paid")
    away = checkout if how == "refused" else world.checkout(url=AWAY)
    with refusing_capture(world):
        assert away.capture("A-1").state == "capturing"
        wait(world, away, every_s=DAY_S // 2, times=1)
        assert away.find("A-1").state == "capturing"
        wait(world, away, every_s=DAY_S // 2 + 60, times=1)
        assert away.find("A-1").state == "needs_attention"
        assert away.recover().needs_attention == 1
    wait(world, checkout, every_s=3600, times=1)
    assert checkout.find("A-1").state == "captured"
    assert world.provider.points() == (2073, 0)


@at("reference")
def test_an_outage_is_over_soon_after_it_ends(shop: World):
    """Eleven minutes in which not a byte went out are no reason to wait for a quarter of an hour more."""
    place(shop)
    shop.order("A-1", "paid")
    away = shop.checkout(url=AWAY)
    away.capture("A-1")
    for _ in range(66):
        shop.clock.advance(10)
        away.recover_one(deadline_s=2.0)
    for _ in range(4):
        shop.clock.advance(10)
        first(shop).recover_one(deadline_s=2.0)
    assert first(shop).find("A-1").state == "captured"
