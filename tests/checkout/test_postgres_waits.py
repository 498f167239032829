"""Somebody else holds a lock on PostgreSQL: a call is back in time, and says what it did."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from _world import CART, MovedClock, Provider, World
from punktgenau import UnavailableError
from punktgenau.checkout import Checkout
from punktgenau.checkout.database import Database

pytestmark = pytest.mark.postgres


@pytest.fixture
def shop(provider: Provider, postgres_url: str) -> Iterator[World]:
    """A shop with deadlines of a second, on PostgreSQL."""
    world = World(provider, MovedClock(), postgres_url)
    checkout = world.checkout(deadline_s=1.0)
    checkout.upgrade()
    checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
    yield world
    for made, client in world.made:
        made.close()
        client.close()


@contextmanager
def somebody_at(url: str, statement: str) -> Iterator[psycopg.Connection]:
    """A transaction of somebody else's that does not end: a dump, an operator, a process that hangs."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        connection.execute(statement)
        yield connection
        connection.rollback()


def test_a_capture_is_back_in_time_and_nothing_was_sent(shop: World) -> None:
    checkout = shop.made[0][0]
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    with somebody_at(shop.database_url, "SELECT * FROM punktgenau_redemption FOR UPDATE"):
        begun = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            checkout.capture("A-1")
        took_s = time.monotonic() - begun
    assert took_s < 2.0
    assert (caught.value.code, caught.value.outcome) == ("journal_unavailable", "not_done")
    assert shop.provider.sent("capture") == 0
    payment = checkout.capture("A-1")
    assert payment is not None
    assert payment.state == "captured"


def test_what_is_sent_already_is_told_as_under_way(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock comes between intent and result: the points are taken, and nobody is told otherwise."""
    checkout = shop.made[0][0]
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    real = checkout._journal.finish
    with psycopg.connect(shop.database_url.replace("postgresql+psycopg", "postgresql")) as other:

        def locked(*about: object, **more: object) -> object:
            other.execute("SELECT * FROM punktgenau_redemption FOR UPDATE")
            return real(*about, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(checkout._journal, "finish", locked)
        begun = time.monotonic()
        payment = checkout.capture("A-1")
        took_s = time.monotonic() - begun
        other.rollback()
    monkeypatch.undo()
    assert payment is not None
    assert (payment.state, payment.reason) == ("capturing", "journal_unavailable")
    assert took_s < 3.5
    assert shop.provider.points() == (2073, 0)


def test_a_migration_waits_for_whoever_is_at_work(postgres_url: str, shop: World) -> None:
    done: list[str] = []

    def upgrade() -> None:
        another = Checkout(shop.made[0][0]._provider, postgres_url)
        another.upgrade()
        another.close()
        done.append("upgraded")

    with somebody_at(postgres_url, "SELECT pg_advisory_xact_lock(483006507892)") as connection:
        waiting = threading.Thread(target=upgrade)
        waiting.start()
        waiting.join(3.5)
        assert done == []
        connection.rollback()
        waiting.join(20)
    assert done == ["upgraded"]


def test_options_in_the_address_are_kept_and_win(postgres_url: str) -> None:
    address = f"{postgres_url}&options=-c%20lock_timeout%3D123%20-c%20application_name%3Dshop&connect_timeout=7"
    database = Database(address, clock=MovedClock())
    with database.engine.connect() as connection:
        told = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("lock_timeout", "application_name")]
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "15s"
    database.close()
    assert told == ["123ms", "shop"]
