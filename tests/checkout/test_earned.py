"""Earned points from the payment to their posting, and back: with the provider's books as the judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from _commits import counted_commits
from _earning import EARNS, PENDING_S, earning, paid, placed, purchase, settle, standing, told
from _there import there
from _world import CART, World
from punktgenau import ConfigurationError, InvalidArgumentError, Money
from punktgenau.checkout import Article, Campaign, Cart, Order
from punktgenau.errors import ReturnConflictError
from punktgenau.provider import PROFILES

LAMP_BACK = {"lines": {"lamp": 1}}


def test_an_order_earns_pending_points_that_are_posted_in_time(world: World):
    shop = earning(world)
    paid(world, shop)
    assert (told(shop), standing(world)) == ([("purchase", "planned", 49, 0)], (2500, 0))
    assert world.provider.sent("accrue") == 0
    assert shop.recover().finished == 1
    assert (told(shop), standing(world)) == ([("purchase", "pending", 49, 0)], (2500, 49))
    world.advance(PENDING_S - 3600)
    assert (shop.recover().finished, standing(world)) == (0, (2500, 49))
    world.advance(3700)
    assert shop.recover(due_only=True).finished == 1
    assert (told(shop), standing(world)) == ([("purchase", "posted", 49, 0)], (2549, 0))
    assert [(move.kind, move.points) for move in purchase(shop).moves] == [("given", 49), ("posted", 0)]
    assert (world.provider.sent("accrue"), world.provider.sent("post_accrual")) == (1, 1)


@pytest.mark.scenario("T36", "an order that earns and is paid with points has both, each with its own record")
def test_points_that_pay_earn_nothing(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    shop.recover()
    # 389 of 427 cents pay the lamps: 4990 - 389 = 4601.
    assert (told(shop), standing(world)) == ([("purchase", "pending", 46, 0)], (2073, 46))
    assert there(shop.find("A-1")).state == "captured"
    paid(world, shop, "A-2")
    shop.recover()
    assert standing(world) == (2073, 46 + 49)


def test_an_order_paid_wholly_by_points_earns_nothing(world: World):
    world.provider.give("mbr_9000", 9000)
    shop = earning(world, welcome_points=50)
    shop.link("zoe", member_id="mbr_9000", consent_id="con_3")
    paid(world, shop, points=5480, customer_id="zoe")
    shop.recover()
    assert (shop.earned("A-1"), standing(world, "mbr_9000")) == ((), (3520, 0))


def test_who_is_not_linked_is_told_what_there_would_be(world: World):
    shop = earning(world)
    paid(world, shop, customer_id="nobody")
    assert shop.earned("A-1") == ()
    seen = shop.preview_earned(CART, customer_id="nobody")
    assert (seen.points, seen.is_linked, seen.pending_s) == (49, False, PENDING_S)
    seen = shop.preview_earned(CART, customer_id="anna", points_value=Money(amount_minor=427, currency="EUR"))
    assert (seen.points, seen.is_linked) == (46, True)
    assert [(line.id, line.points) for line in seen.lines] == [("lamp", 46), ("shipping", 0)]
    with pytest.raises(InvalidArgumentError):
        shop.preview_earned(CART, points_value=5481)
    with pytest.raises(InvalidArgumentError):
        shop.preview_earned(CART, points_value=Money(amount_minor=1, currency="USD"))


def test_a_preview_is_what_is_earned(world: World):
    shop = earning(world, welcome_points=50)
    at = datetime.now(UTC)
    shop.article_loader = lambda sku: Article(sku=sku, points=25) if sku == "lamp" else None
    shop.campaign_loader = lambda: [
        Campaign(id="c", name="Double", starts_at=at - timedelta(1), ends_at=at + timedelta(1), percent=200)
    ]
    seen = shop.preview_earned(CART, customer_id="anna")
    assert (seen.points, seen.welcome_points, seen.campaigns) == (100, 50, ("Double",))
    paid(world, shop)
    shop.recover()
    assert told(shop) == [("purchase", "pending", 100, 0), ("welcome", "pending", 50, 0)]
    assert "Double" in purchase(shop).moves[0].reason
    assert shop.preview_earned(CART, customer_id="anna").welcome_points == 0


@pytest.mark.parametrize(("placed_s", "points"), [(-1, 98), (0, 49)])
def test_a_campaign_that_ends_between_cart_and_payment(world: World, placed_s: float, points: int):
    shop = earning(world)
    ends = datetime.now(UTC)
    over = Campaign(id="c", name="Double", starts_at=ends - timedelta(7), ends_at=ends, percent=200)
    shop.campaign_loader = lambda: [over]
    at = ends + timedelta(seconds=placed_s)
    world.orders["A-1"] = Order(reference="A-1", state="paid", cart=CART, customer_id="anna", placed_at=at)
    shop.capture("A-1")
    assert purchase(shop).points == points


@pytest.mark.scenario("T56", "an order in another currency than the programme's earns nothing, asked for before or not")
@pytest.mark.parametrize("is_asked", [False, True])
def test_an_order_in_another_currency_earns_nothing(world: World, is_asked: bool):
    shop = earning(world, welcome_points=50)
    if is_asked:
        shop.balance("anna")
    rand = Cart(currency="ZAR", lines=CART.lines)
    placed(world, "A-1", cart=rand)
    shop.capture("A-1")
    settle(world, shop, rounds=2)
    assert standing(world) == (2500, 0)
    assert [one.reason for one in shop.earned("A-1")] == ([] if is_asked else ["currency_not_offered"] * 2)
    if is_asked:
        assert shop.preview_earned(rand, customer_id="anna").points == 0


def test_the_shop_may_plan_by_itself_and_only_once(world: World):
    shop = world.checkout(loader=False, **EARNS)
    first = shop.earn("A-1", CART, customer_id="anna")
    assert [one.points for one in first] == [49]
    with counted_commits(shop._database) as commits:
        assert shop.earn("A-1", CART, customer_id="ben") == first
        assert shop.capture("A-1") is None
    assert commits == []
    shop.recover()
    assert standing(world) == (2500, 49)
    assert standing(world, "mbr_42") == (42, 0)
    with pytest.raises(InvalidArgumentError):
        shop.earn("A-2", CART, customer_id="anna", placed_at=datetime(2026, 11, 1))


def test_without_rules_nothing_is_planned_and_no_statement_more_is_made(world: World):
    shop = world.checkout()
    paid(world, shop, points=427)
    shop.recover()
    assert (shop.earned("A-1"), world.provider.sent("accrue")) == ((), 0)
    assert shop.earn("A-1", CART, customer_id="anna") == ()


@pytest.mark.parametrize(("rules", "most"), [({}, 2), (EARNS, 3)])
def test_a_plan_is_one_commit_and_without_rules_none(world: World, rules: dict[str, int], most: int):
    shop = world.checkout(**rules)
    placed(world, "A-1")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    with counted_commits(shop._database) as commits:
        shop.capture("A-1")
    assert len(commits) == most
    with counted_commits(shop._database) as commits:
        shop.refund("A-1", return_reference="R-1", lines={"lamp": 1})
    # Whoever looks at what was earned is told in the commit that books the return.
    assert len(commits) == 2
    assert world.provider.sent("accrue") == 0


def test_what_the_shop_asks_may_fail_and_the_order_is_paid_all_the_same(world: World):
    shop = earning(world)

    def broken() -> list[Campaign]:
        raise RuntimeError("no campaigns today")

    shop.campaign_loader = broken
    paid(world, shop, points=427)
    assert shop.earned("A-1") == ()
    shop.campaign_loader = None
    # Said again, as payment hooks are.
    shop.capture("A-1")
    assert purchase(shop).points == 46


def test_a_reference_that_no_provider_takes_stops_no_payment(world: World):
    shop = earning(world)
    order = "A" * 37
    paid(world, shop, order)
    assert shop.earned(order) == ()
    with pytest.raises(InvalidArgumentError):
        shop.earn(order, CART, customer_id="anna")


def test_a_payment_that_only_recovery_hears_of_earns_as_well(world: World):
    shop = earning(world)
    placed(world, "A-1", "pending")
    shop.balance("anna", max_age_s=0)
    shop.authorize("A-1", CART, customer_id="anna", points=427)
    placed(world, "A-1", "paid")
    world.advance(3600)
    shop.recover()
    assert there(shop.find("A-1")).state == "captured"
    assert (told(shop), standing(world)) == ([("purchase", "pending", 46, 0)], (2073, 46))


@pytest.mark.scenario(
    "T38", "earn, return, keep the points: pending ones are taken first, all of them with the last unit"
)
def test_a_return_takes_pending_points_in_proportion(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    shop.recover()
    preview = there(shop.preview_refund("A-1", **LAMP_BACK))
    shop.refund("A-1", return_reference="R-1", **LAMP_BACK)
    shop.recover()
    # 4601 cents less half, rounded down: 2301 are kept, so 23 points.
    assert (preview.earned_taken, told(shop)) == (23, [("purchase", "pending", 46, 23)])
    assert standing(world) == (2500 - 427 + 194, 23)
    shop.refund("A-1", return_reference="R-2", **LAMP_BACK)
    shop.recover()
    assert (told(shop), standing(world)[1]) == ([("purchase", "reversed", 46, 46)], 0)
    world.advance(PENDING_S + 60)
    shop.recover()
    assert (standing(world)[1], world.provider.sent("post_accrual")) == (0, 0)


@pytest.mark.scenario("T39", "a return after the posting takes the points as well")
def test_a_return_takes_posted_points(world: World):
    shop = earning(world, earn_pending_s=0)
    paid(world, shop, points=427)
    shop.recover()
    assert standing(world) == (2073 + 46, 0)
    shop.refund("A-1", return_reference="R-1", lines={"lamp": 2}, shipping_minor=490)
    shop.recover()
    assert (told(shop), standing(world)) == ([("purchase", "reversed", 46, 46)], (2500, 0))


@pytest.mark.parametrize("back", ["refund", "returned"])
def test_a_return_of_an_order_without_points(world: World, back: str):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    assert shop.earned_taken("A-1", **LAMP_BACK) == 25
    for _ in range(2):
        getattr(shop, back)("A-1", return_reference="R-1", **LAMP_BACK)
        shop.recover()
    # 2495 of 4990 cents are kept.
    assert (told(shop), standing(world)) == ([("purchase", "pending", 49, 25)], (2500, 24))
    with pytest.raises(ReturnConflictError):
        getattr(shop, back)("A-1", return_reference="R-1", lines={"lamp": 2})
    with pytest.raises(InvalidArgumentError):
        getattr(shop, back)("A-1", return_reference="R-2", lines={"lamp": 2})
    with pytest.raises(InvalidArgumentError):
        getattr(shop, back)("A-1", return_reference="R-2", lines={"sofa": 1})
    getattr(shop, back)("A-1", return_reference="R-2", amount_minor=2495 + 490)
    shop.recover()
    assert (told(shop), standing(world)) == ([("purchase", "reversed", 49, 49)], (2500, 0))


def test_a_return_before_anything_was_sent_gives_less_in_the_first_place(world: World):
    shop = earning(world)
    for order in ("A-1", "A-2"):
        paid(world, shop, order)
    shop.returned("A-1", return_reference="R-1", **LAMP_BACK)
    shop.returned("A-2", return_reference="R-2", lines={"lamp": 2})
    shop.recover()
    assert told(shop) == [("purchase", "pending", 49, 25)]
    assert told(shop, "A-2") == [("purchase", "reversed", 49, 49)]
    assert (standing(world), world.provider.sent("accrue"), world.provider.sent("reverse_accrual")) == (
        (2500, 24),
        1,
        0,
    )
    shop.returned("A-1", return_reference="R-3", **LAMP_BACK)
    shop.recover()
    assert (told(shop), standing(world)) == ([("purchase", "reversed", 49, 49)], (2500, 0))


@pytest.mark.parametrize("points", [0, 427])
@pytest.mark.parametrize("when", ["planned", "pending", "posted"])
def test_a_cancelled_order_has_earned_nothing(world: World, when: str, points: int):
    shop = earning(world, earn_pending_s=0 if when == "posted" else PENDING_S, welcome_points=50)
    paid(world, shop, points=points)
    if when != "planned":
        shop.recover()
    placed(world, "A-1", "cancelled")
    shop.cancel("A-1")
    settle(world, shop, rounds=2)
    assert [one.state for one in shop.earned("A-1")] == ["reversed", "reversed"]
    assert standing(world) == (2500, 0)


def test_a_return_of_an_order_from_before_brings_nothing(world: World):
    shop = earning(world)
    for days, kept in ((30, ()), (1, (49 - 25,))):
        order = f"A-{days}"
        at = datetime.now(UTC) - timedelta(days=days)
        world.orders[order] = Order(reference=order, state="paid", cart=CART, customer_id="anna", placed_at=at)
        shop.refund(order, return_reference="R-1", **LAMP_BACK)
        shop.recover()
        assert tuple(one.kept for one in shop.earned(order)) == kept


def test_a_cause_may_be_any_text(world: World):
    shop = earning(world)
    paid(world, shop)
    shop.cancel("A-1", cause="\n" + "x" * 300)
    shop.recover()
    assert told(shop) == [("purchase", "reversed", 49, 49)]


def test_a_cancellation_that_only_the_shop_knows_is_asked_for_before_the_posting(world: World):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    placed(world, "A-1", "cancelled")
    world.advance(PENDING_S + 60)
    shop.recover(due_only=True)
    assert (told(shop), standing(world)) == ([("purchase", "reversed", 49, 49)], (2500, 0))
    assert world.provider.sent("post_accrual") == 0


def test_an_order_that_is_not_paid_any_more_is_waited_for(world: World):
    shop = earning(world)
    paid(world, shop)
    shop.recover()
    placed(world, "A-1", "pending")
    world.advance(PENDING_S + 60)
    shop.recover(due_only=True)
    assert (told(shop), standing(world)) == ([("purchase", "pending", 49, 0)], (2500, 49))
    placed(world, "A-1", "paid")
    world.advance(3600)
    shop.recover(due_only=True)
    assert standing(world) == (2549, 0)


def test_an_order_that_the_shop_never_committed_earns_nothing(world: World):
    shop = world.checkout(**EARNS)
    shop.earn("A-1", CART, customer_id="anna")
    shop.recover()
    assert (told(shop), standing(world)) == ([("purchase", "planned", 49, 0)], (2500, 0))
    world.advance(180)
    shop.recover(due_only=True)
    assert (told(shop), world.provider.sent("accrue")) == ([("purchase", "reversed", 49, 49)], 0)


def test_a_changed_order_earns_what_it_is_by_now(world: World):
    shop = earning(world)
    paid(world, shop, points=427)
    shop.recover()
    one_lamp = CART.__class__(
        currency="EUR", lines=[type(CART.lines[0])(sku="lamp", quantity=1, unit_price_minor=2495, vat_rate="19")],
        shipping_minor=490, shipping_vat_rate="19",
    )  # fmt: skip
    shop.amend("A-1", one_lamp)
    shop.recover()
    assert told(shop) == [("purchase", "pending", 46, 23)]


@pytest.mark.parametrize("name", ["no_accruals", "classic"])
def test_where_shops_give_no_points_earning_is_refused_at_once(world: World, name: str):
    world.profile = PROFILES[name]
    for rules, field in ((EARNS, "earn_points"), ({"welcome_points": 5}, "welcome_points")):
        with pytest.raises(ConfigurationError) as caught:
            world.checkout(**rules)
        assert caught.value.field == field
