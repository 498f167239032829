"""Choosing a number of points: apply sets it, remove forgets it, the cart's changes are told, other people are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from _small_shop import Provider, SmallShop, Visitor, cart_of


def test_applying_shows_points_worth_and_due(anna: Visitor) -> None:
    answer = anna.apply("427")
    assert (answer.status_code, answer.location) == (303, "/cart")
    page = anna.browser.get("/cart").text
    assert 'data-state="applied"' in page
    assert "€4.27" in page
    assert "€55.63" in page


@pytest.mark.scenario("T9", "applying twice sets the number, it does not add")
def test_applying_again_sets_and_never_adds(anna: Visitor) -> None:
    anna.apply("427")
    anna.apply("427")
    anna.apply("100")
    wish = anna.wish()
    assert wish is not None
    assert wish["points"] == 100


@pytest.mark.scenario("T16", "applied points can be removed again before the order is placed")
def test_remove_forgets_the_wish(anna: Visitor) -> None:
    anna.apply("427")
    assert anna.post("/points/remove", next="/cart").status_code == 303
    assert anna.wish() is None
    assert 'data-state="ready"' in anna.browser.get("/cart").text


REFUSED = [
    ("0", "points_zero"),
    ("-1", "points_negative"),
    ("1e3", "points_not_whole"),
    ("true", "points_not_whole"),
    ("1.0", "points_not_whole"),
    ("٣", "points_not_whole"),
    ("1" + "0" * 100, "points_too_large"),
    ("", "points_missing"),
    ("2501", "insufficient_points"),
    ("1 000", "points_not_whole"),
    ("<b>", "points_not_whole"),
]


@pytest.mark.scenario("B1", "only a positive whole number in plain digits is taken; the wish and the cart stay")
@pytest.mark.parametrize(("entered", "code"), REFUSED)
def test_what_is_no_number_of_points_is_refused_and_changes_nothing(
    anna: Visitor, provider: Provider, entered: str, code: str
) -> None:
    anna.apply("427")
    before = anna.wish()
    answer = anna.apply(entered)
    assert (answer.status_code, answer.location) == (303, "/cart")
    assert anna.wish() == before
    page = anna.browser.get("/cart").text
    assert f"code.{code}" not in page
    assert "pg-note" in page
    assert "<b>" not in page
    assert "authorize" not in provider.operations()
    # It is said once.
    assert "pg-note" not in anna.browser.get("/cart").text


@pytest.mark.parametrize(("entered", "code"), REFUSED)
def test_a_script_is_told_the_code(anna: Visitor, entered: str, code: str) -> None:
    answer = anna.browser.post(
        "/points/apply",
        data={"points": entered},
        headers={"Accept": "application/json", "X-Punktgenau-CSRF": anna.token()},
    )
    problem = answer.get_json()
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert (problem["code"], problem["outcome"], problem["status"]) == (code, "not_done", 422)
    assert problem["field"] == "points"
    assert problem["detail"]


@pytest.mark.parametrize("points", [True, 1.0, "427", [427], None, {"a": 1}, 10**100, 0, -1])
def test_json_takes_json_integers_only(anna: Visitor, points: object) -> None:
    headers = {"X-Punktgenau-CSRF": anna.token()}
    answer = anna.browser.post("/points/apply", json={"points": points}, headers=headers)
    if points == "427":
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
        assert anna.wish() is None


@pytest.mark.scenario("B6", "a body that is not JSON, too deep or too long is a 4xx, and nothing changes")
@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 422), (b"[" * 9_000, 422), (b'{"points": 1}' + b" " * 20_000, 413), (b"\xff\xfe", 422)]
)
def test_a_body_that_is_not_json_is_refused(anna: Visitor, body: bytes, status: int) -> None:
    headers = {"X-Punktgenau-CSRF": anna.token()}
    answer = anna.browser.post("/points/apply", data=body, content_type="application/json", headers=headers)
    assert answer.status_code == status
    assert anna.wish() is None


def test_a_number_above_the_bill_is_refused_with_what_is_possible(small: SmallShop, anna: Visitor) -> None:
    small.shop.cart = cart_of(1000)
    answer = anna.browser.post(
        "/points/apply", json={"points": 1001}, headers={"X-Punktgenau-CSRF": anna.token()}
    ).get_json()
    assert (answer["code"], answer["remaining"]) == ("exceeds_total", 1000)


def test_a_number_below_the_minimum_is_refused(make_shop: Callable[..., SmallShop]) -> None:
    small = make_shop(PUNKTGENAU_MIN_POINTS=100)
    small.link()
    anna = small.visitor("anna")
    answer = anna.browser.post("/points/apply", json={"points": 99}, headers={"X-Punktgenau-CSRF": anna.token()})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "below_minimum")
    assert anna.wish() is None


def test_a_rest_too_small_for_a_card_offers_both_neighbours(small: SmallShop, anna: Visitor) -> None:
    small.shop.cart = cart_of(600)
    anna.apply("577")
    page = anna.browser.get("/cart").text
    assert 'data-state="small_rest"' in page
    assert 'value="550"' in page
    assert 'value="600"' in page


@pytest.mark.scenario("T11", "a smaller cart re-clamps the points, says so, and nothing is ever below zero")
@pytest.mark.scenario("K10", "a cart that changed after applying is quoted again; the worth never exceeds the bill")
def test_a_smaller_cart_reclamps_and_says_so_until_the_customer_acts(small: SmallShop, anna: Visitor) -> None:
    anna.apply("427")
    small.shop.cart = cart_of(300)
    for _ in range(2):
        page = anna.browser.get("/cart").text
        assert 'data-state="reclamped"' in page
        assert "427" in page
    wish = anna.wish()
    assert wish is not None
    assert (wish["shown"], wish["reclamped_from"]) == (300, 427)
    anna.apply("300")
    assert 'data-state="applied"' in anna.browser.get("/cart").text


@pytest.mark.scenario("T12", "a larger cart is followed, and the customer is told")
def test_a_cart_that_grows_again_brings_the_wish_back(small: SmallShop, anna: Visitor) -> None:
    anna.apply("427")
    small.shop.cart = cart_of(300)
    anna.browser.get("/cart")
    small.shop.cart = cart_of(5990)
    page = anna.browser.get("/cart").text
    assert 'data-state="reclamped"' in page
    wish = anna.wish()
    assert wish is not None
    assert (wish["shown"], wish["reclamped_from"]) == (427, 300)


def test_all_follows_the_cart(small: SmallShop, anna: Visitor) -> None:
    anna.apply("all")
    assert "€34.90" in anna.browser.get("/cart").text
    small.shop.cart = cart_of(1000)
    anna.browser.get("/cart")
    wish = anna.wish()
    assert wish is not None
    assert (wish["points"], wish["shown"]) == ("all", 1000)


@pytest.mark.scenario("S20", "a wish belongs to the customer who made it, not to the browser")
def test_somebody_else_in_the_same_browser_does_not_inherit_the_wish(small: SmallShop, anna: Visitor) -> None:
    small.link("ben", "mbr_42")
    anna.apply("427")
    anna.browser.post("/sign-in", data={"customer": "ben"})
    page = anna.browser.get("/cart").text
    assert 'data-state="ready"' in page
    assert anna.wish() is None


def test_a_wish_is_for_one_currency(small: SmallShop, anna: Visitor) -> None:
    anna.apply("427")
    small.shop.cart = cart_of(5990, currency="CHF")
    page = anna.browser.get("/cart").text
    assert "427" not in page


def test_the_states_of_those_who_have_no_points_here(small: SmallShop, provider: Provider) -> None:
    assert 'data-state="guest"' in small.visitor().browser.get("/cart").text
    assert 'data-state="not_linked"' in small.visitor("ben").browser.get("/cart").text
    small.link("zoe", "mbr_0")
    assert 'data-state="no_balance"' in small.visitor("zoe").browser.get("/cart").text


def test_a_provider_that_is_away_leaves_the_cart_page_standing(
    small: SmallShop, anna: Visitor, provider: Provider
) -> None:
    provider.fault("balance", "status_503", times=20)
    page = anna.browser.get("/cart")
    assert page.status_code == 200
    assert 'data-state="away"' in page.text


def test_a_withdrawn_consent_is_a_state(anna: Visitor, provider: Provider) -> None:
    provider.control("POST", "/members/mbr_2500/withdraw-consent", {})
    page = anna.browser.get("/cart")
    assert page.status_code == 200
    assert 'data-state="not_linked"' in page.text


def test_an_empty_cart_has_no_box(small: SmallShop, anna: Visitor) -> None:
    small.shop.cart = None
    assert anna.browser.get("/cart").text == "<h1>Cart</h1>"


def test_the_live_preview_is_json_and_changes_nothing(anna: Visitor) -> None:
    answer = anna.browser.get("/points/quote?points=427")
    body = answer.get_json()
    assert body["points"] == 427
    assert body["value"] == {"amount_minor": 427, "currency": "EUR"}
    assert body["due"] == {"amount_minor": 5563, "currency": "EUR"}
    assert (body["least"], body["most"]) == (1, 2500)
    assert body["texts"]["due"] == "€55.63"
    assert answer.headers["Cache-Control"] == "no-store"
    assert anna.wish() is None


def test_the_preview_speaks_the_browsers_language(anna: Visitor) -> None:
    body = anna.browser.get("/points/quote?points=427", headers={"Accept-Language": "fr, de-AT, en;q=0.5"}).get_json()
    assert body["texts"]["due"].replace("\xa0", " ") == "€ 55,63"


@pytest.mark.scenario("S1", "amounts, rates and members in the request are ignored; only the number of points counts")
@pytest.mark.scenario("T8", "totals that the browser sends count for nothing: the shop reckons everything itself")
def test_amounts_from_the_browser_are_ignored(anna: Visitor, provider: Provider) -> None:
    anna.post(
        "/points/apply", points="427", value="5990", due="0", total="1", member_id="mbr_42", customer="ben", rate="9"
    )
    anna.place("A-1", value="9999", due="0", total="1")
    assert anna.small.shop.paid == {"A-1": 5563}
    assert provider.states("A-1") == [("captured", 427)]


def test_pages_of_ours_are_private(anna: Visitor) -> None:
    for path in ("/points/panel", "/points/history", "/points/quote?points=1"):
        answer = anna.browser.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Cookie" in answer.headers["Vary"]
