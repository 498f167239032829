"""What customers see of points that orders earn: before the order, on its page, in the history; and never without need.

The cart is one lamp for 59.90: at a point for two euros it earns 29, and 27 where 427 points pay 4.27 of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import render_template_string, session

from _reader import Reader
from _small_shop import Provider, SmallShop, Visitor, cart_of
from flask_punktgenau import earning
from punktgenau.checkout import Campaign, Line

EARNING = {"PUNKTGENAU_EARN_POINTS": 1, "PUNKTGENAU_EARN_PER_MINOR": 200}
DAY_S = 86_400
LAMP = Line(sku="lamp", quantity=1, unit_price_minor=5990, vat_rate="19")


@pytest.fixture
def earns(make_shop: Callable[..., SmallShop], provider: Provider) -> SmallShop:
    """A shop in which orders earn; its customer `anna` has linked the account with 2,500 points."""
    shop = make_shop(**EARNING)
    moved = provider.control("GET", "/clock")
    assert isinstance(moved, dict)
    # Other tests may have moved it before.
    shop.clock.shift = timedelta(seconds=moved["advanced_s"])
    shop.link()
    return shop


def text(page: str) -> str:
    return Reader(re.sub(r"<!doctype[^>]*>", "", page)).text


def recover(shop: SmallShop) -> None:
    with shop.app.app_context():
        shop.points.checkout.recover()


def later(shop: SmallShop, provider: Provider, seconds: int) -> None:
    """Time passes, for shop and provider alike."""
    shop.clock.shift += timedelta(seconds=seconds)
    provider.control("POST", "/clock", {"advance_s": seconds})


def on_page(shop: SmallShop, template: str, customer_id: str | None = None, **given: object) -> str:
    """The template in a page of the shop."""
    with shop.app.test_request_context("/page"):
        if customer_id is not None:
            session["customer"] = customer_id
        return render_template_string(template, **given)


def test_a_cart_says_what_it_earns_with_the_points_that_are_used(earns: SmallShop) -> None:
    anna = earns.visitor("anna")
    assert "You earn 29 points with this order. Usable from " in text(anna.browser.get("/cart").text)
    assert "You earn 29 points with this order." in text(anna.browser.get("/checkout").text)
    anna.apply("427")
    assert "You earn 27 points with this order." in text(anna.browser.get("/cart").text)
    asked = anna.browser.get("/points/quote?points=1000").json
    assert asked is not None
    assert asked["texts"]["earns"].startswith("You earn 24 points with this order.")


def test_who_has_linked_nothing_is_told_what_a_link_would_bring(earns: SmallShop) -> None:
    ben = text(earns.visitor("ben").browser.get("/cart").text)
    assert "Link to earn 29 points." in ben
    guest = text(earns.visitor().browser.get("/cart").text)
    assert "Link to earn 29 points." in guest


def test_a_shop_without_earning_says_nothing_of_it(small: SmallShop, anna: Visitor) -> None:
    assert "earn" not in text(anna.browser.get("/cart").text).lower()
    quoted = anna.browser.get("/points/quote?points=427").json
    assert quoted is not None
    assert quoted["texts"]["earns"] == ""
    assert on_page(small, "{{ punktgenau_earn(lamp) }}", "anna", lamp=LAMP) == ""


def test_an_article_says_what_it_earns(earns: SmallShop) -> None:
    template = "{{ punktgenau_earn(lamp) }}"
    assert "You earn 29 points with this article." in on_page(earns, template, "anna", lamp=LAMP)
    linking = on_page(earns, template, "ben", lamp=LAMP)
    assert "Link to earn 29 points." in linking
    assert 'href="/points/connect?next=/page"' in linking
    assert on_page(earns, template, "anna", lamp=Line(sku="pin", quantity=1, unit_price_minor=199, vat_rate="19")) == ""


def test_the_cart_in_front_is_meant_where_none_is_given(earns: SmallShop) -> None:
    assert "You earn 29 points with this order." in on_page(earns, "{{ punktgenau_earn() }}", "anna")
    given = on_page(earns, "{{ punktgenau_earn(cart) }}", "anna", cart=cart_of(20_000))
    assert "You earn 100 points with this order." in given
    earns.shop.cart = None
    assert on_page(earns, "{{ punktgenau_earn() }}", "anna") == ""


def test_campaigns_and_a_welcome_are_named(make_shop: Callable[..., SmallShop]) -> None:
    shop = make_shop(PUNKTGENAU_WELCOME_POINTS=50, **EARNING)
    now = shop.clock.now()

    @shop.points.campaign_loader
    def campaigns() -> list[Campaign]:
        return [
            Campaign(
                id="lamps",
                name="Lamp weeks",
                starts_at=now - timedelta(days=1),
                ends_at=now + timedelta(days=1),
                percent=200,
            )
        ]

    shop.link()
    page = text(shop.visitor("anna").browser.get("/cart").text)
    assert "You earn 108 points with this order. Offer: Lamp weeks. 50 points of these are a welcome gift." in page
    shop.clock.shift += timedelta(days=2)
    assert "Lamp weeks" not in text(shop.visitor("anna").browser.get("/cart").text)


def test_a_shops_function_that_fails_costs_no_page(earns: SmallShop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def gone(*_args: object, **_given: object) -> None:
        asked.append(1)
        raise earning.PunktgenauError("the journal is away", code="journal_unavailable")

    with earns.app.app_context():
        monkeypatch.setattr(type(earns.points.checkout), "preview_earned", gone)
    page = earns.visitor("anna").browser.get("/cart")
    assert asked
    assert page.status_code == 200
    assert "You have 2,500 points" in text(page.text)


def test_an_order_and_the_history_tell_from_when_on_earned_points_can_be_used(
    earns: SmallShop, provider: Provider
) -> None:
    anna = earns.visitor("anna")
    anna.place("A-1")
    template = "{{ punktgenau_earned('A-1') }}"
    assert "They are about to be credited." in text(on_page(earns, template, "anna"))
    recover(earns)
    assert "Earned 29 points On their way, usable from " in text(on_page(earns, template, "anna"))
    page = anna.browser.get("/points/history").text
    assert "29 points from order A-1 can be used from " in text(page)
    assert 'href="/orders/A-1">Earned with order <span class="pg-ref">A-1</span>, on their way' in page
    assert "+29 on their way" in text(page)

    later(earns, provider, 14 * DAY_S + 60)
    earns.shop.mark("A-1", "paid")
    recover(earns)
    assert "In your account, ready to be used." in text(on_page(earns, template, "anna"))
    page = text(anna.browser.get("/points/history?show=earned").text)
    assert "can be used from" not in page
    assert "Can be used now, order A-1" in page
    assert "+29 2,529" in page


def test_what_comes_back_is_told_before_and_afterwards(earns: SmallShop, provider: Provider) -> None:
    anna = earns.visitor("anna")
    anna.apply("427")
    anna.place("A-1")
    recover(earns)
    with earns.app.app_context():
        preview = earns.points.preview_refund("A-1", lines={"lamp": 1})
        assert preview is not None
        assert preview.earned_taken == 27
        assert earns.points.earned_taken("A-1", lines={"lamp": 1}) == 27
        earns.points.refund("A-1", return_reference="R-1", lines={"lamp": 1})
        earns.points.checkout.recover()
    page = text(on_page(earns, "{{ punktgenau_earned('A-1') }}", "anna"))
    assert "Earned 27 points Taken back −27 Left 0 points" in page
    assert "−27 · Goods came back" in page
    assert on_page(earns, "{{ punktgenau_earned('A-1', form='text', locale='de') }}").splitlines() == [
        "Punkte aus dieser Bestellung: 27",
        "Zurückgenommen: −27",
        "Alle wurden zurückgenommen.",
    ]
    page = text(anna.browser.get("/points/history?show=earned").text)
    assert "Taken back, order A-1 Goods came back" in page
    assert "−27 on their way" in page


def test_an_order_that_is_not_ones_own_is_no_link(earns: SmallShop) -> None:
    """Two customers of the shop share one account: each sees all movements, and is led to the own orders alone."""
    anna = earns.visitor("anna")
    anna.place("A-1")
    recover(earns)
    earns.link("ben")
    page = earns.visitor("ben").browser.get("/points/history").text
    assert 'Earned with order <span class="pg-ref">A-1</span>, on their way' in page
    assert "/orders/A-1" not in page
    assert "can be used from" not in text(page)


def test_who_is_told_of_points_that_end_soon(earns: SmallShop, provider: Provider) -> None:
    ends = f"{earns.clock.now() + timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}"
    provider.control("POST", "/members", {"id": "mbr_9", "lots": [{"points": 70, "expires_at": ends}]})
    earns.link("zoe", "mbr_9")
    earns.link("guest:" + "0" * 32, "mbr_9")
    with earns.app.app_context():
        assert [(one.customer_id, one.points) for one in earns.points.expiring(days=10)] == [("zoe", 70)]
        assert list(earns.points.expiring(days=5)) == []
