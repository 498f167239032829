"""The tables come from the migrations, beside the host's own, and no two upgrades harm each other."""

from threading import Thread

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from _world import World
from punktgenau import Client, ConfigurationError
from punktgenau.checkout import Checkout, include_name
from punktgenau.checkout.schema import VERSION_TABLE, metadata


def test_the_migrations_make_the_tables_that_the_code_uses(world: World, checkout: Checkout):
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    assert checkout.ready()


@pytest.mark.scenario("C14", "upgrades at once: one does it, the others find nothing to do")
def test_upgrades_at_once(database_url: str):
    shops = [Checkout(Client("http://127.0.0.1:9", client_id="a", client_secret="b"), database_url) for _ in range(4)]
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
        fresh.authorize("A-1", __import__("_world").CART, customer_id="anna", points=1)
    assert getattr(caught.value, "code", "") in {"journal_unavailable", "configuration"}
    assert world.provider.sent("authorize") == 0
    fresh.close()
