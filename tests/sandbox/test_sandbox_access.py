"""Tokens and codes: who is let in, for how long, and what a code proves once."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from punktgenau.sandbox import create_app, oauth
from punktgenau.sandbox.state import sandbox_of

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "http://127.0.0.1:5000/points/callback"
SHOP = ("demo-shop", "demo-secret")


def code_for(frozen: Any, member_id: str = "mbr_far") -> str:
    frozen.client.post("/sandbox/members", json={"id": member_id, "points": 5, "consent": False})
    with sandbox_of(frozen.client.application).work() as work:
        return oauth.issue_code(
            work, partner_id="demo-shop", member_id=member_id, redirect_uri=CALLBACK, challenge=CHALLENGE
        )


def exchange(frozen: Any, code: str, auth: Any = SHOP, **changes: Any) -> Any:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return frozen.client.post("/oauth/token", data={**form, **changes}, auth=auth)


def refused(reply: Any) -> tuple[int, str, str]:
    body = reply.get_json()
    return reply.status_code, body["code"], body["error"]


def test_a_code_tells_which_member_agreed(frozen: Any) -> None:
    reply = exchange(frozen, code_for(frozen))
    assert reply.status_code == 200
    body = reply.get_json()
    assert (body["member_id"], body["scope"], body["expires_in"]) == ("mbr_far", "balance redeem", 60)
    member = frozen.ask("/v1/members/mbr_far")
    assert member["consent_id"] == body["consent_id"]
    # What came with it opens nothing: the shop keeps no token of a member.
    asked = frozen.client.get("/v1/members/mbr_far", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert asked.status_code == 401


def test_a_code_works_once(frozen: Any) -> None:
    code = code_for(frozen)
    assert exchange(frozen, code).status_code == 200
    assert refused(exchange(frozen, code)) == (400, "invalid_request", "invalid_grant")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://127.0.0.1:5001/points/callback"},
        {"code_verifier": VERIFIER[:-1] + "x"},
        {"code": "cod_guessed"},
    ],
)
def test_a_code_is_bound_to_how_it_was_asked_for(frozen: Any, changes: dict[str, str]) -> None:
    code = code_for(frozen)
    assert refused(exchange(frozen, **{"code": code, **changes})) == (400, "invalid_request", "invalid_grant")


def test_a_code_lasts_a_minute(frozen: Any) -> None:
    code = code_for(frozen)
    frozen.clock.advance(60)
    assert refused(exchange(frozen, code)) == (400, "invalid_request", "invalid_grant")


def test_a_code_of_a_withdrawn_consent_says_so(frozen: Any) -> None:
    code = code_for(frozen)
    frozen.client.post("/sandbox/members/mbr_far/withdraw-consent")
    assert refused(exchange(frozen, code)) == (403, "consent_revoked", "invalid_grant")


@pytest.mark.parametrize("auth", [("demo-shop", "wrong"), ("nobody", "demo-secret"), ("", ""), None])
def test_only_the_partner_gets_in(frozen: Any, auth: Any) -> None:
    for form in ({"grant_type": "client_credentials"}, {"grant_type": "authorization_code", "code": "x"}):
        reply = frozen.client.post("/oauth/token", data=form, auth=auth)
        assert refused(reply) == (401, "unauthorized", "invalid_client")
        assert reply.headers["WWW-Authenticate"] == "Basic"


def test_credentials_are_form_encoded_before_they_are_joined(frozen: Any) -> None:
    reply = frozen.client.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("demo%2Dshop", "demo%2dsecret")
    )
    assert reply.status_code == 200


def test_credentials_may_stand_in_the_form(frozen: Any) -> None:
    form = {"grant_type": "client_credentials", "client_id": "demo-shop", "client_secret": "demo-secret"}
    assert frozen.client.post("/oauth/token", data=form).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [({"grant_type": "password"}, "unsupported_grant_type"), ({}, "invalid_request"),
     ({"grant_type": "authorization_code"}, "invalid_request")],
)  # fmt: skip
def test_what_the_token_endpoint_does_not_understand(frozen: Any, form: dict[str, str], error: str) -> None:
    assert refused(frozen.client.post("/oauth/token", data=form, auth=SHOP)) == (400, "invalid_request", error)


def test_a_token_lasts_an_hour_by_the_sandboxs_clock(frozen: Any) -> None:
    frozen.clock.advance(3599)
    assert frozen.call("GET", "/v1/members/mbr_42").status_code == 200
    frozen.clock.advance(1)
    late = frozen.call("GET", "/v1/members/mbr_42")
    assert (late.status_code, late.get_json()["code"]) == (401, "unauthorized")
    assert late.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", [None, "Bearer ", "Bearer pat_guessed", "Basic abc", "pat"])
def test_without_a_token_nothing_is_answered(frozen: Any, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    assert frozen.client.get("/v1/members/mbr_42", headers=headers).status_code == 401
    assert frozen.client.post("/v1/redemptions", json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("http://127.0.0.1:5000/points/callback", True),
        ("http://localhost:9/shop/points/callback", True),
        ("http://[::1]:9/points/callback", True),
        ("http://127.0.0.1:5000/points/callback?next=1", True),
        ("http://127.0.0.1:5000/points/callback#x", False),
        ("http://127.0.0.1:5000/elsewhere", False),
        ("http://points.example/points/callback", False),
        ("http://127.0.0.1@points.example/points/callback", False),
        ("http://points.example@127.0.0.1/points/callback", False),
        ("javascript:alert(1)//127.0.0.1/points/callback", False),
        ("http://127.0.0.1:port/points/callback", False),
        ("http://127.0.0.1\\@points.example/points/callback", False),
        ("http://127.0.0.1/points/callback\r\nX: y/points/callback", False),
        ("http://[/points/callback", False),
    ],
)
def test_where_a_browser_may_be_sent(address: str, is_allowed: bool) -> None:
    assert oauth.is_allowed_redirect(address) is is_allowed


def test_the_other_mode_says_so_in_every_answer() -> None:
    client = create_app(mode="live").test_client()
    body = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=SHOP).get_json()
    assert body["mode"] == "live"
    asked = client.get("/v1/members/mbr_42", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert asked.get_json()["mode"] == "live"
    assert client.get("/v1/members/mbr_42").get_json()["mode"] == "live"
