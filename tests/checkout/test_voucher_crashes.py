"""Killed at every seam of an order that a voucher, points and money pay: what stands then, and what it comes to.

Two lamps of 24.95 and shipping of 4.90. A voucher of 25.00 pays first, then 427 points.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from _mortal import Mortal, Process, Side
from _vouchers import brought, left, place
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.voucher_records import Voucher

FREE, HELD, TAKEN = (("active", 2500, 0), 2500), (("active", 0, 2500), 2073), (("used", 0, 0), 2073)
# 2500 x 2495 / 5480 = 1138 of the voucher; of 427 points 389 pay lamps of 27.14, half of these 194.
LAMP_BACK = (("active", 1138, 0), 2267)
BEFORE = {"pay": (), "void": ("pay",), "capture": ("pay",), "cancel": ("pay", "capture"), "lamp": ("pay", "capture")}
FROM = {"pay": FREE, "void": HELD, "capture": HELD, "cancel": TAKEN, "lamp": TAKEN}
TO = {"pay": HELD, "void": FREE, "capture": TAKEN, "cancel": FREE, "lamp": LAMP_BACK}
STATES = {"pay": "authorized", "void": "voided", "capture": "captured", "cancel": "reversed",
          "lamp": "partially_reversed"}  # fmt: skip


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with Process() as running:
        yield running


@pytest.fixture
def mortal(world: World, checkout: Checkout, process: Process) -> Mortal:
    checkout.balance("anna")
    return Mortal(process, world.provider.url, world.database_url)


def there(world: World, voucher: Voucher) -> tuple[Any, int]:
    """The voucher, and the member's points, as the provider has them."""
    return left(world)[voucher.id], world.provider.points()[0]


@pytest.mark.scenario("C6", "killed at each seam of an order that a voucher and points pay: both move once, or neither")
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2])
@pytest.mark.parametrize("step", STATES)
def test_each_seam(world: World, checkout: Checkout, mortal: Mortal, step: str, commit: int, side: Side) -> None:
    voucher = brought(world, checkout, 2500)
    words = {"pay": f"pay {voucher.id} 427", "lamp": "return R-1 lamp"}
    for earlier in BEFORE[step]:
        if earlier == "pay":
            place(checkout, voucher, points=427)
        else:
            checkout.capture("A-1")
    assert mortal.live(words.get(step, step), commit=commit, side=side) == "killed"
    # Nothing is sent before the intent stands; what was sent is there, whether its result was written or not.
    assert there(world, voucher) == (FROM[step] if commit == 1 else TO[step])
    # What recovery does of an order is asked of the shop: it waits.
    world.order("A-1", "pending")
    for _ in range(2):
        world.advance(60)
        checkout.recover()
    was_written = (commit, side) != (1, "before")
    assert there(world, voucher) == (TO[step] if was_written else FROM[step])
    # Told again it comes to the same, once.
    assert mortal.live(words.get(step, step), commit=99, side=side, moved_s=120) == "survived"
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.attempt, there(world, voucher)) == (STATES[step], 1, TO[step])
    assert len(world.provider.redemptions()) == 1


@pytest.mark.scenario("C12", "killed at each seam of a repair of several tenders: all are taken anew, once")
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("commit", range(1, 6))
def test_a_repair(world: World, checkout: Checkout, mortal: Mortal, commit: int, side: Side) -> None:
    voucher = brought(world, checkout, 2500)
    checkout.authorize("A-1", CART, customer_id="anna", points=427, vouchers=(voucher,), hold_s=300)
    world.advance(400)
    mortal.live("recover", commit=commit, side=side, orders={"A-1": "paid"}, moved_s=400)
    world.order("A-1", "paid")
    for _ in range(4):
        world.advance(60)
        checkout.recover()
    payment = checkout.find("A-1")
    assert payment is not None
    assert (payment.state, payment.attempt, payment.vouchers_value.amount_minor) == ("captured", 2, 2500)
    assert there(world, voucher) == TAKEN
