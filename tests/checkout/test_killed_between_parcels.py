"""Killed at every commit while something comes back, or an order changes, between two parcels; figures by hand."""

from collections.abc import Iterator

import pytest

from _mortal import Mortal, Process, Side
from _world import World
from punktgenau.checkout import Cart, Checkout, Line

ORDER = Cart(
    currency="EUR",
    lines=[
        Line(sku="lamp", quantity=2, unit_price_minor=5000, vat_rate="19"),
        Line(sku="cup", quantity=1, unit_price_minor=490, vat_rate="19"),
    ],
)
"""2000 points: 19.07 of them pay the lamps, 0.93 the cup. A lamp and the cup leave first: 953 + 93."""


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with Process() as running:
        yield running


@pytest.fixture
def mortal(world: World, process: Process) -> Mortal:
    """An order of which a parcel has left."""
    shop = world.checkout(refund_policy="money_first")
    shop.balance("anna")
    world.order("A-1", "pending")
    shop.authorize("A-1", ORDER, customer_id="anna", points=2000)
    shop.capture("A-1", lines={"lamp": 1, "cup": 1}, shipment_reference="S-1")
    return Mortal(process, world.provider.url, world.database_url)


def standing(world: World) -> tuple[str, int, int]:
    ((there),) = world.made[0][1].redemptions.find(order_reference="A-1")
    return there.state, there.captured_points, there.reversed_points


@pytest.mark.scenario("C12", "killed at every commit of a change between two parcels: points and money go back once")
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_change_that_gives_back_and_releases(world: World, checkout: Checkout, mortal: Mortal, side: Side) -> None:
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    lives = []
    for commit in (1, 2, 3, 4):
        lives.append(mortal.live("amend cup 490", commit=commit if not lives else 1, side=side))
        if lives[-1] == "survived":
            break
    for _ in range(2):
        world.advance(60)
        checkout.recover()
    assert mortal.live("amend cup 490", commit=99, side=side) == "survived"
    # All money is back, so the cup is paid in points: 1046 - 490 come back, and the 954 for the other lamp are free.
    given = [(one.return_reference, one.state, one.points, one.money.amount_minor) for one in checkout.refunds("A-1")]
    assert given == [("R-1", "done", 0, 5000), ("amend-2", "done", 556, 3490)]
    assert standing(world) == ("partially_reversed", 1046, 556)
    assert world.provider.points() == (2500 - 490, 0)


AMENDED = [
    # Nothing; the new version, with what comes back by it; that is given back; and it is written.
    (1, "before", [], 0, 0),
    (1, "after", ["reversing"], 0, 0),
    (2, "before", ["reversing"], 1, 0),
    (2, "after", ["done"], 1, 0),
    # The rest of the hold is to be released; it is released; and that is written.
    (3, "before", ["done"], 1, 0),
    (3, "after", ["done"], 1, 0),
    (4, "before", ["done"], 1, 1),
    (4, "after", ["done"], 1, 1),
]


@pytest.mark.scenario("C12", "what is found after a death at each seam of a change: version and return, or neither")
@pytest.mark.parametrize(("commit", "side", "seen", "reversals", "voids"), AMENDED)
def test_what_is_found_of_a_change(
    world: World,
    checkout: Checkout,
    mortal: Mortal,
    commit: int,
    side: Side,
    seen: list[str],
    reversals: int,
    voids: int,
) -> None:
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert mortal.live("amend cup 490", commit=commit, side=side) == "killed"
    assert [one.state for one in checkout.refunds("A-1") if one.is_amendment] == seen
    payment = checkout.find("A-1")
    assert payment is not None
    assert payment.total.amount_minor == (490 if seen else 10490)
    assert (world.provider.sent("reverse"), world.provider.sent("void")) == (reversals, voids)
    for _ in range(2):
        world.advance(60)
        checkout.recover()
    assert mortal.live("amend cup 490", commit=99, side=side) == "survived"
    assert standing(world) == ("partially_reversed", 1046, 556)
    assert world.provider.points() == (2500 - 490, 0)


@pytest.mark.scenario("C12", "killed at a commit of a return between two parcels: it and the next parcel happen once")
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_a_return_and_the_next_parcel(
    world: World, checkout: Checkout, mortal: Mortal, commit: int, side: Side
) -> None:
    # The 84.90 in money come back first.
    steps = ("return R-1 lamp", "ship S-2 lamp", "return R-2 lamp", "return R-3 cup")
    for number, step in enumerate(steps):
        mortal.live(step, commit=commit, side=side)
        assert mortal.live(step, commit=99, side=side) == "survived", number
        world.advance(60)
        checkout.recover()
    given = [(one.return_reference, one.state, one.points, one.money.amount_minor) for one in checkout.refunds("A-1")]
    assert given == [("R-1", "done", 0, 5000), ("R-2", "done", 1510, 3490), ("R-3", "done", 490, 0)]
    assert standing(world) == ("reversed", 2000, 2000)
    assert world.provider.points() == (2500, 0)
