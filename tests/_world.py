"""An engine with everything real: the client over TCP, the sandbox's server, a journal on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from flask import Flask

from punktgenau import Client
from punktgenau.checkout import Cart, Checkout, Line, Order, Payment, Settings
from punktgenau.provider import PROFILES, ProviderProfile
from punktgenau.sandbox import Database, create_app
from punktgenau.sandbox.clock import SandboxClock
from punktgenau.sandbox.server import Server
from punktgenau.sandbox.state import sandbox_of

CART = Cart(
    currency="EUR",
    lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")],
    shipping_minor=490,
    shipping_vat_rate="19",
)
"""Two lamps and shipping: 54.80 EUR."""


class MovedClock:
    """The system's clock, moved on by hand, and by the test's own sleeping, which takes no time then."""

    def __init__(self) -> None:
        self._moved = timedelta()

    def advance(self, seconds: float) -> None:
        self._moved += timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._moved

    def monotonic(self) -> float:
        return time.monotonic() + self._moved.total_seconds()

    def sleep(self, seconds: float) -> None:
        if threading.current_thread() is not threading.main_thread():
            # Beside others, who do what is waited for in the time that it takes them.
            time.sleep(min(seconds, 0.02))
            return
        self.advance(seconds)
        time.sleep(0.002)

    def random_bytes(self, length: int) -> bytes:
        return os.urandom(length)


@dataclass
class Provider:
    """The sandbox behind a real server, seen through its control plane."""

    url: str
    http: requests.Session

    def control(self, method: str, path: str, body: object = None) -> Any:
        return control(self.http, self.url, method, path, body)

    def fault(self, operation: str, kind: str, *, when: str = "after", times: int = 1, **more: Any) -> None:
        body = {"operation": operation, "kind": kind, "when": when, "times": times, **more}
        self.control("POST", "/faults", body)

    def heal(self) -> None:
        self.control("DELETE", "/faults")

    def advance(self, seconds: int) -> None:
        self.control("POST", "/clock", {"advance_s": seconds})

    def play(self, name: str, **changes: Any) -> None:
        """Be another kind of provider, until the next reset."""
        self.control("POST", "/profile", {"name": name, **changes})

    def give(self, member_id: str, points: int) -> None:
        self.control("POST", "/members", {"id": member_id, "points": points})

    def rate(self, *, points: int, amount_minor: int) -> None:
        rate = {
            "id": f"rate_{points}_{amount_minor}",
            "points": points,
            "amount_minor": amount_minor,
            "currency": "EUR",
        }
        self.control("POST", "/programme", {"rate": rate})

    def withdraw_consent(self, member_id: str) -> None:
        self.control("POST", f"/members/{member_id}/withdraw-consent", {})

    def member(self, member_id: str = "mbr_2500") -> dict[str, Any]:
        body: dict[str, Any] = self.control("GET", f"/members/{member_id}")
        return body

    def points(self, member_id: str = "mbr_2500") -> tuple[int, int]:
        """Available and held."""
        member = self.member(member_id)
        return member["available"], member["held"]

    def redemptions(self) -> list[tuple[str, str, int]]:
        """Order, state and points of everything that the provider ever did for us, oldest first."""
        items = self.control("GET", "/redemptions")["items"]
        return sorted((item["order_reference"], item["state"], item["points"]) for item in items)

    def sent(self, operation: str) -> int:
        items = self.control("GET", "/requests")["items"]
        return sum(item["operation"] == operation for item in items)


@dataclass
class World:
    """One shop with its journal, at one provider."""

    provider: Provider
    clock: MovedClock
    database_url: str
    orders: dict[str, Order] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    made: list[tuple[Checkout, Client]] = field(default_factory=list)
    profile: ProviderProfile | None = None

    def checkout(self, *, loader: bool = True, url: str | None = None, **settings: Any) -> Checkout:
        """One process of the shop: own client, own connections, the same journal."""
        client = Client(
            url or self.provider.url,
            client_id="demo-shop",
            client_secret="demo-secret",
            clock=self.clock,
            profile=self.profile,
        )
        checkout = Checkout(
            client,
            self.database_url,
            order_loader=self.orders.get if loader else None,
            settings=Settings(**{"deadline_s": 2.0, **settings}),
            clock=self.clock,
            on_event=self.hear,
        )
        self.made.append((checkout, client))
        return checkout

    def hear(self, name: str, payment: Payment) -> None:
        self.events.append((name, payment.order_reference))

    def order(self, reference: str, state: Any) -> None:
        self.orders[reference] = Order(reference=reference, state=state)

    def advance(self, seconds: int) -> None:
        """Time passes for shop and provider alike."""
        self.clock.advance(seconds)
        self.provider.advance(seconds)


class ProviderClock(SandboxClock):
    """A test moves it on; the next one begins with the machine's time again."""

    def back(self) -> None:
        """The machine's time."""
        with self._lock:
            self._advanced_s = 0


SANDBOXES: dict[str, Flask] = {}
"""Those that tests share, by their addresses."""


def control(http: requests.Session, provider_url: str, method: str, path: str, body: object = None) -> Any:
    """What a sandbox's control plane answers; one that tests share is asked without a connection."""
    if provider_url not in SANDBOXES:
        reply = http.request(method, f"{provider_url}/sandbox{path}", json=body, timeout=20)
        assert reply.ok, reply.text
        return reply.json() if reply.content else None
    answer = SANDBOXES[provider_url].test_client().open(f"/sandbox{path}", method=method, json=body)
    assert answer.status_code < 400, answer.text
    return answer.get_json() if answer.data else None


def begin_again(provider_url: str) -> None:
    """A sandbox in its first state and at the machine's time, asked by no request."""
    sandbox = sandbox_of(SANDBOXES[provider_url])
    assert isinstance(sandbox.clock, ProviderClock)
    sandbox.clock.back()
    sandbox.reset()


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    app = create_app(Database(), clock=ProviderClock())
    server = Server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.port}"
    SANDBOXES[url] = app
    yield url
    server.stop()
    thread.join()


@pytest.fixture
def provider(provider_url: str) -> Iterator[Provider]:
    with requests.Session() as http:
        http.trust_env = False
        if provider_url in SANDBOXES:
            begin_again(provider_url)
        else:
            assert http.post(f"{provider_url}/sandbox/reset", timeout=20).status_code == 204
        yield Provider(provider_url, http)


@pytest.fixture
def world(provider: Provider, database_url: str) -> Iterator[World]:
    """A shop whose customer `anna` is linked to the member with 2500 points, `ben` to the one with 42."""
    world = World(provider, MovedClock(), database_url)
    checkout = world.checkout()
    checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
    checkout.link("ben", member_id="mbr_42", consent_id="con_2")
    yield world
    for made, client in world.made:
        made.close()
        client.close()


@pytest.fixture
def checkout(world: World) -> Checkout:
    return world.made[0][0]


@pytest.fixture
def shop(provider: Provider, database_url: str, request: pytest.FixtureRequest) -> Iterator[World]:
    """A shop at a provider of the kind that the test names."""
    name: str = request.param
    provider.play(name)
    world = World(provider, MovedClock(), database_url, profile=PROFILES[name])
    checkout = world.checkout()
    checkout.link("anna", member_id="mbr_2500", consent_id="con_1")
    checkout.balance("anna")
    yield world
    for made, client in world.made:
        made.close()
        client.close()
