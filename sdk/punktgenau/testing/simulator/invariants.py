"""The twelve invariants, judged when everything has come to rest: plain SQL on the journal and the provider's books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator import earned, graph, returning, rewarding, telling, vouchering
from punktgenau.testing.simulator.by_itself import OWN
from punktgenau.testing.simulator.plans import HOLD_S
from punktgenau.testing.simulator.watch import Violation

if TYPE_CHECKING:
    import sqlite3

    from punktgenau.testing.simulator.world import World

OPENING = {"mbr_2500": 2500, "mbr_42": 42, "mbr_0": 0}
_TOO_MUCH = frozenset({"reversal_exceeds_capture", "reference_reused", "value_mismatch"})
_SEEN_LATE_MS = 1_500_000
_MATCHING = {
    "authorized": {"authorized"},
    "captured": {"captured"},
    "partially_captured": {"partially_captured"},
    "partially_reversed": {"partially_reversed"},
    "reversed": {"reversed"},
    "voided": {"voided", "abandoned"},
    "expired": {"expired", "short", "abandoned", "voided"},
    "cancelled": {"abandoned", "voided"},
}
"""What the journal may say of a redemption, by what the provider's books say."""


def check(world: World) -> list[Violation]:
    """Everything that does not hold."""
    return [Violation(invariant, what) for invariant, judge in _JUDGES for what in judge(world)]


def conserved(world: World) -> Iterator[str]:
    """I1: the provider's books balance, and the journal's figures are the provider's."""
    yield from world.provider.unbalanced()
    for member, opening in OPENING.items():
        rows = world.provider.rows(
            "SELECT (SELECT coalesce(sum(points), 0) FROM voucher WHERE member_id = ?1)"
            " + (SELECT coalesce(sum(points), 0) FROM account"
            "  WHERE member_id = ?1 AND kind IN ('available', 'held', 'pending', 'owed'))"
            " + (SELECT coalesce(sum(captured_points - reversed_points), 0) FROM redemption WHERE member_id = ?1)"
            " - (SELECT coalesce(sum(points - taken_points), 0) FROM accrual WHERE member_id = ?1)",
            member,
        )
        if rows[0][0] != opening:
            yield f"{member} began with {opening} points and {rows[0][0]} are accounted for"
    ours = _ours(world)
    for theirs in _theirs(world):
        row = ours.get(theirs["idempotency_key"]) or ours.get(theirs["id"])
        if row is None or row["state"] == "needs_attention":
            continue
        # Held or taken in part, it was given up and is over.
        in_part = world.profile.partial_approval and theirs["captured_points"] == theirs["reversed_points"]
        for name in ("captured_points", "reversed_points", *(() if in_part else ("points",))):
            if row[name] != theirs[name]:
                yield f"{_named(theirs)}: {name} is {row[name]} in the journal, {theirs[name]} at the provider"
        if row["vouchers_back_minor"] != theirs["reversed_vouchers_minor"]:
            yield (
                f"{_named(theirs)}: {row['vouchers_back_minor']} are back on vouchers in the journal, "
                f"{theirs['reversed_vouchers_minor']} at the provider"
            )


def orders_add_up(world: World) -> Iterator[str]:
    """I1, per order: money and points together are what is left of it; what will not happen costs nothing."""
    for reference, order in world.shop.orders.items():
        rows = [row for row in _theirs(world) if row["order_reference"] == reference]
        net_minor = sum(row["captured_minor"] - row["reversed_minor"] for row in rows)
        net_minor += sum(row["captured_vouchers_minor"] - row["reversed_vouchers_minor"] for row in rows)
        held = sum(row["held_points"] + row["held_vouchers_minor"] for row in rows)
        if order.state == "pending" and (world.plan.taken == "placed" or not world.profile.has_holds):
            continue
        if world.asks_a_person and _asked(world, reference):
            continue
        if order.state != "paid":
            if net_minor or held:
                yield f"{reference} is {order.state}, but {net_minor} were taken and {held} are held"
            continue
        if order.crossed:
            continue
        left_minor, money_back_minor = returning.left_of(world, reference)
        gift_minor = vouchering.gift_left(world, reference)
        paid_minor = order.charged_minor - money_back_minor + net_minor + gift_minor
        excused = order.is_touched or _seen_short(world, reference)
        if paid_minor > left_minor or (paid_minor < left_minor and not excused):
            yield (
                f"{reference} costs {left_minor}; {order.charged_minor - money_back_minor} in money, {net_minor} in "
                f"points and vouchers were paid{'' if paid_minor > left_minor else ', nobody was told of a shortfall'}"
            )


def at_most_once(world: World) -> Iterator[str]:
    """I2: one effect per attempt and purpose."""
    attempts = {
        row["order_reference"]: row["attempts"]
        for row in world.auditor.rows(
            "SELECT order_reference, count(*) AS attempts FROM punktgenau_redemption GROUP BY order_reference"
        )
    }
    for row in world.provider.rows(
        "SELECT order_reference, count(*) AS effects, sum(captured_points > reversed_points"
        " OR captured_vouchers_minor > reversed_vouchers_minor) AS taken FROM redemption"
        " WHERE points + vouchers_minor > 0 GROUP BY order_reference"
    ):
        if row["effects"] > attempts.get(row["order_reference"], 0):
            yield f"{row['order_reference']} has {row['effects']} redemptions, the journal knows fewer attempts"
        if row["taken"] > 1:
            yield f"{row['order_reference']} is paid with points or vouchers {row['taken']} times"
    sent: dict[tuple[str, str, str], set[str]] = {}
    # What a look-up has shown to have done nothing, and what can do nothing any more, is begun anew.
    for row in world.auditor.rows(
        "SELECT key, kind, cause, redemption_id FROM punktgenau_operation WHERE kind NOT IN ('cancel_by_key', 'extend')"
        " AND coalesce(code, '') NOT IN ('proven_undone', 'reversal_exceeds_capture')"
    ):
        if row["key"] in world.watch.keys:
            purpose = returning.purpose_of(row["cause"])
            sent.setdefault((row["kind"], purpose, row["redemption_id"]), set()).add(row["key"])
    yield from (
        f"a {kind} for {purpose} was asked for under {len(keys)} keys"
        for (kind, purpose, _), keys in sent.items()
        if len(keys) > 1
    )
    for row in world.provider.rows(
        "SELECT redemption_id, count(*) AS effects FROM capture WHERE capture_reference IS NULL"
        " GROUP BY redemption_id HAVING count(*) > 1"
    ):
        yield f"{row['redemption_id']} was captured {row['effects']} times"


def nothing_lost(world: World) -> Iterator[str]:
    """I3: what the provider did is in the journal, and nothing stays unknown when everything is well."""
    ours, asks = _ours(world), world.asks_a_person
    for theirs in _theirs(world):
        row = ours.get(theirs["idempotency_key"]) or ours.get(theirs["id"])
        if asks and (row is None or row["state"] == "needs_attention") and _asked(world, theirs["order_reference"]):
            continue
        if row is None:
            yield f"{_named(theirs)} is {theirs['state']} at the provider, the journal does not know of it"
        elif row["state"] not in _MATCHING.get(theirs["state"], set()) | _unasked(world, theirs):
            yield f"{_named(theirs)} is {theirs['state']} at the provider and {row['state']} in the journal"
    known = {row["key"] for row in world.auditor.rows("SELECT key FROM punktgenau_operation")}
    for table in ("capture", "reversal"):
        for row in world.provider.rows(
            f"SELECT redemption_id, idempotency_key FROM {table} WHERE idempotency_key NOT LIKE '{OWN}%'"
        ):
            if world.profile.keys != "none" and row["idempotency_key"] not in known:
                yield f"a {table} of {row['redemption_id']} has a key that the journal does not know"
    for row in world.auditor.rows(
        "SELECT o.kind, o.code, r.order_reference, r.attempt FROM punktgenau_operation o"
        " JOIN punktgenau_redemption r ON r.id = o.redemption_id WHERE o.open_key IS NOT NULL"
        " AND (?1 = 0 OR r.state <> 'needs_attention')",
        int(asks),
    ):
        yield f"{row['kind']} of {row['order_reference']} attempt {row['attempt']} is still open ({row['code']})"
    if asks:
        return
    for row in world.auditor.rows("SELECT * FROM punktgenau_redemption WHERE state = 'needs_attention'"):
        yield f"{row['order_reference']} attempt {row['attempt']} needs a person, for no reason ({row['reason']})"


def given_back_once(world: World) -> Iterator[str]:
    """I6: never more is asked back than was captured, and once."""
    for row in world.provider.rows(
        "SELECT order_reference, captured_points, reversed_points FROM redemption"
        " WHERE reversed_points > captured_points"
    ):
        yield f"{row['order_reference']}: {row['reversed_points']} given back of {row['captured_points']}"
    asked = Counter(
        (row["order_reference"], row["attempt"], returning.purpose_of(row["cause"]))
        for row in world.auditor.rows(
            "SELECT r.order_reference, r.attempt, o.cause FROM punktgenau_operation o"
            " JOIN punktgenau_redemption r ON r.id = o.redemption_id WHERE o.kind = 'reverse'"
            " AND coalesce(o.code, '') NOT IN ('proven_undone', 'reversal_exceeds_capture')"
        )
    )
    for (reference, attempt, purpose), times in asked.items():
        if times > 1:
            yield f"{reference} attempt {attempt} was given back by {times} operations for {purpose}"
    own = {row["id"] for row in _theirs(world) if world.shop.orders[row["order_reference"]].is_touched}
    for answer in world.watch.answered:
        # Without keys a reversal is only known by its reference, so that is what makes asking again safe.
        known = answer.code == "reference_reused" and world.profile.keys == "none"
        # Nor could anybody know of what the provider took back by itself.
        taken_back = answer.code == "reversal_exceeds_capture" and any(one in answer.path for one in own)
        if answer.operation == "reverse" and answer.code in _TOO_MUCH and not known and not taken_back:
            yield f"a reversal was asked for that the provider had to refuse: {answer.code}"


def holds_end(world: World) -> Iterator[str]:
    """I7: every hold ends, and its end is seen."""
    now_ms = world.seams.now_ms()
    for row in world.auditor.rows(
        "SELECT order_reference, attempt, hold_until FROM punktgenau_redemption WHERE state = 'authorized'"
    ):
        if row["hold_until"] is None or row["hold_until"] < now_ms - _SEEN_LATE_MS:
            yield f"{row['order_reference']} attempt {row['attempt']} is still a hold {HOLD_S} s and more later"
    for row in world.provider.rows(
        "SELECT order_reference FROM redemption WHERE held_points + held_vouchers_minor > 0"
    ):
        if world.asks_a_person and _asked(world, row["order_reference"]):
            continue
        yield f"{row['order_reference']} is still held at the provider after everything"
    for answer in world.watch.answered:
        if answer.operation == "capture" and answer.code == "capture_exceeds_hold":
            yield "more was captured than was held"


def exact(world: World) -> Iterator[str]:
    """I8: whole numbers, nothing negative, sums that agree."""
    for row in world.auditor.rows("SELECT * FROM punktgenau_redemption"):
        named = f"{row['order_reference']} attempt {row['attempt']}"
        figures = [name for name in row.keys() if name.endswith(("_minor", "points"))]  # noqa: SIM118
        # What an order was amended to stands there only once it was.
        told = [row[name] for name in figures if row[name] is not None or not name.startswith("amended_")]
        if any(type(figure) is not int or figure < 0 for figure in told):
            yield f"{named} has a figure that is no whole number from 0 on"
            continue
        if row["value_minor"] != row["points"] or row["value_minor"] > row["payable_minor"]:
            yield f"{named}: {row['points']} points pay {row['value_minor']} of {row['payable_minor']}"
        if not row["reversed_points"] <= row["captured_points"] <= row["points"]:
            yield f"{named}: {row['reversed_points']} reversed, {row['captured_points']} captured of {row['points']}"
        if row["reversed_minor"] != row["reversed_points"]:
            yield f"{named}: {row['reversed_points']} points were given back worth {row['reversed_minor']}"
        yield from vouchering.tenders(world, row, named)


def _theirs(world: World) -> list[sqlite3.Row]:
    return world.provider.rows("SELECT * FROM redemption WHERE points + vouchers_minor > 0 ORDER BY number")


def _unasked(world: World, theirs: sqlite3.Row) -> set[str]:
    """What the journal may say besides: short, where the provider ended something by itself, or between two parcels."""
    if world.shop.orders[theirs["order_reference"]].is_touched:
        # Ended before anybody heard that it was held: told as never held, and nothing is.
        unheard = {"declined"} if theirs["state"] in ("voided", "expired") else set()
        return {"short", "expired"} | unheard
    return {"short"} if world.plan.taken == "shipped" else set()


def _ours(world: World) -> dict[str, sqlite3.Row]:
    """The journal's redemptions by what the provider may know them by."""
    rows = world.auditor.rows("SELECT * FROM punktgenau_redemption")
    return {row[name]: row for row in rows for name in ("key", "provider_id") if row[name]}


def _asked(world: World, reference: str) -> bool:
    """Whether an attempt of this order waits for a person."""
    query = "SELECT 1 FROM punktgenau_redemption WHERE order_reference = ? AND state = 'needs_attention'"
    return bool(world.auditor.rows(query, reference))


def _named(theirs: sqlite3.Row) -> str:
    return f"{theirs['order_reference']} ({theirs['id']}, key {theirs['idempotency_key'][3:9]})"


def _seen_short(world: World, reference: str) -> bool:
    row = world.auditor.one(
        "SELECT state, cause FROM punktgenau_redemption WHERE order_reference = ? ORDER BY attempt DESC LIMIT 1",
        reference,
    )
    return row is not None and (row["state"] in ("short", "needs_attention") or row["cause"] == "shortfall")


Judge = Callable[["World"], Iterator[str]]
_JUDGES: tuple[tuple[str, Judge], ...] = (
    ("I1", conserved),
    ("I1", orders_add_up),
    ("I2", at_most_once),
    ("I3", nothing_lost),
    ("I3", returning.carried_out),
    ("I5", telling.true),
    ("I5", returning.true),
    ("I6", given_back_once),
    ("I6", returning.once),
    ("I7", holds_end),
    ("I8", exact),
    ("I8", returning.exact),
    ("I9", rewarding.never_free),
    ("I8", telling.exact),
    ("I10", telling.explained),
    ("I11", telling.in_time),
    ("I12", graph.monotonic),
    ("I12", telling.as_it_stands),
    ("I12", graph.earnings_monotonic),
    *earned.JUDGES,
    *vouchering.JUDGES,
)
