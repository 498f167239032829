"""Deploys, moves, backups, power cuts: what a journal holds afterwards, and who may go on with it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from _mortal import end_leases
from _world import CART, World
from punktgenau import Client, LiveRedemptionError, SystemClock, UnavailableError
from punktgenau.checkout import Checkout, migrate
from punktgenau.checkout.database import Database
from punktgenau.checkout.schema import VERSION_TABLE, metadata
from punktgenau.events import Event

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Rows = Mapping[str, list[dict[str, Any]]]
OPEN = {"authorizing", "capturing", "voiding", "reversing", "abandoning"}


def shop_at(world: World, database_url: str) -> Checkout:
    client = Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret", clock=world.clock)
    shop = Checkout(client, database_url, order_loader=world.orders.get, clock=world.clock)
    world.made.append((shop, client))
    return shop


def rows_of(database_url: str) -> Rows:
    """Everything in a journal."""
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        found = {
            table.name: [dict(row._mapping) for row in connection.execute(table.select())]
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return found


def put_rows(database_url: str, rows: Rows) -> None:
    """A journal that holds just these."""
    engine = sqlalchemy.create_engine(database_url)
    there = MetaData()
    with engine.begin() as connection:
        there.reflect(connection)
        for table in reversed(metadata.sorted_tables):
            if table.name in there.tables:
                connection.execute(there.tables[table.name].delete())
        for table in metadata.sorted_tables:
            if table.name in there.tables and rows[table.name]:
                known = there.tables[table.name]
                values = [{name: row[name] for name in row if name in known.columns} for row in rows[table.name]]
                connection.execute(known.insert(), values)
    engine.dispose()


def versions() -> list[str]:
    """The revisions of our tables, oldest first."""
    script = ScriptDirectory.from_config(migrate._config())
    return [revision.revision for revision in script.walk_revisions()][::-1]


def bring_to(database_url: str, revision: str) -> None:
    database = Database(database_url, clock=SystemClock())
    config = migrate._config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    database.close()


def tables_of(database_url: str) -> tuple[set[str], str | None]:
    """The names of all tables, and the revision that they are said to be of."""
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        names = set(sqlalchemy.inspect(connection).get_table_names())
        told = connection.execute(sqlalchemy.text(f"SELECT version_num FROM {VERSION_TABLE}")) if names else None
        revision = None if told is None else told.scalar()
    engine.dispose()
    return names, revision


def test_what_revisions_there_are_is_known_without_alembic() -> None:
    assert migrate.revisions() == versions()


_KILLED_MIGRATION = """
import os, signal, sys
from alembic import op
from punktgenau import Client
from punktgenau.checkout import Checkout
original, revision = op.create_table, sys.argv[2]
def dies(name, *rest, **more):
    made = original(name, *rest, **more)
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    return made
op.create_table = dies
Checkout(Client("http://127.0.0.1:9", client_id="a", client_secret="b"), sys.argv[1]).upgrade()
"""


@pytest.mark.scenario(
    "C14", "killed in a migration: the old tables or the new ones, never half; the next upgrade ends it"
)
@pytest.mark.parametrize("begun", ["nothing", "the version before"])
def test_killed_in_a_migration(empty_database_url: str, begun: str) -> None:
    if begun == "nothing":
        before: tuple[set[str], str | None] = (set(), None)
        dies_at = "punktgenau_operation"
    else:
        bring_to(empty_database_url, "0001")
        before, dies_at = tables_of(empty_database_url), "punktgenau_event"
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED_MIGRATION, empty_database_url, dies_at], env=os.environ, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert tables_of(empty_database_url) == before
    shop = Checkout(Client("http://127.0.0.1:9", client_id="a", client_secret="b"), empty_database_url)
    if begun == "nothing":
        assert not shop.ready()
    else:
        with pytest.raises(UnavailableError, match="older version"):
            shop.ready()
    shop.upgrade()
    assert shop.ready()
    shop.close()


@pytest.mark.scenario(
    "D10", "old code on the tables of the next version: reads and writes as before, recovery included"
)
def test_old_code_on_newer_tables(world: World, checkout: Checkout) -> None:
    world.provider.fault("authorize", "reset", times=9)
    checkout.authorize("A-0", CART, customer_id="anna", points=100)
    world.provider.heal()
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(sqlalchemy.text(f"ALTER TABLE {table.name} ADD COLUMN of_the_future VARCHAR(20)"))
        connection.execute(sqlalchemy.text("CREATE TABLE punktgenau_of_the_future (id VARCHAR(32) PRIMARY KEY)"))
        connection.execute(sqlalchemy.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    shop = shop_at(world, world.database_url)
    assert shop.ready()
    world.order("A-0", "paid")
    world.advance(60)
    end_leases(world.database_url)
    shop.recover()
    assert shop.find("A-0").state == "captured"
    shop.link("ben", member_id="mbr_42", consent_id="con_2")
    assert shop.authorize("A-1", CART, customer_id="anna", points=427).state == "authorized"
    assert shop.capture("A-1").state == "captured"
    assert shop.cancel("A-1").state == "reversed"
    told = Event(id="evt_1", type="redemption.voided", timestamp=world.clock.now(), data={"idempotency_key": "other"})
    assert shop.hear(told) == "early"
    assert world.provider.points() == (2400, 0)


@pytest.mark.scenario("D10", "new code on the tables of the version before: refused politely, nothing is sent")
@pytest.mark.parametrize("number", range(len(versions()) - 1), ids=versions()[:-1])
def test_new_code_on_older_tables(world: World, tmp_path: Path, database_url: str, number: int) -> None:
    older = f"sqlite:///{tmp_path / 'older.sqlite'}"
    bring_to(older, versions()[number])
    shop = shop_at(world, older)
    acts: list[Callable[[], object]] = [shop.ready]
    if number < versions().index("0003"):
        # A shop that does not ask, where columns are missing that placing an order needs.
        acts.append(lambda: shop.authorize("A-1", CART, customer_id="anna", points=427))
    for act in acts:
        with pytest.raises(UnavailableError) as caught:
            act()
        assert caught.value.code == "journal_unavailable"
    assert world.provider.sent("authorize") == 0


@pytest.mark.scenario("D10", "rows that the version before writes into our tables are read and finished by us")
@pytest.mark.parametrize("order", ["written, then upgraded", "upgraded, then written"])
def test_rows_of_the_version_before(world: World, checkout: Checkout, tmp_path: Path, order: str) -> None:
    """Blue and green beside each other: the old processes go on writing while the tables are new already."""
    world.order("A-1", "pending")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.fault("capture", "reset", times=9)
    checkout.capture("A-1")
    world.provider.heal()
    older = f"sqlite:///{tmp_path / 'older.sqlite'}"
    bring_to(older, versions()[-2])
    put_rows(older, rows_of(world.database_url))
    if order == "upgraded, then written":
        engine = sqlalchemy.create_engine(older)
        there = MetaData()
        with engine.connect() as connection:
            there.reflect(connection)
            as_before = {
                table.name: [dict(row._mapping) for row in connection.execute(table.select())]
                for table in there.sorted_tables
            }
        engine.dispose()
        older = f"sqlite:///{tmp_path / 'newer.sqlite'}"
        bring_to(older, "head")
        put_rows(older, {table.name: as_before.get(table.name, []) for table in metadata.sorted_tables})
    shop = shop_at(world, older)
    shop.upgrade()
    end_leases(older)
    world.advance(60)
    shop.recover()
    assert (shop.find("A-1").state, shop.find("A-1").due.amount_minor) == ("captured", 5053)
    assert shop.cancel("A-1").state == "reversed"
    assert world.provider.redemptions() == [("A-1", "reversed", 427)]


def lose(world: World, operation: str) -> None:
    world.provider.fault(operation, "reset", times=9)


@ON_SQLITE
@pytest.mark.scenario("D9", "moved from SQLite to PostgreSQL with open calls: keys and history carried, each done once")
def test_moved_to_another_database(world: World, checkout: Checkout, postgres_url: str) -> None:
    checkout.balance("anna")
    for number in range(4):
        if number == 3:
            lose(world, "authorize")
        checkout.authorize(f"A-{number}", CART, customer_id="anna", points=100 + number)
    checkout.capture("A-0")
    lose(world, "capture")
    assert checkout.capture("A-1").state == "capturing"
    world.provider.heal()
    moved, there = rows_of(world.database_url), shop_at(world, postgres_url)
    there.upgrade()
    put_rows(postgres_url, moved)
    assert rows_of(postgres_url) == moved
    end_leases(postgres_url)
    for number, state in enumerate(("paid", "paid", "pending", "paid")):
        world.order(f"A-{number}", state)
    world.advance(60)
    for _ in range(2):
        there.recover()
    assert world.provider.redemptions() == [
        ("A-0", "captured", 100),
        ("A-1", "captured", 101),
        ("A-2", "authorized", 102),
        ("A-3", "captured", 103),
    ]
    assert [there.find(f"A-{number}").state for number in range(4)] == [
        "captured",
        "captured",
        "authorized",
        "captured",
    ]
    keys = {row["key"] for row in moved["punktgenau_operation"]}
    assert keys <= {row["key"] for row in rows_of(postgres_url)["punktgenau_operation"]}
    assert there.cancel("A-0").state == "reversed"


@pytest.mark.scenario(
    "D5", "yesterday's backup: what the provider did since is found, told and kept apart, never doubled"
)
def test_a_backup_of_yesterday(world: World, checkout: Checkout) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    backup = rows_of(world.database_url)
    # All of this is lost with the disk.
    checkout.capture("A-1")
    checkout.authorize("A-2", CART, customer_id="anna", points=300)
    lost_key = checkout.capture("A-2").idempotency_key
    put_rows(world.database_url, backup)

    shop = shop_at(world, world.database_url)
    assert (shop.find("A-1").state, shop.find("A-2")) == ("authorized", None)
    world.order("A-1", "paid")
    shop.recover()
    assert shop.find("A-1").state == "captured"
    with pytest.raises(LiveRedemptionError):
        shop.authorize("A-2", CART, customer_id="anna", points=300)
    assert world.provider.redemptions() == [("A-1", "captured", 427), ("A-2", "captured", 300)]
    assert world.provider.points() == (1773, 0)
    # The provider's own word about what we do not know is not lost: it is kept apart, and listed.
    data = {"idempotency_key": lost_key, "order_reference": "A-2", "state": "captured"}
    told = Event(id="evt_1", type="redemption.captured", timestamp=world.clock.now(), data=data)
    assert shop.hear(told) == "early"
    world.clock.advance(3700)
    shop.recover()
    kept = [(row["id"], row["state"], row["reason"]) for row in rows_of(world.database_url)["punktgenau_event"]]
    assert kept == [("evt_1", "unmatched", "unknown_redemption")]


def standing(connection: sqlite3.Connection) -> dict[str, int]:
    """Every row of redemptions by id with its version; a row is under way if and only if it has an open operation."""
    found = {}
    for row_id, version, state, still_open in connection.execute(
        "SELECT r.id, r.version, r.state, (SELECT count(*) FROM punktgenau_operation o WHERE o.open_key = r.id) "
        "FROM punktgenau_redemption r"
    ):
        assert still_open == (state in OPEN), (state, still_open)
        found[row_id] = version
    return found


@ON_SQLITE
@pytest.mark.scenario("D4", "the log cut at every 512 bytes: opens, is whole, and has each row that was acknowledged")
def test_the_power_is_cut(world: World, checkout: Checkout, tmp_path: Path) -> None:
    checkout.balance("anna")
    journal = Path(world.database_url.removeprefix("sqlite:///"))
    log = Path(f"{journal}-wal")
    reader = sqlite3.connect(journal)
    assert reader.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    assert log.stat().st_size == 0
    acknowledged: list[tuple[int, dict[str, int]]] = [(0, {})]
    for step in (
        lambda: checkout.authorize("A-1", CART, customer_id="anna", points=427),
        lambda: checkout.capture("A-1"),
        lambda: checkout.authorize("A-2", CART, customer_id="anna", points=1),
        lambda: checkout.cancel("A-1"),
    ):
        step()
        acknowledged.append((log.stat().st_size, standing(reader)))
    sizes = [size for size, _ in acknowledged]
    assert sizes == sorted(set(sizes))
    whole = log.read_bytes()
    cut = tmp_path / "cut.sqlite"
    for length in [*range(0, len(whole), 512), len(whole)]:
        shutil.copy(journal, cut)
        Path(f"{cut}-shm").unlink(missing_ok=True)
        Path(f"{cut}-wal").write_bytes(whole[:length])
        after = sqlite3.connect(cut)
        assert after.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = standing(after)
        after.close()
        due = max((entry for entry in acknowledged if entry[0] <= length), key=lambda entry: entry[0])[1]
        assert all(found.get(row_id, 0) >= version for row_id, version in due.items()), length
    reader.close()
    # Only so is what was acknowledged on the disk: at every commit, not only at a checkpoint.
    connection: Any = checkout._database.engine.raw_connection()
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()
