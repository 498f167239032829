"""Compare-and-swap on the journal: every change of a state happens here, in one transaction, or not at all."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from punktgenau._clock import Clock
from punktgenau.checkout.actions import Beside
from punktgenau.checkout.database import Database, DuplicateError, Transaction, UnconfirmedError, Value
from punktgenau.checkout.intent import Claim, NextOperation, as_json, ended_short, fingerprint, new_operation
from punktgenau.checkout.moments import now_ms
from punktgenau.checkout.reading import Reader
from punktgenau.checkout.rows import OperationRow, RedemptionRow, replace, row_of, values_of
from punktgenau.checkout.tenders import note_tenders, tenders_of

CLOSED = frozenset({"declined", "voided", "expired", "abandoned", "reversed"})
"""Proven ended: the points are with the member, and the next attempt may be made."""
LEASE_MARGIN_MS = 5_000
BALANCE_AGED_MS = 60_000
"""How old a balance counts at least once its points have moved: too old to be shown, not too old for a rate."""


class LostSwapError(Exception):
    """Another process changed the row first: read it again and answer from it."""


class Journal(Reader):
    """The journal of one shop at one provider: reads, intents, claims, results."""

    def __init__(self, database: Database, *, clock: Clock, key_of: Callable[[bytes], str]) -> None:
        super().__init__(database)
        self._clock = clock
        self._key_of = key_of

    def now_ms(self) -> int:
        """The injected clock's wall time, in milliseconds."""
        return now_ms(self._clock)

    def fresh_id(self) -> str:
        """A random row id."""
        return self._clock.random_bytes(16).hex()

    def begin_attempt(
        self,
        attempt: RedemptionRow,
        request: Mapping[str, str | int],
        *,
        lease_s: float,
        instead_of: RedemptionRow | None = None,
    ) -> Claim:
        """Write the intent of an authorize: redemption, tender and operation in one commit, leased to the caller.

        `instead_of` gives up its place as the order's live attempt in the same commit. Raises LostSwapError when the
        order has a live attempt by now, or that one is no longer as seen.
        """
        if attempt.live_key is None or attempt.state != "authorizing":
            raise AssertionError("an attempt begins live and authorizing")
        planned = NextOperation(kind="authorize", cause=attempt.cause, request=request, state="authorizing")
        operation = self._new_operation(attempt, planned)
        attempt = replace(attempt, key=operation.key)
        ends = self._lease_ends(lease_s)
        with self._intent(operation.key) as tx:
            if instead_of is not None:
                self._swap(tx, instead_of, replace(instead_of, state="expired", reason="taken_anew", check_at=None))
            tx.run(self._sql.add_redemption, values_of(attempt))
            self._hand_on(tx, instead_of, attempt)
            for tender in tenders_of(attempt):
                tx.run(self._sql.add_tender, tender)
            self._add(tx, operation, lease_s)
        return Claim(operation, attempt, operation.lease_token, ends)

    def begin_operation(self, seen: RedemptionRow, planned: NextOperation, *, lease_s: float) -> Claim:
        """Write the intent of a further call and move the redemption to its state, if nobody was first.

        Raises LostSwapError when the row is no longer as seen, or has an open operation.
        """
        operation = self._new_operation(seen, planned)
        ends = self._lease_ends(lease_s)
        with self._intent(operation.key) as tx:
            self._check_turn(tx, seen, planned)
            changed = self._swap(tx, seen, replace(seen, state=planned.state, check_at=None))
            self._add(tx, operation, lease_s)
        return Claim(operation, changed, operation.lease_token, ends)

    def _hand_on(self, tx: Transaction, seen: RedemptionRow | None, attempt: RedemptionRow) -> None:
        """Let what was asked for of an attempt be carried out by the one in its place."""

    def _check_turn(self, tx: Transaction, seen: RedemptionRow, planned: NextOperation) -> None:
        """Whether something that was asked for before goes first."""

    def supersede(self, seen: RedemptionRow, planned: NextOperation, *, lease_s: float) -> Claim:
        """Close the open operation as unknown and open another in its place (an authorize is given up by its key).

        Raises LostSwapError when the open operation is leased to somebody, or the row is no longer as seen.
        """
        operation = self._new_operation(seen, planned)
        ends = self._lease_ends(lease_s)
        with self._intent(operation.key) as tx:
            # The redemption's row first, as everywhere: two that lock in other orders would block each other.
            self._redemption(tx, seen.id, lock=True)
            current = tx.one(self._sql.open_operation, {"redemption_id": seen.id})
            if current is not None:
                claim = self._lease(tx, row_of(OperationRow, current).id, lease_s)
                if claim is None:
                    raise LostSwapError
                self._finish_operation(
                    tx, claim, outcome="unknown", code="superseded", reply=None, sends=0, next_at=None
                )
            changed = self._swap(tx, seen, replace(seen, state=planned.state, check_at=None))
            self._add(tx, operation, lease_s)
        return Claim(operation, changed, operation.lease_token, ends)

    def claim(self, redemption_id: str, *, lease_s: float) -> Claim | None:
        """Take over the open operation of a redemption, due or not; None when there is none or somebody has it."""
        with self._database.transaction() as tx:
            current = tx.one(self._sql.open_operation, {"redemption_id": redemption_id})
            return None if current is None else self._lease(tx, row_of(OperationRow, current).id, lease_s)

    def claim_operation(self, operation_id: str, *, lease_s: float) -> Claim | None:
        """Take over this operation, due or not; None when it is finished or somebody has it."""
        with self._database.transaction() as tx:
            return self._lease(tx, operation_id, lease_s)

    def claim_due(self, *, lease_s: float) -> Claim | None:
        """Take over the operation that has been due longest; None when nothing is due."""
        with self._database.transaction() as tx:
            found = tx.one(self._sql.due_operations, {"at": self.now_ms()})
            return None if found is None else self._lease(tx, str(found[0]), lease_s)

    def claim_check(self, redemption_id: str | None = None, *, lease_s: float) -> RedemptionRow | None:
        """Take over this row, or the one that somebody should look at first; None when nothing is due."""
        with self._database.transaction() as tx:
            if redemption_id is None:
                found = tx.one(self._sql.due_checks, {"at": self.now_ms()})
                if found is None:
                    return None
                redemption_id = str(found[0])
            values: dict[str, Value] = {
                "redemption_id": redemption_id,
                "lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS,
            }
            if tx.run(self._sql.lease_redemption, values) != 1:
                return None
            row = self._redemption(tx, redemption_id)
            return row if row.check_at is not None else None

    def free_check(self, row: RedemptionRow, *, check_at: int | None) -> None:
        """Give a row back after looking at it; somebody looks again at `check_at`, unless it has changed meanwhile."""
        with self._database.transaction() as tx:
            values: dict[str, Value] = {"seen_token": row.lease_token, "seen_version": row.version}
            tx.run(self._sql.free_redemption, {"redemption_id": row.id, "check_at": check_at, **values})

    def finish(
        self,
        claim: Claim,
        changed: RedemptionRow,
        *,
        outcome: str | None,
        code: str | None,
        reply: Mapping[str, str | int | None] | None,
        sends: int,
        next_at: int | None,
        beside: Beside | None = None,
    ) -> RedemptionRow:
        """Write the result of a send, fenced by the claim's token; `next_at` given: it stays open and is due then.

        Raises LostSwapError when the lease went to somebody else meanwhile: their result counts, this one is dropped.
        """
        with self._database.transaction() as tx:
            current = self._redemption(tx, claim.redemption.id, lock=True)
            self._finish_operation(tx, claim, outcome=outcome, code=code, reply=reply, sends=sends, next_at=next_at)
            if beside is not None:
                beside(tx)
            # A wish to give back, or a return, may have been noted meanwhile; nothing else changes beside an operation.
            is_noted = current.release_cause != claim.redemption.release_cause
            wish = current.release_cause if is_noted else changed.release_cause
            if wish and changed.state == "short":
                changed = replace(changed, state=ended_short(changed))
            noted = wish or current.check_at is not None
            check_at = self.now_ms() if noted and next_at is None and changed.state not in CLOSED else changed.check_at
            if next_at is not None and current.check_at is not None:
                # What waits for the end of this operation waits on.
                check_at = current.check_at
            self._age_balance(tx, current, changed)
            changed = replace(changed, release_cause=wish, paid_at=current.paid_at, check_at=check_at)
            return self._swap(tx, current, changed)

    def change(self, seen: RedemptionRow, changed: RedemptionRow) -> RedemptionRow:
        """Change a row that has no open operation.

        Raises LostSwapError when it is no longer as seen, or another attempt is live.
        """
        try:
            with self._database.transaction() as tx:
                self._age_balance(tx, seen, changed)
                return self._swap(tx, seen, changed)
        except DuplicateError as error:
            raise LostSwapError from error

    def prepare(self) -> None:
        """Make the key of the fingerprints, once, on `upgrade`."""
        with suppress(DuplicateError), self._database.transaction() as tx:
            tx.run(self._sql.add_meta, {"name": "fingerprint_key", "value": self._clock.random_bytes(32).hex()})

    def is_as_written(self, operation: OperationRow, row: RedemptionRow) -> bool:
        """Whether what would be sent now is what was written down before the first byte."""
        return hmac.compare_digest(operation.fingerprint, fingerprint(row, operation.request, key=self._secret()))

    @contextmanager
    def _intent(self, key: str | None = None) -> Iterator[Transaction]:
        """The transaction that writes an intent; without `key` what is to be sent, if anything, is decided within it.

        Raises LostSwapError when somebody was first; UnavailableError, with the outcome unknown where nobody can tell
        whether the intent was written: if it was, recovery carries it out.
        """
        try:
            with self._database.transaction() as tx:
                yield tx
        except DuplicateError as error:
            raise LostSwapError from error
        except UnconfirmedError as error:
            error.outcome, error.idempotency_key = "unknown", key
            raise

    def _swap(self, tx: Transaction, seen: RedemptionRow, changed: RedemptionRow) -> RedemptionRow:
        live_key = None if changed.state in CLOSED else changed.live_key
        changed = replace(changed, live_key=live_key, updated_at=self.now_ms(), version=seen.version + 1)
        values = values_of(changed) | {"redemption_id": seen.id, "seen_version": seen.version}
        if tx.run(self._sql.swap_redemption, values) != 1:
            raise LostSwapError
        note_tenders(tx, seen, changed)
        return changed

    def _age_balance(self, tx: Transaction, seen: RedemptionRow, changed: RedemptionRow) -> None:
        if changed.state != seen.state:
            aged: dict[str, Value] = {"customer_id": seen.customer_id, "balance_at": self.now_ms() - BALANCE_AGED_MS}
            tx.run(self._sql.age_balance, aged)

    def _lease(self, tx: Transaction, operation_id: str, lease_s: float) -> Claim | None:
        ends = self._lease_ends(lease_s)
        values: dict[str, Value] = {"operation_id": operation_id, "lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS}
        if tx.run(self._sql.lease_operation, values) != 1:
            return None
        row = tx.one(self._sql.operation, values)
        if row is None:
            raise AssertionError("a leased operation is gone")
        operation = row_of(OperationRow, row)
        return Claim(operation, self._redemption(tx, operation.redemption_id), operation.lease_token, ends)

    def _lease_ends(self, lease_s: float) -> float:
        # Counted from before the commit, so that it never seems later than the database says.
        return self._clock.monotonic() + lease_s + LEASE_MARGIN_MS / 1000

    def _new_operation(self, row: RedemptionRow, planned: NextOperation) -> OperationRow:
        return new_operation(
            row,
            planned,
            operation_id=self.fresh_id(),
            fingerprint_key=self._secret(),
            key_of=self._key_of,
            now_ms=self.now_ms(),
        )

    def _add(self, tx: Transaction, operation: OperationRow, lease_s: float) -> None:
        tx.run(self._sql.add_operation, values_of(operation) | {"lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS})

    def _finish_operation(
        self,
        tx: Transaction,
        claim: Claim,
        *,
        outcome: str | None,
        code: str | None,
        reply: Mapping[str, str | int | None] | None,
        sends: int,
        next_at: int | None,
    ) -> None:
        values: dict[str, Value] = {
            "operation_id": claim.operation.id,
            "seen_token": claim.token,
            "more_sends": sends,
            "outcome": outcome,
            "code": code,
            "reply": as_json(reply) if reply is not None else None,
            "open_key": None if next_at is None else claim.operation.open_key,
            "next_at": next_at,
            "finished_at": None if next_at is not None else self.now_ms(),
        }
        if tx.run(self._sql.finish_operation, values) != 1:
            raise LostSwapError
