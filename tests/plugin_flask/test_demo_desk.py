"""The demo shop in process: what its pages say of returns, changes and carts, whoever made them and wherever.

Pilz (84.35) and Karo (8.37) are 92.72; 427 points pay 4.27 of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from examples.shop import changes, orders, payments, return_desk, till
from examples.shop.orders import Order
from examples.shop.points import points

from _conformance_shops import PROVIDER_URL, DemoShop, form
from _demo_desk import CART, SMALL, Demo, words


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo()
    with contextmanager(DemoShop.shop.__wrapped__)(demo, tmp_path):  # type: ignore[attr-defined]
        yield demo


def test_after_everything_is_back_nothing_is_to_be_paid(demo: Demo) -> None:
    order = demo.bought()
    assert demo.ask(order, pilz="1", karo="1")[0] == 303
    assert "427 €4.27 €88.45" in demo.says(order, at="clerk/orders")
    demo.confirm(order)
    page = demo.says(order)
    assert "Everything is back" in page
    assert "Pay €" not in page
    with demo.app.app_context():
        found = orders.find(order.reference)
        assert found is not None
        assert till.open_minor(found) == 0


def test_the_clerk_sees_what_confirming_gives_back_with_the_shipping(demo: Demo) -> None:
    # 8.37 and 18.45, and 4.90 for shipping that goes back with the last thing: 31.72, of which points pay 4.27.
    order = demo.bought(cart=SMALL)
    assert demo.ask(order, karo="1", koecher="1")[0] == 303
    seen = demo.says(order, at="clerk/orders")
    assert "In proportion applies 427 €4.27 €27.45 Points first 427 €4.27 €27.45" in seen
    demo.confirm(order)
    assert demo.row("SELECT points, money_minor, shipping_minor FROM returns") == (427, 2745, 490)


def test_a_return_of_the_back_office_is_known_to_every_page(demo: Demo) -> None:
    order = demo.bought(ship=False)
    # 4.27 x 8435 / 9272 = 3.8845 and 4.27 x 837 / 9272 = 0.3855: the cent that is left goes to the larger fraction.
    demo.at_the_office(order, pilz=1)
    assert demo.row("SELECT points, state, decided_by, reason FROM returns") == (None, "confirmed", "office", "office")
    page = demo.says(order)
    assert "1 × Pilz 388 points back · €80.47 will be paid back" in page
    assert "388 points given back" in page
    assert "€80.47 given back" not in page
    assert "Cancel order" not in page
    assert "Make the order smaller" not in demo.says(order, at="clerk/orders")
    assert demo.send(
        demo.browser(order), f"/clerk/orders/{order.reference}/ship", of=f"/clerk/orders/{order.reference}"
    ).location.endswith(order.reference)
    assert demo.row("SELECT shipped_at IS NOT NULL FROM orders") == (1,)
    assert "Sent back already" in demo.says(order, "/return")
    assert demo.ask(order, pilz="1")[0] == 422
    assert demo.ask(order, karo="1")[0] == 303
    demo.confirm(order, 2)
    assert "Everything is back" in demo.says(order)
    receipt = demo.says(order, "/receipt")
    assert "1 × Pilz 388 €3.88 €80.47 Of the money, €80.47 is still to be paid." in receipt
    assert "1 × Karo 39 €0.39 €7.98" in receipt


def test_what_has_come_back_as_a_whole_does_not_leave(demo: Demo) -> None:
    order = demo.bought(ship=False)
    demo.at_the_office(order, pilz=1, karo=1)
    assert "Returned" in demo.says(order, at="clerk/orders")
    assert (
        form(demo.browser(order).get(f"/clerk/orders/{order.reference}").text, f"/clerk/orders/{order.reference}/ship")
        is None
    )
    token = (form(demo.browser(order).get("/account").text, "/account/sign-out") or {})["csrf_token"]
    demo.browser(order).post(f"/clerk/orders/{order.reference}/ship", data={"csrf_token": token})
    assert "Nothing is left to send" in demo.says(order, at="clerk/orders")
    assert demo.row("SELECT shipped_at FROM orders") == (None,)
    with demo.app.app_context():
        assert (orders.count_to_ship(), points.find(order.reference).due_minor) == (0, 8845)  # type: ignore[union-attr]


def test_what_will_never_be_worked_out_is_not_told_as_a_matter_of_time(demo: Demo) -> None:
    order = demo.bought()
    with demo.app.app_context():
        points.cancel(order.reference)
    page = demo.says(order, "/return?q.karo=1")
    assert "in a moment" not in page
    assert "The shop has to look at this order first" in page


def test_refused_points_are_not_told_as_given_back(demo: Demo) -> None:
    order = demo.bought()
    assert demo.ask(order, karo="1")[0] == 303
    assert requests.post(f"{PROVIDER_URL}/sandbox/profile", json={"name": "no_partial_reversal"}, timeout=5).ok
    desk = demo.confirm(order)
    assert "The provider did not take the points back" in desk
    assert "Points and money go back" not in desk
    assert "39 points: The provider did not take the points back" in desk
    assert "39 points could not be given back yet" in demo.says(order)
    for page in (desk, demo.says(order)):
        assert "39 points back" not in page
        assert "39 points and" not in page
    assert "open €7.98" in demo.says(order, "/receipt")


def test_a_cart_that_was_never_ordered_is_not_swallowed(demo: Demo) -> None:
    browser = demo.app.test_client()
    demo.send(browser, "/account/sign-in", of="/account", customer="cust_2500")
    demo.send(browser, "/cart/add", of="/articles/pilz", sku="pilz", quantity="1")
    fields = form(browser.get("/checkout").text, "/checkout") or {}
    cookie = browser.get_cookie("halbschatten_session")
    assert cookie is not None

    def lost() -> None:
        """The answer never came, nor did its cookie."""
        browser.set_cookie("halbschatten_session", cookie.value)

    browser.post("/checkout", data={**fields, "method": "card"})
    lost()
    # The same again is the same order.
    assert browser.post("/checkout", data={**fields, "method": "card"}).location == "/orders/A-1001"
    lost()
    demo.send(browser, "/cart/add", of="/articles/karo", sku="karo", quantity="1")
    old = {**fields, "method": "card", "seen_total": "9272"}
    answer = browser.post("/checkout?lang=en", data=old)
    assert answer.status_code == 422
    assert "Order A-1001 has been placed already" in words(answer.text)
    new = form(answer.text, "/checkout") or {}
    assert browser.post("/checkout", data={**new, "method": "card"}).location == "/orders/A-1002"
    assert demo.row("SELECT group_concat(total_minor) FROM orders") == ("8435,9272",)


def test_a_checkout_that_was_ordered_says_so_before_more_is(demo: Demo) -> None:
    browser = demo.app.test_client()
    demo.send(browser, "/cart/add", of="/articles/pilz", sku="pilz", quantity="1")
    fields = form(browser.get("/checkout").text, "/checkout") or {}
    cookie = browser.get_cookie("halbschatten_session")
    assert cookie is not None
    fields |= {"name": "Demo", "email": "demo@example.org", "street": "Musterstraße 1", "postcode": "10115"}
    browser.post("/checkout", data={**fields, "city": "Berlin", "method": "card"})
    browser.set_cookie("halbschatten_session", cookie.value)
    demo.send(browser, "/cart/add", of="/articles/karo", sku="karo", quantity="1")
    assert "Order A-1001 has been placed already" in words(browser.get("/checkout?lang=en").text)


def test_a_return_after_thirty_days_is_none(demo: Demo) -> None:
    order = demo.bought()
    demo.write("UPDATE orders SET shipped_at = datetime(shipped_at, '-31 days') || '+00:00'")
    status, page = demo.ask(order, karo="1")
    assert (status, "can be sent back any more" in page) == (422, True)
    assert demo.row("SELECT count(*) FROM returns") == (0,)


def test_a_number_that_cannot_be_is_told(demo: Demo) -> None:
    order = demo.bought()
    assert "There is not that much left to send back" in demo.says(order, "/return?q.karo=3")
    for wrong in ("-1", "abc", "1.5"):
        assert "as a whole number" in demo.says(order, f"/return?q.karo={wrong}")
        assert demo.ask(order, karo=wrong)[0] == 422
    assert demo.ask(order, karo="3")[0] == 422
    assert demo.row("SELECT count(*) FROM returns") == (0,)


def test_an_order_that_is_being_changed_neither_leaves_nor_changes_otherwise(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = demo.bought(ship=False, cart=SMALL)
    with demo.app.app_context():
        found = orders.find(order.reference)
        assert found is not None
        with monkeypatch.context() as patched:
            patched.setattr(changes, "_write", _dies)
            with pytest.raises(KeyboardInterrupt):
                changes.reduce(found, {"koecher": 0}, by="counter-1")
        assert not till.ship_order(found)
        assert not till.cancel_order(found)
        with pytest.raises(changes.BegunError):
            changes.reduce(found, {"karo": 0}, by="counter-2")
        assert changes.begun(order.reference) == {"karo": 1}
        assert "was begun and is not finished" in demo.says(order, at="clerk/orders")
        changes.reduce(found, {"koecher": 0}, by="counter-2")
        with pytest.raises(changes.DecidedError):
            changes.reduce(found, {"karo": 0}, by="counter-2")
        # 18.45 of 31.72 less: 4.27 x 1845 / 3172 = 2.4837, so 2.48 in points and 15.97 in money.
        (change,) = changes.of_order(order.reference)
        assert (change.points, change.money_minor) == (248, 1597)
        smaller = orders.find(order.reference)
        assert smaller is not None
        assert till.ship_order(smaller)


def test_what_has_left_is_not_changed(demo: Demo) -> None:
    order = demo.bought(ship=False)
    with demo.app.app_context():
        before = orders.find(order.reference)
        assert before is not None
        assert till.ship_order(before)
        with pytest.raises(changes.DecidedError):
            changes.reduce(before, {"karo": 0}, by="counter-1")
        payment = points.find(order.reference)
        assert payment is not None
        assert (payment.state, payment.points) == ("captured", 427)


def test_the_receipt_of_a_cancelled_order_says_what_went_back(demo: Demo) -> None:
    order = demo.bought(ship=False)
    demo.cancel(order)
    receipt = demo.says(order, "/receipt")
    assert "427 points 1 pt = €0.01 €4.27 Card €88.45 427 points back −€4.27" in receipt
    assert "Back after the cancellation −€88.45" in receipt


def test_the_story_of_a_cancelled_order_tells_what_became_of_its_points(demo: Demo) -> None:
    order = demo.bought(ship=False)
    demo.cancel(order)
    for page in (demo.says(order), demo.says(order, at="clerk/orders")):
        assert "427 points given back" in page
        assert "€88.45 returned to the card" in page


def test_why_an_unpaid_order_is_not_made_smaller_is_told(demo: Demo) -> None:
    order = demo.place(CART, 427, card="declined")
    demo.clerk(order, ship=False)
    page = demo.says(order, at="clerk/orders")
    assert "It can be made smaller here once it is paid" in page
    assert "Make the order smaller" not in page


def test_an_order_made_smaller_and_then_cancelled_keeps_nothing(demo: Demo) -> None:
    order = demo.bought(ship=False)
    with demo.app.app_context():
        # 84.35 of 92.72 less: 4.27 x 8435 / 9272 = 3.8845, so 388 points and 80.47; of 88.45 there are 7.98 left.
        changes.reduce(_found(order.reference), {"pilz": 0}, by="counter-1")
        assert till.cancel_order(_found(order.reference))
        assert till.cancel_order(_found(order.reference))
        (payment,) = payments.history(order.reference)
        assert (payment.state, payment.amount_minor, payment.back_minor) == ("refunded", 8845, 798)
        (change,) = changes.of_order(order.reference)
        assert (change.points, change.money_minor) == (388, 8047)
    paid = "39 points 1 pt = €0.01 €0.39 Card €88.45"
    back = "39 points back −€0.39 Back after the cancellation −€7.98 Back after the change −€80.47"
    assert f"{paid} {back}" in demo.says(order, "/receipt")
    for page in (demo.says(order), demo.says(order, at="clerk/orders")):
        assert "Made smaller, 388 points and €80.47 back" in page
        assert "€7.98 returned to the card" in page
        assert "€88.45 returned" not in page
        assert "-€" not in page


def test_what_a_return_gave_back_as_the_order_was_cancelled_is_not_given_back_again(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = demo.bought(ship=False)
    with demo.app.app_context():
        demo.at_the_office(order, pilz=1)
        # The clerk looked before it was taken in. As above, Pilz gave back 80.47.
        monkeypatch.setattr(return_desk, "of_order", lambda _reference: ())
        assert till.cancel_order(_found(order.reference))
        assert [one.back_minor for one in payments.history(order.reference)] == [798]


def test_the_back_office_leads_the_clerk_to_the_order(demo: Demo) -> None:
    order = demo.bought()
    clerk = demo.app.test_client()
    assert clerk.get(f"/orders/{order.reference}").status_code == 404
    demo.send(clerk, "/clerk/sign-in", of="/account")
    assert clerk.get(f"/orders/{order.reference}").location == f"/clerk/orders/{order.reference}"
    assert clerk.get("/favicon.ico").location == "/static/mark.svg"


def _dies(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def _found(reference: str) -> Order:
    found = orders.find(reference)
    assert found is not None
    return found
