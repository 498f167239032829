"""Repairs: what a person has decided about a difference is carried out, once, on the way of every other goal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from punktgenau._redact import logger, short
from punktgenau.checkout.actions import require_text
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.cart import Order
from punktgenau.checkout.differences import Differences, LostDifferenceError
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.hints import noted
from punktgenau.checkout.intent import wished
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.return_journal import ReturnJournal
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.schema_clearing import DifferenceRow
from punktgenau.checkout.states import UNDER_WAY
from punktgenau.errors import NotFoundError, PunktgenauError, StateConflictError

DECIDED = frozenset({"repaired", "dismissed", "settled"})
_FITS = {"capture": "paid", "cancel": "cancelled"}
"""What moves points fits only an order in this state."""


class _StaleError(Exception):
    """What is proposed does not fit any more, as far as anybody can tell; `order_state` is the shop's word by now."""

    def __init__(self, why: str, *, order_state: str | None = None) -> None:
        super().__init__(why)
        self.order_state = order_state


class Repairs:
    """Carries out what is proposed; who said so stands in the journal before anything happens."""

    def __init__(
        self,
        differences: Differences,
        journal: ReturnJournal,
        executor: Executor,
        *,
        capture: Callable[[RedemptionRow], RedemptionRow],
        cancel: Callable[[RedemptionRow, str], RedemptionRow],
        order_loader: Callable[[], Callable[[str], Order | None] | None],
        deadline_s: float,
    ) -> None:
        self._differences = differences
        self._journal = journal
        self._executor = executor
        self._capture = capture
        self._cancel = cancel
        self._order_loader = order_loader
        self._deadline_s = deadline_s

    def repair(self, id: str, *, by: str, because: str) -> DifferenceRow:
        """Do what is proposed about a difference; one that is decided stays as it is.

        Where it does not fit any more nothing moves, and the difference is open as before, with a note that says why.
        """
        row = self._decided(id, state="repairing", kind="repair", by=by, because=because)
        if row.state != "repairing":
            return row
        # Where somebody else was at it as well, what came of that stands.
        try:
            result = self._done(row)
        except _StaleError as stale:
            with suppress(LostDifferenceError):
                return self._differences.change(
                    row,
                    state="open",
                    result=f"nothing was done: {stale}",
                    note=str(stale),
                    order_state=stale.order_state,
                )
            return self._one(id)
        except PunktgenauError as error:
            with suppress(LostDifferenceError):
                self._differences.change(row, state="open", result=f"could not be done: {error.code}")
            raise
        with suppress(LostDifferenceError):
            return self._differences.change(row, state="repaired", result=result)
        stands = self._one(id)
        if stands.state == "dismissed":
            with suppress(LostDifferenceError):
                return self._differences.change(stands, state="dismissed", result=f"was done all the same: {result}")
        return self._one(id)

    def dismiss(self, id: str, *, by: str, because: str) -> DifferenceRow:
        """Leave a difference as it is for good, a repair that was begun and has not ended as well."""
        return self._decided(id, state="dismissed", kind="dismiss", by=by, because=because)

    def _decided(self, id: str, *, state: str, kind: str, by: str, because: str) -> DifferenceRow:
        actor, reason = require_text(by, field="by"), require_text(because, field="because")
        row = self._one(id)
        if row.state in DECIDED:
            return row
        if row.state == "waiting":
            raise StateConflictError(
                f"Difference {id} waits for the next statement. Nothing was done; reconcile that month first.",
            )
        try:
            if row.state == state == "repairing":
                # What was begun and not ended is taken up again: a goal is safe to be asked for twice.
                return self._differences.carry_on(row, actor=actor, reason=reason)
            if row.state == "repairing":
                row = replace(row, result=f"its repair was begun by {row.actor}; nobody knows whether that was done")
            return self._differences.decide(row, state=state, kind=kind, actor=actor, reason=reason)
        except LostDifferenceError:
            # Somebody was first: whoever joins in is written down as well.
            return self._decided(id, state=state, kind=kind, by=by, because=because)

    def _one(self, id: str) -> DifferenceRow:
        row = self._differences.find(id)
        if row is None:
            raise NotFoundError(f"There is no difference {id}. Nothing was done.", field="difference")
        return row

    def _done(self, row: DifferenceRow) -> str:
        """Carry out the proposal; in a line, what came of it."""
        if row.proposal in _FITS:
            return self._moved(row)
        if row.proposal == "look_up" and row.redemption_id is not None:
            return self._looked_up(self._journal.redemption(row.redemption_id))
        return "to be corrected by the provider" if row.proposal == "claim" else "accepted"

    def _moved(self, row: DifferenceRow) -> str:
        """Take the points, or give them back, of the attempt that the difference is about. Raises _StaleError."""
        attempt = self._journal.latest(row.order_reference)
        if attempt is None or attempt.id != row.redemption_id:
            raise _StaleError("the order has another attempt by now")
        state = self._order_state(row)
        if state not in (None, _FITS[row.proposal]):
            raise _StaleError(f"the order is {state} by now", order_state=state)
        # The attempt and not the order: one that begins in this moment is swapped by nobody here.
        if row.proposal == "capture":
            return _told(self._capture(attempt))
        return _told(self._cancel(attempt, f"reconciled {row.id}"))

    def _order_state(self, row: DifferenceRow) -> str | None:
        loader = self._order_loader()
        if loader is None:
            return None
        try:
            order = loader(row.order_reference)
        except Exception:  # the shop's code: without its word nothing is moved
            logger.exception("the order loader failed for %s", short(row.order_reference))
            raise _StaleError("the shop could not be asked for the order") from None
        return "missing" if order is None else order.state

    def _looked_up(self, row: RedemptionRow) -> str:
        """Ask the provider what it has of a redemption, write that down, and give back what has to go back."""
        before = _figures(row)
        ours = (row.captured_points, row.reversed_points, row.vouchers_back_minor)
        if row.state in UNDER_WAY:
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
        agrees = ours == (evidence.captured_points, evidence.reversed_points, evidence.reversed_vouchers_minor)
        # Where both say the same, it is the statement that is wrong.
        return f"the provider has {there}; " + ("as here" if agrees else f"here {before}, now {_figures(row)}")


def _figures(row: RedemptionRow) -> str:
    return f"{row.state}, {row.captured_points} taken, {row.reversed_points} given back"


def _told(row: RedemptionRow) -> str:
    payment = payment_of(row)
    return f"now {payment.state}, {payment.points} points"
