"""What the list of redeemed points says that a partner gave out: always every key, absent is null."""

from __future__ import annotations

from typing import Literal

from .replies import Mode, Stamp, _Reply
from .replies_statements import StatementTotals


class IssuedLine(_Reply):
    """Points that this partner gave out, redeemed anywhere; given back ones are negative.

    `accrual_id`, `accrual_reference` and `order_reference` say by which accrual and for which order they were given;
    null: not known. `redeemed_before`: how many of that accrual's points were redeemed before this line.
    `redeemed_at`: the name of the partner where they were redeemed; null: not told, or they became a voucher or money.
    """

    id: str
    sequence: int
    kind: Literal["redeemed", "given_back"]
    at: Stamp
    points: int
    amount_minor: int
    currency: str
    accrual_id: str | None
    accrual_reference: str | None
    order_reference: str | None
    redeemed_before: int | None
    redeemed_at: str | None
    partner_id: str


class IssuedPage(_Reply):
    """Lines, oldest first; `totals` stand on the last page. A month that is not closed can still get lines."""

    period: str
    closed: bool
    lines: int
    items: list[IssuedLine]
    totals: StatementTotals | None
    next_cursor: str | None
    now: Stamp
    mode: Mode
