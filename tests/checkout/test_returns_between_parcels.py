"""What comes back while parcels are still to come; points and cents by hand.

Two lamps of 24.95 and shipping of 4.90, 427 points: with the first parcel a lamp of 1.94 in points and the shipping of
0.38 leave, 232 points; the second lamp is the rest, 195. The first lamp back is 194 points and 23.01 in money.
"""

from typing import Any

import pytest

from _there import there
from _together import together
from _world import CART, World
from punktgenau import InvalidArgumentError, Money
from punktgenau.checkout import Checkout, Refund
from punktgenau.checkout.settings import RefundPolicy
from punktgenau.errors import InProgressError, StateConflictError


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def sent(world: World, **settings: Any) -> Checkout:
    """A shop of whose order the first parcel has left."""
    shop = world.checkout(capture="shipped", **settings)
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "paid")
    assert ship(shop, "S-1") == "partially_captured"
    return shop


def ship(shop: Checkout, reference: str) -> str:
    payment = shop.capture("A-1", lines={"lamp": 1}, shipment_reference=reference)
    assert payment is not None
    return payment.state


def back(shop: Checkout, reference: str, **wanted: Any) -> Refund:
    given = shop.refund("A-1", return_reference=reference, **wanted)
    assert given is not None
    return given


def figures(shop: Checkout) -> list[tuple[str, int, int]]:
    return [(one.state, one.points, one.money.amount_minor) for one in shop.refunds("A-1")]


def standing(world: World) -> tuple[str, int, int]:
    """State, captured and given back at the provider."""
    ((theirs),) = world.made[0][1].redemptions.find(order_reference="A-1")
    return theirs.state, theirs.captured_points, theirs.reversed_points


ENDS: dict[RefundPolicy, list[tuple[str, int, int]]] = {
    "proportional": [("done", 194, 2301), ("done", 195, 2300), ("done", 38, 452)],
    # No more points than were captured; the rest of them with the next return.
    "points_first": [("done", 232, 2263), ("done", 195, 2300), ("done", 0, 490)],
    "money_first": [("done", 0, 2495), ("done", 0, 2495), ("done", 427, 63)],
}


@pytest.mark.parametrize("policy", ENDS)
def test_a_parcel_comes_back_before_the_next_one_leaves(world: World, policy: RefundPolicy):
    shop = sent(world, refund_policy=policy)
    preview = shop.preview_refund("A-1", lines={"lamp": 1})
    assert preview is not None
    shown = {name: (split.points, split.money.amount_minor) for name, split in preview.policies.items()}
    assert shown == {name: rows[0][1:] for name, rows in ENDS.items()}
    given = back(shop, "R-1", lines={"lamp": 1})
    assert (given.points, given.money.amount_minor) == ENDS[policy][0][1:]
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.due) == ("partially_captured", 427 - given.points, euro(5053))
    assert back(shop, "R-1", lines={"lamp": 1}) == given
    assert ship(shop, "S-2") == ("partially_reversed" if given.points else "captured")
    back(shop, "R-2", lines={"lamp": 1})
    back(shop, "R-3", shipping_minor=490)
    assert figures(shop) == ENDS[policy]
    assert standing(world) == ("reversed", 427, 427)
    assert world.provider.points() == (2500, 0)


def test_what_has_not_left_cannot_come_back(world: World):
    shop = sent(world)
    for wanted in ({"lines": {"lamp": 2}}, {"amount_minor": 2986}):
        for call in (shop.preview_refund, lambda order, **more: shop.refund(order, return_reference="R-1", **more)):
            with pytest.raises(StateConflictError, match="amend") as caught:
                call("A-1", **wanted)
            assert caught.value.code == "not_shipped"
    for wanted in ({"lines": {"lamp": 3}}, {"amount_minor": 5481}, {"lines": {"cup": 1}}):
        with pytest.raises(InvalidArgumentError):
            shop.refund("A-1", return_reference="R-1", **wanted)
    assert shop.refunds("A-1") == ()
    assert standing(world) == ("partially_captured", 232, 0)


def test_an_amount_is_one_of_what_has_left(world: World):
    shop = sent(world)
    # Of 29.85: 8.36 of the lamp, 0.65 of them points; 1.64 of the shipping, 0.12 of them points.
    back(shop, "R-1", amount_minor=1000)
    assert ship(shop, "S-2") == "partially_reversed"
    for reference, wanted in (
        ("R-2", {"lines": {"lamp": 1}}),
        ("R-3", {"shipping_minor": 326}),
        ("R-4", {"lines": {"lamp": 1}}),
    ):
        back(shop, reference, **wanted)  # type: ignore[arg-type]
    assert figures(shop) == [("done", 77, 923), ("done", 129, 1530), ("done", 26, 300), ("done", 195, 2300)]
    assert world.provider.points() == (2500, 0)


def test_all_that_has_left_comes_back_and_the_rest_leaves(world: World):
    shop = sent(world)
    back(shop, "R-1", lines={"lamp": 1}, shipping_minor=490)
    assert standing(world) == ("partially_captured", 232, 232)
    world.advance(120)
    shop.recover()
    assert ship(shop, "S-2") == "partially_reversed"
    assert standing(world) == ("partially_reversed", 427, 232)
    assert world.events[-1] == ("redemption_captured", "A-1")
    back(shop, "R-2", lines={"lamp": 1})
    assert standing(world) == ("reversed", 427, 427)


def test_the_rest_is_released_after_a_return(world: World):
    shop = sent(world)
    back(shop, "R-1", lines={"lamp": 1})
    assert there(shop.cancel("A-1")).state == "reversed"
    assert standing(world) == ("reversed", 232, 232)
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize("by", ["shop", "recovery"])
def test_where_the_hold_has_ended_what_has_left_can_come_back(world: World, by: str):
    shop = sent(world)
    world.advance(9000)
    if by == "shop":
        assert ship(shop, "S-2") == "short"
    else:
        shop.recover()
        assert there(shop.find("A-1")).state == "short"
    assert world.events[-1] == ("redemption_short", "A-1")
    back(shop, "R-1", lines={"lamp": 1})
    assert figures(shop) == [("done", 194, 2301)]
    with pytest.raises(StateConflictError) as caught:
        shop.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    assert caught.value.code == "not_shipped"
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points) == ("short", 38)
    world.advance(600)
    shop.recover()
    assert standing(world) == ("partially_reversed", 232, 194)
    back(shop, "R-3", shipping_minor=490)
    assert there(shop.find("A-1")).state == "short"
    assert world.provider.points() == (2500, 0)
    assert there(shop.cancel("A-1")).state == "reversed"


@pytest.mark.parametrize("kind", ["reset", "status_500", "hang"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_is_lost_while_the_next_parcel_leaves(world: World, kind: str, when: str):
    shop = sent(world, deadline_s=0.6)
    world.provider.fault("reverse", kind, when=when, times=20)
    assert back(shop, "R-1", lines={"lamp": 1}).state == "reversing"
    # The parcel waits for its turn.
    assert ship(shop, "S-2") == "reversing"
    with pytest.raises(InProgressError):
        shop.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    world.provider.heal()
    for _ in range(2):
        world.advance(600)
        shop.recover()
    assert figures(shop) == [("done", 194, 2301)]
    assert standing(world) == ("partially_reversed", 427, 194)


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_rest_is_captured_once_a_lost_return_is_known(world: World, when: str):
    shop = sent(world, deadline_s=0.6)
    world.provider.fault("reverse", "reset", when=when, times=20)
    assert back(shop, "R-1", lines={"lamp": 1}).state == "reversing"
    assert there(shop.capture("A-1")).state == "reversing"
    world.provider.heal()
    world.advance(600)
    shop.recover()
    assert standing(world) == ("partially_reversed", 427, 194)


def test_a_return_waits_for_a_parcel_that_is_unknown(world: World):
    shop = sent(world)
    world.provider.fault("capture", "reset", when="after", times=20)
    assert ship(shop, "S-2") == "capturing"
    assert back(shop, "R-1", lines={"lamp": 1}).state == "reversing"
    with pytest.raises(InProgressError):
        shop.refund("A-1", return_reference="R-2", lines={"lamp": 1})
    world.provider.heal()
    world.advance(600)
    shop.recover()
    assert figures(shop) == [("done", 194, 2301)]
    assert standing(world) == ("partially_reversed", 427, 194)
    back(shop, "R-2", lines={"lamp": 1})
    assert figures(shop)[1] == ("done", 195, 2300)


def test_a_return_that_is_refused_leaves_the_rest_held(world: World):
    shop = sent(world)
    world.provider.play("reference", reverses_in_parts=False)
    assert back(shop, "R-1", lines={"lamp": 1}).state == "declined"
    assert there(shop.find("A-1")).state == "partially_captured"
    world.provider.play("reference")
    who = {"return_reference": "R-1", "actor": "clerk 7", "reason": "again"}
    assert shop.refund_again("A-1", **who).state == "done"
    assert ship(shop, "S-2") == "partially_reversed"
    assert standing(world) == ("partially_reversed", 427, 194)


def test_worth_in_money_instead_of_points_that_stay_taken(world: World):
    shop = sent(world)
    world.provider.play("reference", reverses_in_parts=False)
    back(shop, "R-1", lines={"lamp": 1})
    world.provider.play("reference")
    owed = shop.pay_instead("A-1", return_reference="R-1", actor="clerk 7", reason="blocked")
    assert owed.money_due == euro(2495)
    assert ship(shop, "S-2") == "captured"
    back(shop, "R-2", lines={"lamp": 1}, shipping_minor=490)
    assert standing(world) == ("partially_reversed", 427, 233)


@pytest.mark.scenario("T52", "a return and the next parcel at once: each is done once, nothing above what was captured")
def test_a_return_and_the_next_parcel_at_once(world: World):
    sent(world)
    shops = [world.checkout(capture="shipped", deadline_s=8) for _ in range(4)]
    tasks = (
        lambda shop: back(shop, "R-1", lines={"lamp": 1}),
        lambda shop: ship(shop, "S-2"),
        lambda shop: back(shop, "R-2", shipping_minor=490),
        lambda shop: ship(shop, "S-2"),
    )
    together(4, lambda n: tasks[n](shops[n]))
    world.advance(600)
    shops[0].recover()
    assert sorted(figures(shops[0])) == [("done", 38, 452), ("done", 194, 2301)]
    assert standing(world) == ("partially_reversed", 427, 232)
    assert (world.provider.sent("capture"), world.provider.sent("reverse")) == (2, 2)
