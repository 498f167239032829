"""The noun recovery: finish open operations, and ask the shop what should become of holds without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from punktgenau._clock import Clock
from punktgenau._redact import logger, short
from punktgenau.checkout.accrual_journal import AccrualJournal
from punktgenau.checkout.cart import Order, OrderState
from punktgenau.checkout.defects import LOOK_AGAIN_MS, alone
from punktgenau.checkout.events import Events
from punktgenau.checkout.execute import CIRCUIT_OPEN, Executor
from punktgenau.checkout.extending import extend_at, extension
from punktgenau.checkout.hints import follow_up
from punktgenau.checkout.intent import Claim, ask_by_void, capture_of, ended_short, wished
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.states import HELD, UNDER_WAY
from punktgenau.errors import PunktgenauError

MISSING_ORDER_MS = 120_000
DEAL_MS = 7 * 86_400_000
"""How long an order whose hold ended unwished is asked about."""
_WORD_BY_ORDER: dict[OrderState, Literal["take", "release", "wait"]] = {
    "paid": "take",
    "cancelled": "release",
    "pending": "wait",
}
BATCH = 10_000
"""As much as one recovery takes on; the next one goes on from there."""


class _NotToldError(Exception):
    """The shop did not say what became of its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Who tells about orders, if anybody; and whether what is held for a paid order is captured by recovery.

    `is_paid` is told before that: the shop's own call may never have come.
    """

    order_loader: Callable[[str], Order | None] | None
    takes_paid: bool
    is_paid: Callable[[RedemptionRow], None] | None = None


@dataclass(slots=True)
class Recovery:
    """What one recovery did: operations finished, still open, holds looked at; and how many orders need a person.

    `earned` counts what became of points that orders earn: given, usable, taken_back, never_given, refused, waiting.
    """

    finished: int = 0
    still_open: int = 0
    looked_at: int = 0
    needs_attention: int = 0
    earned: Counter[str] = field(default_factory=Counter)

    def note(self, row: RedemptionRow) -> None:
        """Count where a row came to stand."""
        if row.state in UNDER_WAY:
            self.still_open += 1
        elif row.state not in {"needs_attention", "short"}:
            self.finished += 1


def recover(
    journal: AccrualJournal,
    executor: Executor,
    events: Events,
    *,
    shop: Shop,
    deadline_s: float,
    due_only: bool,
    clock: Clock,
    stop: Callable[[], bool],
    progress: Callable[[Recovery], None],
) -> Recovery:
    """Take open work once each; with `due_only`, until nothing is due. Any number of processes may do so at once.

    It goes no faster than the provider's profile allows; live requests never wait for that. Ends early, between two of
    them, once `stop` says so; `progress` is told what was done so far.
    """
    report, bound_s = Recovery(), executor.profile.resolution_bound_s
    pause_s = 0.0 if executor.profile.calls_per_s is None else 1 / executor.profile.calls_per_s
    for claim in _claims(journal, lease_s=deadline_s, due_only=due_only, stop=stop):
        error: PunktgenauError | None = None
        with alone(journal, events, claim, bound_s=bound_s):
            row, error = executor.run(claim, deadline_s=deadline_s)
            report.note(row)
        progress(report)
        if error is not None and error.code == CIRCUIT_OPEN:
            # Nor would any other call be made; what is due stays due.
            report.needs_attention = journal.attention()
            return report
        if pause_s:
            clock.sleep(pause_s)
    for heard in events.waiting(most=BATCH, due_only=due_only):
        if stop():
            break
        if (taken := events.take(heard, lease_s=deadline_s)) is None:
            continue
        with alone(journal, events, taken, bound_s=bound_s):
            rows = follow_up(journal, executor, events, taken, deadline_s=deadline_s)
            if rows is not None:
                report.looked_at += 1
                if rows[0].state != rows[1].state:
                    report.note(rows[1])
        progress(report)
    for seen in _checks(journal, lease_s=deadline_s, due_only=due_only, stop=stop):
        report.looked_at += 1
        with alone(journal, events, seen, bound_s=bound_s):
            row = look_at(journal, executor, seen, shop=shop, deadline_s=deadline_s)
            if row.state != seen.state:
                report.note(row)
                if pause_s:
                    clock.sleep(pause_s)
        progress(report)
    report.needs_attention = journal.attention()
    return report


def _claims(journal: AccrualJournal, *, lease_s: float, due_only: bool, stop: Callable[[], bool]) -> Iterator[Claim]:
    if due_only:
        while not stop() and (claim := journal.claim_due(lease_s=lease_s)) is not None:
            yield claim
        return
    for operation_id in journal.waiting_operations(most=BATCH):
        if stop():
            return
        claim = journal.claim_operation(operation_id, lease_s=lease_s)
        if claim is not None:
            yield claim


def _checks(
    journal: AccrualJournal, *, lease_s: float, due_only: bool, stop: Callable[[], bool]
) -> Iterator[RedemptionRow]:
    if due_only:
        while not stop() and (row := journal.claim_check(lease_s=lease_s)) is not None:
            yield row
        return
    for redemption_id in journal.waiting_checks(most=BATCH):
        if stop():
            return
        row = journal.claim_check(redemption_id, lease_s=lease_s)
        if row is not None:
            yield row


def look_at(
    journal: AccrualJournal,
    executor: Executor,
    row: RedemptionRow,
    *,
    shop: Shop,
    deadline_s: float,
) -> RedemptionRow:
    """Ask shop and provider what should become of a row without an open operation, and do that; as it stands then."""
    now, is_seen = journal.now_ms(), False
    if row.state in UNDER_WAY:
        # Its own operation finds out what it is by now; what waits for that stays due until then.
        journal.free_check(row, check_at=now + LOOK_AGAIN_MS)
        return row
    try:
        word = None if row.release_cause else _word(row, shop.order_loader, now_ms=now)
        if word == "take" and shop.is_paid is not None:
            shop.is_paid(row)
        if row.state in {"expired", "voided"}:
            return _look_at_deal(journal, executor, row, word, now_ms=now, deadline_s=deadline_s)
        if word == "release":
            row = replace(row, release_cause="order_gone")
        if row.state == "short" and row.release_cause:
            # Where parts of it were captured before, those go back next.
            look_again = now if row.captured_points else None
            return journal.change(row, replace(row, state=ended_short(row), check_at=look_again))
        if (waiting := executor.next_return(row, lease_s=deadline_s)) is not None:
            row, _ = executor.run(waiting, deadline_s=deadline_s)
            return row
        if (shipped := executor.next_shipment(row, lease_s=deadline_s)) is not None:
            return executor.run(shipped, deadline_s=deadline_s)[0]
        takes = word == "take" and row.state == "authorized" and shop.takes_paid
        planned = wished(row) or (capture_of(row) if takes else None)
        if planned is not None:
            row, _ = executor.run(journal.begin_operation(row, planned, lease_s=deadline_s), deadline_s=deadline_s)
            return row
        if word != "wait" and (repair := executor.repair(row, lease_s=deadline_s)) is not None:
            row, _ = executor.run(repair, deadline_s=deadline_s)
            return row
        if row.state in {"captured", "partially_reversed"} and word == "take":
            journal.free_check(row, check_at=None)
            return row
        if (longer := extension(executor.profile, row, now_ms=now)) is not None:
            row, _ = executor.run(journal.begin_operation(row, longer, lease_s=deadline_s), deadline_s=deadline_s)
            return row
        if not executor.can_look_up and row.state in HELD and (row.hold_until or now) <= now:
            ended = journal.begin_operation(row, ask_by_void(), lease_s=deadline_s)
            return executor.run(ended, deadline_s=deadline_s)[0]
        if row.state != "short" and row.hold_until is not None and row.hold_until <= now:
            evidence = executor.look_up(row, deadline_s=deadline_s)
            if evidence is not None:
                before, row = row, executor.note_evidence(row, evidence)
                if row.version != before.version and row.state not in HELD | {"expired"}:
                    return row
        is_seen = True
    except LostSwapError:
        return journal.redemption(row.id)
    except _NotToldError:
        # Not even a hold that has ended is closed now: if the order is paid, that is a shortfall.
        logger.exception("the order loader failed; the hold is left alone")
    except PunktgenauError as error:
        logger.warning("could not look at %s: %s", short(row.order_reference), error.code)
    check_at = _again(row, now_ms=now, loader=shop.order_loader is not None)
    if check_at is None and not is_seen:
        # What it is due for, such as a return that waits, has not been looked at.
        check_at = now + LOOK_AGAIN_MS
    if check_at is not None and (longer_at := extend_at(executor.profile, row)) is not None:
        check_at = max(now + LOOK_AGAIN_MS, min(check_at, longer_at))
    journal.free_check(row, check_at=check_at)
    return row


def _look_at_deal(
    journal: AccrualJournal,
    executor: Executor,
    row: RedemptionRow,
    word: Literal["take", "release", "wait"] | None,
    *,
    now_ms: int,
    deadline_s: float,
) -> RedemptionRow:
    """The hold of an order ended unwished: paid since, and nobody captured, it is short; else ask again, less often.

    Raises LostSwapError.
    """
    newest = journal.latest(row.order_reference)
    if newest is None or newest.id != row.id:
        word = None
    if word == "take":
        row = executor.fall_short(row)
        repair = executor.repair(row, lease_s=deadline_s)
        return row if repair is None else executor.run(repair, deadline_s=deadline_s)[0]
    if word == "release":
        return journal.change(row, replace(row, release_cause="order_gone", check_at=None))
    ended_ms = now_ms - (row.hold_until or row.created_at)
    again = word == "wait" and ended_ms < DEAL_MS
    journal.free_check(row, check_at=now_ms + max(LOOK_AGAIN_MS, ended_ms) if again else None)
    return row


def _word(
    row: RedemptionRow, order_loader: Callable[[str], Order | None] | None, *, now_ms: int
) -> Literal["take", "release", "wait"] | None:
    """What the shop's order says about these points; None where nobody can be asked: nothing is captured by guess.

    Raises _NotToldError when the loader fails.
    """
    if row.paid_at is not None and row.state != "short":
        # By the shop's own call.
        return "take"
    if order_loader is None:
        return None
    try:
        order = order_loader(row.order_reference)
    except Exception as error:  # the shop's code: whatever it raises means that we do not know
        raise _NotToldError from error
    if order is None:
        return "release" if now_ms - row.created_at > MISSING_ORDER_MS else "wait"
    return _WORD_BY_ORDER[order.state]


def _again(row: RedemptionRow, *, now_ms: int, loader: bool) -> int | None:
    if row.release_cause and row.state in {"captured", "partially_reversed"}:
        # What else was captured has come back, or stays for good.
        return now_ms + LOOK_AGAIN_MS if wished(row) is not None else None
    if row.state in {"short", "captured", "partially_reversed", "expired", "voided"}:
        return now_ms + LOOK_AGAIN_MS if loader else None
    if row.state not in HELD:
        return now_ms + LOOK_AGAIN_MS if row.release_cause else None
    if row.hold_until is None:
        return now_ms + LOOK_AGAIN_MS
    if row.hold_until <= now_ms or not loader:
        return max(row.hold_until, now_ms + LOOK_AGAIN_MS)
    return min(row.hold_until, now_ms + LOOK_AGAIN_MS)
