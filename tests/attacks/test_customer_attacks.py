"""What a clever customer tries at a real shop: replays, guesses, somebody else's session, more than is allowed."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from flask import session

from _small_shop import Provider, SmallShop, Visitor, cart_of, hidden
from flask_punktgenau.signals import redemption_authorized
from punktgenau.checkout import Payment


def fields_of(page: str) -> dict[str, str]:
    """What the shop's own form carries of ours."""
    names = ("punktgenau_apply", "punktgenau_seen_points", "punktgenau_seen_due")
    return {name: hidden(page, name) for name in names}


# S5: an old price is shown again


@pytest.mark.scenario("S5", "a form made for another cart, or for another rate, holds nothing and is shown anew")
@pytest.mark.parametrize("what", ["cart", "rate"])
def test_a_form_of_an_earlier_price(small: SmallShop, anna: Visitor, provider: Provider, what: str) -> None:
    anna.apply("427")
    form = fields_of(anna.browser.get("/checkout").text) | {"punktgenau_points": "427"}
    assert form["punktgenau_seen_due"] == "5563"
    if what == "cart":
        small.shop.cart = cart_of(9990)
    else:
        rate = {"id": "rate_2", "points": 1, "amount_minor": 2, "currency": "EUR"}
        provider.control("POST", "/programme", {"rate": rate})
        with small.app.app_context():
            small.points.checkout.balance("anna", max_age_s=0)
    answer = anna.place("A-1", **form)
    assert answer.status_code == 409
    assert small.shop.paid == {}
    assert provider.redemptions() == []


@pytest.mark.scenario(
    "S5", "a wish is used once: replaying the form, or the browser's whole cookie, pays no second time"
)
def test_what_was_used_is_used(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    form = fields_of(anna.browser.get("/checkout").text) | {"punktgenau_points": "427"}
    cookie = anna.browser.get_cookie("session")
    assert cookie is not None
    anna.place("A-1", **form)
    anna.place("A-1", **form)
    anna.place("A-2")
    anna.browser.set_cookie("session", cookie.value)
    anna.place("A-1", **form)
    assert provider.states("A-1") == [("captured", 427)]
    assert provider.states("A-2") == []
    assert provider.available() == 2500 - 427


# S12: guessing


@pytest.mark.scenario("S12", "an order of somebody else and one that does not exist are told apart by nothing")
@pytest.mark.parametrize("path", ["/points/retry", "/points/without"])
def test_orders_cannot_be_counted(
    small: SmallShop, anna: Visitor, provider: Provider, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider.fault("authorize", "reset", when="after", times=50)
    anna.apply("427")
    anna.place("A-1")
    small.link("ben", "mbr_42")
    ben = small.visitor("ben")
    provider.no_faults()
    asked = provider.operations()
    with caplog.at_level(logging.WARNING):
        answers = [ben.post(path, order_reference=one) for one in ("A-1", "A-9999", "A-1 ", "x" * 36)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({(answer.data, str(sorted(answer.headers))) for answer in answers}) == 1
    assert provider.operations() == asked
    refusals = [one.getMessage() for one in caplog.records if one.name == "flask_punktgenau"]
    assert len(refusals) == 4
    assert "A-1" not in "".join(refusals)


@pytest.mark.scenario("S12", "a code can be guessed once for each way begun here, and a balance not at all")
def test_guesses_do_not_reach_the_provider(small: SmallShop, provider: Provider) -> None:
    ben = small.visitor("ben")
    for number in range(20):
        assert ben.browser.get(f"/points/callback?state={number:032x}&code=cod_{number}").status_code == 400
        assert ben.browser.get(f"/points/quote?points={number}&member_id=mbr_2500").status_code in (409, 422)
        assert ben.browser.get("/points/history?cursor=1&member_id=mbr_2500").status_code == 200
    assert provider.operations() == []
    assert ben.browser.get("/points/connect").status_code == 303
    with ben.browser.session_transaction() as kept:
        state = kept["_punktgenau_link"][0][0]
    for number in range(5):
        assert ben.browser.get(f"/points/callback?state={state}&code=cod_{number}").status_code == 400
    assert provider.operations() == ["identify"]


@pytest.mark.scenario("S12", "typing in the cart asks the provider for the balance at most once in five seconds")
def test_looking_is_not_asking(anna: Visitor, provider: Provider) -> None:
    for number in range(1, 30):
        assert anna.browser.get(f"/points/quote?points={number}").status_code == 200
    assert provider.operations().count("balance") == 1
    assert "quote" not in provider.operations()


# S13: a stolen session


@pytest.mark.scenario("S13", "more than the shop's cap for an order is not held, whichever way a session asks for it")
def test_a_stolen_session_takes_no_more_than_the_cap(make_shop: Callable[..., SmallShop], provider: Provider) -> None:
    small = make_shop(PUNKTGENAU_MAX_POINTS=500)
    small.link()
    thief = small.visitor("anna")
    thief.apply("2500")
    thief.place("A-1")
    thief.place("A-2", punktgenau_apply="1", punktgenau_points="2500")
    thief.apply("all")
    thief.place("A-3")
    with thief.browser.session_transaction() as kept:
        kept["_punktgenau"] = {"points": 2500, "customer": "anna", "currency": "EUR", "shown": 2500}
    thief.place("A-4")
    held = [points for one in ("A-1", "A-2", "A-3", "A-4") for _, points in provider.states(one)]
    assert held
    assert max(held) <= 500


@pytest.mark.scenario("S13", "the shop hears of every hold as it is made, so that it can tell the customer")
def test_every_hold_is_told(small: SmallShop, anna: Visitor) -> None:
    told: list[tuple[str, int]] = []

    def tell(_app: object, payment: Payment, **_: object) -> None:
        told.append((payment.order_reference, payment.points))

    with redemption_authorized.connected_to(tell):
        anna.apply("427")
        anna.place("A-1")
        anna.place("A-1")
    assert told == [("A-1", 427)]


@pytest.mark.scenario(
    "S13", "a shop that wants a fresh sign-in first says so in its customer_loader: no points till then"
)
def test_step_up(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    small.points.customer_loader(lambda: session.get("customer") if session.get("fresh") else None)
    stale = anna.place("A-1")
    assert stale.status_code in (303, 409)
    assert provider.redemptions() == []
    assert "2,500" not in anna.browser.get("/cart").text


# S18: what is not asked for


@pytest.mark.scenario("S18", "unknown and prototype keys, and a method in a header or field, change nothing")
def test_what_is_not_asked_for_is_not_taken(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    body: dict[str, object] = {
        "points": 10, "shown": 9, "customer": "ben", "currency": "CHF", "value": 1, "member_id": "mbr_42",
        "__proto__": {"points": 2500}, "constructor": {"prototype": {"points": 2500}}, "_punktgenau": {"points": 2500},
    }  # fmt: skip
    headers = {"X-Punktgenau-CSRF": anna.token()}
    assert anna.browser.post("/points/apply", json=body, headers=headers).status_code == 200
    assert anna.wish() == {"points": 10, "customer": "anna", "currency": "EUR", "shown": 10}
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        anna.browser.get("/points/panel?_method=POST", headers={**headers, name: "POST"})
        assert anna.browser.get("/points/disconnect", headers={**headers, name: "POST"}).status_code == 405
        anna.browser.post("/points/remove", headers={name: "GET"})
    assert anna.wish() is not None
    with small.app.app_context():
        assert small.points.checkout.find_link("anna") is not None


# S20: who is here changes between hold and capture


@pytest.mark.scenario("S20", "what was held is paid for by who held it, whoever is signed in when the money comes")
def test_another_login_between_hold_and_capture(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    provider.control("POST", "/members", {"id": "mbr_ben", "points": 1000})
    small.link("ben", "mbr_ben")
    anna.apply("427")
    anna.place("A-1", card="later")
    anna.browser.post("/sign-out")
    anna.browser.post("/sign-in", data={"customer": "ben"})
    assert anna.post("/points/without", order_reference="A-1").status_code == 404
    # The shop's route is careless and lets ben place anna's order again: her points are not his to use.
    for points in ("42", "427"):
        assert anna.place("A-1", punktgenau_apply="1", punktgenau_points=points).status_code == 409
    anna.browser.post("/pay/A-1")
    assert provider.states("A-1") == [("captured", 427)]
    assert (provider.available("mbr_2500"), provider.available("mbr_ben")) == (2500 - 427, 1000)


# S21: what is not for shoppers

GUESSES = (
    "/points/admin", "/points/admin/", "/points/admin/redemptions", "/points/recover", "/points/upgrade",
    "/points/worker", "/points/resolve", "/points/capture", "/points/void", "/points/cancel", "/points/authorize",
    "/points/refund", "/points/sandbox/reset", "/points//admin", "/points/panel/../admin", "/sandbox/reset",
)  # fmt: skip


@pytest.mark.scenario("S21", "no route of the extension captures, frees, recovers or repairs for who knocks")
@pytest.mark.parametrize("who", [None, "anna"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_for_operators_is_open(small: SmallShop, provider: Provider, who: str | None, method: str) -> None:
    visitor = small.visitor(who)
    form = {"punktgenau_csrf": visitor.token(), "order_reference": "A-1", "operator": "1"}
    for path in GUESSES:
        answer = visitor.browser.open(path, method=method, data=form, follow_redirects=True)
        assert answer.status_code == 404, path
    assert provider.operations() == []


@pytest.mark.scenario("S21", "what a browser may ask the extension to write is these ten things, and each is one's own")
def test_the_doors_that_write(small: SmallShop) -> None:
    writing = {
        rule.rule
        for rule in small.app.url_map.iter_rules()
        if rule.endpoint.startswith("punktgenau.") and (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    own = {"/points/apply", "/points/remove", "/points/disconnect", "/points/retry", "/points/without"}
    own |= {"/points/voucher", "/points/payout"}
    own |= {"/points/vouchers/add", "/points/vouchers/use", "/points/vouchers/remove"}
    assert writing == own | {"/points/webhook"}


# Beside the list


@pytest.mark.parametrize(
    "path",
    [
        "/points/history",
        "/points/exchange",
        "/points/vouchers",
        "/points/panel",
        "/points/quote?points=1",
        "/points/apply",
    ],
)
def test_no_frame_and_no_copy(anna: Visitor, path: str) -> None:
    answer = anna.browser.get(path) if "apply" not in path else anna.browser.post(path)
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_shops_own_policy_stands(make_shop: Callable[..., SmallShop]) -> None:
    small = make_shop()

    @small.app.after_request
    def add(response):  # type: ignore[no-untyped-def]
        response.headers.setdefault("Content-Security-Policy", "default-src 'self'")
        return response

    answer = small.visitor().browser.get("/points/history")
    assert answer.headers["Content-Security-Policy"] == "default-src 'self'"


def test_a_host_that_is_not_the_shops(small: SmallShop, anna: Visitor) -> None:
    """With Flask's own list of hosts; without it, only who sends the header is told that address."""
    assert "evil" in (anna.browser.get("/points/connect", base_url="http://evil.example").location or "")
    assert "evil" not in (anna.browser.get("/points/connect").location or "")
    small.app.config["TRUSTED_HOSTS"] = ["localhost"]
    assert anna.browser.get("/points/connect", base_url="http://evil.example").status_code == 400
    assert anna.browser.get("/points/connect").status_code == 303


def test_a_refused_form_that_is_too_large_is_refused_all_the_same(anna: Visitor) -> None:
    body = {"next": "/" + "a" * 20_000, "points": "1"}
    answer = anna.browser.post("/points/apply", data=body, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 400


@pytest.mark.scenario("S3", "another site's link begins no linking by itself: a page of the shop asks first")
def test_another_site_begins_no_linking(small: SmallShop) -> None:
    ben = small.visitor("ben")
    answer = ben.browser.get("/points/connect?next=/cart", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert "/points/connect?next=/cart" in answer.text
    with ben.browser.session_transaction() as kept:
        assert "_punktgenau_link" not in kept
    for site in ("same-origin", "same-site", "none"):
        assert ben.browser.get("/points/connect", headers={"Sec-Fetch-Site": site}).status_code == 303


@pytest.mark.scenario(
    "S2", "two customers of one account: neither is led to the other's order by the movements of both"
)
def test_the_movements_of_one_account_lead_to_ones_own_orders(small: SmallShop, anna: Visitor) -> None:
    small.link("ben", "mbr_2500")
    anna.apply("427")
    anna.place("A-1")
    assert 'href="/orders/A-1"' in anna.browser.get("/points/history").text
    page = small.visitor("ben").browser.get("/points/history").text
    assert "A-1" in page
    assert "/orders/A-1" not in page


@pytest.mark.parametrize("path", ["/cart", "/checkout", "/orders/A-1"])
def test_a_page_with_points_on_it_is_kept_by_nobody(anna: Visitor, path: str) -> None:
    anna.apply("427")
    anna.place("A-1", card="later")
    assert anna.browser.get(path).headers["Cache-Control"] == "no-store"


def test_a_shop_that_says_how_long_is_heard(make_shop: Callable[..., SmallShop]) -> None:
    small = make_shop()

    @small.app.after_request
    def add(response):  # type: ignore[no-untyped-def]
        response.headers["Cache-Control"] = "private, max-age=5"
        return response

    assert small.visitor().browser.get("/cart").headers["Cache-Control"] == "private, max-age=5"
