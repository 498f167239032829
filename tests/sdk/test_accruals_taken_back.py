"""Pending points that are posted and taken back: one effect per key and return, a full echo or unknown."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest

from _calls import PENDING, accrue, assert_unknown, claw_back, failure, reply
from _canned import Canned, answer
from punktgenau import Client, IdempotencyConflictError, InvalidArgumentError, StateConflictError
from punktgenau.accrual_records import AccrualReversal

DAY_S = 86_400


def test_pending_points_are_posted_when_due_and_once(shop: Client, sandbox: Any) -> None:
    made = accrue(shop, **PENDING)
    assert (made.state, made.pending_in_s, made.expires_at) == ("pending", 14 * DAY_S, None)
    error = failure("post_accrual", shop, accrual_id=made.id)
    assert (type(error), error.code, error.outcome, error.retry) == (
        StateConflictError,
        "accrual_not_due",
        "not_done",
        "same_key",
    )
    sandbox.control("POST", "/clock", {"advance_s": 14 * DAY_S})
    assert shop.members.balance(member_id="mbr_2500").pending == 100
    sandbox.fault("post_accrual", "status_503", when="after", times=1)
    posted = shop.accruals.post(made.id)
    assert (posted.state, posted.sends, posted.replayed, posted.pending_until) == ("posted", 2, True, None)
    assert sandbox.member()["available"] == 2600
    assert sandbox.movements() == {"accrual": 1, "accrual_posted": 1}


def test_a_return_takes_back_once_over_repeats(shop: Client, sandbox: Any) -> None:
    made = accrue(shop)
    sandbox.fault("reverse_accrual", "reset", when="after", times=3)
    error = failure("reverse_accrual", shop, accrual_id=made.id)
    assert_unknown(error, "reverse_accrual", accrual_id=made.id)
    assert shop.accruals.get(made.id).reversed_points == 40
    again = claw_back(shop, accrual_id=made.id)
    assert (again.taken_available, again.taken, again.not_taken, again.replayed) == (40, 40, 0, True)
    assert sandbox.member()["available"] == 2560
    other = failure("reverse_accrual", shop, accrual_id=made.id, points=41)
    assert (type(other), other.code) == (IdempotencyConflictError, "idempotency_key_reused")


def test_missing_keys_are_derived_from_accrual_and_return(shop: Client, sandbox: Any) -> None:
    made = accrue(shop)
    first, again, other = (
        claw_back(shop, accrual_id=made.id, idempotency_key=None, return_reference=name)
        for name in ("R-1", "R-1", "R-2")
    )
    assert first.id == again.id != other.id
    assert first.idempotency_key == again.idempotency_key != other.idempotency_key
    posts = [shop.accruals.post(made.id) for _ in range(2)]
    assert [one.replayed for one in posts] == [False, True]
    assert sandbox.member()["available"] == 2520


def test_more_than_is_left_says_how_much_is(shop: Client) -> None:
    about = {"accrual_id": accrue(shop).id}
    claw_back(shop, **about)
    error = failure("reverse_accrual", shop, **about, points=61, return_reference="R-2", idempotency_key="key-2")
    assert (type(error), error.code, error.remaining) == (StateConflictError, "reversal_exceeds_accrual", 60)


def test_below_zero_only_where_it_is_said(shop: Client) -> None:
    about = {"accrual_id": accrue(shop, member_id="mbr_0").id}
    shop.redemptions.authorize(
        member_id="mbr_0",
        order_reference="B-1",
        total=shop.members.balance(member_id="mbr_0").rate.worth(5000),
        points=100,
        capture="now",
    )
    to_zero = claw_back(shop, **about)
    below = claw_back(shop, **about, return_reference="R-2", idempotency_key="key-2", below_zero=True)
    assert (to_zero.not_taken, to_zero.taken, below.not_taken, below.taken_below_zero) == (40, 0, 0, 40)
    assert shop.members.balance(member_id="mbr_0").available == -40


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"accrual_id": "acc_0002"}, "accrual_id"),
        ({"return_reference": "R-9"}, "return_reference"),
        ({"points": 39}, "points"),
        ({"taken_pending": 39}, "points"),
        ({"taken_pending": 30, "taken_below_zero": 10}, "taken_below_zero"),
    ],
)
def test_a_reversal_of_something_else_is_unknown(
    client: Client, server: Canned, changes: dict[str, Any], field: str
) -> None:
    server.next(answer({**reply("reverse_accrual"), **changes}, 201))
    error = failure("reverse_accrual", client)
    assert_unknown(error, "reverse_accrual")
    assert (error.code, error.field) == ("wrong_echo", field)


@pytest.mark.parametrize(("changes", "field"), [({"id": "acc_0002"}, "id"), ({"state": "pending"}, "state")])
def test_an_answer_that_posts_something_else_is_unknown(
    client: Client, server: Canned, changes: dict[str, Any], field: str
) -> None:
    server.next(answer({**reply("post_accrual"), **changes}))
    error = failure("post_accrual", client)
    assert_unknown(error, "post_accrual")
    assert (error.code, error.field) == ("wrong_echo", field)


@pytest.mark.parametrize(("name", "state"), [("accrue_pending", "posted"), ("accrue", "pending")])
def test_points_that_do_not_wait_as_asked_are_unknown(client: Client, server: Canned, name: str, state: str) -> None:
    server.next(answer({**reply(name), "state": state}, 201))
    error = failure(name, client)
    assert (error.code, error.field, error.outcome) == ("wrong_echo", "state", "unknown")


def test_a_repeat_tells_what_became_of_them_meanwhile(client: Client, server: Canned) -> None:
    later = {**reply("accrue_pending"), "state": "posted"}
    server.next(answer(later, headers={"Idempotency-Replayed": "true"}))
    assert accrue(client, **PENDING).state == "posted"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("accrue", {"pending_s": -1}),
        ("accrue", {"pending_s": 400 * DAY_S + 1}),
        ("accrue", {"pending_s": True}),
        ("accrue", {"pending_s": 60.0}),
        ("reverse_accrual", {"points": 0}),
        ("reverse_accrual", {"below_zero": 1}),
        ("reverse_accrual", {"reason": ""}),
        ("reverse_accrual", {"return_reference": "x" * 37}),
        ("post_accrual", {"accrual_id": ".."}),
        ("entries_filtered", {"kinds": ("earned", "all")}),
        ("entries_filtered", {"kinds": ()}),
        ("entries_filtered", {"since": "2026-11-01"}),
        ("entries_filtered", {"until": datetime(2026, 11, 30)}),
        ("entries_filtered", {"limit": 101}),
        ("entries_filtered", {"limit": 0}),
    ],
)
def test_what_cannot_be_meant_is_not_sent(client: Client, server: Canned, name: str, wrong: dict[str, Any]) -> None:
    error = failure(name, client, **wrong)
    assert (type(error), error.field) == (InvalidArgumentError, next(iter(wrong)))
    assert server.seen == []


def test_movements_are_read_by_group_and_day(shop: Client) -> None:
    made = accrue(shop, **PENDING)
    claw_back(shop, accrual_id=made.id)
    entries = shop.members.entries(member_id="mbr_2500", kinds=("earned",)).items
    assert [(one.kind, one.points, one.pending_points, one.accrual_id) for one in entries] == [
        ("claw_back", 0, -40, made.id),
        ("accrual", 0, 100, made.id),
    ]
    assert [one.reason for one in entries] == ["Returned, order A-1001", "Earned with order A-1001"]
    assert shop.members.entries(member_id="mbr_2500", until=date(2000, 1, 1)).items == ()
    assert shop.members.balance(member_id="mbr_2500").pending == 60


def test_what_was_taken_is_the_sum_of_its_parts() -> None:
    wire = reply("reverse_accrual_posted")
    record = AccrualReversal.model_validate_json(json.dumps(wire))
    assert (record.taken_available, record.taken_below_zero, record.taken) == (70, 30, 100)
