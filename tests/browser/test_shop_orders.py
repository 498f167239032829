"""The demo shop by itself: carts, sums, orders, payments, and who may see what."""

import re
from collections.abc import Callable

import pytest
from examples.shop import language, orders, payments, till
from examples.shop.bank import create_bank
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ADDRESS = {
    "name": "Demo",
    "email": "demo@example.org",
    "street": "Musterstraße 1",
    "postcode": "10115",
    "city": "Berlin",
}


def fields(page: TestResponse, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    (form,) = re.findall(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)[:1]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def add(visitor: FlaskClient, sku: str, quantity: int = 1) -> None:
    page = visitor.get(f"/articles/{sku}")
    assert visitor.post("/cart/add", data=fields(page, "/cart/add") | {"quantity": quantity}).status_code == 303


def place(visitor: FlaskClient, method: str, **changes: str) -> TestResponse:
    form = fields(visitor.get("/checkout"), "/checkout")
    return visitor.post("/checkout", data=form | ADDRESS | {"method": method} | changes)


def sign_in(visitor: FlaskClient, customer: str) -> None:
    form = fields(visitor.get("/account"), "/account/sign-in")
    visitor.post("/account/sign-in", data=form | {"customer": customer})


def state_of(shop: Flask, reference: str) -> tuple[str, list[str]]:
    with shop.app_context():
        order = orders.find(reference)
        assert order is not None
        return order.state, [payment.state for payment in payments.history(reference)]


def test_sums_hold_shipping_and_both_vat_rates(new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "karo", 2)  # 2 x 8.37 at 19 %
    add(visitor, "pilea")  # 16.79 at 7 %
    page = visitor.get("/cart?lang=de").text.replace("\N{NO-BREAK SPACE}", " ")
    # 16.74 + 16.79 = 33.53; + 4.90 shipping, taxed as the larger part (pilea, 7 %) = 38.43
    assert "33,53 €" in page
    assert "38,43 €" in page
    assert "2,67 €" in page  # 16.74 x 19 / 119 = 2.6728
    assert "1,42 €" in page  # (16.79 + 4.90) x 7 / 107 = 1.4190


def test_shipping_is_free_from_75_euros_and_for_cards_by_mail(new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "gutschein")
    assert "€50.00" in visitor.get("/checkout?lang=en").text
    assert "€54.90" not in visitor.get("/checkout").text
    add(visitor, "viertel")  # 50.00 + 47.63
    assert "€97.63" in visitor.get("/checkout").text


def test_a_card_pays_the_order(shop: Flask, new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    assert place(visitor, "card").location == "/orders/A-1001"
    assert state_of(shop, "A-1001") == ("paid", ["accepted"])
    assert not visitor.get("/cart").text.count("Falke")


@pytest.mark.scenario("K1", "two clicks on order and pay: one order, one payment")
def test_a_second_click_finds_the_first_ones_order(shop: Flask, new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    form = fields(visitor.get("/checkout"), "/checkout") | ADDRESS | {"method": "card_declined"}
    cookie = visitor.get_cookie("halbschatten_session")
    assert cookie is not None
    first = visitor.post("/checkout", data=form)
    # The second click left the browser before the first one's answer came: same form, same cookie.
    visitor.set_cookie("halbschatten_session", cookie.value)
    second = visitor.post("/checkout", data=form)
    assert first.location == second.location == "/orders/A-1001"
    assert state_of(shop, "A-1001") == ("pending", ["declined"])
    with shop.app_context():
        assert orders.find("A-1002") is None


def test_a_declined_card_can_be_followed_by_a_good_one(shop: Flask, new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    place(visitor, "card_declined")
    form = fields(visitor.get("/orders/A-1001"), "/orders/A-1001/pay") | {"method": "card"}
    visitor.post("/orders/A-1001/pay", data=form)
    visitor.post("/orders/A-1001/pay", data=form)
    assert state_of(shop, "A-1001") == ("paid", ["declined", "accepted"])


def test_the_bank_confirms_from_its_own_app(shop: Flask, new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    address = place(visitor, "bank").location
    assert address.startswith("http://localhost:5001/payments/")
    bank = create_bank(shop, shop_port=5000).test_client()
    page = address.removeprefix("http://localhost:5001")
    assert "24" in bank.get(page).text  # 19.63 + 4.90
    assert bank.post(page + "/confirm").status_code == 303
    assert bank.post(page + "/confirm").status_code == 303
    assert bank.post(page + "/refuse").status_code == 303
    assert state_of(shop, "A-1001") == ("paid", ["accepted"])


def test_money_that_comes_for_a_cancelled_order_goes_back(shop: Flask, new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    place(visitor, "bank")
    form = fields(visitor.get("/orders/A-1001"), "/orders/A-1001/cancel")
    visitor.post("/orders/A-1001/cancel", data=form)
    assert state_of(shop, "A-1001") == ("cancelled", ["stopped"])
    with shop.app_context():
        till.confirm_payment("A-1001")
    assert state_of(shop, "A-1001") == ("cancelled", ["refunded"])


def test_a_paid_order_is_cancelled_with_its_money_and_never_shipped(
    shop: Flask, new_visitor: Callable[[], FlaskClient]
) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    place(visitor, "card")
    visitor.post("/orders/A-1001/cancel", data=fields(visitor.get("/orders/A-1001"), "/orders/A-1001/cancel"))
    assert state_of(shop, "A-1001") == ("cancelled", ["refunded"])
    with shop.app_context():
        order = orders.find("A-1001")
        assert order is not None
        assert not till.ship_order(order)


def test_a_parcel_leaves_once_and_then_cancelling_is_too_late(
    shop: Flask, new_visitor: Callable[[], FlaskClient]
) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    place(visitor, "card")
    with shop.app_context():
        order = orders.find("A-1001")
        assert order is not None
        assert [till.ship_order(order), till.ship_order(order), till.cancel_order(order)] == [True, False, False]
    assert state_of(shop, "A-1001") == ("paid", ["accepted"])


def test_somebody_elses_order_does_not_exist(new_visitor: Callable[[], FlaskClient]) -> None:
    guest, other, customer = new_visitor(), new_visitor(), new_visitor()
    add(guest, "falke")
    place(guest, "card")
    sign_in(customer, "cust_42")
    token = fields(customer.get("/account"), "/account/sign-out")
    for stranger in (other, customer):
        assert stranger.get("/orders/A-1001").status_code == 404
        assert "A-1001" not in stranger.get("/orders").text
    assert customer.post("/orders/A-1001/cancel", data=token).status_code == 404
    assert customer.post("/orders/A-1001/pay", data=token | {"number": "2", "method": "card"}).status_code == 404
    assert guest.get("/orders/A-1001").status_code == 200


def test_a_form_without_the_sessions_token_does_nothing(new_visitor: Callable[[], FlaskClient]) -> None:
    visitor, stranger = new_visitor(), new_visitor()
    foreign = fields(stranger.get("/articles/falke"), "/cart/add")
    for token in ("", "nonsense", foreign["csrf_token"]):
        assert visitor.post("/cart/add", data={"sku": "falke", "csrf_token": token}).status_code == 400
    assert "falke" not in visitor.get("/cart").text


@pytest.mark.parametrize("quantity", ["-1", "1e3", "٣", "100", "", "0"])
def test_a_strange_quantity_adds_one(new_visitor: Callable[[], FlaskClient], quantity: str) -> None:
    visitor = new_visitor()
    page = visitor.get("/articles/falke")
    visitor.post("/cart/add", data=fields(page, "/cart/add") | {"quantity": quantity})
    assert re.search(r'name="quantity"[^>]*value="1"', visitor.get("/cart").text)


def test_what_is_missing_is_said_and_nothing_is_ordered(new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    answer = place(visitor, "card", email="nobody", postcode="1", name=" ")
    assert answer.status_code == 422
    assert answer.text.count("field-error") == 3
    assert place(visitor, "gold").status_code == 422
    assert "A-1001" not in visitor.get("/orders").text


def test_another_total_than_the_one_shown_is_not_charged(new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    add(visitor, "falke")
    seen = fields(visitor.get("/checkout"), "/checkout")["seen_total"]
    add(visitor, "karo")
    assert place(visitor, "card", seen_total=seen).status_code == 422
    assert "A-1001" not in visitor.get("/orders").text


def test_the_drawer_leads_back_only_into_the_shop(new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    token = {"csrf_token": fields(visitor.get("/cart"), "/demo/do/well")["csrf_token"]}
    for elsewhere in ("//example.org", "https://example.org", "/\\example.org", ""):
        assert visitor.post("/demo/do/well", data=token | {"back": elsewhere}).location == "/"
    assert visitor.post("/demo/do/well", data=token | {"back": "/cart"}).location == "/cart"


def test_languages_have_the_same_texts() -> None:
    german, english, chinese = (language.texts(code) for code in ("de", "en", "zh"))
    assert german.keys() == english.keys()
    # Chinese has no singular of its own.
    assert {key for key in german if not key.endswith(".one")} == set(chinese)
    assert not [key for key, text in (german | english | chinese).items() if not text.strip() or "!" in text]


@pytest.mark.parametrize(("asked", "tag"), [("en-GB,en", "en"), ("zh-CN,zh", "zh-Hans"), ("fr", "de"), ("", "de")])
def test_the_browsers_language_is_spoken(new_visitor: Callable[[], FlaskClient], asked: str, tag: str) -> None:
    assert f'<html lang="{tag}">' in new_visitor().get("/", headers={"Accept-Language": asked}).text


def test_the_chosen_language_stays(new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    visitor.get("/?lang=zh")
    assert '<html lang="zh-Hans">' in visitor.get("/cart", headers={"Accept-Language": "de"}).text
    assert '<html lang="zh-Hans">' in visitor.get("/?lang=xx").text


def test_every_answer_forbids_foreign_scripts(new_visitor: Callable[[], FlaskClient]) -> None:
    visitor = new_visitor()
    for path in ("/", "/cart", "/nothing", "/static/shop.css", "/healthz"):
        with visitor.get(path) as answer:
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
