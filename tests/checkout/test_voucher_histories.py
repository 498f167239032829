"""Random orders that vouchers, gift cards, points and money pay, and their returns: each step as reckoned by hand.

The oracle is the bill of `_naive_returns`, in fractions; of what it gives back to other tenders the vouchers' part is
theirs, and fills them one after the other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from math import floor

import pytest

from _naive_returns import Bill, BillLine
from _vouchers import left
from _world import World
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.voucher_records import Voucher

UNITS = ("lamp", "cup", "book")


@dataclass
class Drawn:
    """An order and what comes back of it, until all is back."""

    cart: Cart
    values: list[int]
    points: int
    wanted: list[dict[str, int]]


def drawn(seed: int) -> Drawn:
    chance = random.Random(seed)
    lines = [
        Line(sku=sku, quantity=chance.randint(1, 3), unit_price_minor=chance.randint(50, 2500), vat_rate="19")
        for sku in UNITS[: chance.randint(1, 3)]
    ]
    plain = Cart(currency="EUR", lines=lines, shipping_minor=chance.choice((0, 490)), shipping_vat_rate="19")
    total = plain.total.amount_minor
    gift = chance.choice((0, chance.randint(1, total // 3)))
    cart = Cart(
        currency="EUR",
        lines=lines,
        shipping_minor=plain.shipping_minor,
        shipping_vat_rate="19",
        other_tenders_minor=gift,
    )
    values = [chance.randint(1, 2000) for _ in range(chance.randint(1, 4))]
    room = max(0, total - gift - sum(values))
    room = room if room <= 2500 else 2000
    kept = {line.sku: line.quantity for line in lines}
    wanted = []
    while any(kept.values()):
        sku = chance.choice([one for one, units in kept.items() if units])
        units = chance.randint(1, kept[sku])
        kept[sku] -= units
        wanted.append({sku: units})
    if cart.shipping_minor:
        wanted.insert(chance.randint(0, len(wanted)), {})
    return Drawn(cart, values, chance.choice((0, room, chance.randint(0, room // 2))), wanted)


def paid(values: list[int], room: int) -> list[int]:
    """What each voucher pays: the first ones first, as far as there is something to pay."""
    parts = []
    for value in values:
        parts.append(min(value, room))
        room -= parts[-1]
    return parts


def filled(parts: list[int], back: int) -> list[int]:
    """So much put back onto the first ones first."""
    onto = []
    for part in parts:
        onto.append(min(part, back))
        back -= onto[-1]
    return onto


def brought_along(world: World, checkout: Checkout, values: list[int]) -> list[Voucher]:
    made = []
    for value in values:
        url, body = f"{world.provider.url}/sandbox/vouchers", {"value_minor": value}
        made.append(checkout.look_up_voucher(world.provider.http.post(url, json=body, timeout=20).json()["code"]))
    return made


@pytest.mark.parametrize("policy", ["proportional", "points_first", "money_first"])
@pytest.mark.parametrize("seed", range(1, 9))
def test_each_return_is_as_reckoned(world: World, policy: str, seed: int) -> None:
    told = drawn(1000 * len(policy) + seed)
    checkout = world.checkout(refund_policy=policy)
    vouchers = brought_along(world, checkout, told.values)
    cart, total = told.cart, told.cart.total.amount_minor
    parts = paid(told.values, total - cart.other_tenders_minor)
    checkout.authorize("A-1", cart, customer_id="anna", points=told.points, vouchers=vouchers)
    payment = checkout.capture("A-1")
    assert payment is not None
    due = total - cart.other_tenders_minor - sum(parts) - told.points
    assert (payment.state, payment.due.amount_minor, payment.vouchers_value.amount_minor) == (
        "captured",
        due,
        sum(parts),
    )
    rows = [BillLine(line.sku, line.quantity, line.quantity * line.unit_price_minor) for line in cart.lines]
    if cart.shipping_minor:
        rows.append(BillLine("shipping", 1, cart.shipping_minor))
    other = cart.other_tenders_minor + sum(parts)
    bill = Bill(rows, gift_card=other, points=told.points, worth=told.points)
    before, had = bill.state(policy), [0] * len(parts)  # type: ignore[arg-type]
    for number, units in enumerate(told.wanted):
        for sku, quantity in (units or {"shipping": 1}).items():
            bill.take_units(sku, quantity)
        after = bill.state(policy)  # type: ignore[arg-type]
        back = checkout.refund(
            "A-1", return_reference=f"R-{number}", lines=units, shipping_minor=0 if units else cart.shipping_minor
        )
        assert back is not None
        now = filled(parts, floor(Fraction(sum(parts) * after.other, other)) if other else 0)
        onto = [(one.id, new - old) for one, new, old in zip(vouchers, now, had, strict=True) if new > old]
        assert back.state == "done"
        assert [(one.id, one.value.amount_minor) for one in back.vouchers] == onto
        assert (back.points, back.money.amount_minor, back.other.amount_minor) == (
            after.points - before.points,
            after.money - before.money,
            after.other - before.other,
        )
        there = left(world)
        kept = [value - part for value, part in zip(told.values, parts, strict=True)]
        assert [there[one.id][1] for one in vouchers] == [rest + new for rest, new in zip(kept, now, strict=True)]
        before, had = after, now
    final = checkout.find("A-1")
    assert final is not None
    # Nothing that the provider had is left where vouchers or points paid; else there was nothing to give back.
    assert final.state == ("reversed" if sum(parts) + told.points else "captured")
    assert {one: figures[1] for one, figures in left(world).items()} == dict(
        zip((one.id for one in vouchers), told.values, strict=True)
    )
    assert world.provider.points() == (2500, 0)
