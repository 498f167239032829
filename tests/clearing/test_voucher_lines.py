"""Lines of vouchers on a statement: each agrees with the shop's booking of the same voucher, and with no other's."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from _clearing_shop import lines, period
from _world import CART, World
from punktgenau import TenderRequest, VoucherReturn
from punktgenau.checkout import Checkout
from punktgenau.voucher_records import Voucher


def test_a_voucher_that_only_the_provider_knows_is_a_difference(world: World, checkout: Checkout) -> None:
    body = {"value_minor": 2500, "code": "GIFT-2026-WINT-ER25"}
    voucher = requests.post(f"{world.provider.url}/sandbox/vouchers", json=body, timeout=20).json()
    calls = checkout._provider.redemptions
    asked = [TenderRequest(kind="voucher", code="GIFT-2026-WINT-ER25"), TenderRequest(points=100)]
    taken = calls.authorize(member_id="mbr_2500", order_reference="B-1", total=CART.total, tenders=asked, capture="now")
    back = VoucherReturn(voucher_id=voucher["id"], value=taken.vouchers[0].value)
    calls.reverse(taken.id, points=0, vouchers=[back], return_reference="R-1")
    checkout.reconcile(period(checkout))
    listed = list(checkout.differences(period=period(checkout)))
    found = [(one.kind, one.there_points, one.there_minor) for one in listed]
    assert sorted(found) == [("only_there", 0, -2500), ("only_there", 0, 2500), ("only_there", 100, 100)]


def brought(world: World, shop: Checkout, minor: int) -> Voucher:
    made = requests.post(f"{world.provider.url}/sandbox/vouchers", json={"value_minor": minor}, timeout=20).json()
    return shop.look_up_voucher(made["code"])


def bought(world: World, shop: Checkout, reference: str, *minors: int, points: int = 0) -> tuple[Voucher, ...]:
    """An order that such vouchers pay, and points."""
    vouchers = tuple(brought(world, shop, minor) for minor in minors)
    world.order(reference, "paid")
    shop.authorize(reference, CART, customer_id="anna", points=points, vouchers=vouchers)
    assert shop.capture(reference).state == "captured"  # type: ignore[union-attr]
    return vouchers


def found(shop: Checkout, **more: Any) -> list[tuple[str, int | None, int | None, int | None]]:
    shop.reconcile(period(shop), **more)
    listed = shop.differences(period=period(shop))
    return sorted((one.kind, one.there_points, one.there_minor, one.here_minor) for one in listed)


def test_every_line_has_its_booking(world: World, shop: Checkout) -> None:
    bought(world, shop, "A-1", 1000, 1000)
    bought(world, shop, "A-2", 999, 1500, points=427)
    shop.refund("A-2", return_reference="R-1", lines={"lamp": 1})
    shop.cancel("A-2")
    assert shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490) is not None
    seen = shop.reconcile(period(shop))
    # two taken, two back. A-2: two and points; a lamp brings 999 and 137 back, the rest 1363; points in both.
    assert (seen.lines, seen.bookings, seen.matched, seen.found) == (12, 12, 12, {})
    assert sum(line.amount_minor for line in lines(shop)) == 0


def test_a_line_of_another_voucher_is_no_match(world: World, shop: Checkout) -> None:
    one, two = bought(world, shop, "A-1", 1000, 1000)
    there = lines(shop)
    assert [line.voucher_id for line in there] == [one.id, two.id]
    strange = there[1].model_copy(update={"voucher_id": "vou_9999"})
    assert found(shop, statement=[there[0], strange]) == [
        ("only_here", None, None, 1000),
        ("only_there", 0, 1000, None),
    ]


def test_an_amount_and_a_double_are_told(world: World, shop: Checkout) -> None:
    bought(world, shop, "A-1", 1000, 700)
    first, second = lines(shop)
    more = second.model_copy(update={"amount_minor": 701})
    again = first.model_copy(update={"id": "stl_again", "sequence": 3})
    assert found(shop, statement=[first, more, again]) == [("amount", 0, 701, 700), ("double", 0, 1000, 1000)]


def test_what_a_look_up_has_shown_is_no_difference(world: World, shop: Checkout) -> None:
    keeps = brought(world, shop, 2500)
    world.order("A-1", "paid")
    shop.authorize("A-1", CART, customer_id="anna", points=100, vouchers=(keeps,))
    row = shop._journal.latest("A-1")
    calls = shop._provider.redemptions
    assert row is not None
    assert row.provider_id is not None
    # Taken, and a part given back, by somebody at the provider.
    calls.capture(row.provider_id)
    back = VoucherReturn(voucher_id=keeps.id, value=CART.total.__class__(amount_minor=900, currency="EUR"))
    calls.reverse(row.provider_id, points=0, vouchers=[back], return_reference="by-hand")
    shop.recover()
    world.advance(3 * 86_400)
    shop.recover()
    assert shop.find("A-1").vouchers_value.amount_minor == 1600  # type: ignore[union-attr]
    assert found(shop) == []


@pytest.mark.parametrize("captured", [True, False])
def test_a_cancelled_order_whose_vouchers_are_not_back_is_told(world: World, shop: Checkout, captured: bool) -> None:
    keeps = brought(world, shop, 2500)
    world.order("A-1", "pending")
    shop.authorize("A-1", CART, customer_id="anna", points=0, vouchers=(keeps,))
    if captured:
        shop.capture("A-1")
    world.order("A-1", "cancelled")
    assert [kind for kind, *_ in found(shop)] == ["not_released"]


@pytest.mark.parametrize("back_minor", [0, 900])
def test_a_booking_that_the_statement_lacks_is_looked_up(world: World, shop: Checkout, back_minor: int) -> None:
    [voucher] = bought(world, shop, "A-1", 2500)
    row = shop._journal.latest("A-1")
    assert row is not None
    assert row.provider_id is not None
    if back_minor:
        back = VoucherReturn(voucher_id=voucher.id, value=CART.total.__class__(amount_minor=back_minor, currency="EUR"))
        shop._provider.redemptions.reverse(row.provider_id, points=0, vouchers=[back], return_reference="by-hand")
    shop.reconcile(period(shop), statement=[])
    [missing] = shop.differences()
    done = shop.repair(missing.id, by="kim", because="the provider says that it is there")
    assert done.result is not None
    assert done.result.endswith("; as here") == (not back_minor)
