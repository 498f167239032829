"""Random histories of points that are given, wait, are posted, spent and taken back, followed by sums alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from punktgenau.sandbox import Database, SandboxClock, create_app
from punktgenau.sandbox.state import sandbox_of
from punktgenau.testing import books

MEMBER = "mbr_m"
WAIT_S = 600


@dataclass
class Given:
    """What is believed about one accrual; `due_at` None: it does not wait."""

    points: int
    due_at: int | None
    asked_back: int = 0

    @property
    def left(self) -> int:
        return self.points - self.asked_back


class Histories(RuleBasedStateMachine):
    """One member who begins with 10 points that never expire; a point is worth two thirds of a cent."""

    @initialize()
    def begin(self) -> None:
        self.database = Database()
        self.clock = SandboxClock(frozen_at=datetime(2026, 11, 22, 10, tzinfo=UTC))
        app = create_app(self.database, clock=self.clock)
        self.provider, self.client = sandbox_of(app), app.test_client()
        rate = {"id": "rate_3", "points": 3, "amount_minor": 2, "currency": "EUR"}
        self.client.post("/sandbox/programme", json={"rate": rate})
        self.client.post("/sandbox/members", json={"id": MEMBER, "points": 10})
        self.given: dict[str, Given] = {}
        self.spent: dict[str, int] = {}
        self.net = 10
        self.charged = 0
        self.counter = 0
        self.second = 0
        self.sign_in()
        self.give(20, waits=False)
        self.give(15, waits=True)

    def sign_in(self) -> None:
        form = {"grant_type": "client_credentials"}
        reply = self.client.post("/oauth/token", data=form, auth=("demo-shop", "demo-secret"))
        self.headers = {"Authorization": f"Bearer {reply.get_json()['access_token']}"}

    def post(self, path: str, body: Any) -> Any:
        self.counter += 1
        return self.client.post(path, json=body, headers={**self.headers, "Idempotency-Key": f"key-{self.counter}"})

    def pick(self, position: int) -> tuple[str, Given]:
        """The newest first: less of it is gone."""
        return list(self.given.items())[-1 - position % len(self.given)]

    @rule(points=st.integers(1, 20), waits=st.booleans())
    def give(self, points: int, waits: bool) -> None:
        name = {"accrual_reference": f"g-{self.counter}", "order_reference": f"A-{self.counter}", "reason": "Earned"}
        reply = self.post(
            "/v1/accruals", {"member_id": MEMBER, "points": points, "pending_s": WAIT_S if waits else 0, **name}
        )
        assert reply.status_code == 201
        self.given[reply.get_json()["id"]] = Given(points, self.second + WAIT_S if waits else None)
        if not waits:
            self.net, self.charged = self.net + points, self.charged + points

    @rule(position=st.integers(0, 9))
    def let_it_be_spent(self, position: int) -> None:
        accrual_id, known = self.pick(position)
        reply = self.post(f"/v1/accruals/{accrual_id}/post", {})
        if known.left == 0:
            assert reply.get_json()["code"] == "accrual_reversed"
        elif known.due_at is not None and self.second < known.due_at:
            assert reply.get_json()["code"] == "accrual_not_due"
        else:
            assert reply.get_json()["state"] == "posted"
            if known.due_at is not None:
                known.due_at = None
                self.net, self.charged = self.net + known.left, self.charged + known.left

    @rule(position=st.integers(0, 9), rest=st.integers(-1, 9), below_zero=st.booleans())
    def take_back(self, position: int, rest: int, below_zero: bool) -> None:
        """All but some of what is left, or one point more than that."""
        accrual_id, known = self.pick(position)
        points = max(1, known.left - rest)
        body = {"points": points, "return_reference": f"R-{self.counter}", "reason": "Returned"}
        reply = self.post(f"/v1/accruals/{accrual_id}/reversals", {**body, "below_zero": below_zero})
        if points > known.left:
            assert reply.get_json()["code"] == "reversal_exceeds_accrual"
            return
        pending = points if known.due_at is not None else 0
        available = min(points - pending, max(0, self.net))
        missing = points - pending - available
        told = reply.get_json()
        assert [told[name] for name in ("taken_pending", "taken_available", "taken_below_zero", "not_taken")] == [
            pending,
            available,
            missing if below_zero else 0,
            0 if below_zero else missing,
        ]
        taken = available + (missing if below_zero else 0)
        known.asked_back += points
        self.net, self.charged = self.net - taken, self.charged - taken

    @rule(kept=st.integers(-1, 4))
    def spend(self, kept: int) -> None:
        """All but a few, or one more than there are."""
        points = max(1, self.net - kept)
        order = f"B-{self.counter}"
        total = {"amount_minor": 1000, "currency": "EUR"}
        body = {"member_id": MEMBER, "order_reference": order, "points": points, "total": total, "capture": "now"}
        reply = self.post("/v1/redemptions", body)
        assert reply.status_code == (201 if points <= self.net else 422)
        if reply.status_code == 201:
            self.spent[reply.get_json()["id"]] = points
            self.net -= points

    @precondition(lambda self: self.spent)
    @rule(position=st.integers(0, 9))
    def give_back(self, position: int) -> None:
        red_id = list(self.spent)[position % len(self.spent)]
        points = self.spent.pop(red_id)
        body = {"points": points, "return_reference": f"R-{self.counter}"}
        assert self.post(f"/v1/redemptions/{red_id}/reversals", body).status_code == 201
        self.net += points

    @rule(seconds=st.sampled_from([1, WAIT_S - 1, WAIT_S]))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.second += seconds
        self.sign_in()

    @invariant()
    def sums_hold(self) -> None:
        balance = self.client.get(f"/v1/members/{MEMBER}/balance", headers=self.headers).get_json()
        waiting = sum(known.left for known in self.given.values() if known.due_at is not None)
        assert (balance["available"], balance["pending"]) == (self.net, waiting)
        with self.provider.work() as work:
            assert books.findings(work) == []

    @invariant()
    def entries_tell_the_balance(self) -> None:
        items = self.client.get(f"/v1/members/{MEMBER}/entries?limit=100", headers=self.headers).get_json()["items"]
        assert items[0]["balance"] == self.net == sum(item["points"] for item in items)
        waiting = sum(known.left for known in self.given.values() if known.due_at is not None)
        assert sum(item["pending_points"] for item in items) == waiting

    @invariant()
    def the_partner_pays_for_what_stays(self) -> None:
        path = "/v1/statements?period=2026-11"
        items = self.client.get(path, headers=self.headers).get_json()["items"]
        own = [item for item in items if item["accrual_id"]]
        assert sum(item["points"] for item in own) == -self.charged
        if all(known.left == 0 for known in self.given.values()) and self.charged == 0:
            assert sum(item["amount_minor"] for item in own) == 0

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()


Histories.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestHistories = Histories.TestCase
