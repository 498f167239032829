"""Several at once: threads with their own connections on one journal, one provider."""

import pytest

from _together import together
from _world import CART, World
from punktgenau import InsufficientPointsError
from punktgenau.checkout import Checkout
from punktgenau.checkout.journal import LostSwapError


@pytest.mark.scenario("K1", "eight places of one order at once: one hold, everybody gets it")
@pytest.mark.scenario("S4", "parallel requests for one order make one effect")
@pytest.mark.scenario("T1", "two tabs check out at once: one hold")
def test_one_order_placed_eight_times_at_once(world: World, checkout: Checkout):
    checkout.balance("anna")
    shops = [world.checkout(deadline_s=8) for _ in range(8)]
    payments = together(8, lambda n: shops[n].authorize("A-1", CART, customer_id="anna", points=427))
    assert [payment.state for payment in payments] == ["authorized"] * 8
    assert {payment.attempt for payment in payments} == {1}
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]
    assert world.provider.points() == (2073, 427)


@pytest.mark.scenario("T3", "many orders, one balance: never more held than there was")
def test_many_orders_share_one_balance(world: World, checkout: Checkout):
    checkout.balance("anna")
    shops = [world.checkout(deadline_s=8) for _ in range(6)]
    results = together(6, lambda n: shops[n].authorize(f"A-{n}", CART, customer_id="anna", points=1000))
    held = [result for result in results if not isinstance(result, Exception)]
    refused = [result for result in results if isinstance(result, Exception)]
    assert len(held) == 2
    assert all(isinstance(error, InsufficientPointsError) for error in refused)
    assert world.provider.points() == (500, 2000)


@pytest.mark.scenario("K4", "capture against void at once: exactly one wins, the points are paid or back")
def test_capture_against_void(world: World, checkout: Checkout):
    for number in range(4):
        reference = f"A-{number}"
        checkout.authorize(reference, CART, customer_id="anna", points=100)
        one, other = world.checkout(deadline_s=8), world.checkout(deadline_s=8)
        together(2, lambda n, r=reference, a=one, b=other: a.capture(r) if n else b.void(r))
        world.advance(60)
        checkout.recover()
        # A void also ends what was captured first, so either way the points are back or paid, once.
        assert checkout.find(reference).state in {"captured", "voided", "reversed"}
    states = [state for _, state, _ in world.provider.redemptions()]
    paid = states.count("captured")
    assert world.provider.points() == (2500 - 100 * paid, 0)


@pytest.mark.scenario("K6", "refused, cancelled and cancelled by a clerk at once: given back once")
@pytest.mark.scenario("T22", "release is idempotent, from several observers")
@pytest.mark.parametrize("captured", [False, True])
def test_three_observers_give_back_once(world: World, checkout: Checkout, captured: bool):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    if captured:
        checkout.capture("A-1")
    shops = [world.checkout(deadline_s=8) for _ in range(3)]
    together(3, lambda n: shops[n].void("A-1") if n == 0 else shops[n].cancel("A-1", cause=f"observer {n}"))
    assert checkout.find("A-1").state == ("reversed" if captured else "voided")
    assert world.provider.points() == (2500, 0)
    assert world.provider.redemptions() == [("A-1", "reversed" if captured else "voided", 427)]


@pytest.mark.scenario("K7", "recovery beside a live request: one effect")
def test_recovery_beside_a_capture(world: World, checkout: Checkout):
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "paid")
    shops = [world.checkout(deadline_s=8) for _ in range(4)]
    together(4, lambda n: shops[n].recover() if n else shops[n].capture("A-1"))
    world.advance(60)
    checkout.recover()
    assert checkout.find("A-1").state == "captured"
    assert world.provider.redemptions() == [("A-1", "captured", 427)]


@pytest.mark.scenario("K8", "a worker whose lease went to another cannot write its result")
def test_a_stale_token_cannot_write(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.provider.fault("authorize", "reset", times=9)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    journal = checkout._journal
    row = checkout._latest("A-1")
    stale = journal.claim(row.id, lease_s=-60)
    fresh = journal.claim(row.id, lease_s=10)
    assert stale is not None
    assert fresh is not None
    assert fresh.token == stale.token + 1
    with pytest.raises(LostSwapError):
        journal.finish(stale, stale.redemption, outcome="done", code=None, reply=None, sends=1, next_at=None)
    assert checkout.find("A-1").state == "authorizing"
