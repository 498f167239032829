"""Looking before an order is placed, showing a form again, and another try to pay an order with points."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import render_template_string

from _small_shop import Provider, SmallShop, Visitor, cart_of, hidden
from punktgenau.errors import PunktgenauError

FIELD = ("punktgenau_apply", "punktgenau_points", "punktgenau_seen_points", "punktgenau_seen_due")


@pytest.fixture
def shop(make_shop: Callable[..., SmallShop]) -> SmallShop:
    """The small shop with a form that looks before it places, and a page to pay an order again."""
    small = make_shop(PUNKTGENAU_DEADLINE_S="0.5")
    small.link()

    @small.app.post("/look")
    @small.app.post("/look/<reference>")
    def look(reference: str = "") -> tuple[str, int]:
        cart = small.shop.cart or cart_of(0)
        try:
            quote = small.points.quote(cart, order_reference=reference)
        except PunktgenauError as error:
            return error.code + render_template_string("{{ punktgenau_field() }}"), 422
        return "no points" if quote is None else f"{quote.points} points, due {quote.due.amount_minor}", 200

    @small.app.get("/again/<reference>")
    def again(reference: str) -> str:
        field = "{{ punktgenau_field(order_reference=reference) }}"
        return render_template_string(field, reference=reference)

    @small.app.get("/looks/<reference>")
    def looks(reference: str) -> str:
        quote = small.points.quote(small.shop.orders[reference].cart or cart_of(0), order_reference=reference)
        return "no points" if quote is None else f"{quote.points} points, due {quote.due.amount_minor}"

    return small


@pytest.fixture
def anna(shop: SmallShop) -> Visitor:
    return shop.visitor("anna")


def number(page: str) -> str:
    """What stands in the number field."""
    (value,) = re.findall(r'class="pg-number"[^>]*? value="([^"]*)"', page)
    return str(value)


def form_of(page: str) -> dict[str, str]:
    return {name: hidden(page, name) for name in FIELD if f'name="{name}" value="' in page}


def test_looking_says_what_is_due_and_holds_nothing(anna: Visitor, provider: Provider) -> None:
    assert anna.browser.post("/look").text == "no points"
    anna.apply("427")
    assert anna.browser.post("/look").text == "427 points, due 5563"
    assert "authorize" not in provider.operations()
    assert anna.wish() is not None


def test_looking_reads_the_number_of_the_same_form(anna: Visitor) -> None:
    anna.apply("100")
    form = form_of(anna.browser.get("/checkout").text) | {"punktgenau_points": "427"}
    assert anna.browser.post("/look", data=form).text == "427 points, due 5563"
    assert anna.browser.post("/look", data=form | {"punktgenau_points": ""}).text == "no points"


@pytest.mark.scenario("B1", "bad numbers in the shop's own form: refused before the order, with a sentence beside it")
@pytest.mark.parametrize(
    ("entered", "code"),
    [
        ("-5", "points_negative"),
        ("1e3", "points_not_whole"),
        ("٣", "points_not_whole"),
        ("1" + "0" * 100, "points_too_large"),
        ("2501", "insufficient_points"),
    ],
)
def test_a_number_that_cannot_be_taken_is_said_where_it_was_typed(
    anna: Visitor, provider: Provider, entered: str, code: str
) -> None:
    anna.apply("427")
    form = form_of(anna.browser.get("/checkout").text) | {"punktgenau_points": entered}
    answer = anna.browser.post("/look", data=form)
    assert (answer.status_code, answer.text.startswith(code)) == (422, True)
    assert f"You entered “{entered[:40]}”." in answer.text
    # What was used before is used still.
    assert number(answer.text) == "427"
    assert provider.redemptions() == []


def test_more_than_there_is_says_what_is_possible(anna: Visitor) -> None:
    form = form_of(anna.browser.get("/checkout").text) | {"punktgenau_points": "2501"}
    assert "Possible: 2,500 points." in anna.browser.post("/look", data=form).text


def test_a_form_that_is_shown_again_keeps_the_number(anna: Visitor, shop: SmallShop) -> None:
    form = form_of(anna.browser.get("/checkout").text) | {"punktgenau_points": "427"}
    shop.shop.cart = cart_of(6990)
    answer = anna.browser.post("/look", data=form)
    assert answer.text.startswith("amount_changed")
    assert number(answer.text) == "427"
    assert number(anna.browser.get("/checkout").text) == "427"


def test_a_form_that_is_shown_again_keeps_that_nothing_was_wanted(anna: Visitor, shop: SmallShop) -> None:
    anna.apply("427")
    form = form_of(anna.browser.get("/checkout").text) | {"punktgenau_points": ""}
    form |= {"punktgenau_seen_points": "0", "punktgenau_seen_due": "5990"}
    shop.shop.cart = cart_of(6990)
    assert number(anna.browser.post("/look", data=form).text) == ""
    assert anna.wish() is None


@pytest.mark.scenario("P11", "provider away: the form says so, and sending it again means without points")
def test_a_page_that_offers_no_points_means_none(anna: Visitor, shop: SmallShop, provider: Provider) -> None:
    anna.apply("427")
    provider.fault("balance", "status_503", times=50)
    with shop.app.app_context():
        shop.points.checkout.link("anna", member_id="mbr_2500", consent_id="con_mbr_2500")
    page = anna.browser.get("/checkout").text
    assert 'data-state="away"' in page
    assert form_of(page) == dict(zip(FIELD, ("1", "", "0", "5990"), strict=True))
    assert anna.place("A-1", **form_of(page)).status_code == 303
    assert shop.shop.paid == {"A-1": 5990}
    assert anna.wish() is None


def test_a_silent_provider_is_waited_for_once_per_page(anna: Visitor, shop: SmallShop, provider: Provider) -> None:
    anna.apply("427")
    provider.fault("balance", "hang", times=50)
    with shop.app.app_context():
        shop.points.checkout.link("anna", member_id="mbr_2500", consent_id="con_mbr_2500")
    before = provider.operations().count("balance")
    # The page looks with a quote of its own, and then shows the points box.
    assert 'data-state="away"' in anna.browser.post("/look").text
    assert provider.operations().count("balance") == before + 1


class TestAnotherTry:
    """`punktgenau_field(order_reference=...)`: the form to pay an order that is placed already."""

    def test_after_a_declined_card_the_same_points_stand_ready(
        self, anna: Visitor, shop: SmallShop, provider: Provider
    ) -> None:
        anna.apply("427")
        anna.place("A-1", card="declined")
        shop.shop.cart = None
        page = anna.browser.get("/again/A-1").text
        assert number(page) == "427"
        assert anna.browser.get("/looks/A-1").text == "427 points, due 5563"
        form = form_of(page) | {"punktgenau_points": "300"}
        shop.shop.cart = cart_of(5990)
        assert anna.place("A-1", **form).status_code == 303
        assert shop.shop.paid == {"A-1": 5690}
        assert provider.states("A-1") == [("captured", 300), ("voided", 427)]

    def test_points_that_are_held_go_along_unseen(self, anna: Visitor, shop: SmallShop, provider: Provider) -> None:
        anna.apply("all")
        anna.place("A-1", card="later")
        page = anna.browser.get("/again/A-1").text
        assert "pg-box" not in page
        assert form_of(page) == dict(zip(FIELD, ("1", "2500", "2500", "3490"), strict=True))
        anna.place("A-1", **form_of(page))
        assert provider.states("A-1") == [("captured", 2500)]
        assert shop.shop.paid == {"A-1": 3490}

    def test_the_wish_for_another_cart_is_not_meant(self, anna: Visitor, shop: SmallShop, provider: Provider) -> None:
        anna.apply("427")
        anna.place("A-1", card="declined")
        anna.apply("5")
        assert number(anna.browser.get("/again/A-1").text) == "427"
        assert anna.browser.get("/looks/A-1").text == "427 points, due 5563"

    def test_who_went_on_without_points_is_not_offered_them_again(self, anna: Visitor, provider: Provider) -> None:
        anna.apply("427")
        provider.fault("authorize", "reset", when="after", times=50)
        anna.place("A-1")
        assert form_of(anna.browser.get("/again/A-1").text) == {}
        provider.no_faults()
        anna.post("/points/without", order_reference="A-1")
        assert number(anna.browser.get("/again/A-1").text) == ""
        assert anna.browser.get("/looks/A-1").text == "no points"

    def test_for_somebody_else_no_points_go_along(self, anna: Visitor, shop: SmallShop) -> None:
        anna.apply("427")
        anna.place("A-1", card="declined")
        shop.link("ben", "mbr_42")
        for stranger in (shop.visitor("ben"), shop.visitor()):
            stranger.apply("42")
            assert form_of(stranger.browser.get("/again/A-1").text) == {"punktgenau_apply": "1"}

    def test_a_guest_whose_first_answer_got_lost_owns_the_order_still(
        self, shop: SmallShop, provider: Provider
    ) -> None:
        guest = shop.visitor()
        guest.link()
        guest.apply("427")
        cookie = guest.browser.get_cookie("session")
        assert cookie is not None
        provider.fault("authorize", "reset", when="after", times=50)
        guest.place("A-1")
        provider.no_faults()
        # The second click's answer is the one that the browser took, with the cookie from before.
        guest.browser.set_cookie("session", cookie.value)
        assert guest.post("/points/retry", order_reference="A-1").status_code == 303
        assert provider.states("A-1") == [("authorized", 427)]


def test_the_form_is_not_read_on_pages_that_are_only_looked_at(anna: Visitor) -> None:
    anna.apply("427")
    answer = anna.browser.get("/checkout?punktgenau_apply=1&punktgenau_points=5")
    assert number(answer.text) == "427"
