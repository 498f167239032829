"""The records of clearing: what a statement of the provider says, line by line; signed as the provider books."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from punktgenau.money import AMOUNT_MINOR_MAX, POINTS_MAX
from punktgenau.records import Mode, Record

StatementKind = Literal[
    "capture", "reversal", "accrual", "accrual_reversal", "voucher", "voucher_reversal", "correction"
]
LINES_MAX = 10**15
"""No statement has as many lines, so no line has a higher number."""
SINCE, UNTIL = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""Between these moments lie the months that there are statements of."""
# Ids and references as the provider writes them; `StatementLine.flaw` tells those that nobody can keep or show.
_Id = Annotated[str, Field(min_length=1, max_length=64)]
_Key = Annotated[str, Field(max_length=255)]
_Text = Annotated[str, Field(max_length=200)]
_Reference = Annotated[str, Field(max_length=64)]
_Points = Annotated[int, Field(ge=-POINTS_MAX, le=POINTS_MAX)]
_Minor = Annotated[int, Field(ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX)]
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
_Period = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


class StatementLine(Record):
    """One booking as the provider settles it: points and `amount_minor` are negative where they go to the member.

    `sequence` counts the lines of the period from 1. `idempotency_key` is the authorize's or the accrual's, empty where
    the provider has no keys; `corrects` is the line that a correction is about.
    """

    id: _Id
    sequence: Annotated[int, Field(ge=1, le=LINES_MAX)]
    kind: StatementKind
    at: AwareDatetime
    points: _Points
    amount_minor: _Minor
    currency: _Currency
    redemption_id: _Reference | None
    accrual_id: _Reference | None = None
    voucher_id: _Reference | None = None
    idempotency_key: _Key
    order_reference: _Reference
    capture_reference: _Reference | None
    return_reference: _Reference | None
    corrects: _Reference | None
    partner_id: _Reference
    reason: _Text

    @model_validator(mode="after")
    def _signs_are_those_of_its_kind(self) -> StatementLine:
        sign = {"capture": 1, "reversal": -1, "accrual": -1, "accrual_reversal": 1}.get(self.kind, 0)
        if sign and (sign * self.points <= 0 or sign * self.amount_minor < 0):
            raise ValueError(f"points of a {self.kind} have the other sign")
        paid = {"voucher": 1, "voucher_reversal": -1}.get(self.kind, 0)
        if paid and (self.points or paid * self.amount_minor <= 0 or not self.voucher_id):
            raise ValueError(f"a {self.kind} has points, the other sign, or names no voucher")
        return self

    @property
    def flaw(self) -> str | None:
        """Why a line that is well-formed can be no booking all the same; None: it can."""
        if not SINCE <= self.at < UNTIL:
            return "at: not between the years 2000 and 2099"
        texts = (
            self.id, self.redemption_id, self.accrual_id, self.voucher_id, self.idempotency_key, self.order_reference,
            self.capture_reference, self.return_reference, self.corrects, self.partner_id,
        )  # fmt: skip
        return None if all((text or "").isprintable() for text in texts) else "characters that cannot be printed"


class BrokenLine(Record):
    """A line that cannot be read as a booking: its number in the file or on the statement, and why."""

    number: Annotated[int, Field(ge=0, le=LINES_MAX)]
    reason: str


class StatementAmount(Record):
    """All lines in one currency together."""

    lines: Annotated[int, Field(ge=0)]
    points: int
    amount_minor: int
    currency: _Currency


class StatementTotals(Record):
    """All lines of a statement together."""

    lines: Annotated[int, Field(ge=0)]
    points: int
    amounts: tuple[StatementAmount, ...]


class StatementPage(Record):
    """Lines of one month, oldest first; `lines` is how many there are in all, `totals` stand on the last page."""

    period: _Period
    closed: bool
    lines: Annotated[int, Field(ge=0)]
    items: tuple[StatementLine, ...]
    totals: StatementTotals | None
    next_cursor: str | None
    now: AwareDatetime
    mode: Mode
