"""Killed for real at the journal's commits, and on the wire: what stands then, and what recovery makes of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy

from _mortal import How, Mortal, Process, Side, end_leases
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.schema import operation, redemption


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with Process() as running:
        yield running


@pytest.fixture
def mortal(world: World, checkout: Checkout, process: Process) -> Mortal:
    checkout.balance("anna")
    return Mortal(process, world.provider.url, world.database_url)


def states(world: World) -> tuple[list[str], int]:
    """States of all attempts, and how many operations are open: as somebody else reads them."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        found = [row[0] for row in connection.execute(sqlalchemy.select(redemption.c.state))]
        still = sqlalchemy.select(sqlalchemy.func.count()).where(operation.c.open_key.is_not(None))
        still_open: int = connection.execute(still).scalar_one()
    engine.dispose()
    return found, still_open


@pytest.mark.scenario("C1", "killed before the intent is committed: no row, nothing sent, the cart can be paid")
@pytest.mark.parametrize("how", ["kill", "raise"])
def test_before_the_intent_is_committed(world: World, checkout: Checkout, mortal: Mortal, how: How) -> None:
    assert mortal.live("authorize", commit=1, side="before", how=how) == ("killed" if how == "kill" else "raised")
    assert (states(world), checkout.find("A-1")) == (([], 0), None)
    assert (world.provider.sent("authorize"), world.provider.points()) == (0, (2500, 0))
    assert checkout.recover().finished == 0
    payment = checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert (payment.state, payment.attempt, payment.due.amount_minor) == ("authorized", 1, 5053)


@pytest.mark.scenario("C2", "killed between the intent's commit and the first byte: sent by recovery, held once")
def test_after_the_intent_is_committed(world: World, checkout: Checkout, mortal: Mortal) -> None:
    assert mortal.live("authorize", commit=1, side="after") == "killed"
    assert (states(world), world.provider.sent("authorize")) == ((["authorizing"], 1), 0)
    for _ in range(2):
        world.advance(60)
        checkout.recover()
        assert (checkout.find("A-1").state, world.provider.redemptions()) == (
            "authorized",
            [("A-1", "authorized", 427)],
        )
        world.order("A-1", "pending")


BEFORE = {"authorize": (), "capture": ("authorize",), "void": ("authorize",), "cancel": ("authorize", "capture")}
OPEN = {"authorize": "authorizing", "capture": "capturing", "void": "voiding", "cancel": "reversing"}
DONE = {"authorize": "authorized", "capture": "captured", "void": "voided", "cancel": "reversed"}


@pytest.mark.scenario(
    "C5", "killed between the answer and its commit: the same key again, the replayed answer counts once"
)
@pytest.mark.scenario("C6", "killed at either side of a result's commit: intent or done, never torn; then done once")
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("step", DONE)
def test_around_the_commit_of_a_result(world: World, checkout: Checkout, mortal: Mortal, step: str, side: Side) -> None:
    world.order("A-1", "pending")
    for earlier in BEFORE[step]:
        if earlier == "authorize":
            checkout.authorize("A-1", CART, customer_id="anna", points=427)
        else:
            checkout.capture("A-1")
    assert mortal.live(step, commit=2, side=side) == "killed"
    assert states(world) == (([OPEN[step]], 1) if side == "before" else ([DONE[step]], 0))
    assert world.provider.redemptions() == [("A-1", DONE[step], 427)]
    for _ in range(2):
        world.advance(60)
        checkout.recover()
        assert states(world) == ([DONE[step]], 0)
    assert world.provider.redemptions() == [("A-1", DONE[step], 427)]
    assert mortal.live(step, commit=99, side="before") == "survived"
    assert world.provider.redemptions() == [("A-1", DONE[step], 427)]


@pytest.mark.scenario("C12", "recovery itself is killed at every commit, on both sides: each goes on, one effect")
@pytest.mark.parametrize("when", ["before", "after"])
def test_recovery_that_is_killed_again_and_again(world: World, checkout: Checkout, mortal: Mortal, when: str) -> None:
    world.provider.fault("authorize", "reset", when=when, times=9)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.heal()
    end_leases(world.database_url)
    killed = 0
    for commit in range(1, 9):
        sides: tuple[Side, Side] = ("before", "after")
        for side in sides:
            ended = mortal.live("recover", commit=commit, side=side, orders={"A-1": "paid"})
            killed += ended == "killed"
    assert killed >= 5
    assert ended == "survived"
    assert states(world) == (["captured"], 0)
    assert world.provider.redemptions() == [("A-1", "captured", 427)]
    assert world.provider.points() == (2073, 0)


_SENDER = """
import sys
from _world import CART
from punktgenau import Client
from punktgenau.checkout import Checkout
checkout = Checkout(Client(sys.argv[1], client_id="demo-shop", client_secret="demo-secret"), sys.argv[2])
checkout.authorize("A-1", CART, customer_id="anna", points=427)
"""


class HalfWay:
    """Between shop and provider: of the first redemption request only half of the body goes on, then the shop dies."""

    def __init__(self, provider_url: str) -> None:
        self._provider = ("127.0.0.1", int(provider_url.rsplit(":", 1)[1]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.shop: subprocess.Popen[bytes] | None = None
        self.started = threading.Event()
        self.half = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self.half:
            shop, _ = self._listener.accept()
            with shop, closing(socket.create_connection(self._provider)) as there:
                while request := shop.recv(65_536):
                    if not request.startswith(b"POST /v1/redemptions "):
                        there.sendall(request)
                        shop.sendall(there.recv(65_536))
                        continue
                    head, _, body = request.partition(b"\r\n\r\n")
                    self.half = head + b"\r\n\r\n" + body[: len(body) // 2]
                    there.sendall(self.half)
                    self.started.wait(20)
                    assert self.shop is not None
                    os.kill(self.shop.pid, signal.SIGKILL)
                    self.shop.wait(20)
                    there.shutdown(socket.SHUT_WR)
                    while there.recv(4096):
                        pass
                    break

    def join(self) -> None:
        self._thread.join(20)
        self._listener.close()


@pytest.mark.scenario(
    "C3", "killed after half of the request's bytes: nothing is done by half; the same key holds once"
)
def test_after_half_of_the_bytes(world: World, checkout: Checkout) -> None:
    checkout.balance("anna")
    between = HalfWay(world.provider.url)
    command = [sys.executable, "-c", _SENDER, between.url, world.database_url]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    between.shop = subprocess.Popen(command, env=environment)
    between.started.set()
    assert between.shop.wait(30) == -signal.SIGKILL
    between.join()
    row = checkout.find("A-1")
    assert f"Idempotency-Key: {row.idempotency_key}".encode() in between.half
    assert (states(world), world.provider.redemptions()) == ((["authorizing"], 1), [])
    end_leases(world.database_url)
    world.advance(60)
    checkout.recover()
    assert (checkout.find("A-1").state, checkout.find("A-1").idempotency_key) == ("authorized", row.idempotency_key)
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]


@pytest.mark.scenario("C3", "a body that ends before its length, even where it is whole JSON, is not acted upon")
def test_half_a_body_that_can_be_read_is_not_acted_upon(world: World, checkout: Checkout) -> None:
    token = checkout._provider._transport._token  # type: ignore[attr-defined]
    checkout.balance("anna")
    body = json.dumps(
        {
            "member_id": "mbr_2500",
            "order_reference": "A-1",
            "total": {"amount_minor": 5480, "currency": "EUR"},
            "points": 427,
        }
    ).encode()
    request = (
        f"POST /v1/redemptions HTTP/1.1\r\nHost: x\r\nAuthorization: {token._header}\r\nIdempotency-Key: half\r\n"
        f"Content-Type: application/json\r\nContent-Length: {2 * len(body)}\r\n\r\n"
    ).encode() + body
    port = int(world.provider.url.rsplit(":", 1)[1])
    with closing(socket.create_connection(("127.0.0.1", port))) as there:
        there.sendall(request)
        there.shutdown(socket.SHUT_WR)
        assert there.recv(4096) == b""
    assert world.provider.redemptions() == []
    with closing(socket.create_connection(("127.0.0.1", port))) as there:
        there.sendall(request + b" " * len(body))
        assert there.recv(4096).startswith(b"HTTP/1.1 201 ")
    assert world.provider.redemptions() == [("A-1", "authorized", 427)]


@pytest.mark.scenario("C12", "killed between seeing a shortfall and beginning its repair: recovery repairs it, once")
@pytest.mark.parametrize(
    ("step", "commit", "side"),
    [("capture", 1, "after"), ("capture", 2, "before"), ("recover", 3, "after"), ("recover", 4, "before")],
)
def test_between_a_shortfall_and_its_repair(
    world: World, checkout: Checkout, mortal: Mortal, step: str, commit: int, side: Side
) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    world.order("A-1", "pending")
    world.advance(7300)
    checkout.recover()
    assert checkout.find("A-1").state == "expired"
    assert mortal.live(step, commit=commit, side=side, orders={"A-1": "paid"}) == "killed"
    assert (states(world), world.provider.sent("authorize")) == ((["short"], 0), 1)
    # As long as the shop does not say that it is paid, nothing is taken.
    checkout.recover(due_only=True)
    assert (checkout.find("A-1").state, world.provider.sent("authorize")) == ("short", 1)
    world.order("A-1", "paid")
    for _ in range(3):
        world.clock.advance(61)
        checkout.recover(due_only=True)
    assert (checkout.find("A-1").state, checkout.find("A-1").attempt) == ("captured", 2)
    assert world.provider.sent("authorize") == 2
    assert world.provider.points() == (2073, 0)
