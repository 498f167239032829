"""Payouts of the sandbox: points leave at once, the bank decides, what is not possible comes back."""

from __future__ import annotations

from typing import Any

import pytest

BODY: dict[str, Any] = {"member_id": "mbr_2500", "points": 1000, "payout_reference": "P-1"}


def request(frozen: Any, key: str = "key-1", **changes: Any) -> Any:
    return frozen.post("/v1/payouts", {**BODY, **changes}, key=key)


def available(frozen: Any) -> int:
    points: int = frozen.ask("/v1/members/mbr_2500/balance")["available"]
    return points


def test_points_leave_at_once_and_once(frozen: Any) -> None:
    made, again = request(frozen), request(frozen)
    body = made.get_json()
    assert (made.status_code, body["state"], body["points"], body["account_hint"]) == (
        201,
        "requested",
        1000,
        "DE… 4711",
    )
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert available(frozen) == 1500
    assert request(frozen, key="key-2").get_json()["code"] == "reference_reused"
    assert available(frozen) == 1500
    assert frozen.books_balance()


def test_paid_is_for_good(frozen: Any) -> None:
    request(frozen)
    paid = frozen.client.post("/sandbox/payouts/pay_0001", json={"state": "paid"}).get_json()
    assert (paid["state"], paid["sequence"]) == ("paid", 2)
    again = frozen.client.post("/sandbox/payouts/pay_0001", json={"state": "rejected"})
    assert again.status_code == 400
    assert (available(frozen), frozen.ask("/v1/payouts/pay_0001")["state"]) == (1500, "paid")
    assert frozen.books_balance()


def test_rejected_brings_the_points_back_into_their_lots(frozen: Any) -> None:
    request(frozen)
    body = {"state": "rejected", "reason": "The account is closed"}
    back = frozen.client.post("/sandbox/payouts/pay_0001", json=body).get_json()
    assert (back["state"], back["reason"]) == ("rejected", "The account is closed")
    # 313 and 700 expire first; 1000 points were these 313 and 687 of the 700.
    assert [lot["available_points"] for lot in frozen.member()["lots"]] == [313, 700, 1487]
    entry = frozen.ask("/v1/members/mbr_2500/entries")["items"][0]
    assert (entry["kind"], entry["points"], entry["balance"]) == ("payout_returned", 1000, 2500)
    types = [event["type"] for event in frozen.ask("/v1/events")["items"]]
    assert types == ["payout.requested", "payout.rejected"]
    assert frozen.books_balance()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"points": 2501}, (422, "insufficient_points", "points")),
        ({"member_id": "mbr_42", "points": 7}, (422, "payout_account_missing", "member_id")),
        ({"member_id": "nobody"}, (404, "not_found", "member_id")),
        ({"points": 0}, (400, "invalid_request", "points")),
    ],
)
def test_what_is_not_paid_out(frozen: Any, changes: dict[str, Any], expected: tuple[int, str, str]) -> None:
    reply = request(frozen, **changes)
    body = reply.get_json()
    assert (reply.status_code, body["code"], body["field"]) == expected
    assert available(frozen) == 2500


def test_without_consent_nothing_is_paid_out_or_shown(frozen: Any) -> None:
    frozen.client.post("/sandbox/members/mbr_2500/withdraw-consent")
    assert request(frozen).get_json()["code"] == "consent_revoked"
    assert frozen.call("GET", "/v1/payouts?member_id=mbr_2500").status_code == 403


def test_they_are_found_by_member_reference_and_key(frozen: Any) -> None:
    request(frozen)
    request(frozen, key="key-2", payout_reference="P-2", points=7)
    found = {
        query: [one["id"] for one in frozen.ask(f"/v1/payouts?{query}")["items"]]
        for query in ("member_id=mbr_2500", "payout_reference=P-2", "idempotency_key=key-1", "idempotency_key=key-3")
    }
    assert list(found.values()) == [["pay_0002", "pay_0001"], ["pay_0002"], ["pay_0001"], []]
    assert frozen.call("GET", "/v1/payouts/pay_0009").status_code == 404


def test_a_provider_without_payouts_says_so(frozen: Any) -> None:
    frozen.client.post("/sandbox/profile", json={"name": "points_only"})
    assert request(frozen).get_json()["code"] == "not_offered"
