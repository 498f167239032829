"""The sandbox as another kind of provider: each ability missing by itself, until a reset."""

from __future__ import annotations

from typing import Any

import pytest

from punktgenau.sandbox.profile import VARIANTS

RED = "/v1/redemptions"
HOLD_S = 600


def play(frozen: Any, name: str, **changes: Any) -> None:
    assert frozen.client.post("/sandbox/profile", json={"name": name, **changes}).status_code == 200


def code(reply: Any) -> tuple[int, str]:
    return reply.status_code, reply.get_json()["code"]


def test_it_begins_as_the_reference_and_a_reset_leads_back(frozen: Any) -> None:
    shown = frozen.client.get("/sandbox/profile").get_json()
    assert (shown["name"], shown["longest_hold_s"], shown["has_keys"]) == ("reference", 604_800, True)
    assert shown["variants"] == list(VARIANTS)
    play(frozen, "no_holds")
    assert frozen.client.get("/sandbox/profile").get_json()["longest_hold_s"] == 0
    frozen.client.post("/sandbox/reset", json={})
    assert frozen.client.get("/sandbox/profile").get_json()["name"] == "reference"


def test_single_points_may_differ(frozen: Any) -> None:
    play(frozen, "slow_lookup", settle_s=7, finds_by_key=False)
    shown = frozen.client.get("/sandbox/profile").get_json()
    assert (shown["name"], shown["settle_s"], shown["finds_by_key"], shown["finds_by_order"]) == (
        "slow_lookup", 7, False, True,
    )  # fmt: skip


@pytest.mark.parametrize("body", [{"name": "unheard_of"}, {}, {"name": "no_keys", "colour": "red"}])
def test_what_nobody_can_be_is_refused(frozen: Any, body: dict[str, str]) -> None:
    assert code(frozen.client.post("/sandbox/profile", json=body)) == (400, "invalid_request")


def test_the_overview_names_it_and_can_choose(frozen: Any) -> None:
    page = frozen.client.get("/").get_data(as_text=True)
    assert all(f">{name}</option>" in page for name in VARIANTS)


def test_without_holds_points_are_only_taken(frozen: Any) -> None:
    play(frozen, "no_holds")
    assert code(frozen.authorize()) == (422, "not_offered")
    assert frozen.authorize(key="key-2", capture="now").get_json()["state"] == "captured"


def test_without_keys_every_write_is_executed(frozen: Any) -> None:
    play(frozen, "no_keys")
    first = frozen.authorize(key=None)
    assert (first.status_code, first.get_json()["idempotency_key"]) == (201, "")
    assert code(frozen.authorize()) == (409, "order_has_live_redemption")
    red_id = first.get_json()["id"]
    assert frozen.post(f"{RED}/{red_id}/capture", {}).status_code == 200
    assert code(frozen.post(f"{RED}/{red_id}/capture", {})) == (409, "already_captured")
    back = {"points": 100, "return_reference": "R-1"}
    assert frozen.post(f"{RED}/{red_id}/reversals", back).status_code == 201
    assert code(frozen.post(f"{RED}/{red_id}/reversals", back)) == (422, "reference_reused")
    # The same header twice: two orders, two holds.
    for order in ("A-2", "A-3"):
        assert frozen.authorize(key="same", order_reference=order, points=1).status_code == 201
    assert frozen.member()["held"] == 2
    assert frozen.books_balance()


def test_a_silent_provider_answers_other_content_as_the_first_time(frozen: Any) -> None:
    play(frozen, "silent_mismatch")
    first = frozen.authorize().get_json()
    other = frozen.authorize(points=5, order_reference="A-2")
    assert (other.status_code, other.get_json()["id"], other.get_json()["points"]) == (200, first["id"], 427)


@pytest.mark.parametrize(("when", "held"), [("before", 0), ("after", 427)])
@pytest.mark.parametrize("kind", ["status_500", "status_503"])
def test_errors_that_are_kept_hide_what_was_done(frozen: Any, kind: str, when: str, held: int) -> None:
    play(frozen, "replays_errors")
    fault = {"operation": "authorize", "kind": kind, "when": when}
    assert frozen.client.post("/sandbox/faults", json=fault).status_code == 201
    for _ in range(3):
        assert code(frozen.authorize()) == (500, "internal_error")
    assert frozen.member()["held"] == held


def test_nothing_can_be_looked_up(frozen: Any) -> None:
    play(frozen, "no_lookup")
    red_id = frozen.authorize().get_json()["id"]
    for path in (f"{RED}/{red_id}", f"{RED}?order_reference=A-1001", f"{RED}?idempotency_key=key-1"):
        assert code(frozen.call("GET", path)) == (422, "not_offered")


def test_what_was_just_made_is_not_found_yet(frozen: Any) -> None:
    play(frozen, "slow_lookup")
    frozen.authorize()
    for query, found in (("order_reference=A-1001", 0), ("idempotency_key=key-1", 0)):
        assert len(frozen.ask(f"{RED}?{query}")["items"]) == found
    frozen.clock.advance(89)
    assert frozen.ask(f"{RED}?order_reference=A-1001")["items"] == []
    frozen.clock.advance(1)
    assert len(frozen.ask(f"{RED}?order_reference=A-1001")["items"]) == 1


def test_a_key_is_forgotten_after_its_window(frozen: Any) -> None:
    play(frozen, "short_window", settle_s=0)
    first = frozen.authorize(hold_s=HOLD_S).get_json()
    frozen.clock.advance(601)
    assert frozen.ask(f"{RED}?idempotency_key=key-1")["items"] == []
    assert frozen.ask(f"{RED}?order_reference=A-1001")["items"][0]["idempotency_key"] == "key-1"
    # The hold has ended meanwhile: the same call is a new one.
    again = frozen.authorize().get_json()
    assert (again["state"], again["idempotency_key"]) == ("authorized", "key-1")
    assert again["id"] != first["id"]
    assert frozen.ask(f"{RED}?idempotency_key=key-1")["items"][0]["id"] == again["id"]
    assert frozen.ask(f"{RED}/{first['id']}")["idempotency_key"] == "key-1"


@pytest.mark.parametrize(
    ("name", "path", "body", "field"),
    [
        ("one_capture", "capture", {"points": 1, "final": False, "capture_reference": "C-1"}, "final"),
        ("no_holds", "extend", {"hold_s": 600}, None),
        ("short_holds_fixed", "extend", {"hold_s": 600}, None),
    ],
)
def test_what_is_not_offered(frozen: Any, name: str, path: str, body: dict[str, Any], field: str | None) -> None:
    red_id = frozen.authorize().get_json()["id"]
    play(frozen, name)
    refused = frozen.post(f"{RED}/{red_id}/{path}", body, key="key-2")
    assert (*code(refused), refused.get_json()["field"]) == (422, "not_offered", field)


def test_only_everything_is_given_back(frozen: Any) -> None:
    play(frozen, "no_partial_reversal")
    red_id = frozen.authorize(capture="now").get_json()["id"]
    part = {"points": 100, "return_reference": "R-1"}
    assert code(frozen.post(f"{RED}/{red_id}/reversals", part, key="key-2")) == (422, "not_offered")
    whole = {"points": 427, "return_reference": "R-2"}
    assert frozen.post(f"{RED}/{red_id}/reversals", whole, key="key-3").status_code == 201
    # Nothing is left, so no part of it was asked for.
    again = {"points": 427, "return_reference": "R-3"}
    assert code(frozen.post(f"{RED}/{red_id}/reversals", again, key="key-4")) == (409, "reversal_exceeds_capture")


def test_nothing_is_cancelled_by_its_key(frozen: Any) -> None:
    play(frozen, "no_cancel_by_key")
    assert code(frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-2")) == (422, "not_offered")


def test_a_hold_is_no_longer_than_the_longest(frozen: Any) -> None:
    play(frozen, "short_holds")
    assert code(frozen.authorize(hold_s=901)) == (422, "hold_too_long")
    held = frozen.authorize(key="key-2")
    assert held.get_json()["expires_in_s"] == 900
    longer = frozen.post(f"{RED}/{held.get_json()['id']}/extend", {"hold_s": 900}, key="key-3")
    assert longer.status_code == 200


def test_fewer_points_may_be_approved(frozen: Any) -> None:
    play(frozen, "partial_approval")
    held = frozen.authorize(member_id="mbr_42")
    assert (held.status_code, held.get_json()["points"]) == (201, 42)


@pytest.mark.parametrize(
    ("name", "key", "status"),
    [
        ("uuid_keys", "key-1", 400),
        ("uuid_keys", "6ba7b810-9dad-41d1-80b4-00c04fd430c8", 201),
        ("short_keys", "f" * 33, 400),
        ("short_keys", "g" * 32, 400),
        ("short_keys", "f" * 32, 201),
    ],
)
def test_keys_of_another_form_are_refused(frozen: Any, name: str, key: str, status: int) -> None:
    play(frozen, name)
    reply = frozen.authorize(key=key)
    assert reply.status_code == status
    if status == 400:
        assert reply.get_json()["field"] == "Idempotency-Key"
