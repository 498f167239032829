"""What a person says about points that were to become a voucher or money, of which nobody can tell what they became."""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau._clock import Clock
from punktgenau.checkout.actions import Actions
from punktgenau.checkout.database import Database, Transaction
from punktgenau.checkout.exchanging.journal import ExchangeJournal
from punktgenau.checkout.exchanging.schema import ExchangeRow
from punktgenau.checkout.journal import LostSwapError
from punktgenau.errors import NotFoundError, StateConflictError

UNSETTLED_MAX = 200


@dataclass(frozen=True, slots=True)
class ExchangeSettling:
    """Lists and settles what waits for a person."""

    database: Database
    journal: ExchangeJournal
    clock: Clock

    def unsettled(self) -> tuple[ExchangeRow, ...]:
        """Those of which nobody can tell, the oldest first."""
        return self.journal.needing(most=UNSETTLED_MAX)

    def settle(self, reference: str, *, happened: bool, actor: str, reason: str, lease_s: float) -> ExchangeRow:
        """Write down what a person has found out; nothing is sent any more. Raises as `Checkout.settle_exchange`."""
        row = self.journal.by_reference(reference)
        if row is None:
            raise NotFoundError("There is no such exchange.", field="reference")

        def beside(tx: Transaction) -> None:
            Actions(self.database, clock=self.clock).record_in(
                tx,
                "exchange_done" if happened else "exchange_not_done",
                actor=actor,
                reason=reason,
                subject=row.reference,
                detail={"points": row.points, "kind": row.kind, "exchange_id": row.id},
            )

        ended = ("done" if row.kind == "voucher" else "paid") if happened else "declined"
        try:
            return self.journal.settle(row.id, state=ended, beside=beside, lease_s=lease_s)
        except LostSwapError:
            raise StateConflictError(
                f"Nobody has to say what became of exchange {reference}, or it is being asked about at this moment. "
                "Nothing was changed; look at it again."
            ) from None
