"""Points captured parcel by parcel; points and cents by hand.

Two lamps of 24.95 and shipping of 4.90, 427 points: the lamps own 3.89, shipping 0.38. The first lamp is 1.94, and the
shipping goes with the first parcel: 194 + 38 = 232 points; the second lamp is the rest, 195.
"""

from typing import Any

import pytest

from _commits import counted_commits
from _there import there
from _together import together
from _world import CART, World
from punktgenau import InvalidArgumentError, Money
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.errors import IdempotencyConflictError, InProgressError
from punktgenau.provider import PROFILES


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


@pytest.fixture
def shop(world: World) -> Checkout:
    """A shop that captures when parcels leave; its order is paid."""
    shop = world.checkout(capture="shipped")
    placed(world, shop)
    return shop


def placed(world: World, shop: Checkout) -> None:
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "paid")


def ship(shop: Checkout, reference: str, quantity: int = 1, **more: Any):
    payment = shop.capture("A-1", lines={"lamp": quantity}, shipment_reference=reference, **more)
    assert payment is not None
    return payment


def captured(world: World) -> tuple[str, int]:
    ((redemption),) = world.made[0][1].redemptions.find(order_reference="A-1")
    return redemption.state, redemption.captured_points


def test_parcel_by_parcel(world: World, shop: Checkout):
    first = ship(shop, "S-1")
    assert (first.state, first.points, first.due) == ("partially_captured", 427, euro(5053))
    assert captured(world) == ("partially_captured", 232)
    assert ship(shop, "S-1") == first
    second = ship(shop, "S-2")
    assert (second.state, second.points, second.value) == ("captured", 427, euro(427))
    assert captured(world) == ("captured", 427)
    assert world.provider.sent("capture") == 2
    assert world.provider.points() == (2073, 0)
    assert ship(shop, "S-1").state == "captured"
    given = shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490)
    assert given is not None
    assert (given.state, given.points) == ("done", 427)
    assert world.provider.points() == (2500, 0)


def test_a_parcel_that_cannot_be_meant(world: World, shop: Checkout):
    ship(shop, "S-1")
    with pytest.raises(IdempotencyConflictError):
        ship(shop, "S-1", 2)
    for lines in ({"lamp": 2}, {"cup": 1}, {"lamp": -1}, {}):
        with pytest.raises(InvalidArgumentError):
            shop.capture("A-1", lines=lines, shipment_reference="S-2")
    with pytest.raises(InvalidArgumentError):
        shop.capture("A-1", lines={"lamp": 1})
    with pytest.raises(InvalidArgumentError):
        shop.capture("A-1", lines={"lamp": 1}, shipment_reference="x" * 37)
    assert captured(world) == ("partially_captured", 232)
    assert shop.capture("A-9", lines={"lamp": 1}, shipment_reference="S-1") is None


def test_all_that_is_left_without_naming_it(world: World, shop: Checkout):
    ship(shop, "S-1")
    payment = shop.capture("A-1")
    assert payment is not None
    assert payment.state == "captured"
    assert captured(world) == ("captured", 427)
    assert shop.capture("A-1") == payment
    assert ship(shop, "S-2").state == "captured"
    assert world.provider.sent("capture") == 2


def test_recovery_takes_nothing_that_has_not_left(world: World, shop: Checkout):
    world.advance(120)
    shop.recover()
    assert there(shop.find("A-1")).state == "authorized"
    ship(shop, "S-1")
    world.advance(120)
    shop.recover()
    assert captured(world) == ("partially_captured", 232)


@pytest.mark.scenario("T34", "cancelled after a parcel has left: the rest is released, what was paid comes back, once")
@pytest.mark.parametrize("by", ["shop", "recovery"])
def test_cancelled_after_the_first_parcel(world: World, shop: Checkout, by: str):
    ship(shop, "S-1")
    world.order("A-1", "cancelled")
    if by == "shop":
        assert there(shop.cancel("A-1")).state == "reversed"
    else:
        world.advance(120)
        shop.recover()
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.due) == ("reversed", 0, euro(5480))
    assert world.provider.points() == (2500, 0)
    assert captured(world) == ("reversed", 232)
    assert ship(shop, "S-2").state == "reversed"


@pytest.mark.parametrize("kind", ["reset", "status_500", "hang", "html_200"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost(world: World, kind: str, when: str):
    shop = world.checkout(capture="shipped", deadline_s=0.6)
    placed(world, shop)
    world.provider.fault("capture", kind, when=when, times=20)
    assert ship(shop, "S-1").state == "capturing"
    # The next parcel waits for its turn.
    assert ship(shop, "S-2").state == "capturing"
    world.provider.heal()
    world.advance(600)
    shop.recover()
    shop.recover()
    assert there(shop.find("A-1")).state == "captured"
    assert captured(world) == ("captured", 427)
    assert world.provider.points() == (2073, 0)


def test_cancelled_while_a_parcel_is_unknown(world: World, shop: Checkout):
    world.provider.fault("capture", "reset", when="after", times=20)
    assert ship(shop, "S-1").state == "capturing"
    shop.cancel("A-1")
    world.provider.heal()
    for _ in range(3):
        world.advance(600)
        shop.recover()
    assert there(shop.find("A-1")).state == "reversed"
    assert world.provider.points() == (2500, 0)


def test_the_rest_of_a_hold_that_has_ended_is_short_and_never_taken_twice(world: World, shop: Checkout):
    ship(shop, "S-1")
    world.advance(9000)
    payment = ship(shop, "S-2")
    assert (payment.state, payment.points) == ("short", 232)
    world.advance(600)
    shop.recover()
    assert world.provider.points() == (2500 - 232, 0)
    assert there(shop.find("A-1")).attempt == 1
    # The order is given up: what was paid goes back.
    shop.cancel("A-1")
    assert there(shop.find("A-1")).state == "reversed"
    assert world.provider.points() == (2500, 0)


def test_a_provider_that_captures_only_as_a_whole(world: World):
    world.profile = PROFILES["one_capture"]
    world.provider.play("one_capture")
    shop = world.checkout(capture="shipped")
    shop.link("anna", member_id="mbr_2500", consent_id="con_1")
    placed(world, shop)
    assert ship(shop, "S-1").state == "captured"
    assert ship(shop, "S-2").state == "captured"
    # The second lamp never ships.
    given = shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert given is not None
    assert (given.points, given.money) == (194, euro(2301))
    assert world.provider.sent("capture") == 1


def test_a_parcel_that_points_do_not_pay(world: World):
    shop = world.checkout(capture="shipped")
    card = Line(sku="card", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False)
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", Cart(currency="EUR", lines=[*CART.lines, card]), customer_id="anna", points=427)
    payment = shop.capture("A-1", lines={"card": 1}, shipment_reference="S-1")
    assert payment is not None
    assert payment.state == "authorized"
    assert world.provider.sent("capture") == 0
    assert ship(shop, "S-2", 2).state == "captured"
    assert captured(world) == ("captured", 427)


def test_parcels_at_once(world: World, shop: Checkout):
    shops = [world.checkout(capture="shipped", deadline_s=8) for _ in range(4)]
    together(4, lambda n: ship(shops[n], f"S-{n % 2}"))
    world.advance(600)
    shop.recover()
    assert captured(world) == ("captured", 427)
    assert world.provider.sent("capture") == 2


def test_two_commits_for_a_parcel(world: World, shop: Checkout):
    for reference in ("S-1", "S-2"):
        with counted_commits(shop._database) as made:
            ship(shop, reference)
        assert len(made) == 2, made


FIVE = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=5, unit_price_minor=2495, vat_rate="19")])
"""500 points: each lamp is 100 of them."""


def under_way(world: World, shop: Checkout, parcels: int) -> None:
    """So many parcels of one lamp each have left; nobody knows whether the first is captured."""
    world.order("B-1", "paid")
    shop.authorize("B-1", FIVE, customer_id="anna", points=500)
    for operation in ("capture", "get", "find"):
        world.provider.fault(operation, "reset", when="before", times=500)
    for number in range(1, parcels + 1):
        left = shop.capture("B-1", lines={"lamp": 1}, shipment_reference=f"S-{number}")
        assert left is not None
        assert left.state == "capturing"


def recovered(world: World, shop: Checkout) -> None:
    world.provider.heal()
    for _ in range(3):
        world.advance(300)
        shop.recover()


@pytest.mark.parametrize("parcels", [1, 2, 3])
def test_the_rest_is_taken_once_the_parcels_before_it_are(world: World, shop: Checkout, parcels: int):
    under_way(world, shop, parcels)
    for _ in range(2):
        assert there(shop.capture("B-1")).state == "capturing"
    recovered(world, shop)
    payment = shop.find("B-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.due) == ("captured", 500, euro(12475 - 500))
    assert ("B-1", "captured", 500) in world.provider.redemptions()
    assert shop.capture("B-1") == payment
    assert world.provider.points() == (2500 - 427 - 500, 427)


def test_a_wish_to_take_the_rest_ends_with_a_cancellation(world: World, shop: Checkout):
    under_way(world, shop, 2)
    shop.capture("B-1")
    shop.cancel("B-1")
    recovered(world, shop)
    assert world.provider.points() == (2500 - 427, 427)


def test_parcels_alone_leave_the_rest_held(world: World, shop: Checkout):
    under_way(world, shop, 2)
    recovered(world, shop)
    assert world.provider.points() == (2500 - 427 - 500, 427 + 300)


def test_what_left_with_a_first_parcel_that_is_being_captured_comes_back_later(world: World, shop: Checkout):
    under_way(world, shop, 1)
    with pytest.raises(InProgressError):
        shop.refund("B-1", return_reference="R-1", lines={"lamp": 1})
    recovered(world, shop)
    given = shop.refund("B-1", return_reference="R-1", lines={"lamp": 1})
    assert given is not None
    assert (given.state, given.points, given.money) == ("done", 100, euro(2395))
