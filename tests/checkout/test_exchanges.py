"""Points that become a voucher or money: once per form, whatever gets lost; the code is told and kept nowhere."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import sqlalchemy

from _commits import counted_commits
from _world import World
from punktgenau import (
    AmountChangedError,
    DeclinedError,
    IdempotencyConflictError,
    InsufficientPointsError,
    InvalidArgumentError,
    NotLinkedError,
    OutcomeUnknownError,
    VoucherError,
)
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.errors import ConfigurationError, StateConflictError
from punktgenau.provider import PROFILES
from punktgenau.webhooks import Event

FORM = "f0rm" * 4


def buy(
    shop: Checkout, product: str = "voucher_10", points: int = 1000, form: str = FORM, customer: str = "anna"
) -> Any:
    return shop.buy_voucher("anna", product, points=points, form=form)


def decide(world: World, payout_id: str, **body: Any) -> None:
    reply = requests.post(f"{world.provider.url}/sandbox/payouts/{payout_id}", json=body, timeout=20)
    assert reply.ok, reply.text


def kept(world: World) -> list[dict[str, Any]]:
    """Every row as it stands, all columns."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT * FROM punktgenau_exchange ORDER BY created_at, id"))
        found = [dict(row._mapping) for row in rows]
    engine.dispose()
    return found


def free_leases(world: World) -> None:
    """As time would: PostgreSQL judges by its own clock, which no test moves."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_exchange SET lease_until = 0"))
    engine.dispose()


def test_points_become_a_voucher_in_two_commits(world: World, checkout: Checkout):
    with counted_commits(checkout._database) as commits:
        bought = buy(checkout)
    assert (bought.kind, bought.state, bought.points, bought.value.amount_minor) == ("voucher", "done", 1000, 1000)
    assert bought.code is not None
    assert bought.code[-4:] == bought.hint
    assert len(commits) == 2
    assert world.provider.points() == (1500, 0)
    [mine] = checkout.vouchers("anna")
    assert (mine.id, mine.left.amount_minor, mine.code) == (bought.provider_id, 1000, None)
    [told] = checkout.exchanges("anna")
    assert (told.state, told.hint, told.code) == ("done", bought.hint, None)


@pytest.mark.scenario("S15", "a voucher's code is in no row of the journal, no log and no repr")
def test_the_code_is_kept_nowhere(world: World, checkout: Checkout, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.NOTSET)
    bought = buy(checkout)
    bare = bought.code.replace("-", "")
    rows = str(kept(world)) + caplog.text + repr(bought) + repr(checkout.exchanges("anna"))
    assert bought.code not in rows
    assert bare not in rows


def test_the_same_form_buys_once_and_tells_the_code_again(world: World, checkout: Checkout):
    first, again = buy(checkout), buy(checkout)
    assert (again.reference, again.code) == (first.reference, first.code)
    assert world.provider.points() == (1500, 0)
    other = buy(checkout, form="another" * 2)
    assert other.reference != first.reference
    assert world.provider.points() == (500, 0)
    with pytest.raises(IdempotencyConflictError):
        checkout.request_payout("anna", 5, form=FORM)
    assert world.provider.points() == (500, 0)


@pytest.mark.scenario("N4", "an answer that is lost after the points left: repeated under its key, bought once")
@pytest.mark.parametrize("kind", ["voucher", "payout"])
def test_a_lost_answer_is_ended_by_recovery(world: World, checkout: Checkout, kind: str):
    world.provider.fault("buy_voucher" if kind == "voucher" else "payout", "reset", times=5)
    told = buy(checkout) if kind == "voucher" else checkout.request_payout("anna", 1000, form=FORM)
    assert (told.state, told.code) == ("sending", None)
    assert world.provider.points() == (1500, 0)
    world.provider.heal()
    other = world.checkout()
    world.advance(60)
    assert other.recover().still_open == 0
    [known] = other.exchanges("anna")
    assert known.state == ("done" if kind == "voucher" else "requested")
    assert world.provider.points() == (1500, 0)
    if kind == "voucher":
        # Whoever sends the form again is told the code after all.
        assert buy(other).code[-4:] == known.hint


@pytest.mark.scenario("C4", "killed between intent and answer: the intent stands, and recovery makes the call once")
@pytest.mark.parametrize("arrived", [False, True])
def test_a_process_that_dies_while_sending(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch, arrived: bool
):
    class Killed(BaseException):
        pass

    port = type(checkout._provider.vouchers)
    buy_really = port.buy

    def die(self: Any, **asked: Any) -> Any:
        if arrived:
            buy_really(self, **asked)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(port, "buy", die)
        with pytest.raises(Killed):
            buy(checkout)
    assert world.provider.points() == ((1500, 0) if arrived else (2500, 0))
    other = world.checkout()
    free_leases(world)
    world.advance(60)
    other.recover()
    assert [(one.state, one.points) for one in other.exchanges("anna")] == [("done", 1000)]
    assert world.provider.points() == (1500, 0)
    assert other.recover().still_open == 0


def test_a_double_click_shows_both_the_same_voucher(world: World, checkout: Checkout):
    world.provider.fault("buy_voucher", "hang", when="after", times=1, delay_s=0.4)
    other = world.checkout()
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(buy, (checkout, other))
    assert first.code == second.code is not None
    assert world.provider.points() == (1500, 0)


def test_without_a_worker_whoever_left_it_open_ends_it(world: World, checkout: Checkout):
    world.provider.fault("buy_voucher", "reset", times=5)
    buy(checkout)
    world.provider.heal()
    world.advance(60)
    other = world.checkout()
    assert other.recover_one(deadline_s=2.0) is False
    assert checkout.recover_one(deadline_s=2.0) is True
    assert checkout.exchanges("anna")[0].state == "done"
    assert checkout.recover_one(deadline_s=2.0) is False
    assert world.provider.points() == (1500, 0)


def test_an_adapters_defect_puts_one_off_and_not_the_others(
    world: World, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
):
    world.provider.fault("buy_voucher", "reset", times=5)
    buy(checkout)
    world.provider.heal()
    port = type(checkout._provider.vouchers)
    with monkeypatch.context() as patch:
        patch.setattr(port, "buy", lambda self, **asked: 1 / 0)
        world.advance(60)
        assert checkout.recover().still_open == 1
    assert checkout.exchanges("anna")[0].state == "sending"
    world.advance(3600)
    checkout.recover()
    assert (checkout.exchanges("anna")[0].state, world.provider.points()) == ("done", (1500, 0))


def test_what_is_refused_moves_nothing_and_is_told_again(world: World, checkout: Checkout):
    with pytest.raises(InsufficientPointsError):
        buy(checkout, "voucher_50", 5000)
    with pytest.raises(DeclinedError) as again:
        buy(checkout, "voucher_50", 5000)
    assert again.value.code == "insufficient_points"
    [told] = checkout.exchanges("anna")
    assert (told.state, told.reason) == ("declined", "insufficient_points")
    assert world.provider.sent("buy_voucher") == 1
    with pytest.raises(DeclinedError) as missing:
        checkout.request_payout("ben", 7, form=FORM)
    assert missing.value.code == "payout_account_missing"
    assert world.provider.points() == (2500, 0)


def test_a_price_that_was_not_shown_buys_nothing(world: World, checkout: Checkout):
    with pytest.raises(AmountChangedError) as changed:
        buy(checkout, points=999)
    assert changed.value.remaining == 1000
    with pytest.raises(VoucherError):
        buy(checkout, "voucher_11")
    assert (kept(world), world.provider.sent("buy_voucher")) == ([], 0)


@pytest.mark.parametrize("wrong", ["", "short", "f" * 65, "with-a-dash-in", "ünïcödé²²²²"])
def test_a_form_that_cannot_be_meant(checkout: Checkout, wrong: str):
    with pytest.raises((InvalidArgumentError, NotLinkedError)):
        checkout.request_payout("nobody", 5, form=wrong)


def test_nobody_exchanges_for_somebody_unlinked(world: World, checkout: Checkout):
    with pytest.raises(NotLinkedError):
        checkout.request_payout("nobody", 5, form=FORM)
    world.provider.withdraw_consent("mbr_2500")
    with pytest.raises(NotLinkedError):
        checkout.request_payout("anna", 5, form=FORM)
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize(("state", "points"), [("paid", 1500), ("rejected", 2500)])
def test_an_event_makes_a_payout_be_asked_for(world: World, checkout: Checkout, state: str, points: int):
    asked = checkout.request_payout("anna", 1000, form=FORM)
    assert (asked.state, asked.value.amount_minor, asked.hint) == ("requested", 1000, "DE… 4711")
    world.advance(60)
    checkout.recover(due_only=True)
    assert checkout.exchanges("anna")[0].state == "requested"
    decide(world, asked.provider_id, state=state, **({"reason": "Closed"} if state == "rejected" else {}))
    heard = Event.model_validate(
        {
            "id": "evt_9", "type": f"payout.{state}", "timestamp": "2026-11-22T10:00:00Z", "sequence": 9,
            "data": {"payout_id": asked.provider_id, "state": "paid"},
        },
        strict=False,
    )  # fmt: skip
    assert (checkout.hear(heard), checkout.hear(heard)) == ("matched", "repeated")
    checkout.recover(due_only=True)
    [told] = checkout.exchanges("anna")
    # By the provider's own answer, whatever the event said.
    assert (told.state, told.reason) == (state, "Closed" if state == "rejected" else "")
    assert world.provider.points() == (points, 0)


def test_a_payout_that_nobody_tells_about_is_asked_for_once_a_day(world: World, checkout: Checkout):
    asked = checkout.request_payout("anna", 1000, form=FORM)
    decide(world, asked.provider_id, state="paid")
    checkout.recover(due_only=True)
    assert checkout.exchanges("anna")[0].state == "requested"
    world.advance(86_400)
    checkout.recover(due_only=True)
    assert checkout.exchanges("anna")[0].state == "paid"


@pytest.mark.parametrize("shop", ["no_keys", "no_lookup", "silent_mismatch", "short_window"], indirect=True)
@pytest.mark.parametrize("when", ["before", "after"])
def test_at_every_kind_of_provider_it_is_done_once(shop: World, when: str):
    checkout = shop.made[0][0]
    shop.provider.fault("buy_voucher", "reset", when=when, times=1)
    try:
        buy(checkout)
    except OutcomeUnknownError:
        raise AssertionError("an unknown is a state") from None
    for _ in range(4):
        free_leases(shop)
        shop.advance(300)
        checkout.recover()
    states = {one.state for one in checkout.exchanges("anna")}
    left = shop.provider.points()[0]
    # Without keys what never arrived is proven undone and told so; everywhere else it is bought once.
    undone = shop.profile is PROFILES["no_keys"] and when == "before"
    assert (left, states) == ((2500, {"declined"}) if undone else (1500, {"done"}))


def test_another_than_was_written_down_is_never_sent(world: World, checkout: Checkout):
    world.provider.fault("payout", "reset", when="before", times=5)
    checkout.request_payout("anna", 10, form=FORM)
    world.provider.heal()
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_exchange SET points = 1000"))
    engine.dispose()
    world.advance(60)
    assert checkout.recover().needs_attention == 1
    assert (world.provider.points(), checkout.exchanges("anna")[0].state) == ((2500, 0), "needs_attention")


def test_a_provider_that_offers_neither(world: World):
    world.profile = PROFILES["points_only"]
    shop = world.checkout()
    assert (shop.offers_vouchers, shop.offers_payouts, shop.voucher_products()) == (False, False, ())
    for ask in (lambda: buy(shop), lambda: shop.request_payout("anna", 5, form=FORM)):
        with pytest.raises(ConfigurationError) as off:
            ask()
        assert off.value.code == "not_offered"


def test_what_is_kept_is_exported_and_erased(world: World, checkout: Checkout):
    buy(checkout)
    asked = checkout.request_payout("anna", 500, form="payout" * 3)
    office = Office(checkout).personal
    kinds = [(one["kind"], one["state"], one["points"]) for one in office.export("anna").exchanges]
    assert kinds == [("voucher", "done", 1000), ("payout", "requested", 500)]
    with pytest.raises(StateConflictError):
        office.erase("anna", actor="mira")
    decide(world, asked.provider_id, state="paid")
    world.advance(86_400)
    checkout.recover(due_only=True)
    office.erase("anna", actor="mira")
    assert checkout.exchanges("anna") == ()
    assert "mbr_2500" not in str(kept(world))
