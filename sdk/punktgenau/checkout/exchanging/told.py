"""What a shop is told about points that became, or become, a voucher or money."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from punktgenau.checkout.exchanging.schema import ExchangeRow
from punktgenau.checkout.moments import moment
from punktgenau.money import Money

ExchangeKind = Literal["voucher", "payout"]
ExchangeState = Literal["sending", "done", "requested", "paid", "rejected", "declined", "needs_attention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Points that became, or become, a voucher or money; `state` "sending" until the provider has confirmed.

    A voucher is "done"; a payout "requested", then "paid", or "rejected" and the points are back, `reason` says why.
    `hint`: a voucher's last four signs, or the account as its owner knows it. `code` is a secret: it is told by the
    call that buys a voucher, and kept nowhere.
    """

    kind: ExchangeKind
    state: ExchangeState
    points: int
    value: Money | None
    hint: str
    reason: str
    reference: str
    provider_id: str | None
    asked_at: datetime
    changed_at: datetime
    code: str | None = field(default=None, repr=False)


def told(row: ExchangeRow, *, code: str | None = None) -> Exchange:
    """An exchange as the journal has it; `code` where the provider has just said it."""
    value = None
    if row.value_minor is not None and row.currency is not None:
        value = Money(amount_minor=row.value_minor, currency=row.currency)
    return Exchange(
        kind="voucher" if row.kind == "voucher" else "payout",
        state=_state(row.state),
        points=row.points,
        value=value,
        hint=row.hint or "",
        reason=row.reason or (row.code or "" if row.state == "declined" else ""),
        reference=row.reference,
        provider_id=row.provider_id,
        asked_at=moment(row.created_at),
        changed_at=moment(row.updated_at),
        code=code,
    )


def _state(text: str) -> ExchangeState:
    for state in get_args(ExchangeState):
        if state == text:
            known: ExchangeState = state
            return known
    raise AssertionError(f"unknown state {text!r}")
