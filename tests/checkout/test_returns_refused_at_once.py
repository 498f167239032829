"""Returns that are refused before anything is booked, and those that look different and are the same.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01 (see test_refunds).
"""

from collections.abc import Callable
from typing import Any

import pytest

from _there import there
from _world import CART, World
from punktgenau import InvalidArgumentError, Money
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.errors import (
    IdempotencyConflictError,
    RedemptionEndedError,
    ReturnConflictError,
    ReversalExceedsCaptureError,
)


def euro(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def lamps(quantity: int, price: int = 2495) -> Cart:
    return Cart(
        currency="EUR", lines=[Line(sku="lamp", quantity=quantity, unit_price_minor=price, vat_rate="19")]
    )  # fmt: skip


def paid(world: World, checkout: Checkout, cart: Cart = CART) -> None:
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", cart, customer_id="anna", points=427)
    assert there(checkout.capture("A-1")).state == "captured"


def refund(checkout: Checkout, reference: str = "R-1", **wanted: Any):
    given = checkout.refund("A-1", return_reference=reference, **wanted)
    assert given is not None
    return given


@pytest.mark.parametrize("reference", ["amend-", "amend-2", "amend-x"])
def test_references_of_amended_orders_are_not_for_returns(world: World, checkout: Checkout, reference: str):
    paid(world, checkout, lamps(3))
    with pytest.raises(InvalidArgumentError) as refused:
        refund(checkout, reference, lines={"lamp": 1})
    assert (refused.value.field, checkout.refunds("A-1")) == ("return_reference", ())
    refund(checkout, "Amend-2", lines={"lamp": 1})
    checkout.amend("A-1", lamps(1))
    assert [one.return_reference for one in checkout.refunds("A-1")] == ["Amend-2", "amend-2"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"lines": {"lamp": 10**5000}},
        {"amount_minor": 10**5000},
        {"lines": {"lamp": 1}, "shipping_minor": 10**5000},
        {"amount_minor": 10**15 + 1},
    ],
)
def test_numbers_that_nobody_can_mean(world: World, checkout: Checkout, wanted: dict[str, Any]):
    paid(world, checkout)
    with pytest.raises(InvalidArgumentError) as refused:
        refund(checkout, **wanted)
    assert (len(str(refused.value)) < 200, checkout.refunds("A-1")) == (True, ())
    with pytest.raises(InvalidArgumentError):
        checkout.preview_refund("A-1", **wanted)


def test_no_units_of_a_line_are_as_if_it_was_not_named(world: World, checkout: Checkout):
    paid(world, checkout)
    given = refund(checkout, lines={"lamp": 1})
    assert refund(checkout, lines={"lamp": 1, "shipping": 0, "cup": 0}) == given
    assert given.lines == {"lamp": 1}
    both = refund(checkout, "R-2", lines={"lamp": 1, "shipping": 0})
    assert (refund(checkout, "R-2", lines={"lamp": 1}), both.lines) == (both, {"lamp": 1})
    with pytest.raises(ReturnConflictError):
        refund(checkout, "R-2", lines={"lamp": 2})
    assert world.provider.points() == (2073 + 2 * 194 + 1, 0)


def test_a_parcel_without_units_of_a_line_is_as_if_it_was_not_named(world: World):
    shop = world.checkout(capture="shipped")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    first = shop.capture("A-1", lines={"lamp": 1, "shipping": 0}, shipment_reference="S-1")
    assert shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1") == first
    with pytest.raises(IdempotencyConflictError):
        shop.capture("A-1", lines={"lamp": 2}, shipment_reference="S-1")


def declined(world: World, checkout: Checkout, **wanted: Any) -> None:
    paid(world, checkout)
    world.provider.play("no_partial_reversal")
    assert refund(checkout, **wanted).state == "declined"
    world.provider.play("reference")


DEEDS: list[Callable[..., Any]] = [Checkout.refund_again, Checkout.pay_instead]
BY = {"return_reference": "R-1", "actor": "clerk 7", "reason": "asked for"}


@pytest.mark.parametrize("deed", DEEDS)
def test_an_order_that_is_cancelled_between_look_and_deed(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, deed: Callable[..., Any]
):
    declined(world, checkout, lines={"lamp": 1})
    other, real = world.checkout(), checkout._journal.books

    def then_cancelled(redemption_id: str):
        seen = real(redemption_id)
        monkeypatch.undo()
        other.cancel("A-1")
        return seen

    monkeypatch.setattr(checkout._journal, "books", then_cancelled)
    with pytest.raises(RedemptionEndedError):
        deed(checkout, "A-1", **BY)
    assert world.provider.points() == (2500, 0)
    assert checkout.refunds("A-1")[0].state == "declined"


def given_back_there(world: World, checkout: Checkout, points: int) -> None:
    """The provider's own desk gave points back, and a repair by look-up wrote that down."""
    client = world.made[0][1]
    ((theirs),) = client.redemptions.find(order_reference="A-1")
    client.redemptions.reverse(theirs.id, points=points, value=euro(points), return_reference="DESK-7")
    month = f"{world.clock.now():%Y-%m}"
    world.advance(5)
    checkout.reconcile(month)
    for one in list(checkout.differences()):
        checkout.repair(one.id, by="clerk 7", because="on the statement")
    assert there(checkout.find("A-1")).returned_points == points


@pytest.mark.parametrize("deed", DEEDS)
def test_more_than_the_provider_has_left(world: World, checkout: Checkout, deed: Callable[..., Any]):
    # Both lamps are 389 points; of the 427, 100 are back already.
    declined(world, checkout, lines={"lamp": 2})
    given_back_there(world, checkout, 100)
    with pytest.raises(ReversalExceedsCaptureError) as refused:
        deed(checkout, "A-1", **BY)
    assert refused.value.remaining == 327
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.points, payment.returned_points) == (327, 100)
    assert checkout.refunds("A-1")[0].money_due == euro(4990 - 389)


def test_just_what_the_provider_has_left_is_paid_in_money(world: World, checkout: Checkout):
    declined(world, checkout, lines={"lamp": 2})
    given_back_there(world, checkout, 38)
    owed = checkout.pay_instead("A-1", return_reference="R-1", actor="clerk 7", reason="asked for")
    assert (owed.money_instead, there(checkout.find("A-1")).points) == (euro(389), 0)


def test_returns_and_changes_of_what_the_provider_gave_back_itself(world: World, checkout: Checkout):
    paid(world, checkout)
    given_back_there(world, checkout, 400)
    with pytest.raises(ReversalExceedsCaptureError) as refused:
        refund(checkout, lines={"lamp": 1})
    assert refused.value.remaining == 27
    with pytest.raises(ReversalExceedsCaptureError):
        checkout.amend("A-1", lamps(1, price=100))
    assert (checkout.refunds("A-1"), there(checkout.find("A-1")).total) == ((), euro(5480))
