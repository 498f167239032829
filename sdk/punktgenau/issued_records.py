"""The records of points that the partner gave out and that were redeemed anywhere, as the provider lists them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from punktgenau.money import POINTS_MAX
from punktgenau.records import Mode, Record
from punktgenau.statement_records import (
    LINES_MAX,
    SINCE,
    UNTIL,
    StatementTotals,
    _Currency,
    _Id,
    _Minor,
    _Period,
    _Points,
    _Reference,
    _Text,
)

IssuedKind = Literal["redeemed", "given_back"]


class IssuedLine(Record):
    """Points that the partner gave out and that somebody redeemed; those that were given back are negative.

    `accrual_id`, `accrual_reference` and `order_reference` say by which accrual and for which order they were given;
    None: the provider does not know. `redeemed_before`: how many points of that accrual were redeemed before this
    line, None where it does not say. `amount_minor`: what they paid. `redeemed_at`: at which partner, by its name,
    None: not told, or they became a voucher or money; `at`: when.
    """

    id: _Id
    sequence: Annotated[int, Field(ge=1, le=LINES_MAX)]
    kind: IssuedKind
    at: AwareDatetime
    points: _Points
    amount_minor: _Minor
    currency: _Currency
    accrual_id: _Reference | None
    accrual_reference: _Reference | None
    order_reference: _Reference | None
    redeemed_before: Annotated[int, Field(ge=0, le=POINTS_MAX)] | None
    redeemed_at: _Text | None
    partner_id: _Reference

    @model_validator(mode="after")
    def _signs_are_those_of_its_kind(self) -> IssuedLine:
        sign = 1 if self.kind == "redeemed" else -1
        if sign * self.points <= 0 or sign * self.amount_minor < 0:
            raise ValueError(f"points of a line {self.kind} have the other sign")
        if self.redeemed_before is not None and self.redeemed_before + self.points < 0:
            raise ValueError("more is given back than was redeemed before")
        return self

    @property
    def flaw(self) -> str | None:
        """Why a line that is well-formed can be none all the same; None: it can."""
        if not SINCE <= self.at < UNTIL:
            return "at: not between the years 2000 and 2099"
        texts = (
            self.id, self.accrual_id, self.accrual_reference, self.order_reference, self.redeemed_at, self.partner_id,
        )  # fmt: skip
        return None if all((text or "").isprintable() for text in texts) else "characters that cannot be printed"


class IssuedPage(Record):
    """Lines of one month, oldest first; `lines` is how many there are in all, `totals` stand on the last page."""

    period: _Period
    closed: bool
    lines: Annotated[int, Field(ge=0)]
    items: tuple[IssuedLine, ...]
    totals: StatementTotals | None
    next_cursor: str | None
    now: AwareDatetime
    mode: Mode
