"""Following up what events hint at: ask the provider, and write down its answer; the event itself proves nothing."""

from __future__ import annotations

from dataclasses import replace

from punktgenau._redact import logger, short
from punktgenau.checkout.attempt import live_key_of
from punktgenau.checkout.events import EARLY_MS, Events, is_news
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.intent import deal_stands, wished
from punktgenau.checkout.journal import CLOSED, Journal, LostSwapError
from punktgenau.checkout.looking import OtherContentError
from punktgenau.checkout.resolve import state_of
from punktgenau.checkout.schema import EventRow, RedemptionRow
from punktgenau.checkout.states import UNDER_WAY, UNRESOLVED
from punktgenau.errors import PunktgenauError
from punktgenau.provider import Redemption

ASK_SOON_MS = 5_000
ASK_AGAIN_MS = 60_000


def follow_up(
    journal: Journal, executor: Executor, events: Events, heard: EventRow, *, deadline_s: float
) -> tuple[RedemptionRow, RedemptionRow] | None:
    """Look up what a taken event is about, and finish what that makes necessary; the row before and after.

    None: there was nobody to ask about, or nothing to ask yet.
    """
    if heard.redemption_id is None or heard.check_at is None:
        return None
    before = journal.redemption(heard.redemption_id)
    if before.state in UNDER_WAY or _is_open(journal, before):
        claim = journal.claim(before.id, lease_s=deadline_s)
        if claim is None:
            # Somebody is sending at this moment.
            events.done(heard, check_at=journal.now_ms() + ASK_SOON_MS)
            return None
        # Its own question answers this one, too.
        after, _ = executor.run(claim, deadline_s=deadline_s)
        events.done(heard)
        return before, after
    if not executor.can_look_up or not is_news(heard, before):
        events.done(heard)
        return None
    try:
        evidence = executor.look_up(before, deadline_s=deadline_s)
        if evidence is None and before.provider_id and journal.now_ms() - heard.received_at < EARLY_MS:
            # It was there once and an event says so again: what does not show it yet is behind.
            events.done(heard, check_at=journal.now_ms() + ASK_AGAIN_MS)
            return None
        after = before if evidence is None else noted(journal, executor, before, evidence)
        if (planned := wished(after)) is not None:
            after, _ = executor.run(journal.begin_operation(after, planned, lease_s=deadline_s), deadline_s=deadline_s)
        elif (repair := executor.repair(after, lease_s=deadline_s)) is not None:
            after, _ = executor.run(repair, deadline_s=deadline_s)
    except LostSwapError:
        events.done(heard, check_at=journal.now_ms())
        return None
    except OtherContentError as error:
        # Asking again would show the same.
        logger.warning("an event of %s is about something else: %s", short(before.order_reference), error.code)
        events.done(heard)
        return None
    except PunktgenauError as error:
        logger.warning("could not look at %s after an event: %s", short(before.order_reference), error.code)
        events.done(heard, check_at=journal.now_ms() + ASK_AGAIN_MS)
        return None
    # What look-ups show may be as old as the provider's settle time: they may not know yet what the event tells.
    settled_at = heard.received_at + executor.profile.settle_s * 1000
    is_behind = is_news(heard, after) and journal.now_ms() < settled_at
    events.done(heard, check_at=settled_at if is_behind else None)
    return before, after


def _is_open(journal: Journal, row: RedemptionRow) -> bool:
    """Whether an operation of the row is open, which a person may have to decide about."""
    return row.state in UNRESOLVED and any(one.open_key == row.id for one in journal.operations(row.id))


def noted(journal: Journal, executor: Executor, row: RedemptionRow, evidence: Redemption) -> RedemptionRow:
    """Write down what a look-up shows of a row without an open operation, also where it was believed to be over."""
    is_over = state_of(evidence) in CLOSED
    if row.state == "short" and is_over:
        # That its points are gone is what short means.
        return row
    if row.state == "captured" and row.release_cause is None and is_over and state_of(evidence) != "reversed":
        # The capture failed later. Nobody gave anything back, so the order that stands is short of its points.
        return executor.fall_short(replace(row, state=state_of(evidence), captured_points=0, captured_minor=0))
    if row.state not in CLOSED:
        return executor.note_evidence(row, evidence)
    if is_over:
        return row
    if deal_stands(row) and not evidence.is_holding:
        # Captured at the last moment: late evidence of that wins, unless the order has points again by now.
        try:
            return executor.note_evidence(replace(row, live_key=live_key_of(row)), evidence)
        except LostSwapError:
            row = journal.redemption(row.id)
    logger.warning("points of %s were believed to be back and are not; they are given back", short(row.order_reference))
    return executor.note_evidence(replace(row, release_cause=row.release_cause or "late_evidence"), evidence)
