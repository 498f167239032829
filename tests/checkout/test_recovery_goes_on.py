"""Whatever breaks over one order, recovery reaches the others; and it ends between two of them when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout, Recovery
from punktgenau.events import Event


def event_about(number: int, provider_id: str, reference: str) -> Event:
    told = {"redemption_id": provider_id, "order_reference": reference, "state": "captured"}
    return Event(id=f"e{number}", type="redemption.captured", timestamp=datetime.now(UTC), data=told)


def broken_for(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, name: str, *references: str) -> list[str]:
    """A call that breaks for these orders in a way that no adapter should; which it was made for."""
    ids = {there(checkout._journal.latest(reference)).provider_id: reference for reference in references}
    real, made = getattr(checkout._provider.redemptions, name), []

    def call(provider_id: str, **more: Any) -> object:
        if provider_id in ids:
            made.append(ids[provider_id])
            raise KeyError("a defect")
        return real(provider_id, **more)

    monkeypatch.setattr(checkout._provider.redemptions, name, call)
    return made


def state(checkout: Checkout, reference: str) -> str:
    payment = checkout.find(reference)
    assert payment is not None
    return payment.state


@pytest.mark.parametrize("one_by_one", [False, True])
def test_an_event_whose_look_up_breaks(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, one_by_one: bool
) -> None:
    for reference in ("A-1", "A-2"):
        checkout.authorize(reference, CART, customer_id="anna", points=427)
        world.order(reference, "pending")
    checkout.recover()
    asked = broken_for(checkout, monkeypatch, "get", "A-1")
    row = checkout._journal.latest("A-1")
    assert row is not None
    assert row.provider_id is not None
    checkout.hear(event_about(1, row.provider_id, "A-1"))
    world.order("A-2", "paid")
    world.advance(61)
    if one_by_one:
        while checkout.recover_one(deadline_s=2.0):
            pass
    else:
        checkout.recover(due_only=True)
    assert state(checkout, "A-2") == "captured"
    assert asked == ["A-1"]
    # Put off, not forgotten.
    world.advance(130)
    checkout.recover(due_only=True)
    assert asked == ["A-1", "A-1"]


@pytest.mark.parametrize("one_by_one", [False, True])
def test_operations_that_break_are_put_off(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, one_by_one: bool
) -> None:
    references = ("A-0", "A-1", "A-2", "A-3")
    for reference in references:
        checkout.authorize(reference, CART, customer_id="anna", points=427)
        world.order(reference, "paid")
        world.provider.fault("capture", "reset", when="before", times=3)
        checkout.capture(reference)
        world.provider.heal()
    tried = broken_for(checkout, monkeypatch, "capture", *references[:3])
    world.clock.advance(60)
    if one_by_one:
        # What a request's turn does: three failures in a row must not keep it from the fourth.
        assert [checkout.recover_one(deadline_s=2.0) for _ in range(5)] == [True] * 4 + [False]
    else:
        checkout.recover(due_only=True)
    assert state(checkout, "A-3") == "captured"
    assert tried == list(references[:3])
    row = checkout._journal.latest("A-0")
    assert row is not None
    broken = checkout._journal.operations(row.id)[-1]
    # Nobody knows how far it came.
    assert (row.state, broken.outcome, broken.passes) == ("capturing", "unknown", 2)
    assert broken.next_at is not None
    assert broken.next_at > checkout._journal.now_ms()


def test_events_of_others_do_not_crowd_out_a_paid_order(world: World, checkout: Checkout) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "pending")
    checkout.recover()
    world.order("A-1", "paid")
    heard = 0
    for _ in range(8):
        for _ in range(5):
            heard += 1
            checkout.hear(event_about(heard, f"rdm_other_{heard}", f"P-{heard}"))
        world.advance(10)
        # As few as come in anew.
        for _ in range(5):
            checkout.recover_one(deadline_s=2.0)
    assert state(checkout, "A-1") == "captured"


def test_an_event_that_belongs_to_nothing_yet_is_looked_at_less_and_less_often(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.hear(event_about(1, "rdm_other", "P-1"))
    taken: list[int] = []
    real = checkout._events.take
    minute = 0

    def take(*seen: Any, **more: Any) -> object:
        taken.append(minute)
        return real(*seen, **more)

    monkeypatch.setattr(checkout._events, "take", take)
    while minute < 70:
        minute += 1
        world.clock.advance(60)
        checkout.recover(due_only=True)
    # Due after 1, 2, 4 ... minutes, and given up after an hour.
    assert 5 <= len(taken) <= 7
    assert taken[-1] in (60, 61)


@pytest.mark.parametrize("due_only", [False, True])
def test_told_to_end_it_ends_before_the_next_one(world: World, checkout: Checkout, due_only: bool) -> None:
    for number in range(4):
        checkout.authorize(f"A-{number}", CART, customer_id="anna", points=100)
        world.order(f"A-{number}", "paid")
    told: list[int] = []

    def progress(so_far: Recovery) -> None:
        told.append(so_far.finished)

    report = checkout.recover(due_only=due_only, stop=lambda: len(told) >= 2, progress=progress)
    assert (report.finished, told) == (2, [1, 2])
    assert world.provider.sent("capture") == 2
    assert checkout.recover(due_only=due_only).finished == 2


@pytest.mark.parametrize(("wish", "waits_s"), [("600", 600), ("86400", 900)])
def test_the_providers_wish_to_wait_is_obeyed(world: World, checkout: Checkout, wish: str, waits_s: int) -> None:
    """And clamped: nobody puts off for a day what is open."""
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "paid")
    world.provider.fault("capture", "status_429", when="before", times=99, retry_after=wish)
    checkout.capture("A-1")
    sent = world.provider.sent("capture")
    world.clock.advance(waits_s - 10)
    checkout.recover(due_only=True)
    assert world.provider.sent("capture") == sent
    world.provider.heal()
    world.clock.advance(20)
    checkout.recover(due_only=True)
    assert state(checkout, "A-1") == "captured"


@pytest.mark.parametrize("one_by_one", [False, True])
def test_what_breaks_for_days_is_seen_by_a_person(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, one_by_one: bool
) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=427, hold_s=3_600)
    world.order("A-1", "paid")
    world.provider.fault("capture", "reset", when="before", times=3)
    checkout.capture("A-1")
    world.provider.heal()
    with monkeypatch.context() as broken:
        broken_for(checkout, broken, "capture", "A-1")
        for hours in (1, 22, 2):
            assert state(checkout, "A-1") == "capturing"
            world.clock.advance(hours * 3_600)
            if one_by_one:
                checkout.recover_one(deadline_s=2.0)
            else:
                checkout.recover()
    assert state(checkout, "A-1") == "needs_attention"
    # It is asked all the same, and found out once the defect is gone.
    world.clock.advance(3_600)
    assert checkout.recover().finished == 1
    assert state(checkout, "A-1") == "captured"
