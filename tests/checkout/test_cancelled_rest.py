"""What was left of a cancelled order comes back expired: the shop makes up for it by the rule that a return has.

Two lamps of 24.95 and shipping of 4.90, 427 points: one lamp is 194 points and 23.01, so 233 points are the rest.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from _expired import BY, bought, euro, lamp_back, paid, put_lots, put_state, told, without_keys
from _there import there
from _world import Provider, World
from punktgenau.checkout import Checkout, Refund
from punktgenau.checkout.office import Office
from punktgenau.errors import RedemptionEndedError, ReturnConflictError


def rest_of(shop: Checkout) -> Refund:
    (rest,) = [one for one in shop.refunds("A-1") if one.is_rest]
    return rest


def test_its_worth_is_owed_in_money(world: World):
    shop = bought(world, rule="money")
    assert lamp_back(shop).money_due == euro(2301 + 194)
    shop.cancel("A-1")
    rest = rest_of(shop)
    assert (rest.state, rest.points, rest.already_expired, rest.expired_money) == ("done", 233, 233, euro(233))
    assert (rest.money, rest.money_due) == (euro(0), euro(233))
    assert list(shop.open_refunds()) == [("A-1", "R-1", euro(2495)), ("A-1", rest.return_reference, euro(233))]
    closed = shop.money_refunded("A-1", return_reference=rest.return_reference, psp_reference="psp_2")
    assert (closed.money_due, len(list(shop.open_refunds()))) == (euro(0), 1)
    shop.cancel("A-1")
    assert rest_of(shop) == closed


def test_only_what_had_expired_is_made_up_for(world: World):
    # 327 of the 427 last and come back first.
    shop = bought(world, rule="money", expiring=100, lasting=327)
    shop.cancel("A-1")
    assert (rest_of(shop).restored, rest_of(shop).expired_money) == (327, euro(100))


def test_nothing_is_kept_where_nothing_had_expired_or_the_shop_only_tells(world: World):
    lasting = world.checkout(expired_points="new_points")
    paid(world, lasting, customer_id="anna")
    lasting.cancel("A-1")
    assert (lasting.refunds("A-1"), world.provider.sent("accrue")) == ((), 0)
    tells = world.checkout(expired_points="tell")
    put_lots(world, expiring=427)
    tells.link("cleo", member_id="mbr_soon", consent_id="con_9")
    paid(world, tells, "A-2")
    world.advance(2 * 86_400)
    tells.cancel("A-2")
    assert (world.provider.points("mbr_soon"), tells.refunds("A-2")) == ((0, 0), ())


def test_it_is_no_return(world: World):
    shop = bought(world, rule="money")
    shop.cancel("A-1")
    with pytest.raises(RedemptionEndedError):
        lamp_back(shop)
    receipt = there(shop.invoice("A-1"))
    assert (receipt.returns, receipt.earlier) == ((), ())
    office = Office(shop)
    (attempt,) = office.searching.attempts("A-1")
    story = [(one.kind, one.points, one.expired_points, one.expired_money) for one in office.whole(attempt.id).story]
    assert story[-1] == ("reverse.done", 427, 427, euro(427))
    assert "return" not in [kind for kind, *_ in story]


def test_refused_new_points_of_it_become_money(world: World):
    shop = bought(world, rule="new_points")
    put_state(world, "blocked")
    shop.cancel("A-1")
    reference = rest_of(shop).return_reference
    assert told(shop) == [(reference, 427, "declined")]
    owed = shop.pay_instead("A-1", return_reference=reference, **BY)
    assert (owed.new_points, owed.new_points_state, owed.money_due) == (0, "none", euro(427))
    with pytest.raises(ReturnConflictError):
        shop.settle_new_points("A-1", return_reference=reference, given=False, **BY)


@pytest.fixture
def silent(provider: Provider, tmp_path: Path) -> Iterator[World]:
    with without_keys(provider, tmp_path) as world:
        yield world


def test_where_nobody_said_it_a_person_does(silent: World):
    shop = bought(silent, rule="money")
    silent.provider.fault("reverse", "reset", when="after", times=1)
    shop.cancel("A-1")
    for _ in range(3):
        silent.advance(900)
        shop.recover()
    (unsaid,) = shop.unsaid_refunds()
    assert (unsaid.is_rest, unsaid.already_expired, unsaid.money_due) == (True, None, euro(0))
    said = shop.settle_expired("A-1", return_reference=unsaid.return_reference, expired=400, **BY)
    assert (said.restored, said.already_expired, said.money_due) == (27, 400, euro(400))
    assert list(shop.unsaid_refunds()) == []
