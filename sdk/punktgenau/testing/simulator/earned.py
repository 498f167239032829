"""What orders have earned, judged by plain SQL on both books and reckoned anew from what was paid and what came back.

Written apart from the engine, which knows lines, campaigns and articles: here each full euro of the lamps earns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator.audit import LINKS
from punktgenau.testing.simulator.plans import POINTS_PER_EURO, REWARD_POINTS, TOTAL_MINOR
from punktgenau.testing.simulator.returning import LAMPS_MINOR, of_lamps
from punktgenau.testing.simulator.shop import BACK, Bought

if TYPE_CHECKING:
    import sqlite3

    from punktgenau.testing.simulator.world import World

_MATCHING = {"pending": {"pending"}, "posted": {"posted"}, "reversed": {"reversed"}}


def adds_up(world: World) -> Iterator[str]:
    """I1: what a member got is what the kept goods earn, and what is written down as owed."""
    for member in {row["member_id"] for row in world.provider.rows("SELECT member_id FROM accrual")}:
        if _asked(world, member):
            continue
        got = world.provider.rows("SELECT sum(points - taken_points) FROM accrual WHERE member_id = ?", member)[0][0]
        owed, offset = world.auditor.rows(
            "SELECT sum(owed_points), sum(offset_points) FROM punktgenau_earning WHERE member_id = ?", member
        )[0]
        bought = [order for order in world.shop.orders.values() if LINKS[order.plan.customer][0] == member]
        if any(order.crossed for order in bought):
            continue
        welcome = sum(row["points"] - row["reversed_points"] for row in _theirs(world, "welcome", member))
        due = sum(earns(world, order) for order in bought)
        if got != due + welcome + owed:
            yield f"{member} got {got} points; orders earn {due}, the welcome {welcome}, and {owed} are owed"
        if world.plan.earns is not None and world.plan.earns.below_zero and (owed or offset):
            yield f"{member} owes {owed} points here, although they are taken below zero"


def each_is_right(world: World) -> Iterator[str]:
    """I8: an order has what its kept goods earn, less what it settled; whole numbers that agree."""
    if world.plan.earns is None:
        return
    for row in _ours(world):
        figures = [row[name] for name in ("points", "given_points", "points_taken", "owed_points", "offset_points")]
        if any(type(figure) is not int or figure < 0 for figure in (*figures, row["offset_back"])):
            yield f"{_named(row)} has a figure that is no whole number from 0 on"
        if row["points_taken"] > row["points"] or row["offset_back"] > row["offset_points"]:
            yield f"{_named(row)}: {row['points_taken']} of {row['points']} points are taken back"
    for reference, order in world.shop.orders.items():
        purchase = next((row for row in _ours(world) if _is(row, "purchase", reference)), None)
        if order.crossed or (purchase is not None and purchase["state"] == "needs_attention"):
            continue
        due = earns(world, order)
        if purchase is None:
            if due:
                yield f"{reference} earns {due} points, and nothing was planned"
            continue
        made = world.provider.rows("SELECT * FROM accrual WHERE accrual_reference = ?", purchase["accrual_reference"])
        kept = made[0]["points"] - made[0]["reversed_points"] if made else 0
        if kept != max(0, due - purchase["offset_points"]):
            settled = f", {purchase['offset_points']} of them settled" if purchase["offset_points"] else ""
            yield f"{reference} earns {due} points{settled}; {kept} are kept at the provider"


def once(world: World) -> Iterator[str]:
    """I2: each order earns once, each member is welcomed once."""
    for row in world.provider.rows(
        "SELECT order_reference, count(*) AS times FROM accrual WHERE accrual_reference NOT LIKE 'welcome-%'"
        " GROUP BY order_reference HAVING count(*) > 1"
    ):
        yield f"{row['order_reference']} has earned {row['times']} times"
    for member, _ in LINKS.values():
        welcomes = _theirs(world, "welcome", member)
        given = [row for row in welcomes if row["state"] != "reversed" or row["posted_at"] is not None]
        if len(given) > 1:
            yield f"{member} was welcomed {len(given)} times"
        if len(welcomes) > 1 and len({row["order_reference"] for row in welcomes}) < len(welcomes):
            yield f"{member} was welcomed more than once for one order"
        for row in welcomes:
            order = world.shop.orders[row["order_reference"]]
            is_gone = order.state == "cancelled" or _is_back(world, order)
            if row["state"] != "reversed" and is_gone and not _asked(world, member):
                yield f"{member} keeps the welcome of {order.reference}, of which nothing is kept"
            if world.plan.earns is not None and row["points"] != world.plan.earns.welcome_points:
                yield f"{member} was welcomed with {row['points']} points"


def welcomed(world: World) -> Iterator[str]:
    """I3: whoever buys first is welcomed, where nothing of that came back."""
    if world.plan.earns is None or not world.plan.earns.welcome_points:
        return
    for customer, (member, _) in LINKS.items():
        bought = [order for order in world.shop.orders.values() if order.plan.customer == customer]
        whole = [one for one in bought if one.state == "paid" and not one.came_back and not one.crossed]
        if not whole or len(whole) < sum(one.state != "missing" for one in bought) or _asked(world, member):
            continue
        if not any(row["state"] == "posted" for row in _theirs(world, "welcome", member)):
            yield f"{member} has bought {whole[0].reference} and was not welcomed"


def nothing_lost(world: World) -> Iterator[str]:
    """I3: what the provider gave or took is in the journal as it is there; nothing stays under way for ever."""
    ours = {row["accrual_reference"]: row for row in _ours(world)}
    keys = {row["key"] for row in world.auditor.rows("SELECT key FROM punktgenau_earning_step")}
    for made in world.provider.rows("SELECT * FROM accrual ORDER BY number"):
        row = ours.get(made["accrual_reference"])
        if row is None:
            if made["state"] != "reversed":
                yield f"{made['order_reference']} has earned {made['points']} points that the journal does not know of"
            continue
        if row["state"] == "needs_attention" and world.asks_a_person:
            continue
        if row["state"] not in _MATCHING[made["state"]]:
            yield f"{_named(row)} is {made['state']} at the provider and {row['state']} in the journal"
        if row["points_taken"] - (row["points"] - row["given_points"]) != made["reversed_points"]:
            yield f"{_named(row)}: {made['reversed_points']} taken back there, {row['points_taken']} in the journal"
        if world.profile.keys != "none" and made["idempotency_key"] not in keys:
            yield f"{_named(row)} was given under a key that the journal does not know"
    for row in _ours(world):
        if row["state"] in ("planned", "accruing", "pending", "posting", "reversing"):
            yield f"{_named(row)} is still {row['state']} ({row['reason']})"
        elif row["state"] == "needs_attention" and not world.asks_a_person:
            yield f"{_named(row)} needs a person, for no reason ({row['reason']})"
    for order in world.shop.orders.values():
        booked = _booked(world, order.reference)
        for reference, is_told in order.came_back.items():
            is_known = world.shop.earns and order.state == "paid" and not order.crossed
            if is_told and is_known and reference not in booked:
                yield f"return {reference} of {order.reference} was told, and the journal has no such return"


def taken_once(world: World) -> Iterator[str]:
    """I6: nobody asks for more back than was given."""
    for answer in world.watch.answered:
        if answer.operation == "reverse_accrual" and answer.code in ("reversal_exceeds_accrual", "accrual_reversed"):
            yield f"points were taken back that the provider had to refuse: {answer.code}"
        if answer.operation == "post_accrual" and answer.code == "accrual_reversed":
            yield "points were posted that had been taken back"


def earns(world: World, order: Bought) -> int:
    """What an order should have earned, by the money that was charged for its lamps and those that came back."""
    if order.state != "paid":
        return 0
    points_minor = TOTAL_MINOR - order.charged_minor - order.others_minor
    own = 2 * REWARD_POINTS if order.plan.rewards else 0
    by_points = own + of_lamps(points_minor - own, own, order.others_minor)
    money_minor = LAMPS_MINOR - of_lamps(order.others_minor, own) - by_points
    lamps = sum(BACK[reference].lamps for reference in _booked(world, order.reference))
    kept_minor = money_minor - money_minor * lamps * 2495 // LAMPS_MINOR
    return POINTS_PER_EURO * (kept_minor // 100)


def _is_back(world: World, order: Bought) -> bool:
    return sum(BACK[reference].lamps for reference in _booked(world, order.reference)) == 2


def _booked(world: World, reference: str) -> set[str]:
    """Returns of an order, wherever the journal has them."""
    return {
        row["reference"]
        for row in world.auditor.rows(
            "SELECT t.reference FROM punktgenau_return t JOIN punktgenau_redemption r ON r.id = t.redemption_id"
            " WHERE r.order_reference = ?1 UNION SELECT b.reference FROM punktgenau_earning_return b"
            " JOIN punktgenau_earning e ON e.id = b.earning_id WHERE e.order_reference = ?1",
            reference,
        )
    }


def _ours(world: World) -> list[sqlite3.Row]:
    return world.auditor.rows("SELECT * FROM punktgenau_earning ORDER BY created_at, kind")


def _theirs(world: World, kind: str, member: str) -> list[sqlite3.Row]:
    return world.provider.rows(
        "SELECT * FROM accrual WHERE member_id = ? AND (accrual_reference LIKE 'welcome-%') = ?",
        member,
        int(kind == "welcome"),
    )


def _asked(world: World, member: str) -> bool:
    """Whether a person has to look at something that this member earns."""
    query = "SELECT 1 FROM punktgenau_earning WHERE member_id = ? AND state = 'needs_attention'"
    return bool(world.auditor.rows(query, member))


def _is(row: sqlite3.Row, kind: str, reference: str) -> bool:
    return bool(row["kind"] == kind and row["order_reference"] == reference)


def _named(row: sqlite3.Row) -> str:
    return f"the {row['kind']} of {row['order_reference']}"


JUDGES: tuple[tuple[str, Callable[[World], Iterator[str]]], ...] = (
    ("I1", adds_up),
    ("I2", once),
    ("I3", nothing_lost),
    ("I3", welcomed),
    ("I6", taken_once),
    ("I8", each_is_right),
)
