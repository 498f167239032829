"""Returns of an order whose points are taken anew keep their numbers; each further one gets the next.

Five lamps of 24.95, 500 points: 100 for each. By `money_first` points come back last, so most returns give back none.
"""

from typing import Literal

import pytest

from _there import there
from _world import World
from punktgenau import Money
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.hints import noted
from punktgenau.checkout.office import Office

BLOCKED = {"id": "mbr_2500", "state": "blocked"}


def lamps(quantity: int) -> Cart:
    return Cart(currency="EUR", lines=[Line(sku="lamp", quantity=quantity, unit_price_minor=2495, vat_rate="19")])


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def paid(world: World, shop: Checkout) -> None:
    world.order("A-1", "paid")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", lamps(5), customer_id="anna", points=500)
    assert there(shop.capture("A-1")).state == "captured"


def taken_back(shop: Checkout) -> None:
    """The provider says that it has never taken the points: they are with the member again."""
    row = shop._journal.latest("A-1")
    assert row is not None
    evidence = shop._executor.look_up(row, deadline_s=5)
    assert evidence is not None
    assert evidence.id is not None
    left = row.captured_points - row.reversed_points
    shop._provider.redemptions.reverse(evidence.id, points=left, return_reference="theirs")
    nothing = {"captured_points": 0, "captured_value": euro(0), "held_points": 0}
    noted(shop._journal, shop._executor, row, evidence.model_copy(update={"state": "expired"} | nothing))


def numbers(shop: Checkout) -> list[list[tuple[str, int]]]:
    attempts = [shop._journal.books(one.id) for one in Office(shop).searching.attempts("A-1")]
    return [[(one.reference, one.number) for one in books.returns] for books in attempts]


def test_a_return_that_was_handed_on_leaves_room_for_the_next(world: World):
    shop = world.checkout(refund_policy="money_first")
    paid(world, shop)
    # 24.95 in money each: what is left is worth 74.85, of which the points pay 5.00.
    shop.amend("A-1", lamps(4))
    second = shop.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    assert second is not None
    assert (second.points, second.money) == (0, euro(2495))
    taken_back(shop)
    shop.recover()
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.state, payment.attempt, payment.points) == ("captured", 2, 500)
    assert numbers(shop) == [[("amend-2", 1)], [("R-2", 2)]]
    third = shop.refund("A-1", return_reference="R-3", lines={"lamp": 1})
    assert third is not None
    assert (third.state, third.points, third.money) == ("done", 0, euro(2495))
    assert numbers(shop) == [[("amend-2", 1)], [("R-2", 2), ("R-3", 3)]]
    # One lamp is left, and it is changed to one that costs the same: both returns are of the version before.
    shop.amend("A-1", lamps(2), reason="one more")
    last = shop.refund("A-1", return_reference="R-4", lines={"lamp": 2})
    assert last is not None
    # 49.90, of which the points pay 5.00.
    assert (last.points, last.money) == (500, euro(4490))


def test_what_was_refused_of_an_earlier_version_has_ended_with_its_points(world: World, checkout: Checkout):
    paid(world, checkout)
    world.provider.play("no_partial_reversal")
    refused = checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert refused is not None
    assert (refused.state, refused.points, refused.money) == ("declined", 100, euro(2395))
    world.provider.play("reference")
    # Its points stay captured beside the 400 that pay the four that are kept.
    checkout.amend("A-1", lamps(4))
    assert [one.return_reference for one in checkout.refused_refunds()] == ["R-1"]
    taken_back(checkout)
    checkout.recover()
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.attempt, payment.points) == ("captured", 2, 400)
    # The customer has all of the first 500 again, so nothing of them can be given or paid any more.
    assert world.provider.points() == (2100, 0)
    assert list(checkout.refused_refunds()) == []
    assert [(one.return_reference, one.state) for one in checkout.refunds("A-1")] == [("R-1", "ended")]
    assert list(checkout.open_refunds()) == [("A-1", "R-1", euro(2395))]
    assert Office(checkout).attention().refused == ()


@pytest.mark.parametrize(("as_", "money"), [("written_off", 6985), ("paid_otherwise", 7485)])
def test_what_was_handed_on_is_settled_by_its_number(
    world: World, as_: Literal["written_off", "paid_otherwise"], money: int
):
    shop = world.checkout(refund_policy="money_first")
    paid(world, shop)
    shop.amend("A-1", lamps(4))
    shop.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    world.provider.http.post(f"{world.provider.url}/sandbox/members", json=BLOCKED, timeout=20)
    taken_back(shop)
    shop.recover()
    short = shop.find("A-1")
    assert short is not None
    # Three lamps are left of four: 74.85, and the points would have paid 5.00 of it.
    assert (short.state, short.attempt, numbers(shop)) == ("short", 2, [[("amend-2", 1)], [("R-2", 2)]])
    office = Office(shop)
    office.resolve(office.searching.attempts("A-1")[-1].id, as_=as_, actor="mira", reason="nobody has them")
    rest = shop.refund("A-1", return_reference="R-3", lines={"lamp": 3})
    assert rest is not None
    assert (rest.points, rest.money) == (0, euro(money))
