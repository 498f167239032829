"""One pass of an operation: what is sent, asked and written down, by what was heard and how long ago it began."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from _desk import Desk, row_for
from _scripted import Engine, Scripted, given_back, shown
from punktgenau.checkout.database import Database
from punktgenau.checkout.intent import Claim, NextOperation
from punktgenau.checkout.schema import OperationRow, RedemptionRow
from punktgenau.checkout.schema_returns import ShipmentRow
from punktgenau.errors import (
    AlreadyCapturedError,
    LiveRedemptionError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    ReversalExceedsCaptureError,
    StateConflictError,
    UnavailableError,
)

CAPTURE = NextOperation(kind="capture", cause="paid", request={"points": 427}, state="capturing")
EXTEND = NextOperation(kind="extend", cause="until 9", request={"hold_s": 60}, state="extending")
VOID = NextOperation(kind="void", cause="release", request={}, state="voiding")
CANCEL = NextOperation(kind="cancel_by_key", cause="customer", request={"target_key": "k"}, state="abandoning")
SHIPMENT = NextOperation(
    kind="capture",
    cause="shipment 1",
    request={"points": 100, "value_minor": 100, "capture_reference": "S-1", "more_to_come": 1},
    state="capturing",
)
AWAY = NotSentError("", code="circuit_open")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "journal.sqlite")
    with closing(desk.database):
        yield desk


@pytest.fixture
def engine(desk: Desk) -> Engine:
    return Engine(desk, Scripted())


def begin(engine: Engine, planned: NextOperation, **changes: Any) -> Claim:
    """An operation of an order that is held, leased for ten seconds."""
    held = engine.desk.held("A-1", **changes)
    engine.desk.clock.advance(1)
    return engine.desk.journal.begin_operation(held, planned, lease_s=10)


def again(engine: Engine, row: RedemptionRow, *, later_s: float = 60) -> Claim:
    """Recovery's claim of the same operation, later."""
    engine.desk.clock.advance(later_s)
    claim = engine.desk.journal.claim(row.id, lease_s=10)
    assert claim is not None
    return claim


def run(engine: Engine, claim: Claim, *answers: Any) -> RedemptionRow:
    engine.provider.answers = list(answers)
    engine.provider.calls = []
    row, _ = engine.executor.run(claim, deadline_s=2.0)
    assert engine.provider.answers == []
    assert engine.now(row) == row
    return row


def last(engine: Engine, row: RedemptionRow) -> OperationRow:
    return engine.desk.journal.operations(row.id)[-1]


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Every transaction, and whether it writes."""
    begun: list[bool] = []
    original = Database.transaction

    def transaction(self: Database, *, write: bool = True) -> Any:
        begun.append(write)
        return original(self, write=write)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", transaction)
        yield begun


def test_a_result_takes_one_transaction_and_nothing_else_is_looked_for(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    claim = engine.desk.placed("A-1")
    engine.provider.answers = [shown(claim.redemption, "authorized", held=427)]
    with counted(monkeypatch) as begun:
        row, _ = engine.executor.run(claim, deadline_s=2.0)
    assert begun == [True]
    claim = engine.desk.journal.begin_operation(row, CAPTURE, lease_s=10)
    engine.provider.answers = [shown(row, "captured", captured=427)]
    with counted(monkeypatch) as begun:
        engine.executor.run(claim, deadline_s=2.0)
    assert begun == [True]


def test_while_nothing_can_be_sent_nothing_further_is_begun(engine: Engine):
    claim = engine.desk.placed("A-1")
    spent = replace(claim.redemption, reason="key_spent")
    row = engine.desk.finish(claim, spent, outcome="unknown", next_at=engine.desk.journal.now_ms())
    run(engine, again(engine, row), AWAY)
    assert engine.provider.calls == ["authorize"]
    assert [one.kind for one in engine.desk.journal.operations(row.id)] == ["authorize"]


def test_what_the_customer_waits_for_is_refused_at_once_where_nothing_can_be_sent(engine: Engine):
    claim = engine.desk.placed("A-1")
    assert run(engine, claim, AWAY).state == "declined"
    assert last(engine, claim.redemption).outcome == "not_done"


def test_in_recovery_a_call_that_was_not_made_leaves_everything_as_it_was(engine: Engine):
    row = run(engine, begin(engine, CAPTURE), OutcomeUnknownError(""))
    before = last(engine, row)
    assert run(engine, again(engine, row), AWAY) == row
    assert last(engine, row) == before


@pytest.mark.parametrize("error", [NotSentError(""), AWAY])
@pytest.mark.parametrize(("cause", "state"), [("placed", "declined"), ("shortfall", "authorizing")])
def test_a_provider_that_is_away_is_a_refusal_but_for_an_order_that_is_paid(
    engine: Engine, error: NotSentError, cause: str, state: str
):
    claim = engine.desk.journal.begin_attempt(
        replace(row_for("A-1"), cause=cause, created_at=engine.desk.journal.now_ms()), {}, lease_s=10
    )
    assert run(engine, claim, error).state == state


def test_what_is_wished_follows_in_the_same_call(engine: Engine):
    held = engine.desk.held("A-1")
    held = engine.desk.journal.change(held, replace(held, release_cause="customer"))
    claim = engine.desk.journal.begin_operation(held, VOID, lease_s=10)
    captured = shown(held, "captured", captured=427)
    back = given_back(shown(held, "reversed", captured=427, back=427), 427, reference=f"release-{held.id[:20]}")
    assert run(engine, claim, AlreadyCapturedError(""), captured, back).state == "reversed"
    assert engine.provider.calls == ["void", "get", "reverse"]


def test_only_an_authorize_is_given_up_by_its_key(engine: Engine):
    assert run(engine, begin(engine, CAPTURE), NotFoundError("")).state == "capturing"
    assert engine.provider.calls == ["capture"]


def test_between_two_parcels_all_may_have_to_go_back(engine: Engine):
    claim = begin(engine, SHIPMENT)

    def parcel() -> Any:
        engine.desk.journal.note_wish(replace(claim.redemption, release_cause="customer"))
        return shown(claim.redemption, "partially_captured", captured=100, held=327)

    rest = shown(claim.redemption, "captured", captured=100, released=327)
    gone = shown(claim.redemption, "reversed", captured=100, back=100, released=327)
    back = given_back(gone, 100, reference=f"release-{claim.redemption.id[:20]}")
    assert run(engine, claim, parcel, rest, back).state == "reversed"
    assert engine.provider.calls == ["capture", "void", "reverse"]


def test_whoever_stood_still_sends_nothing(engine: Engine):
    claim = begin(engine, CAPTURE)
    engine.desk.clock.advance(60)
    assert run(engine, claim) == claim.redemption
    assert engine.provider.calls == []


def test_what_was_changed_since_it_was_written_is_never_sent(engine: Engine):
    row = run(engine, begin(engine, CAPTURE), OutcomeUnknownError(""))
    with engine.desk.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE punktgenau_redemption SET points = 428")
    told = run(engine, again(engine, row))
    assert (told.state, told.reason, engine.provider.calls) == ("needs_attention", "not_as_written", [])


def test_however_late_what_is_done_is_done(desk: Desk):
    engine = Engine(desk, Scripted(resolution_bound_s=100))
    row = run(engine, begin(engine, CAPTURE), OutcomeUnknownError(""))
    assert run(engine, again(engine, row, later_s=200), shown(row, "captured", captured=427)).state == "captured"


def test_away_for_long_a_person_has_to_know(desk: Desk):
    engine = Engine(desk, Scripted(resolution_bound_s=100))
    row = run(engine, begin(engine, CAPTURE), NotSentError(""))
    assert (row.state, row.reason) == ("capturing", "not_sent")
    row = run(engine, again(engine, row, later_s=90), NotSentError(""))
    assert row.state == "capturing"
    row = run(engine, again(engine, row, later_s=60), NotSentError(""))
    assert (row.state, row.reason, last(engine, row).open_key) == ("needs_attention", "not_sent", row.id)


def test_unknown_for_long_a_person_has_to_know_and_the_provider_is_asked(desk: Desk):
    engine = Engine(desk, Scripted(resolution_bound_s=100))
    row = run(engine, begin(engine, CAPTURE), OutcomeUnknownError(""))
    assert engine.provider.calls == ["capture"]
    row = run(engine, again(engine, row, later_s=60), OutcomeUnknownError(""))
    assert (engine.provider.calls, row.state) == (["capture"], "capturing")
    row = run(engine, again(engine, row), OutcomeUnknownError(""), shown(row, "authorized", held=427))
    assert (engine.provider.calls, row.state) == (["capture", "get"], "needs_attention")
    # It may be found out by asking, and needs nobody then.
    row = run(engine, again(engine, row), OutcomeUnknownError(""), shown(row, "captured", captured=427))
    assert (engine.provider.calls, row.state) == (["capture", "get"], "captured")


def test_where_nothing_can_be_looked_up_only_a_person_is_left(desk: Desk):
    engine = Engine(desk, Scripted("no_lookup", resolution_bound_s=100))
    row = run(engine, begin(engine, CAPTURE), OutcomeUnknownError(""))
    row = run(engine, again(engine, row, later_s=200), OutcomeUnknownError(""))
    assert (engine.provider.calls, row.state) == (["capture"], "needs_attention")


def test_a_key_under_which_a_failure_is_kept_is_given_up(desk: Desk):
    engine = Engine(desk, Scripted(replays_errors=True, lookup=frozenset()))
    claim = engine.desk.placed("A-1")
    tombstone = shown(claim.redemption, "cancelled", points=0, order_reference="", member_id="")
    row = run(engine, claim, OutcomeUnknownError("", code="internal_error"), tombstone)
    assert (engine.provider.calls, row.state) == (["authorize", "cancel_by_key"], "abandoned")


def test_a_refusal_that_names_another_redemption_is_not_taken_for_it(engine: Engine):
    row = run(engine, engine.desk.placed("A-1"), LiveRedemptionError("", redemption_id="red-of-another"))
    assert (row.state, row.provider_id) == ("declined", None)


def test_a_refusal_that_names_what_was_captured_says_what_to_give_back(desk: Desk):
    engine = Engine(desk, Scripted("no_lookup"))
    row = engine.desk.placed("A-1").redemption
    engine.desk.clock.advance(60)
    claim = engine.desk.journal.supersede(row, CANCEL, lease_s=10)
    gone = shown(row, "reversed", captured=427, back=427)
    back = given_back(gone, 427, reference=f"release-{row.id[:20]}")
    after = run(engine, claim, AlreadyCapturedError("", redemption_id="red-A-1"), back)
    assert (engine.provider.calls, after.state) == (["cancel_by_key", "reverse"], "reversed")
    assert engine.provider.said[-1]["id"] == "red-A-1"


def test_how_often_bytes_went_out_is_kept(engine: Engine):
    lost = OutcomeUnknownError("")
    lost.sends = 2
    row = run(engine, begin(engine, CAPTURE), lost)
    assert last(engine, row).sends == 2
    unsent = NotSentError("")
    row = run(engine, again(engine, row), unsent)
    assert last(engine, row).sends == 2
    row = run(engine, again(engine, row), shown(row, "captured", captured=427, sends=3))
    assert last(engine, row).sends == 5


def test_an_operation_is_as_old_as_itself_and_giving_up_as_the_key_that_is_given_up(desk: Desk):
    engine = Engine(desk, Scripted(key_window_s=600))
    held = engine.desk.held("A-1")
    engine.desk.clock.advance(1000)
    claim = engine.desk.journal.begin_operation(held, CAPTURE, lease_s=10)
    row = run(engine, claim, OutcomeUnknownError(""))
    assert run(engine, again(engine, row), shown(row, "captured", captured=427)).state == "captured"
    assert engine.provider.calls == ["capture"]
    other = engine.desk.placed("A-2").redemption
    engine.desk.clock.advance(580)
    claim = engine.desk.journal.supersede(other, CANCEL, lease_s=10)
    row = run(engine, claim, OutcomeUnknownError(""))
    # Its own key is young; the one that it is to end is forgotten by now, and to end it would prove nothing.
    run(engine, again(engine, row), ())
    assert engine.provider.calls == ["find"]


def test_with_no_time_left_nothing_is_looked_up(engine: Engine):
    claim = begin(engine, CAPTURE)

    def late() -> Exception:
        engine.desk.clock.advance(1.96)
        return AlreadyCapturedError("")

    row = run(engine, claim, late)
    assert (engine.provider.calls, row.state, row.reason) == (["capture"], "capturing", "already_captured")


REVERSE = NextOperation(
    kind="reverse",
    cause="release",
    request={"points": 427, "value_minor": 427, "return_reference": "release-1"},
    state="reversing",
)


@pytest.mark.parametrize(
    ("refusal", "back", "state", "outcome"),
    [
        # Refused, and nothing of ours is there: somebody else gave points back, and that is what the row says.
        (ReversalExceedsCaptureError(""), 100, "partially_reversed", "not_done"),
        # An earlier send of ours has done it.
        (ReversalExceedsCaptureError(""), 427, "reversed", "done"),
        (StateConflictError("", code="not_captured"), 100, "reversing", "unknown"),
    ],
)
def test_what_became_of_a_reversal_that_is_refused(
    engine: Engine, refusal: Exception, back: int, state: str, outcome: str
):
    claim = begin(engine, REVERSE, captured_points=427, captured_minor=427)
    seen = shown(claim.redemption, "reversed" if back == 427 else "partially_reversed", captured=427, back=back)
    row = run(engine, claim, refusal, seen)
    assert (row.state, last(engine, row).outcome) == (state, outcome)


def test_what_is_only_looked_up_waits_longer_where_there_is_no_answer(engine: Engine):
    row = run(engine, begin(engine, EXTEND), OutcomeUnknownError(""), UnavailableError(""))
    assert (engine.provider.calls, row.state) == (["extend", "get"], "extending")
    before = last(engine, row)
    row = run(engine, again(engine, row), UnavailableError(""))
    assert engine.provider.calls == ["get"]
    assert last(engine, row).passes == before.passes + 1
    # Not even asked: as it was, and as due.
    before = last(engine, row)
    row, error = run_with_error(engine, again(engine, row), AWAY)
    assert error is AWAY
    assert last(engine, row) == before


def run_with_error(engine: Engine, claim: Claim, *answers: Any) -> tuple[RedemptionRow, Exception | None]:
    engine.provider.answers = list(answers)
    return engine.executor.run(claim, deadline_s=2.0)


def test_what_was_sent_and_cannot_be_looked_up_is_written_down(engine: Engine):
    row = run(engine, begin(engine, CAPTURE), AlreadyCapturedError(""), AWAY)
    assert (row.state, row.reason) == ("capturing", "already_captured")
    assert last(engine, row).passes == 1


def test_unknown_stays_unknown_until_there_is_evidence(engine: Engine):
    row = run(engine, begin(engine, CAPTURE), NotSentError(""))
    assert last(engine, row).outcome == "not_done"
    row = run(engine, again(engine, row), OutcomeUnknownError(""))
    assert last(engine, row).outcome == "unknown"
    row = run(engine, again(engine, row), NotSentError(""))
    assert last(engine, row).outcome == "unknown"
    row = run(engine, again(engine, row), shown(row, "captured", captured=427))
    assert last(engine, row).outcome == "done"


def waits_s(engine: Engine, row: RedemptionRow) -> float:
    """How long until the open operation is due."""
    return ((last(engine, row).next_at or 0) - engine.desk.journal.now_ms()) / 1000


def test_what_is_not_resolved_is_asked_about_less_and_less_often(engine: Engine):
    row = run(engine, begin(engine, CAPTURE), OutcomeUnknownError(""))
    waited = [waits_s(engine, row)]
    for _ in range(3):
        row = run(engine, again(engine, row), OutcomeUnknownError(""))
        waited.append(waits_s(engine, row))
    assert waited == [5, 10, 20, 40]
    # Away, and not a byte went out: once it is back nobody waits for long.
    row = run(engine, again(engine, row), NotSentError(""))
    assert waits_s(engine, row) == 30
    half = NotSentError("")
    half.sends = 1
    row = run(engine, again(engine, row), half)
    assert waits_s(engine, row) == 160
    row = run(engine, again(engine, row, later_s=200), NotSentError("", code="of_their_own"))
    assert waits_s(engine, row) == 320


def test_what_is_settling_is_not_asked_before_the_provider_wished(desk: Desk):
    engine = Engine(desk, Scripted(key_window_s=30, settle_s=10))
    lost = OutcomeUnknownError("")
    lost.retry_after_s = 300.0
    row = run(engine, begin(engine, CAPTURE), lost)
    assert waits_s(engine, row) == 300
    # Its key is forgotten by now: only looked up, and what does not show yet counts when all has settled.
    held = shown(row, "authorized", held=427)
    row = run(engine, again(engine, row), held)
    assert (last(engine, row).code, waits_s(engine, row)) == ("settling", 240)
    # Looked at before that it settles no earlier, and no later.
    row = run(engine, again(engine, row), held)
    assert (last(engine, row).code, waits_s(engine, row)) == ("settling", 180)
    row = run(engine, again(engine, row, later_s=180), held)
    assert (row.state, row.reason) == ("authorized", "proven_undone")


def test_settling_takes_as_long_as_the_provider_says(desk: Desk):
    engine = Engine(desk, Scripted("no_keys", settle_s=10))
    claim = begin(engine, CAPTURE)
    held = shown(claim.redemption, "authorized", held=427)
    row = run(engine, claim, OutcomeUnknownError(""), held)
    assert (engine.provider.calls, last(engine, row).code, waits_s(engine, row)) == (["capture", "get"], "settling", 10)
    row = run(engine, again(engine, row, later_s=4), held)
    assert (last(engine, row).code, waits_s(engine, row)) == ("settling", 6)
    row = run(engine, again(engine, row, later_s=6), held)
    assert (row.state, row.reason) == ("authorized", "proven_undone")


def parcel(number: int, *, points: int, is_last: bool) -> Callable[..., ShipmentRow]:
    """The plan of a shipment that takes so many points."""
    return lambda books, *_: ShipmentRow(
        redemption_id=books.redemption.id,
        number=number,
        reference=f"S-{number}",
        lines="{}",
        points=points,
        worth_minor=points,
        is_last=int(is_last),
        state="requested",
        operation_id=None,
        created_at=0,
    )


def test_a_parcel_that_waited_is_taken_next(engine: Engine):
    journal, claim = engine.desk.journal, begin(engine, EXTEND)
    _, _, first = journal.ship(
        claim.redemption.id, reference="S-1", plan=parcel(1, points=100, is_last=False), lease_s=9
    )
    assert first is None
    row = run(engine, claim, shown(claim.redemption, "authorized", held=427))
    taking = engine.executor.next_shipment(row, lease_s=10)
    assert taking is not None
    assert engine.executor.next_shipment(taking.redemption, lease_s=10) is None

    def leaves() -> Any:
        # The second one leaves while the first is being captured, and follows it by itself.
        assert journal.ship(row.id, reference="S-2", plan=parcel(2, points=327, is_last=True), lease_s=9)[2] is None
        return shown(row, "partially_captured", captured=100, held=327)

    row = run(engine, taking, leaves, shown(row, "captured", captured=427))
    assert (row.state, engine.provider.calls) == ("captured", ["capture", "capture"])
    assert [said["capture_reference"] for said in engine.provider.said[-2:]] == ["S-1", "S-2"]


def test_what_is_held_in_part_is_never_attached_but_given_up(engine: Engine):
    claim = engine.desk.placed("A-1")
    part = shown(claim.redemption, "authorized", held=300, points=300)
    tombstone = shown(claim.redemption, "cancelled", points=0, order_reference="", member_id="")
    row = run(engine, claim, part, (part,), tombstone)
    assert (engine.provider.calls, row.state) == (["authorize", "find", "cancel_by_key"], "abandoned")


def test_what_is_given_up_and_still_there_in_part_stays_unknown(engine: Engine):
    row = engine.desk.placed("A-1").redemption
    engine.desk.clock.advance(60)
    claim = engine.desk.journal.supersede(row, CANCEL, lease_s=10)
    part = shown(row, "authorized", held=300, points=300)
    row = run(engine, claim, StateConflictError("", code="not_captured"), (part,))
    assert (row.state, row.reason) == ("abandoning", "not_captured")


@pytest.mark.parametrize(
    ("points", "state", "reason"),
    [(427, "authorized", ""), (300, "authorizing", "held_in_part"), (0, "authorizing", "settling")],
)
def test_without_keys_what_shows_is_what_counts(desk: Desk, points: int, state: str, reason: str):
    engine = Engine(desk, Scripted("no_keys", cancel_by_key=False))
    claim = desk.placed("A-1")
    late = engine.desk.clock.now()
    found = shown(claim.redemption, "authorized", held=points, points=points, created_at=late, now=late)
    engine.provider.answers = [OutcomeUnknownError(""), (found,) if points else ()]
    engine.executor._follow = lambda row, *, lease_s: None  # type: ignore[method-assign]
    row, _ = engine.executor.run(claim, deadline_s=2.0)
    assert (row.state, row.reason, engine.provider.calls) == (state, reason, ["authorize", "find"])


def test_without_keys_the_goal_that_shows_is_reached(desk: Desk):
    engine = Engine(desk, Scripted("no_keys"))
    claim = begin(engine, CAPTURE)
    captured = shown(claim.redemption, "captured", captured=427)
    assert run(engine, claim, OutcomeUnknownError(""), captured).state == "captured"


def test_a_look_up_that_shows_nothing_new_changes_nothing(engine: Engine):
    held = engine.desk.held("A-1")
    assert engine.executor.note_evidence(held, shown(held, "authorized", held=427)) == held
    assert engine.now(held) == held
    gone = engine.executor.note_evidence(held, shown(held, "cancelled", released=427))
    assert (gone.state, gone.reason) == ("voided", "looked_up")
