"""Vouchers and several tenders, judged by plain SQL on both books and reckoned anew from what came back.

Written apart from the engine, which knows lines and cumulative states: here there are two lamps and shipping.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator import buying
from punktgenau.testing.simulator.audit import LINKS
from punktgenau.testing.simulator.by_itself import OWN
from punktgenau.testing.simulator.plans import REWARD_POINTS, TOTAL_MINOR
from punktgenau.testing.simulator.shop import BACK

if TYPE_CHECKING:
    import sqlite3

    from punktgenau.testing.simulator.world import World

_LAMPS_MINOR, _LAMP_MINOR = 4990, 2495


def adds_up(world: World) -> Iterator[str]:
    """I1: what a voucher was worth is left, held, taken, lost or expired; by its entries as by what orders say."""
    for row in world.provider.rows(
        "SELECT v.id, v.value_minor, v.residual,"
        " (SELECT coalesce(sum(e.amount_minor), 0) FROM voucher_entry e JOIN voucher_account a ON a.id = e.account_id"
        "   WHERE a.voucher_id = v.id AND a.kind = 'left') AS is_left,"
        " (SELECT coalesce(sum(e.amount_minor), 0) FROM voucher_entry e JOIN voucher_account a ON a.id = e.account_id"
        "   WHERE a.voucher_id = v.id AND a.kind = 'lost') AS lost,"
        " (SELECT coalesce(sum(e.amount_minor), 0) FROM voucher_entry e JOIN voucher_account a ON a.id = e.account_id"
        "   WHERE a.voucher_id = v.id AND a.kind = 'expired') AS expired,"
        " (SELECT coalesce(sum(t.value_minor - t.captured_minor - t.released_minor), 0) FROM voucher_tender t"
        "   WHERE t.voucher_id = v.id) AS held,"
        " (SELECT coalesce(sum(t.captured_minor), 0) FROM voucher_tender t WHERE t.voucher_id = v.id) AS captured,"
        " (SELECT coalesce(sum(t.reversed_minor), 0) FROM voucher_tender t WHERE t.voucher_id = v.id) AS back"
        " FROM voucher v"
    ):
        told = (
            f"{row['id']} of {row['value_minor']}: {row['is_left']} left, {row['held']} held, {row['captured']} taken"
        )
        told += f", {row['back']} of that back, {row['lost']} lost, {row['expired']} expired"
        there = row["is_left"] + row["held"] + row["captured"] - row["back"] + row["lost"] + row["expired"]
        if there != row["value_minor"]:
            yield told
        keeps = row["residual"] == "keeps"
        if (keeps and row["lost"]) or (not keeps and row["captured"] and row["is_left"] > row["back"]):
            yield f"{told}; what it leaves over is {row['residual']}"


def all_or_none(world: World) -> Iterator[str]:
    """I2: the tenders of an order are held, taken and let go together, and they are those of its intent."""
    intents = {
        row[name]: row
        for row in world.auditor.rows("SELECT key, provider_id, cart, points FROM punktgenau_redemption")
        for name in ("key", "provider_id")
        if row[name]
    }
    for red in world.provider.rows("SELECT * FROM redemption WHERE vouchers_minor > 0 ORDER BY number"):
        tenders = world.provider.rows(
            "SELECT * FROM voucher_tender WHERE redemption_id = ? ORDER BY position", red["id"]
        )
        named = f"{red['order_reference']} ({red['id']})"
        whole = {row["captured_minor"] == row["value_minor"] for row in tenders}
        none = {row["released_minor"] == row["value_minor"] for row in tenders}
        if whole != {True} and none != {True}:
            yield f"{named}: of its vouchers some were taken and some were not"
        if red["points"] and whole == {True} and not red["captured_points"]:
            yield f"{named}: its vouchers were taken, its points were not"
        if red["captured_points"] and whole != {True}:
            yield f"{named}: its points were taken, its vouchers were not"
        intent = intents.get(red["idempotency_key"]) or intents.get(red["id"])
        if intent is None:
            continue
        meant = [(one["id"], one["value_minor"]) for one in json.loads(intent["cart"]).get("vouchers", [])]
        if [(row["voucher_id"], row["value_minor"]) for row in tenders] != meant:
            yield f"{named} is paid by other vouchers than {meant}, which it was to be paid by"


def theirs(world: World) -> Iterator[str]:
    """I9: a voucher is only ever held for an order that was placed, and that its customer wished to pay with it."""
    for row in world.provider.rows(
        "SELECT t.voucher_id, t.value_minor, r.order_reference, r.member_id FROM voucher_tender t"
        " JOIN redemption r ON r.id = t.redemption_id"
    ):
        order = world.shop.orders.get(row["order_reference"])
        number = world.vouchers.index(row["voucher_id"]) if row["voucher_id"] in world.vouchers else -1
        if order is None or (order.state == "missing" and not order.wished):
            yield f"{row['voucher_id']} was held for {row['order_reference']}, which nobody placed"
        elif row["member_id"] != LINKS[order.plan.customer][0] or (
            number not in order.plan.vouchers and row["voucher_id"] not in order.bought
        ):
            yield f"{row['voucher_id']} was held for {row['order_reference']} of {row['member_id']}, not chosen for it"
        elif number >= 0 and world.plan.vouchers[number].elsewhere:
            yield f"{row['voucher_id']} was held for {row['order_reference']}; only another shop takes it"


def given_back(world: World) -> Iterator[str]:
    """I6: onto each voucher goes what its order's returns say, in the order in which they paid, and never more."""
    for row in world.provider.rows(
        "SELECT t.redemption_id, t.voucher_id, t.captured_minor, t.reversed_minor,"
        " coalesce(sum(b.value_minor), 0) AS back FROM voucher_tender t"
        " LEFT JOIN reversal v ON v.redemption_id = t.redemption_id LEFT JOIN voucher_reversal b"
        " ON b.reversal_id = v.id AND b.voucher_id = t.voucher_id GROUP BY t.redemption_id, t.voucher_id"
    ):
        if row["back"] != row["reversed_minor"] or row["back"] > row["captured_minor"]:
            yield f"{row['redemption_id']}: {row['back']} of {row['captured_minor']} are back on {row['voucher_id']}"
    for paid in world.auditor.rows(
        "SELECT * FROM punktgenau_redemption WHERE cart LIKE '%\"vouchers\":%' AND provider_id IS NOT NULL"
    ):
        made = {
            row["return_reference"]: row["id"]
            for row in world.provider.rows("SELECT * FROM reversal WHERE redemption_id = ?", paid["provider_id"])
        }
        booked = [row["reference"] for row in _returns(world, paid["id"])]
        if "amount" not in booked and not any(one.startswith(OWN) for one in made):
            yield from _each_is_right(world, paid, booked, made)


def _each_is_right(world: World, paid: sqlite3.Row, booked: list[str], made: dict[str, str]) -> Iterator[str]:
    """Each reversal beside what it has to put back; where only all can go back at once, there is only one."""
    order, cart = paid["order_reference"], json.loads(paid["cart"])
    taken = {one["id"]: one["value_minor"] for one in cart["vouchers"]}
    in_parts, back = world.profile.partial_reversal, dict.fromkeys(taken, 0)
    for number, reference in enumerate(booked, start=1):
        after = _reckoned(world, order, cart, booked[:number])
        if reference in made and in_parts:
            yield from _differs(world, f"return {reference} of {order}", made[reference], back, after)
            back = after
    for reference, reversal in made.items():
        if reference not in booked:
            yield from _differs(world, f"the rest of {order}", reversal, back, taken)
        elif not in_parts:
            yield from _differs(world, f"all of {order}", reversal, back, taken)


def _differs(
    world: World, named: str, reversal_id: str, before: dict[str, int], after: dict[str, int]
) -> Iterator[str]:
    rows = world.provider.rows("SELECT * FROM voucher_reversal WHERE reversal_id = ?", reversal_id)
    there = {row["voucher_id"]: row["value_minor"] for row in rows}
    due = {one: minor - before[one] for one, minor in after.items() if minor > before[one]}
    if there != due:
        yield f"{named} puts {due} back onto vouchers; the provider put {there}"


def exact(world: World) -> Iterator[str]:
    """I8: vouchers pay before everything else; the returns of what they pay are whole cents that end exact."""
    for row in world.auditor.rows("SELECT * FROM punktgenau_redemption WHERE cart LIKE '%\"vouchers\":%'"):
        cart, named = json.loads(row["cart"]), f"{row['order_reference']} attempt {row['attempt']}"
        order = world.shop.orders[row["order_reference"]].plan
        paid = [one["value_minor"] for one in cart["vouchers"]]
        room_minor = TOTAL_MINOR - order.gift_minor
        if any(type(minor) is not int or minor <= 0 for minor in paid):
            yield f"{named}: vouchers pay {paid}"
        if sum(paid) + row["value_minor"] > room_minor or row["payable_minor"] != room_minor - sum(paid):
            yield f"{named}: vouchers pay {paid} of {room_minor}, points {row['value_minor']}"
        over = [one for one in cart["vouchers"] if one["left_over_minor"]]
        if over and (sum(paid) != room_minor or over != cart["vouchers"][-1:]):
            yield f"{named}: {over[0]['left_over_minor']} are left over on {over[0]['id']}, and something else pays"
        booked = _returns(world, row["id"])
        other = 0
        for number, one in enumerate(booked, start=1):
            other += one["other_minor"]
            references = [before["reference"] for before in booked[:number]]
            if "amount" in references:
                break
            if (due := _other_back(world, row["order_reference"], cart, references)) != other:
                yield f"{named}: {references} give back {other} of what vouchers and gift cards paid, not {due}"


def told(world: World) -> Iterator[str]:
    """I10: a code stands in no log, no error and nowhere in the journal."""
    codes = [row["code"] for row in world.provider.rows("SELECT code FROM voucher")]
    codes += ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]
    if not codes:
        return

    def tells(text: str) -> bool:
        return any(code in text for code in codes)

    for one in world.shop.told:
        if one.error is not None and tells(f"{one.error} {one.error!r}"):
            yield f"{one.call} {one.reference} raised an error that tells a code"
    yield from (f"the log tells a code: {line[:30]}" for line in world.logged if tells(line))
    for where in ("redemption.cart", "operation.request", "operation.reply", "return.wanted", "exchange.hint"):
        table, _, column = where.partition(".")
        if tells("|".join(str(row[0]) for row in world.auditor.rows(f"SELECT {column} FROM punktgenau_{table}"))):
            yield f"the journal keeps a code in {where}"


def gift_left(world: World, reference: str) -> int:
    """What a gift card of the shop's own still pays of an order."""
    gift_minor = world.shop.orders[reference].plan.gift_minor
    if not gift_minor:
        return 0
    back = 0
    for row in world.auditor.rows(
        "SELECT t.other_minor, t.vouchers FROM punktgenau_return t JOIN punktgenau_redemption r"
        " ON r.id = t.redemption_id WHERE r.order_reference = ?",
        reference,
    ):
        back += row["other_minor"] - sum(minor for _, minor in json.loads(row["vouchers"] or "[]"))
    return gift_minor - back


def others_minor(world: World, reference: str, cart: dict[str, list[dict[str, int]]]) -> int:
    """What vouchers and gift cards were to pay of an order as it was frozen."""
    vouchers_minor = sum(one["value_minor"] for one in cart.get("vouchers", []))
    return vouchers_minor + world.shop.orders[reference].plan.gift_minor


def _other_back(world: World, reference: str, cart: dict[str, list[dict[str, int]]], references: list[str]) -> int:
    """What of vouchers and gift cards is back with these returns: by largest remainder over lamps and shipping."""
    other_minor = others_minor(world, reference, cart)
    own = 2 * REWARD_POINTS if world.shop.orders[reference].plan.rewards else 0
    lamps_minor, total_minor = _LAMPS_MINOR - own, TOTAL_MINOR - own
    lamps, lamps_rest = divmod(other_minor * lamps_minor, total_minor)
    shipping, shipping_rest = divmod(other_minor * (total_minor - lamps_minor), total_minor)
    if lamps + shipping < other_minor:
        if lamps_rest >= shipping_rest:
            lamps += 1
        else:
            shipping += 1
    goods_minor = sum(BACK[one].lamps for one in references) * _LAMP_MINOR
    return lamps * goods_minor // _LAMPS_MINOR + (shipping if "rest" in references else 0)


def _reckoned(
    world: World, reference: str, cart: dict[str, list[dict[str, int]]], references: list[str]
) -> dict[str, int]:
    """What is back on each voucher with these returns: the first that paid is filled first."""
    whole = sum(one["value_minor"] for one in cart["vouchers"])
    left = _other_back(world, reference, cart, references) * whole // others_minor(world, reference, cart)
    back: dict[str, int] = {}
    for one in cart["vouchers"]:
        back[str(one["id"])] = min(left, one["value_minor"])
        left -= back[str(one["id"])]
    return back


def _returns(world: World, redemption_id: str) -> list[sqlite3.Row]:
    return world.auditor.rows("SELECT * FROM punktgenau_return WHERE redemption_id = ? ORDER BY number", redemption_id)


JUDGES: tuple[tuple[str, Callable[[World], Iterator[str]]], ...] = (
    ("I1", adds_up),
    ("I2", all_or_none),
    ("I6", given_back),
    ("I8", exact),
    ("I9", theirs),
    ("I10", told),
    *buying.JUDGES,
)


def tenders(world: World, row: sqlite3.Row, named: str) -> Iterator[str]:
    """I8: the tender rows of an attempt are what pays it, and say what is back onto vouchers."""
    tenders = world.auditor.rows(
        "SELECT total(points) AS points, total(value_minor) AS minor, total(reversed_minor) AS back"
        " FROM punktgenau_tender WHERE redemption_id = ?",
        row["id"],
    )[0]
    vouchers_minor = sum(one["value_minor"] for one in json.loads(row["cart"]).get("vouchers", ()))
    if (tenders["points"], tenders["minor"]) != (row["points"], row["value_minor"] + vouchers_minor):
        yield f"{named}: its tenders add up to {tenders['points']} points"
    if tenders["back"] != row["vouchers_back_minor"]:
        yield f"{named}: {row['vouchers_back_minor']} are back onto vouchers, {tenders['back']} by its tenders"
