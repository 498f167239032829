"""The journal of an earning's steps: each is written down before it is sent, and every change of a row is a swap."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256

from punktgenau.checkout.actions import Beside
from punktgenau.checkout.database import DuplicateError, Transaction, Value
from punktgenau.checkout.earning.judging import state_before
from punktgenau.checkout.earning.planning import EarnPlans
from punktgenau.checkout.earning.schema import EarningRow, NextStep, StepClaim, StepRow
from punktgenau.checkout.intent import as_json
from punktgenau.checkout.journal import BALANCE_AGED_MS, LEASE_MARGIN_MS, LostSwapError
from punktgenau.checkout.rows import replace, row_of, values_of
from punktgenau.checkout.statements import statements

TAKEN_NAMES = frozenset({"other_content", "reference_reused"})
"""Why an accrual was not made under its name: there is one already, and not what was asked for."""
Change = Callable[[EarningRow], EarningRow]


class EarnJournal(EarnPlans):
    """The earnings of one shop at one provider, with their steps."""

    # Looking

    def claim_check(self, earning_id: str | None = None, *, lease_s: float) -> EarningRow | None:
        """Take over this row, or the one that somebody should look at first; None when nothing is due."""
        with self._database.transaction() as tx:
            if earning_id is None:
                found = tx.one(self._sql.due_checks, {"at": self.now_ms()})
                if found is None:
                    return None
                earning_id = str(found[0])
            values: dict[str, Value] = {"earning_id": earning_id, "lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS}
            if tx.run(self._sql.lease, values) != 1:
                return None
            row = self._one(tx, earning_id)
            return row if row.check_at is not None else None

    def free_check(self, row: EarningRow, *, check_at: int | None) -> None:
        """Give a row back after looking at it; somebody looks again at `check_at`, unless it has changed meanwhile."""
        with self._database.transaction() as tx:
            values: dict[str, Value] = {"seen_token": row.lease_token, "seen_version": row.version}
            tx.run(self._sql.free, {"earning_id": row.id, "check_at": check_at, **values})

    def change(self, seen: EarningRow, changed: EarningRow) -> EarningRow:
        """Change a row that has no open step. Raises LostSwapError."""
        with self._database.transaction() as tx:
            return self._swap(tx, seen, changed)

    # Steps

    def begin(self, seen: EarningRow, planned: NextStep, *, lease_s: float) -> StepClaim:
        """Write the intent of a call, leased to the caller, and move the row to its state. Raises LostSwapError."""
        secret = self._journal._secret()
        ends = self._lease_ends(lease_s)
        try:
            with self._database.transaction() as tx:
                given = int(planned.request["points"]) if planned.kind == "accrue" else seen.given_points
                changed = self._swap(
                    tx,
                    seen,
                    replace(
                        seen,
                        state=planned.state,
                        points_taken=planned.points_taken,
                        given_points=given,
                        reason="",
                        check_at=None,
                    ),
                )
                step = self._new_step(changed, planned, secret=secret)
                tx.run(self._sql.add_step, values_of(step) | {"lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS})
        except DuplicateError as error:
            raise LostSwapError from error
        return StepClaim(step, changed, step.lease_token, ends)

    def claim_step(self, step_id: str | None = None, *, lease_s: float) -> StepClaim | None:
        """Take over this step, or the one that has been due longest; None: none is, or somebody has it."""
        with self._database.transaction() as tx:
            if step_id is None:
                found = tx.one(self._sql.due_steps, {"at": self.now_ms()})
                if found is None:
                    return None
                step_id = str(found[0])
            return self._lease(tx, step_id, lease_s)

    def claim_open(self, earning_id: str, *, lease_s: float) -> StepClaim | None:
        """Take over the open step of an earning; None: there is none, or somebody has it."""
        with self._database.transaction() as tx:
            found = tx.one(self._sql.open_step, {"earning_id": earning_id})
            return None if found is None else self._lease(tx, row_of(StepRow, found).id, lease_s)

    def put_back(self, claim: StepClaim) -> EarningRow:
        """Give a claim up by which no call was made: its step is as it was, and as due."""
        with self._database.transaction() as tx:
            tx.run(self._sql.put_back, {"step_id": claim.operation.id, "seen_token": claim.token})
        return claim.earning

    def finish(
        self,
        claim: StepClaim,
        *,
        change: Change,
        outcome: str | None,
        code: str | None,
        reply: Mapping[str, str | int | None] | None,
        sends: int,
        next_at: int | None,
    ) -> EarningRow:
        """Write the result of a send, fenced by the claim's token; `next_at` given: the step stays open, due then.

        `change` says what the row is by that, from the row as it is by now. Raises LostSwapError when the lease went to
        somebody else meanwhile: their result counts.
        """
        with self._database.transaction() as tx:
            current = self._lock(tx, claim.earning.id)
            values: dict[str, Value] = {
                "step_id": claim.operation.id,
                "seen_token": claim.token,
                "more_sends": sends,
                "outcome": outcome,
                "code": code,
                "reply": as_json(reply) if reply is not None else claim.operation.reply,
                "open_key": None if next_at is None else claim.operation.open_key,
                "next_at": next_at,
                "finished_at": None if next_at is not None else self.now_ms(),
            }
            if tx.run(self._sql.finish_step, values) != 1:
                raise LostSwapError
            changed = change(current)
            if current.check_at is not None:
                # What came back meanwhile, or what else there is to look at, waits for the end of this step.
                changed = replace(changed, check_at=current.check_at if next_at is not None else self.now_ms())
            aged: dict[str, Value] = {"customer_id": current.customer_id, "balance_at": self.now_ms() - BALANCE_AGED_MS}
            tx.run(statements(self._database).age_balance, aged)
            return self._swap(tx, current, changed)

    def is_as_written(self, claim: StepClaim) -> bool:
        """Whether what would be sent now is what was written down before the first byte."""
        step = claim.operation
        made = _fingerprint(claim.earning, step.request, key=self._journal._secret())
        return hmac.compare_digest(step.fingerprint, made)

    def settle(self, row: EarningRow, *, again: bool, beside: Beside, lease_s: float) -> EarningRow:
        """A person decides about an earning that was refused, or of which nobody can tell: once more, or not at all.

        What is open of it is closed, so that nothing of it is sent any more. Raises LostSwapError where it needs no
        person, or somebody is just sending.
        """
        with self._database.transaction() as tx:
            current = self._lock(tx, row.id)
            if current.state not in {"declined", "needs_attention"} or current.reason == "left":
                raise LostSwapError
            found = tx.one(self._sql.open_step, {"earning_id": row.id})
            if found is not None:
                claim = self._lease(tx, row_of(StepRow, found).id, lease_s)
                if claim is None:
                    raise LostSwapError
                closed: dict[str, Value] = {
                    "step_id": claim.operation.id,
                    "seen_token": claim.token,
                    "more_sends": 0,
                    "outcome": "not_done" if again else "unknown",
                    "code": "resolved_by_hand",
                    "reply": claim.operation.reply,
                    "open_key": None,
                    "next_at": None,
                    "finished_at": self.now_ms(),
                }
                tx.run(self._sql.finish_step, closed)
            beside(tx)
            if again:
                changed = replace(current, state=state_before(current), reason="", check_at=self.now_ms())
                if current.reason in TAKEN_NAMES and current.kind == "purchase" and current.accrual_id is None:
                    # By this person's word the one of that name is another's.
                    changed = replace(changed, accrual_reference=f"earn-{self._journal.fresh_id()[:28]}")
            else:
                changed = replace(current, state="declined", reason="left", check_at=None)
            return self._swap(tx, current, changed)

    # Inside

    def _new_step(self, row: EarningRow, planned: NextStep, *, secret: bytes) -> StepRow:
        step_id, now_ms = self._journal.fresh_id(), self.now_ms()
        cause = f"{planned.kind} {row.version}"
        content: dict[str, str | int] = dict(planned.request)
        if planned.kind == "claw_back":
            # From a random id and from how much is taken by then: the provider takes each one once and for ever, so a
            # journal that was restored from an older copy takes nothing twice.
            target = row.points_taken + int(planned.request["points"])
            content["return_reference"] = f"back-{row.id[:16]}-{target}"
        request = as_json(content)
        return StepRow(
            id=step_id,
            earning_id=row.id,
            kind=planned.kind,
            cause=cause,
            key=self._key_of(sha256(f"{step_id}|{cause}".encode()).digest()),
            fingerprint=_fingerprint(row, request, key=secret),
            request=request,
            reply=None,
            outcome=None,
            code=None,
            sends=0,
            passes=0,
            open_key=row.id,
            next_at=now_ms,
            lease_until=0,
            lease_token=1,
            created_at=now_ms,
            finished_at=None,
        )

    def _lease(self, tx: Transaction, step_id: str, lease_s: float) -> StepClaim | None:
        ends = self._lease_ends(lease_s)
        values: dict[str, Value] = {"step_id": step_id, "lease_ms": int(lease_s * 1000) + LEASE_MARGIN_MS}
        if tx.run(self._sql.lease_step, values) != 1:
            return None
        found = tx.one(self._sql.step, values)
        if found is None:
            raise AssertionError("a leased step is gone")
        step = row_of(StepRow, found)
        return StepClaim(step, self._one(tx, step.earning_id), step.lease_token, ends)

    def _lease_ends(self, lease_s: float) -> float:
        # Counted from before the commit, so that it never seems later than the database says.
        return self._clock.monotonic() + lease_s + LEASE_MARGIN_MS / 1000

    def _swap(self, tx: Transaction, seen: EarningRow, changed: EarningRow) -> EarningRow:
        changed = replace(changed, updated_at=self.now_ms(), version=seen.version + 1)
        if tx.run(self._sql.swap, values_of(changed) | {"earning_id": seen.id, "seen_version": seen.version}) != 1:
            raise LostSwapError
        return changed


def _fingerprint(row: EarningRow, request: str, *, key: bytes) -> str:
    """What is about to be sent, as a digest that only this journal can make."""
    sent = (row.member_id, row.order_reference, row.accrual_reference, row.accrual_id or "", request)
    return hmac.new(key, "|".join(sent).encode(), sha256).hexdigest()
