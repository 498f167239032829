"""A real shop whose books are compared with a real sandbox's; nothing repairs by itself what was never captured."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from _world import CART, World
from punktgenau.checkout import Checkout, Order
from punktgenau.statement_records import StatementLine


@pytest.fixture
def shop(world: World) -> Checkout:
    """A shop that nothing repairs by itself: what was never captured stays so."""
    made = world.checkout(loader=True)

    def orders(since: datetime, until: datetime) -> Iterator[Order]:
        # Each order on one day only, as a shop's own would be.
        if since.date() == made._clock.now().date():
            yield from list(world.orders.values())

    made.orders_loader = orders
    return made


def period(shop: Checkout) -> str:
    return f"{shop._clock.now():%Y-%m}"


def buy(shop: Checkout, world: World, reference: str, points: int = 100, *, capture: bool = True) -> str:
    """An order paid with points; the provider's id of its redemption."""
    world.order(reference, "paid")
    shop.authorize(reference, CART, customer_id="anna", points=points)
    if capture:
        assert shop.capture(reference).state == "captured"  # type: ignore[union-attr]
    row = shop._journal.latest(reference)
    assert row is not None
    assert row.provider_id is not None
    return row.provider_id


def lines(shop: Checkout) -> list[StatementLine]:
    return list(shop._provider.statements.lines(period=period(shop)))  # type: ignore[attr-defined]


def with_lots(world: World, shop: Checkout, *points: int) -> None:
    """Let anna have just these lots, which the shop gave out; no accrual says for which order."""
    lots = [{"points": one, "issued_by": "demo-shop"} for one in points]
    url = f"{world.provider.url}/sandbox/members"
    assert world.provider.http.post(url, json={"id": "mbr_lots", "lots": lots}, timeout=20).status_code == 201
    shop.link("anna", member_id="mbr_lots", consent_id="con_1")
