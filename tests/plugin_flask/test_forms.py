"""Forms of ours are taken only from pages of this shop, with and without Flask-WTF."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask_wtf.csrf import CSRFProtect

from _small_shop import Provider, SmallShop, Visitor, hidden

POSTS = ["/points/apply", "/points/remove", "/points/disconnect", "/points/retry", "/points/without"]
FORM = {"points": "100", "order_reference": "A-1", "next": "/cart"}


@pytest.fixture
def anna_at_work(anna: Visitor, provider: Provider) -> Visitor:
    """427 points are chosen, and the order A-1 holds 42."""
    with anna.small.app.app_context():
        cart = anna.small.shop.cart
        assert cart is not None
        anna.small.shop.order("A-1", customer_id="anna")
        anna.small.points.authorize("A-1", cart, customer_id="anna", points=42)
    anna.apply("427")
    return anna


def unchanged(visitor: Visitor, provider: Provider) -> bool:
    wish = visitor.wish()
    with visitor.small.app.app_context():
        linked = visitor.small.points.checkout.find_link("anna") is not None
    return wish is not None and wish["points"] == 427 and linked and provider.states("A-1") == [("authorized", 42)]


@pytest.mark.scenario("S3", "a form without the token of this session changes nothing")
@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("token", ["", "x", "x.y.z"])
def test_without_the_token_nothing_changes(anna_at_work: Visitor, provider: Provider, path: str, token: str) -> None:
    answer = anna_at_work.browser.post(path, data=FORM | {"punktgenau_csrf": token})
    assert answer.status_code == 400
    assert unchanged(anna_at_work, provider)


@pytest.mark.parametrize("path", POSTS)
def test_the_token_of_another_session_is_refused(
    small: SmallShop, anna_at_work: Visitor, provider: Provider, path: str
) -> None:
    foreign = small.visitor("ben").token()
    assert anna_at_work.browser.post(path, data=FORM | {"punktgenau_csrf": foreign}).status_code == 400
    assert unchanged(anna_at_work, provider)


@pytest.mark.scenario("S3", "a form that the browser says comes from another site is refused, token or not")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
        {"Referer": "https://evil.example/localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.localhost"},
        {"Origin": "http://[broken"},
    ],
)
def test_other_sites_are_refused(anna_at_work: Visitor, provider: Provider, headers: dict[str, str]) -> None:
    token = anna_at_work.token()
    answer = anna_at_work.browser.post("/points/apply", data=FORM | {"punktgenau_csrf": token}, headers=headers)
    assert answer.status_code == 400
    assert unchanged(anna_at_work, provider)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"},
        {"Referer": "http://localhost/cart"},
        # Behind a proxy that passes another Host on, the browser's own word counts.
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://shop.example"},
    ],
)
def test_the_shops_own_pages_are_taken(anna: Visitor, headers: dict[str, str]) -> None:
    token = anna.token()
    answer = anna.browser.post("/points/apply", data=FORM | {"punktgenau_csrf": token}, headers=headers)
    assert answer.status_code == 303
    assert anna.wish() is not None


def test_a_refused_form_is_a_page_and_for_scripts_a_problem(anna: Visitor) -> None:
    page = anna.browser.post("/points/apply", data=FORM)
    assert (page.status_code, page.content_type) == (400, "text/html; charset=utf-8")
    answer = anna.browser.post("/points/apply", json={"points": 427})
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.get_json()["code"] == "form_expired"


@pytest.mark.scenario("S18", "GET, HEAD and a method override do not write")
def test_reading_requests_do_not_write(anna: Visitor) -> None:
    token = anna.token()
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        assert anna.browser.open("/points/apply", method=method).status_code == 405
    anna.browser.get("/points/panel", query_string={"points": "427", "_method": "POST", "punktgenau_csrf": token})
    assert anna.wish() is None


def test_a_new_secret_key_takes_forms_of_the_old_one(anna: Visitor) -> None:
    token = anna.token()
    app = anna.small.app
    app.config.update(SECRET_KEY_FALLBACKS=[app.secret_key], SECRET_KEY="the next one")
    assert anna.browser.post("/points/apply", data=FORM | {"punktgenau_csrf": token}).status_code == 303


def test_without_a_secret_key_the_shop_is_told(make_shop: Callable[..., SmallShop]) -> None:
    small = make_shop(SECRET_KEY=None)
    small.points.customer_loader(lambda: "anna")
    answer = small.app.test_client().get("/cart")
    assert answer.status_code == 503


@pytest.mark.parametrize("token", [None, "x"])
def test_a_script_without_the_token_is_told_how_to_send_it(anna: Visitor, token: str | None) -> None:
    headers = {} if token is None else {"X-Punktgenau-CSRF": token}
    answer = anna.browser.post("/points/apply", json={"points": 427}, headers=headers)
    problem = answer.get_json()
    assert (answer.status_code, problem["code"], problem["field"]) == (400, "form_expired", "csrf")
    assert "X-Punktgenau-CSRF" in problem["hint"]
    assert "X-CSRFToken" in problem["hint"]


def test_our_token_is_taken_under_its_common_name(anna: Visitor) -> None:
    answer = anna.browser.post("/points/apply", json={"points": 427}, headers={"X-CSRFToken": anna.token()})
    assert answer.status_code == 200
    assert anna.browser.post("/points/apply", json={"points": 1}, headers={"X-CSRFToken": "x"}).status_code == 400


class TestFlaskWtf:
    """Where the shop protects its forms with Flask-WTF, its token is ours, and there is no second one."""

    @pytest.fixture
    def visitor(self, small: SmallShop) -> Visitor:
        protect = CSRFProtect()
        small.app.extensions.pop("csrf", None)
        protect.init_app(small.app)
        for view in ("sign_in", "place"):
            protect.exempt(small.app.view_functions[view])
        return small.visitor("anna")

    def test_its_token_is_in_our_forms_and_is_taken(self, visitor: Visitor) -> None:
        page = visitor.browser.get("/cart").text
        assert "punktgenau_csrf" not in page
        token = hidden(page, "csrf_token")
        assert visitor.browser.post("/points/apply", data=FORM | {"csrf_token": token}).status_code == 303
        assert visitor.wish() is not None

    @pytest.mark.parametrize("form", [{}, {"csrf_token": "x"}])
    def test_without_it_nothing_changes(self, visitor: Visitor, form: dict[str, str]) -> None:
        assert visitor.browser.post("/points/apply", data=FORM | form).status_code == 400
        assert visitor.wish() is None

    def test_its_header_is_taken_from_scripts(self, visitor: Visitor) -> None:
        token = hidden(visitor.browser.get("/cart").text, "csrf_token")
        answer = visitor.browser.post("/points/apply", json={"points": 427}, headers={"X-CSRFToken": token})
        assert answer.status_code == 200

    def test_scripts_are_told_its_header_where_the_check_is_ours(self, visitor: Visitor) -> None:
        protect = visitor.small.app.extensions["csrf"]
        protect.exempt(visitor.small.app.blueprints["punktgenau"])
        answer = visitor.browser.post("/points/apply", json={"points": 427})
        assert (answer.status_code, answer.get_json()["code"]) == (400, "form_expired")
        assert "X-CSRFToken" in answer.get_json()["hint"]

    def test_a_blueprint_that_the_shop_exempted_is_protected_all_the_same(self, visitor: Visitor) -> None:
        protect = visitor.small.app.extensions["csrf"]
        protect.exempt(visitor.small.app.blueprints["punktgenau"])
        assert visitor.browser.post("/points/apply", data=FORM).status_code == 400
        assert visitor.wish() is None

    def test_switched_off_for_tests_ours_is_used(self, visitor: Visitor) -> None:
        visitor.small.app.config["WTF_CSRF_ENABLED"] = False
        assert visitor.browser.post("/points/apply", data=FORM).status_code == 400
        assert visitor.apply("427").status_code == 303
