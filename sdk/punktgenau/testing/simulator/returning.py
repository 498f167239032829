"""What came back, judged by plain SQL: each return once, by what its goods cost, and no more than was taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator import vouchering
from punktgenau.testing.simulator.by_itself import OWN
from punktgenau.testing.simulator.plans import REWARD_POINTS, TOTAL_MINOR
from punktgenau.testing.simulator.shop import BACK

if TYPE_CHECKING:
    import sqlite3

    from punktgenau.testing.simulator.world import World

LAMPS_MINOR = 4990
_SENT = "t.operation_id IS NOT NULL AND t.state <> 'declined'"


def purpose_of(cause: str) -> str:
    """What an operation is for: its cause without the version that sets a second try apart."""
    words = cause.split()
    return " ".join(words[:2] if words[0] in ("return", "shipment") else words[:1])


def left_of(world: World, reference: str) -> tuple[int, int]:
    """What an order costs by now, and how much of its money went back, both in cents."""
    booked = _of_order(world, reference)
    left_minor = TOTAL_MINOR - sum(row["goods_minor"] for row in booked)
    # What was refused for good stays with the provider, until a person has settled it.
    refused = [row for row in booked if row["state"] == "declined"]
    kept_minor = sum(row["worth_minor"] for row in refused)
    kept_minor += sum(minor for row in refused for _, minor in json.loads(row["vouchers"] or "[]"))
    # Where nothing can be given back in part, the points of a return are owed until all is back.
    owed_minor = sum(row["value_minor"] - row["worth_minor"] for row in booked)
    return left_minor + kept_minor + owed_minor, sum(row["money_minor"] for row in booked)


def once(world: World) -> Iterator[str]:
    """I6: each return reference gives back once, what it says, and all of them no more than was captured."""
    for row in world.provider.rows(
        "SELECT redemption_id, return_reference, count(*) AS times FROM reversal GROUP BY 1, 2 HAVING count(*) > 1"
    ):
        yield f"{row['redemption_id']} was given back {row['times']} times for {row['return_reference']}"
    for row in world.provider.rows(
        "SELECT r.id, r.reversed_points, r.reversed_minor, coalesce(sum(v.points), 0) AS points,"
        " coalesce(sum(v.value_minor), 0) AS minor FROM redemption r LEFT JOIN reversal v ON v.redemption_id = r.id"
        " GROUP BY r.id"
    ):
        if (row["points"], row["minor"]) != (row["reversed_points"], row["reversed_minor"]):
            yield f"{row['id']}: its reversals are {row['points']} points, {row['reversed_points']} are said to be back"
    for row in world.auditor.rows(
        "SELECT r.order_reference, r.captured_points, sum(t.points) AS points FROM punktgenau_return t"
        f" JOIN punktgenau_redemption r ON r.id = t.redemption_id WHERE {_SENT} GROUP BY r.id"
        " HAVING sum(t.points) > r.captured_points"
    ):
        yield f"{row['order_reference']}: returns of {row['points']} points, {row['captured_points']} were captured"
    for row in world.auditor.rows(
        "SELECT r.order_reference, sum(t.money_minor + t.worth_minor) AS minor FROM punktgenau_return t"
        " JOIN punktgenau_redemption r ON r.id = t.redemption_id GROUP BY r.id"
    ):
        if row["minor"] > TOTAL_MINOR:
            yield f"{row['order_reference']}: returns of {row['minor']} cents, it cost {TOTAL_MINOR}"


def carried_out(world: World) -> Iterator[str]:
    """I3: what the journal says came back is back at the provider, and nothing that is back is unknown to it."""
    there = {
        (row["redemption_id"], row["return_reference"]): (row["points"], row["value_minor"], row["vouchers_minor"])
        for row in world.provider.rows(f"SELECT * FROM reversal WHERE return_reference NOT LIKE '{OWN}%'")
    }
    for row in world.auditor.rows(
        "SELECT t.*, r.order_reference, r.provider_id, r.state AS stands, r.release_cause,"
        " r.captured_points FROM punktgenau_return t"
        " JOIN punktgenau_redemption r ON r.id = t.redemption_id"
    ):
        named = f"return {row['reference']} of {row['order_reference']}"
        back = there.pop((row["provider_id"], row["reference"]), None)
        onto_minor = sum(minor for _, minor in json.loads(row["vouchers"] or "[]"))
        if row["state"] in ("requested", "reversing"):
            # Where its points are gone for good, a person has been told.
            if row["stands"] == "short":
                continue
            if not (world.asks_a_person and row["stands"] == "needs_attention"):
                yield f"{named} is still {row['state']}"
        elif row["state"] == "ended":
            never_taken = row["release_cause"] and not row["captured_points"]
            given_back = row["stands"] == "reversed" and world.shop.orders[row["order_reference"]].is_touched
            if back is not None or not (never_taken or given_back):
                yield f"{named} has ended, but its points were captured, and the provider did not give them back itself"
        elif row["state"] == "declined" or not (row["points"] or onto_minor):
            if back is not None:
                yield f"{named} is {row['state']} with {row['points']} points, {back[0]} are back at the provider"
            if row["state"] == "declined" and not world.shop.orders[row["order_reference"]].is_touched:
                yield f"{named} was refused for good, for no reason"
        elif back is None and world.shop.orders[row["order_reference"]].is_touched:
            # Refused, and as many points are back: nobody can tell that the provider gave them back by itself.
            continue
        elif back != (row["points"], row["worth_minor"], onto_minor):
            yield f"{named} is done with {row['points']} points; the provider gave back {back}"
    for provider_id, reference in there:
        if not reference.startswith("release-"):
            yield f"{provider_id}: {reference} is back at the provider, the journal has no such return"


def true(world: World) -> Iterator[str]:
    """I5: a return is told as done when its points are back, as it was told before, and booked where it was told."""
    first: dict[tuple[str, str], tuple[int, int]] = {}
    for told in world.shop.told:
        refund = told.refund
        if refund is None:
            continue
        named = f"return {refund.return_reference} of {told.reference}"
        figures = (refund.points, refund.money.amount_minor)
        if first.setdefault((told.reference, refund.return_reference), figures) != figures:
            yield f"{told.actor} was told {figures} for {named}, and before that something else"
        untouched = not world.shop.orders[told.reference].is_touched
        comes_back = refund.points or refund.vouchers
        if refund.state == "done" and comes_back and untouched and refund.return_reference not in told.back:
            yield f"{told.actor} was told that {named} is done, the provider has given nothing back for it"


def exact(world: World) -> Iterator[str]:
    """I8: the figures of the returns are those of their goods; with all goods back, all points are.

    Reckoned here from the cents of each line, where no amount of the whole order is among them.
    """
    for order in {row["order_reference"] for row in world.auditor.rows("SELECT * FROM punktgenau_redemption")}:
        booked, after_an_amount = _of_order(world, order), False
        for row in booked:
            # An amount lowers what the units that come back later are worth.
            goods_minor = row["goods_minor"] if after_an_amount else BACK[row["reference"]].goods_minor
            after_an_amount = after_an_amount or row["reference"] == "amount"
            parts_minor = row["money_minor"] + row["value_minor"] + row["other_minor"]
            if row["goods_minor"] != goods_minor or parts_minor != goods_minor:
                yield (
                    f"return {row['reference']} of {order} is of {goods_minor}; it gives back {row['points']} points "
                    f"worth {row['worth_minor']} and {row['money_minor']} in money"
                )
            wanted = json.loads(row["wanted"])
            asked = (wanted["lines"].get("lamp", 0), wanted["shipping_minor"], wanted["amount_minor"])
            back = BACK[row["reference"]]
            if asked != (back.lamps, back.shipping_minor, back.amount_minor):
                yield f"return {row['reference']} of {order} stands with {asked}"
        if not booked or any(row["reference"] == "amount" for row in booked) or not world.profile.partial_reversal:
            continue
        points = booked[0]["paid_points"]
        own = 2 * REWARD_POINTS if world.shop.orders[order].plan.rewards else 0
        other_minor = vouchering.others_minor(world, order, json.loads(booked[0]["paid_cart"]))
        expected = _worth_minor(points, [row["reference"] for row in booked], own, other_minor)
        if sum(row["points"] for row in booked) != expected:
            yield f"{order} was paid with {points} points; its returns give back {[row['points'] for row in booked]}"


def _worth_minor(points: int, references: list[str], own: int, other_minor: int) -> int:
    """What these returns give back of so many points, a cent each: by largest remainder over lamps and shipping.

    `own` of them are bound to the lamps, and pay these before the others do; `other_minor` is paid by other tenders.
    """
    points, lamps_minor = points - own, LAMPS_MINOR - own
    other = of_lamps(other_minor, own)
    goods_minor = sum(BACK[one].lamps for one in references) * 2495
    rest_minor = goods_minor - other * goods_minor // LAMPS_MINOR
    own_back = own * rest_minor // (LAMPS_MINOR - other) if other < LAMPS_MINOR else 0
    theirs = of_lamps(points, own, other_minor)
    left = lamps_minor - other
    shipping = points - theirs if "rest" in references else 0
    return own_back + (theirs * (rest_minor - own_back) // left if left else 0) + shipping


def of_lamps(points: int, own: int = 0, other_minor: int = 0) -> int:
    """What of so many points pays the lamps, of which points of their `own`, then other tenders, pay a part before."""
    before = of_lamps(other_minor, own) if other_minor else 0
    lamps_minor, total_minor = LAMPS_MINOR - own - before, TOTAL_MINOR - own - other_minor
    shipping_minor = total_minor - lamps_minor
    if not total_minor:
        return 0
    paid = points * lamps_minor // total_minor
    is_left = points - paid - points * shipping_minor // total_minor
    is_theirs = points * lamps_minor % total_minor >= points * shipping_minor % total_minor
    return paid + 1 if is_left and is_theirs else paid


def _of_order(world: World, reference: str) -> list[sqlite3.Row]:
    return world.auditor.rows(
        "SELECT t.*, r.points AS paid_points, r.cart AS paid_cart FROM punktgenau_return t JOIN punktgenau_redemption r"
        " ON r.id = t.redemption_id WHERE r.order_reference = ? ORDER BY t.number",
        reference,
    )
