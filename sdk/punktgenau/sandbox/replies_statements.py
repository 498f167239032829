"""What a statement says: always every key, absent is null."""

from __future__ import annotations

from typing import Literal

from .replies import Mode, Stamp, _Reply


class StatementLine(_Reply):
    """One booking; what goes to the member is negative. `corrects` is the line that a correction is about."""

    id: str
    sequence: int
    kind: Literal[
        "capture", "reversal", "accrual", "accrual_reversal", "voucher", "voucher_reversal", "correction",
    ]  # fmt: skip
    at: Stamp
    points: int
    amount_minor: int
    currency: str
    redemption_id: str | None
    accrual_id: str | None
    voucher_id: str | None
    idempotency_key: str
    order_reference: str
    capture_reference: str | None
    return_reference: str | None
    corrects: str | None
    partner_id: str
    reason: str


class StatementAmount(_Reply):
    """The sum of all lines in one currency."""

    lines: int
    points: int
    amount_minor: int
    currency: str


class StatementTotals(_Reply):
    """The sum of all lines."""

    lines: int
    points: int
    amounts: list[StatementAmount]


class StatementPage(_Reply):
    """Lines, oldest first; `totals` stand on the last page. A month that is not closed can still get lines."""

    period: str
    closed: bool
    lines: int
    items: list[StatementLine]
    totals: StatementTotals | None
    next_cursor: str | None
    now: Stamp
    mode: Mode
