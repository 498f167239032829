"""Earnings and exchanges that need a person: listed with what became of the points, settled once by a named person."""

from __future__ import annotations

import pytest
import sqlalchemy

from _earning import earning, paid, placed, purchase, standing, told
from _world import World
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.checkout.searching import Search
from punktgenau.errors import InProgressError, InvalidArgumentError, NotFoundError, StateConflictError

FORM = "f0rm" * 4
WHO = {"actor": "mira", "reason": "asked on the phone"}


def blocked(world: World, state: str = "blocked") -> None:
    """A member whom the provider gives nothing, or gives again."""
    reply = world.provider.http.post(
        f"{world.provider.url}/sandbox/members", json={"id": "mbr_2500", "state": state}, timeout=20
    )
    assert reply.ok, reply.text


def refused(world: World) -> tuple[Checkout, Office, str]:
    """49 points that the provider did not give; the engine, the office, the earning's id."""
    shop = earning(world)
    blocked(world)
    paid(world, shop)
    assert shop.recover().earned == {"refused": 1}
    office = Office(shop)
    return shop, office, office.attention().earned[0].id


def unknown_payout(world: World, checkout: Checkout) -> str:
    """Points for money, of which the journal says another number than was asked for; the exchange's id."""
    world.provider.fault("payout", "reset", when="before", times=5)
    checkout.request_payout("anna", 10, form=FORM)
    world.provider.heal()
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE punktgenau_exchange SET points = 1000"))
    engine.dispose()
    world.advance(60)
    assert checkout.recover().needs_attention == 1
    return Office(checkout).attention().exchanged[0].id


def test_a_refused_earning_is_listed_with_what_became_of_its_points(world: World):
    _, office, earning_id = refused(world)
    (one,) = office.attention().earned
    assert (one.order_reference, one.kind, one.points, one.fate) == ("A-1", "purchase", 49, "not_given")
    assert (office.counts().counts["earned"], office.counts().urgent) == (1, 1)
    whole = office.earning(earning_id)
    assert (whole.fate, whole.can_settle, whole.can_retry, whole.redemption_id) == ("not_given", True, False, "")
    assert [one.kind for one in whole.story] == ["earn.planned", "earn.accrue.not_done"]
    # Two lamps for 49.90 earn a point for each full euro; shipping earns none.
    assert [(line.sku, points) for line, points in whole.lines] == [("lamp", 49), ("shipping", 0)]


def test_it_is_sent_once_more_when_a_person_says_so(world: World):
    shop, office, earning_id = refused(world)
    first = office.earning(earning_id).steps[0].key
    blocked(world, "active")
    with pytest.raises(InvalidArgumentError):
        office.settle_earned(earning_id, again=True, actor="mira", reason=" ")
    office.settle_earned(earning_id, again=True, **WHO)
    assert office.counts().urgent == 0
    office.retry_earned(earning_id, actor="mira")
    assert (purchase(shop).state, standing(world)) == ("pending", (2500, 49))
    whole = office.earning(earning_id)
    assert [one.kind for one in whole.story if one.tone == "hand"] == ["action.earned_again", "action.earned_retry"]
    assert [one.actor for one in whole.story if one.tone == "hand"] == ["mira", "mira"]
    assert first not in [step.key for step in whole.steps[1:]]
    with pytest.raises(StateConflictError):
        office.settle_earned(earning_id, again=True, **WHO)
    with pytest.raises(StateConflictError):
        # They wait for their day, and nobody has to be asked before it.
        office.retry_earned(earning_id, actor="mira")


def test_it_is_left_when_a_person_says_so(world: World):
    shop, office, earning_id = refused(world)
    office.settle_earned(earning_id, again=False, **WHO)
    assert (office.earning(earning_id).fate, office.attention().earned) == ("left", ())
    world.advance(86_400)
    shop.recover()
    assert (world.provider.sent("accrue"), standing(world)) == (1, (2500, 0))


def test_nobody_knows_whether_they_were_given(world: World):
    shop = earning(world)
    for operation in ("accrue", "find_accruals"):
        world.provider.fault(operation, "reset", times=500)
    paid(world, shop)
    shop.recover()
    world.advance(2 * 86_400)
    shop.recover()
    world.provider.heal()
    office = Office(shop)
    (one,) = office.attention().earned
    assert (one.fate, one.state, office.earning(one.id).can_retry) == ("given_unknown", "needs_attention", True)
    # Asked by hand, the provider knows: they were given.
    seen = office.ask_accrual(one.id).accrual
    assert seen is not None
    assert (seen.points, seen.state) == (49, "pending")
    office.retry_earned(one.id, actor="mira")
    assert (told(shop), office.counts().urgent) == ([("purchase", "pending", 49, 0)], 0)
    assert standing(world) == (2500, 49)


@pytest.mark.parametrize(("happened", "state"), [(True, "paid"), (False, "declined")])
def test_an_exchange_of_which_nobody_knows(world: World, checkout: Checkout, happened: bool, state: str):
    exchange_id = unknown_payout(world, checkout)
    office = Office(checkout)
    (one,) = office.attention().exchanged
    assert (one.kind, one.points, one.code, office.counts().urgent) == ("payout", 1000, "not_as_written", 1)
    assert [found.reference for found in checkout.unsettled_exchanges()] == [office.exchange(exchange_id).row.reference]
    assert office.ask_exchange(exchange_id).id == ""
    with pytest.raises(InvalidArgumentError):
        office.settle_exchange(exchange_id, happened=happened, actor="mira", reason="")
    office.settle_exchange(exchange_id, happened=happened, **WHO)
    whole = office.exchange(exchange_id)
    assert (whole.row.state, whole.can_settle, whole.can_retry) == (state, False, False)
    assert [told.kind for told in whole.story][-1] == f"action.exchange_{'done' if happened else 'not_done'}"
    with pytest.raises(StateConflictError):
        office.settle_exchange(exchange_id, happened=happened, **WHO)
    # Nothing is sent any more, and the points are where they were.
    world.advance(86_400)
    assert checkout.recover().needs_attention == 0
    assert (world.provider.points(), checkout.unsettled_exchanges()) == ((2500, 0), ())


def test_what_is_under_way_is_asked_at_once(world: World, checkout: Checkout):
    world.provider.fault("buy_voucher", "reset", times=5)
    checkout.buy_voucher("anna", "voucher_10", points=1000, form=FORM)
    world.provider.heal()
    office = Office(checkout)
    (row,) = office.listed.exchanges(Search()).items
    office.retry_exchange(row.id, actor="mira")
    whole = office.exchange(row.id)
    assert (whole.row.state, whole.fate, whole.can_retry) == ("done", "gone", False)
    assert {told.kind for told in whole.story} == {
        "exchange.asked.voucher",
        "exchange.done",
        "action.exchange_retry",
    }
    with pytest.raises(InProgressError):
        office.retry_exchange(row.id, actor="mira")
    assert office.ask_exchange(row.id).points == 1000


def test_orders_without_points_are_found_by_order_member_customer_and_beginning(world: World):
    shop = earning(world)
    for order in ("A-1", "A-2", "B-1"):
        paid(world, shop, order)
        world.clock.advance(1)
    listed = Office(shop).listed

    def found(text: str = "", state: str = "") -> list[str]:
        return [one.order_reference for one in listed.earnings(Search(text=text, state=state)).items]

    assert found() == ["B-1", "A-2", "A-1"]
    assert found("A-2") == ["A-2"]
    assert found("anna") == found("mbr_2500") == found()
    assert found("A-") == found("A-*") == ["A-2", "A-1"]
    assert (found(state="planned"), found("A-", state="posted"), found("C")) == (found(), [], [])
    page = listed.earnings(Search(), limit=2)
    assert [one.order_reference for one in listed.earnings(Search(), cursor=page.next_cursor).items] == ["A-1"]
    assert listed.earnings(Search(text="A-"), limit=1).is_cut
    with pytest.raises(NotFoundError):
        Office(shop).earning("nothing")


def test_recovery_tells_what_became_of_what_orders_earn(world: World):
    shop = earning(world, earn_pending_s=60)
    paid(world, shop)
    placed(world, "A-2", "paid")
    shop.capture("A-2")
    shop.cancel("A-2", cause="changed their mind")
    report = shop.recover()
    assert (report.earned, report.looked_at, report.finished) == ({"given": 1, "never_given": 1}, 0, 2)
    assert shop.recover().earned == {"waiting": 1}
    world.advance(90)
    assert shop.recover().earned == {"usable": 1}
    shop.returned("A-1", return_reference="R-1", lines={"lamp": 1})
    assert shop.recover().earned == {"taken_back": 1}
    assert standing(world) == (2524, 0)
