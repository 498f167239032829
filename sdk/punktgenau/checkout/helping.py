"""Recovery for whoever has a moment: one thing that is due, and of all of them the one that has waited longest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from punktgenau.checkout.accrual_journal import AccrualJournal
from punktgenau.checkout.defects import alone
from punktgenau.checkout.events import Events
from punktgenau.checkout.execute import CIRCUIT_OPEN, Executor
from punktgenau.checkout.hints import follow_up
from punktgenau.checkout.recovery import Shop, look_at

Ways = Sequence[tuple[int | None, Callable[[], bool]]]


def recover_one(
    journal: AccrualJournal,
    executor: Executor,
    events: Events,
    *,
    shop: Shop,
    deadline_s: float,
    more: Ways = (),
) -> bool:
    """Take the one operation, event or row that has been due longest; `more` is what else is due, and how it is done.

    False: nothing is due, or no calls are made at the moment; what is due stays due then.
    """
    may_call, bound_s = True, executor.profile.resolution_bound_s

    def operation() -> bool:
        if (claim := journal.claim_due(lease_s=deadline_s)) is None:
            return False
        with alone(journal, events, claim, bound_s=bound_s):
            error = executor.run(claim, deadline_s=deadline_s)[1]
            nonlocal may_call
            may_call = error is None or error.code != CIRCUIT_OPEN
        return may_call

    def event() -> bool:
        for heard in events.waiting(most=1, due_only=True):
            if (taken := events.take(heard, lease_s=deadline_s)) is not None:
                with alone(journal, events, taken, bound_s=bound_s):
                    follow_up(journal, executor, events, taken, deadline_s=deadline_s)
            return True
        return False

    def check() -> bool:
        if (seen := journal.claim_check(lease_s=deadline_s)) is None:
            return False
        with alone(journal, events, seen, bound_s=bound_s):
            look_at(journal, executor, seen, shop=shop, deadline_s=deadline_s)
        return True

    since_operation, since_check = journal.due_since(at=journal.now_ms())
    waiting = events.waiting(most=1, due_only=True)
    since_event = waiting[0].check_at if waiting else None
    ways: list[tuple[int | None, Callable[[], bool]]] = [
        (since_operation, operation),
        (since_event, event),
        (since_check, check),
        *more,
    ]
    due = sorted(((since, way) for since, way in ways if since is not None), key=lambda one: one[0])
    for _, way in due:
        if way():
            return True
        if not may_call:
            break
    return False
