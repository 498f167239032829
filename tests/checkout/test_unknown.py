"""The answer is lost: nobody is told done or failed, and in the end the books agree."""

import pytest

from _world import CART, World
from punktgenau import InProgressError, Money, OutcomeUnknownError
from punktgenau.checkout import Checkout

LOST = 9
"""More losses than one call sends, so the call itself cannot find out."""


def lose(world: World, operation: str, *, when: str = "after") -> None:
    world.provider.fault(operation, "reset", when=when, times=LOST)


@pytest.mark.scenario("C4", "the answer is lost: the same call again finds the one hold")
@pytest.mark.scenario("N6", "it was done: unknown, then done by the same key, one effect")
@pytest.mark.scenario("N7", "it was not done: unknown, then done by the same key, one effect")
@pytest.mark.parametrize("when", ["after", "before"])
def test_try_again(world: World, checkout: Checkout, when: str):
    checkout.balance("anna")
    lose(world, "authorize", when=when)
    payment = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert (payment.state, payment.points) == ("authorizing", 427)
    with pytest.raises(OutcomeUnknownError) as caught:
        _ = payment.due
    assert caught.value.idempotency_key == payment.idempotency_key
    assert world.events == []

    world.provider.heal()
    again = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert (again.state, again.attempt, again.due.amount_minor) == ("authorized", 1, 5053)
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]
    assert world.provider.points() == (2073, 427)


@pytest.mark.scenario("P1", "an error although it was done is unknown, and ends without a hold when not wanted")
@pytest.mark.parametrize("when", ["after", "before"])
def test_go_on_without_points(world: World, checkout: Checkout, when: str):
    checkout.balance("anna")
    world.provider.fault("authorize", "status_503", when=when, times=LOST)
    assert checkout.authorize("A-1", CART, customer_id="anna", points=427).state == "authorizing"
    world.provider.heal()

    without = checkout.authorize("A-1", CART, customer_id="anna", points=0)
    assert (without.state, without.points, without.due.amount_minor) == ("abandoned", 0, 5480)
    assert world.provider.points() == (2500, 0)
    assert checkout.find("A-1").due == Money(amount_minor=5480, currency="EUR")
    # And the points may be used after all, as a new attempt.
    assert checkout.authorize("A-1", CART, customer_id="anna", points=427).attempt == 2


def test_without_points_while_the_provider_stays_away(world: World, checkout: Checkout):
    checkout.balance("anna")
    lose(world, "authorize")
    lose(world, "cancel_by_key", when="before")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    without = checkout.authorize("A-1", CART, customer_id="anna", points=0)
    assert (without.state, without.points, without.due.amount_minor) == ("abandoning", 0, 5480)
    with pytest.raises(InProgressError):
        checkout.authorize("A-1", CART, customer_id="anna", points=300)

    world.provider.heal()
    world.advance(60)
    report = checkout.recover()
    assert (report.finished, report.still_open) == (1, 0)
    assert checkout.find("A-1").state == "abandoned"
    assert world.provider.points() == (2500, 0)


def test_other_points_wait_until_it_is_known(world: World, checkout: Checkout):
    checkout.balance("anna")
    lose(world, "authorize")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    with pytest.raises(InProgressError):
        checkout.authorize("A-1", CART, customer_id="anna", points=300)
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]


@pytest.mark.scenario("N13", "HTML with status 200 is not a success: unknown, then found")
def test_a_page_of_html_is_no_answer(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.provider.fault("authorize", "html_200", times=LOST)
    assert checkout.authorize("A-1", CART, customer_id="anna", points=427).state == "authorizing"
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert checkout.find("A-1").state == "authorized"


@pytest.mark.scenario("P11", "an answer about another member, order or sum is not ours: unknown, looked up")
@pytest.mark.scenario("N11", "an answer of somebody else's request is noticed by its echo")
def test_a_wrong_echo_is_unknown(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.provider.fault("authorize", "wrong_echo", times=LOST)
    payment = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert payment.state in {"authorizing", "authorized"}
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert checkout.find("A-1").state == "authorized"
    assert world.provider.points() == (2073, 427)


@pytest.mark.scenario("C9", "a lost capture answer: capturing, then captured once")
def test_lost_capture(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    lose(world, "capture")
    assert checkout.capture("A-1").state == "capturing"
    assert checkout.find("A-1").due.amount_minor == 5053
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    assert checkout.find("A-1").state == "captured"
    assert world.provider.points() == (2073, 0)
    assert world.provider.redemptions() == [("A-1", "captured", 427)]


@pytest.mark.scenario("C10", "a lost void answer: void of a void is success")
def test_lost_void(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    lose(world, "void")
    assert checkout.void("A-1").state == "voiding"
    world.provider.heal()
    assert checkout.void("A-1").state == "voided"
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("C11", "a lost reversal answer: given back once, not twice")
def test_lost_reversal(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    checkout.capture("A-1")
    lose(world, "reverse")
    assert checkout.cancel("A-1").state == "reversing"
    world.provider.heal()
    world.advance(60)
    checkout.recover()
    checkout.cancel("A-1")
    assert checkout.find("A-1").state == "reversed"
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("T27", "cancelled while the capture is unknown: captured, then given back once")
@pytest.mark.scenario("K3", "capture against cancel: given back once, neither both nor neither")
def test_cancel_while_capturing(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    lose(world, "capture")
    checkout.capture("A-1")
    world.provider.heal()
    assert checkout.cancel("A-1", cause="customer").state == "reversed"
    assert world.provider.points() == (2500, 0)
    assert world.provider.sent("reverse") == 1


def test_capture_never_guesses(world: World, checkout: Checkout):
    checkout.balance("anna")
    lose(world, "authorize")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    assert checkout.capture("A-1").state == "authorizing"
    assert world.provider.sent("capture") == 0


@pytest.mark.parametrize(("when", "state"), [("after", "voided"), ("before", "abandoned")])
def test_consent_withdrawn_while_unknown(world: World, checkout: Checkout, when: str, state: str):
    checkout.balance("anna")
    lose(world, "authorize", when=when)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    world.provider.withdraw_consent("mbr_2500")
    for _ in range(2):
        world.advance(180)
        checkout.recover()
    # Held before: found by its key, and released since no order wants it. Never held: the key is given up for good.
    assert checkout.find("A-1").state == state
    assert world.provider.points() == (2500, 0)
