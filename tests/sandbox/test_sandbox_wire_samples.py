"""The hand-written samples and the sandbox's real answers: same status, same keys, same types, mostly same values."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from punktgenau.sandbox import oauth
from punktgenau.sandbox.problems import KINDS
from punktgenau.sandbox.state import sandbox_of

WIRE = Path(__file__).parents[1] / "wire"
SAMPLES = sorted(path.stem for path in WIRE.glob("*.json") if path.stem not in ("errors", "events"))
# Two things of a real answer cannot be written down beforehand: fresh tokens, and the demo member's own lots.
# A code is made by chance.
SHAPE_ONLY = {"buy_voucher", "vouchers", "token", "identify", "balance", "entries", "entries_filtered"}
RED = "/v1/redemptions"


def sample(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((WIRE / f"{name}.json").read_text())
    return loaded


def shape(value: Any) -> Any:
    """Keys and types of a JSON value; of a list the shapes that occur in it."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(inner), sort_keys=True) for inner in value})
    return type(value).__name__


def send(frozen: Any, wanted: dict[str, Any]) -> Any:
    request = wanted["request"]
    if request["path"] == "/oauth/token":
        return frozen.client.post("/oauth/token", data=request["body"], auth=("demo-shop", "demo-secret"))
    key = request["headers"].get("Idempotency-Key")
    return frozen.call(request["method"], request["path"], request["body"], key=key)


def redeem_what_the_shop_gave(frozen: Any) -> None:
    """The points of the sample's accrual at both partners, some of them given back, and points of no known order."""
    frozen.client.post("/sandbox/members/mbr_2500/redeem-elsewhere", json={"points": 2560})
    red_id = frozen.authorize(points=40, capture="now").get_json()["id"]
    frozen.post(f"{RED}/{red_id}/reversals", {"points": 10, "return_reference": "R-1"}, key="key-2")
    # The first 17 are the shop's, the others the other partner's.
    frozen.authorize(member_id="mbr_42", order_reference="A-1002", points=20, capture="now", key="key-3")


def make_vouchers(frozen: Any, name: str) -> None:
    """Those that somebody brings along in this sample."""
    if name in ("get_voucher", "look_up_voucher"):
        frozen.client.post("/sandbox/vouchers", json={"value_minor": 2500, "code": "GIFT-2026-WINT-ER25"})
    elif name.endswith("_with_vouchers"):
        frozen.client.post("/sandbox/vouchers", json={"value_minor": 2500, "code": "GIFT-2026-WINT-ER25"})
        lost = {"voucher_product_id": "voucher_10", "code": "GIFT-2026-TENN-ER10"}
        frozen.client.post("/sandbox/vouchers", json=lost)
        frozen.post("/v1/vouchers/look-up", {"code": "GIFT-2026-WINT-ER25"})


def prepare(frozen: Any, name: str) -> None:
    """What has to have happened before the sample's request."""
    hold = sample("authorize")
    before = {
        "authorize_replayed": ["authorize"],
        "capture": ["authorize"],
        "capture_in_part": ["authorize"],
        "extend": ["authorize"],
        "void": ["authorize"],
        "cancel_by_key": ["authorize"],
        "cancel_by_key_tombstone": ["authorize"],
        "get": ["authorize"],
        "find": ["authorize"],
        "find_by_key": ["authorize"],
        "entries": ["authorize", "accrue_pending"],
        "entries_filtered": ["authorize", "accrue_pending"],
        "reverse": ["authorize", "capture"],
        "quote_reversal": ["authorize", "capture"],
        "vouchers": ["buy_voucher"],
        "get_voucher": ["look_up_voucher"],
        "get_payout": ["payout"],
        "find_payouts": ["payout"],
        "reverse_with_vouchers": ["authorize_with_vouchers", "capture"],
        "get_accrual": ["accrue"],
        "find_accruals": ["accrue"],
        "find_accruals_by_key": ["accrue"],
        "post_accrual": ["accrue_pending"],
        "reverse_accrual": ["accrue_pending"],
        "statement": ["authorize", "capture", "reverse", "accrue", "reverse_accrual"],
        "issued": ["accrue"],
    }
    if name == "reverse_accrual_posted":
        # Somebody who had nothing has spent 30 of the 100 points by now.
        given = sample("accrue")["request"]["body"]
        assert frozen.post("/v1/accruals", {**given, "member_id": "mbr_0"}, key="key-accrue-1").status_code == 201
        assert frozen.authorize(member_id="mbr_0", points=30, order_reference="A-1000").status_code == 201
    make_vouchers(frozen, name)
    for step in before.get(name, []):
        assert send(frozen, hold if step == "authorize" else sample(step)).status_code in (200, 201)
    if name == "issued":
        redeem_what_the_shop_gave(frozen)
    if name == "identify":
        verifier = sample(name)["request"]["body"]["code_verifier"]
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        with sandbox_of(frozen.client.application).work() as work:
            code = oauth.issue_code(
                work, partner_id="demo-shop", member_id="mbr_2500", challenge=digest,
                redirect_uri="https://shop.example/points/callback",
            )  # fmt: skip
        frozen.code = code
    now = sample(name)["reply"]["body"].get("now")
    if now == "2026-11-22T10:00:05Z":
        frozen.clock.advance(5)
    elif now in ("2026-11-25T09:00:00Z", "2026-12-06T10:00:00Z"):
        frozen.clock.advance(3 * 86_400 - 3600 if now.startswith("2026-11") else 14 * 86_400)
        reply = frozen.client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo-shop", "demo-secret")
        )
        frozen.token = reply.get_json()["access_token"]


@pytest.mark.parametrize("name", SAMPLES)
def test_real_answer_is_like_the_sample(frozen: Any, name: str) -> None:
    wanted = sample(name)
    prepare(frozen, name)
    if name == "identify":
        wanted["request"]["body"]["code"] = frozen.code
    reply = send(frozen, wanted)
    assert reply.status_code == wanted["reply"]["status"]
    for header, value in wanted["reply"]["headers"].items():
        assert reply.headers[header] == value
    replayed = wanted["reply"]["headers"].get("Idempotency-Replayed")
    assert reply.headers.get("Idempotency-Replayed") == replayed
    body = reply.get_json()
    expected = wanted["reply"]["body"]
    if name == "entries":
        # An opening and a hold differ in what they can name; both shapes are in the sample.
        assert set(shape(body["items"])) == set(shape(expected["items"]))
    else:
        assert shape(body) == shape(expected)
    assert list(body) == list(expected)
    if name not in SHAPE_ONLY:
        assert body == expected


def test_every_code_has_the_status_and_outcome_that_is_written() -> None:
    written = {
        entry["code"]: (entry["status"], entry["outcome"], entry["retryable"]) for entry in sample("errors")["codes"]
    }
    spoken = {code: (kind.status, kind.outcome, kind.retryable) for code, kind in KINDS.items()}
    assert spoken == written


def _insufficient(frozen: Any) -> Any:
    return frozen.authorize(points=2501)


def _live(frozen: Any) -> Any:
    frozen.authorize()
    return frozen.authorize(key="key-2")


def _exceeds(frozen: Any) -> Any:
    red_id = frozen.authorize(capture="now", hold_s=300).get_json()["id"]
    frozen.clock.advance(3 * 86_400 - 3600)
    reply = frozen.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo-shop", "demo-secret")
    )
    frozen.token = reply.get_json()["access_token"]
    frozen.post(f"{RED}/{red_id}/reversals", {"points": 100, "return_reference": "R-1"}, key="key-2")
    return frozen.post(f"{RED}/{red_id}/reversals", {"points": 328, "return_reference": "R-2"}, key="key-3")


def _wrong_secret(frozen: Any) -> Any:
    return frozen.client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo-shop", "no"))


def _given(frozen: Any) -> None:
    assert send(frozen, sample("accrue_pending")).status_code == 201


def _taken(frozen: Any, points: int, key: str) -> Any:
    body = {"points": points, "return_reference": key, "reason": "Returned"}
    return frozen.post("/v1/accruals/acc_0001/reversals", body, key=key)


def _not_due(frozen: Any) -> Any:
    _given(frozen)
    return frozen.post("/v1/accruals/acc_0001/post", {}, key="key-1")


def _taken_back(frozen: Any) -> Any:
    _given(frozen)
    _taken(frozen, 100, "R-1")
    return frozen.post("/v1/accruals/acc_0001/post", {}, key="key-1")


def _too_much_back(frozen: Any) -> Any:
    _given(frozen)
    _taken(frozen, 40, "R-1")
    return _taken(frozen, 61, "R-2")


PROBLEMS = (_insufficient, _live, _exceeds, _wrong_secret, _not_due, _taken_back, _too_much_back)


@pytest.mark.parametrize("position", range(len(PROBLEMS)))
def test_real_refusal_is_the_written_one(frozen: Any, position: int) -> None:
    wanted = sample("errors")["samples"][position]["reply"]
    reply = PROBLEMS[position](frozen)
    assert (reply.status_code, reply.headers["Content-Type"]) == (wanted["status"], "application/problem+json")
    body = reply.get_json()
    # The token endpoint speaks RFC 6749 besides.
    assert body.pop("error", None) == ("invalid_client" if PROBLEMS[position] is _wrong_secret else None)
    assert body == wanted["body"]


def _walk_every_state(frozen: Any) -> None:
    """Let every type of event happen at least once."""
    steps: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "returned": [
            ("capture", {"points": 200, "final": False, "capture_reference": "S-1"}),
            ("capture", {}),
            ("reversals", {"points": 100, "return_reference": "R-1"}),
            ("reversals", {"points": 327, "return_reference": "R-2"}),
        ],
        "voided": [("void", {})],
        "cancelled": [("cancel", {})],
        "left": [],
    }
    for order, way in steps.items():
        red_id = frozen.authorize(order_reference=order, key=f"key-{order}", hold_s=300).get_json()["id"]
        for number, (step, body) in enumerate(way):
            key = f"key-{order}-{number}"
            if step == "cancel":
                frozen.post(f"{RED}/cancel-by-key", {"target_key": f"key-{order}"}, key=key)
            else:
                frozen.post(f"{RED}/{red_id}/{step}", body, key=key)
    for body in (sample("accrue"), sample("accrue_pending")):
        assert send(frozen, body).status_code == 201
    everything = {"points": 100, "return_reference": "R-1", "reason": "Returned"}
    assert frozen.post("/v1/accruals/acc_0001/reversals", everything, key="key-b").status_code == 201
    for number, became in ((1, "paid"), (2, "rejected")):
        body = {**sample("payout")["request"]["body"], "payout_reference": f"P-{number}"}
        frozen.post("/v1/payouts", body, key=f"key-payout-{number}")
        frozen.client.post(f"/sandbox/payouts/pay_000{number}", json={"state": became})
    frozen.clock.advance(300)
    frozen.client.post("/sandbox/members/mbr_42/withdraw-consent")


def test_real_events_are_like_the_samples(frozen: Any) -> None:
    _walk_every_state(frozen)
    reply = frozen.call("GET", "/v1/events")
    wanted = sample("events")["reply"]["body"]
    body = reply.get_json()
    assert list(body) == list(wanted)

    def by_type(events: list[dict[str, Any]]) -> dict[str, Any]:
        return {event["type"]: shape(event) for event in events}

    assert by_type(body["items"]) == by_type(wanted["items"])
    assert all(list(event) == list(wanted["items"][0]) for event in body["items"])
