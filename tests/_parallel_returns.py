"""Two to four returns of one order at the same moment: never more comes back than was captured."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Literal

from _together import together
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.errors import InvalidArgumentError
from punktgenau.records import Redemption

POLICIES: tuple[Literal["proportional", "points_first", "money_first"], ...] = (
    "proportional",
    "points_first",
    "money_first",
)


def check(seed: int, shops: tuple[Checkout, Checkout], *, order: str, seen: Callable[[str], Redemption]) -> None:
    """Place and pay an order, bring parts back at once, then the rest; `seen` is the order at the provider.

    Raises AssertionError that names the seed.
    """
    chance = random.Random(seed)
    count = chance.randint(2, 4)
    lamps, price, points = chance.randint(1, 2 * count), chance.randint(700, 9999), chance.randint(1, 20)
    cart = Cart(
        currency="EUR",
        lines=[Line(sku="lamp", quantity=lamps, unit_price_minor=price, vat_rate="19")],
        shipping_minor=chance.choice((0, 490)),
    )
    shops[0].authorize(order, cart, customer_id="anna", points=points)
    payment = shops[0].capture(order)
    assert payment is not None, f"seed {seed}"
    assert payment.state == "captured", f"seed {seed}: {payment}"
    wanted = [_part(chance, lamps, price) for _ in range(count)]
    references = [f"R-{number}" for number in range(count)]
    if chance.random() < 0.2:
        # One is told twice.
        wanted[1], references[1] = wanted[0], references[0]

    def bring(number: int) -> object:
        return shops[number % 2].refund(order, return_reference=references[number], **wanted[number])

    results = together(count, bring)
    refused = [one for one in results if isinstance(one, Exception)]
    assert all(isinstance(one, InvalidArgumentError) for one in refused), f"seed {seed}: {refused}"
    shops[0].recover()
    taken = {one for one, result in zip(references, results, strict=True) if not isinstance(result, Exception)}
    _check_books(seed, shops[0], order, seen(order), cart, points, returns=len(taken))
    left = cart.total.amount_minor - sum(one.goods.amount_minor for one in shops[0].refunds(order))
    if left:
        shops[1].refund(order, return_reference="R-9", amount_minor=left)
    there = _check_books(seed, shops[1], order, seen(order), cart, points)
    given = shops[1].refunds(order)
    told = f"seed {seed}: {given}, {there}"
    assert (there.state, there.reversed_points, there.reversed_value) == ("reversed", points, there.value), told
    assert sum(one.money.amount_minor for one in given) == payment.due.amount_minor, told


def _part(chance: random.Random, lamps: int, price: int) -> dict[str, Any]:
    if chance.random() < 0.3:
        return {"amount_minor": chance.randint(1, lamps * price)}
    return {"lines": {"lamp": chance.randint(1, lamps)}}


def _check_books(
    seed: int, shop: Checkout, order: str, there: Redemption, cart: Cart, points: int, *, returns: int | None = None
) -> Redemption:
    given = shop.refunds(order)
    told = f"seed {seed}: {given}, {there}"
    assert returns is None or len(given) == returns, told
    assert {one.state for one in given} == {"done"}, told
    assert there.captured_points == points, told
    assert sum(one.points for one in given) == there.reversed_points <= points, told
    assert sum(one.points_value.amount_minor for one in given) == there.reversed_value.amount_minor, told
    assert sum(one.goods.amount_minor for one in given) <= cart.total.amount_minor, told
    return there
