"""The cart as the journal keeps it from the moment of placement: returns, invoices and the provider's lines need it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from punktgenau.checkout.allocation import Allocation, spread
from punktgenau.checkout.cart import SHIPPING_ID, Cart, GrossLine
from punktgenau.checkout.rules import ShopRules
from punktgenau.money import largest_remainder


@dataclass(frozen=True, slots=True)
class FrozenCart:
    """Gross lines with shipping among them, and what other tenders (gift cards) paid first, in the smallest unit."""

    lines: tuple[GrossLine, ...]
    other_tenders_minor: int

    def allocation(self, *, points: int, value_minor: int, currency: str) -> Allocation:
        """Who pays which line. The same numbers give the same answer for ever, so it is reckoned and never stored."""
        amounts = [line.amount_minor for line in self.lines]
        paid = largest_remainder(self.other_tenders_minor, amounts)
        left = [amount - part for amount, part in zip(amounts, paid, strict=True)]
        return spread(
            self.lines,
            left_minor=left,
            payable_minor=[part if line.points_allowed else 0 for line, part in zip(self.lines, left, strict=True)],
            points=points,
            value_minor=value_minor,
            currency=currency,
        )


def freeze(cart: Cart, rules: ShopRules) -> str:
    """A cart as the journal's text; what points may not pay by the shop's rules is frozen with it."""
    excluded = [
        line.id
        for line in cart.gross_lines
        if not line.points_allowed or (line.id == SHIPPING_ID and not rules.shipping_allowed)
    ]
    lines = [
        {
            "id": line.id,
            "sku": line.sku,
            "quantity": line.quantity,
            "amount_minor": line.amount_minor,
            "vat_rate": line.vat_rate,
        }
        for line in cart.gross_lines
    ]
    return json.dumps(
        {"lines": lines, "excluded": excluded, "other_tenders_minor": cart.other_tenders_minor},
        sort_keys=True,
        separators=(",", ":"),
    )


def thaw(text: str) -> FrozenCart:
    """The journal's text as a cart again."""
    content = json.loads(text)
    excluded = frozenset(content["excluded"])
    return FrozenCart(
        lines=tuple(GrossLine(**line, points_allowed=line["id"] not in excluded) for line in content["lines"]),
        other_tenders_minor=content["other_tenders_minor"],
    )
