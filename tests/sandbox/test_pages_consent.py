"""From a shop to the consent and back: who may ask, what comes back, what cannot be changed on the way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "http://127.0.0.1:5000/points/callback"
SHOP = ("demo-shop", "demo-secret")
GOOD = {
    "response_type": "code",
    "client_id": "demo-shop",
    "redirect_uri": CALLBACK,
    "scope": "balance redeem",
    "state": "st-4711&x=1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def address(**changes: str | None) -> str:
    """What a shop sends the browser to; None leaves a parameter out."""
    return "/oauth/authorize?" + urlencode({name: value for name, value in (GOOD | changes).items() if value})


def fields(page: TestResponse) -> dict[str, str]:
    """The hidden fields of the page's forms; a name stands for the last of its fields."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {name: unescape(value) for name, value in found}


def answer(reply: TestResponse) -> dict[str, str]:
    """What the shop is told, when the browser is sent back to it."""
    assert reply.status_code == 303
    assert reply.location.startswith(f"{CALLBACK}?")
    return {name: value for name, (value,) in parse_qs(urlsplit(reply.location).query).items()}


@dataclass
class Browser:
    """A browser at the sandbox's pages."""

    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def sign_in(self, page: TestResponse, member_id: str) -> TestResponse:
        return self.client.post("/sign-in", data=fields(page) | {"member_id": member_id})

    def consent_page(self, member_id: str = "mbr_2500", **changes: str | None) -> TestResponse:
        reply = self.sign_in(self.get(address(**changes)), member_id)
        assert reply.status_code == 303
        page = self.get(reply.location)
        assert page.status_code == 200
        return page

    def decide(self, page: TestResponse, decision: str, **changes: str) -> TestResponse:
        return self.client.post("/oauth/consent", data=fields(page) | {"decision": decision} | changes)


@pytest.fixture
def person(frozen: Any) -> Browser:
    """A browser at the sandbox whose clock stands still."""
    return Browser(frozen.client)


def exchange(frozen: Any, code: str, **changes: str) -> TestResponse:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    reply: TestResponse = frozen.client.post("/oauth/token", data=form | changes, auth=SHOP)
    return reply


def newcomer(frozen: Any) -> str:
    """A member who has never agreed to anything."""
    frozen.client.post("/sandbox/members", json={"id": "mbr_new", "points": 7, "consent": False})
    return "mbr_new"


def test_agreeing_gives_the_shop_a_code_for_this_member(frozen: Any, person: Browser) -> None:
    member_id = newcomer(frozen)
    assert frozen.call("GET", f"/v1/members/{member_id}/balance").status_code == 403
    page = person.consent_page(member_id)
    told = answer(person.decide(page, "agree"))
    assert told.keys() == {"code", "state"}
    assert told["state"] == "st-4711&x=1"
    reply = exchange(frozen, told["code"])
    assert reply.status_code == 200
    assert (reply.get_json()["member_id"], reply.get_json()["scope"]) == (member_id, "balance redeem")
    assert frozen.ask(f"/v1/members/{member_id}/balance")["available"] == 7


def test_the_pages_say_who_asks_for_what_until_when_and_how_to_withdraw(person: Browser) -> None:
    first = person.get(address())
    assert "There are no passwords in the sandbox." in first.text
    assert first.text.count('name="member_id" value="mbr_') == 3
    page = person.consent_page().text
    for said in ("Let Demo shop use your points?", "127.0.0.1:5000", "Signed in as Demo 2500", "See your points.",
                 "Use points for your orders.", "Until you withdraw", "with one click"):  # fmt: skip
        assert said in page


def test_declining_gives_nothing_but_the_state(frozen: Any, person: Browser) -> None:
    member_id = newcomer(frozen)
    page = person.consent_page(member_id)
    assert answer(person.decide(page, "decline")) == {"error": "access_denied", "state": "st-4711&x=1"}
    assert frozen.member(member_id)["consents"] == []


def test_leaving_before_signing_in_is_declining(person: Browser) -> None:
    told = answer(person.decide(person.get(address()), "decline"))
    assert told == {"error": "access_denied", "state": "st-4711&x=1"}


def test_a_query_of_the_shops_own_survives(person: Browser) -> None:
    page = person.consent_page(redirect_uri=f"{CALLBACK}?next=cart")
    reply = person.decide(page, "decline")
    assert reply.location.startswith(f"{CALLBACK}?next=cart&error=access_denied&")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "stranger"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://points.example/points/callback"},
        {"redirect_uri": "http://127.0.0.1@points.example/points/callback"},
        {"redirect_uri": "http://127.0.0.1:5000/elsewhere"},
        {"redirect_uri": "javascript:alert(1)//127.0.0.1/points/callback"},
        # With an error of its own, which must not open the way back either.
        {"redirect_uri": "https://points.example/points/callback", "response_type": "token"},
    ],
)
@pytest.mark.scenario("S10", "a foreign way back gets a page, never a redirect")
def test_a_stranger_is_never_sent_anywhere(person: Browser, changes: dict[str, str | None]) -> None:
    reply = person.get(address(**changes))
    assert (reply.status_code, reply.mimetype) == (400, "text/html")
    assert "Location" not in reply.headers
    assert 'href="http' not in reply.text
    assert "Nothing was changed" in reply.text or "nothing was changed" in reply.text


def test_a_shop_or_a_way_back_named_twice_is_none(person: Browser) -> None:
    for twice in ({"client_id": "stranger"}, {"redirect_uri": "https://points.example/points/callback"}):
        assert person.get(f"{address()}&{urlencode(twice)}").status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"scope": "balance"}, "invalid_scope"),
        ({"scope": "balance redeem admin"}, "invalid_scope"),
        ({"state": None}, "invalid_request"),
        ({"state": "x" * 513}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
    ],
)
def test_a_known_shop_is_told_what_was_wrong(person: Browser, changes: dict[str, str | None], error: str) -> None:
    told = answer(person.get(address(**changes)))
    assert told["error"] == error
    assert told.get("state") == (GOOD | changes)["state"]
    assert told["error_description"]


def test_a_parameter_twice_is_an_invalid_request(person: Browser) -> None:
    assert answer(person.get(f"{address()}&scope=redeem"))["error"] == "invalid_request"


def test_scope_may_be_left_out_or_turned_around(person: Browser) -> None:
    assert person.get(address(scope=None)).status_code == 200
    assert person.get(address(scope="redeem balance")).status_code == 200


@pytest.mark.scenario(
    "S10", "what was asked for is sealed: the forms cannot change where to, for whom, with which state"
)
def test_the_forms_cannot_change_what_was_asked_for(person: Browser) -> None:
    page = person.consent_page()
    told = person.decide(
        page, "agree", redirect_uri="https://points.example/points/callback", state="mine", member_id="mbr_42"
    )
    assert answer(told)["state"] == "st-4711&x=1"
    sealed = fields(page)["asked"]
    for broken in (sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB"), "x" + sealed, "", "e30.e30"):
        reply = person.decide(page, "agree", asked=broken)
        assert (reply.status_code, "Location" in reply.headers) == (400, False)
        assert person.get("/oauth/consent?" + urlencode({"asked": broken})).status_code == 400


def test_nobody_agrees_without_signing_in(frozen: Any, person: Browser) -> None:
    reply = person.decide(person.get(address()), "agree")
    assert (reply.status_code, "Location" in reply.headers) == (400, False)


def test_nobody_agrees_for_another_member(frozen: Any, person: Browser) -> None:
    member_id = newcomer(frozen)
    page = person.consent_page(member_id)
    # In another tab somebody else signs in.
    person.sign_in(person.get("/sign-in"), "mbr_42")
    reply = person.decide(page, "agree")
    assert (reply.status_code, "Location" in reply.headers) == (400, False)
    assert frozen.member(member_id)["consents"] == []


def test_a_request_lasts_half_an_hour(frozen: Any, person: Browser) -> None:
    page = person.consent_page()
    frozen.clock.advance(1799)
    answer(person.decide(page, "decline"))
    frozen.clock.advance(1)
    assert person.decide(page, "agree").status_code == 400
    assert person.sign_in(page, "mbr_42").status_code == 400


def test_a_code_works_once_for_this_verifier_and_this_way_back(frozen: Any, person: Browser) -> None:
    code = answer(person.decide(person.consent_page(), "agree"))["code"]
    elsewhere = "http://127.0.0.1:5001/points/callback"
    for changes in ({"code_verifier": VERIFIER[:-1] + "x"}, {"redirect_uri": elsewhere}):
        assert exchange(frozen, code, **changes).get_json()["error"] == "invalid_grant"
    assert exchange(frozen, code).status_code == 200
    assert exchange(frozen, code).get_json()["error"] == "invalid_grant"


def test_a_member_number_nobody_has_is_asked_for_again(person: Browser) -> None:
    reply = person.sign_in(person.get(address()), '"><script>alert(1)</script>')
    assert reply.status_code == 422
    assert "There is no member with this number." in reply.text
    assert "<script>alert" not in reply.text
    # The request is still there: the next try goes on.
    assert person.sign_in(reply, "mbr_42").status_code == 303


def test_a_member_looks_and_withdraws(frozen: Any, person: Browser) -> None:
    frozen.authorize()
    assert person.get("/account").location == "/sign-in"
    person.sign_in(person.get("/sign-in"), "mbr_2500")
    page = person.get("/account")
    assert "2,073" in page.text
    assert "worth €20.73" in page.text
    assert "427 points held for order A-1001" in page.text
    assert person.client.post("/account/withdraw", data=fields(page)).location == "/account"
    assert "You withdrew your consent on 22 Nov 2026, 10:00." in person.get("/account").text
    refused = frozen.authorize(key="key-2", order_reference="A-1002")
    assert (refused.status_code, refused.get_json()["code"]) == (403, "consent_revoked")
    assert person.client.post("/sign-out", data=fields(page)).location == "/sign-in"
    assert person.get("/account").location == "/sign-in"


def test_a_new_consent_follows_a_withdrawn_one(frozen: Any, person: Browser) -> None:
    frozen.client.post("/sandbox/members/mbr_42/withdraw-consent")
    answer(person.decide(person.consent_page("mbr_42"), "agree"))
    assert frozen.ask("/v1/members/mbr_42/balance")["available"] == 42


@pytest.mark.parametrize(
    ("query", "header", "tag"),
    [
        ("de-DE", "en", "de"),
        ("zh-Hans", "", "zh-Hans"),
        ("fr de", "en", "de"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        (None, "fr,de;q=0.5", "de"),
        (None, "fr", "en"),
        ("tlh", "", "en"),
    ],
)
def test_pages_speak_what_the_shop_or_the_browser_asks_for(
    person: Browser, query: str | None, header: str, tag: str
) -> None:
    page = person.client.get(address(ui_locales=query), headers={"Accept-Language": header})
    assert f'<html lang="{tag}">' in page.text
    reply = person.sign_in(page, "mbr_42")
    # What the shop asked for holds on the next pages, whatever the browser prefers.
    assert f'<html lang="{tag if query else "en"}">' in person.get(reply.location).text
