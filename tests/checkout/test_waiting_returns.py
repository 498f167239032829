"""Returns that are asked for while something else of their order is under way, and holds whose rest is lost unseen.

Two lamps of 24.95 and shipping of 4.90, paid with 427 points: 194 and 195 of the lamps, 38 of the shipping.
"""

from dataclasses import replace
from typing import Any

import pytest

from _world import CART, World
from punktgenau import Client, Money, ReversalExceedsCaptureError
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.resolve import UNDONE
from punktgenau.errors import InProgressError, RedemptionEndedError


class Away(dict[str, Any]):
    """The shop's database does not answer."""

    def get(self, *_: Any) -> Any:
        raise OSError("the shop's database is away")


def placed(world: World, checkout: Checkout) -> None:
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)


def capturing(world: World, checkout: Checkout, *, when: str) -> None:
    """Paid, and nobody has heard whether the points are taken."""
    placed(world, checkout)
    world.provider.fault("capture", "reset", when=when, times=40)
    payment = checkout.capture("A-1")
    assert payment is not None
    assert payment.state == "capturing"


def refund(checkout: Checkout, reference: str, **wanted: object):
    given = checkout.refund("A-1", return_reference=reference, **wanted)  # type: ignore[arg-type]
    assert given is not None
    return given


def told(checkout: Checkout) -> list[tuple[str, str, int]]:
    return [(one.return_reference, one.state, one.points) for one in checkout.refunds("A-1")]


def test_several_returns_wait_for_one_capture(world: World, checkout: Checkout):
    capturing(world, checkout, when="after")
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "reversing"
    assert refund(checkout, "R-2", lines={"lamp": 1}).state == "reversing"
    assert refund(checkout, "R-3", shipping_minor=490).state == "reversing"
    world.provider.heal()
    world.advance(600)
    checkout.recover()
    assert told(checkout) == [("R-1", "done", 194), ("R-2", "done", 195), ("R-3", "done", 38)]
    assert world.provider.points() == (2500, 0)


def test_a_return_waits_on_while_the_capture_stays_unknown(world: World, checkout: Checkout):
    capturing(world, checkout, when="before")
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "reversing"
    for _ in range(3):
        # Each of these ends as unknown as before.
        world.advance(600)
        checkout.recover()
    world.provider.heal()
    world.advance(1000)
    checkout.recover()
    assert told(checkout) == [("R-1", "done", 194)]
    assert world.provider.points() == (2500 - 233, 0)


def test_a_return_waits_on_while_the_shop_cannot_tell_of_its_order(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
):
    capturing(world, checkout, when="after")
    for reference in ("R-1", "R-2"):
        assert refund(checkout, reference, lines={"lamp": 1}).state == "reversing"
    world.provider.heal()
    world.advance(600)
    begin, begun = Executor.next_return, []

    def dies_the_second_time(*given: Any, **named: Any) -> Any:
        begun.append(given)
        if len(begun) > 1:
            raise RuntimeError("dies here")
        return begin(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Executor, "next_return", dies_the_second_time)
        checkout.recover()
    assert told(checkout) == [("R-1", "done", 194), ("R-2", "reversing", 195)]
    with monkeypatch.context() as patch:
        patch.setattr(world, "orders", Away())
        world.advance(600)
        world.checkout().recover()
    world.advance(600)
    checkout.recover()
    assert told(checkout) == [("R-1", "done", 194), ("R-2", "done", 195)]


@pytest.mark.parametrize("later_s", [1000, 9000], ids=["held", "ended"])
def test_an_order_is_changed_after_the_return_that_waits_for_its_capture(
    world: World, checkout: Checkout, later_s: int
):
    capturing(world, checkout, when="before")
    assert refund(checkout, "R-1", lines={"lamp": 1}).points == 194
    # It comes to nothing, and nothing takes the points meanwhile.
    world.order("A-1", "pending")
    world.provider.heal()
    row = checkout._journal.latest("A-1")
    assert row is not None
    claim = checkout._journal.claim(row.id, lease_s=5)
    assert claim is not None
    changed = replace(claim.redemption, state="authorized" if later_s == 1000 else "expired")
    checkout._journal.finish(claim, changed, outcome="not_done", code=UNDONE, reply=None, sends=0, next_at=None)
    if later_s == 9000:
        world.advance(later_s)
    kept = Cart(
        currency="EUR",
        lines=[Line(sku="lamp", quantity=1, unit_price_minor=2495, vat_rate="19")],
        shipping_minor=490,
        shipping_vat_rate="19",
    )
    with pytest.raises(InProgressError, match="R-1 of order A-1 waits"):
        checkout.amend("A-1", kept)
    checkout.capture("A-1")
    assert told(checkout) == [("R-1", "done", 194)]
    assert world.provider.points() == (2500 - 233, 0)
    # What the customer keeps: 29.85, of which 233 points pay 2.33, and the rest was paid in money.
    payment = checkout.amend("A-1", kept)
    assert payment is not None
    assert (payment.points, payment.due) == (233, Money(amount_minor=2752, currency="EUR"))
    assert [one.return_reference for one in checkout.refunds("A-1")] == ["R-1"]


def test_a_return_goes_on_with_the_points_that_are_taken_anew(world: World, checkout: Checkout):
    capturing(world, checkout, when="before")
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "reversing"
    world.provider.heal()
    # The hold is gone by now, so its points are held and taken anew, as attempt 2.
    world.advance(9000)
    checkout.recover()
    checkout.recover()
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.attempt, payment.points) == ("partially_reversed", 2, 233)
    assert told(checkout) == [("R-1", "done", 194)]
    assert world.provider.points() == (2500 - 233, 0)
    # Both lamps are back with the next one: nothing is counted twice or forgotten.
    assert refund(checkout, "R-2", lines={"lamp": 1}).points == 195


def test_a_return_ends_where_its_order_is_cancelled_and_no_points_were_taken(world: World, checkout: Checkout):
    capturing(world, checkout, when="before")
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "reversing"
    world.order("A-1", "cancelled")
    checkout.cancel("A-1")
    world.provider.heal()
    # The hold has ended by now, so nothing was taken, and nothing is taken any more.
    world.advance(9000)
    assert checkout.recover().needs_attention == 0
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points) == ("expired", 0)
    ended = checkout.refunds("A-1")[0]
    # Its money half is the shop's, as of every return; nobody gave points back.
    assert (ended.state, ended.points, ended.restored, ended.money) == (
        "ended", 194, None, Money(amount_minor=2301, currency="EUR"),
    )  # fmt: skip
    assert refund(checkout, "R-1", lines={"lamp": 1}) == ended
    assert list(checkout.refused_refunds()) == []
    with pytest.raises(RedemptionEndedError):
        checkout.refund_again("A-1", return_reference="R-1", actor="clerk 7", reason="asked")
    assert world.provider.sent("reverse") == 0
    assert world.provider.points() == (2500, 0)


def test_a_return_ends_with_the_wish_that_comes_last(world: World, checkout: Checkout):
    capturing(world, checkout, when="before")
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "reversing"
    world.provider.heal()
    world.advance(9000)
    # Meanwhile the customer has spent all points elsewhere, so they are not taken anew either.
    world.order("A-2", "pending")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-2", CART, customer_id="anna", points=2500)
    for _ in range(2):
        checkout.recover()
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.attempt, told(checkout)) == ("short", 2, [("R-1", "reversing", 194)])
    world.order("A-1", "cancelled")
    checkout.cancel("A-1")
    assert told(checkout) == [("R-1", "ended", 194)]


def test_points_that_were_taken_anew_and_came_back_are_no_shortfall(world: World, checkout: Checkout):
    placed(world, checkout)
    world.advance(9000)
    payment = checkout.capture("A-1")
    assert payment is not None
    assert (payment.state, payment.attempt) == ("captured", 2)
    assert refund(checkout, "R-1", lines={"lamp": 2}, shipping_minor=490).state == "done"
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points) == ("reversed", 0)


def test_more_than_the_provider_has_left_is_refused_with_what_is_left(world: World, checkout: Checkout):
    placed(world, checkout)
    checkout.capture("A-1")
    (redemption,) = world.made[0][1].redemptions.find(order_reference="A-1")
    # Somebody at the provider gives points back of which the shop knows nothing, until its next return is answered.
    world.made[0][1].redemptions.reverse(redemption.id, points=300, return_reference="theirs")
    assert refund(checkout, "R-1", shipping_minor=490).points == 38
    world.advance(60)
    checkout.recover()
    with pytest.raises(ReversalExceedsCaptureError) as unseen:
        checkout.preview_refund("A-1", lines={"lamp": 1})
    assert unseen.value.remaining == 427 - 300 - 38
    with pytest.raises(ReversalExceedsCaptureError) as refused:
        refund(checkout, "R-2", lines={"lamp": 1})
    assert (refused.value.outcome, refused.value.remaining) == ("not_done", 427 - 300 - 38)
    assert [one.return_reference for one in checkout.refunds("A-1")] == ["R-1"]


@pytest.mark.parametrize("known", [True, False], ids=["the parcel is known", "the parcel is unknown"])
def test_the_rest_of_a_hold_that_ended_between_parcels_is_short(world: World, known: bool):
    shop = world.checkout(capture="shipped")
    placed(world, shop)
    if not known:
        world.provider.fault("capture", "reset", when="after", times=40)
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    world.provider.heal()
    world.advance(9000)
    for _ in range(3):
        shop.recover()
        world.advance(120)
    payment = shop.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.due) == (
        "short", 232, Money(amount_minor=5053, currency="EUR"),
    )  # fmt: skip
    assert ("redemption_short", "A-1") in world.events


@pytest.mark.parametrize("shop", ["no_lookup"], indirect=True)
def test_the_rest_of_a_hold_is_short_where_nothing_can_be_looked_up(shop: World):
    checkout = shop.checkout(capture="shipped")
    placed(shop, checkout)
    checkout.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    shop.advance(9000)
    for _ in range(3):
        checkout.recover()
        shop.advance(120)
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points) == ("short", 232)
    assert shop.provider.points() == (2500 - 232, 0)


@pytest.mark.parametrize("shop", ["no_lookup"], indirect=True)
def test_a_parcel_that_comes_too_late_takes_nothing_where_nothing_can_be_looked_up(shop: World):
    checkout = shop.checkout(capture="shipped")
    placed(shop, checkout)
    checkout.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    shop.advance(9000)
    # Refused as captured before: that was the first parcel, and the rest of the hold is gone.
    late = checkout.capture("A-1", lines={"lamp": 1}, shipment_reference="S-2")
    assert late is not None
    assert (late.state, late.points) == ("short", 232)
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "done"
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.points, payment.returned_points) == ("short", 38, 194)
    assert shop.provider.points() == (2500 - 38, 0)


@pytest.mark.parametrize("shop", ["no_keys"], indirect=True)
def test_a_return_that_is_proven_to_have_done_nothing_is_begun_anew(shop: World):
    checkout = shop.checkout()
    placed(shop, checkout)
    checkout.capture("A-1")
    shop.provider.fault("reverse", "reset", when="before", times=9)
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "reversing"
    shop.provider.heal()
    for _ in range(4):
        # The first of these only look; what they prove makes the return wait for its turn again.
        shop.advance(120)
        checkout.recover()
    assert told(checkout) == [("R-1", "done", 194)]
    assert shop.provider.points() == (2500 - 233, 0)


@pytest.mark.parametrize("shop", ["no_keys"], indirect=True)
def test_a_return_waits_on_while_the_capture_is_begun_anew(shop: World):
    checkout = shop.checkout()
    capturing(shop, checkout, when="before")
    assert refund(checkout, "R-1", lines={"lamp": 1}).state == "reversing"
    shop.provider.heal()
    for _ in range(5):
        # The capture is proven to have done nothing and begun anew; only then is it the return's turn.
        shop.advance(120)
        checkout.recover()
    assert told(checkout) == [("R-1", "done", 194)]
    assert shop.provider.points() == (2500 - 233, 0)


@pytest.mark.parametrize("shop", ["no_keys"], indirect=True)
def test_a_return_ends_where_the_provider_has_given_all_points_back(shop: World):
    """Without keys a refusal proves nothing about an earlier send, so the look-up decides."""
    checkout = shop.made[0][0]
    placed(shop, checkout)
    assert checkout.capture("A-1") is not None
    red = shop.provider.http.get(f"{shop.provider.url}/sandbox/redemptions?order_reference=A-1").json()["items"][0]
    desk = Client(shop.provider.url, client_id="demo-shop", client_secret="demo-secret")
    desk.redemptions.reverse(red["id"], points=427, return_reference="theirs")
    refund(checkout, "R-1", lines={"lamp": 1})
    for _ in range(3):
        shop.advance(600)
        checkout.recover()
    assert told(checkout) == [("R-1", "ended", 194)]
    assert shop.provider.points() == (2500, 0)
