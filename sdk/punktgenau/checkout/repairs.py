"""Repairs: what a person has decided about a difference is carried out, once, on the way of every other goal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from punktgenau.checkout.actions import require_text
from punktgenau.checkout.differences import Differences, LostDifferenceError
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.hints import OPEN, noted
from punktgenau.checkout.intent import wished
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.return_journal import ReturnJournal
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_clearing import DifferenceRow
from punktgenau.errors import NotFoundError, PunktgenauError, StateConflictError

DECIDED = frozenset({"repaired", "dismissed", "settled"})


class Repairs:
    """Carries out what is proposed; who said so stands in the journal before anything happens."""

    def __init__(
        self,
        differences: Differences,
        journal: ReturnJournal,
        executor: Executor,
        *,
        capture: Callable[[str], Payment | None],
        cancel: Callable[[str, str], Payment | None],
        deadline_s: float,
    ) -> None:
        self._differences = differences
        self._journal = journal
        self._executor = executor
        self._capture = capture
        self._cancel = cancel
        self._deadline_s = deadline_s

    def repair(self, id: str, *, by: str, because: str) -> DifferenceRow:
        """Do what is proposed about a difference; one that is decided stays as it is."""
        row = self._decided(id, state="repairing", kind="repair", by=by, because=because)
        if row.state != "repairing":
            return row
        try:
            result = self._done(row)
        except PunktgenauError as error:
            with suppress(LostDifferenceError):
                # Where somebody else was at it as well, what came of that stands.
                self._differences.change(row, state="open", result=f"could not be done: {error.code}")
            raise
        try:
            return self._differences.change(row, state="repaired", result=result)
        except LostDifferenceError:
            return self._one(id)

    def dismiss(self, id: str, *, by: str, because: str) -> DifferenceRow:
        """Leave a difference as it is for good."""
        return self._decided(id, state="dismissed", kind="dismiss", by=by, because=because)

    def _decided(self, id: str, *, state: str, kind: str, by: str, because: str) -> DifferenceRow:
        actor, reason = require_text(by, field="by"), require_text(because, field="because")
        row = self._one(id)
        if row.state in DECIDED or row.state == "repairing":
            # What was begun and not ended is taken up again: a goal is safe to be asked for twice.
            return row
        if row.state == "waiting":
            raise StateConflictError(
                f"Difference {id} waits for the next statement. Nothing was done; reconcile that month first.",
            )
        try:
            return self._differences.decide(row, state=state, kind=kind, actor=actor, reason=reason)
        except LostDifferenceError:
            return self._one(id)

    def _one(self, id: str) -> DifferenceRow:
        row = self._differences.find(id)
        if row is None:
            raise NotFoundError(f"There is no difference {id}. Nothing was done.", field="difference")
        return row

    def _done(self, row: DifferenceRow) -> str:
        """Carry out the proposal; in a line, what came of it."""
        if row.proposal == "capture":
            return _told(self._capture(row.order_reference))
        if row.proposal == "cancel":
            return _told(self._cancel(row.order_reference, f"reconciled {row.id}"))
        if row.proposal == "look_up" and row.redemption_id is not None:
            return self._looked_up(self._journal.redemption(row.redemption_id))
        return "to be corrected by the provider" if row.proposal == "claim" else "accepted"

    def _looked_up(self, row: RedemptionRow) -> str:
        """Ask the provider what it has of a redemption, write that down, and give back what has to go back."""
        before = _figures(row)
        ours = (row.captured_points, row.reversed_points)
        if row.state in OPEN:
            claim = self._journal.claim(row.id, lease_s=self._deadline_s)
            if claim is None:
                return f"is being resolved: {row.state}"
            row, _ = self._executor.run(claim, deadline_s=self._deadline_s)
            return f"{before}; now {_figures(row)}"
        evidence = self._executor.look_up(row, deadline_s=self._deadline_s)
        if evidence is None:
            return f"the provider knows nothing of it; here {before}"
        try:
            row = noted(self._journal, self._executor, row, evidence)
            if (planned := wished(row)) is not None:
                claim = self._journal.begin_operation(row, planned, lease_s=self._deadline_s)
                row, _ = self._executor.run(claim, deadline_s=self._deadline_s)
        except LostSwapError:
            row = self._journal.redemption(row.id)
        there = f"{evidence.captured_points} taken, {evidence.reversed_points} given back"
        agrees = ours == (evidence.captured_points, evidence.reversed_points)
        # Where both say the same, it is the statement that is wrong.
        return f"the provider has {there}; " + ("as here" if agrees else f"here {before}, now {_figures(row)}")


def _figures(row: RedemptionRow) -> str:
    return f"{row.state}, {row.captured_points} taken, {row.reversed_points} given back"


def _told(payment: Payment | None) -> str:
    return "no points are part of it" if payment is None else f"now {payment.state}, {payment.points} points"
