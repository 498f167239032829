"""What a shop asks about exchanges of which nobody can tell what became of the points."""

from __future__ import annotations

from punktgenau._clock import Clock
from punktgenau.checkout.database import Database
from punktgenau.checkout.exchanging.journal import ExchangeJournal
from punktgenau.checkout.exchanging.settling import ExchangeSettling
from punktgenau.checkout.exchanging.told import Exchange, told
from punktgenau.checkout.returns import REFERENCE_MAX, require_reference
from punktgenau.checkout.settings import Settings


class UnsettledExchanges:
    """The part of `Checkout` by which a person says what became of them."""

    settings: Settings
    _database: Database
    _clock: Clock

    def unsettled_exchanges(self) -> tuple[Exchange, ...]:
        """Exchanges of which nobody can tell what became of the points; the oldest 200."""
        return tuple(told(row) for row in self._exchange_settling.unsettled())

    def settle_exchange(self, reference: str, *, happened: bool, actor: str, reason: str) -> Exchange:
        """A person says whether the customer has the voucher, or the money, or still their points; who is written down.

        Nothing is sent any more; what did not happen the customer may ask for anew. Raises NotFoundError;
        InvalidArgumentError (no actor, no reason); StateConflictError where it needs no person.
        """
        return told(
            self._exchange_settling.settle(
                require_reference(reference, field="reference", most=REFERENCE_MAX),
                happened=happened,
                actor=require_reference(actor, field="actor", most=200),
                reason=require_reference(reason, field="reason", most=200),
                lease_s=self.settings.deadline_s,
            )
        )

    # Inside

    @property
    def _exchange_settling(self) -> ExchangeSettling:
        return ExchangeSettling(self._database, self._its_journal(), self._clock)

    def _its_journal(self) -> ExchangeJournal:
        raise NotImplementedError
