"""The noun rest: what was left of an order's points as it was cancelled, where some of them came back expired. Pure.

It is kept as a return that nobody asked for, so that the shop makes up for those points by the same rule, and is told
through the same lists. It gives back no goods: what became of those is the shop's own affair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from punktgenau.checkout.intent import Claim, release_reference
from punktgenau.checkout.rows import RedemptionRow
from punktgenau.checkout.schema_returns import ReturnRow
from punktgenau.checkout.vouchers import parts_of, sum_of


def is_release(claim: Claim) -> bool:
    """Whether an operation gives back all that is left of an order."""
    return claim.operation.kind == "reverse" and claim.operation.cause.startswith("release")


def is_rest(one: ReturnRow) -> bool:
    """Whether nobody asked for it as a return."""
    # By its own id, as `rest_of` makes it: a reference is a name that a shop may have given, too.
    return one.id == one.operation_id


def rest_of(
    claim: Claim, said: Mapping[str, str | int | None], *, row: RedemptionRow, rule: str, number: int, now_ms: int
) -> ReturnRow | None:
    """What a release leaves to be made up for, by the provider's answer; None: nothing. `rule`: as a return has it.

    It is finished as a return is; an answer without a word of what had expired leaves that to a person.
    """
    asked = json.loads(claim.operation.request)
    is_said = said.get("expired_points") == 0 and not sum_of(parts_of(said.get("vouchers_expired")))
    if rule == "tell" or is_said:
        return None
    points, worth_minor = int(asked["points"]), int(asked["value_minor"])
    onto_minor = sum_of(parts_of(asked.get("vouchers")))
    return ReturnRow(
        # There is one of an operation, however often its result is written.
        id=claim.operation.id,
        redemption_id=row.id,
        number=number,
        reference=release_reference(row.id),
        wanted=json.dumps(
            {"amount_minor": worth_minor + onto_minor, "lines": {}, "shipping_minor": 0}, separators=(",", ":")
        ),
        policy=row.refund_policy,
        goods_minor=worth_minor + onto_minor,
        other_minor=onto_minor,
        value_minor=worth_minor,
        money_minor=0,
        points=points,
        worth_minor=worth_minor,
        carry_minor=0,
        state="reversing",
        operation_id=claim.operation.id,
        restored_points=None,
        expired_points=None,
        converted_points=None,
        expired_rule=rule,
        expired_minor=0,
        instead_minor=0,
        reason="",
        actor="",
        psp_reference=None,
        money_refunded_at=None,
        refunded_minor=0,
        created_at=now_ms,
        finished_at=None,
        vouchers=asked.get("vouchers"),
    )
