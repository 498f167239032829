"""What a person decides about points that an order earns: refused, or nobody can tell."""

from __future__ import annotations

from punktgenau._clock import Clock
from punktgenau.checkout.actions import Actions
from punktgenau.checkout.database import Database, Transaction
from punktgenau.checkout.earning.journal import EarnJournal
from punktgenau.checkout.earning.told import Earned, EarnedKind, earned_of
from punktgenau.checkout.journal import LostSwapError
from punktgenau.errors import NotFoundError, StateConflictError

UNSETTLED_MAX = 200


class Settling:
    """Lists and settles what waits for a person."""

    def __init__(self, database: Database, journal: EarnJournal, *, clock: Clock) -> None:
        self._journal = journal
        self._actions = Actions(database, clock=clock)

    def unsettled(self) -> tuple[Earned, ...]:
        """What was refused, or nobody can tell about, the oldest first."""
        return tuple(earned_of(row, self._journal.steps(row.id)) for row in self._journal.needing(most=UNSETTLED_MAX))

    def settle(
        self, order_reference: str, *, kind: EarnedKind, again: bool, actor: str, reason: str, lease_s: float
    ) -> None:
        """Decide about one of these. Raises as `Checkout.settle_earned`."""
        mine = [one for one in self._journal.of_order(order_reference) if one.kind == kind]
        # Of two welcomes the one that was taken back in full waits for nobody.
        row = mine[-1] if mine else None
        if row is None:
            raise NotFoundError(f"Order {order_reference} has earned nothing.", field="order_reference")

        def beside(tx: Transaction) -> None:
            self._actions.record_in(
                tx,
                "earned_again" if again else "earned_left",
                actor=actor,
                reason=reason,
                subject=order_reference,
                detail={"points": row.points, "kind": kind, "earning_id": row.id},
            )

        try:
            self._journal.settle(row, again=again, beside=beside, lease_s=lease_s)
        except LostSwapError:
            raise StateConflictError(
                f"What order {order_reference} earns needs no person now. Nothing was changed."
            ) from None
