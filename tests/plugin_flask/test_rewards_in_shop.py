"""Articles that must be paid with points, in a shop's cart, checkout and order: their points go along unasked."""

from __future__ import annotations

import pytest
from flask import session

from _small_shop import Provider, SmallShop, Visitor, hidden
from punktgenau import InsufficientPointsError, LimitError
from punktgenau.checkout import Cart, Line

LAMP = Line(sku="lamp", quantity=1, unit_price_minor=2990, vat_rate="19")
BRUSH = Line(sku="brush", quantity=1, unit_price_minor=50, vat_rate="19", reward_points=50, name="Brush")
TRAY = Line(sku="tray", quantity=1, unit_price_minor=3025, vat_rate="19", reward_points=25, name="Tray")
BOAT = Line(sku="boat", quantity=1, unit_price_minor=3000, vat_rate="19", reward_points=3000, name="Boat")


def fill(visitor: Visitor, *lines: Line) -> None:
    visitor.small.shop.cart = Cart(currency="EUR", lines=lines)


def told(visitor: Visitor, line_id: str) -> str:
    """What the shop shows beside a line of the cart."""
    return visitor.browser.get(f"/beside/{line_id}").text


def test_their_points_are_used_without_being_asked_for(anna: Visitor, provider: Provider) -> None:
    fill(anna, LAMP, BRUSH, TRAY)
    page = anna.browser.get("/cart").text
    assert "50 points pay for “Brush”." in page
    assert "25 points pay for “Tray”." in page
    assert "can&#39;t be taken off" in page
    assert 'type="range" min="75"' in page
    assert "/points/remove" not in page
    anna.place("A-1")
    assert anna.small.shop.paid == {"A-1": 5990}
    assert provider.states("A-1") == [("captured", 75)]


def test_more_is_up_to_the_customer_and_fewer_is_not_possible(anna: Visitor, provider: Provider) -> None:
    fill(anna, LAMP, BRUSH)
    anna.apply("10")
    page = anna.browser.get("/cart").text
    assert "50 instead of 10 points." in page
    assert "Articles in the cart need 50 points." in page
    anna.apply("200")
    page = anna.browser.get("/cart").text
    assert "Only what the articles need" in page
    anna.post("/points/remove", next="/cart")
    assert anna.wish() is None
    anna.apply("200")
    anna.place("A-1")
    assert provider.states("A-1") == [("captured", 200)]
    assert anna.small.shop.paid == {"A-1": 3040 - 200}


def test_a_cart_that_needs_other_points_than_before_says_whose_they_are(anna: Visitor) -> None:
    fill(anna, LAMP, BRUSH)
    anna.apply("10")
    assert "50 instead of 10 points." in anna.browser.get("/cart").text
    fill(anna, LAMP, BRUSH, TRAY)
    page = anna.browser.get("/cart").text
    assert "Now 75 instead of 50 points: that is what the articles in the cart need." in page


@pytest.mark.parametrize("typed", ["", "0", "50"])
def test_a_checkout_form_without_script(anna: Visitor, provider: Provider, typed: str) -> None:
    fill(anna, LAMP, BRUSH)
    page = anna.browser.get("/checkout").text
    assert hidden(page, "punktgenau_seen_due") == "2990"
    form = {
        "punktgenau_apply": "1",
        "punktgenau_points": typed,
        "punktgenau_seen_points": hidden(page, "punktgenau_seen_points"),
        "punktgenau_seen_due": "2990",
    }
    anna.place("A-1", **form)
    assert provider.states("A-1") == [("captured", 50)]
    assert anna.small.shop.paid == {"A-1": 2990}


def test_fewer_typed_into_the_checkout_form_is_refused_with_words(anna: Visitor, provider: Provider) -> None:
    fill(anna, LAMP, BRUSH)
    seen = {"punktgenau_seen_points": "50", "punktgenau_seen_due": "2990"}
    answer = anna.place("A-1", punktgenau_apply="1", punktgenau_points="7", **seen)
    assert answer.status_code == 409
    assert "An article in the cart is paid with points." in answer.text
    assert provider.states("A-1") == []


def test_not_enough_points_are_said_in_the_cart_and_at_the_line(anna: Visitor, provider: Provider) -> None:
    fill(anna, LAMP, BRUSH, BOAT)
    page = anna.browser.get("/cart").text
    assert "Not enough points for “Boat”: it needs 3,000 points." in page
    assert "50 points pay for “Brush”." in page
    assert told(anna, "boat") == "Not enough points: this article needs 3,000 points."
    assert (told(anna, "brush"), told(anna, "lamp"), told(anna, "else")) == ("", "", "")
    answer = anna.place("A-1")
    assert answer.status_code == 409
    assert "There are not enough points for an article in the cart." in answer.text
    assert provider.states("A-1") == []
    # The rest of the cart stays.
    fill(anna, LAMP, BRUSH)
    anna.place("A-2")
    assert provider.states("A-2") == [("captured", 50)]


def test_a_guest_is_told_and_orders_nothing_of_it(small: SmallShop, provider: Provider) -> None:
    guest = small.visitor()
    fill(guest, LAMP, BRUSH)
    page = guest.browser.get("/cart").text
    assert "“Brush” needs 50 points and can&#39;t be ordered without." in page
    assert told(guest, "brush") == "This article needs 50 points and can&#39;t be ordered without."
    answer = guest.place("A-1")
    assert answer.status_code == 409
    assert small.shop.paid == {}
    with small.app.test_request_context(), pytest.raises(LimitError) as refused:
        small.points.quote(guest.small.shop.cart or Cart(currency="EUR", lines=()))
    assert refused.value.code == "reward_needs_points"


def test_a_quote_before_placing_says_what_is_missing(anna: Visitor) -> None:
    fill(anna, LAMP, BOAT)
    answer = anna.browser.get("/points/quote?points=100").json
    assert answer is not None
    assert (answer["least"], answer["points"]) == (1, 100)
    assert (answer["mandatory"], answer["unaffordable"]) == (0, ["boat"])
    points, cart = anna.small.points, anna.small.shop.cart
    assert cart is not None
    with anna.small.app.test_request_context():
        session["customer"] = "anna"
        with pytest.raises(InsufficientPointsError) as missing:
            points.quote(cart)
    assert (missing.value.code, missing.value.field) == ("reward_points_missing", "boat")


@pytest.mark.scenario(
    "T56", "an order whose points are unknown offers no way on without them, where articles need them"
)
def test_an_unknown_has_no_way_on_without(anna: Visitor, provider: Provider) -> None:
    fill(anna, LAMP, BRUSH)
    anna.browser.get("/cart")
    provider.fault("authorize", "reset", when="after", times=9)
    provider.fault("find", "reset", when="before", times=9)
    anna.place("A-1")
    page = anna.browser.get("/orders/A-1").text
    assert "can&#39;t go on without" in page
    assert "/points/without" not in page
    assert anna.post("/points/without", order_reference="A-1").status_code == 409
    provider.no_faults()
    anna.post("/points/retry", order_reference="A-1")
    assert provider.states("A-1") == [("authorized", 50)]
