"""Goals, step by step: what each state asks of the provider, and what is noted where somebody else was first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from _desk import Desk, row_for
from _scripted import Engine, Scripted, given_back, shown
from punktgenau.checkout.intent import NextOperation
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.errors import AlreadyCapturedError, IdempotencyConflictError, NotFoundError, OutcomeUnknownError

CAPTURE = NextOperation(kind="capture", cause="paid", request={"points": 427}, state="capturing")
EXTEND = NextOperation(kind="extend", cause="until 9", request={"hold_s": 60}, state="extending")
CANCEL = NextOperation(kind="cancel_by_key", cause="customer", request={"target_key": "k"}, state="abandoning")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    desk = Desk(tmp_path / "journal.sqlite")
    with closing(desk.database):
        yield Engine(desk, Scripted())


def taken(engine: Engine, order: str = "A-1", **changes: Any) -> RedemptionRow:
    return engine.desk.held(order, captured_points=427, captured_minor=427, **changes)


def in_state(engine: Engine, state: str, **changes: Any) -> RedemptionRow:
    held = engine.desk.held("A-1")
    return engine.desk.journal.change(held, replace(held, state=state, **changes))


def test_what_was_never_known_is_not_taken(engine: Engine):
    row = engine.desk.placed("A-1").redemption
    # Whose process died: anybody may go on with it, but not by taking the points.
    engine.desk.clock.advance(60)
    assert engine.goals.capture(row, ends=engine.ends()) == row
    assert engine.provider.calls == []


def test_what_is_to_go_back_is_not_taken(engine: Engine):
    row = in_state(engine, "authorized", release_cause="customer")
    assert engine.goals.capture(row, ends=engine.ends()) == row
    assert engine.provider.calls == []


def test_what_is_held_is_taken_in_one_call_and_only_once(engine: Engine):
    row = engine.desk.held("A-1")
    engine.provider.answers = [shown(row, "captured", captured=427)]
    captured = engine.goals.capture(row, ends=engine.ends())
    assert (captured.state, captured.captured_points) == ("captured", 427)
    assert engine.goals.capture(captured, ends=engine.ends()) == captured
    assert engine.provider.calls == ["capture"]


def test_what_is_being_taken_is_gone_on_with_under_its_key(engine: Engine):
    claim = engine.desk.journal.begin_operation(engine.desk.held("A-1"), CAPTURE, lease_s=2)
    engine.desk.clock.advance(60)
    engine.provider.answers = [shown(claim.redemption, "captured", captured=427)]
    assert engine.goals.capture(claim.redemption, ends=engine.ends()).state == "captured"
    assert engine.provider.said[0]["idempotency_key"] == claim.operation.key


@pytest.mark.parametrize("state", ["declined", "abandoned", "reversed"])
def test_what_has_ended_has_nothing_to_give_back(engine: Engine, state: str):
    row = in_state(engine, state)
    assert engine.goals.release(row, cause="customer", ends=engine.ends()) == row
    assert (engine.provider.calls, engine.now(row)) == ([], row)


def test_a_deal_ends_with_the_wish_to_give_back(engine: Engine):
    row = in_state(engine, "expired", check_at=5)
    ended = engine.goals.release(row, cause="customer", ends=engine.ends())
    assert (ended.state, ended.release_cause, ended.check_at) == ("expired", "customer", None)


@pytest.mark.parametrize(
    ("captured", "back", "cause", "expected", "calls"),
    [(0, 0, "placed", "expired", []), (100, 0, "placed", "reversed", ["reverse"]), (0, 0, "shortfall", "declined", [])],
)
def test_a_shortfall_is_none_any_more_once_its_order_is_gone(
    engine: Engine, captured: int, back: int, cause: str, expected: str, calls: list[str]
):
    claim = engine.desk.journal.begin_attempt(replace(row_for("A-1"), cause=cause), {}, lease_s=9)
    before = replace(claim.redemption, state="short", provider_id="red-A-1")
    row = engine.desk.finish(claim, replace(before, captured_points=captured, captured_minor=captured))
    gone = shown(row, "reversed", captured=100, back=100, released=327)
    engine.provider.answers = [given_back(gone, 100, reference=f"release-{row.id[:20]}")]
    row = engine.goals.release(row, cause="customer", ends=engine.ends())
    assert (row.state, row.release_cause, engine.provider.calls) == (expected, "customer", calls)


def test_the_wish_is_noted_although_somebody_else_changed_the_shortfall(engine: Engine):
    seen = in_state(engine, "short")
    engine.desk.journal.change(seen, replace(seen, reason="somebody was here"))
    row = engine.goals.release(seen, cause="customer", ends=engine.ends())
    assert (row.state, row.release_cause) == ("expired", "customer")
    assert engine.now(row) == row


def test_an_unknown_authorize_is_given_up_by_its_key(engine: Engine):
    row = engine.desk.placed("A-1").redemption
    engine.desk.clock.advance(60)
    engine.provider.answers = [shown(row, "cancelled", points=0, order_reference="", member_id="")]
    assert engine.goals.release(row, cause="customer", ends=engine.ends()).state == "abandoned"
    assert engine.provider.calls == ["cancel_by_key"]
    assert engine.provider.said[0]["target_key"] == row.key


def test_what_is_given_up_already_is_asked_again_under_the_same_key(engine: Engine):
    held = engine.desk.placed("A-1").redemption
    engine.desk.clock.advance(60)
    claim = engine.desk.journal.supersede(held, CANCEL, lease_s=2)
    engine.desk.clock.advance(60)
    engine.provider.answers = [shown(held, "cancelled", points=0, order_reference="", member_id="")]
    assert engine.goals.release(claim.redemption, cause="customer", ends=engine.ends()).state == "abandoned"
    assert [said["idempotency_key"] for said in engine.provider.said] == [claim.operation.key]


@pytest.mark.parametrize("is_known", [True, False])
def test_what_needs_a_person_is_given_up_by_its_key_only_where_its_id_is_not_known(engine: Engine, is_known: bool):
    held = engine.desk.held("A-1") if is_known else None
    begun = engine.desk.placed("A-1") if held is None else engine.desk.journal.begin_operation(held, CAPTURE, lease_s=2)
    row = engine.desk.finish(
        begun,
        replace(begun.redemption, state="needs_attention"),
        outcome="unknown",
        next_at=engine.desk.journal.now_ms(),
    )
    tombstone = shown(row, "cancelled", points=0, order_reference="", member_id="")
    back = shown(row, "reversed", captured=427, back=427)
    engine.provider.answers = [tombstone]
    if is_known:
        # The capture is known to have arrived, and the wish that was noted gives it back.
        reversal = given_back(back, 427, reference=f"release-{row.id[:20]}")
        engine.provider.answers = [shown(row, "captured", captured=427), reversal]
    row = engine.goals.release(row, cause="customer", ends=engine.ends())
    assert engine.provider.calls == (["capture", "reverse"] if is_known else ["cancel_by_key"])
    assert (row.state, row.release_cause) == (("reversed" if is_known else "abandoned"), "customer")


def test_the_first_cause_stays(engine: Engine):
    row = taken(engine, release_cause="customer")
    held = engine.desk.journal.change(row, replace(row, state="captured"))
    back = shown(row, "reversed", captured=427, back=427)
    engine.provider.answers = [given_back(back, 427, reference=f"release-{row.id[:20]}")]
    row = engine.goals.release(held, cause="clerk", ends=engine.ends())
    assert (row.state, row.release_cause) == ("reversed", "customer")


def test_when_the_time_is_up_nothing_further_is_begun(engine: Engine):
    row = engine.desk.held("A-1")

    def after_s(seconds: float, answer: Any) -> Any:
        engine.desk.clock.advance(seconds)
        return answer

    captured = shown(row, "captured", captured=427)
    engine.provider.answers = [lambda: after_s(1.9, AlreadyCapturedError("")), lambda: after_s(0.1, captured)]
    after = engine.goals.release(row, cause="customer", ends=engine.ends())
    assert engine.provider.calls == ["void", "get"]
    assert (after.state, after.release_cause) == ("captured", "customer")


def test_a_capture_takes_the_place_of_what_makes_the_hold_longer(engine: Engine):
    claim = engine.desk.journal.begin_operation(engine.desk.held("A-1"), EXTEND, lease_s=2)
    engine.desk.clock.advance(60)
    engine.provider.answers = [shown(claim.redemption, "captured", captured=427)]
    assert engine.goals.capture(claim.redemption, ends=engine.ends()).state == "captured"
    assert engine.provider.calls == ["capture"]


def test_what_is_paid_while_a_hold_is_made_longer_is_noted_once(engine: Engine):
    claim = engine.desk.journal.begin_operation(engine.desk.held("A-1"), EXTEND, lease_s=60)
    noted = engine.goals.capture(claim.redemption, ends=engine.ends(0.2))
    # Beside the operation its result brings the wish to light: nobody else has to look.
    assert (noted.state, noted.paid_at, noted.check_at) == ("extending", engine.desk.journal.now_ms(), None)
    engine.desk.clock.advance(1)
    assert engine.goals.capture(noted, ends=engine.ends(0.2)) == noted
    assert engine.now(noted) == noted
    assert engine.provider.calls == []


def test_what_is_to_go_back_while_it_is_sent_is_noted(engine: Engine):
    row = engine.desk.placed("A-1").redemption
    noted = engine.goals.release(row, cause="customer", ends=engine.ends(0.2))
    assert (noted.state, noted.release_cause) == ("authorizing", "customer")
    assert (noted.paid_at, noted.check_at) == (None, None)
    # Whoever comes later sees it noted, with its first cause.
    assert engine.goals.release(row, cause="clerk", ends=engine.ends(0.2)) == noted
    assert engine.provider.calls == []


def test_what_is_to_go_back_while_it_is_taken_is_noted(engine: Engine):
    claim = engine.desk.journal.begin_operation(engine.desk.held("A-1"), CAPTURE, lease_s=60)
    noted = engine.goals.release(claim.redemption, cause="customer", ends=engine.ends(0.1))
    assert (noted.state, noted.release_cause) == ("capturing", "customer")
    assert engine.now(noted) == noted


def test_whoever_comes_while_somebody_else_has_begun_to_take_it_notes_the_wish(engine: Engine):
    seen = engine.desk.held("A-1")
    begun = engine.desk.journal.begin_operation(seen, CAPTURE, lease_s=60)
    noted = engine.goals.release(seen, cause="customer", ends=engine.ends(0.0))
    assert (noted.state, noted.release_cause, noted.check_at) == ("capturing", "customer", begun.redemption.check_at)
    assert engine.now(seen) == noted


def test_also_what_was_paid_may_have_to_go_back(engine: Engine):
    claim = engine.desk.journal.begin_operation(engine.desk.held("A-1"), EXTEND, lease_s=60)
    paid = engine.goals.capture(claim.redemption, ends=engine.ends(0.1))
    noted = engine.goals.release(paid, cause="customer", ends=engine.ends(0.1))
    assert (noted.release_cause, noted.paid_at) == ("customer", paid.paid_at)


@pytest.mark.parametrize(
    ("wish", "state", "noted"),
    [
        # Changed by somebody between reading and writing, and no time left: what is wished is noted where it matters.
        ("release", "declined", False),
        ("release", "authorized", True),
        ("capture", "authorized", True),
        ("capture", "captured", False),
    ],
)
def test_whoever_was_too_late_notes_what_is_wished(engine: Engine, wish: str, state: str, noted: bool):
    seen = engine.desk.held("A-1")
    now = engine.desk.journal.change(seen, replace(seen, state=state, reason="somebody was here"))
    ends = engine.ends(0.0)
    if wish == "release":
        row = engine.goals.release(seen, cause="customer", ends=ends)
    else:
        row = engine.goals.capture(seen, ends=ends)
    assert engine.provider.calls == []
    assert engine.now(seen) == row
    if not noted:
        assert row == now
        return
    assert row.check_at == engine.desk.journal.now_ms()
    assert (row.release_cause, row.paid_at) == (
        ("customer", None) if wish == "release" else (None, engine.desk.journal.now_ms())
    )


def test_while_somebody_else_is_sending_the_row_is_read_again_until_the_time_is_up(engine: Engine):
    seen = engine.desk.held("A-1")
    engine.desk.journal.change(seen, replace(seen, reason="somebody was here"))
    engine.provider.answers = [shown(seen, "captured", captured=427)]
    began = engine.desk.clock.monotonic()
    assert engine.goals.capture(seen, ends=engine.ends()).state == "captured"
    assert engine.desk.clock.monotonic() == began + 0.05


def test_an_unknown_that_stays_so_is_told_at_once(engine: Engine):
    row = engine.desk.held("A-1")
    engine.provider.answers = [OutcomeUnknownError("")]
    assert engine.goals.capture(row, ends=engine.ends()).state == "capturing"
    assert engine.provider.calls == ["capture"]


BACK = NextOperation(
    kind="reverse",
    cause="return 1",
    request={"points": 50, "value_minor": 50, "return_reference": "R-1"},
    state="reversing",
)
RELEASE = NextOperation(kind="void", cause="release", request={}, state="voiding")


@pytest.mark.parametrize(
    ("captured", "planned", "is_noted"),
    [
        # A part comes back while more is to be taken: that is noted, and taken once the part is back.
        (100, BACK, True),
        # All was taken before, so there is nothing to take; nor of what is being released.
        (427, BACK, False),
        (100, RELEASE, False),
    ],
)
def test_what_is_paid_while_a_part_comes_back_is_noted(
    engine: Engine, captured: int, planned: NextOperation, is_noted: bool
):
    held = engine.desk.held("A-1", captured_points=captured, captured_minor=captured)
    claim = engine.desk.journal.begin_operation(held, planned, lease_s=60)
    row = engine.goals.capture(claim.redemption, ends=engine.ends())
    assert (row.state, row.paid_at) == (planned.state, engine.desk.journal.now_ms() if is_noted else None)
    assert engine.now(row) == row
    assert engine.provider.calls == []


@pytest.mark.parametrize(("captured", "planned"), [(427, BACK), (100, RELEASE)])
def test_where_there_is_nothing_to_take_a_capture_sends_nothing(engine: Engine, captured: int, planned: NextOperation):
    held = engine.desk.held("A-1", captured_points=captured, captured_minor=captured)
    claim = engine.desk.journal.begin_operation(held, planned, lease_s=2)
    # Whoever sent it has died: recovery goes on with it, not whoever wants something else.
    engine.desk.clock.advance(60)
    assert engine.goals.capture(claim.redemption, ends=engine.ends()) == claim.redemption
    assert engine.provider.calls == []


def test_a_reference_that_was_used_proves_nothing_where_nothing_is_found(engine: Engine):
    claim = engine.desk.journal.begin_operation(taken(engine), BACK, lease_s=2)
    engine.provider.answers = [IdempotencyConflictError("", code="reference_reused"), NotFoundError("")]
    row, _ = engine.executor.run(claim, deadline_s=1)
    assert engine.provider.calls == ["reverse", "get"]
    assert (row.state, row.reversed_points) == ("reversing", 0)
