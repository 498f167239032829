"""Orders that change after they were placed; points and cents by hand.

Two lamps of 24.95 and shipping of 4.90 are 54.80, paid with 427 points worth 4.27 and 50.53 in money. One lamp with
shipping is 29.85: 24.95 less, of which 4.27 x 2495 / 5480 = 1.944, so 1.94 in points and 23.01 in money.
"""

from typing import Any

import pytest

from _commits import counted_commits
from _there import there
from _world import CART, World
from punktgenau import InvalidArgumentError, Money
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.errors import InProgressError, RedemptionEndedError, StateConflictError
from punktgenau.provider import PROFILES


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def lamps(quantity: int, *more: Line, shipping_minor: int = 490) -> Cart:
    lamp = Line(sku="lamp", quantity=quantity, unit_price_minor=2495, vat_rate="19")
    return Cart(currency="EUR", lines=[lamp, *more], shipping_minor=shipping_minor, shipping_vat_rate="19")


def cups(price_minor: int, quantity: int = 1) -> Cart:
    cup = Line(sku="cup", quantity=quantity, unit_price_minor=price_minor, vat_rate="19")
    return Cart(currency="EUR", lines=[cup])


def held(world: World, checkout: Checkout, points: int = 427) -> None:
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=points)


def paid(world: World, checkout: Checkout, points: int = 427) -> None:
    held(world, checkout, points)
    world.order("A-1", "paid")
    assert there(checkout.capture("A-1")).state == "captured"


def amend(checkout: Checkout, cart: Cart):
    payment = checkout.amend("A-1", cart)
    assert payment is not None
    return payment


def test_before_the_capture_the_points_stay(world: World, checkout: Checkout):
    held(world, checkout)
    payment = amend(checkout, lamps(1))
    assert (payment.state, payment.points, payment.due, payment.total) == ("authorized", 427, euro(2558), euro(2985))
    assert amend(checkout, lamps(1)) == payment
    larger = amend(checkout, lamps(3))
    assert (larger.points, larger.due) == (427, euro(3 * 2495 + 490 - 427))
    assert world.provider.sent("capture") == 0
    captured = checkout.capture("A-1")
    assert captured is not None
    assert (captured.state, captured.points, captured.due) == ("captured", 427, euro(7548))
    # All of the larger order comes back.
    given = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 3}, shipping_minor=490)
    assert given is not None
    assert (given.points, given.money) == (427, euro(7548))
    assert world.provider.points() == (2500, 0)


def test_before_the_capture_fewer_points_fit(world: World, checkout: Checkout):
    held(world, checkout, 2400)
    # 4.90 is left to pay: all of it fits into 4.90.
    payment = amend(checkout, cups(490))
    assert (payment.state, payment.points, payment.value, payment.due) == ("authorized", 490, euro(490), euro(0))
    captured = checkout.capture("A-1")
    assert captured is not None
    assert (captured.state, captured.points, captured.due) == ("captured", 490, euro(0))
    assert world.provider.points() == (2010, 0)
    given = checkout.refund("A-1", return_reference="R-1", lines={"cup": 1})
    assert given is not None
    assert (given.state, given.points, given.money) == ("done", 490, euro(0))
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize(("discount_minor", "back"), [(1000, 2495), (0, 1495)])
def test_an_amount_given_back_before(world: World, checkout: Checkout, discount_minor: int, back: int):
    paid(world, checkout)
    # 10.00 off: 4.27 x 1000 / 5480 = 0.779, so 0.77 in points and 9.23 in money; 3.50 and 41.30 still pay 44.80.
    first = checkout.refund("A-1", return_reference="R-1", amount_minor=1000)
    assert first is not None
    assert (first.points, first.money) == (77, euro(923))
    # One lamp is left out. Where the cart says that the other one keeps its 10.00, all of 24.95 goes back and 19.85
    # stay; where it says the full price, the 10.00 are counted as given back for the lamp that is left out.
    lamp = Line(sku="lamp", quantity=1, unit_price_minor=2495, vat_rate="19", discount_minor=discount_minor)
    cart = Cart(currency="EUR", lines=[lamp], shipping_minor=490, shipping_vat_rate="19")
    payment = amend(checkout, cart)
    amendment = checkout.refunds("A-1")[-1]
    assert (amendment.goods, payment.total) == (euro(back), euro(2985 - discount_minor))
    assert payment.due + payment.agreed_value == payment.total
    # Nothing of what was charged is swallowed: what is due is what of it was kept.
    assert payment.due.amount_minor == 5053 - 923 - amendment.money.amount_minor


def test_what_stays_due_can_be_paid_by_card(world: World, checkout: Checkout):
    held(world, checkout, 427)
    # 4.40 to pay and 4.27 in points would leave 13 cents: 3.90 leave the 50 that a card takes.
    payment = amend(checkout, cups(440))
    assert (payment.points, payment.due) == (390, euro(50))
    world.order("A-1", "paid")
    world.advance(120)
    # Recovery, too, takes what the order is now.
    checkout.recover()
    assert there(checkout.find("A-1")).state == "captured"
    assert world.provider.points() == (2110, 0)


def test_nothing_is_left_for_points(world: World, checkout: Checkout):
    held(world, checkout)
    card = Line(sku="card", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False)
    payment = amend(checkout, Cart(currency="EUR", lines=[card]))
    assert (payment.state, payment.points, payment.due) == ("voided", 0, euro(2000))
    assert world.provider.points() == (2500, 0)
    assert there(checkout.capture("A-1")).due == euro(2000)


def test_a_crash_before_the_release(world: World, checkout: Checkout):
    held(world, checkout)
    world.order("A-1", "paid")
    card = Line(sku="card", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False)
    world.provider.fault("void", "reset", when="before", times=20)
    assert amend(checkout, Cart(currency="EUR", lines=[card])).due == euro(2000)
    world.provider.heal()
    world.advance(600)
    checkout.recover()
    assert there(checkout.find("A-1")).state == "voided"
    assert world.provider.points() == (2500, 0)


def test_a_hold_that_has_ended_and_may_pay_nothing_any_more(world: World, checkout: Checkout):
    held(world, checkout)
    world.advance(9000)
    checkout.recover()
    assert there(checkout.find("A-1")).state == "expired"
    card = Line(sku="card", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False)
    assert amend(checkout, Cart(currency="EUR", lines=[card])).due == euro(2000)
    world.order("A-1", "paid")
    assert there(checkout.capture("A-1")).points == 0
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("T50", "an order made smaller after it was paid gives back points and money, to the cent")
def test_after_the_capture_a_smaller_order_gives_back(world: World, checkout: Checkout):
    paid(world, checkout)
    payment = amend(checkout, lamps(1))
    assert (payment.state, payment.points, payment.value, payment.due) == (
        "partially_reversed", 233, euro(233), euro(2752),
    )  # fmt: skip
    (given,) = checkout.refunds("A-1")
    assert (given.return_reference, given.state, given.points, given.money) == ("amend-2", "done", 194, euro(2301))
    assert (given.is_amendment, given.lines) == (True, {})
    # What was due before, without what comes back, is what is due now.
    assert 5053 - 2301 == 2752
    assert world.provider.points() == (2073 + 194, 0)
    assert amend(checkout, lamps(1)) == payment
    assert len(checkout.refunds("A-1")) == 1
    # Returns go by the new version: the lamp is 24.95 of 29.85, 2.33 x 2495 / 2985 = 1.947: 1.95 by largest remainder.
    with pytest.raises(InvalidArgumentError):
        checkout.refund("A-1", return_reference="R-1", lines={"lamp": 2})
    lamp = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert lamp is not None
    assert (lamp.points, lamp.money) == (195, euro(2300))
    rest = checkout.refund("A-1", return_reference="R-2", shipping_minor=490)
    assert rest is not None
    assert (rest.points, rest.money) == (38, euro(452))
    assert world.provider.points() == (2500, 0)
    assert 2301 + 2300 + 452 == 5053


def test_after_the_capture_a_larger_order_owes_more(world: World, checkout: Checkout):
    paid(world, checkout)
    payment = amend(checkout, lamps(3))
    assert (payment.state, payment.points, payment.due) == ("captured", 427, euro(7548))
    assert checkout.refunds("A-1") == ()
    smaller = amend(checkout, lamps(2))
    # 24.95 of 79.75 come back: 4.27 x 2495 / 7975 = 1.335.
    assert (smaller.points, smaller.due) == (427 - 133, euro(5480 - 294))
    (given,) = checkout.refunds("A-1")
    assert (given.return_reference, given.points, given.money) == ("amend-3", 133, euro(2495 - 133))


@pytest.mark.parametrize(("policy", "points", "money"), [("points_first", 427, 2495 - 427), ("money_first", 0, 2495)])
def test_a_smaller_order_gives_back_by_the_policy(world: World, policy: Any, points: int, money: int):
    shop = world.checkout(refund_policy=policy)
    paid(world, shop)
    payment = amend(shop, lamps(1))
    (given,) = shop.refunds("A-1")
    assert (given.points, given.money) == (points, euro(money))
    assert payment.due == euro(5053 - money)
    assert world.provider.points() == (2073 + points, 0)


def test_points_that_may_pay_nothing_of_the_new_order_come_back(world: World, checkout: Checkout):
    paid(world, checkout)
    card = Line(sku="card", quantity=1, unit_price_minor=6000, vat_rate="0", points_allowed=False)
    payment = amend(checkout, Cart(currency="EUR", lines=[card]))
    # It costs more, so no money comes back; and points may pay none of it.
    assert (payment.points, payment.due, payment.returned_points) == (0, euro(6000), 427)
    assert world.provider.points() == (2500, 0)


def test_after_returns_what_is_left_counts(world: World, checkout: Checkout):
    paid(world, checkout)
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    # One lamp and shipping are left, with 233 points and 27.52 in money; the shipping is taken off.
    payment = amend(checkout, lamps(1, shipping_minor=0))
    # 4.90 of 29.85: 2.33 x 490 / 2985 = 0.382.
    assert (payment.points, payment.due) == (233 - 38, euro(2752 - 452))
    assert [(one.return_reference, one.points, one.money) for one in checkout.refunds("A-1")] == [
        ("R-1", 194, euro(2301)),
        ("amend-2", 38, euro(452)),
    ]


def test_coarse_points_are_settled_with_the_new_version(world: World, checkout: Checkout):
    # Seven cups of 3 cents, all paid with 3 points of 7 cents.
    world.provider.rate(points=1, amount_minor=7)
    cup = Line(sku="cup", quantity=7, unit_price_minor=3, vat_rate="19")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", Cart(currency="EUR", lines=[cup]), customer_id="anna", points=3)
    checkout.capture("A-1")
    # One cup: 3 cents and no point yet.
    checkout.refund("A-1", return_reference="R-1", lines={"cup": 1})
    # Four cups are left, 12 cents: 6 less than 18, and 3 were owed. One point is 7 cents, and 2 more are money.
    four = Line(sku="cup", quantity=4, unit_price_minor=3, vat_rate="19")
    payment = amend(checkout, Cart(currency="EUR", lines=[four]))
    given = checkout.refunds("A-1")[1]
    assert (given.points, given.points_value, given.money, given.carry) == (2, euro(14), euro(0), euro(0))
    # 1 point worth 7 cents stays, and 5 cents are due in money.
    assert (payment.points, payment.value, payment.due) == (1, euro(7), euro(5))


@pytest.mark.parametrize("kind", ["reset", "status_500", "hang"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost(world: World, kind: str, when: str):
    shop = world.checkout(deadline_s=0.6)
    paid(world, shop)
    world.provider.fault("reverse", kind, when=when, times=20)
    payment = amend(shop, lamps(1))
    assert (payment.state, payment.due) == ("reversing", euro(2752))
    assert amend(shop, lamps(1)).due == euro(2752)
    with pytest.raises(InProgressError):
        shop.amend("A-1", lamps(1, shipping_minor=0))
    world.provider.heal()
    world.advance(600)
    shop.recover()
    assert [one.state for one in shop.refunds("A-1")] == ["done"]
    assert there(shop.find("A-1")).points == 233
    assert world.provider.points() == (2267, 0)


def test_a_capture_of_fewer_points_whose_answer_is_lost(world: World, checkout: Checkout):
    held(world, checkout, 2400)
    amend(checkout, lamps(1, shipping_minor=0))
    world.order("A-1", "paid")
    world.provider.fault("capture", "reset", when="after", times=20)
    # 24.95 can take all 2,400 and leave 95 cents.
    assert there(checkout.capture("A-1")).state == "capturing"
    world.provider.heal()
    world.advance(600)
    checkout.recover()
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.due) == ("captured", 2400, euro(95))


def test_a_hold_that_has_ended_is_taken_anew_as_amended(world: World, checkout: Checkout):
    held(world, checkout, 2400)
    amend(checkout, cups(490))
    world.advance(9000)
    world.order("A-1", "paid")
    payment = checkout.capture("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.due, payment.attempt) == ("captured", 490, euro(0), 2)
    assert world.provider.points() == (2010, 0)


def test_orders_that_cannot_be_amended(world: World, checkout: Checkout):
    assert checkout.amend("A-9", CART) is None
    paid(world, checkout)
    with pytest.raises(InvalidArgumentError):
        checkout.amend("A-1", Cart(currency="USD", lines=CART.lines))
    world.provider.fault("reverse", "reset", when="before", times=20)
    checkout.cancel("A-1")
    with pytest.raises((RedemptionEndedError, InProgressError)):
        checkout.amend("A-1", lamps(1))
    world.provider.heal()
    world.advance(600)
    checkout.recover()
    # All points are back, so the order is its money.
    assert amend(checkout, lamps(1)).due == euro(2985)
    assert checkout.refunds("A-1") == ()
    assert world.provider.points() == (2500, 0)


def test_a_provider_that_gives_back_only_all(world: World, checkout: Checkout):
    world.profile = PROFILES["no_partial_reversal"]
    world.provider.play("no_partial_reversal")
    shop = world.checkout()
    shop.link("anna", member_id="mbr_2500", consent_id="con_1")
    held(world, shop)
    shop.capture("A-1")
    payment = amend(shop, lamps(1))
    # Money first: all of the 24.95.
    assert (payment.points, payment.due) == (427, euro(2985 - 427))
    with pytest.raises(StateConflictError):
        shop.amend("A-1", Cart(currency="EUR", lines=[Line(sku="x", quantity=1, unit_price_minor=5, vat_rate="7")]))
    assert world.provider.points() == (2073, 0)


def test_the_receipt_is_the_newest_version(world: World, checkout: Checkout):
    paid(world, checkout)
    amend(checkout, lamps(1))
    invoice = checkout.invoice("A-1")
    assert invoice is not None
    assert [(tender.kind, tender.amount) for tender in invoice.tenders] == [
        ("points", euro(233)),
        ("money", euro(2752)),
    ]
    # 29.85 / 1.19 = 25.084
    assert [(tax.net, tax.vat) for tax in invoice.taxes] == [(euro(2508), euro(477))]
    assert [one.return_reference for one in invoice.earlier] == ["amend-2"]


def test_two_commits(world: World, checkout: Checkout):
    paid(world, checkout)
    with counted_commits(checkout._database) as made:
        amend(checkout, lamps(1))
    assert len(made) == 2
    with counted_commits(checkout._database) as made:
        amend(checkout, lamps(1))
    assert made == []
