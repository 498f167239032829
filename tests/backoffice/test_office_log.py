"""The log tells what was done, by whom, and nothing that was not: who did it stands in the commit that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from _office_shop import OPERATOR
from _there import there
from _world import CART, World
from punktgenau.checkout import Checkout
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.office import Office
from punktgenau.errors import InProgressError, ReturnConflictError, StateConflictError
from punktgenau.money import Money

WHO = {"actor": OPERATOR, "reason": "the customer called"}


class _Died(BaseException):
    """The process ended."""


def paid(world: World, checkout: Checkout) -> str:
    """Two lamps and shipping, 54.80, of which 427 points pay 4.27; the redemption's id."""
    world.order("A-1", "paid")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert there(checkout.capture("A-1")).state == "captured"
    return _id(checkout)


def unknown_capture(world: World, checkout: Checkout) -> str:
    """An order whose capture nobody could resolve; its redemption's id."""
    world.order("A-1", "paid")
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    for operation in ("capture", "get", "find"):
        world.provider.fault(operation, "reset", times=500)
    checkout.capture("A-1")
    world.advance(2 * 86_400)
    checkout.recover()
    world.provider.heal()
    assert there(checkout.find("A-1")).state == "needs_attention"
    return _id(checkout)


def _id(checkout: Checkout) -> str:
    return Office(checkout).searching.attempts("A-1")[-1].id


def told(office: Office) -> list[tuple[str, str]]:
    return [(one.kind, one.actor) for one in office.log()]


def test_money_that_was_not_written_down_is_no_deed(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = paid(world, checkout)
    # One of two lamps: 24.95, of which points pay 1.94.
    assert there(checkout.refund("A-1", return_reference="R-1", lines={"lamp": 1})).money_due.amount_minor == 2301
    checkout.money_refunded(
        "A-1", return_reference="R-1", psp_reference="p", amount=Money(amount_minor=1000, currency="EUR")
    )
    paying: dict[str, Any] = {"return_reference": "R-1", "actor": OPERATOR, "seen_minor": 1301}
    with pytest.raises(ReturnConflictError):
        office.money_refunded(redemption_id, psp_reference="p", **paying)
    assert told(office) == []
    assert [money.amount_minor for _, _, money in checkout.open_refunds()] == [1301]
    office.money_refunded(redemption_id, psp_reference="q", **paying)
    assert told(office) == [("money_refunded", OPERATOR)]
    assert office.log()[0].detail == {"return_reference": "R-1", "psp_reference": "q"}
    # The same form once more is the same payment.
    office.money_refunded(redemption_id, psp_reference="q", **paying)
    assert told(office) == [("money_refunded", OPERATOR)]
    assert list(checkout.open_refunds()) == []


def test_a_retry_that_finds_nothing_to_do_is_no_deed(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = paid(world, checkout)
    with pytest.raises(InProgressError):
        office.retry(redemption_id, **WHO)
    assert told(office) == []


def test_what_somebody_is_asking_about_is_not_resolved(world: World, checkout: Checkout, office: Office) -> None:
    redemption_id = unknown_capture(world, checkout)
    claim = there(checkout._journal.claim(redemption_id, lease_s=8))
    with pytest.raises(InProgressError):
        office.resolve(redemption_id, as_="not_done", **WHO)
    with pytest.raises(InProgressError):
        office.retry(redemption_id, **WHO)
    assert told(office) == []
    checkout._journal.put_back(claim)
    office.resolve(redemption_id, as_="not_done", **WHO)
    assert told(office) == [("resolve_not_done", OPERATOR)]


def test_a_decision_that_came_too_late_is_no_deed(
    world: World, checkout: Checkout, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    redemption_id = unknown_capture(world, checkout)

    def lost(*_: object, **__: object) -> None:
        raise LostSwapError

    monkeypatch.setattr(checkout._journal, "_finish_operation", lost)
    with pytest.raises(StateConflictError):
        office.resolve(redemption_id, as_="done", **WHO)
    assert told(office) == []


def _give_back(office: Office, redemption_id: str) -> None:
    office.give_back(redemption_id, **WHO)


def _resolve(office: Office, redemption_id: str) -> None:
    office.resolve(redemption_id, as_="give_back", **WHO)


@pytest.mark.parametrize(("made", "deed"), [(paid, _give_back), (unknown_capture, _resolve)])
def test_points_that_somebody_else_has_moved_meanwhile(
    world: World,
    checkout: Checkout,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    made: Callable[[World, Checkout], str],
    deed: Callable[[Office, str], None],
) -> None:
    redemption_id = made(world, checkout)
    real = checkout._journal.note_wish

    def late(*said: Any, **more: Any) -> Any:
        monkeypatch.setattr(checkout._journal, "note_wish", real)
        world.advance(1_000)
        checkout.cancel("A-1")
        checkout.recover()
        assert there(checkout.find("A-1")).state == "reversed"
        return real(*said, **more)

    monkeypatch.setattr(checkout._journal, "note_wish", late)
    with pytest.raises(InProgressError):
        deed(office, redemption_id)
    assert told(office) == []


def test_whoever_gives_back_is_named_even_if_the_process_dies_at_once(
    world: World, checkout: Checkout, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    redemption_id = paid(world, checkout)

    def dies(*_: object, **__: object) -> None:
        raise _Died

    with monkeypatch.context() as patched:
        patched.setattr(checkout._journal, "begin_operation", dies)
        with pytest.raises(_Died):
            office.give_back(redemption_id, **WHO)
    assert told(office) == [("cancel", OPERATOR)]
    # And recovery carries out what stands in the journal by then.
    checkout.recover()
    assert there(checkout.find("A-1")).state == "reversed"
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize("deed", [_give_back, _resolve])
def test_what_cannot_be_written_down_is_not_begun(
    world: World,
    checkout: Checkout,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    deed: Callable[[Office, str], None],
) -> None:
    redemption_id = (paid if deed is _give_back else unknown_capture)(world, checkout)
    before = there(checkout.find("A-1"))

    def refuses(*_: object, **__: object) -> None:
        raise _Died

    with monkeypatch.context() as patched:
        patched.setattr(type(office.actions), "record_in", refuses)
        with pytest.raises(_Died):
            deed(office, redemption_id)
    assert there(checkout.find("A-1")) == before
    assert checkout._journal.redemption(redemption_id).release_cause is None
