"""Repairs of one difference that are begun twice, at once or because somebody died over the first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from _mortal import Mortal, Process, Side
from _together import together
from _world import CART, World
from punktgenau import PunktgenauError
from punktgenau.checkout import Checkout
from punktgenau.checkout.clearing import Clearing
from punktgenau.checkout.difference import Difference


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with Process() as running:
        yield running


def period(shop: Checkout) -> str:
    return f"{shop._clock.now():%Y-%m}"


def found_open(world: World, checkout: Checkout, *, capture: bool) -> Difference:
    """An order that points have paid; the statement tells nothing of that, or the order is cancelled."""
    world.order("A-1", "paid")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    if capture:
        checkout.capture("A-1")
    else:
        world.order("A-1", "cancelled")
        checkout.orders_loader = lambda since, until: (
            iter(list(world.orders.values())) if since.date() == checkout._clock.now().date() else iter(())
        )
    checkout.reconcile(period(checkout), [] if capture else None, grace_s=0)
    [found] = checkout.differences()
    return found


def test_two_repair_the_same_at_once(world: World, checkout: Checkout) -> None:
    found = found_open(world, checkout, capture=False)
    assert found.proposal == "cancel"
    shops = [checkout, world.checkout(), world.checkout()]
    done = together(3, lambda number: shops[number].repair(found.id, by=f"clerk {number}", because="cancelled"))
    assert all(isinstance(one, Difference) for one in done), done
    # One of them decided it; whoever came later took it up again or was told what stands.
    assert len({one.actor for one in done}) == 1
    stands = checkout.difference(found.id)
    assert stands is not None
    assert (stands.state, stands.actor) == ("repaired", done[0].actor)
    assert world.provider.points() == (2500, 0)
    assert world.provider.redemptions() == [("A-1", "voided", 427)]


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_whoever_dies_over_a_repair(
    world: World, checkout: Checkout, process: Process, commit: int, side: Side
) -> None:
    found = found_open(world, checkout, capture=False)
    mortal = Mortal(process, world.provider.url, world.database_url)
    assert mortal.live(f"repair {found.id}", commit=commit, side=side, orders={"A-1": "cancelled"}) == "killed"
    stands = checkout.difference(found.id)
    assert stands is not None
    assert stands.state == ("open" if (commit, side) == (1, "before") else stands.state)
    assert stands.state in {"open", "repairing", "repaired"}
    # A clerk sees it as it stands and clicks once more.
    again = checkout.repair(found.id, by="lee", because="cancelled by telephone")
    assert again.state == "repaired"
    assert again.actor == ("lee" if (commit, side) == (1, "before") else "kim")
    world.advance(60)
    checkout.recover()
    assert world.provider.points() == (2500, 0)
    assert world.provider.redemptions() == [("A-1", "voided", 427)]


def test_one_fails_after_the_other_has_repaired_it(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = found_open(world, checkout, capture=True)
    other = world.checkout()
    looked_up = type(checkout._executor).look_up

    def slow(executor: object, row: object, **more: object) -> object:
        if executor is checkout._executor:
            # The other one is quicker, and then the provider is away.
            assert other.repair(found.id, by="lee", because="also seen").state == "repaired"
            world.provider.fault("get", "status_503", when="before", times=50)
        return looked_up(executor, row, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(checkout._executor), "look_up", slow)
    with pytest.raises(PunktgenauError) as told:
        Clearing.repair(checkout, found.id, by="kim", because="seen")
    assert told.value.code != "internal_error"
    assert checkout.difference(found.id).state == "repaired"  # type: ignore[union-attr]
