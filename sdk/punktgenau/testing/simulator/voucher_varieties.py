"""What a history had of vouchers, and what became of them: cells of the coverage table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from punktgenau.testing.simulator.world import World

_ENDED = "SELECT 1 FROM redemption WHERE vouchers_minor > 0 AND state = 'expired'"
_ANEW = "SELECT 1 FROM punktgenau_redemption WHERE cart LIKE '%\"vouchers\":%' AND cause = 'shortfall'"
_BOOKED: dict[str, str] = {
    "held": "SELECT 1 FROM voucher_tender",
    "let go": "SELECT 1 FROM voucher_tender WHERE released_minor > 0",
    "hold ended": _ENDED,
    "used up": "SELECT 1 FROM voucher_tender t JOIN voucher v ON v.id = t.voucher_id"
    " WHERE t.captured_minor = v.value_minor",
    "a part left over": "SELECT 1 FROM voucher_tender t JOIN voucher v ON v.id = t.voucher_id"
    " WHERE v.residual = 'keeps' AND t.captured_minor BETWEEN 1 AND v.value_minor - 1",
    "rest lost": "SELECT 1 FROM voucher_entry WHERE kind = 'lose'",
    "returned in part": "SELECT 1 FROM voucher_reversal b JOIN reversal v ON v.id = b.reversal_id JOIN voucher_tender t"
    " ON t.redemption_id = v.redemption_id AND t.voucher_id = b.voucher_id WHERE b.value_minor < t.captured_minor",
    "returned wholly": "SELECT 1 FROM voucher_tender WHERE reversed_minor > 0 AND reversed_minor = captured_minor",
    "bought with points": "SELECT 1 FROM voucher WHERE voucher_reference IS NOT NULL",
    "bought and used": "SELECT 1 FROM voucher_tender t JOIN voucher v ON v.id = t.voucher_id"
    " WHERE v.voucher_reference IS NOT NULL AND t.captured_minor > 0",
    "back after its end": "SELECT 1 FROM voucher_reversal WHERE already_expired_minor > 0",
    "expired while held": "SELECT 1 FROM voucher_entry e JOIN voucher_account a ON a.id = e.account_id"
    " WHERE e.kind = 'release' AND a.kind = 'expired'",
}
"""What the provider's books tell of it."""


def of(world: World) -> Iterator[str]:
    """Each variety that this history had."""
    chosen = [number for order in world.shop.orders.values() for number in order.plan.vouchers]
    for number in set(chosen):
        voucher = world.plan.vouchers[number]
        yield "own" if voucher.owner else "brought along"
        yield "another shop's" if voucher.elsewhere else f"{voucher.residual} the rest".replace("lost", "loses")
    if len(set(chosen)) < len(chosen):
        yield "in two carts"
    for row in world.auditor.rows("SELECT * FROM punktgenau_redemption WHERE cart LIKE '%\"vouchers\":%'"):
        order = world.shop.orders[row["order_reference"]]
        yield "with points" if row["points"] else "alone"
        if len(json.loads(row["cart"])["vouchers"]) > 1:
            yield "several in one order"
        if order.plan.gift_minor:
            yield "with a gift card"
        if order.plan.rewards:
            yield "with reward articles"
        if world.plan.earns is not None and order.charged_minor:
            yield "and money earns"
        if row["state"] == "declined" and row["reason"].startswith("voucher_"):
            yield "refused when held"
    yield from (variety for variety, query in _BOOKED.items() if world.provider.rows(f"{query} LIMIT 1"))
    if world.auditor.rows("SELECT 1 FROM punktgenau_exchange WHERE state = 'declined'"):
        yield "too few points for one"
    if world.auditor.rows(f"{_ANEW} LIMIT 1"):
        yield "taken anew"
