"""References that are none: told as that, before the journal is asked, and nothing is booked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.errors import InvalidArgumentError, NotFoundError

WHO: dict[str, Any] = {"actor": "mira", "reason": "the customer called"}
Deed = Callable[[Office, str, str], object]


def refund(office: Office, redemption_id: str, reference: str) -> object:
    split: dict[str, Any] = {"lines": {"lamp": 1}, "shipping_minor": 0, "amount_minor": None, "seen": None}
    return office.refund(redemption_id, return_reference=reference, **split, **WHO)


def money(office: Office, redemption_id: str, reference: str) -> object:
    return office.money_refunded(redemption_id, return_reference=reference, psp_reference="p", actor="mira")


def again(office: Office, redemption_id: str, reference: str) -> object:
    return office.refund_again(redemption_id, return_reference=reference, **WHO)


def instead(office: Office, redemption_id: str, reference: str) -> object:
    return office.pay_instead(redemption_id, return_reference=reference, **WHO)


def new_points(office: Office, redemption_id: str, reference: str) -> object:
    return office.settle_new_points(redemption_id, return_reference=reference, given=True, **WHO)


def expired(office: Office, redemption_id: str, reference: str) -> object:
    return office.settle_expired(redemption_id, return_reference=reference, expired=0, **WHO)


def retried(office: Office, redemption_id: str, reference: str) -> object:
    return office.retry_new_points(redemption_id, return_reference=reference, **WHO)


OF_A_RETURN = [money, again, instead, new_points, expired, retried]


@pytest.fixture
def redemption_id(world: World, checkout: Checkout, office: Office) -> str:
    """Of two lamps, partly paid with 427 points."""
    world.order("A-1", "paid")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert there(checkout.capture("A-1")).state == "captured"
    return office.searching.attempts("A-1")[-1].id


@pytest.mark.parametrize("deed", [refund, *OF_A_RETURN])
@pytest.mark.parametrize("reference", ["a\x00b", "x" * 37, "\ud800"])
def test_what_no_return_can_be_called(
    checkout: Checkout, office: Office, redemption_id: str, deed: Deed, reference: str
) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        deed(office, redemption_id, reference)
    assert (refused.value.field, refused.value.code) == ("return_reference", "invalid_argument")
    assert (checkout.refunds("A-1"), office.log()) == ((), ())


@pytest.mark.parametrize("deed", OF_A_RETURN)
@pytest.mark.parametrize("reference", ["R-9", ""])
def test_a_return_that_there_is_not(
    checkout: Checkout, office: Office, redemption_id: str, deed: Deed, reference: str
) -> None:
    with pytest.raises(NotFoundError, match="has no return"):
        deed(office, redemption_id, reference)
    assert (checkout.refunds("A-1"), office.log()) == ((), ())
