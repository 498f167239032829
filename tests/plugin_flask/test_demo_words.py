"""What the demo shop's pages say of points that had expired, and of money that is not paid yet.

Pilz (84.35) and Karo (8.37) are 92.72; 427 points pay 4.27 of it. Karo comes back: 39 points and 7.98.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
from examples.shop import till
from examples.shop.points import points

from _conformance_shops import _METHODS, PROVIDER_URL, DemoShop, form
from _demo_desk import CART, Demo
from punktgenau import Money
from punktgenau.checkout.office import Office
from punktgenau.testing.conformance import ShopCart, ShopOrder


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo()
    with contextmanager(DemoShop.shop.__wrapped__)(demo, tmp_path):  # type: ignore[attr-defined]
        yield demo


def expire(demo: Demo, **told: int | str) -> None:
    """As if 30 of the points had come back expired, under a rule that makes up for them like that."""
    changed = ", ".join(
        f"{name} = {value}" for name, value in {"expired_points": 30, "restored_points": 9, **told}.items()
    )
    with demo.app.app_context():
        path = demo.app.config["PUNKTGENAU_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as journal, journal:
        assert journal.execute(f"UPDATE punktgenau_return SET {changed}").rowcount == 1


def short(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> ShopOrder:
    """The bank confirms 88.45 when the points have been spent elsewhere."""
    monkeypatch.setitem(_METHODS, "good", "bank")
    order = demo.place(CART, 427)
    assert requests.post(f"{PROVIDER_URL}/sandbox/clock", json={"advance_s": 3 * 3600}, timeout=5).ok
    demo.behind.give(10)
    with demo.app.app_context():
        till.confirm_payment(order.reference)
        payment = points.find(order.reference)
        assert payment is not None
        assert payment.state == "short"
    demo.clerk(order, ship=False)
    return order


def returned(demo: Demo) -> ShopOrder:
    order = demo.bought()
    assert demo.ask(order, karo="1")[0] == 303
    demo.confirm(order)
    return order


def test_points_that_came_back_expired_are_told_everywhere(demo: Demo) -> None:
    order = returned(demo)
    assert "expired" not in demo.says(order)
    expire(demo)
    page = demo.says(order)
    assert "39 points back (of which 30 had expired) · €7.98 back" in page
    assert "39 points and €7.98 given back (of which 30 had expired)" in page
    assert "39 points back (of which 30 had expired)" in demo.says(order, at="clerk/orders")
    assert "39 €0.39 €7.98 30 of the points had expired by then." in demo.says(order, "/receipt")
    demo.at_the_office(order, pilz=1)
    assert "Some of the points had expired by then" in demo.says(order)


def test_what_makes_up_for_expired_points_is_told(demo: Demo) -> None:
    order = returned(demo)
    expire(demo, expired_minor=30)
    for page in (demo.says(order), demo.says(order, at="clerk/orders")):
        assert "(of which 30 had expired) · €7.98 back · €0.30 will be paid back (of which €0.30 for expired" in page
        # The 7.98 that went back are the order's own money.
        assert "in the place of points" not in page
    notes = "Of the money, €0.30 is for expired points. Of the money, €0.30 is still to be paid."
    assert f"€8.28 30 of the points had expired by then. {notes}" in demo.says(order, "/receipt")
    expire(demo, expired_minor=0, new_points=30)
    for page in (demo.says(order), demo.says(order, at="clerk/orders"), demo.says(order, "/receipt")):
        assert "30 new points in the place of expired ones are on their way" in page
    expire(demo, accrual_state="'declined'")
    for page in (demo.says(order), demo.says(order, at="clerk/orders"), demo.says(order, "/receipt")):
        assert "30 new points in the place of expired ones could not be given yet" in page


def test_money_is_told_as_given_back_once_it_is(demo: Demo) -> None:
    order = demo.bought()
    demo.at_the_office(order, karo=1)
    page = demo.says(order)
    assert "39 points back · €7.98 will be paid back" in page
    assert "€7.98 back" not in page
    with demo.app.app_context():
        points.money_refunded(order.reference, return_reference=f"office-{order.reference}", psp_reference="psp_1")
    page = demo.says(order)
    assert "39 points back · €7.98 back" in page
    assert "39 points and €7.98 given back" in page
    assert "will be paid back" not in page
    assert "still to be paid" not in demo.says(order, "/receipt")


def test_the_clerks_bill_is_empty_once_the_order_will_not_happen(demo: Demo) -> None:
    order = demo.bought(ship=False)
    assert "427 points €4.27 Money €88.45" in demo.says(order, at="clerk/orders")
    demo.cancel(order)
    assert "427 points €" not in demo.says(order, at="clerk/orders")


def test_points_that_could_not_be_taken_have_paid_nothing(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    order = short(demo, monkeypatch)
    assert "Money €88.45 Points that could not be taken €4.27" in demo.says(order, at="clerk/orders")
    receipt = demo.says(order, "/receipt")
    assert "Bank transfer €88.45 Points that could not be taken €4.27" in receipt
    assert "427 points" not in receipt
    with demo.app.app_context():
        office = Office(points.checkout)
        redemption_id = office.searching.attempts(order.reference)[-1].id
        office.resolve(redemption_id, as_="written_off", actor="clerk 7", reason="our fault")
    assert "Money €88.45 Borne by the shop €4.27" in demo.says(order, at="clerk/orders")
    assert "Bank transfer €88.45 Borne by the shop €4.27" in demo.says(order, "/receipt")


@pytest.mark.parametrize("is_seen_at_once", [True, False])
def test_what_the_office_was_told_is_paid_is_known_to_the_shop(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, is_seen_at_once: bool
) -> None:
    order = short(demo, monkeypatch)
    assert "Points are missing" in demo.says(order)
    with demo.app.app_context():
        office = Office(points.checkout)
        redemption_id = office.searching.attempts(order.reference)[-1].id
        office.resolve(redemption_id, as_="paid_otherwise", actor="clerk 7", reason="in cash at the counter")
    desk = f"/clerk/orders/{order.reference}"
    if is_seen_at_once:
        page = demo.says(order)
        assert "Points are missing" not in page
        assert "Pay €" not in page
        assert "€4.27 paid in another way" in page
        assert "Money €92.72" in demo.says(order, at="clerk/orders")
        assert "Bank transfer €88.45 Paid otherwise €4.27" in demo.says(order, "/receipt")
    token = (form(demo.browser(order).get("/account").text, "/account/sign-out") or {})["csrf_token"]
    assert demo.browser(order).post(f"{desk}/ship", data={"csrf_token": token}).status_code == 303
    assert demo.row("SELECT shipped_at IS NOT NULL FROM orders") == (1,)
    assert demo.row("SELECT count(*), sum(amount_minor) FROM payments WHERE state = 'accepted'") == (2, 9272)


def test_what_was_paid_otherwise_goes_back_with_the_rest(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    order = short(demo, monkeypatch)
    with demo.app.app_context():
        office = Office(points.checkout)
        redemption_id = office.searching.attempts(order.reference)[-1].id
        office.resolve(redemption_id, as_="paid_otherwise", actor="clerk 7", reason="in cash at the counter")
    demo.cancel(order)
    page = demo.says(order)
    assert "€88.45 returned through the bank" in page
    assert "€4.27 returned as it was paid" in page


def test_an_order_says_what_an_article_cost_in_points_and_in_money(demo: Demo) -> None:
    # Pilz for 84.35, and Reiher for 25 points and 30.00.
    cart = ShopCart(lines={"pilz": 1, "reiher": 1}, total=Money(amount_minor=11_460, currency="EUR"))
    order = demo.place(cart, 25)
    assert "25 points + €30.00" in demo.says(order)
    assert "€30.25" not in demo.says(order)
    demo.clerk(order, ship=False)
    assert "25 points + €30.00" in demo.says(order, at="clerk/orders")
