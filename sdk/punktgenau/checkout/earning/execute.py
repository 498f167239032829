"""Carrying out what orders earn: each step once, whatever gets lost; what nobody can tell is left to a person."""

from __future__ import annotations

import json
from functools import partial

from punktgenau._clock import Clock
from punktgenau._redact import logger, short
from punktgenau.checkout.accruing import OtherAccrualError, accruals_of
from punktgenau.checkout.earning.journal import EarnJournal
from punktgenau.checkout.earning.judging import REUSED, TAKEN_ELSEWHERE, UNDONE_CODE, Said, after, judge, judge_found
from punktgenau.checkout.earning.schema import EarningRow, StepClaim
from punktgenau.checkout.earning.welcome import HAD, TRIES_MAX, numbered
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.resolve import (
    SETTLING,
    Verdict,
    judge_settled,
    look_up_by,
    may_send,
    needing_attention,
    next_step,
)
from punktgenau.checkout.rows import replace
from punktgenau.checkout.sending import due_at, wished_wait_ms
from punktgenau.checkout.writing import written
from punktgenau.errors import PunktgenauError, UnavailableError
from punktgenau.provider import AccrualsPort, Provider

CIRCUIT_OPEN = "circuit_open"
_LEAST_S = 0.05


class EarnExecutor:
    """Makes the call of a claimed step and writes down what it proved."""

    def __init__(self, provider: Provider, journal: EarnJournal, *, clock: Clock) -> None:
        self.profile = provider.profile
        self._port = accruals_of(provider)
        self._journal = journal
        self._clock = clock

    def run(self, claim: StepClaim, *, deadline_s: float) -> tuple[EarningRow, PunktgenauError | None]:
        """The row as it stands then, and the error that explains a refusal or an unknown."""
        if claim.ends - self._clock.monotonic() < deadline_s:
            # This process stood still: the lease may end while the call is under way, so somebody else has to make it.
            return claim.earning, None
        ends = self._clock.monotonic() + deadline_s
        step, failure, said = claim.operation, None, None
        age_s = (self._journal.now_ms() - step.created_at) / 1000 + deadline_s
        sends = 0
        if self._port is None:
            verdict = Verdict("unknown", state="needs_attention", code="not_offered")
        elif not may_send(self.profile, "accrue", code=step.code, age_s=age_s, first=claim.is_first):
            verdict = Verdict("unknown", code=step.code)
        elif not claim.is_first and not self._journal.is_as_written(claim):
            verdict = Verdict("unknown", state="needs_attention", code="not_as_written")
        else:
            try:
                said, sends, is_strange = self._send(self._port, claim, deadline_s=deadline_s)
                verdict = Verdict("done", state=said.accrual.state)
                if is_strange:
                    said, verdict = None, Verdict("unknown", code="unexpected_replay")
            except PunktgenauError as error:
                if error.code == CIRCUIT_OPEN and claim.token > 1:
                    return self._journal.put_back(claim), error
                failure, sends = error, error.sends
                verdict = judge(step.kind, error, first=claim.is_first)
        if verdict.outcome == "unknown" and self._port is not None and verdict.code != "not_as_written":
            said, verdict = self._resolved(self._port, claim, verdict, age_s=age_s, ends=ends)
        if verdict.outcome == "not_done" and verdict.state is None and age_s > self.profile.resolution_bound_s:
            verdict = needing_attention(verdict)
        return self._finish(claim, verdict, said, sends=sends, wait_ms=wished_wait_ms(failure)), failure

    def _send(self, port: AccrualsPort, claim: StepClaim, *, deadline_s: float) -> tuple[Said, int, bool]:
        """What is said, how often it was sent, and whether it was somebody else's answer. Raises what the port does."""
        row, step = claim.earning, claim.operation
        request, kind = json.loads(step.request), step.kind
        if kind == "accrue":
            made = port.create(
                member_id=row.member_id,
                points=request["points"],
                order_reference=row.order_reference,
                accrual_reference=row.accrual_reference,
                reason=request["reason"],
                pending_s=request["pending_s"] or None,
                idempotency_key=step.key,
                deadline_s=deadline_s,
            )
            return Said(made), made.sends, claim.is_first and made.replayed and made.sends == 1
        if row.accrual_id is None:
            raise AssertionError(f"{kind} needs an accrual that the provider has confirmed")
        if kind == "post":
            made = port.post(row.accrual_id, idempotency_key=step.key, deadline_s=deadline_s)
            return Said(made), made.sends, False
        taken = port.reverse(
            row.accrual_id,
            points=request["points"],
            return_reference=request["return_reference"],
            reason=request["reason"],
            below_zero=bool(request["below_zero"]),
            idempotency_key=step.key,
            deadline_s=deadline_s,
        )
        return Said(taken.accrual, taken), taken.sends, claim.is_first and taken.replayed and taken.sends == 1

    def _resolved(
        self, port: AccrualsPort, claim: StepClaim, verdict: Verdict, *, age_s: float, ends: float
    ) -> tuple[Said | None, Verdict]:
        """What becomes of an unknown now: looked up where that helps, and left to a person where nothing does."""
        step, profile = claim.operation, self.profile
        way = next_step(profile, "accrue", code=verdict.code, age_s=age_s)
        overdue = age_s > profile.resolution_bound_s
        if overdue or way == "needs_attention":
            verdict = needing_attention(verdict)
        # A refusal that says the provider knows more than we do.
        is_told = verdict.code in {REUSED, "reversal_exceeds_accrual", "accrual_reversed"}
        left = ends - self._clock.monotonic()
        if left <= _LEAST_S or not profile.lookup or not (way == "look_up" or overdue or is_told):
            return None, verdict
        try:
            found = self._found(port, claim, age_s=age_s, deadline_s=left)
        except OtherAccrualError as error:
            return None, needing_attention(Verdict("unknown", code=error.code))
        except PunktgenauError:
            return None, verdict
        if found is None and verdict.code == REUSED and claim.earning.kind == "welcome":
            # Under another order, so by another account or journal of this shop.
            return None, Verdict("not_done", state="declined", code=HAD)
        may_repeat = may_send(profile, "accrue", code=verdict.code, age_s=age_s, first=False)
        # Where only the claw-back itself tells what could not be taken, it is asked for again while its key is known.
        asks_again = step.kind == "claw_back" and may_repeat and verdict.code not in TAKEN_ELSEWHERE | {REUSED}
        tells = found is not None and (not asks_again or found.accrual.not_taken_points is not None)
        if found is not None and tells and (seen := judge_found(claim, found.accrual, heard=verdict)):
            return found, seen
        if may_repeat:
            return None, verdict
        waited = step.code == SETTLING and self._journal.now_ms() >= (step.next_at or 0)
        # As an authorize of which nothing is found: once every send has ended, what does not show has not happened.
        return None, judge_settled(profile, "authorize", None, heard=verdict, age_s=age_s, settled=waited)

    def _found(self, port: AccrualsPort, claim: StepClaim, *, age_s: float, deadline_s: float) -> Said | None:
        """What the provider has of this accrual; None: nothing that could be it. Raises OtherAccrualError."""
        row, step = claim.earning, claim.operation
        if row.accrual_id is not None:
            seen = port.get(row.accrual_id, deadline_s=deadline_s)
            return Said(seen, known_not_taken=self._journal.not_taken(row.id))
        by_key = look_up_by(self.profile, age_s=age_s) == "key"
        if by_key:
            found = port.find(idempotency_key=step.key, deadline_s=deadline_s)
        if not by_key or not found:
            of_order = port.find(order_reference=row.order_reference, deadline_s=deadline_s)
            found = tuple(one for one in of_order if one.accrual_reference == row.accrual_reference)
        for one in found:
            differs = one.differs_from(
                # By its reference it is ours, whichever of our keys it came under. A journal that was restored may ask
                # for fewer than it gave, because it has heard of a return before.
                idempotency_key=None,
                member_id=row.member_id,
                points=row.points if one.points == row.points else json.loads(step.request)["points"],
                order_reference=row.order_reference,
                accrual_reference=row.accrual_reference,
            )
            if differs is not None:
                raise OtherAccrualError("The provider has another accrual than was asked for.")
            return Said(one)
        return None

    def _finish(self, claim: StepClaim, verdict: Verdict, said: Said | None, *, sends: int, wait_ms: int) -> EarningRow:
        step, now_ms = claim.operation, self._journal.now_ms()
        closed = verdict.code == UNDONE_CODE or verdict.state not in (None, "needs_attention")

        def change(row: EarningRow) -> EarningRow:
            changed = after(row, claim, verdict, said, now_ms=now_ms)
            is_free = said is not None and step.kind == "accrue" and changed.state == "reversed"
            if is_free and row.kind == "welcome" and changed.posted_at is None and row.number < TRIES_MAX:
                # Given and taken back before, by a journal of this shop that is lost: the next try is free.
                anew = replace(row, state="planned", given_points=0, points_taken=0, check_at=now_ms)
                return numbered(anew, row.number + 1)
            return changed

        due_ms = max(due_at(claim, verdict, sends, self.profile, now_ms), now_ms + wait_ms)
        unknown = not closed and step.outcome == "unknown"
        write = partial(
            self._journal.finish,
            claim,
            change=change,
            # Unknown stays unknown until there is evidence, whatever a later pass failed to reach.
            outcome="unknown" if unknown else verdict.outcome,
            code=verdict.code,
            reply=None if said is None else said.reply(is_ours=verdict.code not in TAKEN_ELSEWHERE),
            sends=sends,
            next_at=None if closed else due_ms,
        )
        try:
            return written(write, clock=self._clock)
        except LostSwapError:
            return claim.earning
        except UnavailableError:
            logger.error("result of %s %s could not be written; it stays open", step.kind, short(step.key))
            return claim.earning
