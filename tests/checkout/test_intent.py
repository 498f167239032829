"""The journal comes first: committed before the first byte, two commits an operation, nothing open on the network."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import sqlalchemy

from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.database import Database


@contextmanager
def provider_that(at_first_byte: Callable[[], None]) -> Iterator[str]:
    """A server that answers nothing: at the first byte of a redemption request it calls back, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536)
                if request.startswith(b"POST /oauth/token"):
                    body = b'{"access_token":"t","token_type":"Bearer","expires_in":3600,"mode":"sandbox"}'
                    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                    connection.sendall(head + str(len(body)).encode() + b"\r\n\r\n" + body)
                elif request:
                    at_first_byte()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        with closing(socket.create_connection(listener.getsockname())):
            pass
        thread.join()
        listener.close()


def rows(database_url: str) -> list[tuple[str, str, int, str, str, str]]:
    """What somebody else sees: a second connection of its own to the journal's database."""
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        found = connection.execute(
            sqlalchemy.text(
                "SELECT r.order_reference, r.member_id, r.points, r.state, o.kind, o.key FROM punktgenau_redemption r "
                "JOIN punktgenau_operation o ON o.redemption_id = r.id WHERE o.outcome IS NULL ORDER BY o.created_at"
            )
        ).all()
    engine.dispose()
    return [tuple(row) for row in found]  # type: ignore[misc]


@pytest.mark.scenario("C2", "the committed intent is what recovery finds when the process dies before the answer")
def test_the_intent_is_committed_at_the_first_byte(world: World, checkout: Checkout):
    checkout.balance("anna")
    seen: list[list[tuple[str, str, int, str, str, str]]] = []
    with provider_that(lambda: seen.append(rows(world.database_url))) as url:
        payment = world.checkout(url=url).authorize("A-1", CART, customer_id="anna", points=427)
    assert payment.state == "authorizing"
    assert seen
    assert seen[0] == [("A-1", "mbr_2500", 427, "authorizing", "authorize", payment.idempotency_key)]


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Counts write transactions that were committed, and those that are open."""
    counts = {"committed": 0, "open": 0}
    original = Database.transaction

    @contextmanager
    def counted(self: Database, *, write: bool = True):
        counts["open"] += 1
        try:
            with original(self, write=write) as tx:
                yield tx
            counts["committed"] += write
        finally:
            counts["open"] -= 1

    monkeypatch.setattr(Database, "transaction", counted)
    return counts


def test_two_commits_an_operation(world: World, checkout: Checkout, transactions: dict[str, int]):
    checkout.balance("anna")
    checkout.authorize("A-0", CART, customer_id="anna", points=1)
    for step in (
        lambda: checkout.authorize("A-1", CART, customer_id="anna", points=427),
        lambda: checkout.capture("A-1"),
        lambda: checkout.cancel("A-1"),
        lambda: checkout.void("A-0"),
    ):
        before = transactions["committed"]
        step()
        assert transactions["committed"] - before == 2


def test_no_transaction_is_open_while_the_provider_is_silent(
    world: World, checkout: Checkout, transactions: dict[str, int]
):
    checkout.balance("anna")
    seen: list[int] = []
    with provider_that(lambda: seen.append(transactions["open"])) as url:
        world.checkout(url=url).authorize("A-1", CART, customer_id="anna", points=427)
    assert seen
    assert set(seen) == {0}


_CHILD = """
import sys
from punktgenau import Client
from punktgenau.checkout import Cart, Checkout, Line
url, database_url = sys.argv[1:]
checkout = Checkout(Client(url, client_id="demo-shop", client_secret="demo-secret"), database_url)
cart = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")],
            shipping_minor=490, shipping_vat_rate="19")
checkout.authorize("A-1", cart, customer_id="anna", points=427)
"""


@pytest.mark.scenario("C4", "the shop's process is killed while it waits: recovery asks with the same key, one hold")
def test_a_killed_process_is_recovered(world: World, checkout: Checkout):
    checkout.balance("anna")
    child: list[subprocess.Popen[bytes]] = []
    started = threading.Event()

    def kill() -> None:
        started.wait(20)
        os.kill(child[0].pid, signal.SIGKILL)
        child[0].wait(20)

    with provider_that(kill) as url:
        child.append(subprocess.Popen([sys.executable, "-c", _CHILD, url, world.database_url]))
        started.set()
        assert child[0].wait(30) == -signal.SIGKILL
    assert checkout.find("A-1").state == "authorizing"

    world.order("A-1", "paid")
    if world.database_url.startswith("postgresql"):
        # Leases there are judged by the server's own clock, which no test can move: end the dead process's lease.
        end_leases(world.database_url)
    world.advance(60)
    checkout.recover()
    assert checkout.find("A-1").state == "captured"
    assert world.provider.redemptions() == [("A-1", "captured", 427)]


def end_leases(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_operation SET lease_until = 0"))
    engine.dispose()
