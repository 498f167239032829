"""The fake beside the shop's own mocks: it answers for one host, whatever else is registered, and no other."""

from __future__ import annotations

import re
import socket

import pytest
import requests
import responses
from responses.registries import OrderedRegistry

from punktgenau import Client
from punktgenau.testing import FakeProvider, fake_provider

CARD = "https://card.example/charges"


def ask(provider: FakeProvider) -> int:
    with Client(provider.url, client_id=provider.client_id, client_secret=provider.client_secret) as client:
        return client.members.balance(member_id="mbr_42").available


def charge() -> int:
    return requests.post(CARD, json={"amount_minor": 5563}, timeout=3.0).status_code


def test_joins_the_mock_that_it_is_given() -> None:
    with responses.RequestsMock() as rsps, fake_provider(mock=rsps) as provider:
        rsps.post(CARD, status=201)
        assert (ask(provider), charge()) == (42, 201)
        assert len(rsps.calls) == 3


def test_works_inside_a_mock_without_joining_it() -> None:
    with responses.RequestsMock() as rsps:
        rsps.post(CARD, status=201)
        with fake_provider() as provider:
            assert (ask(provider), charge()) == (42, 201)


def test_works_with_the_decorator_either_way_round() -> None:
    @responses.activate
    def inside(provider: FakeProvider) -> tuple[int, int]:
        responses.post(CARD, status=201)
        return ask(provider), charge()

    @responses.activate
    def outside() -> tuple[int, int]:
        responses.post(CARD, status=201)
        with fake_provider() as provider:
            return ask(provider), charge()

    with fake_provider() as provider:
        assert inside(provider) == (42, 201)
    assert outside() == (42, 201)


def test_joins_a_mock_that_begins_later() -> None:
    with fake_provider() as provider, responses.RequestsMock() as rsps:
        rsps.post(CARD, status=201)
        leave = provider.join(rsps)
        assert (ask(provider), charge()) == (42, 201)
        leave()
        with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
            requests.get(provider.url, timeout=3.0)


def test_greedy_mock_neither_takes_its_place_nor_loses_its_own() -> None:
    with responses.RequestsMock() as rsps, fake_provider(mock=rsps) as provider:
        rsps.add(responses.GET, re.compile(r"https://.*"), status=418)
        rsps.add(responses.POST, re.compile(r"https://.*"), status=418)
        assert [ask(provider), charge(), ask(provider), charge(), ask(provider)] == [42, 418, 42, 418, 42]
        assert requests.get("https://elsewhere.example/", timeout=3.0).status_code == 418


def test_ordered_registry_keeps_its_order() -> None:
    with responses.RequestsMock(registry=OrderedRegistry) as rsps, fake_provider(mock=rsps) as provider:
        rsps.post(CARD, status=402)
        rsps.post(CARD, status=201)
        assert [ask(provider), charge(), ask(provider), charge(), ask(provider)] == [42, 402, 42, 201, 42]


def test_provider_that_nobody_asks_is_no_unfired_request() -> None:
    with fake_provider() as provider, responses.RequestsMock(assert_all_requests_are_fired=True) as rsps:
        provider.join(rsps)


def test_other_hosts_are_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with fake_provider(), pytest.raises(requests.ConnectionError, match="refused"):
        # Nobody listens there: the request went out, as it would have without the fake.
        requests.get(url, timeout=3.0)


def test_host_that_nobody_mocked_is_still_told_by_the_shops_mock() -> None:
    with (
        responses.RequestsMock() as rsps,
        fake_provider(mock=rsps),
        pytest.raises(requests.ConnectionError, match="Connection refused by Responses"),
    ):
        charge()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/member/mbr_42"),
        ("DELETE", "/v1/redemptions/red_0001"),
        ("POST", "/v2/redemptions"),
        ("GET", ""),
    ],
)
def test_typing_error_is_loud_whatever_the_shop_catches(method: str, path: str) -> None:
    with fake_provider("https://points.example/partner") as provider:
        url = f"{provider.url}{path}".removesuffix("/partner")
        try:
            with pytest.raises(AssertionError, match="the provider offers no such thing"):
                requests.request(method, url, timeout=3.0)
        except requests.RequestException:
            pytest.fail("a shop would take this for an outage")


def test_address_may_have_a_path_and_a_port() -> None:
    with fake_provider("https://points.example:8443/partner/") as provider:
        assert provider.url == "https://points.example:8443/partner"
        assert ask(provider) == 42
        assert [request.path for request in provider.requests] == ["/oauth/token", "/v1/members/mbr_42/balance"]


def test_two_providers_keep_their_own_books() -> None:
    with fake_provider() as here, fake_provider("https://other.example") as there:
        here.member("mbr_42", 7)
        assert (ask(here), ask(there)) == (7, 42)


def test_leaving_in_any_order_takes_nobody_along() -> None:
    with responses.RequestsMock() as rsps:
        before = rsps.get_registry().find
        rsps.post(CARD, status=201)
        with fake_provider() as here, fake_provider("https://other.example") as there:
            leave_here, leave_there = here.join(rsps), there.join(rsps)
            leave_here()
            leave_here()
            assert (ask(there), charge()) == (42, 201)
            leave_there()
            assert charge() == 201
        assert rsps.get_registry().find == before


def test_nothing_is_left_behind() -> None:
    with responses.RequestsMock() as rsps:
        with fake_provider(mock=rsps) as provider:
            assert ask(provider) == 42
        with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
            requests.get(provider.url, timeout=3.0)
