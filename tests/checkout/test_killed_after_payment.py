"""Killed at every seam of what comes after the payment: what the next process finds, and what it comes to, by hand.

A seam is a side of a commit: what is sent goes out between one's "after" and the next one's "before". Two lamps of
24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01 (see test_refunds).
"""

from collections.abc import Iterator

import pytest

from _expired import bought, euro, lamp_back, paid, put_state, told
from _mortal import Mortal, Process, Side
from _there import there
from _together import together
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.errors import StateConflictError

NEW_POINTS = {"expired_points": "new_points"}


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with Process() as running:
        yield running


@pytest.fixture
def mortal(world: World, process: Process) -> Mortal:
    return Mortal(process, world.provider.url, world.database_url)


def wait(world: World, shop: Checkout, times: int = 2) -> None:
    for _ in range(times):
        world.advance(60)
        shop.recover()


ACCRUAL = [
    # Nothing was written; the intent was; the provider has given back, and nobody has heard of it.
    (1, "before", None, 0, 0),
    (1, "after", "none", 0, 0),
    (2, "before", "none", 1, 0),
    # What has expired is known and its new points are promised; they are given; and that is written.
    (2, "after", "accruing", 1, 0),
    (3, "before", "accruing", 1, 1),
    (3, "after", "posted", 1, 1),
]


@pytest.mark.scenario("C11", "killed at each seam of a return whose points come back expired: new ones are given once")
@pytest.mark.parametrize("step", ["return R-1 lamp", "cancel"])
@pytest.mark.parametrize(("commit", "side", "seen", "reversals", "accruals"), ACCRUAL)
def test_new_points(
    world: World, mortal: Mortal, step: str, commit: int, side: Side, seen: str | None, reversals: int, accruals: int
) -> None:
    shop = bought(world)
    points = 427 if step == "cancel" else 194
    assert mortal.live(step, commit=commit, side=side, settings=NEW_POINTS, moved_s=2 * 86_400) == "killed"
    # What is left of a cancelled order is no return until it is known that some of it had expired.
    none_yet = [] if step == "cancel" else [("none", 0)]
    expected = {None: [], "none": none_yet}.get(seen, [(seen, points)])
    assert [(one.new_points_state, one.new_points) for one in shop.refunds("A-1")] == expected
    assert (world.provider.sent("reverse"), world.provider.sent("accrue")) == (reversals, accruals)
    if seen is not None:
        wait(world, shop)
    assert mortal.live(step, commit=99, side=side, settings=NEW_POINTS, moved_s=2 * 86_400 + 120) == "survived"
    assert [(one.new_points_state, one.new_points) for one in shop.refunds("A-1")] == [("posted", points)]
    assert world.provider.points("mbr_soon") == (points, 0)


@pytest.mark.scenario("C6", "killed at either side of a payment's commit: it counts once, whoever tells it again")
@pytest.mark.parametrize(("side", "due_minor"), [("before", 2301), ("after", 0)])
def test_a_payment(world: World, checkout: Checkout, mortal: Mortal, side: Side, due_minor: int) -> None:
    paid(world, checkout, customer_id="anna")
    lamp_back(checkout)
    assert mortal.live("paid R-1 psp_1", commit=1, side=side) == "killed"
    (seen,) = checkout.refunds("A-1")
    assert (seen.money_due, seen.money_paid) == (euro(due_minor), euro(2301 - due_minor))
    assert [due for *_, due in checkout.open_refunds()] == ([euro(2301)] if due_minor else [])
    assert mortal.live("paid R-1 psp_1", commit=99, side=side) == "survived"
    (closed,) = checkout.refunds("A-1")
    assert (closed.money_due, closed.money_paid, closed.psp_reference) == (euro(0), euro(2301), "psp_1")


@pytest.mark.scenario("C6", "killed at either side of the commit by which refused new points become money: owed once")
@pytest.mark.parametrize("side", ["before", "after"])
def test_new_points_that_become_money(world: World, mortal: Mortal, side: Side) -> None:
    shop = bought(world)
    put_state(world, "blocked")
    lamp_back(shop)
    assert mortal.live("instead R-1 blocked", commit=1, side=side) == "killed"
    seen = ("R-1", 194, "declined") if side == "before" else ("R-1", 0, "none")
    assert (told(shop), len(Office(shop).log())) == ([seen], 0 if side == "before" else 1)
    again = mortal.live("instead R-1 blocked", commit=99, side=side)
    assert again == ("survived" if side == "before" else "refused")
    (given,) = shop.refunds("A-1")
    assert (given.expired_money, given.money_due, len(Office(shop).log())) == (euro(194), euro(2495), 1)


def short(world: World) -> Checkout:
    """One of two lamps has left, 194 points and the shipping's 38 are captured; the rest of the hold has ended."""
    shop = world.checkout(capture="shipped")
    world.order("A-1", "paid")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    world.advance(9000)
    wait(world, shop)
    return shop


def standing(shop: Checkout) -> tuple[str, int, int, int]:
    """State, points and due of the order, and how many deeds are written down."""
    payment = there(shop.find("A-1"))
    return payment.state, payment.points, payment.due.amount_minor, len(Office(shop).log())


SETTLED = {"written_off": ("captured", 232, 5053, 1), "paid_otherwise": ("captured", 232, 5248, 1)}
"""195 points of the other lamp are missing."""


@pytest.mark.scenario(
    "C6", "killed at either side of a decision about a shortfall: it stands as a whole, or not at all"
)
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("as_", SETTLED)
def test_a_decision_about_a_shortfall(world: World, mortal: Mortal, as_: str, side: Side) -> None:
    shop = short(world)
    assert mortal.live(f"resolve {as_} old", commit=1, side=side) == "killed"
    assert standing(shop) == (("short", 232, 5053, 0) if side == "before" else SETTLED[as_])
    assert mortal.live(f"resolve {as_} old", commit=99, side=side) == ("survived" if side == "before" else "refused")
    assert standing(shop) == SETTLED[as_]
    assert world.provider.points() == (2500 - 232, 0)


def test_two_decide_about_a_shortfall_at_once(world: World) -> None:
    shops = (short(world), world.checkout(capture="shipped"))
    ways = ("written_off", "paid_otherwise")

    def decide(number: int) -> str:
        office = Office(shops[number])
        row = office.searching.attempts("A-1")[-1]
        as_ = ways[number]
        office.resolve(
            row.id, as_="written_off" if as_ == "written_off" else "paid_otherwise", actor="kim", reason="old"
        )
        return as_

    ended = together(2, decide)
    (won,) = [one for one in ended if isinstance(one, str)]
    (lost,) = [one for one in ended if not isinstance(one, str)]
    assert isinstance(lost, StateConflictError)
    assert standing(shops[0]) == SETTLED[won]


HANDED_ON = 9000
"""Seconds after which the hold has ended; its points are then held and taken anew, as attempt 2."""


@pytest.mark.scenario("C12", "killed at each seam of a shortfall's repair: a return that waits goes with it, once")
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("commit", range(1, 9))
def test_a_return_that_is_handed_on(world: World, checkout: Checkout, mortal: Mortal, commit: int, side: Side) -> None:
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.fault("capture", "reset", when="before", times=40)
    checkout.capture("A-1")
    assert lamp_back(checkout).state == "reversing"
    world.provider.heal()
    world.advance(HANDED_ON)
    ended = mortal.live("recover", commit=commit, side=side, orders={"A-1": "paid"}, moved_s=HANDED_ON)
    # Whichever attempt it belongs to by now, it is there, and once.
    assert [one.return_reference for one in checkout.refunds("A-1")] == ["R-1"]
    assert world.provider.sent("reverse") <= 1
    wait(world, checkout, 4 if ended == "killed" else 1)
    payment = there(checkout.find("A-1"))
    assert (payment.state, payment.attempt, payment.points) == ("partially_reversed", 2, 233)
    assert [(one.state, one.points) for one in checkout.refunds("A-1")] == [("done", 194)]
    assert world.provider.points() == (2500 - 233, 0)
