"""Lines that somebody made up: none agrees with anything by chance, and none is lost on the way; figures by hand."""

from __future__ import annotations

from typing import Any

import pytest

from _clearing_shop import buy, lines, period
from _world import World
from punktgenau.checkout import Checkout
from punktgenau.statement_records import StatementLine

MOST = 10**15
THEIRS = {"idempotency_key": "theirs"}
"""A key that the journal has never heard of, so that the line is found by the provider's id."""
BARE = {"idempotency_key": "", "redemption_id": None}
"""Found by its order alone."""


def correction(line: StatementLine, points: int, amount_minor: int, **more: Any) -> StatementLine:
    changes = {"id": "stl_c", "sequence": 9, "kind": "correction", "points": points, "amount_minor": amount_minor}
    return line.model_copy(update={**changes, "capture_reference": None, "corrects": line.id, **more})


def told(shop: Checkout, *statement: StatementLine) -> tuple[int, list[tuple[str, int | None, int | None]]]:
    """How many agree, and what differs: its kind, and points there and here."""
    report = shop.reconcile(period(shop), statement, grace_s=0)
    assert report.broken == 0
    return report.matched, sorted((one.kind, one.there_points, one.here_points) for one in shop.differences())


@pytest.mark.parametrize("found_by", [{}, THEIRS, BARE], ids=["key", "id", "order"])
def test_a_correction_counts_once_wherever_its_line_is_found(
    shop: Checkout, world: World, found_by: dict[str, str | None]
):
    buy(shop, world, "A-1", 100)
    line = lines(shop)[0].model_copy(update=found_by)
    # 120 less 20 is what was taken; 100 and 50 more is not.
    more = line.model_copy(update={"points": 120, "amount_minor": 120})
    assert told(shop, more, correction(line, -20, -20)) == (1, [])
    by_order = [("only_here", None, 100), ("only_there", 150, None)]
    assert told(shop, line, correction(line, 50, 50)) == (0, by_order if found_by == BARE else [("amount", 150, 100)])


@pytest.mark.parametrize("found_by", [{}, THEIRS, BARE], ids=["key", "id", "order"])
@pytest.mark.parametrize(
    ("amount_minor", "currency"), [(1, "JPY"), (MOST, "EUR"), (-MOST - 0, "ZZZ")], ids=["yen", "beyond", "none"]
)
def test_a_correction_that_cannot_be_added_stands_alone(
    shop: Checkout, world: World, found_by: dict[str, str | None], amount_minor: int, currency: str
):
    buy(shop, world, "A-1", 100)
    line = lines(shop)[0].model_copy(update=found_by)
    matched, differ = told(shop, line, correction(line, 1, amount_minor, currency=currency))
    assert (matched, differ) == (1, [("only_there", 1, None)])
    [found] = shop.differences()
    assert (found.there_minor, found.currency) == (amount_minor, currency)


def returned_by_hand(shop: Checkout, world: World) -> tuple[StatementLine, StatementLine]:
    """100 points taken, 40 of them given back at the provider, which only a look-up has shown."""
    provider_id = buy(shop, world, "A-1", 100)
    shop._provider.redemptions.reverse(provider_id, points=40, return_reference="by-hand")
    shop.reconcile(period(shop), grace_s=0)
    [found] = shop.differences()
    shop.repair(found.id, by="kim", because="seen at the provider")
    taken, back = lines(shop)
    return taken, back


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": -4000},
        {"amount_minor": -39},
        {"currency": "JPY"},
        {"points": -41},
        {"points": -1, "amount_minor": -41},
    ],
)
def test_what_a_look_up_has_shown_agrees_with_nothing_else(shop: Checkout, world: World, changes: dict[str, Any]):
    taken, back = returned_by_hand(shop, world)
    assert told(shop, taken, back) == (2, [])
    other = back.model_copy(update=changes)
    assert told(shop, taken, other) == (1, [("only_there", other.points, None)])


def test_what_a_look_up_has_shown_is_corrected_to_something_else(shop: Checkout, world: World):
    taken, back = returned_by_hand(shop, world)
    assert told(shop, taken, back, correction(back, 100, 1)) == (1, [("only_there", 60, None)])


def test_what_a_look_up_has_shown_agrees_once(shop: Checkout, world: World):
    taken, back = returned_by_hand(shop, world)
    twice = back.model_copy(update={"id": "stl_x", "sequence": 3, "return_reference": "by-hand-2"})
    assert told(shop, taken, back, twice) == (2, [("only_there", -40, None)])
    # Both halves of it, and not a point more.
    halves = [
        back.model_copy(update={"id": f"stl_{one}", "points": -20, "amount_minor": -20, "return_reference": str(one)})
        for one in range(3)
    ]
    assert told(shop, taken, *halves) == (3, [("only_there", -20, None)])


def test_a_capture_that_a_look_up_has_shown_agrees_once(shop: Checkout, world: World):
    provider_id = buy(shop, world, "A-1", 100, capture=False)
    shop._provider.redemptions.capture(provider_id)
    shop.reconcile(period(shop), grace_s=0)
    for found in list(shop.differences()):
        shop.repair(found.id, by="kim", because="seen at the provider")
    assert shop.find("A-1").state == "captured"  # type: ignore[union-attr]
    [line] = lines(shop)
    known = told(shop, line)
    assert known[1] == []
    assert told(shop, line.model_copy(update={"amount_minor": 99}))[1] != []
    twin = line.model_copy(update={"id": "stl_x", "sequence": 2, "capture_reference": "S-2"})
    matched, differ = told(shop, line, twin)
    assert (matched, len(differ)) == (1, 1)


def test_the_same_id_with_other_content_is_told_and_the_first_stands(shop: Checkout, world: World):
    buy(shop, world, "A-1", 100)
    [line] = lines(shop)
    other = line.model_copy(update={"sequence": 2, "points": 5, "amount_minor": 5, "currency": "JPY"})
    report = shop.reconcile(period(shop), [line, other], grace_s=0)
    assert (report.matched, report.broken_lines) == (1, ((2, f"its id {line.id} stands on the statement twice"),))
    assert not report.is_clean
