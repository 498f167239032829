"""The journal's database is full, broken, read-only, locked or gone: fail closed before a send, nothing lost after."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from psycopg import sql
from sqlalchemy.engine import make_url

from _trouble import INTENT, RESULT, Trouble, shop_in
from _world import CART, World
from punktgenau import Client, UnavailableError
from punktgenau.checkout import Checkout, Settings
from punktgenau.checkout.mounts import network_file_system

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture
def shop(world: World, checkout: Checkout, trouble: Trouble) -> Checkout:
    checkout.balance("anna")
    made = shop_in(world, trouble)
    made.find("A-1")
    return made


def place(shop: Checkout, reference: str = "A-1") -> Any:
    return shop.authorize(reference, CART, customer_id="anna", points=427)


@pytest.mark.scenario("D1", "no room for the intent: a clear code, nothing is sent, and with room it goes on")
def test_no_room_for_the_intent(world: World, shop: Checkout, trouble: Trouble) -> None:
    trouble.begin(INTENT)
    with pytest.raises(UnavailableError) as caught:
        place(shop)
    assert caught.value.code == "journal_unavailable"
    assert (world.provider.sent("authorize"), world.provider.points()) == (0, (2500, 0))
    assert shop.find("A-1") is None
    trouble.begin()
    assert (place(shop).state, shop.find("A-1").attempt) == ("authorized", 1)


@ON_SQLITE
@pytest.mark.scenario(
    "D1", "a database that may not grow: every order is held and written, or neither sent nor written"
)
def test_a_database_that_may_not_grow(world: World, checkout: Checkout) -> None:
    checkout.balance("anna")
    path = world.database_url.removeprefix("sqlite:///")

    def small() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 1}")
        return connection

    client = Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret", clock=world.clock)
    shop = Checkout(client, world.database_url, clock=world.clock, connect=small)
    world.made.append((shop, client))
    held = 0

    def place_until_it_is_full() -> None:
        nonlocal held
        for number in range(99):
            shop.authorize(f"A-{number}", CART, customer_id="anna", points=1)
            held += 1

    with pytest.raises(UnavailableError) as caught:
        place_until_it_is_full()
    assert (caught.value.code, caught.value.outcome) == ("journal_unavailable", "not_done")
    assert (world.provider.sent("authorize"), world.provider.points()) == (held, (2500 - held, held))
    assert checkout.find(f"A-{held}") is None


GOALS = {
    "authorize": ("authorizing", "authorized"),
    "capture": ("capturing", "captured"),
    "cancel": ("reversing", "reversed"),
}


def reach(shop: Checkout, goal: str) -> Any:
    return place(shop) if goal == "authorize" else getattr(shop, goal)("A-1")


@pytest.mark.scenario("D2", "no room for the result: it stays open, is never told as failed, and is found by recovery")
@pytest.mark.scenario("T52", "given back at the provider but not recorded: the next try finds it, once, no refusal")
@pytest.mark.parametrize("goal", GOALS)
def test_no_room_for_the_result(world: World, checkout: Checkout, shop: Checkout, trouble: Trouble, goal: str) -> None:
    world.order("A-1", "pending")
    for earlier in list(GOALS)[: list(GOALS).index(goal)]:
        reach(shop, earlier)
    still_open, done = GOALS[goal]
    trouble.begin(RESULT, RESULT + 1)
    assert reach(shop, goal).state == still_open
    assert world.provider.redemptions() == [("A-1", done, 427)]
    assert checkout.find("A-1").state == still_open
    trouble.begin()
    world.advance(60)
    if world.database_url.startswith("sqlite"):
        checkout.recover()
    else:
        # There a lease ends by the server's clock, and the one who has it may go on.
        _end_leases(world)
        assert reach(checkout, goal).state == done
    assert (checkout.find("A-1").state, world.provider.redemptions()) == (done, [("A-1", done, 427)])
    assert world.provider.points() == {"authorize": (2073, 427), "capture": (2073, 0), "cancel": (2500, 0)}[goal]


def _end_leases(world: World) -> None:
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_operation SET lease_until = 0"))
    engine.dispose()


@pytest.mark.scenario(
    "K13", "a serialization failure, deadlock or lost connection at the result: written again, sent once"
)
@pytest.mark.parametrize("how", ["40001", "40P01", "lost"])
@pytest.mark.parametrize("goal", GOALS)
def test_a_result_is_written_again_and_not_sent_again(
    world: World, shop: Checkout, trouble: Trouble, goal: str, how: str
) -> None:
    for earlier in list(GOALS)[: list(GOALS).index(goal)]:
        reach(shop, earlier)
    trouble.begin(RESULT, how="40001" if world.database_url.startswith("sqlite") else how)
    assert reach(shop, goal).state == GOALS[goal][1]
    assert trouble.commits == RESULT + 1
    assert world.provider.sent({"cancel": "reverse"}.get(goal, goal)) == 1


@pytest.mark.scenario("K13", "the result's commit took effect and its connection was lost: read again, sent once")
@pytest.mark.scenario("D3", "a commit that was not confirmed is never repeated blindly: a new connection reads the row")
def test_a_result_that_was_written_although_nobody_said_so(world: World, shop: Checkout, trouble: Trouble) -> None:
    trouble.begin(RESULT, unconfirmed=True)
    assert place(shop).state == "authorized"
    assert world.provider.sent("authorize") == 1
    trouble.begin()
    assert shop.capture("A-1").state == "captured"
    assert world.provider.redemptions() == [("A-1", "captured", 427)]


@pytest.mark.scenario(
    "D3", "the intent's commit was not confirmed: told as unknown, nothing sent, carried out once later"
)
def test_an_intent_that_was_not_confirmed(world: World, checkout: Checkout, shop: Checkout, trouble: Trouble) -> None:
    trouble.begin(INTENT, unconfirmed=True)
    with pytest.raises(UnavailableError) as caught:
        place(shop)
    assert (caught.value.code, caught.value.outcome) == ("journal_unavailable", "unknown")
    assert world.provider.sent("authorize") == 0
    trouble.begin()
    _end_leases(world)
    world.order("A-1", "paid")
    world.advance(60)
    checkout.recover()
    checkout.recover()
    assert world.provider.redemptions() == [("A-1", "captured", 427)]


@ON_POSTGRESQL
@pytest.mark.scenario("K13", "no connection is free: nothing is sent, and once one is free the order is held")
def test_a_pool_that_is_exhausted(world: World, checkout: Checkout) -> None:
    checkout.balance("anna")
    pool: Any = checkout._database.engine.pool
    pool._timeout = 0.05
    taken = [checkout._database.engine.raw_connection() for _ in range(15)]
    with pytest.raises(UnavailableError) as caught:
        place(checkout)
    assert (caught.value.code, world.provider.sent("authorize")) == ("journal_unavailable", 0)
    for connection in taken:
        connection.close()
    assert place(checkout).state == "authorized"


@ON_POSTGRESQL
@pytest.mark.scenario("K13", "a replica that cannot be written to: nothing is sent; on the new primary it goes on")
def test_a_failover_to_a_replica(world: World, checkout: Checkout) -> None:
    checkout.balance("anna")
    place(checkout, "A-0")
    address = make_url(world.database_url)
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as other:
        name = sql.Identifier(address.database or "")

        def fail_over(read_only: str) -> None:
            other.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(name, read_only))
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        fail_over("on")
        for _ in range(3):
            with pytest.raises(UnavailableError) as caught:
                place(checkout)
            assert caught.value.code == "journal_unavailable"
        assert world.provider.sent("authorize") == 1
        fail_over("off")
    for _ in range(3):
        try:
            payment = place(checkout)
        except UnavailableError:
            # A pooled connection to the server that was.
            continue
        break
    assert (payment.state, world.provider.sent("authorize")) == ("authorized", 2)


@pytest.mark.scenario(
    "D6", "a database that cannot be written to: fail closed, nothing sent; what is known can be read"
)
def test_a_database_that_is_read_only(world: World, checkout: Checkout) -> None:
    place(checkout, "A-0")
    address = make_url(world.database_url)
    path = address.database
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)

    def reading() -> Any:
        if address.get_backend_name() == "sqlite":
            return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        return psycopg.connect(plain, options="-c default_transaction_read_only=on")

    client = Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret", clock=world.clock)
    shop = Checkout(client, world.database_url, clock=world.clock, connect=reading, settings=Settings(deadline_s=2.0))
    world.made.append((shop, client))
    for act in (lambda: place(shop), lambda: shop.capture("A-0"), lambda: shop.cancel("A-0"), shop.recover):
        with pytest.raises(UnavailableError) as caught:
            act()
        assert caught.value.code == "journal_unavailable"
    assert shop.find("A-0").state == "authorized"
    assert (world.provider.sent("authorize"), world.provider.sent("capture"), world.provider.sent("void")) == (1, 0, 0)


@ON_SQLITE
@pytest.mark.scenario("D8", "a file system without shared memory refuses WAL: said on the first use, nothing sent")
def test_a_file_system_that_refuses_wal(world: World, tmp_path: Path) -> None:
    url = f"sqlite:///file:{tmp_path / 'other.sqlite'}?vfs=unix-dotfile&uri=true"
    with Client(world.provider.url, client_id="demo-shop", client_secret="demo-secret") as client:
        shop = Checkout(client, url)
        for act in (shop.upgrade, shop.ready, lambda: place(shop)):
            with pytest.raises(UnavailableError, match="write-ahead logging") as caught:
                act()
            assert caught.value.code == "journal_unavailable"
        shop.close()
    assert world.provider.sent("authorize") == 0


MOUNTINFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:40 / /srv rw,relatime shared:9 - nfs4 files:/srv rw,vers=4.2
41 40 254:1 / /srv/local rw,relatime - xfs /dev/vdb rw
42 22 0:41 / /mnt/the\\040share rw - cifs //files/share rw
43 22 0:42 / /srvice rw - tmpfs none rw
"""


@pytest.mark.scenario("D8", "a file on a network file system is refused, by its deepest mount; a local one is not")
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/srv/journal.sqlite", "nfs4"),
        ("/mnt/the share/journal.sqlite", "cifs"),
        ("/srv/local/journal.sqlite", None),
        ("/srvice/journal.sqlite", None),
        ("/var/lib/journal.sqlite", None),
    ],
)
def test_where_a_file_lies(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, found: str | None
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTINFO)
    assert network_file_system(path, mounts=mounts) == found
    assert network_file_system(path, mounts=tmp_path / "nowhere") is None
    monkeypatch.setattr("punktgenau.checkout.mounts.network_file_system", lambda journal: found)
    shop = Checkout(Client("http://127.0.0.1:9", client_id="a", client_secret="b"), sqlite_url)
    if found is None:
        shop.upgrade()
        assert shop.ready()
    else:
        with pytest.raises(UnavailableError, match=f"shared over a network \\({found}\\)"):
            shop.upgrade()
    shop.close()
