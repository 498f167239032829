"""Bookings at the edge of a month: whichever side of it a clock says, they are found once and proposed once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from _clearing_shop import buy, lines
from _world import World
from punktgenau.checkout import Checkout
from punktgenau.checkout.difference import Reconciled
from punktgenau.statement_records import StatementLine

EDGE = datetime(2026, 10, 1, tzinfo=UTC)
SEPTEMBER, OCTOBER = "2026-09", "2026-10"


@pytest.fixture
def line(shop: Checkout, world: World) -> StatementLine:
    """The only line there is; what it is about was booked here a second after September."""
    buy(shop, world, "A-1", 100)
    [line] = lines(shop)
    booked_here(shop, EDGE + timedelta(seconds=1))
    return line.model_copy(update={"at": EDGE - timedelta(seconds=1)})


def booked_here(shop: Checkout, at: datetime) -> None:
    with shop._database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE punktgenau_operation SET finished_at = {int(at.timestamp()) * 1000}")


def compared(shop: Checkout, month: str, *statement: StatementLine) -> Reconciled:
    return shop.reconcile(month, statement, grace_s=86_400)


def told(shop: Checkout) -> list[tuple[str, str, str]]:
    return [
        (one.period, one.state, one.note)
        for state in ("waiting", "open", "repaired", "dismissed", "settled")
        for one in shop.differences(state=state)  # type: ignore[arg-type]
    ]


def test_what_stood_on_the_statement_before_is_not_missed(shop: Checkout, line: StatementLine):
    for _ in range(2):
        report = compared(shop, SEPTEMBER, line)
        assert (report.is_clean, report.matched) == (True, 1)
        report = compared(shop, OCTOBER)
        assert (report.is_clean, report.matched, dict(report.found)) == (True, 0, {})
    assert told(shop) == [(SEPTEMBER, "settled", "stands on the statement before")]


def test_the_later_month_compared_first(shop: Checkout, line: StatementLine):
    assert compared(shop, OCTOBER).open == 1
    assert compared(shop, SEPTEMBER, line).is_clean
    assert list(shop.differences()) == []
    assert compared(shop, OCTOBER).is_clean


def test_lines_without_keys_as_well(shop: Checkout, line: StatementLine):
    bare = line.model_copy(update={"idempotency_key": "", "redemption_id": None})
    assert compared(shop, SEPTEMBER, bare).matched == 1
    assert compared(shop, OCTOBER).is_clean


def test_a_statement_that_loses_the_line_again(shop: Checkout, line: StatementLine):
    compared(shop, SEPTEMBER, line)
    compared(shop, OCTOBER)
    assert compared(shop, SEPTEMBER).is_clean
    assert told(shop) == [(SEPTEMBER, "waiting", "may stand on the next one")]
    assert compared(shop, OCTOBER).open == 1
    assert told(shop) == [(OCTOBER, "open", "the statement says nothing of it")]
    # Or it has moved to the next one.
    assert compared(shop, SEPTEMBER, line).is_clean
    compared(shop, SEPTEMBER)
    assert compared(shop, OCTOBER, line.model_copy(update={"at": EDGE})).is_clean
    assert [state for _, state, _ in told(shop)] == ["settled"]


def test_what_was_decided_stands(shop: Checkout, line: StatementLine):
    compared(shop, OCTOBER)
    [one] = shop.differences()
    shop.dismiss(one.id, by="mira", because="seen on paper")
    assert compared(shop, SEPTEMBER, line).is_clean
    assert compared(shop, OCTOBER).is_clean
    assert shop.difference(one.id).state == "dismissed"  # type: ignore[union-attr]


def test_a_cancelled_order_that_is_settled_waits_for_nothing(shop: Checkout, world: World, line: StatementLine):
    """Its row was touched after the month as well; only bookings wait for statements."""
    world.order("A-1", "cancelled")
    shop.orders_loader = lambda since, until: iter(world.orders.values() if since == EDGE - timedelta(days=1) else ())
    assert compared(shop, SEPTEMBER, line).open == 1
    world.order("A-1", "paid")
    for _ in range(2):
        assert compared(shop, SEPTEMBER, line).is_clean
    assert sorted(state for _, state, _ in told(shop)) == ["settled", "settled"]


def test_what_waits_in_vain_is_proposed_once(shop: Checkout, line: StatementLine):
    booked_here(shop, EDGE - timedelta(hours=1))
    assert compared(shop, SEPTEMBER).waiting == 1
    assert compared(shop, OCTOBER).open == 1
    [one] = shop.differences()
    shop.dismiss(one.id, by="mira", because="they lost it")
    for _ in range(2):
        assert compared(shop, SEPTEMBER).is_clean
        assert compared(shop, OCTOBER).is_clean
    assert shop.difference(one.id).state == "dismissed"  # type: ignore[union-attr]
