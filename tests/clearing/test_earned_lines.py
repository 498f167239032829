"""What orders have earned, line by line: charged when it is posted, given back when it is taken from then on."""

from __future__ import annotations

import pytest

from _clearing_shop import lines, period
from _earning import earning, free_leases, paid, purchase
from _there import there
from _world import World
from punktgenau.checkout import Checkout
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
