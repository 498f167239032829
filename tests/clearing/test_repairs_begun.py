"""Repairs whose process died over them: they are counted, carried on by a named person, or left as they are."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from _clearing_shop import buy, period
from _world import World
from punktgenau.checkout import Checkout
from punktgenau.checkout.difference import Difference
from punktgenau.checkout.schema_clearing import DifferenceRow
from punktgenau.checkout.schema_returns import action


class Died(BaseException):
    """The end of a process, as far as anything here can catch it."""


@pytest.fixture
def begun(shop: Checkout, world: World, monkeypatch: pytest.MonkeyPatch) -> Difference:
    """A paid order whose points were never captured; mira was about to capture them."""
    buy(shop, world, "A-1", 427, capture=False)
    shop.reconcile(period(shop), grace_s=0)
    [found] = shop.differences()

    def die(row: object, **more: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(shop._goals, "capture", die)
        with pytest.raises(Died):
            shop.repair(found.id, by="mira", because="on the list")
    [stands] = shop.differences(state="repairing")
    return stands


def deeds(shop: Checkout) -> set[tuple[str, str, str]]:
    with shop._database.engine.connect() as connection:
        rows = connection.execute(select(action.c.kind, action.c.actor, action.c.reason))
        return {(str(kind), str(actor), str(reason)) for kind, actor, reason in rows}


def test_a_month_with_one_is_not_clean(shop: Checkout, begun: Difference):
    report = shop.reconcile(period(shop), grace_s=0)
    assert not report.is_clean
    assert (report.open, report.repairing, dict(report.open_by_kind)) == (1, 1, {"not_captured": 1})
    shop.repair(begun.id, by="tom", because="once more")
    report = shop.reconcile(period(shop), grace_s=0)
    assert report.is_clean
    assert (report.open, report.repairing) == (0, 0)


def test_whoever_carries_it_on_is_written_down(shop: Checkout, world: World, begun: Difference):
    done = shop.repair(begun.id, by="tom", because="once more")
    assert (done.state, done.actor, done.result) == ("repaired", "mira", "now captured, 427 points")
    assert deeds(shop) == {("repair", "mira", "on the list"), ("repair", "tom", "once more")}
    # One who comes too late does nothing, and is not said to have done anything.
    assert shop.repair(begun.id, by="lee", because="me too").state == "repaired"
    assert len(deeds(shop)) == 2
    assert world.provider.sent("capture") == 1


def test_one_that_does_not_fit_any_more_is_open_again(shop: Checkout, world: World, begun: Difference):
    world.order("A-1", "cancelled")
    again = shop.repair(begun.id, by="tom", because="once more")
    assert (again.state, again.note) == ("open", "the order is cancelled by now")
    assert world.provider.points() == (2073, 427)


def test_it_can_be_left_as_it_is(shop: Checkout, world: World, begun: Difference):
    left = shop.dismiss(begun.id, by="tom", because="paid by card")
    assert (left.state, left.actor, left.reason) == ("dismissed", "tom", "paid by card")
    assert left.result == "its repair was begun by mira; nobody knows whether that was done"
    assert deeds(shop) == {("repair", "mira", "on the list"), ("dismiss", "tom", "paid by card")}
    assert world.provider.sent("capture") == 0
    assert shop.reconcile(period(shop), grace_s=0).is_clean


def test_left_as_it_is_while_the_call_is_under_way(shop: Checkout, world: World, monkeypatch: pytest.MonkeyPatch):
    buy(shop, world, "A-1", 427, capture=False)
    shop.reconcile(period(shop), grace_s=0)
    [found] = shop.differences()
    other, capture = world.checkout(), shop._goals.capture

    def slow(row: object, **more: object) -> object:
        after = capture(row, **more)  # type: ignore[arg-type]
        assert other.dismiss(found.id, by="tom", because="paid by card").state == "dismissed"
        return after

    monkeypatch.setattr(shop._goals, "capture", slow)
    done = shop.repair(found.id, by="mira", because="on the list")
    # What somebody has decided stands, and what was done all the same is told.
    assert (done.state, done.actor) == ("dismissed", "tom")
    assert done.result == "was done all the same: now captured, 427 points"
    assert world.provider.points() == (2073, 0)


@pytest.mark.parametrize(("deed", "ends"), [("repair", ("repaired", "tom")), ("dismiss", ("dismissed", "mira"))])
def test_whoever_decides_a_moment_later_is_written_down_as_well(
    shop: Checkout, world: World, monkeypatch: pytest.MonkeyPatch, deed: str, ends: tuple[str, str]
):
    buy(shop, world, "A-1", 427, capture=False)
    shop.reconcile(period(shop), grace_s=0)
    [found] = shop.differences()
    decide, quicker = shop._differences.decide, world.checkout()._differences

    def later(row: DifferenceRow, **more: str) -> DifferenceRow:
        monkeypatch.setattr(shop._differences, "decide", decide)
        quicker.decide(row, state="repairing", kind="repair", actor="tom", reason="first")
        return decide(row, **more)

    monkeypatch.setattr(shop._differences, "decide", later)
    done = getattr(shop, deed)(found.id, by="mira", because="second")
    assert (done.state, done.actor) == ends
    assert deeds(shop) == {("repair", "tom", "first"), (deed, "mira", "second")}
