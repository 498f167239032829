"""Looks on while vouchers pay: what leaves for them stands in the journal, and is what the customer chose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator.audit import LINKS
from punktgenau.testing.simulator.plans import TOTAL_MINOR
from punktgenau.testing.simulator.shop import Bought
from punktgenau.testing.simulator.voucher_desk import PRICES

if TYPE_CHECKING:
    from punktgenau.testing.simulator.watch import Watch


def wrong_with(watch: Watch, content: dict[str, object], cart: str, bought: Bought) -> Iterator[tuple[str, str]]:
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
    chosen = [*(watch.vouchers[number] for number in bought.plan.vouchers), *bought.bought]
    places = [chosen.index(one) if one in chosen else -1 for one, _ in said]
    if -1 in places or places != sorted(set(places)):
        yield "I9", f"{named} leaves with the vouchers {[one for one, _ in said]}, the customer chose {chosen}"
    points = sum(_minor(one) for one in tenders if one["kind"] == "points")
    paid = points + sum(minor for _, minor in said)
    if paid > TOTAL_MINOR - bought.plan.gift_minor or any(minor <= 0 for _, minor in said):
        yield "I9", f"{named} leaves with {said} and {points} in points; a gift card pays {bought.plan.gift_minor}"


def wrong_purchase(
    watch: Watch, operation: str, key: str | None, content: dict[str, object]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the purchase of a voucher about to leave: invariant, and why."""
    row = watch.auditor.one("SELECT * FROM punktgenau_exchange WHERE key = ?", key)
    if row is None or row["kind"] != "voucher" or len(row["fingerprint"]) != 64:
        yield "I4", f"{operation} leaves without a committed intent under its key"
        return
    if (holder := watch.taken_from(row["id"])) is not None:
        yield "I12", f"{operation} leaves while {holder} has its lease"
    meant = {
        "member_id": row["member_id"],
        "voucher_product_id": row["product_id"],
        "voucher_reference": row["reference"],
    }
    if content != meant:
        yield "I4", f"{operation} leaves with {content}, the intent says {meant}"
    if row["member_id"] != LINKS[row["customer_id"]][0] or row["product_id"] not in PRICES:
        yield "I9", f"{operation} leaves for {row['member_id']}, who did not ask for {row['product_id']}"


def put_back(content: dict[str, object]) -> list[list[object]]:
    """What a reversal about to leave puts back onto each voucher."""
    told = content.get("vouchers")
    return [[one["voucher_id"], _minor(one)] for one in told] if isinstance(told, list) else []


def _minor(tender: dict[str, object]) -> int:
    value = tender.get("value")
    minor = value.get("amount_minor") if isinstance(value, dict) else None
    return minor if isinstance(minor, int) else 0
