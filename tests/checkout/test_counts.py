"""What needs no clock: commits per operation, calls per checkout, nothing of the journal in use while it waits."""

from __future__ import annotations

from typing import Any

import pytest

from _commits import connections_in_use_while_asking, counted_commits
from _world import CART, World
from punktgenau.checkout import Checkout


def test_an_undisturbed_operation_makes_two_commits(world: World, checkout: Checkout) -> None:
    """The intent before anything is sent, and the result."""
    checkout.balance("anna")
    with counted_commits(checkout._database) as commits:
        checkout.authorize("A-1", CART, customer_id="anna", points=427)
        assert len(commits) == 2, commits
        checkout.capture("A-1")
        assert len(commits) == 4, commits
        checkout.authorize("A-2", CART, customer_id="anna", points=300)
        assert len(commits) == 6, commits
        checkout.void("A-2")
        assert len(commits) == 8, commits


@pytest.mark.parametrize("again", ["authorize", "capture", "find", "live"])
def test_what_stands_already_is_told_without_a_commit(world: World, checkout: Checkout, again: str) -> None:
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    checkout.capture("A-1")
    calls = {
        "authorize": lambda: checkout.authorize("A-1", CART, customer_id="anna", points=427),
        "capture": lambda: checkout.capture("A-1"),
        "find": lambda: checkout.find("A-1"),
        "live": lambda: checkout.live("anna"),
    }
    sent = world.provider.sent("authorize") + world.provider.sent("capture")
    with counted_commits(checkout._database) as commits:
        calls[again]()
    assert commits == []
    assert world.provider.sent("authorize") + world.provider.sent("capture") == sent


def test_a_checkout_of_a_warm_shop_asks_twice_and_once_before_the_order_is_seen(
    world: World, checkout: Checkout
) -> None:
    checkout.balance("anna")
    warm = {name: world.provider.sent(name) for name in ("token", "balance")}
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    placed = [item["operation"] for item in _requests(world)]
    assert placed.count("authorize") == 1
    checkout.capture("A-1")
    asked = [item["operation"] for item in _requests(world)]
    assert sorted(set(asked) - {"token", "balance"}) == ["authorize", "capture"]
    assert (asked.count("authorize"), asked.count("capture")) == (1, 1)
    assert {name: asked.count(name) for name in warm} == warm


def test_no_connection_of_the_journal_is_in_use_while_the_provider_is_asked(world: World, checkout: Checkout) -> None:
    with connections_in_use_while_asking(checkout._database) as in_use:
        checkout.balance("anna")
        checkout.authorize("A-1", CART, customer_id="anna", points=427)
        checkout.capture("A-1")
        checkout.authorize("A-2", CART, customer_id="anna", points=1)
        checkout.cancel("A-2")
    assert len(in_use) >= 5
    assert set(in_use) == {0}


def _requests(world: World) -> list[dict[str, str]]:
    items: list[dict[str, str]] = world.provider.http.get(f"{world.provider.url}/sandbox/requests", timeout=20).json()[
        "items"
    ]
    return items


def test_what_waits_for_the_next_transaction_is_in_none_and_closed_at_the_end(checkout: Checkout) -> None:
    checkout.find("A-1")
    checkout.find("A-2")
    pool: Any = checkout._database.engine.pool
    assert checkout._database.in_use == 0
    checkout.close()
    assert pool.checkedout() == 0
