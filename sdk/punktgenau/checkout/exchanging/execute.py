"""Carrying out an exchange: the points become something else once, whatever gets lost; what nobody can tell is left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from punktgenau._clock import Clock
from punktgenau._redact import logger, short
from punktgenau.checkout.exchanging.journal import ExchangeJournal
from punktgenau.checkout.exchanging.schema import ExchangeClaim, ExchangeRow
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.resolve import (
    REFUSED,
    SETTLING,
    Verdict,
    judge_error,
    judge_settled,
    look_up_by,
    may_send,
    needing_attention,
    next_step,
)
from punktgenau.checkout.rows import replace as changed_row
from punktgenau.checkout.sending import due_at, wished_wait_ms
from punktgenau.checkout.writing import written
from punktgenau.errors import NotFoundError, PunktgenauError, UnavailableError
from punktgenau.provider import Provider
from punktgenau.voucher_ports import PayoutsPort, PayoutsProvider, VouchersPort, VouchersProvider
from punktgenau.voucher_records import Voucher

if TYPE_CHECKING:
    from punktgenau.payout_records import Payout

CIRCUIT_OPEN = "circuit_open"
ASK_PAYOUT_MS = 86_400_000
"""How often a payout is asked for that nobody tells about."""
_LEAST_S = 0.05
_REUSED = "reference_reused"


class OtherExchangeError(PunktgenauError):
    """Something is there under our reference, and it is not what was asked for."""

    default_code = "other_content"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a call came to: the row, why it failed, and of a voucher that was just bought its code, once."""

    row: ExchangeRow
    error: PunktgenauError | None = None
    code: str | None = field(default=None, repr=False)


def vouchers_of(provider: Provider) -> VouchersPort | None:
    """The provider's vouchers; None: there are none."""
    return provider.vouchers if provider.profile.vouchers and isinstance(provider, VouchersProvider) else None


def payouts_of(provider: Provider) -> PayoutsPort | None:
    """The provider's payouts; None: there are none."""
    return provider.payouts if provider.profile.payouts and isinstance(provider, PayoutsProvider) else None


class ExchangeExecutor:
    """Makes the call of a claimed exchange and writes down what it proved."""

    def __init__(self, provider: Provider, journal: ExchangeJournal, *, clock: Clock) -> None:
        self.profile = provider.profile
        self.vouchers, self.payouts = vouchers_of(provider), payouts_of(provider)
        self._journal = journal
        self._clock = clock

    def run(self, claim: ExchangeClaim, *, deadline_s: float) -> Heard:
        """The row as it stands then; never raises for an outcome."""
        row = claim.operation
        if claim.ends - self._clock.monotonic() < deadline_s:
            # This process stood still: the lease may end while the call is under way, so somebody else has to make it.
            return Heard(row)
        if row.state == "requested":
            return self._ask(claim, deadline_s=deadline_s)
        ends = self._clock.monotonic() + deadline_s
        made: Voucher | Payout | None = None
        failure: PunktgenauError | None = None
        age_s = (self._journal.now_ms() - row.created_at) / 1000 + deadline_s
        if (self.vouchers if row.kind == "voucher" else self.payouts) is None:
            verdict = Verdict("unknown", state="needs_attention", code="not_offered")
        elif not may_send(self.profile, "accrue", code=row.code, age_s=age_s, first=claim.is_first):
            verdict = Verdict("unknown", code=row.code)
        elif not claim.is_first and not self._journal.is_as_written(row):
            verdict = Verdict("unknown", state="needs_attention", code="not_as_written")
        else:
            try:
                made = self._send(row, deadline_s=deadline_s)
                verdict = Verdict("done", state=made.state)
                if claim.is_first and made.replayed and made.sends == 1:
                    made, verdict = None, Verdict("unknown", code="unexpected_replay")
            except PunktgenauError as error:
                if error.code == CIRCUIT_OPEN and claim.token > 1:
                    return Heard(self._journal.put_back(claim), error)
                failure, verdict = error, _judged(error, first=claim.is_first)
        sends = made.sends if made is not None else failure.sends if failure is not None else 0
        if verdict.outcome == "unknown" and verdict.code not in {"not_as_written", "not_offered"}:
            made, verdict = self._resolved(claim, verdict, age_s=age_s, ends=ends)
        if verdict.outcome == "not_done" and verdict.state is None and age_s > self.profile.resolution_bound_s:
            verdict = needing_attention(verdict)
        done = self._finish(claim, verdict, made, sends=sends, wait_ms=wished_wait_ms(failure))
        return Heard(done, failure, code=getattr(made, "code", None))

    def code_again(self, row: ExchangeRow, *, deadline_s: float) -> str | None:
        """The code of a voucher whose form is sent again, where its key is remembered; None: it is told no more."""
        age_s = (self._journal.now_ms() - row.created_at) / 1000 + deadline_s
        if self.vouchers is None or not self.profile.remembers(age_s) or not self._journal.is_as_written(row):
            return None
        try:
            made = self._send(row, deadline_s=deadline_s)
        except PunktgenauError as error:
            logger.info("the code of %s is not told again: %s", short(row.reference), error.code)
            return None
        return getattr(made, "code", None)

    def _send(self, row: ExchangeRow, *, deadline_s: float) -> Voucher | Payout:
        """What the provider has made of it. Raises what the port does."""
        if row.kind == "voucher" and self.vouchers is not None:
            return self.vouchers.buy(
                member_id=row.member_id,
                voucher_product_id=str(row.product_id),
                voucher_reference=row.reference,
                idempotency_key=row.key,
                deadline_s=deadline_s,
            )
        if self.payouts is None:
            raise AssertionError(f"{row.kind} is nothing that this provider offers")
        return self.payouts.request(
            member_id=row.member_id,
            points=row.points,
            payout_reference=row.reference,
            idempotency_key=row.key,
            deadline_s=deadline_s,
        )

    def _ask(self, claim: ExchangeClaim, *, deadline_s: float) -> Heard:
        """What became of a payout."""
        row, found, failure = claim.operation, None, None
        try:
            if self.payouts is not None and row.provider_id is not None:
                found = self.payouts.get(row.provider_id, deadline_s=deadline_s)
        except PunktgenauError as error:
            if error.code == CIRCUIT_OPEN:
                return Heard(self._journal.put_back(claim), error)
            failure = error
        return Heard(self._finish(claim, Verdict("done", state=row.state), found, sends=0, wait_ms=0), failure)

    def _resolved(
        self, claim: ExchangeClaim, verdict: Verdict, *, age_s: float, ends: float
    ) -> tuple[Voucher | Payout | None, Verdict]:
        """What becomes of an unknown now: looked up where that helps, and left to a person where nothing does."""
        row, profile = claim.operation, self.profile
        way = next_step(profile, "accrue", code=verdict.code, age_s=age_s)
        overdue = age_s > profile.resolution_bound_s
        if overdue or way == "needs_attention":
            verdict = needing_attention(verdict)
        left = ends - self._clock.monotonic()
        if left <= _LEAST_S or not profile.lookup or not (way == "look_up" or overdue or verdict.code == _REUSED):
            return None, verdict
        try:
            found = self._found(row, age_s=age_s, deadline_s=left)
        except OtherExchangeError as error:
            return None, needing_attention(Verdict("unknown", code=error.code))
        except PunktgenauError:
            return None, verdict
        if found is not None:
            return found, Verdict("done", state=found.state)
        if may_send(profile, "accrue", code=verdict.code, age_s=age_s, first=False):
            return None, verdict
        waited = row.code == SETTLING and self._journal.now_ms() >= (row.next_at or 0)
        # As an authorize of which nothing is found: once every send has ended, what does not show has not happened.
        return None, judge_settled(profile, "authorize", None, heard=verdict, age_s=age_s, settled=waited)

    def _found(self, row: ExchangeRow, *, age_s: float, deadline_s: float) -> Voucher | Payout | None:
        """What the provider has of it; None: nothing. Raises OtherExchangeError."""
        by_key = look_up_by(self.profile, age_s=age_s) == "key"
        key = row.key if by_key else None
        if row.kind == "voucher":
            if self.vouchers is None:
                return None
            name = None if by_key else row.reference
            for voucher in self.vouchers.find(voucher_reference=name, idempotency_key=key, deadline_s=deadline_s):
                if (voucher.voucher_reference, voucher.voucher_product_id) != (row.reference, row.product_id):
                    raise OtherExchangeError("The provider has another voucher than was asked for.")
                return voucher
            return None
        if self.payouts is None:
            return None
        name = None if by_key else row.reference
        for payout in self.payouts.find(payout_reference=name, idempotency_key=key, deadline_s=deadline_s):
            if (payout.payout_reference, payout.points) != (row.reference, row.points):
                raise OtherExchangeError("The provider has another payout than was asked for.")
            return payout
        return None

    def _finish(
        self, claim: ExchangeClaim, verdict: Verdict, made: Voucher | Payout | None, *, sends: int, wait_ms: int
    ) -> ExchangeRow:
        row, now_ms = claim.operation, self._journal.now_ms()
        closed = verdict.state not in (None, "needs_attention")
        due_ms: int | None = max(due_at(claim, verdict, sends, self.profile, now_ms), now_ms + wait_ms)
        changed = changed_row(
            row,
            # Unknown stays unknown until there is evidence, whatever a later pass failed to reach.
            outcome="unknown" if not closed and row.outcome == "unknown" else verdict.outcome,
            code=verdict.code,
            state=_state_of(row, verdict, made),
        )
        if made is not None:
            hint = made.last_four if isinstance(made, Voucher) else made.account_hint
            changed = changed_row(
                changed,
                points=made.points,
                provider_id=made.id,
                value_minor=made.value.amount_minor,
                currency=made.value.currency,
                hint=hint,
                reason=(getattr(made, "reason", None) or "")[:200],
            )
        if closed:
            due_ms = now_ms + ASK_PAYOUT_MS if changed.state == "requested" else None
        changed = changed_row(changed, next_at=due_ms)
        try:
            return written(lambda: self._journal.finish(claim, changed, sends=sends), clock=self._clock)
        except LostSwapError:
            return claim.operation
        except UnavailableError:
            logger.error("result of %s %s could not be written; it stays open", row.kind, short(row.key))
            return claim.operation


def _judged(error: PunktgenauError, *, first: bool) -> Verdict:
    """A call that raised. `not_done` without a state means: this call did nothing, and it is made again."""
    if isinstance(error, NotFoundError) and first:
        return Verdict("not_done", state="declined", code=error.code)
    if error.code == _REUSED:
        return Verdict("unknown", code=error.code)
    verdict = judge_error("reverse", error, first=first)
    # A refusal for good: no points have left.
    return replace(verdict, state="declined") if verdict.state == REFUSED else verdict


def _state_of(row: ExchangeRow, verdict: Verdict, made: Voucher | Payout | None) -> str:
    if verdict.outcome == "done":
        return "done" if row.kind == "voucher" else row.state if made is None else made.state
    if verdict.state == "needs_attention":
        return "needs_attention"
    return "declined" if verdict.state is not None else "sending"
