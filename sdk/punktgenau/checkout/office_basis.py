"""What every deed of the back office stands on: the engine's parts, the row that it is about, and who did it."""

from __future__ import annotations

from functools import partial

from punktgenau.checkout import searching
from punktgenau.checkout.actions import Actions, Beside, require_text
from punktgenau.checkout.engine import Checkout
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.returns import REFERENCE_MAX, require_reference
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.errors import NotFoundError, StateConflictError


class Basis:
    """One Checkout as the back office sees it."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._journal = checkout._journal
        self._executor: Executor = checkout._executor
        self._clock = checkout._clock
        self._database = checkout._database
        self.searching = searching.Searching(self._database)
        self.actions = Actions(self._database, clock=self._clock)

    def _row(self, redemption_id: str) -> RedemptionRow:
        row = self.searching.row(redemption_id)
        if row is None:
            raise NotFoundError("There is no such redemption.", field="redemption_id")
        return row

    def _latest(self, redemption_id: str, returned: str = "") -> RedemptionRow:
        """The row, if it has this return, or is its order's newest attempt: older ones are history."""
        row = self._row(redemption_id)
        if returned and any(one.reference == returned for one in self._journal.books(row.id).given_back):
            return row
        of = None
        if returned:
            # No return has a name that could not be one, and PostgreSQL would not even take it for a text.
            reference = require_reference(returned, field="return_reference", most=REFERENCE_MAX)
            of = self._journal.with_return(row.order_reference, reference)
        newest = of or self._journal.latest(row.order_reference)
        if newest is None or newest.id != row.id:
            raise StateConflictError(f"A newer attempt of order {row.order_reference} has taken the place of this one.")
        return row

    def _recorded(self, kind: str, row: RedemptionRow, *, actor: str, reason: str, **detail: str) -> Beside:
        """Who did it and why, to be written by the commit that does it. Raises InvalidArgumentError, before that."""
        require_text(actor, field="actor")
        require_text(reason, field="reason", least=0)
        return partial(
            self.actions.record_in,
            kind=kind,
            actor=actor,
            reason=reason,
            subject=row.order_reference,
            redemption_id=row.id,
            detail=dict(detail),
        )

    def _write(self, recorded: Beside) -> None:
        """In a commit of its own: once it is sure that something will be sent, and before the first byte."""
        with self._database.transaction() as tx:
            recorded(tx)
