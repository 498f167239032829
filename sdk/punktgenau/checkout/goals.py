"""Goals: these points are paid; these points go back. Safe in any state, any number of times, from any process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from punktgenau._clock import Clock
from punktgenau.checkout.execute import UNWRITTEN, Executor, Heard
from punktgenau.checkout.intent import NextOperation, capture_of, deal_stands, ended_short, wished
from punktgenau.checkout.journal import CLOSED, LostSwapError
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.states import HELD, UNRESOLVED

POLL_S = 0.05
_Plan = Callable[[RedemptionRow], NextOperation | None]


class Goals:
    """Takes a redemption towards a goal, step by step, until it is reached, unknown, or the time is up."""

    def __init__(self, journal: OrderJournal, executor: Executor, *, clock: Clock, heard: Heard) -> None:
        self._journal = journal
        self._executor = executor
        self._clock = clock
        self._heard = heard

    def capture(self, row: RedemptionRow, *, ends: float) -> RedemptionRow:
        """These points are paid. A hold that has ended meanwhile becomes a shortfall, which has to be seen."""
        if deal_stands(row):
            return self._repaired(row, ends=ends)
        if not _may_take(row):
            # Above all not while authorizing: nobody can have paid the rest of an amount that was never known.
            return row
        row = self._reach(row, _plan_capture, ends=ends)
        # A part that comes back, or a parcel, is still under way: whoever sees the end of that takes the rest.
        is_behind = row.state in {"capturing", "reversing"} and row.reason != UNWRITTEN
        return self._give_up(row.id, None) if is_behind else row

    def release(self, row: RedemptionRow, *, cause: str, ends: float) -> RedemptionRow:
        """These points go back, whatever they are now; the wish is noted, and carried out once."""
        if row.state == "short":
            row = self._change(row, replace(row, state=ended_short(row), release_cause=cause))
        if deal_stands(row):
            # The deal ends as well: nothing is taken anew when somebody captures later.
            ended = self._change(row, replace(row, release_cause=cause, check_at=None))
            # Whoever was first may have seen a shortfall, and knows of no wish.
            return ended if ended.release_cause is not None else self.release(ended, cause=cause, ends=ends)
        if row.state in CLOSED:
            return row

        def plan(now: RedemptionRow) -> NextOperation | None:
            if now.state == "authorizing" or (now.state == "needs_attention" and now.provider_id is None):
                return self._executor.giving_up(now, cause=cause)
            return wished(_as_held(now if now.release_cause else replace(now, release_cause=cause)))

        row = self._reach(row, plan, ends=ends, cause=cause)
        # Its hold ended, and somebody saw that as a shortfall before the wish was noted.
        return row if row.state != "short" else self.release(row, cause=cause, ends=ends)

    def settle(self, row: RedemptionRow, *, ends: float) -> RedemptionRow:
        """Whatever the row needs by itself."""
        return self._reach(row, wished, ends=ends)

    def _reach(self, row: RedemptionRow, plan: _Plan, *, ends: float, cause: str | None = None) -> RedemptionRow:
        while True:
            left = max(0.1, ends - self._clock.monotonic())
            if cause is not None and row.release_cause is None:
                row = replace(row, release_cause=cause)
            planned = plan(row)
            try:
                if planned is None:
                    if row.state not in UNRESOLVED:
                        return row
                    if cause is not None:
                        row = self._journal.note_wish(row)
                    claim = self._journal.claim(row.id, lease_s=left)
                    if claim is None:
                        return self._journal.redemption(row.id)
                elif planned.state == "abandoning" or row.state == "extending":
                    claim = self._journal.supersede(row, planned, lease_s=left)
                else:
                    claim = self._journal.begin_operation(row, planned, lease_s=left)
            except LostSwapError:
                # Somebody else was first, or is sending right now: read again and answer from the row.
                if self._clock.monotonic() + POLL_S >= ends:
                    return self._give_up(row.id, cause)
                self._clock.sleep(POLL_S)
                row = self._journal.redemption(row.id)
                continue
            row, _ = self._executor.run(claim, deadline_s=left)
            if row.state in UNRESOLVED or self._clock.monotonic() >= ends:
                return row

    def _repaired(self, row: RedemptionRow, *, ends: float) -> RedemptionRow:
        left = max(0.1, ends - self._clock.monotonic())
        try:
            row = self._executor.fall_short(row)
            claim = self._executor.repair(row, lease_s=left)
        except LostSwapError:
            return self._journal.redemption(row.id)
        return row if claim is None else self._executor.run(claim, deadline_s=left)[0]

    def _give_up(self, redemption_id: str, cause: str | None) -> RedemptionRow:
        """The time is up: what was wished is noted, to be carried out by whoever comes next."""
        row = self._journal.redemption(redemption_id)
        if row.state in CLOSED:
            return row
        if cause is None and (row.paid_at is not None or not _may_take(row)):
            return row
        if cause is None and row.state == "capturing" and not self._journal.has_parcels(row.id):
            # All that is left is what is being taken.
            return row
        paid_at = row.paid_at if cause is not None else self._journal.now_ms()
        try:
            # Beside an operation its result brings the wish to light; otherwise somebody has to look.
            check_at = row.check_at if row.state in UNRESOLVED else self._journal.now_ms()
            return self._journal.note_wish(replace(row, release_cause=cause, paid_at=paid_at, check_at=check_at))
        except LostSwapError:
            return self._give_up(redemption_id, cause)

    def _change(self, row: RedemptionRow, changed: RedemptionRow) -> RedemptionRow:
        try:
            after = self._journal.change(row, changed)
        except LostSwapError:
            return self._journal.redemption(row.id)
        self._heard(row, after)
        return after


def _may_take(row: RedemptionRow) -> bool:
    return row.state in HELD | {"extending", "capturing"} or (row.state == "reversing" and row.is_in_parts)


def _plan_capture(row: RedemptionRow) -> NextOperation | None:
    if row.state in HELD | {"extending"} and row.release_cause is None:
        is_all = 0 < row.taking[0] <= row.captured_points
        return wished(replace(row, state="partially_captured")) if is_all else capture_of(row)
    return None


def _as_held(row: RedemptionRow) -> RedemptionRow:
    """Nothing waits until a hold has been made longer: what is wished takes its place."""
    return replace(row, state="authorized") if row.state == "extending" else row
