"""Recovery of what orders earn: steps that are open or due, and earnings that somebody should look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from punktgenau._clock import Clock
from punktgenau._redact import logger, short
from punktgenau.checkout.cart import Order
from punktgenau.checkout.defects import DEFECT
from punktgenau.checkout.earning.execute import CIRCUIT_OPEN, EarnExecutor
from punktgenau.checkout.earning.journal import EarnJournal
from punktgenau.checkout.earning.looking import LOOK_AGAIN_MS, UNDER_WAY, Looking
from punktgenau.checkout.earning.schema import EarningRow, StepClaim
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.recovery import BATCH, Recovery
from punktgenau.checkout.resolve import back_off_s
from punktgenau.checkout.rows import replace
from punktgenau.errors import PunktgenauError, UnavailableError


class EarnRecovery:
    """Finishes what is open, and looks at what is due; any number of processes may do so at once."""

    def __init__(
        self,
        journal: EarnJournal,
        executor: EarnExecutor,
        looking: Looking,
        *,
        loader: Callable[[], Callable[[str], Order | None] | None],
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._executor = executor
        self._looking = looking
        self._loader = loader
        self._clock = clock

    def recover(
        self,
        report: Recovery,
        *,
        deadline_s: float,
        due_only: bool,
        stop: Callable[[], bool],
        progress: Callable[[Recovery], None],
    ) -> None:
        """Take each open step and each row once; with `due_only` until nothing is due. Counts into `report`."""
        pause_s = 0.0 if self._executor.profile.calls_per_s is None else 1 / self._executor.profile.calls_per_s
        for taken in self._work(lease_s=deadline_s, due_only=due_only, stop=stop):
            row, error, called = self._do(taken, deadline_s)
            _note(report, taken.earning if isinstance(taken, StepClaim) else taken, row)
            progress(report)
            if error is not None and error.code == CIRCUIT_OPEN:
                # Nor would any other call be made; what is due stays due.
                break
            if pause_s and called:
                self._clock.sleep(pause_s)
        report.needs_attention += self._journal.attention()

    def ways(self, *, deadline_s: float) -> tuple[tuple[int | None, Callable[[], bool]], ...]:
        """What is due here, since when, for whoever does the one thing that has waited longest."""

        def step() -> bool:
            return self._one(self._journal.claim_step(lease_s=deadline_s), deadline_s)

        def check() -> bool:
            return self._one(self._journal.claim_check(lease_s=deadline_s), deadline_s)

        since_step, since_check = self._journal.due_since(at=self._journal.now_ms())
        return (since_step, step), (since_check, check)

    def carry_out(self, taken: StepClaim | EarningRow, *, deadline_s: float) -> EarningRow:
        """Do at once what was taken, for a person who asks for it; the row as it stands then."""
        return self._do(taken, deadline_s)[0]

    def _one(self, taken: StepClaim | EarningRow | None, deadline_s: float) -> bool:
        if taken is None:
            return False
        error = self._do(taken, deadline_s)[1]
        return error is None or error.code != CIRCUIT_OPEN

    def _work(self, *, lease_s: float, due_only: bool, stop: Callable[[], bool]) -> Iterator[StepClaim | EarningRow]:
        """What is to be done, claimed as it is asked for; what a step has made necessary in the same round."""
        if due_only:
            while not stop() and (claim := self._journal.claim_step(lease_s=lease_s)) is not None:
                yield claim
            while not stop() and (row := self._journal.claim_check(lease_s=lease_s)) is not None:
                yield row
            return
        for step_id in self._journal.waiting_steps(most=BATCH):
            if stop():
                return
            if (claim := self._journal.claim_step(step_id, lease_s=lease_s)) is not None:
                yield claim
        for earning_id in self._journal.waiting_checks(most=BATCH):
            if stop():
                return
            if (row := self._journal.claim_check(earning_id, lease_s=lease_s)) is not None:
                yield row

    def _do(self, taken: StepClaim | EarningRow, deadline_s: float) -> tuple[EarningRow, PunktgenauError | None, bool]:
        """The row as it stands then, why a call failed, and whether anything was done."""
        error: PunktgenauError | None = None
        seen = row = taken.earning if isinstance(taken, StepClaim) else taken
        with self._alone(taken):
            if isinstance(taken, StepClaim):
                row, error = self._executor.run(taken, deadline_s=deadline_s)
            else:
                row, error = self._looking.look_at(taken, order_loader=self._loader(), deadline_s=deadline_s)
        return row, error, isinstance(taken, StepClaim) or row.version != seen.version

    @contextmanager
    def _alone(self, taken: StepClaim | EarningRow) -> Iterator[None]:
        """Do something with what was taken; what that raises is told, and the thing is due again later.

        Raises UnavailableError: a journal that is away is away for all.
        """
        try:
            yield
        except UnavailableError:
            raise
        except Exception:  # an adapter's or a journal row's defect
            about = taken.earning if isinstance(taken, StepClaim) else taken
            logger.exception("what order %s earns could not be carried out", short(about.order_reference))
            with suppress(LostSwapError):
                self._put_off(taken)

    def _put_off(self, taken: StepClaim | EarningRow) -> None:
        now_ms = self._journal.now_ms()
        if isinstance(taken, EarningRow):
            self._journal.free_check(taken, check_at=now_ms + LOOK_AGAIN_MS)
            return
        step = taken.operation
        is_late = now_ms - step.created_at > self._executor.profile.resolution_bound_s * 1000

        def change(row: EarningRow) -> EarningRow:
            return replace(row, state="needs_attention", reason=DEFECT) if is_late else row

        self._journal.finish(
            taken,
            change=change,
            # Nobody knows how far it came.
            outcome="unknown",
            code=step.code,
            reply=None,
            sends=1,
            next_at=now_ms + back_off_s(step.passes) * 1000,
        )


def _note(report: Recovery, seen: EarningRow, row: EarningRow) -> None:
    """Count what became of an earning."""
    if row.state in UNDER_WAY:
        report.still_open += row.state != "needs_attention"
    elif row.version == seen.version:
        report.earned["waiting"] += 1
    elif row.state == "declined":
        report.earned["refused"] += 1
    else:
        report.finished += 1
        report.earned.update(_became(seen, row))


def _became(seen: EarningRow, row: EarningRow) -> Iterator[str]:
    if row.accrual_id is None:
        if row.state == "reversed":
            yield "never_given"
        return
    if seen.accrual_id is None:
        yield "given"
    if seen.posted_at is None and row.posted_at is not None:
        yield "usable"
    if row.points_taken > seen.points_taken:
        yield "taken_back"
