"""The tax report of a real shop at a real sandbox: orders that earned, points redeemed there and elsewhere, returns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from _clearing_shop import buy, period, with_lots
from _tax import told
from _world import World
from punktgenau import ConfigurationError, UnavailableError
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.earning.schema import earning
from punktgenau.sandbox import Database, create_app
from punktgenau.sandbox.server import Server

# 119 euros at 19 percent, 42.80 at 7: with a point for each euro 161 in all. Of these 118.4 are the lamp's, 42.6 the
# books': 118 and 43.
LAMP = Line(sku="lamp", quantity=1, unit_price_minor=11_900, vat_rate="19")
BOOKS = Line(sku="book", quantity=4, unit_price_minor=1_070, vat_rate="7")
CART = Cart(currency="EUR", lines=[LAMP, BOOKS])
DAY_S = 86_400


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    """A provider of this file's own: its months pass for nobody else."""
    server = Server(create_app(Database()), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()
    thread.join()


@pytest.fixture
def shop(world: World) -> Checkout:
    """A shop that gives a point for each euro at once, and 50 for the first order; anna has none yet."""
    made = world.checkout(loader=True, earn_points=1, earn_pending_s=0, welcome_points=50)
    there = world.provider.http.get(f"{world.provider.url}/sandbox/clock", timeout=20).json()["advanced_s"]
    world.clock.advance(there)
    world.provider.give("mbr_x", 0)
    made.link("anna", member_id="mbr_x", consent_id="con_1")
    return made


def earn(shop: Checkout, world: World, reference: str, cart: Cart = CART) -> None:
    world.order(reference, "paid")
    shop.earn(reference, cart, customer_id="anna")
    shop.recover()


def pay_in_part(shop: Checkout, world: World, reference: str) -> None:
    world.order(reference, "paid")
    shop.authorize(reference, CART, customer_id="anna", points=180)
    shop.capture(reference)
    shop.recover()


def elsewhere(world: World, points: int, member_id: str = "mbr_x") -> None:
    url = f"{world.provider.url}/sandbox/members/{member_id}/redeem-elsewhere"
    assert world.provider.http.post(url, json={"points": points}, timeout=20).status_code == 201


def rows(shop: Checkout, month: str) -> list[Any]:
    with shop.tax_report(month) as report:
        assert report.is_whole
        return [told(row) for row in report.rows()]


def test_points_lead_back_to_the_order_that_earned_them(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    assert world.provider.points("mbr_x") == (211, 0)
    elsewhere(world, 211)
    # 161 by its lines; the welcome of 50 by what paid each: 11900 of 16180 are 36.8.
    assert rows(shop, period(shop)) == [
        ("A-1", "", "7", 43 + 13, 56, "EUR", 4_280),
        ("A-1", "", "19", 118 + 37, 155, "EUR", 11_900),
    ]


def test_a_part_now_and_the_rest_later_are_together_what_the_order_earned(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    first = period(shop)
    buy(shop, world, "A-2", points=100)
    world.advance(35 * DAY_S)
    elsewhere(world, 111)
    by_rate = {"7": 0, "19": 0}
    for month in (first, period(shop)):
        for row in rows(shop, month):
            assert row[0] == "A-1"
            by_rate[row[2]] += row[3]
    assert by_rate == {"7": 56, "19": 155}


def test_what_is_given_back_comes_off(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    buy(shop, world, "A-2", points=161)
    assert sum(row[3] for row in rows(shop, period(shop))) == 161
    shop.cancel("A-2")
    assert rows(shop, period(shop)) == []


def test_what_came_back_of_the_order_earned_nothing_and_is_no_basis(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    shop.returned("A-1", return_reference="R-1", lines={"book": 4})
    shop.recover()
    elsewhere(world, 169)
    assert rows(shop, period(shop)) == [("A-1", "", "19", 119 + 50, 169, "EUR", 11_900)]


def test_what_comes_back_later_leaves_an_earlier_month_as_it_was(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    elsewhere(world, 211)
    first = period(shop)
    before = rows(shop, first)
    world.advance(35 * DAY_S)
    shop.returned("A-1", return_reference="R-1", lines={"book": 4})
    shop.recover()
    assert rows(shop, first) == before
    assert rows(shop, period(shop)) == []


def test_what_comes_back_of_an_order_with_points_leaves_an_earlier_month_as_well(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    pay_in_part(shop, world, "A-2")
    elsewhere(world, 191)
    first = period(shop)
    before = rows(shop, first)
    world.advance(35 * DAY_S)
    shop.refund("A-2", return_reference="R-1", lines={"book": 4})
    shop.recover()
    assert rows(shop, first) == before
    # Of what is redeemed now, nothing was earned by the books.
    elsewhere(world, world.provider.points("mbr_x")[0])
    assert {(row[0], row[2]) for row in rows(shop, period(shop)) if row[0] == "A-2"} <= {("A-2", "19")}


@pytest.mark.parametrize("with_points", [False, True])
def test_an_order_that_is_cancelled_later_leaves_an_earlier_month_as_it_was(
    shop: Checkout, world: World, with_points: bool
) -> None:
    earn(shop, world, "A-1")
    if with_points:
        pay_in_part(shop, world, "A-2")
    else:
        earn(shop, world, "A-2")
    elsewhere(world, world.provider.points("mbr_x")[0] - 20)
    first = period(shop)
    before = rows(shop, first)
    assert {row[0] for row in before} == {"A-1", "A-2"}
    world.advance(35 * DAY_S)
    elsewhere(world, 1)
    world.order("A-2", "cancelled")
    shop.cancel("A-2")
    shop.recover()
    assert rows(shop, first) == before
    # From then on no money pays it, so what is still redeemed of it lowers nothing.
    assert [row[:2] for row in rows(shop, period(shop)) if row[3] > 0] == [("A-2", "no_money")]


def test_an_order_paid_with_points_and_money_earned_on_its_money_alone(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    pay_in_part(shop, world, "A-2")
    # 161.80 less 1.80: 160 points for 160 euros, of which 117.68 paid the lamp and 42.32 the books.
    left = 211 - 180
    assert world.provider.points("mbr_x") == (left + 160, 0)
    elsewhere(world, left + 160)
    found = [row for row in rows(shop, period(shop)) if row[0] == "A-2"]
    assert [(row[2], row[6]) for row in found] == [("7", 4_232), ("19", 11_768)]
    assert sum(row[3] for row in found) == 160


def test_what_the_journal_did_not_give_is_of_unknown_origin(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    client = shop._provider
    client.accruals.create(  # type: ignore[attr-defined]
        member_id="mbr_x", points=7, order_reference="A-1", accrual_reference="by-hand", reason="A gift"
    )
    elsewhere(world, 218)
    assert rows(shop, period(shop))[-1] == ("A-1", "no_earning", None, 7, 7, "EUR", None)
    with_lots(world, shop, 5)
    elsewhere(world, 5, "mbr_lots")
    assert rows(shop, period(shop))[-1] == ("", "unnamed", None, 5, 5, "EUR", None)


def test_another_shops_orders_are_no_origin(shop: Checkout, world: World) -> None:
    earn(shop, world, "A-1")
    elsewhere(world, 211)
    with shop._database.transaction() as tx:
        tx.run(earning.update().values(partner="another-shop"), {})
    assert [row[1] for row in rows(shop, period(shop))] == ["no_earning"]


def test_a_provider_that_cannot_be_asked_is_an_error_before_anything_is_reported(shop: Checkout, world: World) -> None:
    world.provider.fault("issued", "status_503", when="before", times=20)
    with pytest.raises(UnavailableError), shop.tax_report(period(shop)):
        raise AssertionError("there is no report")


def test_a_provider_without_such_a_list_needs_a_file(world: World) -> None:
    made = world.checkout()
    made._provider = object()  # type: ignore[assignment]
    with pytest.raises(ConfigurationError, match="give the file that it sends"), made.tax_report("2026-11"):
        raise AssertionError("there is no report")
