"""Clocks that are wrong: ours jumps, theirs is a day off, the country changes its hour. No points move for that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from _mortal import end_leases
from _world import CART, MovedClock, World
from punktgenau.checkout import Checkout


class JumpyClock(MovedClock):
    """Its wall time can be set to anything; its monotonic time goes on as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.off = timedelta()
        self.stands_at: datetime | None = None

    def now(self) -> datetime:
        return self.stands_at or super().now() + self.off


@pytest.fixture
def clock() -> JumpyClock:
    return JumpyClock()


@pytest.fixture
def shop(world: World, checkout: Checkout, clock: JumpyClock) -> Checkout:
    """A process of the shop with a clock of its own; others have the right time."""
    world.clock = clock
    return world.checkout()


@pytest.mark.scenario(
    "D7", "our wall clock jumps three hours ahead and back: no hold ends by it, nothing is taken twice"
)
@pytest.mark.parametrize("hours", [1, 3, 30])
def test_a_jump_ahead_and_back(world: World, shop: Checkout, clock: JumpyClock, hours: int) -> None:
    world.order("A-1", "pending")
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    clock.off = timedelta(hours=hours)
    for _ in range(2):
        shop.recover()
        assert (shop.find("A-1").state, world.provider.points()) == ("authorized", (2073, 427))
    # Whoever looks asks the provider, and only where the hold seems to be over.
    assert (world.provider.sent("get") > 0) == (hours > 2)
    clock.off = timedelta()
    world.order("A-1", "paid")
    end_leases(world.database_url)
    shop.recover()
    shop.recover()
    assert world.provider.redemptions() == [("A-1", "captured", 427)]
    assert world.provider.sent("capture") == 1


@pytest.mark.scenario("D7", "our wall clock is set back while a call is unknown: found later, with the same key, once")
def test_a_jump_back_while_unknown(world: World, shop: Checkout, clock: JumpyClock) -> None:
    shop.balance("anna")
    world.provider.fault("authorize", "reset", times=9)
    payment = shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    clock.off = timedelta(hours=-1)
    shop.recover()
    world.advance(3700)
    shop.recover()
    found = shop.find("A-1")
    assert (found.state, found.idempotency_key, found.attempt) == ("authorized", payment.idempotency_key, 1)
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]


@pytest.mark.scenario("D7", "a process that stood still beyond its lease sends nothing, whatever the wall clock says")
def test_a_process_that_stood_still(world: World, shop: Checkout, clock: JumpyClock) -> None:
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    begin, taken = shop._journal.begin_operation, []

    def slept(*arguments: object, **more: object) -> object:
        claim = begin(*arguments, **more)  # type: ignore[arg-type]
        # The lid of the machine was shut for an hour; its wall clock has been set back since.
        clock.advance(3600)
        clock.off = timedelta(hours=-1)
        taken.append(claim)
        return claim

    shop._journal.begin_operation = slept  # type: ignore[method-assign, assignment]
    assert shop.capture("A-1").state == "capturing"
    assert (len(taken), world.provider.sent("capture")) == (1, 0)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.scenario("D7", "over the hour that a country has twice, or not at all: two hours are two hours, in UTC")
@pytest.mark.parametrize(
    ("placed", "ends"),
    [
        # The clocks go back at 01:00 UTC, and forward at 01:00 UTC.
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 2, 30, tzinfo=UTC)),
        (datetime(2027, 3, 28, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 2, 30, tzinfo=UTC)),
        # Midnight of a leap second.
        (datetime(2016, 12, 31, 22, 59, 59, tzinfo=UTC), datetime(2017, 1, 1, 0, 59, 59, tzinfo=UTC)),
    ],
)
def test_the_hour_that_is_there_twice(
    world: World, shop: Checkout, clock: JumpyClock, placed: datetime, ends: datetime
) -> None:
    world.order("A-1", "pending")
    clock.stands_at = placed
    payment = shop.authorize("A-1", CART, customer_id="anna", points=427)
    assert payment.hold_until is not None
    assert (payment.hold_until, payment.hold_until.utcoffset()) == (ends, timedelta())
    clock.stands_at = ends - timedelta(seconds=1)
    end_leases(world.database_url)
    shop.recover()
    assert world.provider.sent("get") == 0
    clock.stands_at = ends
    shop.recover()
    assert (world.provider.sent("get"), shop.find("A-1").state) == (1, "authorized")


@pytest.mark.scenario(
    "P16", "the provider's clock is a day ahead, a day or a year behind: its interval counts, not its moment"
)
@pytest.mark.parametrize("days", [1, -1, -366])
def test_a_provider_with_another_clock(world: World, shop: Checkout, clock: JumpyClock, days: int) -> None:
    world.order("A-1", "pending")
    if days > 0:
        world.provider.advance(days * 86_400)
    else:
        clock.advance(-days * 86_400)
    now = clock.now()
    payment = shop.authorize("A-1", CART, customer_id="anna", points=427)
    assert payment.hold_until is not None
    assert timedelta(0) <= payment.hold_until - now - timedelta(hours=2) < timedelta(seconds=30)
    world.advance(3600)
    shop.recover()
    assert (shop.find("A-1").state, world.provider.sent("get")) == ("authorized", 0)
    world.advance(3700)
    shop.recover()
    assert (shop.find("A-1").state, world.provider.sent("get")) == ("expired", 1)
    assert world.provider.points() == (2500, 0)
