"""Giving points: one effect per key and reference, a full echo or unknown, and how what was given is found."""

from __future__ import annotations

from typing import Any

import pytest

from _calls import accrue, assert_unknown, failure, reply
from _canned import Canned, answer
from punktgenau import (
    Client,
    IdempotencyConflictError,
    InvalidArgumentError,
    MemberBlockedError,
    UnexpectedResponseError,
)


def test_the_same_key_gives_once_over_repeats(shop: Client, sandbox: Any) -> None:
    sandbox.fault("accrue", "status_503", times=2)
    first = accrue(shop)
    again = accrue(shop)
    assert (first.points, first.sends, first.replayed) == (100, 3, False)
    assert (again.id, again.sends, again.replayed) == (first.id, 1, True)
    assert sandbox.keys("accrue") == ["key-accrue-1"] * 4
    assert sandbox.member()["available"] == 2600
    assert sandbox.movements() == {"accrual": 1}


def test_an_answer_that_is_lost_is_unknown_and_found_by_its_key(shop: Client, sandbox: Any) -> None:
    sandbox.fault("accrue", "reset", when="after", times=3)
    error = failure("accrue", shop)
    assert_unknown(error, "accrue")
    [found] = shop.accruals.find(idempotency_key="key-accrue-1")
    assert (found.state, found.points, found.accrual_reference) == ("posted", 100, "new-R-1")
    assert shop.accruals.get(found.id) == found
    assert sandbox.member()["available"] == 2600


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"points": 99}, "idempotency_key_reused"),
        ({"idempotency_key": "key-accrue-2"}, "reference_reused"),
    ],
)
def test_other_content_gives_nothing(shop: Client, sandbox: Any, changes: dict[str, Any], code: str) -> None:
    accrue(shop)
    error = failure("accrue", shop, **changes)
    assert (type(error), error.code, error.outcome) == (IdempotencyConflictError, code, "not_done")
    assert sandbox.member()["available"] == 2600


def test_a_missing_key_is_derived_from_the_reference(shop: Client, sandbox: Any) -> None:
    first, again, other = (
        accrue(shop, idempotency_key=None, accrual_reference=reference) for reference in ("n-1", "n-1", "n-2")
    )
    assert again.id == first.id != other.id
    assert first.idempotency_key == again.idempotency_key != other.idempotency_key
    assert sandbox.member()["available"] == 2700


def test_more_than_a_page_of_them_is_found(shop: Client) -> None:
    for number in range(21):
        accrue(shop, idempotency_key=None, accrual_reference=f"n-{number}", points=1)
    found = shop.accruals.find(order_reference="A-1001")
    assert [one.accrual_reference for one in found] == [f"n-{number}" for number in reversed(range(21))]


def test_a_blocked_member_gets_none(shop: Client, sandbox: Any) -> None:
    sandbox.control("POST", "/members", {"id": "mbr_2500", "state": "blocked"})
    assert type(failure("accrue", shop)) is MemberBlockedError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("points", 99),
        ("member_id", "mbr_42"),
        ("order_reference", "A-1002"),
        ("accrual_reference", "new-R-2"),
        ("idempotency_key", "key-accrue-9"),
    ],
)
def test_an_answer_about_something_else_is_unknown(client: Client, server: Canned, field: str, value: Any) -> None:
    server.next(answer({**reply("accrue"), field: value}, 201))
    error = failure("accrue", client)
    assert_unknown(error, "accrue")
    assert (error.code, error.field) == ("wrong_echo", field)


def test_a_look_up_that_answers_about_something_else_shows_nothing(client: Client, server: Canned) -> None:
    server.next(answer({**reply("find_accruals"), "items": [{**reply("accrue"), "order_reference": "A-1002"}]}))
    assert type(failure("find_accruals", client)) is UnexpectedResponseError
    server.next(answer({**reply("accrue"), "id": "acc_0002"}))
    assert type(failure("get_accrual", client)) is UnexpectedResponseError


@pytest.mark.parametrize(
    "wrong", [{"points": 0}, {"points": True}, {"reason": ""}, {"reason": "x" * 201}, {"accrual_reference": "x" * 37}]
)
def test_what_cannot_be_meant_is_not_sent(client: Client, server: Canned, wrong: dict[str, Any]) -> None:
    error = failure("accrue", client, **wrong)
    assert (type(error), error.field) == (InvalidArgumentError, next(iter(wrong)))
    assert server.seen == []


def test_a_look_up_needs_one_of_two(client: Client) -> None:
    with pytest.raises(InvalidArgumentError):
        client.accruals.find()
    with pytest.raises(InvalidArgumentError):
        client.accruals.find(order_reference="A-1001", idempotency_key="key-accrue-1")
