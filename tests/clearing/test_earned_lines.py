"""What orders have earned, line by line: charged when it is posted, given back when it is taken from then on."""

from __future__ import annotations

import pytest

from _clearing_shop import lines, period
from _earning import earning, free_leases, paid, poor, purchase, settle, spend
from _there import there
from _world import World
from punktgenau.checkout import Checkout
from punktgenau.provider import PROFILES
from punktgenau.statement_records import StatementLine

GRACE_S = 0


@pytest.fixture
def earned(world: World) -> Checkout:
    """Orders that earn 46 and 49: one lamp of two comes back of the first before the posting, of both after it."""
    shop = earning(world, earn_pending_s=60)
    paid(world, shop, points=427)
    paid(world, shop, "A-2")
    shop.recover()
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    shop.recover()
    world.advance(90)
    free_leases(world)
    shop.recover()
    there(shop.refund("A-1", return_reference="R-2", lines={"lamp": 1}))
    shop.refund("A-2", return_reference="R-3", lines={"lamp": 1})
    shop.recover()
    assert (purchase(shop).state, purchase(shop, "A-2").state) == ("reversed", "posted")
    return shop


def found(shop: Checkout, statement: list[StatementLine] | None = None) -> list[tuple[str, str, str]]:
    """Kind, order and proposal of every difference."""
    shop.reconcile(period(shop), statement, grace_s=GRACE_S)
    return [(one.kind, one.order_reference, one.proposal) for one in shop.differences()]


def test_they_are_matched(earned: Checkout):
    told = [(one.kind, one.points, one.order_reference) for one in lines(earned) if "accrual" in one.kind]
    assert sorted(told) == [
        ("accrual", -49, "A-2"),
        ("accrual", -23, "A-1"),
        ("accrual_reversal", 23, "A-1"),
        ("accrual_reversal", 25, "A-2"),
    ]
    report = earned.reconcile(period(earned), grace_s=GRACE_S)
    assert report.is_clean
    assert report.lines == report.bookings == report.matched == 3 + 4
    assert report.points_there == report.points_here


def test_what_differs_is_told(earned: Checkout):
    told = lines(earned)
    charged = next(one for one in told if one.kind == "accrual" and one.order_reference == "A-2")
    others = [one for one in told if one is not charged]
    assert found(earned, others) == [("only_here", "A-2", "claim")]
    dear = charged.model_copy(update={"amount_minor": -50})
    assert ("amount", "A-2", "claim") in found(earned, [*others, dear])
    twice = charged.model_copy(update={"id": "stl_twice", "sequence": 99})
    assert ("double", "A-2", "claim") in found(earned, [*told, twice])
    stranger = {"id": "stl_x", "sequence": 99, "idempotency_key": "k-x", "accrual_id": "acc_9", "order_reference": "B"}
    assert ("only_there", "B", "claim") in found(earned, [*told, charged.model_copy(update=stranger)])
    other = {"id": "stl_y", "sequence": 99, "kind": "accrual_reversal", "return_reference": "desk", "points": 3}
    more = charged.model_copy(update={**other, "amount_minor": 3})
    assert ("only_there", "A-2", "claim") in [(*one[:2], "claim") for one in found(earned, [*told, more])]


def test_a_line_of_another_month_is_told_as_that(earned: Checkout, world: World):
    told = [one for one in lines(earned) if one.kind == "accrual" and one.order_reference == "A-2"]
    # The provider's clock stays where it is: others come after this.
    world.clock.advance(40 * 86_400)
    at = earned._clock.now()
    moved = [one.model_copy(update={"at": at}) for one in told]
    assert found(earned, moved) == [("period", "A-2", "accept")]


@pytest.mark.parametrize("kind", ["no_keys", "short_window"])
@pytest.mark.parametrize(("spent", "back"), [(0, 490), (490, 450)])
def test_a_claw_back_that_only_a_look_up_has_shown(world: World, kind: str, spent: int, back: int):
    world.provider.play(kind)
    world.profile = PROFILES[kind]
    shop = earning(world, earn_points=10, earn_pending_s=0)
    poor(world, shop)
    paid(world, shop, customer_id="cleo")
    shop.recover()
    if spent:
        # Of 490 points 40 are gone: 45.44 of the second order is paid in money.
        spend(world, shop, "A-2", spent)
    world.provider.fault("reverse_accrual", "status_500", when="after", times=20)
    shop.refund("A-1", return_reference="R-1", lines={"lamp": 2})
    shop.recover()
    world.advance(900)
    world.provider.heal()
    settle(world, shop, rounds=8)
    assert [one.points for one in lines(shop) if one.kind == "accrual_reversal"] == [back]
    assert shop.reconcile(period(shop), grace_s=GRACE_S).is_clean
