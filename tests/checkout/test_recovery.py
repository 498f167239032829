"""Nobody came back: holds end, orders decide, and recovery may run anywhere, any number of times."""

import pytest

from _world import CART, World
from punktgenau.checkout import Checkout, Order


@pytest.mark.scenario("P12", "a hold that ended by time: seen, closed, and the order can use points again")
@pytest.mark.scenario("T26", "an abandoned order's points come back without anybody asking")
def test_an_abandoned_hold_expires(world: World, checkout: Checkout):
    world.order("A-1", "pending")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    assert checkout.find("A-1").state == "authorized"  # no timer of ours changes a state
    checkout.recover()
    payment = checkout.find("A-1")
    assert (payment.state, payment.points, payment.due.amount_minor) == ("expired", 0, 5480)
    assert world.provider.points() == (2500, 0)
    assert checkout.authorize("A-1", CART, customer_id="anna", points=427).attempt == 2


def test_placing_again_looks_up_a_passed_hold_by_itself(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    again = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert (again.state, again.attempt) == ("authorized", 2)
    assert world.provider.points() == (2073, 427)


def test_paid_within_the_hold_45_minutes_later(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(45 * 60)
    assert world.checkout().capture("A-1").state == "captured"
    assert world.provider.points() == (2073, 0)


@pytest.mark.scenario("C8", "the order is paid and nobody captured: recovery captures, once")
@pytest.mark.scenario("T25", "a shop that forgot the capture call still has its points paid")
def test_a_paid_order_is_captured(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "paid")
    checkout.recover()
    checkout.recover()
    assert checkout.find("A-1").state == "captured"
    assert world.provider.sent("capture") == 1


def test_a_cancelled_order_is_voided(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "cancelled")
    checkout.recover()
    assert checkout.find("A-1").state == "voided"
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("C7", "the shop died before its order was written: the hold is released after two minutes")
def test_an_order_that_never_came_to_be(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(110)
    checkout.recover()
    assert checkout.find("A-1").state == "authorized"
    world.advance(70)
    checkout.recover()
    assert checkout.find("A-1").state == "voided"


def test_a_pending_order_is_left_alone(world: World, checkout: Checkout):
    world.order("A-1", "pending")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    for _ in range(3):
        world.advance(600)
        checkout.recover()
    assert checkout.find("A-1").state == "authorized"


def test_a_loader_that_fails_decides_nothing(world: World, checkout: Checkout):
    def broken(reference: str) -> Order | None:
        raise RuntimeError("the shop's database is away")

    checkout.order_loader = broken
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(600)
    checkout.recover()
    assert checkout.find("A-1").state == "authorized"


def test_without_a_loader_nothing_is_captured_by_guess(world: World):
    shop = world.checkout(loader=False)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(600)
    shop.recover()
    assert shop.find("A-1").state == "authorized"
    world.advance(7000)
    shop.recover()
    assert shop.find("A-1").state == "expired"


@pytest.mark.scenario("P12", "captured too late: the same points are held and taken anew, and the shortfall was told")
@pytest.mark.parametrize("seen_before", [False, True])
def test_paid_after_the_hold_has_ended_is_repaired(world: World, checkout: Checkout, seen_before: bool):
    world.order("A-1", "pending")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    if seen_before:
        checkout.recover()
        assert checkout.find("A-1").state == "expired"
    payment = checkout.capture("A-1")
    assert (payment.state, payment.attempt, payment.due.amount_minor) == ("captured", 2, 5053)
    assert ("redemption_short", "A-1") in world.events
    assert world.provider.points() == (2073, 0)
    assert checkout.capture("A-1") == payment


def test_a_shortfall_that_cannot_be_repaired_stays_short_and_needs_a_person(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    world.provider.give("mbr_2500", 426)
    payment = checkout.capture("A-1")
    assert (payment.state, payment.reason, payment.due.amount_minor) == ("short", "insufficient_points", 5053)
    assert world.events[-1] == ("needs_attention", "A-1")
    for _ in range(2):
        world.advance(1000)
        checkout.recover()
        checkout.capture("A-1")
    assert checkout.find("A-1").state == "short"
    assert world.provider.points() == (426, 0)
    assert world.provider.sent("authorize") == 2


def test_a_shortfall_while_the_provider_is_away_is_repaired_later(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    world.order("A-1", "pending")
    checkout.recover()
    away = world.checkout(url="http://127.0.0.1:9")
    assert away.capture("A-1").state == "short"
    world.advance(1000)
    checkout.recover()
    assert checkout.find("A-1").state == "captured"
    assert world.provider.points() == (2073, 0)


def test_an_order_cancelled_while_short_takes_nothing(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    world.provider.give("mbr_2500", 426)
    checkout.capture("A-1")
    assert checkout.cancel("A-1").points == 0
    assert world.provider.points() == (426, 0)


def test_a_lost_answer_of_a_paid_order_is_held_and_captured_by_recovery(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.provider.fault("authorize", "reset", times=9)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    world.order("A-1", "paid")
    world.advance(30)
    checkout.recover()
    assert checkout.find("A-1").state == "captured"
    assert world.provider.redemptions() == [("A-1", "captured", 427)]


@pytest.mark.scenario("N16", "an outage: recovery leaves everything open and ends it when the provider is back")
def test_recovery_during_an_outage(world: World, checkout: Checkout):
    for number in range(3):
        checkout.authorize(f"A-{number}", CART, customer_id="anna", points=100)
        world.order(f"A-{number}", "paid")
    away = world.checkout(url="http://127.0.0.1:9")
    report = away.recover()
    assert report.finished == 0
    assert {away.find(f"A-{number}").state for number in range(3)} <= {"authorized", "capturing"}
    world.advance(1000)
    checkout.recover()
    assert {checkout.find(f"A-{number}").state for number in range(3)} == {"captured"}
    assert world.provider.points() == (2200, 0)
