"""A client with a token at a server that does as it is told, and at a sandbox in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from _calls import reply
from _canned import Canned, answer, canned
from punktgenau import Client, SystemClock


class Unhurried(SystemClock):
    """The machine's own clock, but nobody sleeps by it."""

    def sleep(self, seconds: float) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Canned]:
    with canned() as running:
        yield running


def warm(server: Canned, **more: Any) -> Client:
    """A client that has its token already, and no open connection."""
    client = Client(server.url, client_id="demo-shop", client_secret="demo-secret", **{"clock": Unhurried(), **more})
    server.next(answer(reply("member"), headers={"Connection": "close"}, close=True))
    client.members.get(member_id="mbr_2500")
    server.seen.clear()
    return client


@pytest.fixture
def new_client(server: Canned) -> Iterator[Callable[..., Client]]:
    """Makes clients with a token for the server; they end with the test."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(warm(server, **more))


@pytest.fixture
def client(new_client: Callable[..., Client]) -> Client:
    return new_client()


@dataclass(frozen=True)
class Sandbox:
    """The provider as a process; `control` speaks to its control plane."""

    url: str
    http: requests.Session

    def control(self, method: str, path: str, body: object = None) -> Any:
        answered = self.http.request(method, f"{self.url}/sandbox{path}", json=body, timeout=20)
        assert answered.ok, answered.text
        return answered.json() if answered.content else None

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        self.control("POST", "/faults", {"operation": operation, "kind": kind, **more})

    def redemptions(self, order_reference: str = "A-1001") -> Any:
        return self.control("GET", f"/redemptions?order_reference={order_reference}")["items"]

    def member(self, member_id: str = "mbr_2500") -> Any:
        return self.control("GET", f"/members/{member_id}")

    def movements(self, member_id: str = "mbr_2500") -> Counter[str]:
        """How often each kind of movement was booked for the member, the opening balance aside."""
        items = self.control("GET", f"/entries?member_id={member_id}")["items"]
        return Counter(kind for _, kind in {(item["movement_id"], item["kind"]) for item in items} if kind != "opening")

    def keys(self, operation: str) -> list[str | None]:
        """The keys that arrived with an operation, oldest first."""
        items = self.control("GET", "/requests")["items"]
        return [item["idempotency_key"] for item in reversed(items) if item["operation"] == operation]


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[str]:
    command = [sys.executable, "-m", "punktgenau.sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1].rstrip("/")
        finally:
            process.terminate()


@pytest.fixture
def sandbox(sandbox_process: str) -> Iterator[Sandbox]:
    with requests.Session() as http:
        http.trust_env = False
        running = Sandbox(sandbox_process, http)
        running.control("POST", "/reset")
        yield running


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[Client]:
    """A client at the sandbox."""
    with Client(sandbox.url, client_id="demo-shop", client_secret="demo-secret", clock=Unhurried()) as client:
        yield client
