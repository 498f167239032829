"""The reference client as an adapter under the conformance kit's checks: in process, and over TCP."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from punktgenau import Client
from punktgenau.provider import Provider, ProviderProfile
from punktgenau.testing import FakeProvider, ManualClock, fake_provider
from punktgenau.testing.conformance import AdapterConformance, Operation

MANY = 50
URL = "http://127.0.0.1:8612"
"""Nobody listens there; the fake answers. On this machine, so that the sandbox's control plane answers as well."""


class InProcess(AdapterConformance):
    """The client and the fake on one clock that moves by hand."""

    secrets = ("demo-secret",)
    profile_under_test = ProviderProfile()

    @pytest.fixture(autouse=True)
    def _wired(self) -> Iterator[None]:
        with ExitStack() as stack:
            self.wire(stack)
            yield
            self.fake.assert_books_balance()

    def wire(self, stack: ExitStack) -> None:
        """Until the stack ends."""
        self.clock = ManualClock()
        self.fake: FakeProvider = stack.enter_context(fake_provider(URL, clock=self.clock))
        reply = requests.post(f"{URL}/sandbox/profile", json={"name": self.profile_under_test.name}, timeout=20)
        assert reply.ok, reply.text
        self.client = stack.enter_context(
            Client(
                self.fake.url,
                client_id=self.fake.client_id,
                client_secret=self.fake.client_secret,
                clock=self.clock,
                profile=self.profile_under_test,
            )
        )
        self.troubles = stack.enter_context(ExitStack())

    def provider(self) -> Provider:
        return self.client

    def member(self, points: int) -> str:
        return self.fake.member(f"mbr_{secrets.token_hex(4)}", points)

    def voucher(self, amount_minor: int) -> str:
        code = secrets.token_hex(8)
        self.fake.voucher(code, amount_minor)
        return code

    def lose_answers(self, operation: Operation) -> None:
        self.fake.faults.next(operation, "reset", "after", times=MANY)

    def never_answer(self, operation: Operation) -> None:
        self.fake.faults.next(operation, "hang", times=MANY)

    def answer_wrongly(self, operation: Operation) -> None:
        self.fake.faults.next(operation, "wrong_echo", "after", times=MANY)

    def go_away(self) -> None:
        self.troubles.enter_context(self.fake.away())

    def heal(self) -> None:
        self.fake.faults.clear()
        self.troubles.close()
        # Longer than a circuit stays open.
        self.clock.advance(60)

    def withdraw_consent(self, member_id: str) -> None:
        self.fake.withdraw_consent(member_id)

    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds)

    def monotonic(self) -> float:
        return self.clock.monotonic()


class OverTcp(AdapterConformance):
    """The client over TCP; the fixture `sandbox_url` says where the sandbox listens."""

    secrets = ("demo-secret",)
    url: str

    @pytest.fixture(autouse=True)
    def _wired(self, sandbox_url: str) -> Iterator[None]:
        self.url = sandbox_url
        with ExitStack() as stack:
            self.http = stack.enter_context(requests.Session())
            self.http.trust_env = False
            self.clients = stack.enter_context(ExitStack())
            self.client = self.new_client()
            yield

    def new_client(self, url: str | None = None) -> Client:
        """As another process would have it: no circuit is open."""
        return self.clients.enter_context(Client(url or self.url, client_id="demo-shop", client_secret="demo-secret"))

    def control(self, method: str, path: str, **body: object) -> None:
        reply = self.http.request(method, f"{self.url}/sandbox{path}", json=body or None, timeout=20)
        assert reply.ok, reply.text

    def provider(self) -> Provider:
        return self.client

    def member(self, points: int) -> str:
        member_id = f"mbr_{secrets.token_hex(4)}"
        self.control("POST", "/members", id=member_id, points=points)
        return member_id

    def voucher(self, amount_minor: int) -> str:
        code = secrets.token_hex(8)
        self.control("POST", "/vouchers", value_minor=amount_minor, code=code)
        return code

    def lose_answers(self, operation: Operation) -> None:
        self.control("POST", "/faults", operation=operation, kind="reset", when="after", times=MANY)

    def never_answer(self, operation: Operation) -> None:
        self.control("POST", "/faults", operation=operation, kind="hang", when="before", times=MANY)

    def answer_wrongly(self, operation: Operation) -> None:
        self.control("POST", "/faults", operation=operation, kind="wrong_echo", when="after", times=MANY)

    def go_away(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.client = self.new_client(f"http://127.0.0.1:{port}")

    def heal(self) -> None:
        self.control("DELETE", "/faults")
        self.client = self.new_client()

    def withdraw_consent(self, member_id: str) -> None:
        reply = self.http.post(f"{self.url}/sandbox/members/{member_id}/withdraw-consent", json={}, timeout=20)
        assert reply.ok, reply.text

    def advance(self, seconds: int) -> None:
        self.control("POST", "/clock", advance_s=seconds)
