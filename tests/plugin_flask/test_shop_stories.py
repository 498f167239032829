"""What really went wrong in other shops, told once more on the pages of a small shop with points."""

from __future__ import annotations

import pytest

from _small_shop import Provider, SmallShop, Visitor, cart_of
from flask_punktgenau import signals
from flask_punktgenau.cli import punktgenau
from punktgenau.checkout import Payment


@pytest.mark.scenario(
    "T6", "the second of two tabs finds the points gone: a page with ways on, a whole cart, never a 500"
)
def test_the_tab_that_came_second(small: SmallShop, provider: Provider) -> None:
    tabs = [small.visitor("anna"), small.visitor("anna")]
    for tab in tabs:
        tab.apply("2500")
    small.shop.cart = cart_of(5990)
    tabs[0].place("A-1", card="later")
    # The other tab's panel has been open all the time: what it shows was true then.
    answer = tabs[1].place("A-2", card="later")
    assert answer.status_code == 409
    assert "/points/without" in answer.text
    assert small.shop.cart is not None
    assert small.shop.cart.total.amount_minor == 5990
    assert tabs[1].browser.get("/cart").status_code == 200
    assert provider.states("A-2") == []
    assert (provider.available(), provider.member("mbr_2500")["held"]) == (0, 2500)
    # And the first tab is none the worse for it.
    tabs[0].browser.post("/pay/A-1")
    assert small.shop.paid == {"A-1": 3490}


@pytest.mark.scenario(
    "T20", "the card failed: the points are back on the page at once, and the next try owes the right rest"
)
def test_the_second_tender_fails(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    anna.place("A-1", card="declined")
    assert (provider.available(), provider.member("mbr_2500")["held"]) == (2500, 0)
    quote = anna.browser.get("/points/quote?points=427").get_json()
    assert (quote["most"], quote["texts"]["due"]) == (2500, "€55.63")
    anna.apply("500")
    anna.place("A-1")
    assert small.shop.paid == {"A-1": 5490}
    assert provider.states("A-1") == [("captured", 500), ("voided", 427)]


@pytest.mark.scenario("T23", "an order that nobody paid holds points: they are shown, and free once it is replaced")
def test_an_open_order_is_replaced_by_another(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    anna.apply("2500")
    anna.place("A-1", card="later")
    page = anna.browser.get("/cart").text
    assert "/orders/A-1" in page
    assert "2,500" in page
    with small.app.app_context():
        small.points.cancel("A-1")
    anna.apply("2500")
    anna.place("A-2")
    assert small.shop.paid == {"A-2": 3490}
    assert (provider.states("A-1"), provider.states("A-2")) == ([("voided", 2500)], [("captured", 2500)])


@pytest.mark.scenario("T24", "points that go back without the shop's doing are told by a signal, whoever noticed it")
def test_whoever_notices_tells(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    told: list[tuple[str, str]] = []

    def hear(sender: object, *, payment: Payment) -> None:
        told.append((payment.order_reference, payment.state))

    signals.redemption_voided.connect(hear, small.app)
    anna.apply("427")
    anna.place("A-1", card="later")
    # The shop's own code fails from here on; only its database knows that the order is off.
    small.shop.mark("A-1", "cancelled")
    result = small.app.test_cli_runner().invoke(punktgenau, ["recover"])
    assert result.exit_code == 0, result.output
    assert told == [("A-1", "voided")]
    assert provider.available() == 2500
