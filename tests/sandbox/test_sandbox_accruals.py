"""Points that a partner gives: once per key and per reference, in a lot of their own, booked and charged."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from punktgenau.sandbox import Database
from punktgenau.sandbox.state import sandbox_of
from punktgenau.sandbox.tables import TABLES

ACCRUE: dict[str, Any] = {
    "member_id": "mbr_42", "order_reference": "A-1001", "accrual_reference": "new-1", "points": 7, "reason": "New",
}  # fmt: skip


def accrue(frozen: Any, key: str = "key-1", **changes: Any) -> Any:
    return frozen.post("/v1/accruals", {**ACCRUE, **changes}, key=key)


def available(frozen: Any) -> int:
    points: int = frozen.call("GET", "/v1/members/mbr_42/balance").get_json()["available"]
    return points


def test_they_are_spendable_at_once_and_last_three_years(frozen: Any) -> None:
    made = accrue(frozen)
    body = made.get_json()
    assert (made.status_code, body["id"], body["state"], body["points"]) == (201, "acc_0001", "posted", 7)
    # 22 November 2026 and 1,095 days: 2028 is a leap year.
    assert (body["value"]["amount_minor"], body["expires_at"]) == (7, "2029-11-21T10:00:00Z")
    assert available(frozen) == 49
    entry = frozen.call("GET", "/v1/members/mbr_42/entries").get_json()["items"][0]
    assert (entry["kind"], entry["points"], entry["balance"]) == ("accrual", 7, 49)
    assert (entry["order_reference"], entry["redemption_id"], entry["reason"]) == ("A-1001", None, "New")


def test_the_partners_issuing_account_stands_against_them(frozen: Any) -> None:
    accrue(frozen)
    with sandbox_of(frozen.client.application).work() as work:
        assert work.number("SELECT points FROM account WHERE name = 'issued:demo-shop'") == -7
        assert work.number("SELECT sum(points) FROM entry") == 0


def test_the_same_key_gives_once_and_other_content_is_refused(frozen: Any) -> None:
    first, again = accrue(frozen), accrue(frozen)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.get_json() == first.get_json()
    other = accrue(frozen, points=8)
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
    assert available(frozen) == 49


def test_a_reference_gives_once_whatever_the_key(frozen: Any) -> None:
    accrue(frozen)
    again = accrue(frozen, key="key-2")
    assert (again.status_code, again.get_json()["code"]) == (422, "reference_reused")
    assert accrue(frozen, key="key-3", accrual_reference="new-2").status_code == 201
    assert available(frozen) == 56


def test_a_buried_key_gives_nothing_and_an_accruals_key_is_no_target(frozen: Any) -> None:
    frozen.post("/v1/redemptions/cancel-by-key", {"target_key": "key-1"}, key="key-c")
    buried = accrue(frozen)
    assert (buried.status_code, buried.get_json()["code"]) == (409, "key_cancelled")
    accrue(frozen, key="key-2")
    target = frozen.post("/v1/redemptions/cancel-by-key", {"target_key": "key-2"}, key="key-c2")
    assert (target.status_code, target.get_json()["code"]) == (422, "idempotency_key_reused")
    assert available(frozen) == 49


def test_who_can_be_given_points(frozen: Any) -> None:
    assert accrue(frozen, member_id="nobody").status_code == 404
    frozen.client.post("/sandbox/members", json={"id": "mbr_new", "consent": False})
    assert accrue(frozen, key="key-2", member_id="mbr_new").get_json()["code"] == "not_linked"
    # Withdrawn: about using points, not about getting them.
    frozen.client.post("/sandbox/members/mbr_42/withdraw-consent")
    assert accrue(frozen, key="key-3").status_code == 201
    frozen.client.post("/sandbox/members", json={"id": "mbr_42", "state": "blocked"})
    blocked = accrue(frozen, key="key-4", accrual_reference="new-4")
    assert (blocked.status_code, blocked.get_json()["code"]) == (422, "member_blocked")


def test_it_is_charged_on_the_statement_at_the_rate_of_that_day(frozen: Any) -> None:
    rate = {"id": "rate_3", "points": 3, "amount_minor": 2, "currency": "EUR"}
    frozen.client.post("/sandbox/programme", json={"rate": rate})
    accrue(frozen)
    [line] = frozen.call("GET", "/v1/statements?period=2026-11").get_json()["items"]
    # 7 points at 2 cents for 3: 4.66 cents, rounded down.
    assert (line["kind"], line["points"], line["amount_minor"]) == ("accrual", -7, -4)
    assert (line["accrual_id"], line["redemption_id"], line["idempotency_key"]) == ("acc_0001", None, "key-1")


@pytest.mark.parametrize(
    ("variant", "query", "status"),
    [
        ("reference", "idempotency_key=key-1", 200),
        ("no_keys", "order_reference=A-1001", 200),
        ("no_keys", "idempotency_key=key-1", 422),
        ("no_lookup", "order_reference=A-1001", 422),
    ],
)
def test_it_is_found_by_what_the_provider_offers(frozen: Any, variant: str, query: str, status: int) -> None:
    frozen.client.post("/sandbox/profile", json={"name": variant, "settle_s": 0})
    accrue(frozen)
    found = frozen.call("GET", f"/v1/accruals?{query}")
    assert found.status_code == status
    if status == 200:
        assert [one["points"] for one in found.get_json()["items"]] == [7]


def test_a_provider_that_lets_partners_give_nothing_says_so(frozen: Any) -> None:
    frozen.client.post("/sandbox/profile", json={"name": "no_accruals"})
    refused = accrue(frozen)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_offered")


def test_a_file_from_before_there_were_accruals_is_brought_up(tmp_path: Path) -> None:
    file = tmp_path / "books.db"
    with sqlite3.connect(file) as old:
        for statement in TABLES:
            later = ("statement_line", "issued_line", "accrual", " idempotency ", "ON account", "ON movement")
            if not any(name in statement for name in later):
                old.execute(statement)
        old.execute("CREATE TABLE statement_line (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
                    " partner_id TEXT NOT NULL, mode TEXT NOT NULL, period TEXT NOT NULL, sequence INTEGER NOT NULL,"
                    " kind TEXT NOT NULL, at TEXT NOT NULL, points INTEGER NOT NULL, amount_minor INTEGER NOT NULL,"
                    " currency TEXT NOT NULL, redemption_id TEXT NOT NULL, idempotency_key TEXT NOT NULL,"
                    " order_reference TEXT NOT NULL, capture_reference TEXT, return_reference TEXT, corrects TEXT,"
                    " reason TEXT NOT NULL) STRICT")  # fmt: skip
        old.execute("CREATE TRIGGER statement_line_no_delete BEFORE DELETE ON statement_line"
                    " BEGIN SELECT RAISE(ABORT, 'statement_line is append-only'); END")  # fmt: skip
        old.execute("CREATE TABLE idempotency (partner_id TEXT NOT NULL, mode TEXT NOT NULL, key TEXT NOT NULL,"
                    " operation TEXT NOT NULL, fingerprint TEXT NOT NULL, redemption_id TEXT, reversal_id TEXT,"
                    " refusal TEXT, created_at TEXT NOT NULL, PRIMARY KEY (partner_id, mode, key)) STRICT")  # fmt: skip
        old.execute("INSERT INTO partner VALUES ('shop', 'Shop', 'x')")
        old.execute("INSERT INTO idempotency VALUES ('shop', 'sandbox', 'k', 'void', 'f', 'red_1', NULL, NULL, '2026')")
    old.close()
    database = Database(file)
    with database.transaction() as connection:
        kept = connection.execute("SELECT key, redemption_id, accrual_id FROM idempotency").fetchone()
        assert tuple(kept) == ("k", "red_1", None)
        guards = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'statement_line'"
        assert connection.execute(guards).fetchone()[0] == 2
    database.close()
    Database(file).close()


OLD = (
    "CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, member_id TEXT,"
    " lot_id INTEGER, redemption_id TEXT, partner_id TEXT, points INTEGER NOT NULL,"
    " CHECK (kind = 'issued' OR points >= 0)) STRICT",
    "CREATE INDEX account_member ON account (member_id, kind)",
    "CREATE TABLE movement (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, member_id TEXT NOT NULL,"
    " sequence INTEGER NOT NULL, kind TEXT NOT NULL, points INTEGER NOT NULL, balance INTEGER NOT NULL,"
    " partner_id TEXT, order_reference TEXT, redemption_id TEXT, reason TEXT NOT NULL, at TEXT NOT NULL,"
    " UNIQUE (member_id, sequence)) STRICT",
    "CREATE TRIGGER movement_no_update BEFORE UPDATE ON movement"
    " BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END",
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, movement_number INTEGER NOT NULL REFERENCES movement,"
    " account_id INTEGER NOT NULL REFERENCES account, points INTEGER NOT NULL CHECK (points <> 0)) STRICT",
    "INSERT INTO account VALUES (1, 'issued', 'issued', NULL, NULL, NULL, NULL, -42)",
    "INSERT INTO account VALUES (2, 'available:mbr_42:1', 'available', 'mbr_42', 1, NULL, NULL, 42)",
    "INSERT INTO movement VALUES"
    " (1, 'ent_00000001', 'mbr_42', 1, 'opening', 42, 42, NULL, NULL, NULL, 'Opening balance', '2026-11-22T09:00:00Z')",
    "INSERT INTO entry VALUES (1, 1, 1, -42), (2, 1, 2, 42)",
)


def test_a_file_from_before_points_could_be_pending_is_brought_up(tmp_path: Path) -> None:
    file = tmp_path / "books.db"
    with sqlite3.connect(file) as old:
        for statement in OLD:
            old.execute(statement)
    old.close()
    database = Database(file)
    with database.transaction() as connection:
        kept = connection.execute("SELECT points, pending_points, balance, accrual_id FROM movement").fetchall()
        assert [tuple(row) for row in kept] == [(42, 0, 42, None)]
        # What refers to the new tables does so by their names, and is held to them.
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("INSERT INTO account (name, kind, points) VALUES ('owed:mbr_42', 'owed', -1)")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO account (name, kind, points) VALUES ('owed:mbr_0', 'owed', 1)")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO entry VALUES (3, 1, 99, 1)")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE movement SET points = 1")
    database.close()
    Database(file).close()
