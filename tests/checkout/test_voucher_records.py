"""What the journal keeps of vouchers: their rows, a customer's export, what is erased, how they are found and told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy

from _vouchers import brought, left, place
from _world import World
from punktgenau import StateConflictError
from punktgenau.checkout import Checkout
from punktgenau.checkout.hints import noted
from punktgenau.checkout.office import Office
from punktgenau.checkout.searching import Search

_ROWS = "SELECT kind, points, value_minor, voucher_id, last_four, captured_minor, reversed_minor FROM punktgenau_tender"


def rows(world: World) -> list[tuple[Any, ...]]:
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sqlalchemy.text(f"{_ROWS} ORDER BY position"))]
    engine.dispose()
    return found


def test_a_row_for_each_tender(world: World, checkout: Checkout):
    one, two = brought(world, checkout, 1000), brought(world, checkout, 1500)
    place(checkout, one, two, points=427)
    points = ("points", 427, 427, None, None, None, None)

    def both(*figures: tuple[int, int]) -> list[tuple[Any, ...]]:
        parts = zip((one, two), figures, strict=True)
        return [("voucher", 0, its.left.amount_minor, its.id, its.last_four, *done) for its, done in parts] + [points]

    assert rows(world) == both((0, 0), (0, 0))
    checkout.capture("A-1")
    assert rows(world) == both((1000, 0), (1500, 0))
    # 2500 x 2495 / 5480 = 1138.
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    assert rows(world) == both((1000, 1000), (1500, 138))
    checkout.cancel("A-1")
    assert rows(world) == both((1000, 1000), (1500, 1500))


def test_found_by_its_id_and_told(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps, points=427)
    checkout.capture("A-1")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    office = Office(checkout)
    [found] = office.searching.page(Search(text=keeps.id)).items
    assert (found.order_reference, found.vouchers.amount_minor) == ("A-1", 2500)
    assert office.searching.page(Search(text="vou_9999")).items == ()
    told = [(one.kind, one.vouchers.amount_minor) for one in office.whole(found.id).story if one.vouchers]
    assert told == [("placed", 2500), ("return", 1138), ("reverse.done", 1138)]


def test_handed_out_and_erased(world: World, checkout: Checkout):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps)
    checkout.capture("A-1")
    checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    personal = Office(checkout).personal
    kept = personal.export("anna")
    paid = {"voucher_id": keeps.id, "last_four": keeps.last_four, "value_minor": 2500}
    assert kept.redemptions[0]["vouchers"] == [paid]
    assert kept.returns[0]["vouchers"] == [{"voucher_id": keeps.id, "value_minor": 1138}]
    checkout.money_refunded("A-1", return_reference="R-1", psp_reference="psp_1")
    # The provider's clock takes no more than 400 days at once.
    for days in (400, 1):
        world.advance(days * 86_400)
    assert personal.erase("anna", actor="eva") == 1
    row = checkout._journal.latest("A-1")
    assert row is not None
    assert [one["last_four"] for one in json.loads(row.cart)["vouchers"]] == [""]
    assert [found[4] for found in rows(world)] == [None]
    # The books stay: what was paid, and by which voucher.
    assert next((one.kind, one.amount.amount_minor) for one in checkout.invoice("A-1").tenders) == ("voucher", 2500)


@pytest.mark.parametrize("points", [0, 427])
def test_nobody_is_erased_while_something_is_to_go_back(world: World, checkout: Checkout, points: int):
    place(checkout, brought(world, checkout, 2500), points=points)
    checkout.capture("A-1")
    row = checkout._journal.latest("A-1")
    assert row is not None
    checkout._journal.note_wish(replace(row, release_cause="order_cancelled", check_at=None))
    for days in (400, 1):
        world.advance(days * 86_400)
    with pytest.raises(StateConflictError, match="still open"):
        Office(checkout).personal.erase("anna", actor="eva")
    assert checkout.cancel("A-1").state == "reversed"  # type: ignore[union-attr]
    assert Office(checkout).personal.erase("anna", actor="eva") == 1


@pytest.mark.parametrize("points", [0, 427])
def test_a_hold_that_was_believed_to_be_over_goes_back(world: World, checkout: Checkout, points: int):
    keeps = brought(world, checkout, 2500)
    place(checkout, keeps, points=points)
    row = checkout._journal.latest("A-1")
    assert row is not None
    over = checkout._journal.change(row, replace(row, state="expired", live_key=None))
    evidence = checkout._executor.look_up(over, deadline_s=2.0)
    assert evidence is not None
    noted(checkout._journal, checkout._executor, over, evidence)
    world.advance(60)
    checkout.recover()
    assert checkout.find("A-1").state == "voided"  # type: ignore[union-attr]
    assert (left(world)[keeps.id], world.provider.points()) == (("active", 2500, 0), (2500, 0))
