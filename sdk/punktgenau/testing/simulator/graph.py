"""The state graph as the design draws it, and the journal's own record of how its rows moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from punktgenau.testing.simulator.plans import REFERENCE

if TYPE_CHECKING:
    import sqlite3

    from punktgenau.testing.simulator.world import World

Edge = tuple[str, str]
CLOSED = frozenset({"declined", "voided", "expired", "abandoned", "reversed"})
_NEXT: dict[str, str] = {
    "": "authorizing",
    "authorizing": "authorized captured declined voided expired abandoning abandoned short",
    "authorized": "capturing voiding expired captured voided",
    "capturing": "captured short expired reversed partially_captured partially_reversed",
    "partially_captured": "capturing voiding reversing short captured",
    "voiding": "voided expired captured partially_reversed",
    "captured": "reversing reversed partially_reversed",
    "reversing": "reversed partially_reversed partially_captured captured short",
    "partially_reversed": "reversing reversed",
    "abandoning": "abandoned expired captured",
    "expired": "short captured",
    "voided": "short captured",
    "short": "expired declined captured reversing partially_reversed reversed",
}
AFTER_A_PERSON = (
    "abandoning", "abandoned", "authorized", "captured", "declined", "voided", "expired", "reversed", "short",
)  # fmt: skip
"""What becomes known of what nobody could know: mostly after the end of what is simulated."""
_ELSEWHERE: dict[str, str] = {
    "authorized": "extending",
    "extending": "authorized partially_captured capturing voiding captured voided expired short",
    "partially_captured": "extending",
    "abandoning": "authorized declined needs_attention reversed",
    "capturing": "authorized needs_attention",
    "reversing": "needs_attention",
    "voiding": "authorized partially_captured needs_attention short",
    "authorizing": "needs_attention",
    "needs_attention": " ".join(AFTER_A_PERSON),
}
EDGES: frozenset[Edge] = frozenset((was, now) for was, after in _NEXT.items() for now in after.split())
"""Every step that a redemption may take at the reference; the empty state is before the first."""
MORE_EDGES: frozenset[Edge] = frozenset((was, now) for was, after in _ELSEWHERE.items() for now in after.split())
"""Steps at providers of another kind: holds made longer, calls shown to have done nothing, what nobody can know."""


_UNASKED: dict[str, str] = {
    "authorizing": "reversed partially_reversed",
    "authorized": "partially_reversed reversed",
    # Given up while nobody knew that it had been captured, and given back by the provider before we could.
    "abandoning": "partially_reversed reversed",
    # What was taken anew for a shortfall, and is gone again.
    "captured": "short",
    "partially_reversed": "short",
}
UNASKED: frozenset[Edge] = frozenset((was, now) for was, after in _UNASKED.items() for now in after.split())
"""Steps that are seen only where the provider changes something by itself."""


def monotonic(world: World) -> Iterator[str]:
    """I12: along the graph, one version at a time, nothing rewritten, nothing taken back."""
    edges = EDGES if world.plan.variant == REFERENCE else EDGES | MORE_EDGES
    if any(order.is_touched for order in world.shop.orders.values()):
        edges |= UNASKED
    for row in world.auditor.rows("SELECT * FROM audit_redemption ORDER BY number"):
        yield from _moved(row, edges)
    for row in world.auditor.rows("SELECT * FROM audit_operation ORDER BY number"):
        yield from _carried_out(row)


_EARNING_NEXT: dict[str, str] = {
    "": "planned posted",
    "planned": "accruing reversed",
    "accruing": "pending posted planned reversed declined needs_attention",
    "pending": "posting reversing",
    "posting": "posted pending reversed needs_attention",
    "posted": "reversing",
    "reversing": "pending posted reversed needs_attention",
    "needs_attention": "pending posted reversed declined planned",
}
EARNING_EDGES: frozenset[Edge] = frozenset((was, now) for was, after in _EARNING_NEXT.items() for now in after.split())
"""Every step that an earning may take."""


def earnings_monotonic(world: World) -> Iterator[str]:
    """I12: what orders earn, too, goes along its graph, a version at a time, and only grows."""
    for r in world.auditor.rows("SELECT * FROM audit_earning ORDER BY number"):
        was, now = r["was_state"] or "", r["is_state"]
        if r["altered"] or now is None:
            yield f"an earning was rewritten or deleted in state {was}"
        elif was != now and (was, now) not in EARNING_EDGES:
            yield f"an earning went from {was or 'nothing'} to {now}"
        elif was and r["is_version"] - r["was_version"] != 1:
            yield f"an earning went from version {r['was_version']} to {r['is_version']} ({was} to {now})"
        elif was:
            for name in ("points_taken", "offset_back", *(("given_points",) if r["was_accrual_id"] else ())):
                if r[f"is_{name}"] < r[f"was_{name}"]:
                    yield f"{name} of an earning fell from {r[f'was_{name}']} to {r[f'is_{name}']}"
    for row in world.auditor.rows("SELECT * FROM audit_earning_step ORDER BY number"):
        yield from _carried_out(row)


def earning_edges_taken(world: World) -> Counter[Edge]:
    """How often each step of earnings was taken."""
    rows = world.auditor.rows("SELECT coalesce(was_state, '') AS was, is_state AS now FROM audit_earning")
    return Counter((row["was"], row["now"]) for row in rows if row["was"] != row["now"])


def edges_taken(world: World) -> Counter[Edge]:
    """How often each step was taken."""
    taken: Counter[Edge] = Counter()
    for row in world.auditor.rows("SELECT coalesce(was_state, '') AS was, is_state FROM audit_redemption"):
        if row["was"] != row["is_state"]:
            taken[row["was"], row["is_state"]] += 1
    return taken


def _moved(r: sqlite3.Row, edges: frozenset[Edge]) -> Iterator[str]:
    if r["altered"] or r["is_state"] is None:
        yield f"a redemption was rewritten or deleted in state {r['was_state']}"
        return
    was, now = r["was_state"] or "", r["is_state"]
    if was != now and (was, now) not in edges:
        yield f"a redemption went from {was or 'nothing'} to {now}"
    if r["was_version"] is None:
        return
    same = all(r[f"was_{name}"] == r[f"is_{name}"] for name in ("state", "live_key", "captured_points", "reason"))
    if r["is_version"] - r["was_version"] != (0 if same and r["is_version"] == r["was_version"] else 1):
        yield f"a redemption went from version {r['was_version']} to {r['is_version']} ({was} to {now})"
    for name in ("captured_points", "reversed_points", "vouchers_back_minor"):
        if r[f"is_{name}"] < r[f"was_{name}"]:
            yield f"{name} fell from {r[f'was_{name}']} to {r[f'is_{name}']}"
    if r["was_release_cause"] and r["was_release_cause"] != r["is_release_cause"]:
        yield f"the wish to give back changed from {r['was_release_cause']} to {r['is_release_cause']}"
    if now in CLOSED and r["is_live_key"] is not None:
        yield f"a redemption that is {now} is still the live one of its order"


def _carried_out(r: sqlite3.Row) -> Iterator[str]:
    if r["altered"] or (r["is_open_key"] is None and r["was_open_key"] is None and r["was_lease_token"] is None):
        yield "an operation was rewritten, deleted or never open"
        return
    if r["was_lease_token"] is None:
        return
    if r["was_open_key"] is None:
        yield f"an operation that was finished as {r['was_outcome']} was changed to {r['is_outcome']}"
    # Whoever may make no call gives its claim back as it was.
    same = all(r[f"was_{name}"] == r[f"is_{name}"] for name in ("outcome", "open_key", "sends", "passes"))
    least = r["was_lease_token"] - (1 if same and r["was_lease_token"] > 1 else 0)
    if r["is_lease_token"] < least or r["is_sends"] < r["was_sends"]:
        yield "the fencing token or the number of sends of an operation fell"
    if r["was_outcome"] in ("done", "not_done") and r["was_open_key"] is None:
        yield f"an operation proven {r['was_outcome']} was opened again"
