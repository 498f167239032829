"""Every route of the back office under hostile requests of somebody who may be there."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.routing import Rule

from _hostile import FEW, Described, assert_proper, requests_to
from _office_shop import paid
from _small_shop import SmallShop, Visitor
from punktgenau.checkout.office import Office
from punktgenau.checkout.searching import Search

READ = frozenset({200, 409})
DONE = frozenset({200, 303, 400, 409})
CSV = ("text/csv; charset=utf-8",)
PAGE = ("text/html; charset=utf-8",)
FILTERS = ("q", "state", "since", "until", "after")
RETURN = ("line.lamp", "shipping", "amount", "reference", "reason", "seen_points", "seen_money")
HERE = "0123456789abcdef" * 2
"""Stands for the redemption that is there."""
ONE = {"redemption_id": (HERE,)}
EARNING, EXCHANGE = {"earning_id": ("89abcdef" * 4,)}, {"exchange_id": ("fedcba98" * 4,)}
DIFFERENCE = {"difference_id": ("0123456789ab",)}
ROUTES: dict[str, Described] = {
    "redemptions": Described(query=FILTERS, known=("A-1", "captured", "2026-11-22")),
    "redemptions_csv": Described(query=FILTERS, types=CSV),
    "attention": Described(),
    "figures": Described(query=("by",), known=("week",)),
    "figures_csv": Described(query=("by",), types=CSV),
    "log": Described(query=("after",)),
    "clearing": Described(query=("state", "period", "after"), known=("open", "2026-11", "2026-11.0123456789ab")),
    "tax": Described(query=("period",), answers=READ, known=("2026-11", "2026-Q4")),
    "tax_csv": Described(query=("period",), answers=READ, types=CSV + PAGE, known=("2026-11", "2026-Q4")),
    "compare": Described(method="POST", body="form", fields=("period",), answers=DONE, known=("2026-11",)),
    "difference": Described(path=DIFFERENCE, answers=READ),
    "decide": Described(method="POST", body="form", path=DIFFERENCE, fields=("as", "reason"), answers=DONE),
    "redemption": Described(path=ONE, query=("ask", "done"), answers=READ, known=("1", "retry")),
    "retry": Described(method="POST", body="form", path=ONE, fields=("reason",), answers=DONE),
    "resolve": Described(path=ONE, answers=READ),
    "do_resolve": Described(method="POST", body="form", path=ONE, fields=("as", "reason", "operation"), answers=DONE,
                            known=("done", "written_off")),
    "cancel": Described(path=ONE, answers=READ),
    "do_cancel": Described(method="POST", body="form", path=ONE, fields=("reason",), answers=DONE),
    "take_return": Described(path=ONE, query=RETURN, answers=READ, known=("1", "R-1", "427", "5563")),
    "refund": Described(method="POST", body="form", path=ONE, fields=RETURN, answers=DONE, known=("1", "427", "5563")),
    "money": Described(method="POST", body="form", path=ONE, fields=("return_reference", "psp_reference", "owed"),
                       answers=DONE),
    "earned": Described(query=FILTERS, known=("A-1", "pending", "2026-11-22")),
    "earning": Described(path=EARNING, query=("ask", "done"), answers=READ, known=("1", "settle")),
    "retry_earned": Described(method="POST", body="form", path=EARNING, fields=("reason",), answers=DONE),
    "settle_earned": Described(method="POST", body="form", path=EARNING, fields=("as", "reason"), answers=DONE,
                               known=("again", "left")),
    "exchanged": Described(query=FILTERS, known=("anna", "done", "2026-11-22")),
    "exchange": Described(path=EXCHANGE, query=("ask", "done"), answers=READ, known=("1", "settle")),
    "retry_exchange": Described(method="POST", body="form", path=EXCHANGE, fields=("reason",), answers=DONE),
    "settle_exchange": Described(method="POST", body="form", path=EXCHANGE, fields=("as", "reason"), answers=DONE,
                                 known=("done", "not_done")),
    "settle": Described(method="POST", body="form", path=ONE, fields=("as", "return_reference", "reason"),
                        answers=DONE),
}  # fmt: skip


@pytest.fixture
def more_config() -> dict[str, str]:
    """Orders earn something."""
    return {"PUNKTGENAU_EARN_POINTS": "1"}


def rules(shop: SmallShop) -> dict[str, Rule]:
    office = "punktgenau_office."
    found = [rule for rule in shop.app.url_map.iter_rules() if rule.endpoint.startswith(office)]
    return {rule.endpoint.removeprefix(office): rule for rule in found if not rule.endpoint.endswith(".nothing")}


def test_every_route_of_the_office_is_described(shop: SmallShop) -> None:
    described = {name: (one.method, set(one.path)) for name, one in ROUTES.items()}
    assert {
        name: (((rule.methods or set()) - {"HEAD", "OPTIONS"}).pop(), rule.arguments)
        for name, rule in rules(shop).items()
    } == described


@pytest.mark.parametrize("name", ROUTES)
def test_hostile_requests_to_the_office(shop: SmallShop, mira: Visitor, name: str) -> None:
    ids = {HERE: paid(shop)}
    with shop.app.app_context():
        shop.points.checkout.buy_voucher("anna", "voucher_10", points=1000, form="f0rm" * 4)
        listed = Office(shop.points.checkout).listed
        ids[EARNING["earning_id"][0]] = listed.earnings(Search()).items[0].id
        ids[EXCHANGE["exchange_id"][0]] = listed.exchanges(Search()).items[0].id
    described, rule, token = ROUTES[name], rules(shop)[name], mira.token()

    wanted = requests_to(rule, described)

    @FEW
    @given(st.data())
    def attack(data: st.DataObject) -> None:
        sent = data.draw(wanted)
        headers = [one for one in sent.headers if one[0] != "Accept"]
        if sent.origin != "unsaid":
            headers = [one for one in headers if one[0] != "Referer"]
            headers.append(("Origin", "http://localhost" if sent.origin == "own" else "https://evil.example"))
        if sent.token in {"right", "garbage"}:
            headers.append(("X-Punktgenau-CSRF", token if sent.token == "right" else "x.y.z"))
        body = sent.body if sent.pairs is None else urlencode(sent.pairs).encode()
        url = sent.url
        for stands_for, one in ids.items():
            url = url.replace(stands_for, one)
        answer = mira.browser.open(
            url,
            method=sent.method,
            data=body,
            content_type=sent.content_type,
            headers=headers,
            buffered=True,
        )
        assert_proper(answer, described, sent, secrets=())

    attack()
    payment = shop.find("A-1")
    assert payment is not None
