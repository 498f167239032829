"""The sandbox's control plane and pages under hostile requests; its API is under Schemathesis in tests/sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from _hostile import FEW, Described, Sent, assert_proper, requests_to
from punktgenau.sandbox import Database, create_app
from punktgenau.sandbox.state import sandbox_of
from punktgenau.sandbox.tables import DROP_ORDER

JSON, PROBLEM = "application/json", "application/problem+json"
CONTROL = (JSON, PROBLEM)
MEMBERS = ("mbr_2500", "mbr_42", "mbr_new", "x" * 65)
READ, FORM = frozenset({200, 403}), frozenset({303, 400, 403, 422})
WRITE = frozenset({200, 201, 204, 400, 403})
ASKED = {"response_type": "code", "client_id": "demo-shop", "scope": "balance redeem", "state": "s", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256", "redirect_uri": "http://127.0.0.1:5000/points/callback"}  # fmt: skip  # noqa: E501


def _read(*query: str, **path: tuple[str, ...]) -> Described:
    return Described(query=query, path=path, answers=READ, types=CONTROL)


def _write(*fields: str, known: tuple[str, ...] = (), **path: tuple[str, ...]) -> Described:
    return Described(method="POST", body="json", fields=fields, known=known, path=path, answers=WRITE, types=CONTROL)


def _by_rules(*fields: str, known: tuple[str, ...] = (), **path: tuple[str, ...]) -> Described:
    """What the programme's own rules may refuse."""
    return replace(_write(*fields, known=known, **path), answers=WRITE | {409, 422})


def _page(*query: str, known: tuple[str, ...] = (), **path: tuple[str, ...]) -> Described:
    return Described(query=("lang", *query), known=known, path=path, answers=frozenset({200, 303, 400, 403}))


def _form(*fields: str, known: tuple[str, ...] = (), **path: tuple[str, ...]) -> Described:
    return Described(method="POST", body="form", fields=fields, known=known, path=path, answers=FORM)


FAULTS = ("authorize", "any", "hang", "refuse", "rate_changed", "before", "after", "wrong_echo")
ROUTES: dict[str, Described] = {
    "control.reset": _write(),
    "control.list_members": _read(),
    "control.put_member": _write("id", "points", "lots", "display_name", "state", "consent", known=MEMBERS),
    "control.show_member": _read(member_id=MEMBERS),
    "control.withdraw_consent": _write(member_id=MEMBERS),
    "control.redeem_elsewhere": _by_rules("points", member_id=MEMBERS),
    "control.list_vouchers": _read(),
    "control.make_voucher": _write("voucher_product_id", "value_minor", "code", "valid_s", known=("voucher_10",)),
    "control.withdraw_voucher": _by_rules(voucher_id=("vou_0001", "vou_9999")),
    "control.list_payouts": _read(),
    "control.decide_payout": _by_rules("state", "reason", known=("paid", "rejected"), payout_id=("pay_0001",)),
    "control.show_clock": _read(),
    "control.move_clock": _write("advance_s"),
    "control.list_faults": _read(),
    "control.add_fault": _write("operation", "kind", "when", "times", "delay_s", "retry_after", "echo", known=FAULTS),
    "control.clear_faults": Described(method="DELETE", answers=frozenset({204, 403}), types=CONTROL),
    "control.list_entries": _read("member_id"),
    "control.list_redemptions": _read("order_reference", "member_id"),
    "control.list_requests": _read(),
    "control.set_programme": _write("rate", "limits"),
    "control.add_line": _write("line_id", "kind", "points", "amount_minor", "reason", known=("capture", "correction")),
    "control.show_profile": _read(),
    "control.play_profile": _write("name", "has_keys", "settle_s", "key_format", known=("no_holds", "no_keys")),
    "control.list_webhooks": _read(),
    "control.add_webhook": _write("url", "secret", "when", "after", known=("whsec_" + "A" * 32, "http://[::1]:0/")),
    "control.clear_webhooks": Described(method="DELETE", answers=frozenset({204, 403}), types=CONTROL),
    "control.deliver": _write("fault"),
    "pages.authorize": _page(*ASKED, known=tuple(ASKED.values())),
    "pages.sign_in_page": _page(),
    "pages.sign_in": _form("member_id", "asked", known=MEMBERS),
    "pages.consent": _page("asked"),
    "pages.decide": _form("asked", "decision", known=("agree",)),
    "pages.account": _page(),
    "pages.withdraw": _form("partner_id", known=("demo-shop",)),
    "pages.sign_out": _form(),
    "pages.dashboard": _page(),
    "pages.member": _page("page", member_id=MEMBERS),
    "pages.redemption": _page(redemption_id=("red_0001",)),
    "pages.entries": _page("page", "before", "member_id"),
    "pages.requests": _page("page"),
    "pages.events": _page("page", "after"),
    "pages.move_clock": _form("advance_s", known=("3600",)),
    "pages.add_member": _form("member_id", "points", "display_name", "consent", known=MEMBERS),
    "pages.set_points": _form("points", member_id=MEMBERS),
    "pages.set_state": _form("state", member_id=MEMBERS, known=("blocked",)),
    "pages.set_consent": _form("consent", "partner_id", member_id=MEMBERS, known=("given", "demo-shop")),
    "pages.add_fault": _form("operation", "kind", "when", "times", known=FAULTS),
    "pages.clear_faults": _form(),
    "pages.play_profile": _form("name", known=("no_holds", "one_capture")),
    "pages.reset": _form(),
    "pages.docs": _page(),
    "pages.redoc": Described(types=("text/javascript; charset=utf-8",), answers=frozenset({200, 206, 304, 403, 416})),
}
OPEN_TO_ALL = {"static", "openapi_json", "healthz"}
"""Nothing in them differs from caller to caller, and nothing is taken."""


@dataclass
class Books:
    """A sandbox with a browser that has signed in there, and all that may not change."""

    app: Flask
    cookie: str
    token: str
    foreign_token: str

    def all(self) -> list[object]:
        """Every row, and what stands in memory."""
        state = sandbox_of(self.app)
        with state.work() as work:
            rows: list[object] = [tuple(row) for table in DROP_ORDER for row in work.all(f"SELECT * FROM {table}")]
        waiting = [asdict(one) for one in state.faults.waiting()]
        return [*rows, state.clock.advanced_s, waiting, len(list(state.webhooks.listed()))]


@pytest.fixture(scope="module")
def books() -> Iterator[Books]:
    database = Database()
    app = create_app(database)
    browser = app.test_client()
    browser.post("/sign-in", data={"csrf_token": _token(browser), "member_id": "mbr_2500"})
    cookie = browser.get_cookie("punktgenau_sandbox")
    assert cookie is not None
    yield Books(app, cookie.value, _token(browser), _token(app.test_client()))
    database.close()


def _token(browser: FlaskClient) -> str:
    page = browser.get("/sign-in").text
    start = page.index('name="csrf_token" value="') + 25
    return page[start : page.index('"', start)]


def _rules(app: Flask) -> dict[str, Rule]:
    return {rule.endpoint: rule for rule in app.url_map.iter_rules()}


def test_every_route_is_described_here_or_in_the_openapi_document(books: Books) -> None:
    document = books.app.test_client().get("/openapi.json").get_json()
    described = {
        (path.replace("{", "<").replace("}", ">"), method.upper())
        for path, operations in document["paths"].items()
        for method in operations
    }
    for endpoint, rule in _rules(books.app).items():
        [method] = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        in_document = (re.sub(r"<\w+:", "<", rule.rule), method) in described
        assert [in_document, endpoint in ROUTES, endpoint in OPEN_TO_ALL].count(True) == 1, rule
        if endpoint in ROUTES:
            assert (method, rule.arguments) == (ROUTES[endpoint].method, set(ROUTES[endpoint].path))


def _send(books: Books, sent: Sent) -> tuple[TestResponse, bool]:
    """Send it, and whether it may change anything."""
    headers = dict(sent.headers) | {"Cookie": f"punktgenau_sandbox={books.cookie}"}
    tokens = {"right": books.token, "none": "", "garbage": "x", "foreign": books.foreign_token}
    if sent.origin != "unsaid":
        headers["Origin"] = "http://localhost" if sent.origin == "own" else "https://evil.example"
    host, address = ("localhost", "127.0.0.1", "evil.example", "localhost")[sent.who], ("127.0.0.1", "10.0.0.9")
    pairs = None if sent.pairs is None else (*sent.pairs, ("csrf_token", tokens[sent.token]))
    body = sent.body if pairs is None else urlencode(pairs).encode()
    answer = books.app.test_client(use_cookies=False).open(
        sent.url, method=sent.method, data=body, content_type=sent.content_type, headers=headers, buffered=True,
        base_url=f"http://{host}", environ_overrides={"REMOTE_ADDR": address[sent.who == 3]},
    )  # fmt: skip
    is_here = sent.who < 2 and (sent.origin == "unsaid" or (sent.origin == "own" and sent.who == 0))
    return answer, is_here


@pytest.mark.parametrize("endpoint", ROUTES)
def test_hostile_requests_get_a_proper_answer_and_change_nothing(books: Books, endpoint: str) -> None:
    described, rule = ROUTES[endpoint], _rules(books.app)[endpoint]

    wanted = requests_to(rule, described)

    @FEW
    @given(st.data())
    def attack(data: st.DataObject) -> None:
        sent = data.draw(wanted)
        before = books.all()
        answer, is_here = _send(books, sent)
        assert_proper(answer, described, sent, secrets=())
        if not is_here and answer.status_code not in (404, 405) and sent.method != "OPTIONS":
            assert answer.status_code == 403
        is_form = endpoint.startswith("pages.")
        if not is_here or answer.status_code >= 400 or (is_form and (sent.token != "right" or sent.pairs is None)):
            assert books.all() == before
        location = answer.headers.get("Location", "/")
        leaves = endpoint == "pages.authorize" and location.startswith(f"{ASKED['redirect_uri']}?error=")
        assert leaves or (location.startswith("/") and not location.startswith("//")), location
        if is_form and answer.mimetype != PROBLEM and sent.method != "OPTIONS":
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"

    attack()
    assert books.app.test_client().get("/sandbox/entries").get_json()["sum"] == 0


@pytest.mark.parametrize(
    "day", ["2026-99-99T00:00:00Z", "0000-01-01T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z", "2026-02-30T00:00:00Z"]
)
def test_a_day_that_is_none_is_refused(books: Books, day: str) -> None:
    before = books.all()
    body: dict[str, Any] = {"id": "mbr_lots", "lots": [{"points": 1, "expires_at": day}]}
    answer = books.app.test_client().post("/sandbox/members", data=json.dumps(body))
    assert (answer.status_code, answer.content_type) == (400, PROBLEM)
    assert books.all() == before


@pytest.mark.scenario("S21", "the control plane and the pages answer to this machine only, whatever they are asked")
@pytest.mark.parametrize("endpoint", [name for name in ROUTES if name != "pages.redoc"])
def test_only_this_machine_is_let_in(books: Books, endpoint: str) -> None:
    described, rule = ROUTES[endpoint], _rules(books.app)[endpoint]
    path = rule.rule
    for name in rule.arguments:
        path = re.sub(rf"<(path:)?{name}>", described.path[name][0], path)
    before = books.all()
    strangers: tuple[dict[str, Any], ...] = (
        {"environ_overrides": {"REMOTE_ADDR": "10.0.0.9"}},
        {"base_url": "http://evil.example"},
        {"headers": {"Origin": "http://localhost:81"}},
        {"headers": {"Origin": "null"}},
    )
    for stranger in strangers:
        browser = books.app.test_client()
        browser.set_cookie("punktgenau_sandbox", books.cookie)
        form = {"csrf_token": books.token}
        answer = browser.open(path, method=described.method, data=form, **stranger)
        assert answer.status_code == 403, stranger
    assert books.all() == before
