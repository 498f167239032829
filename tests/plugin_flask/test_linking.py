"""Linking an account at the provider: once, for the person and the browser that began it; guests for one order."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from _small_shop import Provider, SmallShop, Visitor


def begin(visitor: Visitor, next_page: str = "/cart") -> tuple[str, dict[str, str]]:
    """Follow the link to the provider: its address, and what it is told."""
    answer = visitor.browser.get("/points/connect", query_string={"next": next_page})
    assert answer.status_code == 303
    assert answer.location is not None
    return answer.location, {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def come_back(visitor: Visitor, **query: str) -> tuple[int, str | None]:
    answer = visitor.browser.get("/points/callback", query_string=query)
    return answer.status_code, answer.location


def member_of(small: SmallShop, customer_id: str) -> str | None:
    with small.app.app_context():
        link = small.points.checkout.find_link(customer_id)
    return None if link is None else link.member_id


@pytest.fixture
def ben(small: SmallShop) -> Visitor:
    """A customer who has linked nothing."""
    return small.visitor("ben")


def test_the_whole_way(small: SmallShop, ben: Visitor, provider: Provider) -> None:
    there, asked = begin(ben)
    assert there.startswith(f"{provider.url}/oauth/authorize?")
    assert asked["response_type"] == "code"
    assert asked["client_id"] == "demo-shop"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://localhost/points/callback"
    code = provider.agree(there, member_id="mbr_42")
    assert come_back(ben, state=asked["state"], code=code) == (303, "/cart")
    assert member_of(small, "ben") == "mbr_42"
    page = ben.browser.get("/cart").text
    assert 'data-state="ready"' in page
    assert "42" in page


def test_the_verifier_stays_here_and_fits_the_challenge(ben: Visitor) -> None:
    there, asked = begin(ben)
    with ben.browser.session_transaction() as kept:
        [[state, verifier, customer_id, _expires, _back]] = kept["_punktgenau_link"]
    assert verifier not in there
    assert (state, customer_id) == (asked["state"], "ben")
    digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == digest


@pytest.mark.scenario("S10", "the state is bound to the session, works once, and ends after ten minutes")
def test_a_state_works_once(small: SmallShop, ben: Visitor, provider: Provider) -> None:
    there, asked = begin(ben)
    code = provider.agree(there)
    assert come_back(ben, state=asked["state"], code=code)[0] == 303
    with small.app.app_context():
        small.points.checkout.unlink("ben")
    assert come_back(ben, state=asked["state"], code=provider.agree(there))[0] == 400
    assert member_of(small, "ben") is None


def test_a_state_of_another_browser_links_nobody(small: SmallShop, ben: Visitor, provider: Provider) -> None:
    there, asked = begin(ben)
    code = provider.agree(there)
    victim = small.visitor("carl")
    assert come_back(victim, state=asked["state"], code=code)[0] == 400
    begin(victim)
    assert come_back(victim, state=asked["state"], code=code)[0] == 400
    assert member_of(small, "carl") is None


@pytest.mark.parametrize("state", ["", "x", "\u00e4", "0" * 5000])
def test_a_state_that_was_never_made(small: SmallShop, ben: Visitor, state: str) -> None:
    begin(ben)
    assert come_back(ben, state=state, code="c")[0] == 400
    assert member_of(small, "ben") is None


def test_a_state_ends_after_ten_minutes(small: SmallShop, ben: Visitor, provider: Provider) -> None:
    there, asked = begin(ben)
    code = provider.agree(there)
    small.clock.shift += timedelta(seconds=601)
    assert come_back(ben, state=asked["state"], code=code)[0] == 400
    assert member_of(small, "ben") is None


def test_somebody_who_signed_in_meanwhile_is_not_linked(small: SmallShop, ben: Visitor, provider: Provider) -> None:
    there, asked = begin(ben)
    code = provider.agree(there)
    ben.browser.post("/sign-in", data={"customer": "carl"})
    assert come_back(ben, state=asked["state"], code=code)[0] == 400
    assert (member_of(small, "ben"), member_of(small, "carl")) == (None, None)


def test_who_says_no_at_the_provider_reads_a_page_and_can_go_on(small: SmallShop, ben: Visitor) -> None:
    _, asked = begin(ben)
    answer = ben.browser.get("/points/callback", query_string={"state": asked["state"], "error": "access_denied"})
    assert answer.status_code == 200
    assert 'href="/cart"' in answer.text
    assert member_of(small, "ben") is None


def test_a_code_that_the_provider_does_not_take(small: SmallShop, ben: Visitor) -> None:
    _, asked = begin(ben)
    answer = ben.browser.get("/points/callback", query_string={"state": asked["state"], "code": "made-up"})
    assert answer.status_code == 400
    assert "/points/connect" in answer.text
    assert member_of(small, "ben") is None


def test_a_provider_that_is_away_links_nobody(make_shop: Callable[..., SmallShop], provider: Provider) -> None:
    small = make_shop(PUNKTGENAU_DEADLINE_S=0.5)
    ben = small.visitor("ben")
    there, asked = begin(ben)
    code = provider.agree(there)
    provider.fault("identify", "status_503", times=20)
    assert come_back(ben, state=asked["state"], code=code)[0] == 503
    assert member_of(small, "ben") is None


@pytest.mark.scenario("S10", "the way back leads to a page of this shop only")
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/x",
    ],
)
def test_the_way_back_is_never_another_site(ben: Visitor, provider: Provider, elsewhere: str) -> None:
    there, asked = begin(ben, elsewhere)
    assert come_back(ben, state=asked["state"], code=provider.agree(there)) == (303, "/")
    answer = ben.post("/points/remove", next=elsewhere)
    assert answer.location == "/"


@pytest.mark.filterwarnings("error")
def test_a_long_way_back_does_not_burst_the_sessions_cookie(ben: Visitor, provider: Provider) -> None:
    for number in range(5):
        there, asked = begin(ben, f"/{number}" + "%E4%BD%A0" * 200)
    assert come_back(ben, state=asked["state"], code=provider.agree(there)) == (303, "/")


def test_disconnect_forgets_link_and_wish(small: SmallShop, anna: Visitor) -> None:
    anna.apply("427")
    answer = anna.post("/points/disconnect", next="/cart")
    assert (answer.status_code, answer.location) == (303, "/cart")
    assert member_of(small, "anna") is None
    assert anna.wish() is None


@pytest.mark.scenario("B9", "a link removed in the middle of the checkout is a page with choices; nothing is held")
def test_a_link_removed_between_choosing_and_placing(small: SmallShop, anna: Visitor, provider: Provider) -> None:
    anna.apply("427")
    with small.app.app_context():
        small.points.checkout.unlink("anna")
    answer = anna.place("A-1")
    assert answer.status_code == 409
    assert "/points/connect" in answer.text
    assert small.shop.paid == {}
    assert provider.redemptions() == []


@pytest.mark.scenario("S2", "a customer sees the movements of the own account only")
def test_the_history_is_ones_own(small: SmallShop, anna: Visitor, ben: Visitor) -> None:
    anna.apply("427")
    anna.place("A-1")
    page = anna.browser.get("/points/history").text
    assert "A-1" in page
    assert 'href="/orders/A-1"' in page
    assert "A-1" not in ben.browser.get("/points/history").text
    assert "A-1" not in small.visitor().browser.get("/points/history").text


def test_the_history_shows_one_kind_of_movements(anna: Visitor) -> None:
    anna.apply("427")
    anna.place("A-1")
    opening, held = "Opening balance", "Held for order A-1"
    everything = anna.browser.get("/points/history").text
    assert opening in everything
    assert held in re.sub("<[^>]+>", "", everything)
    spent = anna.browser.get("/points/history?show=spent").text
    assert held in re.sub("<[^>]+>", "", spent)
    assert opening not in spent
    assert 'href="/points/history?show=spent" aria-current="page"' in spent
    assert "There are no such movements." in anna.browser.get("/points/history?show=expired").text
    # What does not exist shows everything.
    assert opening in anna.browser.get("/points/history?show=nonsense").text


def test_the_history_goes_on_page_by_page_with_its_filter(anna: Visitor) -> None:
    for number in range(22):
        anna.apply("1")
        anna.place(f"A-{number}")
    address, pages = "/points/history?show=spent", list[str]()
    while address and len(pages) < 9:
        pages.append(anna.browser.get(address).text)
        older = re.search(r'href="([^"]+)" rel="next"', pages[-1])
        address = unescape(older[1]) if older else ""
    assert len(pages) in (2, 3)
    assert 'href="/points/history?show=spent">Newest' in pages[-1]
    assert "Newest" not in pages[0]
    movements = [found for page in pages for found in re.findall(r"Held for order (?:<[^>]+>)?(A-\d+)<", page)]
    assert movements == [f"A-{number}" for number in range(21, -1, -1)]


def test_the_history_without_the_provider_says_so(anna: Visitor, provider: Provider) -> None:
    provider.fault("entries", "status_503", times=20)
    assert anna.browser.get("/points/history").status_code == 200


class TestGuests:
    """Linked for this browser and one order."""

    @pytest.fixture
    def guest(self, small: SmallShop) -> Visitor:
        guest = small.visitor()
        assert guest.link().location == "/cart"
        return guest

    def guest_id(self, guest: Visitor) -> str:
        with guest.browser.session_transaction() as kept:
            return str(kept["_punktgenau_guest"])

    def test_a_guest_links_chooses_and_pays(self, small: SmallShop, guest: Visitor, provider: Provider) -> None:
        guest_id = self.guest_id(guest)
        assert member_of(small, guest_id) == "mbr_2500"
        guest.apply("427")
        guest.place("A-1")
        assert provider.states("A-1") == [("captured", 427)]
        assert small.shop.paid == {"A-1": 5563}
        assert 'data-state="placed"' in guest.browser.get("/orders/A-1").text

    def test_the_link_is_used_up_by_the_order(self, small: SmallShop, guest: Visitor) -> None:
        guest_id = self.guest_id(guest)
        guest.apply("427")
        guest.place("A-1")
        assert member_of(small, guest_id) is None
        assert 'data-state="guest"' in guest.browser.get("/cart").text

    def test_a_declined_card_leaves_the_same_order_its_points(self, guest: Visitor, provider: Provider) -> None:
        guest.apply("427")
        guest.place("A-1", card="declined")
        assert 'data-state="guest"' in guest.browser.get("/cart").text
        guest.place("A-1")
        assert provider.states("A-1") == [("captured", 427), ("voided", 427)]

    def test_cancelling_forgets_the_guest(self, small: SmallShop, guest: Visitor) -> None:
        guest_id = self.guest_id(guest)
        guest.apply("427")
        guest.place("A-1", card="later")
        with small.app.app_context():
            small.points.cancel("A-1")
        assert member_of(small, guest_id) is None

    @pytest.mark.scenario("S2", "a guest's order is that browser's only")
    def test_another_guest_cannot_decide(self, small: SmallShop, guest: Visitor, provider: Provider) -> None:
        guest.apply("427")
        guest.place("A-1", card="later")
        other = small.visitor()
        other.link()
        assert other.post("/points/without", order_reference="A-1").status_code == 404
        assert guest.post("/points/without", order_reference="A-1").status_code == 303
        assert provider.states("A-1") == [("authorized", 427)]

    def test_signing_in_ends_the_guests_link(self, small: SmallShop, guest: Visitor) -> None:
        guest_id = self.guest_id(guest)
        guest.apply("427")
        guest.browser.post("/sign-in", data={"customer": "ben"})
        assert 'data-state="not_linked"' in guest.browser.get("/cart").text
        assert member_of(small, guest_id) is None
        assert guest.wish() is None
        guest.browser.post("/sign-out")
        assert 'data-state="guest"' in guest.browser.get("/cart").text

    def test_two_guests_are_two(self, small: SmallShop, guest: Visitor) -> None:
        other = small.visitor()
        other.link()
        assert self.guest_id(guest) != self.guest_id(other)
