"""Points that are back, and nobody said how many of them had expired: a person says so, and the shop's rule pays.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01 (see test_refunds).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from _expired import BY, bought, euro, without_keys
from _world import Provider, World
from punktgenau import InvalidArgumentError, NotFoundError
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.errors import ReturnConflictError


@pytest.fixture
def world(provider: Provider, tmp_path: Path) -> Iterator[World]:
    with without_keys(provider, tmp_path) as world:
        yield world


def returned(world: World, rule: str) -> Checkout:
    """One lamp came back; its points had expired, and the provider's answer was lost."""
    shop = bought(world, rule=rule)
    world.provider.fault("reverse", "reset", when="after", times=1)
    shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    for _ in range(3):
        world.advance(900)
        shop.recover()
    (given,) = shop.refunds("A-1")
    assert (given.state, given.restored, given.already_expired, given.money_due) == ("done", None, None, euro(2301))
    return shop


def say(shop: Checkout, expired: Any, reference: str = "R-1"):
    return shop.settle_expired("A-1", return_reference=reference, expired=expired, **BY)


def test_a_person_is_told_and_says_it(world: World):
    shop = returned(world, "money")
    office = Office(shop)
    shop.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    assert [one.return_reference for one in shop.unsaid_refunds()] == ["R-1"]
    told = office.attention()
    assert [(one.order_reference, one.return_reference, one.points) for one in told.unsaid] == [("A-1", "R-1", 194)]
    assert (told.urgent, shop.recover().needs_attention) == (1, 1)
    row = office.searching.attempts("A-1")[-1]
    given = office.settle_expired(row.id, return_reference="R-1", expired=194, **BY)
    assert (given.restored, given.already_expired, given.converted) == (0, 194, 0)
    assert (given.expired_money, given.money_due) == (euro(194), euro(194))
    assert list(shop.open_refunds()) == [("A-1", "R-1", euro(194))]
    assert (office.attention().urgent, list(shop.unsaid_refunds())) == (0, [])
    (deed,) = office.log()
    assert (deed.kind, deed.actor, deed.reason) == ("settle_expired", "clerk 7", "asked their desk")
    with pytest.raises(ReturnConflictError):
        say(shop, 100)
    assert shop.refunds("A-1")[0].expired_money == euro(194)


@pytest.mark.parametrize(("expired", "minor"), [(0, 0), (100, 100), (194, 194)])
def test_only_those_that_had_expired_are_paid_out(world: World, expired: int, minor: int):
    shop = returned(world, "money")
    given = say(shop, expired)
    assert (given.restored, given.already_expired, given.expired_money) == (194 - expired, expired, euro(minor))
    assert given.money_due == euro(2301 + minor)


def test_what_cannot_be_said(world: World):
    shop = returned(world, "money")
    for expired in (-1, 195, 1.0, True, "194"):
        with pytest.raises(InvalidArgumentError):
            say(shop, expired)
    with pytest.raises(NotFoundError):
        say(shop, 1, reference="R-9")
    assert [one.return_reference for one in shop.unsaid_refunds()] == ["R-1"]


def test_it_does_not_matter_where_the_shop_only_tells(world: World):
    shop = returned(world, "tell")
    assert (list(shop.unsaid_refunds()), shop.recover().needs_attention) == ([], 0)
    with pytest.raises(ReturnConflictError):
        say(shop, 194)


def test_new_points_are_given_for_them(world: World):
    shop = returned(world, "new_points")
    assert [one.return_reference for one in shop.unsaid_refunds()] == ["R-1"]
    given = say(shop, 100)
    assert (given.new_points, given.expired_money) == (100, euro(0))
    for _ in range(3):
        world.advance(900)
        shop.recover()
    assert shop.refunds("A-1")[0].new_points_state == "posted"
    assert world.provider.points("mbr_soon") == (100, 0)
