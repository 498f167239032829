"""Orders that change while parcels are still to come; points and cents by hand.

What has left stays paid as it was; of the points that are held the most that fit pay the rest, and the last parcel
releases the others.
"""

from typing import Any

import pytest

from _commits import counted_commits
from _there import there
from _world import World
from punktgenau import Money
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.office import Office
from punktgenau.errors import InProgressError, StateConflictError


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def line(sku: str, price_minor: int, quantity: int = 1, **more: Any) -> Line:
    return Line(sku=sku, quantity=quantity, unit_price_minor=price_minor, vat_rate="19", **more)


def cart(*lines: Line, shipping_minor: int = 0) -> Cart:
    return Cart(currency="EUR", lines=lines, shipping_minor=shipping_minor, shipping_vat_rate="19")


def lamps(quantity: int, shipping_minor: int = 490) -> Cart:
    return cart(line("lamp", 2495, quantity), shipping_minor=shipping_minor)


def sent(world: World, order: Cart, points: int, first: dict[str, int], **settings: Any) -> Checkout:
    """A shop of whose order the first parcel has left."""
    shop = world.checkout(capture="shipped", **settings)
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", order, customer_id="anna", points=points)
    world.order("A-1", "paid")
    shop.capture("A-1", lines=first, shipment_reference="S-1")
    return shop


def amend(shop: Checkout, order: Cart):
    payment = shop.amend("A-1", order, reason="out of stock", actor="clerk 7")
    assert payment is not None
    return payment


def ship(shop: Checkout, lines: dict[str, int], reference: str = "S-2") -> str:
    payment = shop.capture("A-1", lines=lines, shipment_reference=reference)
    assert payment is not None
    return payment.state


def refund(shop: Checkout, reference: str, **wanted: Any) -> None:
    assert shop.refund("A-1", return_reference=reference, **wanted) is not None


def figures(shop: Checkout) -> list[tuple[str, int, int]]:
    assert {one.state for one in shop.refunds("A-1")} <= {"done"}
    return [(one.return_reference, one.points, one.money.amount_minor) for one in shop.refunds("A-1")]


def standing(world: World) -> tuple[str, int, int]:
    """State, captured and given back at the provider."""
    ((theirs),) = world.made[0][1].redemptions.find(order_reference="A-1")
    return theirs.state, theirs.captured_points, theirs.reversed_points


def test_what_has_not_left_is_taken_off(world: World):
    # 427 points: 1.94 of the lamp and 0.38 of the shipping left, the other lamp is 1.95 and 23.00 in money.
    shop = sent(world, lamps(2), 427, {"lamp": 1})
    payment = amend(shop, lamps(1))
    assert (payment.state, payment.points, payment.due, payment.total) == ("captured", 232, euro(2753), euro(2985))
    assert figures(shop) == [("amend-2", 0, 2300)]
    # Nothing is left to be captured, so the rest was released at once.
    assert standing(world) == ("captured", 232, 0)
    assert world.provider.points() == (2500 - 232, 0)
    assert amend(shop, lamps(1)) == payment
    refund(shop, "R-1", lines={"lamp": 1})
    refund(shop, "R-2", shipping_minor=490)
    assert figures(shop)[1:] == [("R-1", 194, 2301), ("R-2", 38, 452)]
    assert 2300 + 2301 + 452 == 5053
    assert world.provider.points() == (2500, 0)


def test_points_that_are_held_stay_with_what_is_still_to_come(world: World):
    # Three lamps and shipping, 427 points: 401 and 26. The first lamp is a third of 401, 133, with the shipping 159.
    shop = sent(world, lamps(3), 427, {"lamp": 1})
    assert standing(world) == ("partially_captured", 159, 0)
    payment = amend(shop, lamps(2))
    # The other 268 fit into the one lamp that is left.
    assert (payment.state, payment.points, payment.due) == ("partially_captured", 427, euro(5053))
    assert figures(shop) == [("amend-2", 0, 2495)]
    # Back and forth loses nothing; what was paid back is due again.
    assert amend(shop, lamps(3)).due == euro(7548)
    assert amend(shop, lamps(2)).due == euro(5053)
    assert ship(shop, {"lamp": 1}) == "captured"
    assert standing(world) == ("captured", 427, 0)
    refund(shop, "R-1", lines={"lamp": 1})
    refund(shop, "R-2", lines={"lamp": 1})
    refund(shop, "R-3", shipping_minor=490)
    # 1.59 over the lamp and the shipping that left first: 1.33 and 0.26.
    assert figures(shop)[-3:] == [("R-1", 133, 2362), ("R-2", 268, 2227), ("R-3", 26, 464)]
    assert world.provider.points() == (2500, 0)


def test_the_last_parcel_releases_what_does_not_fit(world: World):
    # 2400 points over 24.95 and 5.00: 19.99 and 4.01.
    shop = sent(world, cart(line("lamp", 2495), line("cup", 500)), 2400, {"cup": 1})
    assert standing(world) == ("partially_captured", 401, 0)
    payment = amend(shop, cart(line("cup", 500), line("book", 1000)))
    # 1999 are held, and ten euros can take 1000 of them: 0.99 stay due.
    assert (payment.state, payment.points, payment.due) == ("partially_captured", 1401, euro(99))
    assert figures(shop) == [("amend-2", 0, 496)]
    assert world.provider.points() == (100, 1999)
    assert ship(shop, {"book": 1}) == "captured"
    assert standing(world) == ("captured", 1401, 0)
    assert world.provider.points() == (2500 - 1401, 0)
    refund(shop, "R-1", lines={"cup": 1, "book": 1})
    assert figures(shop)[1:] == [("R-1", 1401, 99)]


def test_all_that_is_left_without_naming_it(world: World):
    shop = sent(world, cart(line("lamp", 2495), line("cup", 500)), 2400, {"cup": 1})
    amend(shop, cart(line("cup", 500), line("book", 1000)))
    assert there(shop.capture("A-1")).state == "captured"
    assert standing(world) == ("captured", 1401, 0)


@pytest.mark.scenario("T50", "goods that have left cannot be amended away between two parcels; they have to come back")
def test_what_has_left_cannot_be_amended_away(world: World):
    shop = sent(world, lamps(2), 427, {"lamp": 1})
    for order in (cart(line("cup", 100)), lamps(1, shipping_minor=0)):
        with pytest.raises(StateConflictError, match="refund") as caught:
            amend(shop, order)
        assert caught.value.code == "already_shipped"
    # Once it has come back it can go: of the first lamp 194 points, so 38 pay the shipping and 195 the other lamp.
    refund(shop, "R-1", lines={"lamp": 1})
    payment = amend(shop, lamps(1))
    assert (payment.state, payment.points, payment.due) == ("partially_captured", 233, euro(2752))
    assert figures(shop) == [("R-1", 194, 2301)]
    with pytest.raises(StateConflictError) as caught:
        shop.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    assert caught.value.code == "not_shipped"
    assert ship(shop, {"lamp": 1}) == "partially_reversed"
    assert standing(world) == ("partially_reversed", 427, 194)
    refund(shop, "R-2", lines={"lamp": 1}, shipping_minor=490)
    assert figures(shop)[1:] == [("R-2", 233, 2752)]
    assert world.provider.points() == (2500, 0)


def test_a_return_and_a_parcel_after_a_change(world: World):
    shop = sent(world, lamps(3), 427, {"lamp": 1})
    amend(shop, lamps(2))
    refund(shop, "R-1", lines={"lamp": 1})
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points) == ("partially_captured", 427 - 133)
    assert ship(shop, {"lamp": 1}) == "partially_reversed"
    refund(shop, "R-2", lines={"lamp": 1}, shipping_minor=490)
    assert figures(shop) == [("amend-2", 0, 2495), ("R-1", 133, 2362), ("R-2", 294, 2691)]
    assert standing(world) == ("reversed", 427, 427)


def test_captured_points_that_no_longer_fit_come_back(world: World):
    # 2000 points over two lamps of 50.00 and a cup of 4.90: 19.07 and 0.93. A lamp and the cup leave: 953 + 93.
    shop = sent(
        world,
        cart(line("lamp", 5000, 2), line("cup", 490)),
        2000,
        {"lamp": 1, "cup": 1},
        refund_policy="money_first",
    )
    assert standing(world) == ("partially_captured", 1046, 0)
    refund(shop, "R-1", lines={"lamp": 1})
    payment = amend(shop, cart(line("cup", 490)))
    # Money first: all of it is back, so the cup is paid in points; the 556 that are too many come back.
    assert (payment.state, payment.points, payment.due) == ("partially_reversed", 490, euro(0))
    assert figures(shop) == [("R-1", 0, 5000), ("amend-2", 556, 3490)]
    assert standing(world) == ("partially_reversed", 1046, 556)
    refund(shop, "R-2", lines={"cup": 1})
    assert figures(shop)[2:] == [("R-2", 490, 0)]
    assert world.provider.points() == (2500, 0)


def test_coarse_points_between_parcels(world: World):
    # Seven cups of 3 cents, all paid with 3 points of 7 cents. Three leave: 9 cents, so one point.
    world.provider.rate(points=1, amount_minor=7)
    cups = [cart(line("cup", 3, quantity)) for quantity in range(1, 8)]
    shop = sent(world, cups[6], 3, {"cup": 3})
    assert standing(world) == ("partially_captured", 1, 0)
    refund(shop, "R-1", lines={"cup": 2})
    assert figures(shop) == [("R-1", 0, 0)]
    assert shop.refunds("A-1")[0].carry == euro(6)
    # One cup is kept, two are still to come: 3 cents cannot take the point of 7, so it comes back and the cup's
    # 3 cents are due; 6 cents take none of the points that are held.
    payment = amend(shop, cups[2])
    assert (payment.points, payment.due) == (0, euro(9))
    assert figures(shop)[1:] == [("amend-2", 1, 0)]
    assert standing(world) == ("reversed", 1, 1)
    assert world.provider.points() == (2500, 0)


def test_a_parcel_that_points_do_not_pay_has_left(world: World):
    card = line("card", 2000, points_allowed=False)
    shop = sent(world, cart(*lamps(2).lines, card), 427, {"card": 1})
    assert there(shop.find("A-1")).state == "authorized"
    with pytest.raises(StateConflictError) as caught:
        amend(shop, lamps(1))
    assert caught.value.code == "already_shipped"
    refund(shop, "R-1", lines={"card": 1})
    payment = amend(shop, lamps(1, shipping_minor=0))
    assert (payment.state, payment.points, payment.due) == ("authorized", 427, euro(2495 - 427))
    assert figures(shop) == [("R-1", 0, 2000), ("amend-2", 0, 2495)]
    assert ship(shop, {"lamp": 1}) == "captured"


@pytest.mark.parametrize("operation", ["void", "reverse"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost(world: World, operation: str, when: str):
    order = cart(line("lamp", 5000, 2), line("cup", 490))
    shop = sent(world, order, 2000, {"lamp": 1, "cup": 1}, refund_policy="money_first", deadline_s=0.6)
    refund(shop, "R-1", lines={"lamp": 1})
    world.provider.fault(operation, "reset", when=when, times=20)
    payment = amend(shop, cart(line("cup", 490)))
    assert (payment.state, payment.due) == ("voiding" if operation == "void" else "reversing", euro(0))
    with pytest.raises(InProgressError):
        amend(shop, cart(line("cup", 480)))
    world.provider.heal()
    for _ in range(2):
        world.advance(600)
        shop.recover()
    assert figures(shop) == [("R-1", 0, 5000), ("amend-2", 556, 3490)]
    assert standing(world) == ("partially_reversed", 1046, 556)
    assert world.provider.points() == (2500 - 490, 0)


@pytest.mark.parametrize("when", ["before", "after"])
def test_cancelled_while_the_rest_is_being_released(world: World, when: str):
    shop = sent(world, lamps(2), 427, {"lamp": 1}, deadline_s=0.6)
    world.provider.fault("void", "reset", when=when, times=20)
    assert amend(shop, lamps(1)).state == "voiding"
    shop.cancel("A-1")
    world.provider.heal()
    for _ in range(3):
        world.advance(600)
        shop.recover()
    assert there(shop.find("A-1")).state == "reversed"
    assert standing(world) == ("reversed", 232, 232)
    assert world.provider.points() == (2500, 0)


def test_a_return_waits_for_the_release_of_the_rest(world: World):
    shop = sent(world, lamps(2), 427, {"lamp": 1}, deadline_s=0.6)
    world.provider.fault("void", "reset", when="after", times=20)
    assert amend(shop, lamps(1)).state == "voiding"
    refund = shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert refund is not None
    assert (refund.state, refund.points) == ("reversing", 194)
    world.provider.heal()
    for _ in range(2):
        world.advance(600)
        shop.recover()
    assert figures(shop) == [("amend-2", 0, 2300), ("R-1", 194, 2301)]
    assert standing(world) == ("partially_reversed", 232, 194)


def test_changed_while_a_parcel_is_unknown(world: World):
    shop = sent(world, lamps(3), 427, {"lamp": 1}, deadline_s=0.6)
    world.provider.fault("capture", "reset", when="after", times=20)
    assert ship(shop, {"lamp": 1}) == "capturing"
    with pytest.raises(InProgressError):
        amend(shop, lamps(2))
    world.provider.heal()
    world.advance(600)
    shop.recover()
    # Two lamps have left by now.
    payment = amend(shop, lamps(2))
    assert (payment.state, payment.due) == ("captured", euro(5480 - 293))


def test_short_is_for_a_person_first(world: World):
    shop = sent(world, lamps(2), 427, {"lamp": 1})
    world.advance(9000)
    assert ship(shop, {"lamp": 1}) == "short"
    with pytest.raises(StateConflictError):
        amend(shop, lamps(1))


def test_what_an_operator_sees(world: World):
    shop = sent(world, lamps(3), 427, {"lamp": 1})
    office = Office(shop)
    whole = office.whole(office.searching.attempts("A-1")[-1].id)
    assert whole.can_return
    amend(shop, lamps(2))
    story = [(one.kind, one.points) for one in office.whole(whole.row.id).story]
    assert ("amended", 427) in story


def test_two_commits_for_a_change(world: World):
    shop = sent(world, lamps(3), 427, {"lamp": 1})
    with counted_commits(shop._database) as made:
        amend(shop, lamps(2))
    assert len(made) == 1, made
