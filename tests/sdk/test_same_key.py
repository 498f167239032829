"""Every write against the real sandbox: the same key from the first send to the last, and one effect in its books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from _calls import ACCRUAL_WRITES, SAMPLES, VOUCHER_WRITES, WRITES, assert_unknown, authorize, eur, failure, key_of
from punktgenau import (
    Client,
    IdempotencyConflictError,
    OutcomeUnknownError,
    PunktgenauError,
    Redemption,
    RedemptionEndedError,
    Reversal,
)


@dataclass(frozen=True)
class Case:
    """What comes before a write, what it leads to, and the same key for something else."""

    name: str
    state: str
    movements: dict[str, int]
    changes: int
    available: int
    before: Callable[[Client], object] = authorize
    other: dict[str, Any] = field(default_factory=dict)
    later: Callable[[Client, str], object] = lambda shop, red_id: None
    later_state: str = ""

    def begin(self, shop: Client) -> dict[str, str]:
        """What the write is about, made beforehand."""
        self.before(shop)
        if self.name in ("authorize", "cancel_by_key"):
            return {}
        return {"redemption_id": shop.redemptions.find(order_reference="A-1001")[0].id}

    def call(self, shop: Client, about: dict[str, str], **more: Any) -> Redemption | Reversal:
        got: Redemption | Reversal = SAMPLES[self.name](shop, **about, **more)
        return got

    def fail(self, shop: Client, about: dict[str, str], **more: Any) -> PunktgenauError:
        error = failure(self.name, shop, **about, **more)
        assert_unknown(error, self.name, **about)
        return error

    @property
    def key(self) -> str:
        return key_of(self.name) or ""


def held_and_captured(shop: Client) -> None:
    shop.redemptions.capture(authorize(shop).id)


def captured(shop: Client, red_id: str) -> None:
    shop.redemptions.capture(red_id)


def returned(points: int) -> Callable[[Client, str], object]:
    return lambda shop, red_id: shop.redemptions.reverse(red_id, points=points, return_reference="R-2")


CASES = {
    case.name: case
    for case in (
        Case(
            "authorize",
            "authorized",
            {"hold": 1},
            1,
            2073,
            before=lambda shop: None,
            other={"points": 426, "value": eur(426)},
            later=captured,
            later_state="captured",
        ),
        Case(
            "capture",
            "captured",
            {"hold": 1, "capture": 1},
            2,
            2073,
            other={"points": 426, "value": eur(426)},
            later=returned(50),
            later_state="partially_reversed",
        ),
        Case(
            "extend",
            "authorized",
            {"hold": 1},
            2,
            2073,
            other={"hold_s": 86_401},
            later=captured,
            later_state="captured",
        ),
        Case("void", "voided", {"hold": 1, "release": 1}, 2, 2500, later_state="voided"),
        Case(
            "reverse",
            "partially_reversed",
            {"hold": 1, "capture": 1, "reversal": 1},
            3,
            2173,
            before=held_and_captured,
            other={"points": 99, "value": eur(99)},
            later=returned(327),
            later_state="reversed",
        ),
        Case(
            "cancel_by_key",
            "cancelled",
            {"hold": 1, "release": 1},
            2,
            2500,
            other={"target_key": "another-key"},
            later_state="cancelled",
        ),
    )
}
ALL = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def redemption_of(got: Redemption | Reversal) -> Redemption:
    return got.redemption if isinstance(got, Reversal) else got


def assert_done_once(case: Case, sandbox: Any) -> None:
    """Exactly one effect: in the books, in the redemption's own count, and in what the member has."""
    [redemption] = sandbox.redemptions()
    assert (redemption["state"], redemption["sequence"]) == (case.state, case.changes)
    assert sandbox.movements() == case.movements
    assert sandbox.member()["available"] == case.available


def test_every_write_has_a_case() -> None:
    # Giving points and taking them back is about no redemption: test_accruals.
    assert (*CASES, *ACCRUAL_WRITES, *VOUCHER_WRITES) == WRITES


@ALL
def test_the_key_is_kept_over_repeats(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    sandbox.fault(case.name, "status_503", times=2)
    got = case.call(shop, about)
    assert (redemption_of(got).state, got.sends, got.replayed) == (case.state, 3, False)
    assert sandbox.keys(case.name)[-3:] == [case.key] * 3
    assert_done_once(case, sandbox)


@ALL
def test_the_same_call_again_answers_with_the_redemption_as_it_is_now(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    first = case.call(shop, about)
    assert (redemption_of(first).state, first.replayed, first.sends) == (case.state, False, 1)
    case.later(shop, redemption_of(first).id)
    again = case.call(shop, about)
    assert (redemption_of(again).state, again.replayed, again.sends) == (case.later_state, True, 1)
    assert redemption_of(again).id == redemption_of(first).id
    if isinstance(again, Reversal):
        assert (again.id, again.points) == (first.id, 100)


@ALL
def test_other_content_under_the_same_key_does_nothing(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    case.call(shop, about)
    if case.other:
        error = failure(case.name, shop, **about, **case.other)
    else:
        # A void says nothing but which redemption it is about, so another one is the other content.
        second = authorize(shop, order_reference="A-1002", idempotency_key="key-authorize-A-1002")
        with pytest.raises(IdempotencyConflictError) as caught:
            shop.redemptions.void(second.id, idempotency_key=case.key)
        error = caught.value
        assert shop.redemptions.void(second.id).state == "voided"
    assert type(error) is IdempotencyConflictError
    assert (error.code, error.outcome, error.retry) == ("idempotency_key_reused", "not_done", "never")
    assert error.idempotency_key == case.key
    [redemption] = sandbox.redemptions()
    assert (redemption["state"], redemption["sequence"]) == (case.state, case.changes)


@ALL
@pytest.mark.scenario("N13", "a page with 502 before anything was done: same key again, done once")
def test_a_page_instead_of_an_answer_is_no_answer(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    sandbox.fault(case.name, "html_502", times=2)
    got = case.call(shop, about)
    assert (redemption_of(got).state, got.sends) == (case.state, 3)
    assert sandbox.keys(case.name)[-3:] == [case.key] * 3
    assert_done_once(case, sandbox)


@ALL
@pytest.mark.scenario("N13", "nothing but pages: unknown with its key; the next call finds out, the same call ends it")
def test_nothing_but_pages_leaves_it_unknown(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    sandbox.fault(case.name, "html_502", times=2)
    sandbox.fault(case.name, "html_502", when="after", times=9)
    error = case.fail(shop, about)
    assert (error.sends, sandbox.keys(case.name)[-3:]) == (3, [case.key] * 3)

    sandbox.control("DELETE", "/faults")
    assert looked_up(shop, error).state == case.state
    assert case.call(shop, about).replayed is True
    assert_done_once(case, sandbox)


def looked_up(shop: Client, error: Any) -> Redemption:
    """What the call that the error names says."""
    found = eval(f"shop.{error.next_call}", {"shop": shop})
    redemption: Redemption = found[0] if isinstance(found, tuple) else found
    return redemption


LOST = {
    "reset": [pytest.mark.scenario("N4", "reset although it was done: the same key tells, one effect")],
    "truncated_body": [pytest.mark.scenario("N9", "cut short although it was done: the same key tells, one effect")],
    "html_200": [pytest.mark.scenario("N13", "a page although it was done: the same key tells, one effect")],
    "html_502": [pytest.mark.scenario("P1", "502 although it was done: the same key tells, one effect")],
    "empty_200": [],
    "other_json_200": [],
    "malformed_json": [],
    "status_500": [pytest.mark.scenario("P1", "500 although it was done: the same key tells, one effect")],
    "status_503": [pytest.mark.scenario("P1", "503 although it was done: the same key tells, one effect")],
    "redirect": [],
}
# The sandbox takes its time to make these.
HEAVY = ("huge_body", "gzip_bomb")


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        *(
            pytest.param(case, kind, id=f"{kind}-{case.name}", marks=marks)
            for kind, marks in LOST.items()
            for case in CASES.values()
        ),
        *(pytest.param(CASES["authorize"], kind, id=f"{kind}-authorize") for kind in HEAVY),
    ],
)
def test_an_answer_lost_after_the_change_leaves_one_effect(case: Case, kind: str, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    sandbox.fault(case.name, kind, when="after")
    got = case.call(shop, about)
    assert (redemption_of(got).state, got.sends, got.replayed) == (case.state, 2, True)
    assert sandbox.keys(case.name)[-2:] == [case.key] * 2
    assert_done_once(case, sandbox)


@ALL
@pytest.mark.scenario("N6", "no answer in time although it was done: unknown, then done, one effect")
def test_an_answer_that_never_comes_is_found_by_the_same_call(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    sandbox.fault(case.name, "hang", when="after", delay_s=5)
    error = case.fail(shop, about, deadline_s=0.3)
    assert looked_up(shop, error).state == case.state
    assert case.call(shop, about).replayed is True
    assert_done_once(case, sandbox)


@ALL
@pytest.mark.scenario("N7", "no answer in time and nothing done: unknown, then done by the same call, one effect")
def test_a_request_that_was_swallowed_is_done_by_the_same_call(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    sandbox.fault(case.name, "hang", when="before", delay_s=5)
    case.fail(shop, about, deadline_s=0.3)
    got = case.call(shop, about)
    assert (redemption_of(got).state, got.replayed) == (case.state, False)
    assert_done_once(case, sandbox)


@ALL
@pytest.mark.scenario("P4", "409 in flight: waited for with the same key, no error to anybody")
def test_in_progress_is_waited_for(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    sandbox.fault(case.name, "in_progress_409", when="after", times=2)
    got = case.call(shop, about)
    assert (redemption_of(got).state, got.sends, got.replayed) == (case.state, 3, True)
    assert_done_once(case, sandbox)


@ALL
@pytest.mark.scenario("P17", "a token that ended between two calls: a new one, the same key, one effect")
def test_a_token_that_ended_costs_no_error(case: Case, shop: Client, sandbox: Any) -> None:
    about = case.begin(shop)
    shop.members.balance(member_id="mbr_2500")
    shop._transport._token._header = "Bearer pat_of_yesterday"
    got = case.call(shop, about)
    assert (redemption_of(got).state, got.sends, got.replayed) == (case.state, 2, False)
    assert sandbox.keys(case.name)[-2:] == [case.key] * 2
    assert_done_once(case, sandbox)


# Attempts.


@pytest.mark.scenario("P2", "500 for this key, for ever: the call stays unknown and no new key is made up")
def test_an_error_that_is_replayed_is_never_taken_for_proof(shop: Client, sandbox: Any) -> None:
    sandbox.fault("authorize", "replayed_500", when="after")
    assert type(failure("authorize", shop)) is OutcomeUnknownError
    error = failure("authorize", shop)
    assert_unknown(error, "authorize")
    assert set(sandbox.keys("authorize")) == {"key-authorize-A-1001"}
    assert looked_up(shop, error).state == "authorized"
    assert sandbox.movements() == {"hold": 1}


def test_a_hold_that_has_ended_needs_another_attempt(shop: Client, sandbox: Any) -> None:
    total = eur(5990)

    def place(attempt: int) -> Redemption:
        return shop.redemptions.authorize(
            member_id="mbr_2500", order_reference="A-1001", total=total, points=427, attempt=attempt
        )

    first = place(1)
    shop.redemptions.void(first.id)
    with pytest.raises(RedemptionEndedError) as caught:
        place(1)
    assert (caught.value.retry, caught.value.redemption_id, caught.value.sends) == ("new_attempt", first.id, 1)
    second = place(2)
    assert (second.state, second.replayed) == ("authorized", False)
    assert place(2).replayed is True
    assert [red.id for red in shop.redemptions.find(order_reference="A-1001")] == [second.id, first.id]


def test_a_key_that_was_cancelled_before_it_arrived_does_nothing_for_ever(shop: Client, sandbox: Any) -> None:
    assert shop.redemptions.cancel_by_key(target_key="key-authorize-A-1001").state == "cancelled"
    error = failure("authorize", shop)
    assert (type(error), error.code, error.outcome) == (RedemptionEndedError, "key_cancelled", "not_done")
    assert sandbox.movements() == {}
