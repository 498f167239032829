"""Every change of the journal names what it replaces: what each of these conditions keeps out, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from _desk import Desk, row_for
from punktgenau.checkout.database import Transaction
from punktgenau.checkout.intent import NextOperation
from punktgenau.checkout.journal import BALANCE_AGED_MS, LEASE_MARGIN_MS, LostSwapError
from punktgenau.errors import InvalidArgumentError

CAPTURE = NextOperation(kind="capture", cause="paid", request={"points": 427}, state="capturing")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "journal.sqlite")
    with closing(desk.database):
        yield desk


def test_an_attempt_begins_live_and_authorizing(desk: Desk):
    for wrong in (replace(row_for("A-1"), live_key=None), row_for("A-1", state="authorized")):
        with pytest.raises(AssertionError):
            desk.journal.begin_attempt(wrong, {}, lease_s=10)
    assert desk.journal.latest("A-1") is None


def test_the_attempt_that_gives_up_its_place_is_as_it_was_seen(desk: Desk):
    short = desk.held("A-1")
    desk.journal.change(short, replace(short, reason="somebody was here"))
    with pytest.raises(LostSwapError):
        desk.journal.begin_attempt(row_for("A-1", number=2), {}, lease_s=10, instead_of=short)
    assert desk.journal.latest("A-1").attempt == 1
    seen = desk.journal.redemption(short.id)
    second = desk.journal.begin_attempt(row_for("A-1", number=2), {}, lease_s=10, instead_of=seen)
    assert (second.redemption.attempt, second.redemption.live_key) == (2, "live-A-1")
    first = desk.journal.redemption(short.id)
    assert (first.state, first.reason, first.live_key) == ("expired", "taken_anew", None)


def test_a_row_changes_only_as_it_was_seen(desk: Desk):
    seen, other = desk.held("A-1"), desk.held("A-2")
    changed = desk.journal.change(seen, replace(seen, reason="first"))
    assert (changed.version, changed.reason) == (seen.version + 1, "first")
    with pytest.raises(LostSwapError):
        desk.journal.change(seen, replace(seen, reason="second"))
    assert desk.journal.redemption(seen.id) == changed
    assert desk.journal.redemption(other.id) == other


def test_all_that_a_change_says_is_written(desk: Desk):
    seen = desk.held("A-1")
    said = {"settled_points": 7, "settled_minor": 8, "written_off_minor": 9, "kept_points": 5, "kept_minor": 6}
    changed = desk.journal.change(seen, replace(seen, amended_points=1, amended_minor=2, **said))
    assert desk.journal.redemption(seen.id) == changed
    assert (changed.settled_points, changed.written_off_minor) == (7, 9)


def test_a_row_that_is_looked_at_is_leased(desk: Desk):
    seen = desk.held("A-1", check_at=0)
    other = desk.held("A-2", check_at=0)
    taken = desk.journal.claim_check(seen.id, lease_s=10)
    assert taken is not None
    assert taken.lease_token == 1
    assert desk.journal.claim_check(seen.id, lease_s=10) is None
    assert desk.journal.redemption(other.id).lease_token == 0
    desk.clock.advance(10 + LEASE_MARGIN_MS / 1000)
    assert desk.journal.claim_check(seen.id, lease_s=10) is None
    desk.clock.advance(0.001)
    assert desk.journal.claim_check(seen.id, lease_s=10) is not None


def test_of_the_rows_that_are_due_the_one_that_is_free(desk: Desk):
    first, second = desk.held("A-1", check_at=1), desk.held("A-2", check_at=2)
    desk.held("A-3", check_at=desk.journal.now_ms() + 1)
    found = [desk.journal.claim_check(lease_s=10) for _ in range(3)]
    assert [row and row.id for row in found] == [first.id, second.id, None]


def test_nobody_looks_where_nothing_is_wished_any_more(desk: Desk):
    seen = desk.held("A-1")
    assert desk.journal.claim_check(seen.id, lease_s=10) is None


def test_a_row_is_given_back_by_whoever_has_it(desk: Desk):
    late, other = desk.held("A-1", check_at=0), desk.held("A-2", check_at=0)
    stale = desk.journal.claim_check(late.id, lease_s=1)
    desk.clock.advance(60)
    fresh, beside = (desk.journal.claim_check(row.id, lease_s=10) for row in (late, other))
    assert stale is not None
    assert fresh is not None
    assert beside is not None
    desk.journal.free_check(stale, check_at=None)
    assert desk.journal.redemption(late.id) == fresh
    # Another row with the same token is none of it.
    assert beside.lease_token == stale.lease_token
    assert desk.journal.redemption(other.id) == beside
    desk.journal.free_check(fresh, check_at=5)
    freed = desk.journal.redemption(late.id)
    assert (freed.lease_until, freed.check_at) == (0, 5)


def test_an_operation_is_taken_over_once_its_lease_has_ended(desk: Desk):
    claim, other = desk.placed("A-1"), desk.placed("A-2")
    desk.clock.advance(10 + LEASE_MARGIN_MS / 1000)
    assert desk.journal.claim(claim.redemption.id, lease_s=10) is None
    assert desk.journal.claim_operation(claim.operation.id, lease_s=10) is None
    assert desk.journal.claim_due(lease_s=10) is None
    desk.clock.advance(0.001)
    taken = desk.journal.claim_operation(claim.operation.id, lease_s=10)
    assert taken is not None
    assert (taken.token, taken.ends) == (2, desk.clock.monotonic() + 10 + LEASE_MARGIN_MS / 1000)
    assert desk.journal.operations(other.redemption.id)[0].lease_token == 1


def test_an_operation_that_is_finished_is_nobodys(desk: Desk):
    claim = desk.placed("A-1")
    after = replace(claim.redemption, state="authorized", provider_id="red-1")
    held = desk.finish(claim, after)
    assert desk.journal.claim_operation(claim.operation.id, lease_s=10) is None
    assert desk.journal.claim(held.id, lease_s=10) is None
    with pytest.raises(LostSwapError):
        # The same token, and no open operation any more: said twice is not done twice.
        desk.finish(claim, replace(held, state="captured"))
    assert desk.journal.redemption(held.id) == held


def test_a_result_is_about_its_own_operation(desk: Desk):
    claim, other = desk.placed("A-1"), desk.placed("A-2")
    before = desk.journal.operations(other.redemption.id)
    desk.finish(claim, replace(claim.redemption, state="declined"), reply={"id": "red-1"})
    assert desk.journal.operations(other.redemption.id) == before
    done = desk.journal.operations(claim.redemption.id)[0]
    assert (done.outcome, done.reply, done.open_key, done.next_at) == ("done", '{"id":"red-1"}', None, None)
    assert (done.lease_until, done.passes, done.sends) == (0, 1, 1)
    assert done.finished_at == desk.journal.now_ms()


def test_a_result_that_proves_nothing_leaves_the_operation_open(desk: Desk):
    claim = desk.placed("A-1")
    at = desk.journal.now_ms() + 5000
    desk.finish(claim, claim.redemption, outcome="unknown", next_at=at)
    still = desk.journal.operations(claim.redemption.id)[0]
    assert (still.open_key, still.next_at, still.finished_at) == (claim.redemption.id, at, None)
    assert still.reply is None


def test_whoever_stood_still_too_long_writes_nothing(desk: Desk):
    claim = desk.placed("A-1")
    desk.clock.advance(60)
    fresh = desk.journal.claim(claim.redemption.id, lease_s=10)
    assert fresh is not None
    with pytest.raises(LostSwapError):
        desk.finish(claim, replace(claim.redemption, state="authorized"))
    assert desk.journal.redemption(claim.redemption.id) == fresh.redemption


def test_what_is_being_sent_is_not_superseded(desk: Desk):
    claim = desk.placed("A-1")
    give_up = NextOperation(kind="cancel_by_key", cause="gone", request={}, state="abandoning")
    with pytest.raises(LostSwapError):
        desk.journal.supersede(claim.redemption, give_up, lease_s=10)
    desk.clock.advance(60)
    second = desk.journal.supersede(claim.redemption, give_up, lease_s=10)
    first, open_one = desk.journal.operations(claim.redemption.id)
    assert (first.outcome, first.code, first.open_key) == ("unknown", "superseded", None)
    assert (open_one.kind, open_one.open_key) == ("cancel_by_key", claim.redemption.id)
    # With none open there is nothing to close.
    abandoned = desk.finish(second, replace(second.redemption, state="needs_attention"))
    third = desk.journal.supersede(abandoned, replace(give_up, cause="gone again"), lease_s=10)
    assert third.redemption.state == "abandoning"


@pytest.mark.parametrize(
    ("noted", "began_with", "result", "state", "expected"),
    [
        # Noted while the call was under way: stays, whatever the result thought of it.
        ("customer", None, None, "captured", ("captured", "customer")),
        ("customer", None, "given_up", "captured", ("captured", "customer")),
        # Nothing was noted meanwhile: the result's word counts, also where it takes the wish away.
        (None, None, "given_up", "captured", ("captured", "given_up")),
        (None, "given_up", None, "captured", ("captured", None)),
        (None, None, None, "captured", ("captured", None)),
        # What is to go back is never short.
        ("customer", None, None, "short", ("expired", "customer")),
        (None, None, None, "short", ("short", None)),
    ],
)
def test_a_wish_that_is_noted_beside_a_call_is_kept(
    desk: Desk, noted: str | None, began_with: str | None, result: str | None, state: str, expected: tuple[str, str]
):
    held = desk.held("A-1")
    if began_with is not None:
        held = desk.journal.change(held, replace(held, release_cause=began_with))
    claim = desk.journal.begin_operation(held, CAPTURE, lease_s=10)
    if noted is not None:
        desk.journal.note_wish(replace(claim.redemption, release_cause=noted))
    row = desk.finish(claim, replace(claim.redemption, state=state, release_cause=result))
    assert (row.state, row.release_cause) == expected


@pytest.mark.parametrize(
    ("wish", "waits", "is_open", "state", "is_due"),
    [
        ("customer", False, False, "captured", True),
        (None, True, False, "captured", True),
        (None, False, False, "captured", False),
        # Its own operation is due first.
        ("customer", False, True, "capturing", False),
        ("customer", False, False, "voided", False),
    ],
)
def test_what_was_noted_beside_a_call_is_due_after_it(
    desk: Desk, wish: str | None, waits: bool, is_open: bool, state: str, is_due: bool
):
    claim = desk.journal.begin_operation(desk.held("A-1"), CAPTURE, lease_s=10)
    if wish is not None:
        desk.journal.note_wish(replace(claim.redemption, release_cause=wish))
    if waits:
        desk.journal.change(claim.redemption, replace(claim.redemption, check_at=3))
    row = desk.finish(claim, replace(claim.redemption, state=state), next_at=9 if is_open else None)
    assert row.check_at == (desk.journal.now_ms() if is_due else None)


def test_what_is_said_beside_a_result_is_written_with_it_or_not_at_all(desk: Desk):
    claim = desk.journal.begin_operation(desk.held("A-1"), CAPTURE, lease_s=10)
    asked = claim.redemption
    said: list[Transaction] = []

    def refuse(tx: Transaction) -> None:
        raise InvalidArgumentError("no")

    result: dict[str, Any] = {"outcome": "done", "code": None, "reply": None, "sends": 1, "next_at": None}
    with pytest.raises(InvalidArgumentError):
        desk.journal.finish(claim, replace(asked, state="captured"), **result, beside=refuse)
    assert desk.journal.redemption(asked.id).state == "capturing"
    row = desk.journal.finish(claim, replace(asked, state="captured"), **result, beside=said.append)
    assert (row.state, len(said)) == ("captured", 1)


def test_what_waits_for_an_operation_that_stays_open_waits_on(desk: Desk):
    claim = desk.journal.begin_operation(desk.held("A-1"), CAPTURE, lease_s=10)
    row = desk.finish(claim, replace(claim.redemption, check_at=8), outcome="unknown", next_at=9)
    assert row.check_at == 8
    desk.clock.advance(60)
    again = desk.journal.claim(row.id, lease_s=10)
    assert again is not None
    desk.journal.change(row, replace(row, check_at=3))
    row = desk.finish(again, replace(row, check_at=None), outcome="unknown", next_at=9)
    assert row.check_at == 3


def test_the_first_cause_stays_and_a_row_that_moved_on_takes_none(desk: Desk):
    held = desk.held("A-1")
    noted = desk.journal.note_wish(replace(held, release_cause="customer", check_at=7))
    assert (noted.release_cause, noted.check_at) == ("customer", 7)
    assert desk.journal.note_wish(replace(noted, release_cause="clerk")) == noted
    # Also for somebody who has not seen it yet.
    assert desk.journal.note_wish(replace(held, release_cause="clerk")) == noted
    other = desk.held("A-2")
    moved = desk.journal.change(other, replace(other, reason="moved on"))
    with pytest.raises(LostSwapError):
        desk.journal.note_wish(replace(other, release_cause="customer"))
    assert desk.journal.redemption(other.id) == moved


def test_what_is_closed_gives_its_place_up(desk: Desk):
    claim = desk.placed("A-1")
    declined = desk.finish(claim, replace(claim.redemption, state="declined"))
    assert (declined.live_key, desk.journal.redemption(declined.id).live_key) == (None, None)
    assert desk.held("A-2").live_key == "live-A-2"
    desk.journal.begin_attempt(row_for("A-1", number=2), {}, lease_s=10)


def test_a_link_goes_alone(desk: Desk):
    for customer in ("anna", "ben"):
        desk.links.put(customer, member_id=f"mbr_{customer}", consent_id="con")
    desk.links.drop("anna")
    assert desk.links.find("anna") is None
    assert desk.links.find("ben") is not None


def ages(desk: Desk) -> list[float]:
    return [link.balance_age_s for name in ("anna", "ben") if (link := desk.links.find(name)) is not None]


def test_a_balance_is_kept_for_the_member_that_it_is_of(desk: Desk):
    before = desk.links.put("anna", member_id="mbr_old", consent_id="con")
    desk.links.put("anna", member_id="mbr_new", consent_id="con")
    desk.links.put("ben", member_id="mbr_new", consent_id="con")
    untouched = ages(desk)
    assert min(untouched) > 1_000_000
    desk.links.keep_balance(before, None)
    assert ages(desk) == untouched
    link = desk.links.find("anna")
    assert link is not None
    desk.links.keep_balance(link, None)
    assert ages(desk) == [0.0, untouched[1]]


def test_points_that_move_make_their_owners_balance_older_never_newer(desk: Desk):
    for customer in ("anna", "ben"):
        link = desk.links.put(customer, member_id=f"mbr_{customer}", consent_id="con")
        desk.links.keep_balance(link, None)
    held = desk.held("A-1")
    aged_s = BALANCE_AGED_MS / 1000
    assert ages(desk) == [aged_s, 0.0]
    desk.clock.advance(100)
    assert ages(desk) == [aged_s + 100, 100]
    seen = desk.journal.change(held, replace(held, state="voided"))
    assert ages(desk) == [aged_s + 100, 100]
    # Where nothing moved, what was just asked stays as good as it is.
    link = desk.links.find("anna")
    assert link is not None
    desk.links.keep_balance(link, None)
    desk.journal.change(seen, replace(seen, reason="looked at"))
    assert ages(desk) == [0.0, 100]
