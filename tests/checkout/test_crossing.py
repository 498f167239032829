"""Two things at once that are seldom at once: found by the simulator, told here one by one."""

import sqlite3

import pytest

from _world import CART, World
from punktgenau import Client, UnavailableError
from punktgenau.checkout import Checkout, Order, Settings


@pytest.mark.scenario("K3", "cancelled while the capture of an ended hold is unknown: nothing is taken anew")
def test_cancelled_while_a_shortfall_is_found_out(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    world.provider.fault("get", "reset", when="before", times=99)
    assert checkout.capture("A-1").state == "capturing"
    checkout.cancel("A-1")
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert (checkout.find("A-1").state, checkout.find("A-1").points) == ("expired", 0)
    assert world.provider.points() == (2500, 0)
    assert world.provider.sent("authorize") == 1
    # A paid event that comes late takes nothing either.
    checkout.capture("A-1")
    assert world.provider.points() == (2500, 0)


def test_cancel_reaches_the_points_that_were_taken_anew_meanwhile(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    first = checkout._latest("A-1")
    world.advance(7300)
    assert checkout.capture("A-1").attempt == 2
    # What a cancel sees that read the order just before.
    read, seen = checkout._latest, iter([first])
    checkout._latest = lambda reference: next(seen, None) or read(reference)  # type: ignore[method-assign]
    assert checkout.cancel("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


def test_cancel_meets_a_shortfall_that_was_seen_since_it_read(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "pending")
    world.advance(7300)
    checkout.recover()
    assert checkout.find("A-1").state == "expired"
    other, change = world.checkout(), checkout._journal.change

    def changed_late(row, after):
        # The order was paid at the same moment, and whoever captures sees that there is no hold any more.
        checkout._journal.change = change  # type: ignore[method-assign]
        other._executor.fall_short(row)
        return change(row, after)

    checkout._journal.change = changed_late  # type: ignore[method-assign]
    ended = checkout.cancel("A-1")
    assert (ended.state, ended.due.amount_minor) == ("expired", 5480)
    other.capture("A-1")
    assert world.provider.points() == (2500, 0)
    assert world.provider.sent("authorize") == 1


def test_a_loader_that_fails_as_the_hold_ends_hides_no_shortfall(world: World, checkout: Checkout):
    def broken(reference: str) -> Order | None:
        raise RuntimeError("the shop's database is away")

    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "paid")
    world.advance(7300)
    loader, checkout.order_loader = checkout.order_loader, broken
    checkout.recover()
    assert checkout.find("A-1").state == "authorized"
    checkout.order_loader = loader
    world.advance(120)
    checkout.recover()
    assert (checkout.find("A-1").state, checkout.find("A-1").due.amount_minor) == ("captured", 5053)
    assert world.provider.points() == (2073, 0)


def test_two_see_at_once_that_a_hold_has_ended(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    other, look_up = world.checkout(), checkout._executor.look_up

    def looked_up_late(row, *, deadline_s):
        evidence = look_up(row, deadline_s=deadline_s)
        other.recover()
        return evidence

    checkout._executor.look_up = looked_up_late  # type: ignore[method-assign]
    again = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert (again.state, again.attempt) == ("authorized", 2)


@pytest.mark.scenario("C8", "the hold ended, then the order was paid and the shop died: recovery finds the shortfall")
def test_paid_after_its_hold_was_seen_to_end_and_nobody_captured(world: World, checkout: Checkout):
    world.order("A-1", "pending")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    checkout.recover()
    assert (checkout.find("A-1").state, checkout.find("A-1").due.amount_minor) == ("expired", 5053)
    world.order("A-1", "paid")
    world.advance(600)
    checkout.recover()
    assert (checkout.find("A-1").state, checkout.find("A-1").due.amount_minor) == ("captured", 5053)
    assert ("redemption_short", "A-1") in world.events
    assert world.provider.points() == (2073, 0)


@pytest.mark.parametrize("state", ["cancelled", "paid in full"])
def test_a_deal_that_has_ended_takes_nothing(world: World, checkout: Checkout, state: str):
    world.order("A-1", "pending")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    checkout.recover()
    if state == "cancelled":
        checkout.cancel("A-1")
        world.order("A-1", "cancelled")
    else:
        checkout.authorize("A-1", CART, customer_id="anna", points=0)
        world.order("A-1", "paid")
    for _ in range(3):
        world.advance(600)
        checkout.recover()
    assert checkout.find("A-1").due.amount_minor == 5480
    assert world.provider.points() == (2500, 0)
    assert world.provider.sent("authorize") == 1


def test_a_wish_that_was_noted_too_late_to_be_carried_out_is_found(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    slow = world.checkout()
    swap, times = slow._journal.begin_operation, iter([True])

    def beaten(seen, planned, *, lease_s):
        if next(times, False):
            checkout.capture("A-1")
            world.clock.advance(5)
        return swap(seen, planned, lease_s=lease_s)

    slow._journal.begin_operation = beaten  # type: ignore[method-assign]
    given = slow.cancel("A-1")
    # Points that are to go back pay nothing any more.
    assert (given.state, given.points, given.due.amount_minor) == ("captured", 0, 5480)
    checkout.recover()
    assert checkout.find("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


def test_a_look_that_ends_late_leaves_an_operation_alone(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    worker = world.checkout()

    def paid_meanwhile(reference: str) -> Order:
        world.provider.fault("capture", "reset", when="before", times=99)
        assert checkout.capture("A-1").state == "capturing"
        return Order(reference=reference, state="pending")

    worker.order_loader = paid_meanwhile
    worker.recover()
    # Whether the hold has ended is for the capture to find out, and for nobody beside it.
    assert checkout._latest("A-1").check_at is None
    assert worker._journal.claim_check(checkout._latest("A-1").id, lease_s=1) is None


@pytest.mark.scenario("P11", "a cancel-by-key that is answered with another member is looked up before it counts")
def test_a_cancellation_of_somebody_else_is_not_ours(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.provider.fault("authorize", "reset", times=9)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    world.provider.fault("cancel_by_key", "wrong_echo", echo="member_id")
    assert checkout.authorize("A-1", CART, customer_id="anna", points=0).state == "abandoned"
    assert world.provider.sent("find") == 1
    assert world.provider.points() == (2500, 0)


class Unconfirmed(sqlite3.Connection):
    """A connection that is lost just after a commit has taken effect."""

    loses_next = False

    def commit(self) -> None:
        """Commit, and lose the answer if this commit wrote anything."""
        wrote = self.total_changes
        super().commit()
        if wrote and Unconfirmed.loses_next:
            Unconfirmed.loses_next = False
            raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.scenario("D3", "an intent whose commit was not confirmed is told as unknown, and carried out once")
def test_an_intent_that_was_written_although_the_commit_failed(world: World, checkout: Checkout):
    path = world.database_url.removeprefix("sqlite:///")
    checkout.balance("anna")
    client = Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret", clock=world.clock)
    shop = Checkout(
        client,
        world.database_url,
        settings=Settings(deadline_s=2.0),
        clock=world.clock,
        connect=lambda: sqlite3.connect(path, isolation_level=None, factory=Unconfirmed, check_same_thread=False),
    )
    world.made.append((shop, client))
    shop.find("A-1")
    Unconfirmed.loses_next = True
    with pytest.raises(UnavailableError) as caught:
        shop.authorize("A-1", CART, customer_id="anna", points=427)
    assert (caught.value.code, caught.value.outcome) == ("journal_unavailable", "unknown")
    assert caught.value.idempotency_key == shop.find("A-1").idempotency_key
    assert shop.find("A-1").state == "authorizing"
    assert world.provider.redemptions() == []
    world.advance(60)
    checkout.recover()
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]
