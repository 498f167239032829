"""What a return of an order is that points do not pay: none of ours, or one that comes too late."""

import pytest

from _world import CART, World
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.errors import RedemptionEndedError, StateConflictError


def placed(checkout: Checkout, points: int = 427) -> None:
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=points)


def both(checkout: Checkout) -> list[object]:
    return [
        checkout.preview_refund("A-1", lines={"lamp": 1}),
        checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1}),
    ]


def refused(checkout: Checkout, error: type[Exception]) -> None:
    with pytest.raises(error):
        checkout.preview_refund("A-1", lines={"lamp": 1})
    with pytest.raises(error):
        checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})


def test_points_were_never_asked_for(world: World, checkout: Checkout):
    assert both(checkout) == [None, None]
    checkout.authorize("A-1", CART, customer_id="anna", points=0)
    world.order("A-1", "paid")
    assert both(checkout) == [None, None]


def test_the_customer_went_on_without_them(world: World, checkout: Checkout):
    placed(checkout)
    checkout.authorize("A-1", CART, customer_id="anna", points=0)
    world.order("A-1", "paid")
    assert both(checkout) == [None, None]


@pytest.mark.parametrize("is_paid", [False, True])
def test_a_cancelled_order(world: World, checkout: Checkout, is_paid: bool):
    placed(checkout)
    if is_paid:
        checkout.capture("A-1")
    checkout.cancel("A-1")
    refused(checkout, RedemptionEndedError)


def test_cancelled_while_nobody_knew_of_its_points(world: World, checkout: Checkout):
    world.provider.fault("authorize", "reset", when="after", times=20)
    placed(checkout)
    checkout.cancel("A-1")
    world.provider.heal()
    world.advance(600)
    checkout.recover()
    refused(checkout, StateConflictError)


def test_its_payment_had_failed(world: World, checkout: Checkout):
    placed(checkout)
    checkout.void("A-1")
    assert both(checkout) == [None, None]


def test_points_may_pay_nothing_of_it_any_more(world: World, checkout: Checkout):
    placed(checkout)
    card = Line(sku="card", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False)
    checkout.amend("A-1", Cart(currency="EUR", lines=[card]))
    world.order("A-1", "paid")
    assert checkout.preview_refund("A-1", lines={"card": 1}) is None
