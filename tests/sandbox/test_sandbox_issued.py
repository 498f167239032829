"""Points that a partner gave out and that were redeemed anywhere: which accrual each came from, to the point."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from punktgenau.sandbox import Database, SandboxClock, create_app
from punktgenau.sandbox.state import sandbox_of

SHOP, BOOKS = ("demo-shop", "demo-secret"), ("demo-books", "books-secret")
PERIOD = "2026-11"


class Partners:
    """Two partners of one provider, in process; the clock stands still until it is moved."""

    def __init__(self, client: FlaskClient, clock: SandboxClock) -> None:
        self.client, self.clock = client, clock
        self._keys = 0

    def headers(self, who: tuple[str, str]) -> dict[str, str]:
        reply = self.client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=who)
        return {"Authorization": f"Bearer {reply.get_json()['access_token']}"}

    def post(self, path: str, body: Any, who: tuple[str, str] = SHOP) -> Any:
        self._keys += 1
        headers = {**self.headers(who), "Idempotency-Key": f"key-{self._keys}"}
        reply = self.client.post(path, json=body, headers=headers)
        assert reply.status_code in (200, 201), reply.text
        return reply.get_json()

    def member(self, member_id: str, **more: Any) -> None:
        assert self.client.post("/sandbox/members", json={"id": member_id, **more}).status_code in (200, 201)

    def give(self, member_id: str, points: int, reference: str) -> str:
        body = {
            "member_id": member_id, "points": points, "order_reference": f"order-{reference}",
            "accrual_reference": reference, "reason": "For an order",
        }  # fmt: skip
        accrual_id: str = self.post("/v1/accruals", body)["id"]
        return accrual_id

    def take(self, member_id: str, points: int, order: str, **more: Any) -> str:
        body = {
            "member_id": member_id, "order_reference": order, "points": points,
            "total": {"amount_minor": 100_000, "currency": "EUR"}, **more,
        }  # fmt: skip
        red_id: str = self.post("/v1/redemptions", body)["id"]
        return red_id

    def lines(self, who: tuple[str, str] = SHOP, period: str = PERIOD, query: str = "") -> Any:
        reply = self.client.get(f"/v1/statements/issued?period={period}{query}", headers=self.headers(who))
        assert reply.status_code == 200, reply.text
        return reply.get_json()

    def told(self, who: tuple[str, str] = SHOP, period: str = PERIOD) -> list[tuple[Any, ...]]:
        """Reference, points, amount, how many before, and where."""
        names = ("accrual_reference", "points", "amount_minor", "redeemed_before", "redeemed_at")
        return [tuple(item[name] for name in names) for item in self.lines(who, period)["items"]]


@pytest.fixture
def partners() -> Iterator[Partners]:
    database = Database()
    clock = SandboxClock(frozen_at=datetime(2026, 11, 22, 10, 0, tzinfo=UTC))
    with create_app(database, clock=clock).test_client() as client:
        yield Partners(client, clock)
    database.close()


def test_each_captured_point_names_the_accrual_that_it_came_from(partners: Partners) -> None:
    partners.member("mbr_x", points=0)
    partners.give("mbr_x", 30, "first")
    partners.give("mbr_x", 50, "second")
    partners.take("mbr_x", 45, "B-1", capture="now")
    assert partners.told() == [
        ("first", 30, 30, 0, "Demo shop"),
        ("second", 15, 15, 0, "Demo shop"),
    ]
    assert [item["order_reference"] for item in partners.lines()["items"]] == ["order-first", "order-second"]


def test_what_is_only_held_was_redeemed_by_nobody(partners: Partners) -> None:
    partners.member("mbr_x", points=0)
    partners.give("mbr_x", 30, "first")
    red_id = partners.take("mbr_x", 30, "B-1")
    assert partners.told() == []
    partners.post(f"/v1/redemptions/{red_id}/void", {})
    assert partners.told() == []


def test_points_are_listed_for_who_gave_them_wherever_they_are_redeemed(partners: Partners) -> None:
    lots = [{"points": 20, "issued_by": "demo-books", "expires_at": "2026-12-31T22:59:59Z"}]
    partners.member("mbr_x", lots=lots)
    partners.give("mbr_x", 30, "first")
    reply = partners.client.post("/sandbox/members/mbr_x/redeem-elsewhere", json={"points": 25})
    assert (reply.status_code, reply.get_json()["partner_id"]) == (201, "demo-books")
    partners.take("mbr_x", 25, "B-1", capture="now")
    assert partners.told() == [("first", 5, 5, 0, "Demo books"), ("first", 25, 25, 5, "Demo shop")]
    # What no accrual names has an issuer and no order.
    assert partners.told(BOOKS) == [(None, 20, 20, None, "Demo books")]


def test_points_that_become_a_voucher_or_money_are_redeemed_at_no_partner(partners: Partners) -> None:
    partners.member("mbr_x", points=0, bank_account="DE.. 1234")
    partners.give("mbr_x", 700, "first")
    partners.give("mbr_x", 400, "second")
    body = {"member_id": "mbr_x", "voucher_product_id": "voucher_10", "voucher_reference": "V-1"}
    partners.post("/v1/vouchers", body)
    assert partners.told() == [("first", 700, 700, 0, None), ("second", 300, 300, 0, None)]
    payouts = [
        partners.post("/v1/payouts", {"member_id": "mbr_x", "points": 50, "payout_reference": f"P-{number}"})["id"]
        for number in range(2)
    ]
    # Neither is anything before the money has left, and one never does.
    assert len(partners.told()) == 2
    for payout_id, state in zip(payouts, ("rejected", "paid"), strict=True):
        reply = partners.client.post(f"/sandbox/payouts/{payout_id}", json={"state": state})
        assert reply.status_code == 200, reply.text
    assert partners.told()[2:] == [("second", 50, 50, 300, None)]


def test_the_programmes_own_points_are_on_nobodys_list(partners: Partners) -> None:
    partners.member("mbr_x", points=100)
    partners.take("mbr_x", 100, "B-1", capture="now")
    assert partners.told() == partners.told(BOOKS) == []


def test_what_is_given_back_is_negative_and_comes_back_last_drawn_first(partners: Partners) -> None:
    partners.member("mbr_x", points=0)
    partners.give("mbr_x", 30, "first")
    partners.give("mbr_x", 50, "second")
    red_id = partners.take("mbr_x", 45, "B-1", capture="now")
    for number, points in enumerate((10, 20, 15)):
        body = {"points": points, "return_reference": f"R-{number}"}
        partners.post(f"/v1/redemptions/{red_id}/reversals", body)
    assert partners.told()[2:] == [
        ("second", -10, -10, 15, "Demo shop"),
        ("second", -5, -5, 5, "Demo shop"),
        ("first", -15, -15, 30, "Demo shop"),
        ("first", -15, -15, 15, "Demo shop"),
    ]
    assert partners.lines()["totals"] == {
        "lines": 6, "points": 0, "amounts": [{"lines": 6, "points": 0, "amount_minor": 0, "currency": "EUR"}],
    }  # fmt: skip


def test_a_line_belongs_to_the_month_of_its_moment(partners: Partners) -> None:
    partners.member("mbr_x", points=0)
    partners.give("mbr_x", 30, "first")
    red_id = partners.take("mbr_x", 30, "B-1", capture="now")
    partners.clock.advance(10 * 86_400)
    partners.post(f"/v1/redemptions/{red_id}/reversals", {"points": 4, "return_reference": "R-1"})
    assert [partners.lines(period=month)["closed"] for month in (PERIOD, "2026-12")] == [True, False]
    assert partners.told() == [("first", 30, 30, 0, "Demo shop")]
    assert partners.told(period="2026-12") == [("first", -4, -4, 30, "Demo shop")]


def test_pages_lead_to_the_totals(partners: Partners) -> None:
    partners.member("mbr_x", points=0)
    for number in range(5):
        partners.give("mbr_x", 1, f"ref-{number}")
    partners.take("mbr_x", 5, "B-1", capture="now")
    seen, cursor = [], ""
    while True:
        page = partners.lines(query=f"&limit=2{cursor}")
        seen += [item["sequence"] for item in page["items"]]
        assert (page["lines"], page["totals"] is None) == (5, page["next_cursor"] is not None)
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [1, 2, 3, 4, 5]


def test_the_file_is_the_hand_written_one(partners: Partners) -> None:
    partners.member("mbr_x", points=0)
    body = {
        "member_id": "mbr_2500", "points": 100, "order_reference": "A-1001", "accrual_reference": "new-R-1",
        "reason": "New points",
    }  # fmt: skip
    partners.post("/v1/accruals", body)
    partners.client.post("/sandbox/members/mbr_2500/redeem-elsewhere", json={"points": 2560})
    red_id = partners.take("mbr_2500", 40, "A-1001", capture="now")
    partners.post(f"/v1/redemptions/{red_id}/reversals", {"points": 10, "return_reference": "R-1"})
    partners.take("mbr_42", 20, "A-1002", capture="now")
    reply = partners.client.get("/v1/statements/issued/2026-11.csv", headers=partners.headers(SHOP))
    assert reply.mimetype == "text/csv"
    assert reply.data == (Path(__file__).parents[1] / "wire" / "issued.csv").read_bytes()


def test_every_history_ends_with_what_is_captured_and_not_given_back(partners: Partners) -> None:
    """Random captures in parts and reversals, a point worth a third of a cent; per accrual and in all."""
    dice = random.Random(7)
    rate = {"id": "rate_third", "points": 3, "amount_minor": 1}
    assert partners.client.post("/sandbox/programme", json={"rate": rate}).status_code == 200
    for number in range(30):
        member = f"mbr_r{number}"
        partners.member(member, points=dice.randrange(3))
        for lot in range(3):
            partners.give(member, dice.randrange(1, 40), f"acc-{number}-{lot}")
        have = partners.client.get(f"/sandbox/members/{member}").get_json()["available"]
        held = dice.randrange(1, have + 1)
        red_id = partners.take(member, held, f"H-{number}")
        first = dice.randrange(1, held + 1)
        partners.post(
            f"/v1/redemptions/{red_id}/capture", {"points": first, "final": False, "capture_reference": "S-1"}
        )
        if held > first and dice.random() < 0.7:
            partners.post(f"/v1/redemptions/{red_id}/capture", {"capture_reference": "S-2"})
        elif held > first:
            partners.post(f"/v1/redemptions/{red_id}/void", {})
        left = partners.client.get("/sandbox/redemptions").get_json()["items"][0]["captured_points"]
        everything = dice.random() < 0.4
        while left and (everything or dice.random() < 0.6):
            back = dice.randrange(1, left + 1)
            partners.post(
                f"/v1/redemptions/{red_id}/reversals", {"points": back, "return_reference": f"R-{number}-{left}"}
            )
            left -= back
    _check_against_the_books(partners)


def _check_against_the_books(partners: Partners) -> None:
    with sandbox_of(partners.client.application).work() as work:
        drawn = work.all(
            "SELECT accrual.id, sum(draw.captured_points - draw.reversed_points) AS points FROM draw"
            " JOIN accrual ON accrual.lot_id = draw.lot_id GROUP BY accrual.id"
        )
        listed = work.all(
            "SELECT accrual_id, sum(points) AS points, sum(amount_minor) AS minor FROM issued_line"
            " WHERE accrual_id IS NOT NULL GROUP BY accrual_id"
        )
        whole = work.all(
            "SELECT redemption.id, captured_minor, reversed_minor, captured_points - reversed_points AS left_points,"
            " (SELECT sum(amount_minor) FROM issued_line WHERE redemption_id = redemption.id AND kind = 'redeemed')"
            " AS redeemed_minor, (SELECT -sum(amount_minor) FROM issued_line WHERE redemption_id = redemption.id"
            " AND kind = 'given_back') AS back_minor FROM redemption"
        )
        before = work.all("SELECT accrual_id, points, redeemed_before FROM issued_line WHERE accrual_id IS NOT NULL")
    assert {row["id"]: row["points"] for row in drawn if row["points"]} == {
        row["accrual_id"]: row["points"] for row in listed if row["points"]
    }
    # Nothing is left of the worth of what came back whole.
    assert [row["minor"] for row in listed if row["points"] == 0 and row["minor"] != 0] == []
    assert len(whole) == 30
    for row in whole:
        assert row["redeemed_minor"] == row["captured_minor"]
        if row["left_points"] == 0:
            assert row["back_minor"] == row["reversed_minor"] == row["captured_minor"]
    so_far: dict[str, int] = {}
    for row in before:
        assert row["redeemed_before"] == so_far.get(row["accrual_id"], 0)
        so_far[row["accrual_id"]] = row["redeemed_before"] + row["points"]
        assert so_far[row["accrual_id"]] >= 0


def test_an_issuer_has_to_be_a_partner(partners: Partners) -> None:
    body = {"id": "mbr_x", "lots": [{"points": 1, "issued_by": "nobody"}]}
    reply = partners.client.post("/sandbox/members", json=body)
    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_request")
    assert partners.client.get("/sandbox/members/mbr_x").status_code == 404


@pytest.mark.parametrize(("member_id", "points", "status"), [("mbr_none", 1, 404), ("mbr_42", 43, 422)])
def test_what_cannot_be_redeemed_elsewhere_is_refused(
    partners: Partners, member_id: str, points: int, status: int
) -> None:
    reply = partners.client.post(f"/sandbox/members/{member_id}/redeem-elsewhere", json={"points": points})
    assert reply.status_code == status
    assert partners.client.get("/sandbox/entries").get_json()["sum"] == 0


@pytest.mark.parametrize("path", ["?period=2026-13", "?period=26-11", "", "/2026-00.csv", "/2026-11.pdf"])
def test_what_is_no_month_is_refused(partners: Partners, path: str) -> None:
    reply = partners.client.get(f"/v1/statements/issued{path}", headers=partners.headers(SHOP))
    assert reply.status_code in (400, 404)


@pytest.mark.parametrize("path", ["?period=2026-11", "/2026-11.csv"])
def test_strangers_see_nothing(partners: Partners, path: str) -> None:
    assert partners.client.get(f"/v1/statements/issued{path}").status_code == 401
