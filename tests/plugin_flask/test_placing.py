"""Placing an order with points: what is held, captured and given back, and what is left to pay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from _small_shop import Provider, SmallShop, Visitor, cart_of, hidden
from punktgenau import (
    AmountChangedError,
    InsufficientPointsError,
    InvalidArgumentError,
    Money,
    NotLinkedError,
    OutcomeUnknownError,
)

HOUR = timedelta(hours=1)


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def test_the_chosen_points_pay_a_part_and_the_card_the_rest(anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    answer = anna.place("A-1")
    assert (answer.status_code, answer.location) == (303, "/orders/A-1")
    assert anna.small.shop.paid == {"A-1": 5563}
    assert provider.states("A-1") == [("captured", 427)]
    assert provider.available() == 2073
    page = anna.browser.get("/orders/A-1").text
    assert 'data-state="placed"' in page
    assert "427" in page
    assert "€55.63" in page


@pytest.mark.parametrize("cart", [None, {"currency": "EUR"}, "cart"])
def test_what_is_no_cart_is_a_typed_error(anna: Visitor, provider: Provider, cart: object) -> None:
    points = anna.small.points
    with anna.small.app.test_request_context():
        for call in (lambda: points.authorize("A-1", cart, points=5), lambda: points.quote(cart)):  # type: ignore[arg-type]
            with pytest.raises(InvalidArgumentError) as caught:
                call()
            assert caught.value.field == "cart"
    assert provider.states("A-1") == []


def test_a_placed_order_uses_the_wish_up(anna: Visitor) -> None:
    anna.apply("427")
    anna.place("A-1")
    assert anna.wish() is None
    anna.place("A-2")
    assert anna.small.shop.paid == {"A-1": 5563, "A-2": 5990}


def test_without_a_wish_the_provider_is_not_asked_to_hold(anna: Visitor, provider: Provider) -> None:
    anna.place("A-1")
    assert anna.small.shop.paid == {"A-1": 5990}
    assert provider.redemptions() == []
    assert anna.small.find("A-1") is None


def test_guests_and_customers_without_a_link_buy_as_ever(small: SmallShop, provider: Provider) -> None:
    small.visitor().place("A-1")
    small.visitor("ben").place("A-2")
    assert small.shop.paid == {"A-1": 5990, "A-2": 5990}
    assert provider.operations() == []


@pytest.mark.scenario("T55", "points that pay the whole bill leave nothing due")
def test_points_may_pay_the_whole_bill(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    small.shop.cart = cart_of(2000)
    anna.apply("all")
    anna.place("A-1")
    assert small.shop.paid == {"A-1": 0}
    assert provider.states("A-1") == [("captured", 2000)]


@pytest.mark.scenario("K1", "the same order placed twice is one hold, and both are told the same")
def test_a_double_click_makes_one_hold(anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    with anna.browser.session_transaction() as kept:
        wish = dict(kept["_punktgenau"])
    anna.place("A-1", card="later")
    # The second click was made with the cookie from before the first one's answer.
    with anna.browser.session_transaction() as kept:
        kept["_punktgenau"] = wish
    anna.place("A-1", card="later")
    assert provider.states("A-1") == [("authorized", 427)]


@pytest.mark.scenario("T19", "a declined card gives the points back; the next try holds the same points once")
def test_a_declined_card_gives_the_points_back_and_the_next_try_holds_them_again(
    anna: Visitor, provider: Provider
) -> None:
    anna.apply("427")
    anna.place("A-1", card="declined")
    assert provider.available() == 2500
    anna.place("A-1")
    assert provider.states("A-1") == [("captured", 427), ("voided", 427)]
    assert anna.small.shop.paid == {"A-1": 5563}


@pytest.mark.scenario("T10", "points gone between choosing and placing: refused, the order is not taken as paid")
def test_points_that_were_spent_elsewhere_meanwhile(anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    provider.control("POST", "/members", {"id": "mbr_2500", "points": 100})
    answer = anna.place("A-1")
    assert answer.status_code == 409
    assert "/points/without" in answer.text
    # Choosing anew happens on the order's page: it stands, and the cart may be empty by now.
    assert 'href="/orders/A-1"' in answer.text
    assert anna.small.shop.paid == {}
    answer = anna.post("/points/without", order_reference="A-1")
    assert (answer.status_code, answer.location) == (303, "/orders/A-1")
    anna.browser.post("/pay/A-1")
    assert anna.small.shop.paid == {"A-1": 5990}
    assert provider.available() == 100


@pytest.mark.scenario("T49", "points that a placed order counts on cannot be taken back by the customer")
@pytest.mark.parametrize("path", ["/points/without", "/points/retry", "/points/remove", "/points/disconnect"])
def test_points_of_a_placed_order_stay_with_it(anna: Visitor, provider: Provider, path: str) -> None:
    anna.apply("427")
    anna.place("A-1", card="later")
    assert anna.post(path, order_reference="A-1").status_code == 303
    assert provider.states("A-1") == [("authorized", 427)]
    # The bank confirms what was left to pay when the customer went there.
    anna.browser.post("/pay/A-1")
    assert anna.small.shop.paid == {"A-1": 5563}
    assert provider.states("A-1") == [("captured", 427)]


def test_going_without_points_after_a_decline_is_not_undone_by_trying_again(anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    anna.place("A-1", card="declined")
    anna.post("/points/retry", order_reference="A-1")
    assert provider.states("A-1") == [("voided", 427)]


def test_the_goals_are_safe_for_orders_without_points(small: SmallShop) -> None:
    with small.app.app_context():
        assert small.points.capture("A-9") is None
        assert small.points.void("A-9") is None
        assert small.points.cancel("A-9") is None
        assert small.points.find("A-9") is None


def test_cancel_gives_back_what_was_captured(anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    anna.place("A-1")
    with anna.small.app.app_context():
        payment = anna.small.points.cancel("A-1", cause="customer changed their mind")
        again = anna.small.points.cancel("A-1")
    assert payment is not None
    assert again is not None
    assert (payment.state, again.state) == ("reversed", "reversed")
    assert provider.states("A-1") == [("reversed", 427)]
    assert provider.available() == 2500


def test_a_job_without_a_request_names_customer_and_points(small: SmallShop, provider: Provider) -> None:
    with small.app.app_context():
        payment = small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
        assert (payment.state, payment.points, payment.due) == ("authorized", 427, eur(5563))
        assert small.points.authorize("A-2", cart_of(5990)).due == eur(5990)
        with pytest.raises(NotLinkedError):
            small.points.authorize("A-3", cart_of(5990), points=427)
    assert provider.states("A-3") == []


@pytest.mark.parametrize("points", [True, 1.0, "427", -1, 10**100])
def test_points_given_by_the_shop_are_checked_too(small: SmallShop, provider: Provider, points: object) -> None:
    with small.app.app_context(), pytest.raises(InvalidArgumentError):
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=points)  # type: ignore[arg-type]
    assert provider.redemptions() == []


@pytest.mark.scenario("B2", "more than the balance is refused before anything is sent")
def test_more_than_the_balance_is_refused(small: SmallShop, provider: Provider) -> None:
    with small.app.app_context(), pytest.raises(InsufficientPointsError) as raised:
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=2501)
    assert raised.value.remaining == 2500
    assert "authorize" not in provider.operations()


def test_what_is_due_must_be_what_the_customer_saw(small: SmallShop, provider: Provider) -> None:
    with small.app.app_context():
        with pytest.raises(AmountChangedError):
            small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427, seen_due=eur(5562))
        with pytest.raises(AmountChangedError):
            small.points.authorize("A-1", cart_of(5990), points=0, seen_due=eur(5989))
        assert provider.redemptions() == []
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427, seen_due=eur(5563))
    assert provider.states("A-1") == [("authorized", 427)]


def test_nothing_said_about_an_order_that_stands_leaves_it_as_it_is(small: SmallShop, provider: Provider) -> None:
    with small.app.app_context():
        small.points.authorize("A-1", cart_of(5990), customer_id="anna", points=427)
        payment = small.points.authorize("A-1", cart_of(5990), customer_id="anna")
    assert (payment.state, payment.points) == ("authorized", 427)
    assert provider.states("A-1") == [("authorized", 427)]


class TestFieldInTheShopsForm:
    """`punktgenau_field()`: the number travels in the shop's own checkout form."""

    def form(self, visitor: Visitor, points: object) -> dict[str, object]:
        page = visitor.browser.get("/checkout").text
        names = ("punktgenau_apply", "punktgenau_seen_points", "punktgenau_seen_due")
        return {"punktgenau_points": points} | {name: hidden(page, name) for name in names}

    def test_the_number_typed_is_used_even_without_javascript(self, anna: Visitor, provider: Provider) -> None:
        form = self.form(anna, "427")
        assert (form["punktgenau_seen_points"], form["punktgenau_seen_due"]) == ("0", "5990")
        assert anna.place("A-1", **form).status_code == 303
        assert anna.small.shop.paid == {"A-1": 5563}
        assert provider.states("A-1") == [("captured", 427)]

    def test_with_javascript_the_page_says_what_it_showed(self, anna: Visitor, provider: Provider) -> None:
        form = self.form(anna, "427") | {"punktgenau_seen_points": "427", "punktgenau_seen_due": "5563"}
        anna.place("A-1", **form)
        assert anna.small.shop.paid == {"A-1": 5563}
        assert provider.states("A-1") == [("captured", 427)]

    def test_it_goes_before_the_wish_of_an_earlier_page(self, anna: Visitor, provider: Provider) -> None:
        anna.apply("100")
        anna.place("A-1", **self.form(anna, "427"))
        assert provider.states("A-1") == [("captured", 427)]

    @pytest.mark.parametrize("nothing", ["", "0"])
    def test_an_empty_field_means_none(self, anna: Visitor, provider: Provider, nothing: str) -> None:
        anna.apply("100")
        anna.place("A-1", **self.form(anna, nothing))
        assert anna.small.shop.paid == {"A-1": 5990}
        assert provider.redemptions() == []

    @pytest.mark.parametrize("entered", ["1e3", "-5", "٣", "1.0", "9" * 100])
    def test_what_is_no_number_is_a_page_and_not_an_order_paid_otherwise(
        self, anna: Visitor, provider: Provider, entered: str
    ) -> None:
        answer = anna.place("A-1", **self.form(anna, entered))
        assert answer.status_code == 409
        assert anna.small.shop.paid == {}
        assert provider.redemptions() == []

    @pytest.mark.parametrize("typed", ["427", "100"])
    def test_a_bill_that_changed_since_the_page_is_shown_again(
        self, anna: Visitor, provider: Provider, typed: str
    ) -> None:
        anna.apply("100")
        form = self.form(anna, typed)
        anna.small.shop.cart = cart_of(6990)
        assert anna.place("A-1", **form).status_code == 409
        assert anna.small.shop.paid == {}
        assert provider.redemptions() == []

    @pytest.mark.parametrize("seen", ["-1", "5563.0", "1" * 30, "<"])
    def test_what_the_page_cannot_have_written_is_refused(self, anna: Visitor, seen: str) -> None:
        form = self.form(anna, "427") | {"punktgenau_seen_due": seen}
        assert anna.place("A-1", **form).status_code == 409
        assert anna.small.shop.paid == {}


class TestProviderGone:
    """The provider was there when the points were chosen, and cannot be reached when the order is placed."""

    @pytest.fixture
    def customer(self, small: SmallShop, make_shop: Callable[..., SmallShop]) -> Visitor:
        before = small.visitor("anna")
        before.apply("427")
        with before.browser.session_transaction() as kept:
            cookie = dict(kept)
        # The same shop and journal, at a port where nobody listens.
        gone = make_shop(provider_url="http://127.0.0.1:9", PUNKTGENAU_DEADLINE_S=0.5)
        customer = gone.visitor("anna")
        with customer.browser.session_transaction() as kept:
            kept.update(cookie)
        return customer

    @pytest.mark.scenario("N1", "nobody there: certainly nothing held, the page says so and the shop sells")
    def test_the_page_says_that_nothing_happened_and_the_shop_sells(self, customer: Visitor) -> None:
        answer = customer.place("A-1")
        assert answer.status_code == 503
        assert "/points/retry" in answer.text
        payment = customer.small.find("A-1")
        assert payment is not None
        assert (payment.state, payment.due) == ("declined", eur(5990))
        assert customer.post("/points/without", order_reference="A-1").location == "/orders/A-1"
        customer.browser.post("/pay/A-1")
        assert customer.small.shop.paid == {"A-1": 5990}

    def test_trying_again_when_it_is_back_holds_once(
        self, small: SmallShop, customer: Visitor, provider: Provider
    ) -> None:
        customer.place("A-1")
        small.shop.orders = customer.small.shop.orders
        back = small.visitor("anna")
        with customer.browser.session_transaction() as kept:
            cookie = dict(kept)
        with back.browser.session_transaction() as kept:
            kept.update(cookie)
        assert back.post("/points/retry", order_reference="A-1").location == "/orders/A-1"
        back.browser.post("/pay/A-1")
        assert small.shop.paid == {"A-1": 5563}
        assert provider.states("A-1") == [("captured", 427)]


class TestAnswerLost:
    """The hold's answer never arrives: nobody says failed, nobody says done, and the customer chooses."""

    @pytest.fixture
    def shop(self, make_shop: Callable[..., SmallShop]) -> SmallShop:
        shop = make_shop(PUNKTGENAU_DEADLINE_S="0.5")
        shop.link()
        return shop

    @pytest.fixture
    def customer(self, shop: SmallShop, provider: Provider) -> Visitor:
        customer = shop.visitor("anna")
        customer.apply("427")
        provider.fault("authorize", "reset", when="after", times=50)
        return customer

    def test_the_page_offers_both_ways_in_three_languages(self, customer: Visitor) -> None:
        answer = customer.place("A-1")
        assert answer.status_code == 503
        assert answer.headers["Cache-Control"] == "no-store"
        assert 'action="/points/retry"' in answer.text
        assert 'action="/points/without"' in answer.text
        assert customer.small.shop.paid == {}
        said = {
            language: customer.browser.get("/orders/A-1", headers={"Accept-Language": language}).text
            for language in ("de", "en", "zh")
        }
        assert len(set(said.values())) == 3
        assert all('data-state="unknown"' in page for page in said.values())
        assert 'lang="zh' in said["zh"]

    def test_the_payment_says_unknown_and_its_due_cannot_be_read(self, customer: Visitor) -> None:
        customer.place("A-1")
        payment = customer.small.find("A-1")
        assert payment is not None
        assert payment.state == "authorizing"
        with pytest.raises(OutcomeUnknownError):
            _ = payment.due

    @pytest.mark.scenario("N6", "the answer is lost after the hold: trying again finds the one hold")
    def test_trying_again_finds_the_one_hold(self, customer: Visitor, provider: Provider) -> None:
        customer.place("A-1")
        provider.no_faults()
        answer = customer.post("/points/retry", order_reference="A-1")
        assert (answer.status_code, answer.location) == (303, "/orders/A-1")
        assert provider.states("A-1") == [("authorized", 427)]
        customer.browser.post("/pay/A-1")
        assert customer.small.shop.paid == {"A-1": 5563}
        assert provider.states("A-1") == [("captured", 427)]

    def test_trying_again_while_it_is_still_lost_stays_unknown(self, customer: Visitor) -> None:
        customer.place("A-1")
        answer = customer.post("/points/retry", order_reference="A-1")
        assert answer.status_code == 303
        assert 'data-state="unknown"' in customer.browser.get("/orders/A-1").text

    @pytest.mark.scenario("C4", "going on without points charges in full, and the hold is given back by recovery")
    def test_going_on_without_points_charges_in_full_and_gives_the_hold_back(
        self, customer: Visitor, provider: Provider
    ) -> None:
        customer.place("A-1")
        provider.fault("cancel_by_key", "reset", when="before", times=50)
        answer = customer.post("/points/without", order_reference="A-1")
        assert (answer.status_code, answer.location) == (303, "/orders/A-1")
        payment = customer.small.find("A-1")
        assert payment is not None
        assert (payment.state, payment.points, payment.due) == ("abandoning", 0, eur(5990))
        customer.browser.post("/pay/A-1")
        assert customer.small.shop.paid == {"A-1": 5990}
        provider.no_faults()
        customer.small.clock.shift += HOUR
        with customer.small.app.app_context():
            customer.small.points.checkout.recover()
        assert provider.available() == 2500
        payment = customer.small.find("A-1")
        assert payment is not None
        assert payment.state == "abandoned"

    @pytest.mark.scenario("S2", "an order of somebody else does not exist, whoever asks and in whichever browser")
    @pytest.mark.parametrize("path", ["/points/retry", "/points/without"])
    def test_somebody_elses_order_does_not_exist(self, customer: Visitor, provider: Provider, path: str) -> None:
        customer.place("A-1")
        customer.small.link("ben", "mbr_42")
        for stranger in (customer.small.visitor("ben"), customer.small.visitor()):
            assert stranger.post(path, order_reference="A-1").status_code == 404
        customer.browser.post("/sign-in", data={"customer": "ben"})
        assert customer.post(path, order_reference="A-1").status_code == 404
        payment = customer.small.find("A-1")
        assert payment is not None
        assert payment.state == "authorizing"

    @pytest.mark.parametrize("reference", ["", "A-2", "x" * 10_000, "../A-1", "A-1\r\nX: 1", "A-1\0", "A-1' OR '1'='1"])
    @pytest.mark.scenario("B5", "an order reference that is none of ours is not found, whatever it is made of")
    def test_orders_that_are_not_there(self, customer: Visitor, reference: str) -> None:
        customer.place("A-1")
        assert customer.post("/points/retry", order_reference=reference).status_code == 404

    def test_a_cancelled_order_takes_no_points_any_more(self, customer: Visitor) -> None:
        customer.place("A-1")
        customer.small.shop.mark("A-1", "cancelled")
        assert customer.post("/points/retry", order_reference="A-1").status_code == 404
