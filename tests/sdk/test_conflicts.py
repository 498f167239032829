"""What the provider refuses is told by a class of its own, and leaves its books as they were."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from _calls import authorize, eur
from punktgenau import (
    AlreadyCapturedError,
    AlreadyVoidedError,
    Client,
    HoldExpiredError,
    IdempotencyConflictError,
    InsufficientPointsError,
    LimitError,
    LiveRedemptionError,
    Money,
    NotFoundError,
    NotLinkedError,
    PunktgenauError,
    Redemption,
    RedemptionEndedError,
    ReversalExceedsCaptureError,
    StateConflictError,
)


@pytest.fixture
def held(shop: Client) -> Redemption:
    red: Redemption = authorize(shop)
    return red


def refusal(kind: type[PunktgenauError], call: Callable[[], object]) -> PunktgenauError:
    with pytest.raises(PunktgenauError) as caught:
        call()
    assert type(caught.value) is kind
    assert caught.value.outcome == "not_done"
    return caught.value


@pytest.mark.scenario("T4", "the same order reference under two keys: one hold, and the second call is told which")
def test_a_second_live_redemption_of_an_order_is_refused(held: Redemption, shop: Client, sandbox: Any) -> None:
    error = refusal(LiveRedemptionError, lambda: authorize(shop, idempotency_key="another-key"))
    assert (error.redemption_id, error.retry) == (held.id, "never")
    assert sandbox.movements() == {"hold": 1}
    assert sandbox.member()["available"] == 2073


@pytest.mark.scenario("T7", "two returns at once that exceed together what was captured: one wins, the other is told")
def test_parallel_returns_never_exceed_the_capture(held: Redemption, shop: Client, sandbox: Any) -> None:
    shop.redemptions.capture(held.id)
    start = threading.Barrier(2)

    def give_back(reference: str) -> object:
        start.wait(10)
        try:
            return shop.redemptions.reverse(held.id, points=300, return_reference=reference).points
        except ReversalExceedsCaptureError as error:
            return error.remaining

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(give_back, ("R-1", "R-2"))) == [127, 300]  # type: ignore[type-var]
    assert shop.redemptions.get(held.id).reversed_points == 300
    assert sandbox.member()["available"] == 2500 - 427 + 300


@pytest.mark.scenario("T56", "another currency than the programme's is refused, never converted")
def test_another_currency_is_refused(shop: Client, sandbox: Any) -> None:
    dollars = Money(amount_minor=5990, currency="USD")
    error = refusal(LimitError, lambda: authorize(shop, total=dollars, value=None, rate_id=None, lines=None))
    assert error.code == "currency_not_offered"
    assert refusal(
        LimitError, lambda: shop.redemptions.quote(member_id="mbr_2500", total=dollars, points=427)
    ).code == ("currency_not_offered")
    assert sandbox.movements() == {}


def test_more_than_there_is_names_what_remains(shop: Client) -> None:
    error = refusal(InsufficientPointsError, lambda: authorize(shop, points=2501, value=eur(2501)))
    assert (error.remaining, error.retry) == (2500, "new_attempt")
    assert "2500 points remain possible" in str(error)


def test_steps_out_of_order_have_their_own_errors(held: Redemption, shop: Client, sandbox: Any) -> None:
    calls = shop.redemptions
    too_early = refusal(StateConflictError, lambda: calls.reverse(held.id, points=1, return_reference="R-0"))
    assert too_early.code == "not_captured"
    too_much = refusal(StateConflictError, lambda: calls.capture(held.id, points=428))
    assert (too_much.code, too_much.remaining) == ("capture_exceeds_hold", 427)
    calls.capture(held.id, idempotency_key="capture-1")
    refusal(AlreadyCapturedError, lambda: calls.void(held.id))
    refusal(AlreadyCapturedError, lambda: calls.capture(held.id, idempotency_key="capture-2"))
    refusal(AlreadyCapturedError, lambda: calls.extend(held.id, hold_s=900))
    refusal(AlreadyCapturedError, lambda: calls.cancel_by_key(target_key=held.idempotency_key))
    calls.reverse(held.id, points=1, return_reference="R-1")
    other = refusal(
        IdempotencyConflictError,
        lambda: calls.reverse(held.id, points=2, return_reference="R-1", idempotency_key="reverse-2"),
    )
    assert other.code == "reference_reused"
    calls.reverse(held.id, points=426, return_reference="R-2")
    refusal(RedemptionEndedError, lambda: calls.capture(held.id, idempotency_key="capture-3"))
    assert sandbox.member()["available"] == 2500


def test_a_hold_that_was_released_stays_released(held: Redemption, shop: Client, sandbox: Any) -> None:
    shop.redemptions.void(held.id)
    refusal(AlreadyVoidedError, lambda: shop.redemptions.capture(held.id))
    refusal(AlreadyVoidedError, lambda: shop.redemptions.void(held.id, idempotency_key="void-2"))
    assert sandbox.member()["available"] == 2500


def test_a_hold_that_has_expired_cannot_be_captured(held: Redemption, shop: Client, sandbox: Any) -> None:
    sandbox.control("POST", "/clock", {"advance_s": 7201})
    error = refusal(HoldExpiredError, lambda: shop.redemptions.capture(held.id))
    assert error.retry == "new_attempt"
    assert shop.redemptions.get(held.id).state == "expired"


def test_capture_in_parts_over_the_wire(held: Redemption, shop: Client, sandbox: Any) -> None:
    first = shop.redemptions.capture(held.id, points=200, final=False, capture_reference="S-1")
    assert (first.state, first.held_points, first.captured_points) == ("partially_captured", 227, 200)
    last = shop.redemptions.capture(held.id, points=100, capture_reference="S-2")
    assert (last.state, last.captured_points, last.released_points) == ("captured", 300, 127)
    assert sandbox.member()["available"] == 2200


def test_nobody_elses_and_nobody_at_all(shop: Client, sandbox: Any) -> None:
    refusal(NotFoundError, lambda: shop.members.balance(member_id="mbr_nobody"))
    refusal(NotFoundError, lambda: shop.redemptions.get("red_9999"))
    assert shop.redemptions.find(order_reference="A-1001") == ()
    sandbox.control("POST", "/members/mbr_42/withdraw-consent", {})
    error = refusal(NotLinkedError, lambda: shop.members.balance(member_id="mbr_42"))
    assert error.code == "consent_revoked"
