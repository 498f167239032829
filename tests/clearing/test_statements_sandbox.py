"""What the sandbox settles: every capture and reversal once, by month and partner, in pages and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from punktgenau.sandbox import Database, SandboxClock, create_app

HOLD: dict[str, Any] = {
    "member_id": "mbr_2500", "order_reference": "A-1001", "total": {"amount_minor": 5990, "currency": "EUR"},
    "points": 427,
}  # fmt: skip


class Partner:
    """In process, with a clock that stands still until it is moved."""

    def __init__(self, client: FlaskClient, clock: SandboxClock) -> None:
        self.client, self.clock = client, clock
        self.sign_in()

    def sign_in(self) -> None:
        form = {"grant_type": "client_credentials"}
        reply = self.client.post("/oauth/token", data=form, auth=("demo-shop", "demo-secret"))
        self.headers = {"Authorization": f"Bearer {reply.get_json()['access_token']}"}

    def get(self, path: str) -> Any:
        return self.client.get(path, headers=self.headers)

    def post(self, path: str, body: Any, key: str) -> Any:
        return self.client.post(path, json=body, headers={**self.headers, "Idempotency-Key": key}).get_json()

    def buy(self, order: str, **more: Any) -> str:
        body = {**HOLD, "order_reference": order, "capture": "now", **more}
        red_id: str = self.post("/v1/redemptions", body, f"k-{order}")["id"]
        return red_id

    def lines(self, period: str) -> list[tuple[str, str, int]]:
        items = self.get(f"/v1/statements?period={period}").get_json()["items"]
        return [(item["kind"], item["order_reference"], item["points"]) for item in items]


@pytest.fixture
def partner() -> Iterator[Partner]:
    database = Database()
    clock = SandboxClock(frozen_at=datetime(2026, 11, 30, 23, 0, tzinfo=UTC))
    with create_app(database, clock=clock).test_client() as client:
        yield Partner(client, clock)
    database.close()


def test_what_is_only_held_is_not_settled(partner: Partner):
    partner.post("/v1/redemptions", HOLD, "k-1")
    assert partner.lines("2026-11") == []


def test_each_line_belongs_to_the_month_of_its_moment(partner: Partner):
    red_id = partner.buy("A-1", points=100)
    partner.clock.advance(3600)
    partner.sign_in()
    partner.post(f"/v1/redemptions/{red_id}/reversals", {"points": 40, "return_reference": "R-1"}, "k-r")
    assert partner.lines("2026-11") == [("capture", "A-1", 100)]
    assert partner.lines("2026-12") == [("reversal", "A-1", -40)]
    assert [partner.get(f"/v1/statements?period={month}").get_json()["closed"] for month in ("2026-11", "2026-12")] == [
        True, False,
    ]  # fmt: skip


def test_a_replayed_call_is_not_settled_twice(partner: Partner):
    for _ in range(3):
        partner.buy("A-1")
    assert partner.lines("2026-11") == [("capture", "A-1", 427)]


def test_captures_in_parts_are_lines_with_their_references(partner: Partner):
    red_id = partner.post("/v1/redemptions", HOLD, "k-1")["id"]
    for number, points in enumerate((200, 227), 1):
        body = {"points": points, "final": number == 2, "capture_reference": f"S-{number}"}
        partner.post(f"/v1/redemptions/{red_id}/capture", body, f"k-s{number}")
    page = partner.get("/v1/statements?period=2026-11").get_json()
    assert [(item["capture_reference"], item["points"]) for item in page["items"]] == [("S-1", 200), ("S-2", 227)]
    assert page["totals"] == {
        "lines": 2, "points": 427,
        "amounts": [{"lines": 2, "points": 427, "amount_minor": 427, "currency": "EUR"}],
    }  # fmt: skip


def test_pages_lead_to_the_totals(partner: Partner):
    for number in range(5):
        partner.buy(f"A-{number}", points=1)
    seen, cursor = [], ""
    while True:
        page = partner.get(f"/v1/statements?period=2026-11&limit=2{cursor}").get_json()
        seen += [item["sequence"] for item in page["items"]]
        assert page["lines"] == 5
        assert (page["totals"] is None) == (page["next_cursor"] is not None)
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [1, 2, 3, 4, 5]
    assert page["totals"]["points"] == 5


def test_the_file_is_the_hand_written_one(partner: Partner):
    partner.clock = SandboxClock(frozen_at=datetime(2026, 11, 22, 10, tzinfo=UTC))
    with create_app(Database(), clock=partner.clock).test_client() as client:
        fresh = Partner(client, partner.clock)
        red_id = fresh.post("/v1/redemptions", HOLD, "key-authorize-A-1001")["id"]
        fresh.post(f"/v1/redemptions/{red_id}/capture", {}, "key-capture-1")
        fresh.post(f"/v1/redemptions/{red_id}/reversals", {"points": 100, "return_reference": "R-1"}, "key-reverse-R-1")
        reply = fresh.get("/v1/statements/2026-11.csv")
    assert reply.mimetype == "text/csv"
    assert reply.data == (Path(__file__).parents[1] / "wire" / "statement.csv").read_bytes()


def test_an_empty_month_says_so(partner: Partner):
    rows = list(csv.DictReader(io.StringIO(partner.get("/v1/statements/2026-10.csv").text)))
    assert [(row["kind"], row["sequence"], row["points"], row["currency"]) for row in rows] == [
        ("total", "0", "0", "EUR")
    ]


def test_a_correction_names_what_it_corrects(partner: Partner):
    partner.buy("A-1")
    [line] = partner.get("/v1/statements?period=2026-11").get_json()["items"]
    body = {"line_id": line["id"], "points": -27, "amount_minor": -27, "reason": "Counted twice"}
    made = partner.client.post("/sandbox/statement-lines", json=body)
    assert (made.status_code, made.get_json()["corrects"], made.get_json()["kind"]) == (201, line["id"], "correction")
    assert partner.lines("2026-11") == [("capture", "A-1", 427), ("correction", "A-1", -27)]
    # The ledger knows nothing of it.
    assert partner.client.get("/sandbox/entries").get_json()["sum"] == 0


@pytest.mark.parametrize("path", ["?period=2026-13", "?period=26-11", "", "/2026-00.csv", "/2026-11.pdf"])
def test_what_is_no_month_is_refused(partner: Partner, path: str):
    assert partner.get(f"/v1/statements{path}").status_code in (400, 404)


@pytest.mark.parametrize("path", ["?period=2026-11", "/2026-11.csv"])
def test_strangers_see_nothing(partner: Partner, path: str):
    partner.headers = {}
    assert partner.get(f"/v1/statements{path}").status_code == 401
