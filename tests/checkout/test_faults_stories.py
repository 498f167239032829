"""What really went wrong in other shops, told once more with this engine: orders, other tenders, returns, histories.

Two lamps of 24.95 and shipping of 4.90 are 54.80; 427 points are worth 4.27, of which 3.89 pay lamps.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from _mortal import end_leases
from _world import CART, World
from punktgenau import InsufficientPointsError, InvalidArgumentError
from punktgenau.checkout import Cart, Checkout, Line


def place(checkout: Checkout, reference: str = "A-1", cart: Cart = CART, points: Any = 427) -> Any:
    checkout.balance("anna", max_age_s=0)
    return checkout.authorize(reference, cart, customer_id="anna", points=points)


def paid(world: World, checkout: Checkout, cart: Cart = CART, points: Any = 427) -> None:
    world.order("A-1", "paid")
    place(checkout, cart=cart, points=points)
    checkout.capture("A-1")


def refund(checkout: Checkout, reference: str, **wanted: Any) -> Any:
    return checkout.refund("A-1", return_reference=reference, **wanted)


@pytest.mark.scenario("T5", "two orders count on the same points: the second is refused, nothing is ever below zero")
def test_the_balance_is_never_negative(world: World, checkout: Checkout) -> None:
    place(checkout, "A-1", points=2000)
    with pytest.raises(InsufficientPointsError) as caught:
        # The shop still believes in what it was told before.
        checkout.authorize("A-2", CART, customer_id="anna", points=501)
    assert caught.value.remaining == 500
    assert checkout.find("A-2") is None or checkout.find("A-2").points == 0
    assert world.provider.points() == (500, 2000)
    checkout.capture("A-1")
    assert place(checkout, "A-2", points=500).due.amount_minor == 4980
    assert world.provider.points() == (0, 500)


@pytest.mark.scenario("T14", "what is due is the total less every tender that holds, before and after each try")
def test_due_is_the_total_less_all_that_pays(world: World, checkout: Checkout) -> None:
    cart = Cart(
        currency="EUR",
        lines=list(CART.lines),
        shipping_minor=490,
        shipping_vat_rate="19",
        other_tenders_minor=1000,
    )
    assert place(checkout, cart=cart).due.amount_minor == 5480 - 1000 - 427
    checkout.void("A-1")
    assert checkout.find("A-1").due.amount_minor == 5480 - 1000
    assert place(checkout, cart=cart, points=300).due.amount_minor == 5480 - 1000 - 300
    checkout.capture("A-1")
    assert (checkout.find("A-1").due.amount_minor, checkout.find("A-1").total.amount_minor) == (4180, 4480)


@pytest.mark.scenario("T15", "several tries with several numbers of points: one is captured, no other stays held")
def test_every_hold_of_an_order_ends(world: World, checkout: Checkout) -> None:
    world.order("A-1", "pending")
    for points in (427, 100):
        place(checkout, points=points)
        checkout.void("A-1")
    place(checkout, points=300)
    world.order("A-1", "paid")
    checkout.recover()
    assert world.provider.redemptions() == [("A-1", "captured", 300), ("A-1", "voided", 100), ("A-1", "voided", 427)]
    assert world.provider.points() == (2200, 0)


@pytest.mark.scenario("T18", "a rebate comes first: points pay of the lower total, and never more than that")
def test_points_pay_what_the_rebate_leaves(world: World, checkout: Checkout) -> None:
    world.provider.give("mbr_2500", 6000)
    lamps = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19", discount_minor=990)
    cart = Cart(currency="EUR", lines=[lamps], shipping_minor=490, shipping_vat_rate="19")
    payment = place(checkout, cart=cart, points="all")
    assert (payment.points, payment.value.amount_minor, payment.due.amount_minor) == (4490, 4490, 0)
    assert world.provider.points() == (1510, 4490)


@pytest.mark.scenario(
    "T32", "cancelled and set back to open, again and again: points are held anew, given back each time"
)
def test_an_order_that_goes_back_and_forth(world: World, checkout: Checkout) -> None:
    for attempt in (1, 2, 3):
        assert place(checkout).attempt == attempt
        assert (checkout.capture("A-1").state, world.provider.points()) == ("captured", (2073, 0))
        assert (checkout.cancel("A-1").state, world.provider.points()) == ("reversed", (2500, 0))
        # "Completed" by a clerk without asking for points again takes none.
        assert (checkout.capture("A-1").points, world.provider.points()) == (0, (2500, 0))


@pytest.mark.scenario("T33", "a cancelled order gives its points back by itself, whatever had become of them")
@pytest.mark.parametrize("state", ["authorized", "captured", "unknown", "capture unknown"])
def test_cancelling_is_one_call(world: World, checkout: Checkout, state: str) -> None:
    checkout.balance("anna")
    if state == "unknown":
        world.provider.fault("authorize", "reset", times=9)
    place(checkout) if state != "unknown" else checkout.authorize("A-1", CART, customer_id="anna", points=427)
    if state == "capture unknown":
        world.provider.fault("capture", "reset", times=9)
    if state.startswith("capture"):
        checkout.capture("A-1")
    world.provider.heal()
    checkout.cancel("A-1", cause="by the customer")
    world.order("A-1", "cancelled")
    world.advance(60)
    end_leases(world.database_url)
    checkout.recover()
    assert world.provider.points() == (2500, 0)
    assert (checkout.find("A-1").points, checkout.find("A-1").due.amount_minor) == (0, 5480)


@pytest.mark.scenario(
    "T35", "paid, returned in part, cancelled: each movement's balance is the one before and its points"
)
def test_the_history_adds_up(world: World, checkout: Checkout) -> None:
    paid(world, checkout)
    refund(checkout, "R-1", lines={"lamp": 1})
    checkout.cancel("A-1")
    moved = [(entry.points, entry.balance) for entry in checkout.entries("anna").items][::-1]
    assert all(after == before + points for (_, before), (points, after) in pairwise(moved))
    assert [points for points, _ in moved if points][-3:] == [-427, 194, 233]
    assert moved[-1][1] == 2500 == world.provider.points()[0]


@pytest.mark.scenario("T31", "the whole order comes back: all points and all money, each once")
@pytest.mark.scenario(
    "T37", "after a return nothing takes the points a second time: no late event, no worker, no retry"
)
def test_a_whole_return_gives_all_back(world: World, checkout: Checkout) -> None:
    paid(world, checkout)
    given = refund(checkout, "R-1", lines={"lamp": 2}, shipping_minor=490)
    assert (given.state, given.points, given.money.amount_minor) == ("done", 427, 5053)
    for _ in range(2):
        checkout.capture("A-1")
        refund(checkout, "R-1", lines={"lamp": 2}, shipping_minor=490)
        checkout.cancel("A-1")
        world.advance(600)
        checkout.recover()
    assert world.provider.points() == (2500, 0)
    assert (world.provider.sent("capture"), world.provider.sent("reverse")) == (1, 1)


@pytest.mark.scenario("T34", "a part of an order is cancelled in one call: points and money of that part, no more")
@pytest.mark.scenario("T40", "the quantity that comes back counts: one lamp of two is half, and there is no third one")
def test_part_of_an_order(world: World, checkout: Checkout) -> None:
    paid(world, checkout)
    one = refund(checkout, "R-1", lines={"lamp": 1})
    assert (one.points, one.money.amount_minor) == (194, 2301)
    other = refund(checkout, "R-2", lines={"lamp": 1})
    assert (other.points, other.money.amount_minor) == (195, 2300)
    with pytest.raises(InvalidArgumentError):
        refund(checkout, "R-3", lines={"lamp": 1})
    assert world.provider.points() == (2073 + 389, 0)


@pytest.mark.scenario("T41", "before anything moves it is shown what goes back as points and what as money")
@pytest.mark.scenario("T46", "three policies, side by side: in proportion, points first, money first")
def test_a_return_is_shown_before_it_is_made(world: World, checkout: Checkout) -> None:
    paid(world, checkout)
    preview = checkout.preview_refund("A-1", lines={"lamp": 2})
    assert preview is not None
    shown = {name: (split.points, split.money.amount_minor) for name, split in preview.policies.items()}
    assert shown == {"proportional": (389, 4601), "points_first": (427, 4563), "money_first": (0, 4990)}
    assert world.provider.points() == (2073, 0)
    given = refund(checkout, "R-1", lines={"lamp": 2})
    assert (given.points, given.money.amount_minor) == shown[preview.policy]


@pytest.mark.scenario("T42", "nothing was paid in money: the total stays 54.80, and the order can still be returned")
@pytest.mark.scenario("T44", "an order paid wholly by points is returned in points, in part and in full, without money")
def test_a_bill_paid_by_points_alone(world: World, checkout: Checkout) -> None:
    world.provider.give("mbr_2500", 6000)
    paid(world, checkout, points="all")
    payment = checkout.find("A-1")
    assert (payment.points, payment.total.amount_minor, payment.due.amount_minor) == (5480, 5480, 0)
    one = refund(checkout, "R-1", lines={"lamp": 1})
    assert (one.state, one.points, one.money.amount_minor) == ("done", 2495, 0)
    rest = refund(checkout, "R-2", lines={"lamp": 1}, shipping_minor=490)
    assert (rest.state, rest.points, rest.money.amount_minor) == ("done", 2985, 0)
    assert world.provider.points() == (6000, 0)


@pytest.mark.scenario(
    "T47", "gift card, points and money: each gets its own back, 10.00 + 427 + 40.53, never another's"
)
def test_three_ways_of_paying_get_their_own_back(world: World, checkout: Checkout) -> None:
    cart = Cart(
        currency="EUR",
        lines=list(CART.lines),
        shipping_minor=490,
        shipping_vat_rate="19",
        other_tenders_minor=1000,
    )
    paid(world, checkout, cart=cart)
    given = [
        refund(checkout, "R-1", lines={"lamp": 1}),
        refund(checkout, "R-2", shipping_minor=490),
        refund(checkout, "R-3", lines={"lamp": 1}),
    ]
    assert [one.goods.amount_minor for one in given] == [2495, 490, 2495]
    for one in given:
        parts = (one.other.amount_minor, one.points_value.amount_minor, one.money.amount_minor)
        assert (sum(parts), min(parts) >= 0) == (one.goods.amount_minor, True)
    assert sum(one.other.amount_minor for one in given) == 1000
    assert sum(one.points for one in given) == 427
    assert sum(one.money.amount_minor for one in given) == 4053
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("T50", "a rebate and returns one by one: together just what was paid, 333 points and 21.67")
@pytest.mark.scenario("T51", "the last part takes the exact rest: by what was paid, not by list prices")
@pytest.mark.parametrize(("quantity", "rebate", "points"), [(3, 500, 333), (7, 501, 100)])
def test_returns_after_a_rebate(world: World, checkout: Checkout, quantity: int, rebate: int, points: int) -> None:
    cup = Line(sku="cup", quantity=quantity, unit_price_minor=1000, vat_rate="19", discount_minor=rebate)
    paid(world, checkout, cart=Cart(currency="EUR", lines=[cup]), points=points)
    given = [refund(checkout, f"R-{number}", lines={"cup": 1}) for number in range(quantity)]
    assert sum(one.points for one in given) == points
    assert sum(one.money.amount_minor for one in given) == quantity * 1000 - rebate - points
    assert all(one.points >= 0 <= one.money.amount_minor for one in given)
    assert max(one.goods.amount_minor for one in given) - min(one.goods.amount_minor for one in given) <= 1
    with pytest.raises(InvalidArgumentError):
        refund(checkout, "R-99", lines={"cup": 1})
    assert world.provider.points() == (2500, 0)
