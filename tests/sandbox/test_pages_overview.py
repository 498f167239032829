"""The overview and what is behind it: true figures, every action by a plain form, nobody from outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from werkzeug.test import TestResponse

import punktgenau.sandbox
from _templates import compiled_once
from punktgenau.sandbox import create_app
from punktgenau.sandbox.texts import LANGUAGES, texts_of

TEMPLATES = Path(punktgenau.sandbox.__file__).with_name("templates")
PLACES = ("/", "/ledger", "/requests", "/events", "/members/mbr_2500", "/redemptions/red_0001", "/sign-in", "/account",
          "/members/mbr_<b>9</b>", "/redemptions/nothing", "/oauth/authorize", "/oauth/consent")  # fmt: skip
SUBMITS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/sign-in", {"member_id": "mbr_42"}),
    ("/oauth/consent", {"decision": "agree", "asked": ""}),
    ("/account/withdraw", {"partner_id": "demo-shop"}),
    ("/sign-out", {}),
    ("/clock", {"advance_s": "86400"}),
    ("/members", {"member_id": "mbr_100", "points": "100", "consent": "on"}),
    ("/members/mbr_2500/points", {"points": "3"}),
    ("/members/mbr_2500/state", {"state": "blocked"}),
    ("/members/mbr_2500/consent", {"consent": "withdrawn", "partner_id": "demo-shop"}),
    ("/faults", {"operation": "authorize", "kind": "reset", "when": "after", "times": "1"}),
    ("/faults/clear", {}),
    ("/profile", {"name": "no_keys"}),
    ("/reset", {}),
)
Submit = Callable[..., TestResponse]


@pytest.fixture
def submit(frozen: Any) -> Submit:
    """submit(path, name=value ...): sends a form as a page of this browser would, and answers the page after it."""

    def send(path: str, **values: str) -> TestResponse:
        (token, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', frozen.client.get("/").text)
        reply = frozen.client.post(path, data={"csrf_token": token, **values})
        assert reply.status_code == 303, reply.text
        page: TestResponse = frozen.client.get(reply.location)
        return page

    return send


def shown(page: TestResponse) -> str:
    """What a person reads: the text, without tags, blanks as one."""
    body = re.sub(r"<(script|style|head).*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def write_history(frozen: Any) -> None:
    """427 points paid and 100 of them given back, 300 held until 12:00, a key cancelled, a refusal."""
    red = frozen.authorize().get_json()
    frozen.post(f"/v1/redemptions/{red['id']}/capture", {}, key="key-2")
    frozen.post(f"/v1/redemptions/{red['id']}/reversals", {"points": 100, "return_reference": "R-1"}, key="key-3")
    frozen.authorize(key="key-4", order_reference="A-1002", points=300)
    frozen.post("/v1/redemptions/cancel-by-key", {"target_key": "never-came"}, key="key-5")
    frozen.authorize(key="key-6", order_reference="A-1003", points=9999)


def test_the_overview_shows_members_holds_and_books_that_balance(frozen: Any) -> None:
    write_history(frozen)
    page = shown(frozen.client.get("/"))
    # 2500 - 427 + 100 - 300, of lots of 313, 700 and 1487: the last drawn came back first.
    assert "Demo 2500 mbr_2500 1,873 300" in page
    assert "386 until 30 Sept 2027" in page
    assert "A-1002 mbr_2500 300 12:00:00" in page
    assert "A-1001 partially_reversed 427 €4.27" in page
    # 2500 + 42 issued; 1873 + 42 to spend, 300 held, 327 with the shop.
    assert "Issued −2,542 Available 1,915 Held 300 Paid to shops 327 Expired 0 Sum 0" in page
    assert "300 points held for order A-1002" in page
    assert "authorize A-1003 mbr_2500 9,999 points 422" in page
    assert "redemption.partially_reversed A-1001" in page


def test_nothing_is_there_yet_and_the_pages_say_so() -> None:
    client = compiled_once(create_app(seed=None)).test_client()
    page = shown(client.get("/"))
    for said in ("No members yet.", "Nothing is held.", "No shop has used points yet.", "No movement yet.",
                 "None. Requests are", "No shop has asked anything yet.", "Nothing has happened yet."):  # fmt: skip
        assert said in page
    for place in ("/ledger", "/requests", "/events", "/sign-in"):
        assert client.get(place).status_code == 200


def test_a_redemption_is_told_from_its_first_hold_on(frozen: Any) -> None:
    write_history(frozen)
    page = shown(frozen.client.get("/redemptions/red_0001"))
    held, paid, returned = (
        page.index(said)
        for said in ("427 points held for", "427 points paid for", "100 points given back, goods of order A-1001")
    )
    assert held < paid < returned
    assert "Asked for 427 Held 0 Captured 427 Released 0 Reversed 100" in page
    assert "Order total €59.90" in page
    assert "Return R-1 100 points: 100 usable again, 0 expired on arrival" in page
    assert "Requests for order A-1001" in page
    assert "A cancelled key" in shown(frozen.client.get("/redemptions/red_0003"))


def test_vouchers_and_payouts_are_shown_to_their_owner_and_codes_to_nobody_else(frozen: Any, submit: Submit) -> None:
    body = {"member_id": "mbr_2500", "voucher_product_id": "voucher_10", "voucher_reference": "V-1"}
    bought = frozen.post("/v1/vouchers", body, key="key-v").get_json()
    frozen.post("/v1/payouts", {"member_id": "mbr_2500", "points": 500, "payout_reference": "P-1"}, key="key-p")
    tenders = [{"kind": "voucher", "voucher_id": bought["id"], "value": {"amount_minor": 700, "currency": "EUR"}}]
    red = frozen.authorize(points=None, tenders=tenders, capture="now").get_json()
    story = shown(frozen.client.get(f"/redemptions/{red['id']}"))
    assert f"Voucher …{bought['last_four']} €7.00; taken €7.00, given back €0.00" in story
    books = [story, *(shown(frozen.client.get(path)) for path in ("/", "/ledger", "/requests", "/events"))]
    assert not any(bought["code"] in page for page in books)
    page = shown(submit("/sign-in", member_id="mbr_2500"))
    assert f"€10.00 {bought['code']} used up" in page
    assert "500 points, €5.00 to DE… 4711: on its way since" in page
    assert "1,000 points turned into a voucher" in page


def test_the_clock_moves_and_holds_end_on_the_way(frozen: Any, submit: Submit) -> None:
    frozen.authorize(hold_s=3600)
    page = shown(submit("/clock", advance_s="3600"))
    assert "The clock was moved." in page
    assert "22 Nov 2026, 11:00:00 UTC" in page
    assert "1:00:00 ahead of this machine" in page
    assert "A-1001 expired" in page
    assert "1 day, 1:00:00 ahead" in shown(submit("/clock", advance_s="86400"))
    assert frozen.member()["available"] == 2500


@pytest.mark.parametrize("advance_s", ["-1", "", "1e3", "٣", "999999999"])
def test_the_clock_moves_by_sensible_steps_only(frozen: Any, submit: Submit, advance_s: str) -> None:
    assert "Nothing was changed" in shown(submit("/clock", advance_s=advance_s))
    assert frozen.client.get("/sandbox/clock").get_json()["advanced_s"] == 0


def test_a_member_is_added_with_points_and_consent(frozen: Any, submit: Submit) -> None:
    page = shown(submit("/members", member_id="mbr_100", display_name="A <b>bold</b> name", points="100", consent="on"))
    assert "mbr_100 was added." in page
    assert "A <b>bold</b> name" in page
    assert frozen.ask("/v1/members/mbr_100/balance")["available"] == 100
    assert "was there already" in shown(submit("/members", member_id="mbr_100", points="5"))
    assert frozen.member("mbr_100")["available"] == 100
    submit("/members", member_id="mbr_7", points="7")
    assert frozen.call("GET", "/v1/members/mbr_7/balance").get_json()["code"] == "not_linked"


@pytest.mark.parametrize(("member_id", "points"), [("", "5"), ("x" * 65, "5"), ("mbr\u202e", "5"), ("mbr_1", "-5")])
def test_a_member_that_does_not_fit_is_not_added(frozen: Any, submit: Submit, member_id: str, points: str) -> None:
    assert "No member was added" in shown(submit("/members", member_id=member_id, points=points))
    assert len(frozen.client.get("/sandbox/members").get_json()["items"]) == 3


def test_a_member_can_be_changed(frozen: Any, submit: Submit) -> None:
    assert "were adjusted" in shown(submit("/members/mbr_42/points", points="50"))
    assert frozen.member("mbr_42")["available"] == 50
    submit("/members/mbr_42/state", state="blocked")
    assert frozen.authorize(member_id="mbr_42", points=5).get_json()["code"] == "member_blocked"
    submit("/members/mbr_42/state", state="active")
    submit("/members/mbr_42/consent", consent="withdrawn", partner_id="demo-shop")
    assert frozen.authorize(key="key-2", member_id="mbr_42", points=5).get_json()["code"] == "consent_revoked"
    submit("/members/mbr_42/consent", consent="given")
    assert frozen.authorize(key="key-3", member_id="mbr_42", points=5).status_code == 201
    assert frozen.books_balance()


def test_a_fault_waits_and_can_be_cleared(frozen: Any, submit: Submit) -> None:
    page = submit("/faults", operation="authorize", kind="status_503", when="after", times="2")
    assert "status_503 authorize, after the change 2×" in shown(page)
    assert frozen.authorize().status_code == 503
    assert frozen.member()["held"] == 427
    assert "authorize, after the change 1×" in shown(frozen.client.get("/"))
    assert "No fault waits any more." in shown(submit("/faults/clear"))
    assert frozen.authorize().status_code == 200


@pytest.mark.parametrize(
    "changes", [{"kind": "rate_changed"}, {"kind": "nonsense"}, {"times": "0"}, {"when": "later"}, {"operation": "x"}]
)
def test_a_fault_that_does_not_fit_is_not_added(frozen: Any, submit: Submit, changes: dict[str, str]) -> None:
    sent = {"operation": "balance", "kind": "hang", "when": "before", "times": "1"} | changes
    assert "No fault was added" in shown(submit("/faults", **sent))
    assert frozen.client.get("/sandbox/faults").get_json()["items"] == []


def test_beginning_again_says_before_what_goes(frozen: Any, submit: Submit) -> None:
    frozen.authorize()
    # Three lots of one member and two of another, two entries each; then 313 + 114 held of two lots.
    assert "3 members, 1 redemptions and 14 entries go for good" in shown(frozen.client.get("/"))
    assert "The sandbox began again." in shown(submit("/reset"))
    assert frozen.member()["available"] == 2500


def test_a_long_ledger_has_pages(frozen: Any, submit: Submit) -> None:
    for points in range(1, 102):
        frozen.client.post("/sandbox/members", json={"id": "mbr_0", "points": points})
    first = frozen.client.get("/ledger")
    (older,) = re.findall(r'href="(/ledger\?before=\d+)"', first.text)
    second = shown(frozen.client.get(older))
    # 6 lots of opening balances, then 100 adjustments; a page has 100.
    assert shown(first).count("adjusted in the sandbox") == 100
    assert (second.count("adjusted in the sandbox"), second.count("opening balance")) == (0, 6)
    assert "Older entries" not in second


@pytest.mark.scenario("S14", "a member's name and number are text on every page, never markup")
def test_names_are_never_markup(frozen: Any) -> None:
    evil = "<script>alert(1)</script>"
    frozen.client.post("/sandbox/members", json={"id": evil, "display_name": f'"{evil}', "points": 500})
    frozen.authorize(member_id=evil, order_reference="<img src=x onerror=1>", points=5)
    for place in ("/", "/sign-in", "/ledger", "/requests", "/events", "/redemptions/red_0001", f"/members/{evil}"):
        page = frozen.client.get(place)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
    assert "&lt;script&gt;alert" in frozen.client.get("/").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_marked_and_keeps_its_policy(frozen: Any, language: str) -> None:
    write_history(frozen)
    for place in PLACES:
        page = frozen.client.get(place, query_string={"lang": language}, follow_redirects=True)
        assert page.mimetype == "text/html"
        assert f'<html lang="{LANGUAGES[language].tag}">' in page.text
        assert '<span class="mark">Sandbox</span>' in page.text
        assert LANGUAGES[language].text("frame.notice") in unescape(page.text)
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        # Nothing that this policy would refuse, and nothing from elsewhere.
        assert not re.findall(
            r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|(?:src|href)=\"(?:https?:)?//", page.text
        )


def test_the_cookie_has_a_name_of_its_own_and_stays_here(frozen: Any) -> None:
    cookie = frozen.client.get("/").headers["Set-Cookie"]
    assert cookie.startswith("punktgenau_sandbox=")
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


@pytest.mark.parametrize(("path", "values"), SUBMITS)
@pytest.mark.scenario("S3", "every form of the pages needs the token of the browser that it was shown in")
def test_a_form_from_elsewhere_changes_nothing(frozen: Any, path: str, values: dict[str, str]) -> None:
    before = frozen.client.get("/sandbox/members/mbr_2500").get_json()
    stranger = compiled_once(create_app()).test_client().get("/").text
    (foreign, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', stranger)
    frozen.client.get("/")
    for token in ({}, {"csrf_token": ""}, {"csrf_token": foreign}):
        reply = frozen.client.post(path, data=values | token)
        assert (reply.status_code, "Location" in reply.headers) == (400, False)
        assert "This form is too old" in reply.text
    assert frozen.client.get("/sandbox/members/mbr_2500").get_json() == before
    assert len(frozen.client.get("/sandbox/members").get_json()["items"]) == 3
    assert frozen.client.get("/sandbox/faults").get_json()["items"] == []


def test_every_form_is_in_the_list_above(frozen: Any) -> None:
    rules = [rule for rule in frozen.client.application.url_map.iter_rules() if rule.endpoint.startswith("pages.")]
    forms = {rule.rule.replace("<path:member_id>", "mbr_2500") for rule in rules if "POST" in (rule.methods or ())}
    assert forms == {path for path, _ in SUBMITS}


@pytest.mark.parametrize(
    "sent",
    [
        {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
        {"headers": {"Host": "points.example"}},
        {"headers": {"Origin": "https://points.example"}},
        {"headers": {"Origin": "null"}},
    ],
)
def test_pages_answer_to_this_machine_only(frozen: Any, sent: dict[str, Any]) -> None:
    for place in PLACES:
        reply = frozen.client.get(place, **sent)
        assert (reply.status_code, reply.mimetype) == (403, "text/html")
        assert "Only on this machine" in reply.text
        assert "Demo 2500" not in reply.text


def test_what_is_not_there_is_a_page(frozen: Any) -> None:
    for place in ("/members/mbr_nobody", "/redemptions/red_9999"):
        reply = frozen.client.get(place)
        assert (reply.status_code, reply.mimetype) == (404, "text/html")
        assert "There is nothing here" in reply.text


def test_languages_have_the_same_texts_with_the_same_gaps() -> None:
    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    english = texts_of("en")
    for code in ("de", "zh"):
        other = texts_of(code)
        assert other.keys() == english.keys()
        assert [key for key in english if gaps(english[key]) != gaps(other[key])] == []


def test_every_text_that_the_pages_name_exists() -> None:
    sources = [*TEMPLATES.glob("*.html"), *TEMPLATES.parent.glob("pages*.py"), TEMPLATES.parent / "texts.py"]
    read = "\n".join(path.read_text("utf-8") for path in sources)
    named = set(re.findall(r"""\bt\('([a-z_]+\.[a-z_]+)'[,)]|["'](said\.[a-z_]+)["']""", read))
    keys = {one or other for one, other in named}
    assert len(keys) > 100
    assert sorted(keys - texts_of("en").keys()) == []


def test_pages_show_what_is_pending_and_owed_and_why(frozen: Any, submit: Submit) -> None:
    given = {"member_id": "mbr_0", "points": 100, "order_reference": "A-1001", "reason": "Earned with order A-1001"}
    frozen.post("/v1/accruals", {**given, "accrual_reference": "e-1", "pending_s": 1_209_600}, key="key-1")
    frozen.post("/v1/accruals", {**given, "accrual_reference": "e-2"}, key="key-2")
    frozen.authorize(member_id="mbr_0", points=70, capture="now", key="key-a")
    taken = {"points": 100, "return_reference": "R-1", "reason": "Returned, order A-1001", "below_zero": True}
    frozen.post("/v1/accruals/acc_0002/reversals", taken, key="key-3")

    # 100 of 100 were taken back, and 70 of them were spent: 70 are owed, and 100 others wait.
    overview = shown(frozen.client.get("/"))
    assert "Demo 0 mbr_0 −70 100 pending 0" in overview
    assert "Issued −2,642 Pending 100 Available 2,542 Held 0 Owed −70 Paid to shops 70 Expired 0 Sum 0" in overview
    assert "accrual.reversed A-1001" in overview
    member = shown(frozen.client.get("/members/mbr_0"))
    assert "Pending 100 from 6 Dec 2026 on Owed 70" in member
    assert "A-1001 acc_0002 reversed 100 100 no more A-1001 acc_0001 pending 100 0 from 6 Dec 2026, 10:00 on" in member
    account = shown(submit("/sign-in", member_id="mbr_0"))
    assert "Pending 100 points from 6 Dec 2026 on Owed 70 the next points settle it" in account
    assert "100 points taken back, order A-1001 Returned, order A-1001 −100 −70" in account
    assert "100 points pending, order A-1001 Earned with order A-1001 0 0" in account

    frozen.post("/v1/accruals", {**given, "points": 80, "accrual_reference": "e-3"}, key="key-4")
    account = shown(frozen.client.get("/account"))
    assert "70 points settled what was owed 0 10" in account
    assert "Owed 70" not in account
