"""Nobody came back: holds end, orders decide, and recovery may run anywhere, any number of times."""

from dataclasses import replace

import pytest

from _there import there
from _world import CART, World
from punktgenau import OutcomeUnknownError
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
    # The deal stands until somebody ends it: what is due stays, and a capture would take the points anew.
    assert (payment.state, payment.points, payment.due.amount_minor) == ("expired", 0, 5053)
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


@pytest.mark.parametrize("loader", [True, False])
@pytest.mark.parametrize("returned", [True, False])
def test_what_is_due_after_its_hold_has_ended_and_shows_nothing_new_is_looked_at_once(
    world: World, loader: bool, returned: bool
):
    shop = world.checkout(loader=loader)
    world.order("A-1", "paid")
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    shop.capture("A-1")
    if returned:
        shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    row = there(shop._journal.latest("A-1"))
    shop._journal.change(row, replace(row, check_at=shop._journal.now_ms()))
    looked = []
    for _ in range(3):
        world.advance(86400)
        looked.append(shop.recover().looked_at)
    assert looked == [1, 0, 0]


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


@pytest.mark.scenario("T27", "the hold ended and the shop went on without, voided or cancelled: never taken anew")
@pytest.mark.parametrize("end", ["without", "void", "cancel"])
def test_a_capture_after_the_deal_has_ended_takes_nothing(world: World, checkout: Checkout, end: str):
    world.order("A-1", "pending")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    checkout.recover()
    if end == "without":
        assert checkout.authorize("A-1", CART, customer_id="anna", points=0).due.amount_minor == 5480
    else:
        assert getattr(checkout, end)("A-1").due.amount_minor == 5480
    assert checkout.find("A-1").due.amount_minor == 5480
    assert checkout.capture("A-1").state == "expired"
    checkout.recover()
    assert world.provider.points() == (2500, 0)


def test_cancelled_while_the_capture_was_unknown_and_its_hold_ended(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.fault("capture", "reset", when="before", times=9)
    world.provider.fault("get", "status_503", when="before", times=99)
    checkout.capture("A-1")
    checkout.cancel("A-1")
    world.advance(7300)
    world.provider.heal()
    checkout.recover()
    checkout.recover()
    assert checkout.find("A-1").points == 0
    assert world.provider.points() == (2500, 0)


def test_a_shortfall_of_a_cancelled_order_is_not_taken_anew(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(7300)
    world.order("A-1", "pending")
    checkout.recover()
    assert world.checkout(url="http://127.0.0.1:9").capture("A-1").state == "short"
    world.order("A-1", "cancelled")
    world.advance(1000)
    checkout.recover()
    checkout.cancel("A-1")
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("C7", "captured at placement, and the order never came to be: given back after two minutes")
@pytest.mark.parametrize("order", ["missing", "cancelled"])
def test_points_captured_at_placement_come_back_when_the_order_does_not(world: World, checkout: Checkout, order: str):
    shop = world.checkout(capture="placed")
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    if order == "cancelled":
        world.order("A-1", "cancelled")
    world.advance(180)
    shop.recover()
    assert shop.find("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


def test_points_captured_at_placement_stay_with_a_paid_order(world: World, checkout: Checkout):
    shop = world.checkout(capture="placed")
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "pending")
    world.advance(180)
    shop.recover()
    world.order("A-1", "paid")
    world.advance(180)
    shop.recover()
    world.order("A-1", "cancelled")
    world.advance(180)
    shop.recover()
    assert shop.find("A-1").state == "captured"


@pytest.mark.scenario("C16", "no worker over a weekend: one look-up decides, and a person is only asked when it cannot")
def test_after_a_long_time_the_provider_is_asked_before_a_person(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.fault("capture", "reset", times=9)
    assert checkout.capture("A-1").state == "capturing"
    world.provider.heal()
    world.advance(3 * 86_400)
    checkout.recover()
    assert checkout.find("A-1").state == "captured"


def test_what_cannot_be_resolved_is_listed_can_be_given_back_and_is_never_charged_on_a_guess(
    world: World, checkout: Checkout
):
    checkout.balance("anna")
    for operation in ("authorize", "find", "cancel_by_key"):
        world.provider.fault(operation, "status_503", when="before", times=99)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.advance(2 * 86_400)
    assert checkout.recover().needs_attention == 1
    payment = checkout.find("A-1")
    assert payment.state == "needs_attention"
    with pytest.raises(OutcomeUnknownError):
        _ = payment.due
    world.provider.heal()
    assert checkout.cancel("A-1").state == "abandoned"
    assert checkout.recover().needs_attention == 0
    assert world.provider.points() == (2500, 0)


def test_one_broken_order_does_not_keep_the_others_waiting(world: World, checkout: Checkout, monkeypatch):
    for number in (1, 2):
        checkout.authorize(f"A-{number}", CART, customer_id="anna", points=100)
        world.order(f"A-{number}", "paid")
    redemptions = checkout._provider.redemptions
    original = redemptions.capture

    def capture(redemption_id: str, **more):
        if checkout.find("A-1").state == "capturing":
            raise KeyError("a defect of an adapter")
        return original(redemption_id, **more)

    monkeypatch.setattr(redemptions, "capture", capture)
    checkout.recover()
    assert {checkout.find(f"A-{number}").state for number in (1, 2)} >= {"capturing"}
