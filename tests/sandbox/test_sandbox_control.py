"""The control plane: members, clock, what it shows, and whom it answers."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_new_member_has_agreed_and_has_the_points(frozen: Any) -> None:
    made = frozen.client.post("/sandbox/members", json={"id": "mbr_new", "points": 777})
    assert (made.status_code, made.get_json()["available"]) == (201, 777)
    assert frozen.ask("/v1/members/mbr_new/balance")["available"] == 777
    assert frozen.authorize(member_id="mbr_new", points=777).status_code == 201


@pytest.mark.parametrize("points", [0, 1, 2499, 2500, 2501, 10**15])
def test_an_existing_member_is_set_to_exactly_so_many(frozen: Any, points: int) -> None:
    frozen.authorize(member_id="mbr_2500", points=100)
    again = frozen.client.post("/sandbox/members", json={"id": "mbr_2500", "points": points})
    assert again.status_code == 200
    member = frozen.member()
    assert (member["available"], member["held"]) == (points, 100)
    assert frozen.books_balance()


def test_a_member_without_consent_is_not_linked(frozen: Any) -> None:
    frozen.client.post("/sandbox/members", json={"id": "mbr_far", "points": 10, "consent": False})
    for reply in (
        frozen.call("GET", "/v1/members/mbr_far/balance"),
        frozen.call("GET", "/v1/members/mbr_far"),
        frozen.authorize(member_id="mbr_far", points=1),
    ):
        assert (reply.status_code, reply.get_json()["code"]) == (403, "not_linked")


def test_consent_withdrawn_stops_the_new_and_lets_the_begun_end(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    assert frozen.client.post("/sandbox/members/mbr_2500/withdraw-consent").status_code == 204
    quote = {"member_id": "mbr_2500", "total": {"amount_minor": 100, "currency": "EUR"}}
    for reply in (
        frozen.call("GET", "/v1/members/mbr_2500/balance"),
        frozen.post("/v1/redemptions/quote", quote),
        frozen.authorize(key="key-2", order_reference="A-2"),
    ):
        assert (reply.status_code, reply.get_json()["code"]) == (403, "consent_revoked")
    # Not kept: with the consent given again the same key goes through.
    assert frozen.call("GET", f"/v1/redemptions/{red_id}").status_code == 200
    assert frozen.post(f"/v1/redemptions/{red_id}/capture", {}, key="key-3").status_code == 200
    back = {"points": 427, "return_reference": "R-1"}
    assert frozen.post(f"/v1/redemptions/{red_id}/reversals", back, key="key-4").status_code == 201
    frozen.client.post("/sandbox/members", json={"id": "mbr_2500"})
    assert frozen.authorize(key="key-2", order_reference="A-2").status_code == 201
    events = [event["type"] for event in frozen.ask("/v1/events")["items"]]
    assert events.count("consent.revoked") == 1


def test_the_clock_moves_forward_for_everybody(frozen: Any) -> None:
    assert frozen.client.get("/sandbox/clock").get_json() == {"now": "2026-11-22T10:00:00Z", "advanced_s": 0}
    moved = frozen.client.post("/sandbox/clock", json={"advance_s": 2700}).get_json()
    assert moved == {"now": "2026-11-22T10:45:00Z", "advanced_s": 2700}
    assert frozen.ask("/v1/members/mbr_42")["now"] == "2026-11-22T10:45:00Z"
    for body in ({"advance_s": -1}, {"advance_s": 1.5}, {"advance_s": "60"}, {}, {"advance_s": 10**12}):
        assert frozen.client.post("/sandbox/clock", json=body).status_code == 400


def test_reset_brings_the_seed_back_but_no_id(frozen: Any) -> None:
    first = frozen.authorize().get_json()["id"]
    frozen.client.post("/sandbox/faults", json={"operation": "any", "kind": "status_500"})
    assert frozen.client.post("/sandbox/reset").status_code == 204
    assert frozen.call("GET", "/v1/members/mbr_42").status_code == 401
    reply = frozen.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo-shop", "demo-secret")
    )
    frozen.token = reply.get_json()["access_token"]
    assert frozen.member()["available"] == 2500
    assert frozen.ask("/v1/redemptions")["items"] == []
    assert frozen.authorize().get_json()["id"] > first


def test_what_a_drawer_shows(frozen: Any) -> None:
    red_id = frozen.authorize(
        points=None, tenders=[{"kind": "points", "points": 427}], order_reference="A-7"
    ).get_json()["id"]
    frozen.post(f"/v1/redemptions/{red_id}/capture", {"points": 400}, key="key-2")
    frozen.authorize(points=9999, key="key-3", order_reference="A-8")
    seen = frozen.client.get("/sandbox/requests").get_json()["items"]
    lines = [(entry["operation"], entry["order_reference"], entry["points"], entry["status"]) for entry in seen]
    assert lines == [
        ("authorize", "A-8", 9999, 422),
        ("capture", "A-7", 400, 200),
        ("authorize", "A-7", 427, 201),
        ("token", None, None, 200),
    ]
    assert {entry["at"] for entry in seen} == {"2026-11-22T10:00:00Z"}
    shown = frozen.client.get("/sandbox/redemptions?order_reference=A-7").get_json()["items"]
    assert [(red["id"], red["state"], red["captured_points"]) for red in shown] == [(red_id, "captured", 400)]
    for path in ("/sandbox/requests", "/sandbox/redemptions", "/sandbox/entries", "/sandbox/members/mbr_2500"):
        text = frozen.client.get(path).get_data(as_text=True)
        assert "demo-secret" not in text
        assert frozen.token not in text


def test_entries_of_one_member(frozen: Any) -> None:
    frozen.authorize()
    body = frozen.client.get("/sandbox/entries?member_id=mbr_2500").get_json()
    told = [(entry["kind"], entry["account"], entry["points"]) for entry in body["items"]][-4:]
    assert told == [
        ("hold", "available:mbr_2500:1", -313),
        ("hold", "held:mbr_2500:1:red_0001", 313),
        ("hold", "available:mbr_2500:2", -114),
        ("hold", "held:mbr_2500:2:red_0001", 114),
    ]
    assert body["sum"] == 0


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
        {"headers": {"Host": "points.example"}},
        {"headers": {"Origin": "https://points.example"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"Origin": "http://["}},
    ],
)
def test_only_this_machine_is_answered(frozen: Any, elsewhere: dict[str, Any]) -> None:
    for method, path in (("GET", "/sandbox/members"), ("POST", "/sandbox/reset"), ("GET", "/sandbox/entries")):
        reply = frozen.client.open(path, method=method, **elsewhere)
        assert (reply.status_code, reply.get_json()["code"]) == (403, "forbidden")
    assert frozen.client.get("/sandbox/members", headers={"Origin": "http://localhost"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"id": "mbr_x", "points": True},
        {"id": "mbr_x", "points": -1},
        {"id": "mbr_x", "points": 10**15 + 1},
        {"id": "", "points": 1},
        {"points": 1},
        {"id": "mbr_x", "points": 1, "lots": []},
        {"id": "mbr_x", "wings": 2},
    ],
)
def test_a_member_that_makes_no_sense_is_refused(frozen: Any, body: dict[str, Any]) -> None:
    assert frozen.client.post("/sandbox/members", json=body).status_code == 400


def test_health_and_what_is_not_there(frozen: Any) -> None:
    assert frozen.client.get("/healthz").get_json() == {"status": "ok", "mode": "sandbox"}
    missing = frozen.client.get("/v2/nothing")
    assert (missing.status_code, missing.get_json()["code"]) == (404, "not_found")
    wrong = frozen.client.delete("/v1/redemptions")
    assert wrong.status_code == 405
    assert set(wrong.headers["Allow"].split(", ")) >= {"GET", "POST"}
