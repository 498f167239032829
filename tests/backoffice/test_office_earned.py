"""What the journal keeps of a customer's earned points: exported, erased only when nothing is open, purged when old."""

from __future__ import annotations

import pytest
import sqlalchemy

from _earning import earning, paid, placed, purchase
from _world import CART, World
from punktgenau import NotFoundError
from punktgenau.checkout.office import Office
from punktgenau.errors import StateConflictError

DAY_S = 86_400


def test_an_export_tells_what_orders_have_brought(world: World):
    shop = earning(world, welcome_points=50, earn_pending_s=60)
    shop.link("cleo", member_id="mbr_0", consent_id="con_9")
    paid(world, shop, customer_id="cleo")
    shop.recover()
    shop.unlink("cleo")
    purchase, welcome = Office(shop).personal.export("cleo").earned
    assert (purchase["order_reference"], purchase["kind"], purchase["state"]) == ("A-1", "purchase", "pending")
    assert (purchase["points"], purchase["member_id"], welcome["points"]) == (49, "mbr_0", 50)
    assert purchase["articles"] == [
        {"sku": "lamp", "quantity": 2, "paid_in_money_minor": 4990},
        {"sku": "shipping", "quantity": 1, "paid_in_money_minor": 490},
    ]
    with pytest.raises(NotFoundError):
        Office(shop).personal.export("nobody")


def test_a_customer_is_erased_when_nothing_is_pending_and_nothing_may_come_back(world: World):
    shop = earning(world, welcome_points=50, earn_pending_s=60)
    office = Office(shop)
    for member_id, order in (("mbr_0", "A-1"), ("mbr_42", "A-2")):
        # Two members of one customer, each with a welcome of theirs.
        shop.link("cleo", member_id=member_id, consent_id="con_9")
        paid(world, shop, order, customer_id="cleo")
    with pytest.raises(StateConflictError, match="still open"):
        office.personal.erase("cleo", actor="mira")
    shop.recover()
    with pytest.raises(StateConflictError, match="still open"):
        office.personal.erase("cleo", actor="mira")
    world.advance(90)
    shop.recover()
    with pytest.raises(StateConflictError, match="may come back"):
        office.personal.erase("cleo", actor="mira")
    world.clock.advance(401 * DAY_S)
    shop.cancel("A-1", cause="Mine was green")
    with pytest.raises(StateConflictError, match="still open"):
        office.personal.erase("cleo", actor="mira")
    placed(world, "A-1", "cancelled", customer_id="cleo")
    shop.recover()
    office.personal.erase("cleo", actor="mira", return_days=0)
    told = content(world)
    assert "cleo" not in told
    assert "mbr_0" not in told
    assert "green" not in told
    assert "welcome-" not in told
    # The books stay.
    assert [one.points for one in shop.earned("A-1")] == [49, 50]
    with pytest.raises(NotFoundError):
        office.personal.export("cleo")


def test_what_is_old_is_purged(world: World):
    shop = earning(world, earn_pending_s=60)
    paid(world, shop)
    shop.recover()
    world.advance(90)
    shop.recover()
    world.clock.advance(399 * DAY_S)
    Office(shop).personal.purge(actor="mira")
    assert "mbr_2500" in content(world)
    world.clock.advance(2 * DAY_S)
    Office(shop).personal.purge(actor="mira")
    assert "mbr_2500" not in content(world)
    # The link is the customer's own affair.
    assert shop.find_link("anna") is not None


def test_what_an_erased_customer_owes_is_set_off_when_they_come_back(world: World):
    shop = earning(world, earn_points=10, earn_pending_s=0)
    world.provider.give("mbr_0", 0)
    shop.link("cleo", member_id="mbr_0", consent_id="con_9")
    paid(world, shop, customer_id="cleo")
    shop.recover()
    # 490 points for 49 full euros, spent elsewhere; then both lamps come back.
    world.provider.give("mbr_0", 0)
    shop.returned("A-1", return_reference="R-1", lines={"lamp": 2})
    shop.recover()
    assert purchase(shop).owed == 490
    Office(shop).personal.erase("cleo", actor="mira", return_days=0)
    kept = content(world)
    assert "cleo" not in kept
    assert "mbr_0" not in kept
    # Another customer of the shop, and the same member: known again by the journal's key alone.
    shop.link("cleo-again", member_id="mbr_0", consent_id="con_10")
    assert shop.preview_earned(CART, customer_id="cleo-again").offset == 490
    shop.link("ben", member_id="mbr_42", consent_id="con_11")
    assert shop.preview_earned(CART, customer_id="ben").offset == 0
    paid(world, shop, "A-2", customer_id="cleo-again")
    assert [(one.points, one.offset) for one in shop.earned("A-2")] == [(0, 490)]
    # Nothing is kept longer than needed.
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        marks = connection.execute(sqlalchemy.text("SELECT owed_points, owed_mark FROM punktgenau_earning")).all()
    engine.dispose()
    assert {tuple(row) for row in marks} == {(0, None)}


def test_what_a_person_gave_as_a_reason_is_erased_as_well(world: World):
    shop = earning(world)
    world.provider.http.post(
        f"{world.provider.url}/sandbox/members", json={"id": "mbr_2500", "state": "blocked"}, timeout=20
    )
    paid(world, shop)
    shop.recover()
    office = Office(shop)
    shop.settle_earned("A-1", again=False, actor="mira", reason="Anna asked us to")
    assert [one.reason for one in office.log()] == ["Anna asked us to"]
    office.personal.erase("anna", actor="mira", return_days=0)
    assert [(one.kind, one.reason) for one in office.log()] == [("erase", ""), ("earned_left", "")]


def content(world: World) -> str:
    """All that the journal has of earnings, as text."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.connect() as connection:
        tables = ("earning", "earning_step", "earning_return")
        rows = [connection.execute(sqlalchemy.text(f"SELECT * FROM punktgenau_{name}")).all() for name in tables]
    engine.dispose()
    return str(rows)
