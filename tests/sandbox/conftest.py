"""A sandbox to test: behind a real server, or in process with a clock that stands still."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from _templates import compiled_once
from punktgenau.sandbox import Database, SandboxClock, create_app
from punktgenau.sandbox.server import Server

CREDENTIALS = ("demo-shop", "demo-secret")


def authorize_body(**changes: Any) -> dict[str, Any]:
    """427 points of the member with 2500 for an order of 59.90 EUR; None leaves a key out."""
    body: dict[str, Any] = {
        "member_id": "mbr_2500",
        "order_reference": "A-1001",
        "total": {"amount_minor": 5990, "currency": "EUR"},
        "points": 427,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


@dataclass
class Shop:
    """The partner, speaking plain HTTP to a server."""

    url: str
    http: requests.Session = field(default_factory=requests.Session)

    def sign_in(self) -> None:
        reply = self.http.post(f"{self.url}/oauth/token", data={"grant_type": "client_credentials"}, auth=CREDENTIALS)
        self.http.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"

    def get(self, path: str) -> requests.Response:
        return self.http.get(f"{self.url}{path}", timeout=20)

    def post(self, path: str, body: Any, *, key: str | None = None, timeout: float = 20) -> requests.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.http.post(f"{self.url}{path}", json=body, headers=headers, timeout=timeout, allow_redirects=False)

    def authorize(self, *, key: str = "key-1", timeout: float = 20, **changes: Any) -> requests.Response:
        return self.post("/v1/redemptions", authorize_body(**changes), key=key, timeout=timeout)

    def balance(self, member_id: str = "mbr_2500") -> tuple[int, int]:
        """What is available and held."""
        body = self.get(f"/v1/members/{member_id}/balance").json()
        return body["available"], body["held"]

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        reply = self.post("/sandbox/faults", {"operation": operation, "kind": kind, **more})
        assert reply.status_code == 201, reply.text

    def advance(self, seconds: int) -> None:
        """Move the clock; tokens end by it too, so sign in again."""
        assert self.post("/sandbox/clock", {"advance_s": seconds}).status_code == 200
        self.sign_in()


@dataclass
class InProcess:
    """The partner, speaking to the application without a network."""

    client: FlaskClient
    clock: SandboxClock
    token: str = ""

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        if method == "GET":
            return self.client.get(path, headers=headers)
        return self.client.open(path, method=method, json=body, headers=headers)

    def ask(self, path: str) -> Any:
        return self.call("GET", path).get_json()

    def post(self, path: str, body: Any, *, key: str | None = None) -> TestResponse:
        return self.call("POST", path, body, key=key)

    def authorize(self, *, key: str = "key-1", **changes: Any) -> TestResponse:
        return self.post("/v1/redemptions", authorize_body(**changes), key=key)

    def member(self, member_id: str = "mbr_2500") -> Any:
        return self.client.get(f"/sandbox/members/{member_id}").get_json()

    def books_balance(self) -> bool:
        """Whether the sum of all entries is zero."""
        total: int = self.client.get("/sandbox/entries").get_json()["sum"]
        return total == 0


def serve(database: Database | None = None) -> tuple[Server, threading.Thread]:
    """A server in a thread, on a free port."""
    server = Server(create_app(database or Database()), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    return server, thread


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """The address of one server for the whole run."""
    server, thread = serve()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()
    thread.join()


@pytest.fixture
def shop(sandbox_url: str) -> Iterator[Shop]:
    """A signed-in partner at a sandbox in its first state."""
    with requests.Session() as http:
        http.trust_env = False
        assert http.post(f"{sandbox_url}/sandbox/reset").status_code == 204
        shop = Shop(sandbox_url, http)
        shop.sign_in()
        yield shop


@pytest.fixture
def frozen() -> Iterator[InProcess]:
    """A signed-in partner in process; the clock stands at 22 November 2026, 10:00 UTC."""
    database = Database()
    clock = SandboxClock(frozen_at=datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC))
    with compiled_once(create_app(database, clock=clock)).test_client() as client:
        partner = InProcess(client, clock)
        reply = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=CREDENTIALS)
        partner.token = reply.get_json()["access_token"]
        yield partner
    database.close()
