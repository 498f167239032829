"""The reconciliation console: compare a month, see both sides, decide with a reason; once."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy

from _office_shop import OPERATOR, paid, text_of
from _small_shop import SmallShop, Visitor
from flask_punktgenau.differences import as_text
from punktgenau.checkout.booking import Booking, Window
from punktgenau.checkout.difference import Difference, Reconciled
from punktgenau.checkout.matched import disagreement
from punktgenau.checkout.office import Office

RESOLVED = {"as": "written_off", "reason": "regular customer", "operation": ""}


def month(shop: SmallShop) -> str:
    return f"{shop.clock.now():%Y-%m}"


def compare(shop: SmallShop, mira: Visitor) -> str:
    answer = mira.post("/points/admin/clearing", period=month(shop))
    assert answer.status_code == 303, answer.text
    assert answer.location is not None
    return text_of(mira.browser, answer.location)


def test_what_agrees_leaves_an_empty_list(shop: SmallShop, mira: Visitor) -> None:
    paid(shop)
    page = compare(shop, mira)
    assert "Compared. What differs stands below." in page
    assert "No differences." in page
    assert "Compared a month with the statement" in text_of(mira.browser, "/points/admin/log")


def never_captured(shop: SmallShop) -> None:
    with shop.app.app_context():
        checkout = shop.points.checkout
        shop.shop.order("A-1", state="pending", customer_id="anna")
        assert shop.shop.cart is not None
        checkout.authorize("A-1", shop.shop.cart, customer_id="anna", points=427)
        shop.shop.mark("A-1", "paid")
        checkout.orders_loader = lambda since, until: iter(shop.shop.orders.values())
        Office(checkout).reconcile(month(shop), actor=OPERATOR)
    shop.clock.shift += type(shop.clock.shift)(hours=1)


def test_points_that_are_gone_lead_to_the_order(shop: SmallShop, mira: Visitor) -> None:
    assert shop.shop.cart is not None
    shop.shop.order("A-1", state="pending", customer_id="anna")
    with shop.app.app_context():
        checkout = shop.points.checkout
        checkout.authorize("A-1", shop.shop.cart, customer_id="anna", points=427)
        shop.clock.shift += timedelta(hours=3)
        shop.provider.control("POST", "/clock", {"advance_s": 3 * 3600})
        shop.provider.control("POST", "/members", {"id": "mbr_2500", "points": 10})
        shop.shop.mark("A-1", "paid")
        checkout.capture("A-1")
        checkout.orders_loader = lambda since, until: iter(shop.shop.orders.values())
        report = Office(checkout).reconcile(month(shop), actor=OPERATOR)
        listed = "\n".join(as_text(report, checkout.differences(state="open", period=report.period)))
        redemption_id = Office(checkout).searching.attempts("A-1")[-1].id
    page = text_of(mira.browser, f"/points/admin/clearing?period={month(shop)}")
    assert "Decide at the order." in page
    assert f"Only {month(shop)} stands below" in page
    (link,) = re.findall(r'href="(/points/admin/clearing/[0-9a-f]+)"', page)
    page = text_of(mira.browser, link)
    assert f'href="/points/admin/redemptions/{redemption_id}/resolve"' in page
    assert "Have the provider correct it" not in page
    assert "Do it" not in page
    assert "proposed: decide in the back office, at the order" in listed
    assert mira.post(f"/points/admin/redemptions/{redemption_id}/resolve", **RESOLVED).status_code == 303
    compare(shop, mira)
    assert "Settled" in text_of(mira.browser, link)


def test_a_paid_order_that_was_never_captured(shop: SmallShop, mira: Visitor) -> None:
    never_captured(shop)
    page = compare(shop, mira)
    assert "Paid, never captured" in page
    (link,) = re.findall(r'href="(/points/admin/clearing/[0-9a-f]+)"', page)
    page = text_of(mira.browser, link)
    assert "Capture the points." in page
    assert mira.post(link, **{"as": "repair", "reason": ""}).status_code == 409
    assert mira.post(link, **{"as": "something", "reason": "x"}).status_code == 409
    payment = shop.find("A-1")
    assert payment is not None
    assert payment.state == "authorized"
    answer = mira.post(link, **{"as": "repair", "reason": "The card was charged"})
    assert answer.status_code == 303
    payment = shop.find("A-1")
    assert payment is not None
    assert payment.state == "captured"
    page = text_of(mira.browser, link)
    assert OPERATOR in page
    assert "The card was charged" in page
    assert "What is proposed" not in page
    assert "Repaired a difference with the statement" in text_of(mira.browser, "/points/admin/log")


def test_what_has_moved_on_is_told_and_not_done(shop: SmallShop, mira: Visitor) -> None:
    never_captured(shop)
    (link,) = re.findall(r'href="(/points/admin/clearing/[0-9a-f]+)"', compare(shop, mira))
    shop.shop.mark("A-1", "cancelled")
    answer = mira.post(link, **{"as": "repair", "reason": "The card was charged"})
    assert answer.location is not None
    page = text_of(mira.browser, answer.location)
    assert "nothing was done: the order is cancelled by now" in page
    assert "What is proposed" in page
    assert "Decided, with your name and reason." not in page
    payment = shop.find("A-1")
    assert payment is not None
    assert payment.state == "authorized"


def test_months_and_ids_that_cannot_be_meant(mira: Visitor) -> None:
    assert mira.post("/points/admin/clearing", period="2026-13").status_code == 409
    for name in ("0" * 12, "x", "\x00", "a" * 400):
        assert mira.browser.get(f"/points/admin/clearing/{name}").status_code == 409
    assert mira.browser.get("/points/admin/clearing?state=x&period=y&after=z").status_code == 200


def in_dollars() -> Difference:
    """53 points that went back, which the statement tells in another currency."""
    at = datetime(2026, 11, 3, tzinfo=UTC)
    note = disagreement(_booking("USD"), _booking("EUR"), Window(0, 2**60, 0, 2**60))
    assert note is not None
    return Difference(
        id="d1", period="2026-11", kind=note.kind, state="open", order_reference="A-1", order_state="paid",
        redemption_id="r1", provider_id="red_1", line_id="L", there_points=-53, there_minor=-53, there_at=at,
        here_points=-53, here_minor=-53, here_at=at, currency="USD", here_currency="EUR", proposal="claim",
        note=note.note, found_at=at, actor="", reason="", result="", done_at=None,
    )  # fmt: skip


def _booking(currency: str) -> Booking:
    return Booking(
        id="L", kind="reversal", at=1, points=-53, amount_minor=-53, currency=currency, key="k", provider_id="red_1",
        order_reference="A-1", reference="R-1",
    )  # fmt: skip


def test_each_side_is_told_in_its_own_currency(shop: SmallShop, mira: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    one = in_dollars()
    report = Reconciled(
        period="2026-11", lines=1, bookings=1, orders=0, matched=0, points_there=-53, points_here=-53,
        found={"amount": 1}, waiting=0, broken=0, broken_lines=(), open_by_kind={"amount": 1},
    )  # fmt: skip
    (line,) = [text for text in as_text(report, [one]) if text.startswith("d1")]
    assert "-53 = -0.53 USD, 03 Nov  -53 = -0.53 EUR, 03 Nov" in line
    monkeypatch.setattr(Office, "differences", lambda self, **_: (one,))
    monkeypatch.setattr(Office, "difference", lambda self, _: one)
    for path in ("/points/admin/clearing", "/points/admin/clearing/d1"):
        page = text_of(mira.browser, path)
        assert "−$0.53" in page
        assert "−€0.53" in page


@pytest.mark.parametrize(
    ("language", "noted", "done"),
    [
        ("de", "Vermerk: im Shop: Bezahlt; Punkte: Vorgemerkt.", "nichts wurde getan: die Bestellung ist inzwischen"),
        ("zh", "订单：已付款；积分：已保留", "未执行：订单现为"),
    ],
)
def test_what_is_noted_is_told_in_the_operators_language(
    shop: SmallShop, mira: Visitor, language: str, noted: str, done: str
) -> None:
    mira.browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    never_captured(shop)
    (link,) = re.findall(r'href="(/points/admin/clearing/[0-9a-f]+)"', text_of(mira.browser, "/points/admin/clearing"))
    assert noted in text_of(mira.browser, link)
    shop.shop.mark("A-1", "cancelled")
    assert mira.post(link, **{"as": "repair", "reason": "x"}).status_code == 303
    page = text_of(mira.browser, link)
    assert done in page
    assert "nothing was done" not in page


def test_what_no_amount_can_be_takes_no_page_away(shop: SmallShop, mira: Visitor) -> None:
    """Written down before such lines were told apart: twice the most that a line may say, in a currency of nobody."""
    never_captured(shop)
    compare(shop, mira)
    with shop.app.app_context(), shop.points.checkout._database.engine.begin() as connection:
        beyond = "UPDATE punktgenau_difference SET there_minor = -2000000000000000, currency = 'ZZZ', kind = 'amount'"
        connection.execute(sqlalchemy.text(f"{beyond}, here_currency = 'EUR', there_points = 2000000000000000"))
    page = text_of(mira.browser, "/points/admin/clearing")
    assert "20,000,000,000,000.00" in page
    (link,) = re.findall(r'href="(/points/admin/clearing/[0-9a-f]+)"', page)
    assert "20,000,000,000,000.00" in text_of(mira.browser, link)
    assert mira.post(link, **{"as": "dismiss", "reason": "No such amount"}).status_code == 303
