"""Looks on while orders earn: what leaves stands in the journal, and what the journal says is so at the provider."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from punktgenau.testing.simulator.audit import LINKS

if TYPE_CHECKING:
    from punktgenau.testing.simulator.watch import Watch

_KINDS = {"accrue": "accrue", "post_accrual": "post", "reverse_accrual": "claw_back"}


def wrong_with(watch: Watch, operation: str, key: str | None, content: dict[str, object]) -> Iterator[tuple[str, str]]:
    """What is wrong with a request about to leave: invariant, and why."""
    row = watch.auditor.one(
        "SELECT s.id, s.kind, s.fingerprint, s.request, s.created_at, e.order_reference, e.member_id, e.points,"
        " e.customer_id, e.accrual_reference, e.kind AS reason FROM punktgenau_earning_step s"
        " JOIN punktgenau_earning e ON e.id = s.earning_id WHERE s.key = ?",
        key,
    )
    if row is None or row["kind"] != _KINDS[operation] or len(row["fingerprint"]) != 64:
        yield "I4", f"{operation} leaves without a committed intent under its key"
        return
    if (holder := watch.taken_from(row["id"])) is not None:
        yield "I12", f"{operation} leaves while {holder} has its lease"
    meant = json.loads(row["request"])
    if operation == "accrue":
        meant |= {name: row[name] for name in ("member_id", "order_reference", "accrual_reference")}
    said = {name: content.get(name) or 0 for name in meant}
    if said != {name: value or 0 for name, value in meant.items()}:
        yield "I4", f"{operation} leaves with {said}, the intent says {meant}"
    order = watch.shop.orders.get(row["order_reference"])
    if order is None or row["member_id"] != LINKS[order.plan.customer][0] or row["customer_id"] != order.plan.customer:
        yield "I9", f"{operation} leaves for {row['member_id']}, who did not buy {row['order_reference']}"
    elif operation != "reverse_accrual" and order.state in ("missing", "pending"):
        yield "I9", f"{operation} leaves for {row['order_reference']}, which nobody has paid"
    elif operation != "reverse_accrual" and order.cancelled_ms is not None and row["created_at"] > order.cancelled_ms:
        yield "I6", f"{operation} leaves for {row['order_reference']}, which the engine knows as cancelled"


@dataclass
class EarningWatch:
    """Compares each earning that is committed with the provider's books."""

    watch: Watch
    moved: int = 0

    def committed(self) -> None:
        """The journal has changed: what it says from now on has to be so at the provider."""
        watch = self.watch
        for row in watch.auditor.rows(
            "SELECT a.number, coalesce(a.was_state, '') AS was, a.is_state AS now, a.is_accrual_id AS given, e.kind,"
            " a.is_accrual_reference AS accrual_reference, e.order_reference FROM audit_earning a"
            " JOIN punktgenau_earning e ON e.id = a.row_id"
            " WHERE a.number > ? ORDER BY a.number",
            self.moved,
        ):
            self.moved = row["number"]
            if row["was"] == row["now"]:
                continue
            named = f"{row['kind']} of {row['order_reference']}"
            watch.seams.note(f"{named}: {row['was']} -> {row['now']}")
            found = watch.provider.rows(
                "SELECT * FROM accrual WHERE accrual_reference = ? AND order_reference = ?",
                row["accrual_reference"],
                row["order_reference"],
            )
            made = found[0] if found else None
            if row["now"] == "pending" and made is None:
                watch.wrong("I5", f"the {named} is pending in the journal, the provider knows nothing of it")
            elif row["now"] == "posted" and row["given"] and (made is None or made["posted_at"] is None):
                watch.wrong("I5", f"the {named} is posted in the journal, not at the provider")
            elif row["now"] == "reversed" and row["given"] and (made is None or made["state"] != "reversed"):
                watch.wrong("I5", f"the {named} is taken back in the journal, not at the provider")
            elif row["now"] == "declined" and made is not None:
                watch.wrong("I5", f"the {named} is declined in the journal, the provider has given its points")
