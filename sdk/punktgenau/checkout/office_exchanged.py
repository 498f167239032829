"""Points that became vouchers or money, as the back office sees them: with their story, and what a person may do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from punktgenau.checkout.actions import require_text
from punktgenau.checkout.exchanging.execute import payouts_of, vouchers_of
from punktgenau.checkout.exchanging.schema import ExchangeRow
from punktgenau.checkout.exchanging.told import Exchange, told
from punktgenau.checkout.office_earned import EarnedOffice
from punktgenau.checkout.office_told import story_of_exchange
from punktgenau.checkout.timeline import Moment
from punktgenau.errors import InProgressError, NotFoundError, PunktgenauError
from punktgenau.money import Money

ExchangeFate = Literal["unknown", "left", "gone", "back", "under_way"]
"""What became of the points: nobody knows; never left the account; became something; came back; being asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeExchange:
    """One exchange with its story."""

    row: ExchangeRow
    exchange: Exchange
    fate: ExchangeFate
    story: tuple[Moment, ...]
    can_retry: bool
    can_settle: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeView:
    """What the provider has of an exchange now, by our reference; `error`: why that could not be asked."""

    id: str = ""
    state: str = ""
    points: int = 0
    value: Money | None = None
    error: PunktgenauError | None = None


class ExchangedOffice(EarnedOffice):
    """The part of the back office that is about points that become vouchers or money."""

    def exchange(self, exchange_id: str) -> WholeExchange:
        """One exchange of this shop. Raises NotFoundError."""
        row = self._exchange_row(exchange_id)
        return WholeExchange(
            row=row,
            exchange=told(row),
            fate=exchange_fate(row.state),
            story=story_of_exchange(row, self._about(row.reference)),
            can_retry=row.next_at is not None,
            can_settle=row.state == "needs_attention",
        )

    def ask_exchange(self, exchange_id: str) -> ExchangeView:
        """What the provider has of it now; changes nothing. Raises NotFoundError for an exchange that is none."""
        row, deadline_s = self._exchange_row(exchange_id), self._checkout.settings.deadline_s
        vouchers, payouts = vouchers_of(self._checkout._provider), payouts_of(self._checkout._provider)
        try:
            if row.kind == "voucher" and vouchers is not None:
                for one in vouchers.find(voucher_reference=row.reference, deadline_s=deadline_s):
                    return ExchangeView(id=one.id, state=one.state, points=one.points, value=one.value)
            elif row.kind == "payout" and payouts is not None:
                for paid in payouts.find(payout_reference=row.reference, deadline_s=deadline_s):
                    return ExchangeView(id=paid.id, state=paid.state, points=paid.points, value=paid.value)
        except PunktgenauError as error:
            return ExchangeView(error=error)
        return ExchangeView()

    def retry_exchange(self, exchange_id: str, *, actor: str, reason: str = "") -> None:
        """Ask now what is asked anyway, under the same key. Raises InProgressError while somebody else is at it."""
        row, deadline_s = self._exchange_row(exchange_id), self._checkout.settings.deadline_s
        said = partial(
            self.actions.record_in,
            kind="exchange_retry",
            actor=require_text(actor, field="actor"),
            reason=require_text(reason, field="reason", least=0),
            subject=row.reference,
            detail={"points": row.points, "kind": row.kind, "exchange_id": row.id},
        )
        claim = None if row.next_at is None else self._checkout._exchange_journal.claim(row.id, lease_s=deadline_s)
        if claim is None:
            raise InProgressError(f"Exchange {row.reference} is being worked on by somebody else at this moment.")
        self._write(said)
        self._checkout._carried_out(claim, deadline_s=deadline_s)

    def settle_exchange(self, exchange_id: str, *, happened: bool, actor: str, reason: str) -> None:
        """Write down what a person found out about an unknown. Raises as `Checkout.settle_exchange`."""
        row = self._exchange_row(exchange_id)
        self._checkout.settle_exchange(
            row.reference,
            happened=happened,
            actor=require_text(actor, field="actor"),
            reason=require_text(reason, field="reason"),
        )

    # Inside

    def _exchange_row(self, exchange_id: str) -> ExchangeRow:
        row = self.listed.exchange(exchange_id)
        if row is None:
            raise NotFoundError("There is no such exchange.", field="exchange_id")
        return row


def exchange_fate(state: str) -> ExchangeFate:
    """What became of the points."""
    match state:
        case "needs_attention":
            return "unknown"
        case "sending":
            return "under_way"
        case "rejected":
            return "back"
        case "declined":
            return "left"
        case _:
            return "gone"
