"""Each side of a difference is told in its own currency: in the list, in what is exported, and after an upgrade."""

from __future__ import annotations

import csv
import json

import pytest
import sqlalchemy
from alembic import command

from _clearing_shop import buy, lines, period
from _world import World
from flask_punktgenau.differences import as_csv, as_json
from punktgenau import SystemClock
from punktgenau.checkout import Checkout, migrate
from punktgenau.checkout.database import Database
from punktgenau.checkout.difference import Difference, Reconciled

STALE = "UPDATE punktgenau_difference SET note = 'nothing was done: the order is cancelled by now'"


@pytest.fixture
def in_yen(shop: Checkout, world: World) -> Reconciled:
    """A-1 was taken in euro and stands there in yen, A-2 with a point less; A-3 stands there not at all."""
    for number in (1, 2, 3):
        buy(shop, world, f"A-{number}", 100)
    first, second, _ = lines(shop)
    return shop.reconcile(
        period(shop),
        [first.model_copy(update={"currency": "JPY"}), second.model_copy(update={"points": 99})],
        grace_s=0,
    )


def currencies(shop: Checkout) -> dict[str, tuple[str, str]]:
    return {one.order_reference: (one.currency, one.here_currency) for one in shop.differences()}


EXPECTED = {"A-1": ("JPY", "EUR"), "A-2": ("EUR", "EUR"), "A-3": ("EUR", "EUR")}


def test_the_journal_has_its_own_currency_whatever_is_noted(shop: Checkout, world: World, in_yen: Reconciled):
    assert currencies(shop) == EXPECTED
    execute(world, STALE)
    assert currencies(shop) == EXPECTED


def test_it_is_exported(shop: Checkout, in_yen: Reconciled):
    found: list[Difference] = list(shop.differences())
    rows = {row["order_reference"]: row for row in csv.DictReader(as_csv(in_yen, found))}
    items = {row["order_reference"]: row for row in json.loads("".join(as_json(in_yen, found)))["differences"]}
    for told in (rows, items):
        assert {order: (row["currency"], row["here_currency"]) for order, row in told.items()} == EXPECTED
    assert (rows["A-1"]["there_minor"], rows["A-1"]["here_minor"]) == ("100", "100")


def test_what_was_found_before_the_upgrade_is_told_as_well(shop: Checkout, world: World, in_yen: Reconciled):
    execute(world, STALE)
    database = Database(world.database_url, clock=SystemClock())
    config = migrate._config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0012")
        connection.commit()
    database.close()
    shop.upgrade()
    assert currencies(shop) == EXPECTED


def execute(world: World, statement: str) -> None:
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement))
    engine.dispose()
