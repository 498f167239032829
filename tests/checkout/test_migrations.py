"""The tables come from the migrations, beside the host's own, and no two upgrades harm each other."""

from threading import Thread

import pytest
import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from _there import there
from _world import CART, World
from punktgenau import Client, ConfigurationError, SystemClock
from punktgenau.checkout import Checkout, include_name, migrate
from punktgenau.checkout.database import Database
from punktgenau.checkout.office import Office
from punktgenau.checkout.schema import VERSION_TABLE, metadata


def test_the_migrations_make_the_tables_that_the_code_uses(world: World, checkout: Checkout):
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    assert checkout.ready()


@pytest.mark.scenario("C14", "upgrades at once: one does it, the others find nothing to do")
def test_upgrades_at_once(empty_database_url: str):
    client = Client("http://127.0.0.1:9", client_id="a", client_secret="b")
    shops = [Checkout(client, empty_database_url) for _ in range(4)]
    assert not shops[0].ready()
    threads = [Thread(target=shop.upgrade) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(shop.ready() for shop in shops)
    for shop in shops:
        shop.close()


def test_a_host_that_autogenerates_keeps_our_tables():
    assert not include_name("punktgenau_redemption", "table", {})
    assert include_name("orders", "table", {})


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "nonsense", ""])
def test_databases_that_cannot_be_used(url: str):
    with pytest.raises(ConfigurationError):
        Checkout(Client("http://127.0.0.1:9", client_id="a", client_secret="b"), url)


@pytest.mark.scenario("D6", "tables missing: fail closed, nothing is sent")
def test_without_an_upgrade_nothing_is_sent(world: World, tmp_path):
    shop = world.checkout()
    fresh = Checkout(shop._provider, f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(Exception) as caught:
        fresh.authorize("A-1", CART, customer_id="anna", points=1)
    assert getattr(caught.value, "code", "") in {"journal_unavailable", "configuration"}
    assert world.provider.sent("authorize") == 0
    fresh.close()


def test_orders_whose_hold_ended_between_parcels_are_told(world: World):
    shop = world.checkout(capture="shipped", hold_s=600)
    shop.balance("anna", max_age_s=0)
    for order in ("ENDED", "RETURNED", "ALL", "CANCELLED", "WHOLE"):
        world.order(order, "paid")
        shop.authorize(order, CART, customer_id="anna", points=427)
    for order in ("ENDED", "RETURNED", "ALL", "CANCELLED"):
        assert there(shop.capture(order, lines={"lamp": 1}, shipment_reference="S-1")).state == "partially_captured"
    assert there(shop.capture("ALL", lines={"lamp": 1}, shipment_reference="S-2")).state == "captured"
    assert there(shop.capture("WHOLE")).state == "captured"
    # Of what left half came back.
    shop.refund("RETURNED", return_reference="R-1", amount_minor=1000)
    back_to(world.database_url, "0010")
    engine = sqlalchemy.create_engine(world.database_url)
    ended = "UPDATE punktgenau_redemption SET state = :was, check_at = NULL WHERE order_reference = :it"
    with engine.begin() as connection:
        # As they were written before: nothing told that points are missing. The customer's wish to cancel is no loss.
        connection.execute(sqlalchemy.text(ended), {"it": "ENDED", "was": "captured"})
        connection.execute(sqlalchemy.text(ended), {"it": "RETURNED", "was": "partially_reversed"})
        connection.execute(sqlalchemy.text(ended), {"it": "CANCELLED", "was": "captured"})
        wish = "UPDATE punktgenau_redemption SET release_cause = 'cancelled' WHERE order_reference = 'CANCELLED'"
        connection.execute(sqlalchemy.text(wish))
        # Captured as a whole, and never in parcels.
        fewer = "UPDATE punktgenau_redemption SET captured_points = 400 WHERE order_reference = 'WHOLE'"
        connection.execute(sqlalchemy.text(fewer))
    shop.upgrade()
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT order_reference, state FROM punktgenau_redemption")).all()
    engine.dispose()
    assert {str(order): str(state) for order, state in rows} == {
        "ENDED": "short",
        "RETURNED": "short",
        "ALL": "captured",
        "CANCELLED": "captured",
        "WHOLE": "captured",
    }
    office = Office(shop)
    (attempt,) = office.searching.attempts("ENDED")
    assert office.resolve(attempt.id, as_="written_off", actor="mira", reason="old").state == "captured"


def back_to(database_url: str, revision: str) -> None:
    database = Database(database_url, clock=SystemClock())
    config = migrate._config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
    database.close()


def test_versions_stand_in_the_order_in_which_they_follow_each_other(tmp_path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "versions"
    folder.mkdir()
    for number, follows in (("0001", "None"), ("0003", '"0001"'), ("0002", '"0003"')):
        (folder / f"m{number}_x.py").write_text(f'revision = "{number}"\ndown_revision = {follows}\n')
    monkeypatch.setattr(migrate, "_MIGRATIONS", tmp_path)
    assert migrate.revisions.__wrapped__() == ["0001", "0003", "0002"]
