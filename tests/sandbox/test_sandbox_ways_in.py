"""Two ways to the same rules: over WSGI, and from within this process without any web framework in between."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple
from urllib.parse import unquote

import pytest

from punktgenau.sandbox import Database, Fault, FaultOnWire, Sandbox, SandboxClock, create_app, dispatch, fault_replies
from punktgenau.sandbox.call import MAX_BODY_BYTES, request_of
from punktgenau.sandbox.faults import IN_ROUTES, KINDS
from punktgenau.sandbox.state import sandbox_of

BASIC = "Basic " + base64.b64encode(b"demo-shop:demo-secret").decode()
FORM = "application/x-www-form-urlencoded"


class Sent(NamedTuple):
    """A request. `key` None: without; `token` False: without."""

    method: str
    path: str
    body: bytes = b""
    key: str | None = None
    token: bool = True
    content_type: str = "application/json"


def get(path: str, **more: object) -> Sent:
    return Sent("GET", path)._replace(**more)


def post(path: str, body: object, key: str | None = "k-1", **more: object) -> Sent:
    return Sent("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), key)._replace(**more)


TOTAL = {"amount_minor": 5990, "currency": "EUR"}
HOLD = {"member_id": "mbr_2500", "order_reference": "A-1", "total": TOTAL, "points": 427}
GIFT = {"member_id": "mbr_42", "points": 10, "accrual_reference": "acc-1", "order_reference": "A-1", "reason": "Gift"}
RED, ACC = "/v1/redemptions/red_0001", "/v1/accruals/acc_0001"
ORDINARY = (
    get("/v1/members/mbr_2500"), get("/v1/members/mbr_2500/balance"), get("/v1/members/nobody/balance"),
    post("/v1/redemptions/quote", {"member_id": "mbr_2500", "total": TOTAL}, None),
    post("/v1/redemptions", HOLD), post("/v1/redemptions", HOLD), post("/v1/redemptions", {**HOLD, "points": 1}),
    post("/v1/redemptions", {**HOLD, "points": 9_999}, "k-2"), get(RED), get("/v1/redemptions/red_9999"),
    get("/v1/redemptions?order_reference=A-1"), get("/v1/redemptions?idempotency_key=k-1&limit=1"),
    post(f"{RED}/extend", {"hold_s": 900}, "k-3"), post(f"{RED}/capture", {"points": 100, "final": False}, "k-4"),
    post(f"{RED}/capture", {"points": 100, "final": False}, "k-4"), post(f"{RED}/capture", {}, "k-5"),
    post(f"{RED}/void", {}, "k-6"),
    post(f"{RED}/reversals/quote", {"points": 7}, None),
    post(f"{RED}/reversals", {"points": 7, "return_reference": "R-1"}, "k-7"),
    post(f"{RED}/reversals", {"points": 7_000, "return_reference": "R-2"}, "k-8"),
    post("/v1/redemptions/cancel-by-key", {"target_key": "k-99"}, "k-9"),
    post("/v1/redemptions", {**HOLD, "order_reference": "A-2"}, "k-99"),
    post("/v1/accruals", GIFT, "k-10"), get(ACC), get("/v1/accruals?order_reference=A-1"),
    post("/v1/accruals", {**GIFT, "accrual_reference": "acc-2", "pending_s": 60}, "k-11"),
    post("/v1/accruals/acc_0002/post", {}, "k-12"),
    post(f"{ACC}/reversals", {"points": 3, "return_reference": "R-1", "reason": "Back"}, "k-13"),
    get("/v1/members/mbr_2500/entries"), get("/v1/members/mbr_2500/entries?kind=spent&kind=given_back&limit=3"),
    get("/v1/events"), get("/v1/events?after=2&limit=2"), get("/v1/voucher-products"),
    get("/v1/vouchers?member_id=mbr_2500"), get("/v1/vouchers/nothing"),
    post("/v1/vouchers/look-up", {"code": "NOBODY-KNOWS-THIS"}, None),
    post("/v1/payouts", {"member_id": "mbr_2500", "points": 100, "payout_reference": "P-1"}, "k-14"),
    get("/v1/payouts?member_id=mbr_2500"), get("/v1/payouts/pay_9999"),
    get("/v1/statements?period=2026-11"), get("/v1/statements/2026-11.csv"),
    get("/v1/statements/issued?period=2026-11"), get("/v1/statements/issued/2026-11.csv"),
)  # fmt: skip
STRANGE = (
    get(RED, token=False), post("/v1/redemptions", HOLD, token=False), post("/v1/redemptions", HOLD, None),
    post("/v1/redemptions", HOLD, ""), post("/v1/redemptions", HOLD, "x" * 300), post("/v1/redemptions", HOLD, "a b"),
    post("/v1/redemptions", b""), post("/v1/redemptions", b"[]"), post("/v1/redemptions", b'{"points": NaN}'),
    post("/v1/redemptions", b'{"points": 1, "points": 2}'), post("/v1/redemptions", b"\xff\xfe{}"),
    post("/v1/redemptions", b"[" * 50_000), post("/v1/redemptions", b" " * (MAX_BODY_BYTES + 1)),
    post("/v1/redemptions", b" " * (MAX_BODY_BYTES - 2) + b"{}"),
    post("/v1/redemptions", HOLD, content_type="text/plain"), post("/v1/redemptions", HOLD, content_type=FORM),
    post("/v1/redemptions", HOLD, content_type="application/json; charset=latin-1"),
    post("/v1/redemptions", {**HOLD, "points": "1"}), post("/v1/redemptions", {**HOLD, "more": 1}),
    post("/v1/redemptions", {"member_id": 1}), post("/v1/redemptions/red_0001/capture", {"points": -1}),
    get("/v1/redemptions?limit=0"), get("/v1/redemptions?limit=101&cursor=x"), get("/v1/redemptions?limit=1&limit=x"),
    get("/v1/redemptions?unknown=1"), get("/v1/redemptions?order_reference=%F0%9F%92%A9"),
    get("/v1/redemptions?order_reference=%FF"), get("/v1/redemptions?order_reference="), get("/v1/redemptions?&=&"),
    get("/v1/redemptions/%C3%A4%20%22"), get("/v1/redemptions/%FF"), get("/v1/members/a%3Fb/balance"),
    get("/v1/members/mbr_2500/entries?kind=spent&kind=none"), get("/v1/members/mbr_2500/entries?since=2026-02-30"),
    get("/v1/statements/2026-13.csv"), get("/v1/statements?period="), get("/v1/events?after=-1"),
    post("/oauth/token", b"", None, content_type=FORM, token=False),
    post("/oauth/token", b"grant_type=password", None, content_type=FORM, token=False),
    post("/oauth/token", b"grant_type=client_credentials&client_id=demo-shop&client_secret=no", None,
         content_type=FORM, token=False),
    post("/oauth/token", b"grant_type=client_credentials&client_id=demo-shop&client_secret=demo-secret", None,
         content_type=FORM, token=False),
    post("/oauth/token", b"grant_type=authorization_code&client_id=demo-shop&client_secret=demo-secret&code=x", None,
         content_type=FORM, token=False),
    post("/oauth/token", b"x" * (MAX_BODY_BYTES + 1), None, content_type=FORM, token=False),
)  # fmt: skip


class Answer(NamedTuple):
    """What came back; of a fault on the connection, what it would have been played with."""

    status: int
    headers: dict[str, str]
    body: bytes
    kind: str = ""


Ask = Callable[[Sent], Answer]


def _headers(sent: Sent, token: str) -> dict[str, str]:
    headers = {"Content-Type": sent.content_type} if sent.method == "POST" else {}
    if sent.key is not None:
        headers["Idempotency-Key"] = sent.key
    return {**headers, "Authorization": f"Bearer {token}"} if sent.token else headers


def _told(fault: FaultOnWire) -> Answer:
    return Answer(fault.status, _without_length(dict(fault.headers)), fault.body, fault.kind)


def _without_length(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "Content-Length"}


@contextmanager
def over_wsgi() -> Iterator[tuple[Ask, Sandbox]]:
    app = create_app(Database(), clock=SandboxClock(frozen_at=datetime(2026, 11, 22, 10, tzinfo=UTC)))
    client = app.test_client()
    form = {"grant_type": "client_credentials"}
    token = client.post("/oauth/token", data=form, headers={"Authorization": BASIC}).get_json()["access_token"]

    def ask(sent: Sent) -> Answer:
        try:
            said = client.open(sent.path, method=sent.method, data=sent.body, headers=_headers(sent, token))
        except FaultOnWire as fault:
            return _told(fault)
        return Answer(said.status_code, _without_length(dict(said.headers)), said.get_data())

    yield ask, sandbox_of(app)
    sandbox_of(app).database.close()


@contextmanager
def in_process() -> Iterator[tuple[Ask, Sandbox]]:
    provider = Sandbox(Database(), SandboxClock(frozen_at=datetime(2026, 11, 22, 10, tzinfo=UTC)))
    provider.fill()

    def carry(sent: Sent, headers: dict[str, str]) -> Answer:
        path, _, query = sent.path.partition("?")
        found = dispatch.find(sent.method, unquote(path))
        assert found is not None, sent
        head = request_of(sent.method, unquote(path), query=query, headers=headers)
        body = sent.body if len(sent.body) <= MAX_BODY_BYTES else None
        try:
            said = dispatch.answer(dispatch.call_of(provider, *found, head, body), found[0])
        except FaultOnWire as fault:
            return _told(fault)
        return Answer(said.status, dict(said.headers), said.content)

    asked = Sent("POST", "/oauth/token", b"grant_type=client_credentials")
    first = carry(asked, {"Content-Type": FORM, "Authorization": BASIC})
    token = json.loads(first.body)["access_token"]
    yield (lambda sent: carry(sent, _headers(sent, token))), provider
    provider.database.close()


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[tuple[Ask, Sandbox], tuple[Ask, Sandbox]]]:
    """Both, with the same books; what is random is drawn by one and then, the same again, by the other."""
    drawn = count()
    monkeypatch.setattr(secrets, "token_urlsafe", lambda length: f"{next(drawn) // 2:0{length}}")
    monkeypatch.setattr(fault_replies, "BOMB_BYTES", 100_000)
    monkeypatch.setattr(fault_replies, "HUGE_BYTES", 100_000)
    with over_wsgi() as one, in_process() as other:
        yield one, other


def _both(ways: tuple[tuple[Ask, Sandbox], tuple[Ask, Sandbox]], sent: Sent) -> Answer:
    (one, first), (other, second) = ways
    said = one(sent)
    assert other(sent) == said, sent
    assert second.journal.newest_first() == first.journal.newest_first()
    return said


def test_ordinary_requests_are_answered_byte_for_byte_the_same(ways):
    statuses = {_both(ways, sent).status for sent in ORDINARY}
    # The comparison is worth nothing where everything is refused.
    assert statuses >= {200, 201, 404, 409, 422}


def test_strange_requests_too(ways):
    found = [_both(ways, sent) for sent in STRANGE]
    assert {answer.status for answer in found} == {200, 201, 400, 401, 404}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_looks_the_same(ways, kind, when):
    operation = "get" if "get" in IN_ROUTES.get(kind, ("get",)) else "authorize"
    for number in (1, 2):
        for _, provider in ways:
            provider.faults.add(Fault(operation, kind, when, retry_after="7"))
        asked = get(RED) if operation == "get" else post("/v1/redemptions", HOLD, f"k-{number}")
        _both(ways, asked)
        _both(ways, post("/v1/redemptions", HOLD, "k-1"))


def test_every_operation_is_found_by_both():
    app = create_app()
    served = {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("partner.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(route.rule, route.method) for route in dispatch.ROUTES}
    assert len(served) == len(dispatch.ROUTES) == len({route.operation for route in dispatch.ROUTES})
    for method, path in (("GET", "/v1/redemptions/quote"), ("DELETE", RED), ("GET", "/v1/nothing"), ("GET", "/docs")):
        assert dispatch.find(method, path) is None
