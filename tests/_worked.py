"""How the tables of orders that were worked out on paper are read: carts, and what comes back."""

import re
from typing import Any

from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.returned import Wanted
from punktgenau.checkout.rules import ShopRules

LINE = re.compile(r"(?P<quantity>\d+) (?P<id>\w+) at (?P<price>\d+)(?: less (?P<less>\d+))?(?P<excluded> excluded)?")
SHIPPING = re.compile(r"shipping (?P<amount>\d+)(?P<excluded> excluded)?")
# Every third article is taxed lower: what comes back does not depend on it.
VAT = ("19", "19", "7")


def read_cart(example: dict[str, Any]) -> tuple[Cart, ShopRules]:
    lines: list[Line] = []
    shipping, gift_card, shipping_allowed = 0, 0, True
    for text in example["cart"]:
        if found := LINE.fullmatch(text):
            line = Line(
                sku=found["id"],
                quantity=int(found["quantity"]),
                unit_price_minor=int(found["price"]),
                discount_minor=int(found["less"] or 0),
                vat_rate=VAT[len(lines) % 3],
                points_allowed=not found["excluded"],
            )
            lines.append(line)
        elif found := SHIPPING.fullmatch(text):
            shipping, shipping_allowed = int(found["amount"]), not found["excluded"]
        else:
            gift_card = int(text.removeprefix("gift card "))
    cart = Cart(
        currency=example.get("currency", "EUR"),
        lines=lines,
        shipping_minor=shipping,
        shipping_vat_rate="19",
        other_tenders_minor=gift_card,
    )
    return cart, ShopRules(shipping_allowed=shipping_allowed)


def read_return(text: str) -> Wanted:
    lines, shipping, amount = {}, 0, None
    for part in text.split(", "):
        number, what = part.split(" ", 1)
        if what == "of all":
            amount = int(number)
        elif what == "of shipping":
            shipping = int(number)
        else:
            lines[what] = int(number)
    return Wanted(lines=lines, shipping_minor=shipping, amount_minor=amount)
