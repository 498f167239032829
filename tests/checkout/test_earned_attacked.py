"""Points for goods that came back: whatever became of the points that were to pay the order beside them."""

from __future__ import annotations

import pytest
import sqlalchemy

from _earning import PENDING_S, back, earning, paid, placed, poor, purchase, settle, spend, standing, told
from _there import there
from _world import CART, World
from punktgenau.checkout import Cart, Checkout, Line
from punktgenau.checkout.office import Office
from punktgenau.errors import DeclinedError

BLOCKED = {"id": "mbr_2500", "state": "blocked"}
ACTIVE = {"id": "mbr_2500", "state": "active"}


def short(world: World, shop: Checkout) -> None:
    """An order is paid, and the points that should have paid a part of it are gone."""
    placed(world, "A-1")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.http.post(f"{world.provider.url}/sandbox/members", json=BLOCKED, timeout=20)
    world.advance(8 * 86_400)
    there(shop.capture("A-1"))
    world.provider.http.post(
        f"{world.provider.url}/sandbox/members", json={"id": "mbr_2500", "state": "active"}, timeout=20
    )


@pytest.mark.parametrize("as_", ["written_off", "paid_otherwise"])
@pytest.mark.parametrize("looked", [True, False])
def test_a_return_of_an_order_whose_shortfall_was_settled(world: World, as_: str, looked: bool):
    shop = earning(world)
    short(world, shop)
    assert there(shop.find("A-1")).state == "short"
    row = there(shop._journal.latest("A-1"))
    Office(shop).resolve(row.id, as_=as_, actor="mira", reason="gone")  # type: ignore[arg-type]
    if looked:
        shop.recover()
        assert purchase(shop).state == "pending"
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490))
    settle(world, shop, rounds=2)
    assert (purchase(shop).state, purchase(shop).kept, standing(world)[1]) == ("reversed", 0, 0)


@pytest.mark.parametrize("shop", ["no_holds"], indirect=True)
def test_a_return_of_an_order_whose_points_went_back_as_its_payment_failed(shop: World):
    checkout = earning(shop)
    placed(shop, "A-1", "pending")
    checkout.balance("anna", max_age_s=0)
    checkout.authorize("A-1", CART, customer_id="anna", points=427)
    assert there(checkout.void("A-1")).state == "reversed"
    placed(shop, "A-1", "paid")
    checkout.capture("A-1")
    checkout.recover()
    # All 49.90 of goods are paid in money now.
    assert (told(checkout), standing(shop)) == ([("purchase", "pending", 49, 0)], (2500, 49))
    checkout.returned("A-1", return_reference="R-1", lines={"lamp": 2})
    settle(shop, checkout, rounds=2)
    assert (told(checkout), standing(shop)) == ([("purchase", "reversed", 49, 49)], (2500, 0))


@pytest.mark.parametrize("how", ["returned", "cancel"])
def test_an_order_without_its_points_while_the_provider_is_away(world: World, how: str):
    shop = earning(world)
    placed(world, "A-1", "pending")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    world.provider.fault("void", "status_500", when="before", times=200)
    assert there(shop.void("A-1")).state == "voiding"
    placed(world, "A-1", "paid")
    shop.capture("A-1")
    assert told(shop) == [("purchase", "planned", 49, 0)]
    if how == "returned":
        shop.returned("A-1", return_reference="R-1", lines={"lamp": 2})
    else:
        shop.cancel("A-1")
    world.provider.heal()
    settle(world, shop)
    assert (told(shop), standing(world)) == ([("purchase", "reversed", 49, 49)], (2500, 0))


@pytest.mark.parametrize(
    "shop", ["reference", "no_keys", "short_window", "replays_errors", "slow_lookup"], indirect=True
)
def test_what_a_lost_answer_could_not_take_is_owed_all_the_same(shop: World):
    checkout = earning(shop, earn_points=10, earn_pending_s=0)
    poor(shop, checkout)
    paid(shop, checkout, customer_id="cleo")
    checkout.recover()
    spend(shop, checkout, "A-2", 490)
    shop.provider.give("mbr_0", 0)
    shop.provider.fault("reverse_accrual", "status_500", when="after", times=20)
    back(checkout, "A-1")
    shop.advance(900)
    shop.provider.heal()
    settle(shop, checkout, rounds=8)
    one = purchase(checkout)
    assert (one.state, one.taken_back, one.owed) == ("reversed", 490, 490)


def test_a_return_that_is_told_before_the_order_is_planned(world: World):
    shop = earning(world)
    placed(world, "A-1")
    shop.returned("A-1", return_reference="R-1", lines={"lamp": 2})
    shop.capture("A-1")
    settle(world, shop, rounds=2)
    assert standing(world) == (2500, 0)


def test_an_order_whose_cart_was_changed_after_its_points_were_refused(world: World):
    shop = earning(world)
    many = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=40, unit_price_minor=2495, vat_rate="19")])
    placed(world, "A-1", "pending", cart=many)
    shop.balance("anna", max_age_s=0)
    world.provider.http.post(f"{world.provider.url}/sandbox/members", json=BLOCKED, timeout=20)
    with pytest.raises(DeclinedError):
        shop.authorize("A-1", many, customer_id="anna", points=427)
    world.provider.http.post(f"{world.provider.url}/sandbox/members", json=ACTIVE, timeout=20)
    placed(world, "A-1", "paid")
    shop.capture("A-1")
    # 49.90 were bought, not 998.00.
    assert told(shop) == [("purchase", "planned", 49, 0)]


def test_goods_that_came_back_before_the_payment_failed_after_all(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    there(shop.void("A-1"))
    settle(world, shop, rounds=2)
    # 46.01 were paid in money: 23.01 are kept.
    assert (told(shop), standing(world)) == ([("purchase", "pending", 46, 23)], (2500, 23))


def test_an_amended_order_and_its_returns(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    shop.recover()
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    larger = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=3, unit_price_minor=2495, vat_rate="19")])
    there(shop.amend("A-1", larger))
    settle(world, shop, rounds=2)
    assert purchase(shop).kept <= 46
    there(shop.refund("A-1", return_reference="R-2", lines={"lamp": 3}))
    settle(world, shop, rounds=2)
    assert (purchase(shop).state, purchase(shop).kept, standing(world)) == ("reversed", 0, (2500, 0))


def test_attempt_two_after_a_void_of_a_captured_one(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    shop.recover()
    placed(world, "A-1", "pending")
    there(shop.void("A-1"))
    settle(world, shop, rounds=2)
    assert standing(world) == (2500, 46)
    placed(world, "A-1", "paid")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=2000)
    there(shop.capture("A-1"))
    settle(world, shop, rounds=2)
    # 20.00 in points: 5480 - 2000 in money; of the lamps 4990 - 1821 = 3169.
    assert standing(world) == (500, 31)
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}))
    settle(world, shop, rounds=2)
    assert (purchase(shop).state, standing(world)[1]) == ("reversed", 0)


def test_relinking_while_an_order_is_under_way(world: World):
    shop = earning(world, welcome_points=50)
    paid(world, shop)
    shop.unlink("anna")
    shop.link("anna", member_id="mbr_42", consent_id="con_2")
    shop.capture("A-1")
    settle(world, shop, rounds=2)
    assert (standing(world), standing(world, "mbr_42")) == ((2500, 99), (42, 0))
    shop.returned("A-1", return_reference="R-1", lines={"lamp": 2})
    settle(world, shop, rounds=2)
    assert (standing(world), standing(world, "mbr_42")) == ((2500, 0), (42, 0))


def test_parcels_of_an_order_that_earns(world: World):
    shop = earning(world)
    placed(world, "A-1")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    shop.capture("A-1", lines={"lamp": 1}, shipment_reference="S-1")
    shop.recover()
    assert (told(shop), standing(world)[1]) == ([("purchase", "pending", 46, 0)], 46)
    there(shop.refund("A-1", return_reference="R-1", lines={"lamp": 1}))
    settle(world, shop, rounds=1)
    assert standing(world)[1] == 23
    shop.cancel("A-1")
    settle(world, shop, rounds=2)
    assert (purchase(shop).kept, standing(world)) == (0, (2500, 0))


@pytest.mark.parametrize("change", ["off", "more"])
def test_settings_that_changed_between_order_and_return(world: World, change: str):
    shop = earning(world, welcome_points=50)
    paid(world, shop)
    shop.recover()
    later = world.checkout() if change == "off" else earning(world, earn_points=7, claw_back="below_zero")
    later.refund("A-1", return_reference="R-1", lines={"lamp": 2})
    settle(world, later, rounds=2)
    assert ([one.kept for one in later.earned("A-1")], standing(world)) == ([0, 0], (2500, 0))


@pytest.mark.parametrize("change", ["off", "more"])
def test_settings_that_changed_between_an_order_with_points_and_its_return(world: World, change: str):
    shop = earning(world, earn_pending_s=0)
    paid(world, shop, points=427)
    shop.recover()
    later = world.checkout() if change == "off" else earning(world, earn_points=7, claw_back="below_zero")
    later.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490)
    settle(world, later, rounds=2)
    assert ([one.kept for one in later.earned("A-1")], standing(world)) == ([0], (2500, 0))


def test_what_was_set_off_by_an_order_that_the_shop_has_cancelled_is_owed_again(world: World):
    shop = earning(world, earn_points=10, earn_pending_s=0)
    poor(world, shop)
    paid(world, shop, customer_id="cleo")
    shop.recover()
    spend(world, shop, "A-2", 490)
    world.provider.give("mbr_0", 0)
    back(shop, "A-1")
    slow = earning(world, earn_points=10)
    paid(world, slow, "A-3", customer_id="cleo")
    assert (purchase(slow, "A-3").offset, purchase(slow).owed) == (490, 0)
    # Nobody tells the engine.
    placed(world, "A-3", "cancelled", customer_id="cleo")
    settle(world, slow, rounds=2)
    world.advance(PENDING_S)
    settle(world, slow, rounds=2)
    assert purchase(slow, "A-3").owed == 490


@pytest.mark.parametrize("operation", ["accrue", "post_accrual", "reverse_accrual"])
@pytest.mark.parametrize("kind", ["reset", "status_500"])
def test_a_provider_that_is_away_for_a_day_and_more(world: World, operation: str, kind: str):
    shop = earning(world)
    paid(world, shop)
    if operation != "accrue":
        shop.recover()
    if operation == "reverse_accrual":
        shop.returned("A-1", return_reference="R-1", lines={"lamp": 1})
    if operation == "post_accrual":
        world.advance(PENDING_S + 60)
    world.provider.fault(operation, kind, when="before", times=500)
    settle(world, shop, rounds=30, seconds=3600)
    world.provider.heal()
    settle(world, shop, rounds=3)
    states = {"accrue": "pending", "post_accrual": "posted", "reverse_accrual": "pending"}
    assert purchase(shop).state == states[operation]
    world.advance(PENDING_S + 3600)
    settle(world, shop, rounds=2)
    assert standing(world) == ((2524, 0) if operation == "reverse_accrual" else (2549, 0))


def test_a_return_in_each_state_of_a_larger_order(world: World):
    """Ten lamps, one back at each turn; a tenth of 249 points each, rounded once over all."""
    ten = Cart(currency="EUR", lines=[Line(sku="lamp", quantity=10, unit_price_minor=2495, vat_rate="19")])
    shop = earning(world)
    placed(world, "A-1", cart=ten)
    shop.capture("A-1")
    for number in range(10):
        shop.returned("A-1", return_reference=f"R-{number}", lines={"lamp": 1})
        if number % 3:
            world.provider.fault("reverse_accrual", "status_500", when="after" if number % 2 else "before", times=1)
        settle(world, shop, rounds=2)
        if number == 4:
            world.advance(PENDING_S + 60)
            settle(world, shop, rounds=2)
        world.provider.heal()
        settle(world, shop, rounds=2)
        # 24.95 for each lamp that is kept.
        assert sum(standing(world)) - 2500 == 2495 * (9 - number) // 100


def test_a_journal_restored_from_before_a_claw_back_takes_no_more(world: World):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    shop.returned("A-1", return_reference="R-1", amount_minor=548)
    shop.recover()
    # A tenth: 44.91 of 49.90 are kept.
    assert standing(world) == (2500, 44)
    # As of a moment before.
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DELETE FROM punktgenau_earning_step WHERE kind = 'claw_back'"))
        connection.execute(
            sqlalchemy.text(
                "UPDATE punktgenau_earning SET points_taken = 0, version = version - 2, check_at = 1, updated_at = 1"
            )
        )
    engine.dispose()
    settle(world, shop, rounds=2)
    assert (told(shop), standing(world)) == ([("purchase", "pending", 49, 5)], (2500, 44))


def forget(world: World) -> None:
    """As a backup from before the order was paid."""
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        for table in ("earning_return", "earning_step", "earning"):
            connection.execute(sqlalchemy.text(f"DELETE FROM punktgenau_{table}"))
    engine.dispose()


@pytest.mark.parametrize("since", ["given", "posted", "returned", "returned_again", "told_before"])
def test_a_journal_restored_from_before_an_order_was_planned_gives_nothing_twice(world: World, since: str):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    if since == "posted":
        world.advance(PENDING_S + 60)
        shop.recover()
    if since.startswith("returned"):
        shop.returned("A-1", return_reference="R-1", lines={"lamp": 1})
        shop.recover()
    forget(world)
    restored = earning(world)
    restored.capture("A-1")
    if since == "told_before":
        # Of two lamps one is back before the points are asked for: 24 of 49 are, and 49 are found.
        restored.returned("A-1", return_reference="R-1", lines={"lamp": 1})
    settle(world, restored, rounds=3)
    if since == "returned_again":
        # Told once more, it takes nothing a second time.
        restored.returned("A-1", return_reference="R-1", lines={"lamp": 1})
        settle(world, restored, rounds=3)
    expected = {
        "given": (("purchase", "pending", 49, 0), (2500, 49)),
        "posted": (("purchase", "posted", 49, 0), (2549, 0)),
    }
    (told_now,) = told(restored)
    assert (told_now, standing(world)) == expected.get(since, (("purchase", "pending", 49, 25), (2500, 24)))
    world.advance(PENDING_S + 60)
    settle(world, restored, rounds=2)
    assert standing(world)[0] == (2549 if since in expected else 2524)


def test_another_journal_meets_no_old_name(world: World):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    forget(world)
    engine = sqlalchemy.create_engine(world.database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DELETE FROM punktgenau_meta"))
    engine.dispose()
    # Order number 1 of a shop that has begun anew is another order.
    other = earning(world)
    other.upgrade()
    other.capture("A-1")
    settle(world, other, rounds=2)
    assert (told(other), standing(world)) == ([("purchase", "pending", 49, 0)], (2500, 98))


def test_what_another_has_under_that_name_is_for_a_person(world: World):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    forget(world)
    # Two for each of the 49 full euros.
    restored = earning(world, earn_points=2)
    restored.capture("A-1")
    settle(world, restored, rounds=2)
    assert (purchase(restored).state, purchase(restored).reason) == ("needs_attention", "other_content")
    assert standing(world) == (2500, 49)
    restored.settle_earned("A-1", again=True, actor="mira", reason="That was order 1 of last year")
    settle(world, restored, rounds=2)
    assert (told(restored), standing(world)) == ([("purchase", "pending", 98, 0)], (2500, 49 + 98))
