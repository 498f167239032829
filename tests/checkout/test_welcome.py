"""Welcome points with the first order: once per member, whatever account, tab, order or journal."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from _earning import earning, paid, placed, settle, standing, told
from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.earning.welcome import welcome_reference

WELCOME = {"welcome_points": 50}


def welcome(shop: Checkout, order: str = "A-1") -> list[tuple[str, int, str]]:
    """State, points and reason of the welcome that came with an order."""
    return [(one.state, one.points, one.reason) for one in shop.earned(order) if one.kind == "welcome"]


def test_the_first_order_brings_a_welcome_and_the_second_none(world: World):
    shop = earning(world, **WELCOME)
    paid(world, shop, points=427)
    paid(world, shop, "A-2")
    shop.recover()
    assert told(shop) == [("purchase", "pending", 46, 0), ("welcome", "pending", 50, 0)]
    assert told(shop, "A-2") == [("purchase", "pending", 49, 0)]
    assert standing(world) == (2073, 46 + 50 + 49)


def test_a_shop_that_gives_nothing_else(world: World):
    shop = world.checkout(welcome_points=50, earn_pending_s=0)
    paid(world, shop)
    paid(world, shop, "A-2")
    shop.recover()
    assert (told(shop), told(shop, "A-2")) == ([("welcome", "posted", 50, 0)], [])
    assert standing(world) == (2550, 0)


def test_a_second_account_of_the_same_member_gets_none(world: World):
    shop = earning(world, **WELCOME)
    shop.link("second-account", member_id="mbr_2500", consent_id="con_7")
    paid(world, shop)
    paid(world, shop, "A-2", customer_id="second-account")
    shop.recover()
    assert (len(welcome(shop)), welcome(shop, "A-2"), standing(world)) == (1, [], (2500, 148))
    assert shop.preview_earned(CART, customer_id="second-account").welcome_points == 0


@pytest.mark.parametrize("round_", range(3))
def test_two_tabs_get_one(world: World, round_: int):
    shops = [earning(world, **WELCOME) for _ in range(3)]
    for number in range(3):
        placed(world, f"A-{number}")
    threads = [Thread(target=shop.capture, args=(f"A-{number}",)) for number, shop in enumerate(shops)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shops[0].recover()
    assert sum(len(welcome(shops[0], f"A-{number}")) for number in range(3)) == 1
    assert standing(world) == (2500, 3 * 49 + 50)


@pytest.mark.parametrize("sent", [True, False])
def test_a_cancelled_first_order_leaves_the_welcome_to_the_next(world: World, sent: bool):
    shop = earning(world, **WELCOME)
    paid(world, shop)
    if sent:
        shop.recover()
    placed(world, "A-1", "cancelled")
    shop.cancel("A-1")
    shop.recover()
    assert [one[0] for one in welcome(shop)] == ["reversed"]
    paid(world, shop, "A-2")
    shop.recover()
    assert (welcome(shop, "A-2"), standing(world)) == ([("pending", 50, "")], (2500, 99))
    paid(world, shop, "A-3")
    assert welcome(shop, "A-3") == []


def test_a_welcome_that_could_be_used_before_is_taken_back_and_not_given_again(world: World):
    shop = earning(world, **WELCOME, earn_pending_s=0)
    paid(world, shop, points=427)
    shop.recover()
    assert standing(world) == (2073 + 96, 0)
    # Shipping alone is no order that is kept.
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}))
    shop.recover()
    assert told(shop) == [("purchase", "reversed", 46, 46), ("welcome", "reversed", 50, 50)]
    assert standing(world) == (2500 - 38, 0)
    paid(world, shop, "A-2")
    shop.recover()
    assert told(shop, "A-2") == [("purchase", "posted", 49, 0)]


def test_a_return_in_part_leaves_the_welcome(world: World):
    shop = earning(world, **WELCOME)
    paid(world, shop, points=427)
    shop.recover()
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    shop.recover()
    assert told(shop) == [("purchase", "pending", 46, 23), ("welcome", "pending", 50, 0)]


def test_another_journal_of_the_shop_gives_none(world: World, tmp_path: Path):
    shop = earning(world, **WELCOME)
    paid(world, shop)
    shop.recover()
    world.database_url = f"sqlite:///{tmp_path / 'other.db'}"
    other = earning(world, **WELCOME)
    other.upgrade()
    other.link("anna", member_id="mbr_2500", consent_id="con_1")
    paid(world, other, "B-1")
    settle(world, other, rounds=2)
    assert (welcome(other, "B-1"), standing(world)) == ([("declined", 50, "welcome_had")], (2500, 49 + 50 + 49))
    # As it should be, so nobody is asked.
    assert other.recover().needs_attention == 0


@pytest.mark.parametrize("gone", [False, True])
def test_a_journal_that_was_lost_finds_its_welcome_again(world: World, tmp_path: Path, gone: bool):
    shop = earning(world, **WELCOME)
    paid(world, shop)
    shop.recover()
    if gone:
        port = shop._provider.accruals  # type: ignore[attr-defined]
        (made,) = [one for one in port.find(order_reference="A-1") if one.points == 50]
        port.reverse(made.id, points=50, return_reference="their-desk", reason="Cancelled")
    world.database_url = f"sqlite:///{tmp_path / 'other.db'}"
    other = earning(world, **WELCOME, earn_points=0)
    other.upgrade()
    other.link("anna", member_id="mbr_2500", consent_id="con_1")
    paid(world, other)
    settle(world, other, rounds=2)
    assert (welcome(other), standing(world)) == ([("pending", 50, "")], (2500, 49 + 50))


def test_its_name_is_the_same_from_any_journal_and_tells_nobody():
    first = welcome_reference("demo-shop", "mbr_2500", 1)
    assert first == welcome_reference("demo-shop", "mbr_2500", 1)
    assert first != welcome_reference("demo-shop", "mbr_42", 1)
    assert first != welcome_reference("other-shop", "mbr_2500", 1)
    assert (len(first), first[:8], first[-2:], "2500" in first[8:-2]) == (34, "welcome-", "-1", False)


def test_a_welcome_is_told_before_as_what_it_will_be(world: World):
    shop = earning(world, **WELCOME)
    assert shop.preview_earned(CART, customer_id="nobody").welcome_points == 50
    # Points pay all of it, so nothing is bought.
    assert shop.preview_earned(CART, customer_id="anna", points_value=5480).welcome_points == 0
    paid(world, earning(world), "A-0")
    # Who has bought before is no new customer.
    assert shop.preview_earned(CART, customer_id="anna").welcome_points == 0
    paid(world, shop, "A-2")
    assert welcome(shop, "A-2") == []
