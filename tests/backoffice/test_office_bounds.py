"""A page's comparison ends when its time is over, wherever that goes; what was found by then stands, and is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from _world import CART, World
from punktgenau.checkout import Checkout, Order
from punktgenau.checkout.bookings import Bookings
from punktgenau.checkout.office import Office
from punktgenau.checkout.office_clearing import Bounds, TooLongError
from punktgenau.statement_records import StatementLine


def month(world: World) -> str:
    return f"{world.clock.now():%Y-%m}"


def unknown(world: World, count: int) -> list[StatementLine]:
    """Lines about redemptions and orders that nobody here has."""
    return [
        StatementLine(
            id=f"sl_{number}", sequence=number, kind="capture", at=world.clock.now(), points=5, amount_minor=5,
            currency="EUR", redemption_id=f"red_{number}", idempotency_key=f"key-{number}",
            order_reference=f"Z-{number}", capture_reference=None, return_reference=None, partner_id="demo-shop",
            corrects=None, reason="",
        )
        for number in range(1, count + 1)
    ]  # fmt: skip


def compare(world: World, office: Office, lines: list[StatementLine]) -> None:
    bounds = Bounds(month(world), clock=world.clock)
    with pytest.raises(TooLongError, match="took longer than 8 seconds"):
        office.reconcile(month(world), lines, actor="mira", bounds=bounds, grace_s=0)


def slow(world: World, asked: list[str]) -> Callable[[str], Order | None]:
    """A shop that takes 5 seconds to find an order."""

    def load(reference: str) -> Order | None:
        asked.append(reference)
        world.clock.advance(5)
        return world.orders.get(reference)

    return load


def listed(checkout: Checkout) -> list[tuple[str, str]]:
    return sorted((one.kind, one.order_reference) for one in checkout.differences())


def test_the_shop_is_slow_about_lines(world: World, checkout: Checkout, office: Office) -> None:
    asked: list[str] = []
    checkout.order_loader = slow(world, asked)
    compare(world, office, unknown(world, 30))
    # After two times five seconds the third is not begun.
    assert asked == ["Z-1", "Z-2"]
    assert listed(checkout) == [("only_there", "Z-1"), ("only_there", "Z-2")]


def test_a_comparison_that_was_cut_is_told_as_that(world: World, checkout: Checkout, office: Office) -> None:
    checkout.order_loader = slow(world, [])
    compare(world, office, unknown(world, 30))
    assert [(one.kind, one.actor, one.subject) for one in office.log()] == [("reconcile_cut", "mira", month(world))]
    assert office.last_compared() is None


def test_too_many_lines_are_no_comparison(world: World, checkout: Checkout, office: Office) -> None:
    bounds = Bounds(month(world), clock=world.clock, most_lines=2)
    with pytest.raises(TooLongError):
        office.reconcile(month(world), unknown(world, 30), actor="mira", bounds=bounds)
    assert listed(checkout) == []
    assert office.log() == ()


def test_the_shop_is_slow_about_bookings(world: World, checkout: Checkout, office: Office) -> None:
    for reference in ("A-1", "A-2", "A-3"):
        world.order(reference, "paid")
        checkout.authorize(reference, CART, customer_id="anna", points=100)
        checkout.capture(reference)
    asked: list[str] = []
    checkout.order_loader = slow(world, asked)
    compare(world, office, [])
    assert len(asked) == 2
    assert listed(checkout) == sorted(("only_here", one) for one in asked)


def test_the_shop_is_slow_about_what_seems_wrong(world: World, checkout: Checkout, office: Office) -> None:
    for reference in ("A-1", "A-2", "A-3"):
        world.order(reference, "paid")
        checkout.authorize(reference, CART, customer_id="anna", points=100)
    asked: list[str] = []
    checkout.order_loader = slow(world, asked)

    def orders(since: datetime, until: datetime) -> Iterator[Order]:
        if since.date() == world.clock.now().date():
            yield from world.orders.values()

    checkout.orders_loader = orders
    compare(world, office, [])
    assert asked == ["A-1", "A-2"]
    assert listed(checkout) == [("not_captured", "A-1"), ("not_captured", "A-2")]


def test_the_shop_is_slow_about_its_days(world: World, checkout: Checkout, office: Office) -> None:
    days: list[datetime] = []

    def orders(since: datetime, until: datetime) -> Iterator[Order]:
        days.append(since)
        world.clock.advance(5)
        return iter(())

    checkout.orders_loader = orders
    compare(world, office, [])
    assert len(days) == 2


def test_the_journal_is_slow(world: World, checkout: Checkout, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def nothing(_: Bookings, line: object) -> None:
        looked.append(str(line))
        world.clock.advance(0.5)

    checkout.order_loader = None
    monkeypatch.setattr(Bookings, "redemption", nothing)
    compare(world, office, unknown(world, 400))
    # It is looked at the time with each twentieth line.
    assert len(looked) == 20
