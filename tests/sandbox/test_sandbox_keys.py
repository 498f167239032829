"""One key, one effect: replays, other bodies, kept refusals, cancel-by-key and its tombstones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

RED = "/v1/redemptions"
REPLAYED = "Idempotency-Replayed"


def code(reply: Any) -> tuple[int, str]:
    return reply.status_code, reply.get_json()["code"]


def test_same_key_and_body_answers_with_what_is_now(frozen: Any) -> None:
    first = frozen.authorize()
    assert first.status_code == 201
    assert REPLAYED not in first.headers
    again = frozen.authorize()
    assert (again.status_code, again.headers[REPLAYED]) == (200, "true")
    assert again.get_json() == first.get_json()
    assert frozen.member()["available"] == 2073

    red_id = first.get_json()["id"]
    frozen.post(f"{RED}/{red_id}/capture", {}, key="key-2")
    later = frozen.authorize()
    assert (later.get_json()["state"], later.get_json()["sequence"]) == ("captured", 2)


def test_a_replayed_reversal_shows_its_redemption_as_it_is_now(frozen: Any) -> None:
    red_id = frozen.authorize(capture="now").get_json()["id"]
    body = {"points": 100, "return_reference": "R-1"}
    first = frozen.post(f"{RED}/{red_id}/reversals", body, key="key-2").get_json()
    frozen.post(f"{RED}/{red_id}/reversals", {"points": 327, "return_reference": "R-2"}, key="key-3")
    again = frozen.post(f"{RED}/{red_id}/reversals", body, key="key-2")
    assert (again.status_code, again.headers[REPLAYED]) == (200, "true")
    assert (again.get_json()["id"], again.get_json()["points"]) == (first["id"], 100)
    assert again.get_json()["redemption"]["state"] == "reversed"


def test_other_content_under_a_used_key_is_refused(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    for reply in (
        frozen.authorize(points=428),
        frozen.post(f"{RED}/{red_id}/capture", {}, key="key-1"),
        frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-9"}, key="key-1"),
    ):
        assert code(reply) == (422, "idempotency_key_reused")
        assert REPLAYED not in reply.headers
    assert frozen.member()["held"] == 427


def test_order_of_keys_in_a_body_means_nothing(frozen: Any) -> None:
    body = {
        "order_reference": "A-1",
        "points": 1,
        "total": {"amount_minor": 1, "currency": "EUR"},
        "member_id": "mbr_42",
    }
    frozen.post(RED, body, key="key-1")
    again = frozen.post(RED, dict(reversed(body.items())), key="key-1")
    assert (again.status_code, again.headers[REPLAYED]) == (200, "true")


def test_a_business_refusal_is_kept(frozen: Any) -> None:
    assert code(frozen.authorize(points=2501)) == (422, "insufficient_points")
    frozen.client.post("/sandbox/members", json={"id": "mbr_2500", "points": 9999})
    again = frozen.authorize(points=2501)
    assert code(again) == (422, "insufficient_points")
    assert again.headers[REPLAYED] == "true"
    assert frozen.authorize(points=2501, key="key-2").status_code == 201


@pytest.mark.parametrize("changes", [{"hold_s": 1}, {"member_id": "mbr_late"}])
def test_what_was_never_executed_leaves_the_key_free(frozen: Any, changes: dict[str, Any]) -> None:
    assert frozen.authorize(**changes).status_code in (400, 404)
    frozen.client.post("/sandbox/members", json={"id": "mbr_late", "points": 500})
    assert frozen.authorize(**{**changes, "hold_s": 300}).status_code == 201


@pytest.mark.parametrize("key", [None, "", "with blank", "ü", "k" * 256])
def test_a_write_needs_a_proper_key(frozen: Any, key: str | None) -> None:
    headers = {"Authorization": f"Bearer {frozen.token}"}
    if key is not None:
        headers["Idempotency-Key"] = key
    reply = frozen.client.post(f"{RED}/cancel-by-key", json={"target_key": "k"}, headers=headers)
    expected = "idempotency_key_missing" if key is None else "invalid_request"
    assert (code(reply), reply.get_json()["field"]) == ((400, expected), "Idempotency-Key")


def test_cancel_by_key_ends_a_hold(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    red = frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-2").get_json()
    assert (red["id"], red["state"], red["released_points"]) == (red_id, "cancelled", 427)
    assert frozen.member()["available"] == 2500
    # The authorize that made it still answers with what is now.
    assert frozen.authorize().get_json()["state"] == "cancelled"


def test_cancel_by_key_before_the_authorize_arrives_is_final(frozen: Any) -> None:
    red = frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-2").get_json()
    assert (red["state"], red["points"], red["member_id"], red["order_reference"]) == ("cancelled", 0, "", "")
    for body in ({}, {"points": 1}):
        assert code(frozen.authorize(**body)) == (409, "key_cancelled")
    frozen.clock.advance(500 * 86_400)
    frozen.token = _token(frozen)
    assert code(frozen.authorize()) == (409, "key_cancelled")
    assert frozen.ask(f"{RED}?idempotency_key=key-1")["items"][0]["id"] == red["id"]
    again = frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-3").get_json()
    assert again["id"] == red["id"]


def test_cancel_by_key_after_a_refusal_buries_the_key(frozen: Any) -> None:
    frozen.authorize(points=2501)
    assert frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-2").status_code == 200
    assert code(frozen.authorize(points=2501)) == (409, "key_cancelled")


@pytest.mark.parametrize("final", [True, False])
def test_cancel_by_key_leaves_what_was_captured(frozen: Any, final: bool) -> None:
    red_id = frozen.authorize().get_json()["id"]
    body = {"points": 400, "final": final, "capture_reference": "S-1"}
    frozen.post(f"{RED}/{red_id}/capture", body, key="key-2")
    before = frozen.ask(f"{RED}/{red_id}")
    assert code(frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-3")) == (409, "already_captured")
    assert frozen.ask(f"{RED}/{red_id}") == before


@pytest.mark.parametrize("ending", ["void", "expire"])
def test_cancel_by_key_of_what_holds_nothing_has_reached_its_goal(frozen: Any, ending: str) -> None:
    red_id = frozen.authorize().get_json()["id"]
    if ending == "void":
        frozen.post(f"{RED}/{red_id}/void", {}, key="key-2")
    else:
        frozen.clock.advance(7200)
        frozen.token = _token(frozen)
    reply = frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-3")
    assert (reply.status_code, reply.get_json()["state"]) == (200, {"void": "voided", "expire": "expired"}[ending])


def test_only_an_authorize_can_be_cancelled_by_its_key(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    frozen.post(f"{RED}/{red_id}/capture", {}, key="key-2")
    for target, key in (("key-2", "key-3"), ("key-4", "key-4")):
        reply = frozen.post(f"{RED}/cancel-by-key", {"target_key": target}, key=key)
        assert (code(reply), reply.get_json()["field"]) == ((422, "idempotency_key_reused"), "target_key")


def test_void_again_with_the_same_key_and_with_another(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    frozen.post(f"{RED}/{red_id}/void", {}, key="key-2")
    again = frozen.post(f"{RED}/{red_id}/void", {}, key="key-2")
    assert (again.status_code, again.get_json()["state"], again.headers[REPLAYED]) == (200, "voided", "true")
    assert code(frozen.post(f"{RED}/{red_id}/void", {}, key="key-3")) == (409, "already_voided")


def test_many_at_once_with_one_key_hold_once(shop: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: shop.authorize(), range(16)))
    assert sorted(reply.status_code for reply in replies) == [200] * 15 + [201]
    assert len({reply.json()["id"] for reply in replies}) == 1
    assert shop.balance() == (2073, 427)


def test_capture_and_void_at_once_have_one_winner(shop: Any) -> None:
    red_id = shop.authorize().json()["id"]
    with ThreadPoolExecutor(2) as pool:
        steps = [
            pool.submit(shop.post, f"{RED}/{red_id}/{step}", {}, key=f"key-{step}") for step in ("capture", "void")
        ]
    replies = [step.result() for step in steps]
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    state = shop.get(f"{RED}/{red_id}").json()["state"]
    loser = next(reply for reply in replies if reply.status_code == 409)
    assert (state, loser.json()["code"]) in (("captured", "already_captured"), ("voided", "already_voided"))


def _token(frozen: Any) -> str:
    form = {"grant_type": "client_credentials"}
    token: str = frozen.client.post("/oauth/token", data=form, auth=("demo-shop", "demo-secret")).get_json()[
        "access_token"
    ]
    return token
