"""An order that was made smaller when some of its points had expired, by a shop that pays for those in money.

Pilz (84.35) and Karo (8.37) are 92.72: 427 points and 88.45 by card. Without Pilz 388 points and 80.47 go back, so 39
points and 7.98 pay Karo. 100 of the points had a date; those come back last, so 388 - 327 = 61 have expired: 0.61.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests
from examples.shop import bill, changes, orders, payments, return_desk, till
from examples.shop.orders import Order
from examples.shop.points import points

from _conformance_shops import MEMBER, PROVIDER_URL, DemoShop
from _demo_desk import Demo
from punktgenau.testing.conformance import ShopOrder


@pytest.fixture(params=["money"])
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Demo]:
    monkeypatch.setenv("PUNKTGENAU_EXPIRED_POINTS", request.param)
    demo = Demo()
    with contextmanager(DemoShop.shop.__wrapped__)(demo, tmp_path):  # type: ignore[attr-defined]
        yield demo


def smaller(demo: Demo) -> ShopOrder:
    """Bought with points of which 100 expire on the next day; made smaller two days later."""
    until = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    control("/members", {"id": MEMBER, "lots": [{"points": 100, "expires_at": until}]})
    order = demo.bought(ship=False)
    control("/clock", {"advance_s": 2 * 86_400})
    with demo.app.app_context():
        changes.reduce(found(order), {"pilz": 0}, by="counter-1")
    return order


def control(path: str, body: object) -> None:
    assert requests.post(f"{PROVIDER_URL}/sandbox{path}", json=body, timeout=5).ok


def found(order: ShopOrder) -> Order:
    there = orders.find(order.reference)
    assert there is not None
    return there


def test_money_for_expired_points_leaves_the_order_fully_paid(demo: Demo) -> None:
    order = smaller(demo)
    with demo.app.app_context():
        (refund,) = points.refunds(order.reference)
        assert (refund.points, refund.already_expired, refund.expired_money.amount_minor) == (388, 61, 61)
        paid = bill.of(found(order))
        assert (paid.points, paid.value_minor, paid.money_minor) == (39, 39, 798)
        assert till.open_minor(found(order)) == 0
        assert till.ship_order(found(order))


def test_each_page_says_what_was_paid_for_expired_points(demo: Demo) -> None:
    order = smaller(demo)
    # 80.47 and 0.61 went back; of the 88.45 that the order was paid with only 80.47 did.
    told = "Made smaller, 388 points and €81.08 back (of which 61 had expired) (of which €0.61 in the place of points)"
    for page in (demo.says(order), demo.says(order, at="clerk/orders")):
        assert told in page
        assert "still open" not in page
    assert "39 points €0.39 Money €7.98" in demo.says(order, at="clerk/orders")
    bill_rows = "39 points 1 pt = €0.01 €0.39 Card €88.45 Back after the change"
    assert f"{bill_rows} besides, €0.61 in the place of points −€80.47" in demo.says(order, "/receipt")


def test_a_cancellation_gives_back_what_is_left_of_the_money(demo: Demo) -> None:
    order = smaller(demo)
    with demo.app.app_context():
        assert return_desk.money_back_minor(order.reference) == 8047
        assert till.cancel_order(found(order))
        assert [one.back_minor for one in payments.history(order.reference)] == [798]
    receipt = demo.says(order, "/receipt")
    assert "39 points back −€0.39 Back after the cancellation −€7.98 Back after the change" in receipt


@pytest.mark.parametrize("demo", ["tell"], indirect=True)
def test_expired_points_of_a_change_are_told_where_nothing_is_paid_for_them(demo: Demo) -> None:
    order = smaller(demo)
    assert "Made smaller, 388 points and €80.47 back (of which 61 had expired)" in demo.says(order)
    assert "in the place of points" not in demo.says(order, "/receipt")


def test_an_order_made_smaller_before_its_points_were_taken_gives_money_back(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        # As if the process had died between the payment and the capture.
        patched.setattr(points, "capture", lambda _reference: None)
        order = demo.bought(ship=False)
    with demo.app.app_context():
        changes.reduce(found(order), {"pilz": 0}, by="counter-1")
        # 8.37 are left: 4.27 in points and 4.10 of the 88.45.
        assert changes.money_back_minor(order.reference) == 8435
        assert points.capture(order.reference) is not None
        paid = bill.of(found(order))
        assert (paid.points, paid.money_minor, till.open_minor(found(order))) == (427, 410, 0)
        assert till.ship_order(found(order))
    assert "Made smaller, €84.35 back" in demo.says(order)


def test_points_of_parcels_are_taken_as_they_leave(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(till, "pay", partial(till.pay, in_parcels=True))
    order = demo.bought(ship=False)
    with demo.app.app_context():
        till.ship_parcel(found(order), {"karo": 1}, parcel="P1")
        payment = points.find(order.reference)
        assert payment is not None
        assert (payment.state, till.ship_order(found(order))) == ("partially_captured", False)
        till.ship_parcel(found(order), {"pilz": 1}, parcel="P2")
        assert till.ship_order(found(order))


def test_an_order_without_points_that_was_made_smaller_says_money_alone(demo: Demo) -> None:
    order = demo.place(demo.cart, 0)
    demo.clerk(order, ship=False)
    with demo.app.app_context():
        changes.reduce(found(order), {"pilz": 0}, by="counter-1")
    assert "Made smaller, €84.35 back" in demo.says(order)


def test_what_an_order_without_points_has_earned_goes_with_what_is_taken_out(demo: Demo) -> None:
    """A point for each two euros: 46 of 92.72, and 42 of Pilz once more, which counts double; 4 of Karo alone."""
    order = demo.place(demo.cart, 0)
    with demo.app.app_context():
        points.checkout.recover()
        purchase, _welcome = points.earned(order.reference)
        assert (purchase.points, purchase.state) == (88, "pending")
        changes.reduce(found(order), {"pilz": 0}, by="counter-1")
        points.checkout.recover()
        purchase, _welcome = points.earned(order.reference)
        assert (purchase.taken_back, purchase.kept) == (84, 4)


def test_what_a_cancelled_order_is_owed_for_expired_points_is_no_return(demo: Demo) -> None:
    control(
        "/members",
        {
            "id": MEMBER,
            "lots": [{"points": 100, "expires_at": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}],
        },
    )
    order = demo.bought(ship=False)
    control("/clock", {"advance_s": 2 * 86_400})
    with demo.app.app_context():
        points.cancel(order.reference)
        (rest,) = points.refunds(order.reference)
        assert (rest.is_rest, rest.already_expired, rest.money_due.amount_minor) == (True, 100, 100)
        assert return_desk.of_order(order.reference) == ()
        assert return_desk.money_back_minor(order.reference) == 0
