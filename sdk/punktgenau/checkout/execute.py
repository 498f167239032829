"""THE executor: claim -> send -> judge the reply -> finish. Used in the request and by the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from punktgenau._clock import Clock
from punktgenau._redact import logger, short
from punktgenau.checkout.accrual_journal import ACCRUE
from punktgenau.checkout.accruing import Accruing
from punktgenau.checkout.attempt import live_key_of, repair_of
from punktgenau.checkout.intent import Claim, NextOperation, giving_up, is_repairable, wished
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.looking import Looker, OtherContentError, is_part_of
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.reached import after_verdict
from punktgenau.checkout.resolve import (
    GIVEN_UP_BY_KEY,
    REFUSED,
    SETTLING,
    Kind,
    Verdict,
    judge_evidence,
    judge_failure,
    judge_refusal,
    judge_reply,
    judge_settled,
    kind_of,
    may_send,
    needing_attention,
    next_step,
    state_of,
)
from punktgenau.checkout.return_journal import is_reversible
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.sending import Reply, due_at, is_booked, moved_after, reply_of, send, wished_wait_ms
from punktgenau.checkout.states import HELD
from punktgenau.checkout.writing import written
from punktgenau.errors import NotSentError, PunktgenauError, UnavailableError
from punktgenau.provider import Provider, Redemption, Reversal

LEAST_S = 0.05
"""With less time than this left no further call is begun."""
CIRCUIT_OPEN = "circuit_open"
"""The code of a call that was not made: nothing was learnt by it, and the next one would not be made either."""
UNWRITTEN = "journal_unavailable"
"""Why nobody knows more of a row: the call was made, and its result could not be written."""
Heard = Callable[[RedemptionRow, RedemptionRow], None]


class Executor:
    """Carries out claimed operations at the provider; `heard(before, after)` is told after each commit."""

    def __init__(self, provider: Provider, journal: OrderJournal, *, clock: Clock, heard: Heard) -> None:
        self._provider = provider
        self.profile = provider.profile
        self.can_look_up = bool(provider.profile.lookup)
        self._journal = journal
        self._clock = clock
        self._heard = heard
        self._looker = Looker(provider, journal)
        self._accruing = Accruing(provider, journal, clock=clock)

    def run(self, claim: Claim, *, deadline_s: float) -> tuple[RedemptionRow, PunktgenauError | None]:
        """Send one claimed operation and write down what it proved, then what its row still wishes.

        Returns the row as it stands, and the error that explains a refusal or an unknown. Never raises for an outcome.
        """
        ends = self._clock.monotonic() + deadline_s
        row, error = self._send_and_finish(claim, deadline_s=deadline_s)
        while (error is None or error.code != CIRCUIT_OPEN) and (left := ends - self._clock.monotonic()) > LEAST_S:
            try:
                follow = self._journal.begun_accrual(claim) or self._follow(row, lease_s=left)
            except LostSwapError:
                return self._journal.redemption(row.id), error
            if follow is None:
                break
            claim = follow
            row, error = self._send_and_finish(claim, deadline_s=left)
        return row, error

    def repair(self, short: RedemptionRow, *, lease_s: float) -> Claim | None:
        """Begin to hold and take the same points anew where their hold is gone, once; None: that was done before.

        Raises LostSwapError.
        """
        if not is_repairable(short):
            return None
        changed = None if short.amended_points is None else self._journal.books(short.id).amendment
        attempt = repair_of(short, changed, row_id=self._journal.fresh_id(), now_ms=self._journal.now_ms())
        return self._journal.begin_attempt(attempt, {"capture": 1}, lease_s=lease_s, instead_of=short)

    def _follow(self, row: RedemptionRow, *, lease_s: float) -> Claim | None:
        """What the row wishes next: given up by its key, released, or repaired."""
        if row.state == "authorizing" and row.reason in GIVEN_UP_BY_KEY:
            # The same call can never be answered otherwise, so only a tombstone proves what became of it.
            planned = self.giving_up(row, cause=row.reason)
            return None if planned is None else self._journal.supersede(row, planned, lease_s=lease_s)
        if row.check_at is not None and (claim := self.next_return(row, lease_s=lease_s)) is not None:
            return claim
        if row.state == "partially_captured" and (shipped := self.next_shipment(row, lease_s=lease_s)) is not None:
            return shipped
        if (planned := wished(row)) is not None:
            return self._journal.begin_operation(row, planned, lease_s=lease_s)
        return self.repair(row, lease_s=lease_s)

    def next_return(self, row: RedemptionRow, *, lease_s: float) -> Claim | None:
        """Begin the return that has waited longest for its turn, if one does. Raises LostSwapError."""
        return self._journal.begin_return(row, lease_s=lease_s) if is_reversible(row) else None

    def next_shipment(self, row: RedemptionRow, *, lease_s: float) -> Claim | None:
        """Begin the shipment that has waited longest for its turn, if one does. Raises LostSwapError."""
        return self._journal.begin_shipment(row, lease_s=lease_s) if row.state in HELD else None

    def giving_up(self, row: RedemptionRow, *, cause: str) -> NextOperation | None:
        """How an attempt is given up at this provider; None: no way, but to go on asking what became of it."""
        return giving_up(self.profile, row, cause=cause, age_s=self._looker.age_s(row))

    def look_up(self, row: RedemptionRow, *, deadline_s: float) -> Redemption | None:
        """The provider's evidence for a row, or None where it knows nothing of it.

        Raises NotSentError or UnavailableError when there is no answer, and what `Looker.look_up` raises besides.
        """
        return self._looker.look_up(row, deadline_s=deadline_s)

    def fall_short(self, row: RedemptionRow) -> RedemptionRow:
        """The hold has ended and its order is paid: a shortfall, which has to be seen. Raises LostSwapError."""
        short = replace(row, state="short", reason=f"hold_{row.state}", live_key=live_key_of(row), check_at=None)
        if is_repairable(short):
            # Whoever dies before the repair begins leaves it to recovery.
            short = replace(short, check_at=self._journal.now_ms())
        changed = self._journal.change(row, short)
        self._heard(row, changed)
        return changed

    def note_evidence(self, row: RedemptionRow, evidence: Redemption) -> RedemptionRow:
        """Write down what a look-up shows of a row without an open operation; changes nothing where nothing changed."""
        state = "voided" if state_of(evidence) == "abandoned" else state_of(evidence)
        now_ms = self._journal.now_ms()
        after = replace(after_verdict(row, Verdict("done", state=state), evidence, now_ms=now_ms), reason="looked_up")
        moved = (after.captured_points, after.reversed_points, after.vouchers_back_minor)
        shown = "short" if after.state == "short" else state
        if (shown, *moved) == (row.state, row.captured_points, row.reversed_points, row.vouchers_back_minor):
            return row
        changed = self._journal.change(row, replace(after, check_at=now_ms if wished(after) else after.check_at))
        self._heard(row, changed)
        return changed

    def _send_and_finish(self, claim: Claim, *, deadline_s: float) -> tuple[RedemptionRow, PunktgenauError | None]:
        operation, row = claim.operation, claim.redemption
        if claim.ends - self._clock.monotonic() < deadline_s:
            # This process stood still: the lease may end while the call is under way, so somebody else has to make it.
            return self._journal.redemption(row.id), None
        if operation.kind == ACCRUE:
            return self._accruing.run(claim, deadline_s=deadline_s)
        ends = self._clock.monotonic() + deadline_s
        kind, first = kind_of(operation.kind), claim.is_first
        evidence: Redemption | None = None
        given_back: Reversal | None = None
        failure: PunktgenauError | None = None
        # Of a cancel-by-key it counts how long the key is remembered that is given up.
        age_s = self._looker.age_s(row if kind == "cancel_by_key" else operation) + deadline_s
        if not may_send(self.profile, kind, code=operation.code, age_s=age_s, first=first):
            unsent = Verdict("unknown", code=operation.code)
            try:
                evidence, verdict = self._resolved(claim, kind, unsent, age_s=age_s, ends=ends, sent=False)
            except PunktgenauError as error:
                return self._journal.put_back(claim), error
            return self._finish(claim, kind, verdict, evidence, reply_of(evidence, None), sends=0), None
        if not self._journal.is_as_written(operation, row):
            # Under a key that the provider knows with other content no answer would prove anything.
            verdict = Verdict("unknown", state="needs_attention", code="not_as_written")
            return self._finish(claim, kind, verdict, None, None, sends=0), None
        try:
            evidence, given_back = send(self._provider, kind, claim, deadline_s=deadline_s)
            mismatch = self._looker.mismatch(kind, row, evidence)
            verdict = judge_reply(kind, evidence, first=first, mismatch=mismatch)
        except PunktgenauError as error:
            if error.code == CIRCUIT_OPEN and claim.token > 1:
                return self._journal.put_back(claim), error
            failure, verdict = error, judge_failure(self.profile, kind, error, first=first)
            if row.cause == "shortfall" and isinstance(error, NotSentError):
                # The order is paid: a provider that is away is no refusal, and the repair stays due.
                verdict = Verdict("not_done", code=error.code)
            if verdict.state == REFUSED and not operation.cause.startswith("return"):
                # All was to go back, and nobody else would notice that it does not.
                verdict = needing_attention(Verdict("unknown", code=error.code))
        if verdict == Verdict("not_done", code=verdict.code) and age_s > self.profile.resolution_bound_s:
            # Refused, or away, for so long: a person has to know, and the provider is asked all the same.
            verdict = needing_attention(verdict)
        sends = evidence.sends if evidence is not None else failure.sends if failure is not None else 0
        if verdict.outcome == "unknown":
            evidence, verdict = self._resolved(claim, kind, verdict, age_s=age_s, ends=ends)
        named = failure.redemption_id if failure is not None and verdict.state == "captured" else None
        reply, wait_ms = reply_of(evidence, given_back), wished_wait_ms(failure)
        row = self._finish(claim, kind, verdict, evidence, reply, sends=sends, named=named, wait_ms=wait_ms)
        return row, failure

    def _resolved(
        self, claim: Claim, kind: Kind, verdict: Verdict, *, age_s: float, ends: float, sent: bool = True
    ) -> tuple[Redemption | None, Verdict]:
        """What becomes of an unknown now: looked up where that helps, and left to a person where nothing does.

        Raises PunktgenauError (`circuit_open`) where nothing was `sent` and nothing can be asked.
        """
        operation, profile = claim.operation, self.profile
        step = next_step(profile, kind, code=verdict.code, age_s=age_s)
        in_parts = claim.redemption.captured_points > 0
        if not profile.lookup and (told := judge_refusal(kind, verdict, in_parts=in_parts)).outcome != "unknown":
            return None, told
        if step == "repeat" and operation.passes == 0:
            # In the request that placed it: the customer is told and chooses; recovery asks.
            return None, verdict
        overdue = age_s > profile.resolution_bound_s
        if step == "cancel_by_key":
            verdict = Verdict("unknown", code="key_spent")
        elif overdue or step == "needs_attention":
            # A person may be needed, but the provider is asked all the same, now and from time to time.
            verdict = needing_attention(verdict)
        left = ends - self._clock.monotonic()
        if left <= LEAST_S or not profile.lookup or not (step == "look_up" or overdue):
            return None, verdict
        try:
            evidence = self.look_up(claim.redemption, deadline_s=left)
        except OtherContentError as error:
            return None, needing_attention(Verdict("unknown", code=error.code)) if operation.passes else verdict
        except PunktgenauError as error:
            if error.code == CIRCUIT_OPEN and not sent:
                raise
            return None, verdict
        if evidence is not None and is_booked(claim, verdict, evidence):
            return evidence, Verdict("done", state=state_of(evidence), code=verdict.code)
        if not may_send(profile, kind, code=verdict.code, age_s=age_s, first=False):
            return self._settled(claim, kind, evidence, verdict)
        if evidence is None:
            return None, verdict
        if kind == "authorize" and is_part_of(claim.redemption, evidence):
            return None, Verdict("unknown", code="held_in_part")
        seen = judge_evidence(kind, evidence, moved=moved_after(claim))
        if seen.outcome == "unknown" and verdict.code == "reversal_exceeds_capture":
            # Refused, and not what an earlier call of ours did: somebody else gave these points back.
            return evidence, Verdict("not_done", state=state_of(evidence), code=verdict.code)
        return evidence, seen if seen.outcome != "unknown" else verdict

    def _settled(
        self, claim: Claim, kind: Kind, evidence: Redemption | None, heard: Verdict
    ) -> tuple[Redemption | None, Verdict]:
        """What a look-up proves of an operation that nothing is sent for any more."""
        operation, row, profile = claim.operation, claim.redemption, self.profile
        if evidence is not None and kind == "authorize" and is_part_of(row, evidence):
            return None, Verdict("unknown", code="held_in_part")
        if evidence is not None:
            seen = judge_evidence(kind, evidence, moved=moved_after(claim))
            if seen.outcome != "unknown":
                return evidence, seen
        waited = operation.code == SETTLING and self._journal.now_ms() >= (operation.next_at or 0)
        age_s = self._looker.age_s(row)
        return evidence, judge_settled(profile, kind, evidence, heard=heard, age_s=age_s, settled=waited)

    def _finish(
        self,
        claim: Claim,
        kind: Kind,
        verdict: Verdict,
        evidence: Redemption | None,
        reply: Reply,
        *,
        sends: int,
        named: str | None = None,
        wait_ms: int = 0,
    ) -> RedemptionRow:
        before, now_ms = claim.redemption, self._journal.now_ms()
        after = after_verdict(before, verdict, evidence, now_ms=now_ms, request=claim.operation.request)
        if named is not None and after.provider_id is None:
            # A refusal that names it, where nothing can be looked up.
            after = replace(after, provider_id=named)
        closed = verdict.state not in (None, "needs_attention")
        write = partial(
            self._journal.finish,
            claim,
            after,
            # Unknown stays unknown until there is evidence, whatever a later pass failed to reach.
            outcome="unknown" if not closed and claim.operation.outcome == "unknown" else verdict.outcome,
            code=verdict.code,
            reply=reply,
            sends=sends,
            next_at=None if closed else max(due_at(claim, verdict, sends, self.profile, now_ms), now_ms + wait_ms),
        )
        try:
            row = written(write, clock=self._clock)
        except LostSwapError:
            return self._journal.redemption(before.id)
        except UnavailableError:
            # The call was made and its result could not be written: the intent stands, so recovery will ask again.
            logger.error("result of %s %s could not be written; it stays open", kind, short(claim.operation.key))
            return replace(before, reason=UNWRITTEN)
        self._heard(before, row)
        return row
