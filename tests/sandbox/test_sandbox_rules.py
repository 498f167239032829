"""What the provider allows and refuses, one rule at a time."""

from __future__ import annotations

from typing import Any

import pytest

from punktgenau.sandbox.members import give_consent
from punktgenau.sandbox.state import sandbox_of
from punktgenau.sandbox.tokens import digest

RED = "/v1/redemptions"


def money(amount_minor: int, currency: str = "EUR") -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": currency}


def told(reply: Any) -> tuple[int, str, str | None]:
    body = reply.get_json()
    return reply.status_code, body["code"], body["field"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"points": 2501}, (422, "insufficient_points", "points")),
        ({"points": 427, "total": money(426)}, (422, "exceeds_total", "points")),
        ({"value": money(430)}, (422, "value_mismatch", "value")),
        ({"total": money(5990, "USD")}, (422, "currency_not_offered", "total.currency")),
        ({"value": money(427, "USD")}, (422, "currency_not_offered", "value.currency")),
        ({"rate_id": "rate_of_last_year"}, (422, "rate_changed", "rate_id")),
        ({"hold_s": 604_801}, (422, "hold_too_long", "hold_s")),
        ({"hold_s": 299}, (400, "invalid_request", "hold_s")),
        ({"member_id": "mbr_nobody"}, (404, "not_found", "member_id")),
        (
            {"points": None, "tenders": [{"kind": "wallet_cash", "points": 1}]},
            (422, "tender_not_offered", "tenders.0.kind"),
        ),
        ({"tenders": [{"kind": "points", "points": 1}]}, (400, "invalid_request", "points")),
        ({"points": None}, (400, "invalid_request", "points")),
        ({"order_reference": ""}, (400, "invalid_request", "order_reference")),
        ({"order_reference": "A" * 37}, (400, "invalid_request", "order_reference")),
        ({"order_reference": "A\n1"}, (400, "invalid_request", "order_reference")),
        ({"order_reference": "A\u202e1"}, (400, "invalid_request", "order_reference")),
        ({"colour": "red"}, (400, "invalid_request", "colour")),
    ],
)
def test_authorize_is_refused(frozen: Any, changes: dict[str, Any], expected: tuple[int, str, str]) -> None:
    assert told(frozen.authorize(**changes)) == expected
    assert frozen.member()["available"] == 2500


@pytest.mark.parametrize("points", [0, -1, 10**15 + 1, 10**100, "427", "1e3", "٤٢٧", True, 427.0, None, [427], {}])
def test_only_a_whole_positive_number_is_points(frozen: Any, points: Any) -> None:
    body = {"member_id": "mbr_2500", "order_reference": "A-1", "total": money(5990), "points": points}
    assert told(frozen.post(RED, body, key="key-1")) == (400, "invalid_request", "points")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b'"{}"', b"null", b"{", b'{"points": NaN}', b'{"points": 1, "points": 2}', b"\xff\xfe",
        b"[" * 100_000, b'{"points": ' + b"9" * 5000 + b"}", b"\xef\xbb\xbf{}",
    ],
)  # fmt: skip
def test_what_is_not_one_json_object_is_refused(frozen: Any, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {frozen.token}", "Idempotency-Key": "key-1"}
    reply = frozen.client.post(RED, data=raw, headers=headers, content_type="application/json")
    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_request")


def test_a_body_beyond_all_measure_is_refused(frozen: Any) -> None:
    headers = {"Authorization": f"Bearer {frozen.token}", "Idempotency-Key": "key-1"}
    raw = b'{"points": "' + b"9" * 300_000 + b'"}'
    reply = frozen.client.post(RED, data=raw, headers=headers, content_type="application/json")
    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_request")


def test_one_order_is_paid_once_at_a_time(frozen: Any) -> None:
    first = frozen.authorize().get_json()["id"]
    second = frozen.authorize(key="key-2", points=1)
    assert told(second) == (409, "order_has_live_redemption", "order_reference")
    assert second.get_json()["redemption_id"] == first
    # Captured is live too; only when all of it went back may the order be paid with points anew.
    frozen.post(f"{RED}/{first}/capture", {}, key="key-3")
    assert told(frozen.authorize(key="key-4"))[1] == "order_has_live_redemption"
    frozen.post(f"{RED}/{first}/reversals", {"points": 426, "return_reference": "R-1"}, key="key-5")
    assert told(frozen.authorize(key="key-6"))[1] == "order_has_live_redemption"
    frozen.post(f"{RED}/{first}/reversals", {"points": 1, "return_reference": "R-2"}, key="key-7")
    assert frozen.authorize(key="key-8").status_code == 201


def test_two_orders_cannot_hold_the_same_points(frozen: Any) -> None:
    assert frozen.authorize(points=2000).status_code == 201
    refused = frozen.authorize(key="key-2", order_reference="A-2", points=501)
    assert told(refused) == (422, "insufficient_points", "points")
    assert refused.get_json()["remaining"] == {"points": 500, "value": money(500)}
    assert frozen.authorize(key="key-3", order_reference="A-2", points=500).status_code == 201


def test_limits_of_the_programme(frozen: Any) -> None:
    limits = {"min_points": 100, "max_points": 1000, "step": 50, "max_share_percent": 20}
    frozen.client.post("/sandbox/programme", json={"limits": limits})
    # A fifth of 59.90 is 11.98, but 1000 points come first; of 30.00 it is 6.00.
    for points, total, code in (
        (50, 5990, "below_minimum"),
        (110, 5990, "step_mismatch"),
        (1050, 5990, "above_maximum"),
        (650, 3000, "share_exceeded"),
    ):
        reply = frozen.authorize(points=points, total=money(total), key=f"key-{points}")
        assert told(reply) == (422, code, "points")
    assert frozen.authorize(points=600, total=money(3000), key="key-ok").status_code == 201


def test_quote_says_what_limits(frozen: Any) -> None:
    def quote(**body: Any) -> tuple[int, int, int, list[str]]:
        asked = {"member_id": "mbr_2500", "total": money(5990), **body}
        reply = frozen.post(f"{RED}/quote", asked).get_json()
        return reply["points"], reply["value"]["amount_minor"], reply["due"]["amount_minor"], reply["reasons"]

    assert quote(points=427) == (427, 427, 5563, [])
    assert quote() == (2500, 2500, 3490, [])
    assert quote(points=3000) == (2500, 2500, 3490, ["insufficient_points"])
    assert quote(points=3000, total=money(100)) == (100, 100, 0, ["insufficient_points", "exceeds_total"])
    assert quote(member_id="mbr_0") == (0, 0, 5990, ["below_minimum"])
    # Three points are one cent: 428 are worth 1.42, and 426 of them are enough for it.
    frozen.client.post("/sandbox/programme", json={"rate": {"id": "rate_3", "points": 3, "amount_minor": 1}})
    assert quote(points=428) == (426, 142, 5848, [])


def test_an_old_rate_stays_good_for_those_who_name_it(frozen: Any) -> None:
    frozen.client.post("/sandbox/programme", json={"rate": {"id": "rate_2", "points": 2, "amount_minor": 1}})
    old = frozen.authorize(rate_id="rate_eur_1").get_json()
    assert (old["value"]["amount_minor"], old["rate"]["id"]) == (427, "rate_eur_1")
    new = frozen.authorize(key="key-2", order_reference="A-2").get_json()
    assert (new["value"]["amount_minor"], new["rate"]["id"]) == (213, "rate_2")


def test_value_may_differ_by_a_cent_per_line_and_one_more(frozen: Any) -> None:
    lines = [{"id": str(n), "sku": "lamp", "quantity": 1, "amount_minor": 1000, "vat_rate": "19"} for n in range(3)]
    # Three lines: four cents are fine, five are not. Without lines: two.
    assert frozen.authorize(value=money(431), lines=lines).status_code == 201
    for key, changes in (("key-2", {"value": money(432), "lines": lines}), ("key-3", {"value": money(430)})):
        assert told(frozen.authorize(key=key, order_reference="A-2", **changes))[1] == "value_mismatch"
    assert frozen.authorize(key="key-4", order_reference="A-2", value=money(429)).status_code == 201


def test_capture_in_parts_ends_exactly_at_the_whole(frozen: Any) -> None:
    frozen.client.post("/sandbox/programme", json={"rate": {"id": "rate_3", "points": 3, "amount_minor": 1}})
    # 100 points, three to the cent: 33 cents. 50 of them carry 16, the other 50 the missing 17.
    red_id = frozen.authorize(points=100).get_json()["id"]
    part = {"points": 50, "final": False, "capture_reference": "S-1"}
    first = frozen.post(f"{RED}/{red_id}/capture", part, key="key-2").get_json()
    assert (first["state"], first["held_points"], first["captured_value"]["amount_minor"]) == (
        "partially_captured", 50, 16,
    )  # fmt: skip
    assert first["expires_in_s"] == 7200
    last = frozen.post(f"{RED}/{red_id}/capture", {"capture_reference": "S-2"}, key="key-3").get_json()
    assert (last["state"], last["captured_points"], last["captured_value"]["amount_minor"]) == ("captured", 100, 33)
    # Back in thirds: 11 + 11 + 11 of 33 cents for 33 + 33 + 34 points.
    for number, points in enumerate((33, 33, 34)):
        body = {"points": points, "return_reference": f"R-{number}"}
        back = frozen.post(f"{RED}/{red_id}/reversals", body, key=f"key-r{number}").get_json()
    assert back["redemption"]["reversed_value"]["amount_minor"] == 33
    assert back["redemption"]["state"] == "reversed"


def test_a_part_without_a_name_is_refused(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    reply = frozen.post(f"{RED}/{red_id}/capture", {"points": 1, "final": False}, key="key-2")
    assert told(reply) == (400, "invalid_request", "capture_reference")


def test_final_capture_of_a_part_releases_the_rest(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    red = frozen.post(f"{RED}/{red_id}/capture", {"points": 400}, key="key-2").get_json()
    assert (red["captured_points"], red["released_points"], red["held_points"]) == (400, 27, 0)
    assert frozen.member()["available"] == 2100


def test_more_than_is_held_is_not_captured(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    reply = frozen.post(f"{RED}/{red_id}/capture", {"points": 428}, key="key-2")
    assert told(reply) == (409, "capture_exceeds_hold", "points")
    assert reply.get_json()["remaining"] == {"points": 427, "value": money(427)}


def test_void_of_a_hold_captured_in_part_releases_the_rest(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    frozen.post(f"{RED}/{red_id}/capture", {"points": 7, "final": False, "capture_reference": "S-1"}, key="key-2")
    red = frozen.post(f"{RED}/{red_id}/void", {}, key="key-3").get_json()
    assert (red["state"], red["captured_points"], red["released_points"]) == ("captured", 7, 420)


def test_hold_captured_in_part_expires_into_captured(frozen: Any) -> None:
    red_id = frozen.authorize(hold_s=300).get_json()["id"]
    frozen.post(f"{RED}/{red_id}/capture", {"points": 7, "final": False, "capture_reference": "S-1"}, key="key-2")
    frozen.clock.advance(300)
    red = frozen.ask(f"{RED}/{red_id}")
    assert (red["state"], red["captured_points"], red["released_points"]) == ("captured", 7, 420)


def test_references_are_unique_for_ever(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    part = {"points": 1, "final": False, "capture_reference": "S-1"}
    frozen.post(f"{RED}/{red_id}/capture", part, key="key-2")
    again = frozen.post(f"{RED}/{red_id}/capture", part, key="key-3")
    assert told(again) == (422, "reference_reused", "capture_reference")
    back = {"points": 1, "return_reference": "R-1"}
    assert frozen.post(f"{RED}/{red_id}/reversals", back, key="key-4").status_code == 201
    again = frozen.post(f"{RED}/{red_id}/reversals", back, key="key-5")
    assert told(again) == (422, "reference_reused", "return_reference")


ENDINGS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "voided": [("void", {})],
    "captured": [("capture", {})],
    "reversed": [("capture", {}), ("reversals", {"points": 427, "return_reference": "R-1"})],
}


@pytest.mark.parametrize(
    ("state", "step", "code"),
    [
        ("voided", "capture", "already_voided"),
        ("voided", "void", "already_voided"),
        ("voided", "extend", "already_voided"),
        ("voided", "reversals", "not_captured"),
        ("captured", "capture", "already_captured"),
        ("captured", "void", "already_captured"),
        ("captured", "extend", "already_captured"),
        ("reversed", "capture", "redemption_ended"),
        ("reversed", "void", "redemption_ended"),
        ("reversed", "reversals", "reversal_exceeds_capture"),
        ("expired", "capture", "hold_expired"),
        ("expired", "void", "hold_expired"),
        ("expired", "extend", "hold_expired"),
        ("cancelled", "capture", "redemption_ended"),
        ("cancelled", "void", "redemption_ended"),
    ],
)
def test_what_has_ended_stays_ended(frozen: Any, state: str, step: str, code: str) -> None:
    red_id = frozen.authorize().get_json()["id"]
    for number, (name, body) in enumerate(ENDINGS.get(state, ())):
        assert frozen.post(f"{RED}/{red_id}/{name}", body, key=f"key-way-{number}").status_code in (200, 201)
    if state == "expired":
        frozen.clock.advance(7200)
        frozen.token = _signed_in(frozen)
    if state == "cancelled":
        frozen.post(f"{RED}/cancel-by-key", {"target_key": "key-1"}, key="key-way")
    assert frozen.ask(f"{RED}/{red_id}")["state"] == state
    bodies = {"extend": {"hold_s": 7200}, "reversals": {"points": 1, "return_reference": "R-9"}}
    assert told(frozen.post(f"{RED}/{red_id}/{step}", bodies.get(step, {}), key="key-end"))[:2] == (409, code)


def test_a_blocked_member_pays_nothing_but_can_be_given_back(frozen: Any) -> None:
    red_id = frozen.authorize(capture="now").get_json()["id"]
    frozen.client.post("/sandbox/members", json={"id": "mbr_2500", "state": "blocked"})
    assert told(frozen.authorize(key="key-2", order_reference="A-2")) == (422, "member_blocked", "member_id")
    back = frozen.post(f"{RED}/{red_id}/reversals", {"points": 427, "return_reference": "R-1"}, key="key-3")
    assert back.status_code == 201


def test_values_of_captures_and_returns_are_judged_like_those_of_holds(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]

    def step(name: str, key: str, points: int, value: dict[str, Any], **more: Any) -> Any:
        return frozen.post(f"{RED}/{red_id}/{name}", {"points": points, "value": value, **more}, key=key)

    # 100 points are 1.00; without lines two cents more or less are fine.
    assert told(step("capture", "key-2", 100, money(103)))[1:] == ("value_mismatch", "value")
    assert told(step("capture", "key-3", 100, money(100, "USD")))[1:] == ("currency_not_offered", "value.currency")
    assert told(step("capture", "key-4", 427, money(428)))[1:] == ("capture_exceeds_hold", "value")
    assert step("capture", "key-5", 427, money(426)).get_json()["captured_value"] == money(426)
    assert told(step("reversals", "key-6", 100, money(97), return_reference="R-1"))[1:] == ("value_mismatch", "value")
    wrong = step("reversals", "key-7", 100, money(100, "USD"), return_reference="R-2")
    assert told(wrong)[1:] == ("currency_not_offered", "value.currency")
    assert step("reversals", "key-8", 426, money(425), return_reference="R-3").status_code == 201
    # One point and one cent are left: two cents for it would be near enough, but are more than there is.
    over = step("reversals", "key-9", 1, money(2), return_reference="R-4")
    assert told(over) == (409, "reversal_exceeds_capture", "value")
    assert over.get_json()["remaining"] == {"points": 1, "value": money(1)}
    back = step("reversals", "key-10", 1, money(1), return_reference="R-5").get_json()
    assert back["redemption"]["reversed_value"] == money(426)


def test_another_partner_sees_nothing_of_it(frozen: Any) -> None:
    red_id = frozen.authorize().get_json()["id"]
    with sandbox_of(frozen.client.application).work() as work:
        work.run("INSERT INTO partner VALUES ('other-shop', 'Other shop', ?)", digest("other-secret"))
        give_consent(work, member_id="mbr_2500", partner_id="other-shop")
    frozen.token = _signed_in(frozen, ("other-shop", "other-secret"))
    assert told(frozen.call("GET", f"{RED}/{red_id}"))[:2] == (404, "not_found")
    assert told(frozen.post(f"{RED}/{red_id}/void", {}, key="key-1"))[:2] == (404, "not_found")
    for path in (RED, f"{RED}?order_reference=A-1001", f"{RED}?idempotency_key=key-1", "/v1/events"):
        assert frozen.ask(path)["items"] == []
    # Keys and order references are each partner's own.
    assert frozen.authorize().status_code == 201
    assert frozen.member()["held"] == 854


def test_what_is_no_id_is_not_there(frozen: Any) -> None:
    for path in ("red_9999", "red_0000", "..", "%00", "a b"):
        assert frozen.call("GET", f"{RED}/{path}").status_code == 404


def _signed_in(frozen: Any, credentials: tuple[str, str] = ("demo-shop", "demo-secret")) -> str:
    reply = frozen.client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials)
    token: str = reply.get_json()["access_token"]
    return token
