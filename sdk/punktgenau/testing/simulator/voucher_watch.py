"""Looks on while vouchers pay: what leaves for them stands in the journal, and is what the customer chose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator.plans import TOTAL_MINOR, Order

if TYPE_CHECKING:
    from punktgenau.testing.simulator.watch import Watch


def wrong_with(watch: Watch, content: dict[str, object], cart: str, order: Order) -> Iterator[tuple[str, str]]:
    """What is wrong with the tenders of an authorize about to leave: invariant, and why."""
    told = content["tenders"]
    tenders: list[dict[str, object]] = told if isinstance(told, list) else []
    kinds = [str(one["kind"]) for one in tenders]
    named = f"authorize of {content['order_reference']}"
    if kinds != sorted(kinds, key=["voucher", "points"].index) or kinds.count("points") > 1 or not kinds:
        yield "I9", f"{named} leaves with {kinds}: vouchers pay first, then points"
    said = [(str(one["voucher_id"]), _minor(one)) for one in tenders if one["kind"] == "voucher"]
    meant = [(one["id"], one["value_minor"]) for one in json.loads(cart).get("vouchers", [])]
    if said != meant:
        yield "I4", f"{named} leaves with the vouchers {said}, the intent says {meant}"
    numbers = [watch.vouchers.index(one) if one in watch.vouchers else -1 for one, _ in said]
    places = [order.vouchers.index(one) if one in order.vouchers else -1 for one in numbers]
    if -1 in places or places != sorted(set(places)):
        yield "I9", f"{named} leaves with the vouchers {[one for one, _ in said]}, the customer chose {order.vouchers}"
    points = sum(_minor(one) for one in tenders if one["kind"] == "points")
    paid = points + sum(minor for _, minor in said)
    if paid > TOTAL_MINOR - order.gift_minor or any(minor <= 0 for _, minor in said):
        yield "I9", f"{named} leaves with {said} and {points} in points; a gift card pays {order.gift_minor}"


def put_back(content: dict[str, object]) -> list[list[object]]:
    """What a reversal about to leave puts back onto each voucher."""
    told = content.get("vouchers")
    return [[one["voucher_id"], _minor(one)] for one in told] if isinstance(told, list) else []


def _minor(tender: dict[str, object]) -> int:
    value = tender.get("value")
    minor = value.get("amount_minor") if isinstance(value, dict) else None
    return minor if isinstance(minor, int) else 0
