"""Carrying out accruals: points are given once, whatever gets lost; what nobody can tell is left to a person."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from punktgenau._clock import Clock
from punktgenau._redact import logger, short
from punktgenau.checkout.accrual_journal import AccrualState
from punktgenau.checkout.intent import Claim
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.order_journal import OrderJournal
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
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.sending import due_at, wished_wait_ms
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.writing import written
from punktgenau.errors import (
    ConfigurationError,
    NotFoundError,
    PunktgenauError,
    UnavailableError,
)
from punktgenau.provider import AccrualsPort, AccrualsProvider, Provider

if TYPE_CHECKING:
    from punktgenau.accrual_records import Accrual

_CIRCUIT_OPEN = "circuit_open"
_LEAST_S = 0.05
_STATES: dict[str | None, AccrualState] = {
    "posted": "posted",
    "declined": "declined",
    "needs_attention": "needs_attention",
}


class OtherAccrualError(PunktgenauError):
    """Something is there under our key or reference, and it is not what was asked for."""

    default_code = "other_content"


def accruals_of(provider: Provider) -> AccrualsPort | None:
    """Where a provider lets partners give points; None: it does not."""
    return provider.accruals if provider.profile.accrues and isinstance(provider, AccrualsProvider) else None


def require_accruals(provider: Provider, settings: Settings) -> None:
    """Raise ConfigurationError where earning, or the rule about expired points, needs what the provider does not do."""
    if settings.earns and accruals_of(provider) is None:
        field = "earn_points" if settings.earn_points is not None else "welcome_points"
        raise ConfigurationError(
            f"{field} cannot be set: at the provider {provider.profile.name!r} a shop cannot give points.", field=field
        )
    if settings.expired_points == "new_points" and accruals_of(provider) is None:
        raise ConfigurationError(
            f"expired_points cannot be new_points: at the provider {provider.profile.name!r} a shop cannot give "
            "points. Use money or tell.",
            field="expired_points",
        )


class Accruing:
    """Makes the call of a claimed accrual and writes down what it proved."""

    def __init__(self, provider: Provider, journal: OrderJournal, *, clock: Clock) -> None:
        self._provider, self._profile = provider, provider.profile
        self._journal = journal
        self._clock = clock

    def run(self, claim: Claim, *, deadline_s: float) -> tuple[RedemptionRow, PunktgenauError | None]:
        """The redemption's row as it stands then, and the error that explains a refusal or an unknown."""
        ends = self._clock.monotonic() + deadline_s
        operation, first, failure = claim.operation, claim.is_first, None
        age_s = (self._journal.now_ms() - operation.created_at) / 1000 + deadline_s
        made: Accrual | None = None
        sends = 0
        port = accruals_of(self._provider)
        if port is None:
            verdict = Verdict("unknown", state="needs_attention", code="not_offered")
        elif not may_send(self._profile, "accrue", code=operation.code, age_s=age_s, first=first):
            verdict = Verdict("unknown", code=operation.code)
        elif not first and not self._journal.is_as_written(operation, claim.redemption):
            verdict = Verdict("unknown", state="needs_attention", code="not_as_written")
        else:
            try:
                made = self._send(port, claim, deadline_s=deadline_s)
                sends = made.sends
                verdict = Verdict("done", state="posted")
                if first and made.replayed and made.sends == 1:
                    verdict = Verdict("unknown", code="unexpected_replay")
            except PunktgenauError as error:
                if error.code == _CIRCUIT_OPEN and claim.token > 1:
                    return self._journal.put_back(claim), error
                failure, sends, verdict = error, error.sends, judge(error, first=first)
        if verdict.outcome == "unknown" and port is not None and verdict.code != "not_as_written":
            made, verdict = self._resolved(port, claim, verdict, age_s=age_s, ends=ends)
        if verdict.outcome == "not_done" and verdict.state is None and age_s > self._profile.resolution_bound_s:
            verdict = needing_attention(verdict)
        return self._finish(claim, verdict, made, sends=sends, wait_ms=wished_wait_ms(failure)), failure

    def _send(self, port: AccrualsPort, claim: Claim, *, deadline_s: float) -> Accrual:
        row, request = claim.redemption, json.loads(claim.operation.request)
        return port.create(
            member_id=row.member_id,
            points=request["points"],
            order_reference=row.order_reference,
            accrual_reference=request["accrual_reference"],
            reason=request["reason"],
            idempotency_key=claim.operation.key,
            deadline_s=deadline_s,
        )

    def _resolved(
        self, port: AccrualsPort, claim: Claim, verdict: Verdict, *, age_s: float, ends: float
    ) -> tuple[Accrual | None, Verdict]:
        """What becomes of an unknown now: looked up where that helps, and left to a person where nothing does."""
        step = next_step(self._profile, "accrue", code=verdict.code, age_s=age_s)
        overdue = age_s > self._profile.resolution_bound_s
        if overdue or step == "needs_attention":
            verdict = needing_attention(verdict)
        left = ends - self._clock.monotonic()
        if left <= _LEAST_S or not self._profile.lookup or not (step == "look_up" or overdue):
            return None, verdict
        try:
            found = self._found(port, claim, age_s=age_s, deadline_s=left)
        except OtherAccrualError as error:
            return None, needing_attention(Verdict("unknown", code=error.code))
        except PunktgenauError:
            return None, verdict
        if found is not None:
            return found, Verdict("done", state="posted")
        if may_send(self._profile, "accrue", code=verdict.code, age_s=age_s, first=False):
            return None, verdict
        operation = claim.operation
        waited = operation.code == SETTLING and self._journal.now_ms() >= (operation.next_at or 0)
        # As an authorize of which nothing is found: once every send has ended, what does not show has not happened.
        return None, judge_settled(self._profile, "authorize", None, heard=verdict, age_s=age_s, settled=waited)

    def _found(self, port: AccrualsPort, claim: Claim, *, age_s: float, deadline_s: float) -> Accrual | None:
        """What the provider has of this accrual; None: nothing that could be it. Raises OtherAccrualError."""
        row, operation = claim.redemption, claim.operation
        request = json.loads(operation.request)
        if look_up_by(self._profile, age_s=age_s) == "key":
            found = port.find(idempotency_key=operation.key, deadline_s=deadline_s)
        else:
            of_order = port.find(order_reference=row.order_reference, deadline_s=deadline_s)
            found = tuple(one for one in of_order if one.accrual_reference == request["accrual_reference"])
        for one in found:
            differs = one.differs_from(
                # By its reference it is ours, whichever of our keys it came under.
                idempotency_key=None,
                member_id=row.member_id,
                points=request["points"],
                order_reference=row.order_reference,
                accrual_reference=request["accrual_reference"],
            )
            if differs is not None or one.state == "reversed":
                raise OtherAccrualError("The provider has another accrual than was asked for.")
            return one
        return None

    def _finish(
        self, claim: Claim, verdict: Verdict, made: Accrual | None, *, sends: int, wait_ms: int
    ) -> RedemptionRow:
        operation, now_ms = claim.operation, self._journal.now_ms()
        undone = verdict.code == "never_arrived"
        closed = undone or verdict.state in ("posted", "declined")
        state = "accruing" if undone else _STATES.get(verdict.state, "accruing")
        unknown = not closed and operation.outcome == "unknown"
        write = partial(
            self._journal.finish_accrual,
            claim,
            state=state,
            # Unknown stays unknown until there is evidence, whatever a later pass failed to reach.
            outcome="unknown" if unknown else verdict.outcome,
            code=verdict.code,
            reply=_reply(made),
            sends=sends,
            next_at=None if closed else max(due_at(claim, verdict, sends, self._profile, now_ms), now_ms + wait_ms),
            again=undone,
        )
        try:
            return written(write, clock=self._clock)
        except LostSwapError:
            return self._journal.redemption(operation.redemption_id)
        except UnavailableError:
            logger.error("result of accrue %s could not be written; it stays open", short(operation.key))
            return claim.redemption


def judge(error: PunktgenauError, *, first: bool) -> Verdict:
    """A call that raised, as one that gives points back would be judged. `first`: no earlier pass may have arrived.

    `not_done` without a state means: this call did nothing, and it is made again.
    """
    if isinstance(error, NotFoundError):
        # A member whom nobody knows any more; where it comes before the key is looked at, it says no more than that.
        unknown = needing_attention(Verdict("unknown", code=error.code))
        return Verdict("not_done", state="declined", code=error.code) if first else unknown
    verdict = judge_error("reverse", error, first=first)
    return replace(verdict, state="declined") if verdict.state == REFUSED else verdict


def _reply(made: Accrual | None) -> dict[str, str | int | None] | None:
    """The fields of a reply that the journal keeps."""
    if made is None:
        return None
    return {"id": made.id, "state": made.state, "points": made.points, "value_minor": made.value.amount_minor}
