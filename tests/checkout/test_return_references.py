"""Some references are the engine's own: what a changed or cancelled order gives back is named by it, not by the shop.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01.
"""

import pytest
from sqlalchemy import text

from _world import CART, World
from punktgenau import Money
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.errors import InvalidArgumentError


def paid(world: World, shop: Checkout) -> str:
    world.order("A-1", "paid")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    payment = shop.capture("A-1")
    assert payment is not None
    assert payment.state == "captured"
    return Office(shop).searching.attempts("A-1")[-1].id


@pytest.mark.parametrize("prefix", ["amend-", "release-"])
def test_a_return_cannot_be_named_like_what_the_engine_gives_back(world: World, prefix: str):
    shop = world.checkout()
    of_order = paid(world, shop)[:20]
    for reference in (f"{prefix}{of_order}", f"{prefix}2", prefix):
        with pytest.raises(InvalidArgumentError) as refused:
            shop.refund("A-1", return_reference=reference, lines={"lamp": 1})
        assert refused.value.field == "return_reference"
    assert (shop.refunds("A-1"), world.provider.sent("reverse"), world.provider.points()) == ((), 0, (2073, 0))
    # Any other name is the shop's, and the order can still be cancelled.
    first = shop.refund("A-1", return_reference="Release-2", lines={"lamp": 1})
    assert first is not None
    assert (first.points, first.money) == (194, Money(amount_minor=2301, currency="EUR"))
    shop.cancel("A-1")
    assert world.provider.points() == (2500, 0)


def test_a_return_that_has_such_a_name_from_before_counts_as_every_other(world: World, checkout: Checkout):
    redemption_id = paid(world, checkout)
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    with checkout._database.transaction() as tx:
        named = {"reference": f"release-{redemption_id[:20]}"}
        assert tx.run(text("UPDATE punktgenau_return SET reference = :reference"), named) == 1
    (first,) = checkout.refunds("A-1")
    assert (first.is_rest, first.lines) == (False, {"lamp": 1})
    assert Office(checkout).whole(redemption_id).units_left == {"lamp": 1, "shipping": 1}
    with pytest.raises(InvalidArgumentError):
        checkout.refund("A-1", return_reference="R-2", lines={"lamp": 2})
    # 24.95 and 4.90 less the 233 points that are left.
    last = checkout.refund("A-1", return_reference="R-2", lines={"lamp": 1}, shipping_minor=490)
    assert last is not None
    assert (last.points, last.money) == (233, Money(amount_minor=2752, currency="EUR"))
