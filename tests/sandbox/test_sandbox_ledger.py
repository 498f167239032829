"""The books: what they refuse, in which order lots are used, and that any history leaves them balanced."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from punktgenau.sandbox import Database, SandboxClock, create_app
from punktgenau.sandbox.database import Work
from punktgenau.sandbox.idempotency import Effect, Write, once
from punktgenau.sandbox.ledger import ISSUED, Movement, Transfer, available, post
from punktgenau.sandbox.members import create, find
from punktgenau.sandbox.problems import Refusal
from punktgenau.sandbox.state import sandbox_of

RED = "/v1/redemptions"


def lots_of(frozen: Any, member_id: str = "mbr_2500") -> list[int]:
    return [lot["available_points"] for lot in frozen.member(member_id)["lots"]]


def test_points_leave_by_date_and_come_back_the_other_way_round(frozen: Any) -> None:
    # The demo member: 313 expire first, then 700, then 1487.
    assert lots_of(frozen) == [313, 700, 1487]
    red_id = frozen.authorize(points=1100, total={"amount_minor": 5990, "currency": "EUR"}).get_json()["id"]
    assert lots_of(frozen) == [0, 0, 1400]
    # 1050 are captured: all of the first two lots and 37 of the third; the other 50 return to the third.
    frozen.post(f"{RED}/{red_id}/capture", {"points": 1050}, key="key-2")
    assert lots_of(frozen) == [0, 0, 1450]
    # Back: 37 to the third, then 700 to the second, then the first.
    for number, (points, expected) in enumerate(
        ((40, [0, 3, 1487]), (697, [0, 700, 1487]), (312, [312, 700, 1487]), (1, [313, 700, 1487]))
    ):
        body = {"points": points, "return_reference": f"R-{number}"}
        assert frozen.post(f"{RED}/{red_id}/reversals", body, key=f"key-r{number}").status_code == 201
        assert lots_of(frozen) == expected
    assert frozen.books_balance()


def test_a_release_is_written_in_the_reverse_order_of_its_hold(frozen: Any) -> None:
    red_id = frozen.authorize(points=1100).get_json()["id"]
    frozen.post(f"{RED}/{red_id}/void", {}, key="key-2")
    entries = frozen.client.get("/sandbox/entries?member_id=mbr_2500").get_json()["items"]
    drawn = [(entry["lot_id"], entry["points"]) for entry in entries if entry["kind"] == "hold"]
    back = [(entry["lot_id"], entry["points"]) for entry in entries if entry["kind"] == "release"]
    assert drawn == [(1, -313), (1, 313), (2, -700), (2, 700), (3, -87), (3, 87)]
    assert back == [(3, -87), (3, 87), (2, -700), (2, 700), (1, -313), (1, 313)]


def test_a_lot_without_a_date_is_used_last(frozen: Any) -> None:
    lots = [
        {"points": 5},
        {"points": 7, "expires_at": "2027-03-01T00:00:00Z"},
        {"points": 3, "expires_at": "2027-01-01T00:00:00Z"},
    ]
    frozen.client.post("/sandbox/members", json={"id": "mbr_15", "lots": lots})
    assert lots_of(frozen, "mbr_15") == [3, 7, 5]
    frozen.authorize(member_id="mbr_15", points=11)
    assert lots_of(frozen, "mbr_15") == [0, 0, 4]


def _soon(frozen: Any) -> str:
    """Hold 8 points of a member: 5 of a lot that ends in two days, 3 of one that does not."""
    lots = [{"points": 5, "expires_at": "2026-11-24T10:00:00Z"}, {"points": 10}]
    frozen.client.post("/sandbox/members", json={"id": "mbr_soon", "lots": lots})
    made = frozen.authorize(member_id="mbr_soon", points=8, hold_s=604_800)
    red_id: str = made.get_json()["id"]
    return red_id


def _later(frozen: Any) -> None:
    frozen.clock.advance(3 * 86_400)
    form = {"grant_type": "client_credentials"}
    reply = frozen.client.post("/oauth/token", data=form, auth=("demo-shop", "demo-secret"))
    frozen.token = reply.get_json()["access_token"]


def test_held_points_do_not_expire_but_do_when_they_are_released_late(frozen: Any) -> None:
    red_id = _soon(frozen)
    _later(frozen)
    assert (frozen.member("mbr_soon")["held"], frozen.member("mbr_soon")["available"]) == (8, 7)
    frozen.post(f"{RED}/{red_id}/void", {}, key="key-2")
    assert (frozen.member("mbr_soon")["held"], frozen.member("mbr_soon")["available"]) == (0, 10)
    kinds = [entry["kind"] for entry in frozen.ask("/v1/members/mbr_soon/entries")["items"]]
    assert kinds[:2] == ["expiry", "release"]
    assert frozen.books_balance()


def test_a_reversal_says_what_came_back_expired(frozen: Any) -> None:
    red_id = _soon(frozen)
    frozen.post(f"{RED}/{red_id}/capture", {}, key="key-2")
    _later(frozen)
    told = []
    for points in (4, 3, 1):
        wanted = {"points": points, "return_reference": f"R-{points}"}
        body = frozen.post(f"{RED}/{red_id}/reversals", wanted, key=f"key-{points}-back").get_json()
        told.append((body["restored"], body["already_expired"]))
    # Last drawn first: three live points and one dead, then the dead ones.
    assert told == [(3, 1), (0, 3), (0, 1)]
    assert frozen.member("mbr_soon")["available"] == 10


def test_available_points_expire_on_their_date(frozen: Any) -> None:
    dated = {"points": 5, "expires_at": "2026-11-22T10:00:10Z"}
    frozen.client.post("/sandbox/members", json={"id": "mbr_soon", "lots": [dated, {"points": 10}]})
    frozen.clock.advance(9)
    assert frozen.ask("/v1/members/mbr_soon/balance")["expiring"] == [dated]
    frozen.clock.advance(1)
    body = frozen.ask("/v1/members/mbr_soon/balance")
    assert (body["available"], body["expiring"]) == (10, [])


def test_what_time_brings_about_happens_in_its_order_and_at_its_moment(frozen: Any) -> None:
    lots = [{"points": 5, "expires_at": "2026-11-22T11:00:00Z"}, {"points": 10, "expires_at": "2026-11-22T12:30:00Z"}]
    frozen.client.post("/sandbox/members", json={"id": "mbr_soon", "lots": lots})
    frozen.authorize(member_id="mbr_soon", points=3, hold_s=7200)
    _later(frozen)
    told = [
        (entry["kind"], entry["points"], entry["at"][11:16])
        for entry in frozen.ask("/v1/members/mbr_soon/entries?limit=5")["items"]
    ]
    # At eleven the free points of the first lot; at twelve the hold ends, too late for its points; then the second lot.
    assert told == [
        ("expiry", -10, "12:30"),
        ("expiry", -3, "12:00"),
        ("release", 3, "12:00"),
        ("expiry", -2, "11:00"),
        ("hold", -3, "10:00"),
    ]
    red = frozen.ask("/v1/redemptions?order_reference=A-1001")["items"][0]
    assert (red["state"], red["updated_at"]) == ("expired", "2026-11-22T12:00:00Z")


@pytest.mark.parametrize("table", ["movement", "entry", "event", "capture", "reversal"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET rowid = rowid + 100"])
def test_what_is_written_stays_written(frozen: Any, table: str, statement: str) -> None:
    red_id = frozen.authorize(capture="now").get_json()["id"]
    frozen.post(f"{RED}/{red_id}/reversals", {"points": 1, "return_reference": "R-1"}, key="key-2")
    with (
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
        sandbox_of(frozen.client.application).work() as work,
    ):
        work.run(statement.format(table))


def test_no_account_can_be_overdrawn(frozen: Any) -> None:
    too_much = [Transfer(available(member_id="mbr_42", lot_id=4), ISSUED, 43)]
    with pytest.raises(sqlite3.IntegrityError), sandbox_of(frozen.client.application).work() as work:
        post(work, Movement("adjustment", "mbr_42", "Too much"), too_much)
    assert frozen.member("mbr_42")["available"] == 42


def test_a_refusal_undoes_what_was_begun_and_is_kept(frozen: Any) -> None:
    write = Write("demo-shop", "authorize", "key-1", "POST", RED, {})

    def begin_and_refuse(work: Work) -> Effect:
        create(work, member_id="mbr_half", display_name="Half")
        raise Refusal("insufficient_points", "Not enough.")

    provider = sandbox_of(frozen.client.application)
    with provider.work() as work:
        assert once(work, write, lambda: begin_and_refuse(work)).refusal is not None
    with provider.work() as work:
        assert find(work, "mbr_half") is None
        assert once(work, write, lambda: begin_and_refuse(work)).is_replay


def test_a_refused_request_leaves_nothing_behind(frozen: Any) -> None:
    before = frozen.client.get("/sandbox/entries").get_json()["items"]
    assert frozen.authorize(points=2501).status_code == 422
    assert frozen.client.get("/sandbox/entries").get_json()["items"] == before


@dataclass
class Known:
    """What the machine believes about one redemption."""

    points: int
    ends_at: int
    held: int
    captured: int = 0
    given_back: int = 0
    steps: int = field(default=0)


class Books(RuleBasedStateMachine):
    """Random histories of one member, followed by a model that knows sums only."""

    LOTS: ClassVar[list[dict[str, Any]]] = [
        {"points": n, "expires_at": f"2027-0{n}-01T00:00:00Z"} for n in (3, 1, 7, 5)
    ]

    @initialize()
    def begin(self) -> None:
        self.database = Database()
        self.clock = SandboxClock(frozen_at=datetime(2026, 11, 22, 10, tzinfo=UTC))
        app = create_app(self.database, clock=self.clock)
        self.provider = sandbox_of(app)
        self.client = app.test_client()
        self.client.post("/sandbox/members", json={"id": "mbr_m", "lots": self.LOTS})
        self.known: dict[str, Known] = {}
        self.counter = 0
        self.second = 0
        self.sign_in()

    def sign_in(self) -> None:
        form = {"grant_type": "client_credentials"}
        reply = self.client.post("/oauth/token", data=form, auth=("demo-shop", "demo-secret"))
        self.headers = {"Authorization": f"Bearer {reply.get_json()['access_token']}"}

    def post(self, path: str, body: Any) -> Any:
        self.counter += 1
        return self.client.post(path, json=body, headers={**self.headers, "Idempotency-Key": f"key-{self.counter}"})

    def free(self) -> int:
        return 16 - sum(red.held + red.captured - red.given_back for red in self.known.values())

    def pick(self, position: int) -> tuple[str, Known] | None:
        return list(self.known.items())[position % len(self.known)] if self.known else None

    @rule(points=st.integers(1, 18), hold_s=st.sampled_from([300, 600]), now=st.booleans())
    def authorize(self, points: int, hold_s: int, now: bool) -> None:
        order = f"A-{self.counter}"
        body = {"member_id": "mbr_m", "order_reference": order, "points": points, "hold_s": hold_s}
        more = {"total": {"amount_minor": 1000, "currency": "EUR"}, "capture": "now" if now else None}
        free = self.free()
        reply = self.post(RED, {**body, **more})
        assert reply.status_code == (201 if points <= free else 422)
        if reply.status_code == 201:
            known = Known(points, self.second + hold_s, held=0 if now else points, captured=points if now else 0)
            self.known[reply.get_json()["id"]] = known

    @rule(position=st.integers(0, 9), points=st.integers(1, 18), final=st.booleans())
    def capture(self, position: int, points: int, final: bool) -> None:
        picked = self.pick(position)
        if picked is None:
            return
        red_id, known = picked
        reference = f"S-{self.counter}"
        reply = self.post(f"{RED}/{red_id}/capture", {"points": points, "final": final, "capture_reference": reference})
        assert reply.status_code == (200 if known.held > 0 and points <= known.held else 409)
        if reply.status_code == 200:
            known.captured += points
            known.held = 0 if final else known.held - points

    @rule(position=st.integers(0, 9), points=st.integers(1, 18))
    def reverse(self, position: int, points: int) -> None:
        picked = self.pick(position)
        if picked is None:
            return
        red_id, known = picked
        reply = self.post(f"{RED}/{red_id}/reversals", {"points": points, "return_reference": f"R-{self.counter}"})
        assert reply.status_code == (201 if points <= known.captured - known.given_back else 409)
        if reply.status_code == 201:
            known.given_back += points

    @rule(position=st.integers(0, 9))
    def void(self, position: int) -> None:
        picked = self.pick(position)
        if picked is None:
            return
        red_id, known = picked
        assert self.post(f"{RED}/{red_id}/void", {}).status_code == (200 if known.held else 409)
        known.held = 0

    @rule(seconds=st.sampled_from([1, 299, 300]))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.second += seconds
        self.sign_in()
        for known in self.known.values():
            if known.ends_at <= self.second:
                known.held = 0

    @invariant()
    def sums_hold(self) -> None:
        member = self.client.get("/sandbox/members/mbr_m").get_json()
        assert member["held"] == sum(red.held for red in self.known.values())
        assert member["available"] == self.free()
        assert member["available"] + member["held"] + member["captured"] - member["reversed"] == 16
        assert self.client.get("/sandbox/entries").get_json()["sum"] == 0
        for red in member["redemptions"]:
            known = self.known[red["id"]]
            assert (red["held_points"], red["captured_points"], red["reversed_points"]) == (
                known.held,
                known.captured,
                known.given_back,
            )

    @invariant()
    def accounts_are_their_entries(self) -> None:
        with self.provider.work() as work:
            wrong = work.all(
                "SELECT name FROM account JOIN entry ON account_id = account.id"
                " GROUP BY account.id HAVING sum(entry.points) <> account.points"
            )
            unbalanced = work.all("SELECT movement_number FROM entry GROUP BY movement_number HAVING sum(points) <> 0")
        assert not wrong
        assert not unbalanced

    @invariant()
    def every_redemption_drew_in_the_order_of_dates(self) -> None:
        with self.provider.work() as work:
            rows = work.all(
                "SELECT draw.redemption_id, position, lot.expires_at,"
                " draw.points - captured_points - released_points AS open, captured_points - reversed_points AS paid"
                " FROM draw JOIN lot ON lot.id = lot_id ORDER BY redemption_id, position"
            )
        dates: dict[str, list[str]] = {}
        for row in rows:
            dates.setdefault(row["redemption_id"], []).append(row["expires_at"])
        assert all(found == sorted(found) for found in dates.values())

    def teardown(self) -> None:
        # When everything is given back, every lot has what it began with.
        for red_id, known in getattr(self, "known", {}).items():
            if known.held:
                assert self.post(f"{RED}/{red_id}/void", {}).status_code == 200
            if known.captured > known.given_back:
                points = known.captured - known.given_back
                reply = self.post(f"{RED}/{red_id}/reversals", {"points": points, "return_reference": "R-rest"})
                assert reply.status_code == 201
        if hasattr(self, "client"):
            lots = self.client.get("/sandbox/members/mbr_m").get_json()["lots"]
            assert [lot["available_points"] for lot in lots] == [1, 3, 5, 7]
            self.database.close()


Books.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestBooks = Books.TestCase
