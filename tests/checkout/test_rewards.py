"""Orders with reward articles, from the cart to the return: nothing for free, and every point back."""

import pytest

from _world import World
from punktgenau import InsufficientPointsError, InvalidArgumentError, LimitError, Rate, UnavailableError
from punktgenau.checkout import Article, Cart, Checkout, Line

LAMP = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")
BRUSH = Line(sku="brush", quantity=2, unit_price_minor=50, vat_rate="19", reward_points=50)
"""Only for points."""
TRAY = Line(sku="tray", quantity=1, unit_price_minor=3025, vat_rate="7", reward_points=25)
"""25 points and 30 EUR."""


def cart(*lines: Line) -> Cart:
    return Cart(currency="EUR", lines=lines, shipping_minor=490, shipping_vat_rate="19")


MIXED = cart(LAMP, BRUSH, TRAY)
"""49.90 + 1.00 + 30.25 + 4.90 = 86.05, of which 125 points must pay 1.25."""


def placed(checkout: Checkout, of: Cart = MIXED, *, points: int = 125) -> None:
    checkout.authorize("A-1", of, customer_id="anna", points=points)


def test_from_the_cart_to_the_last_return(world: World, checkout: Checkout):
    payment = checkout.authorize("A-1", MIXED, customer_id="anna", points=225)
    assert (payment.points, payment.due.amount_minor) == (225, 8380)
    checkout.capture("A-1")
    invoice = checkout.invoice("A-1")
    assert [(one.line_id, one.points, one.amount.amount_minor) for one in invoice.rewards] == [
        ("brush", 100, 100),
        ("tray", 25, 25),
    ]
    assert [(one.kind, one.points, one.amount.amount_minor) for one in invoice.tenders] == [
        ("points", 225, 225),
        ("money", 0, 8380),
    ]
    # 100 further points on 84.80: 59 for the lamps, 35 for the tray's 30 EUR, 6 for the shipping.
    preview = checkout.preview_refund("A-1", lines={"tray": 1})
    assert [(how, split.points, split.money.amount_minor) for how, split in preview.policies.items()] == [
        ("proportional", 25 + 35, 2965),
        ("points_first", 25 + 100, 2900),
        ("money_first", 25, 3000),
    ]
    one = checkout.refund("A-1", return_reference="R-1", lines={"brush": 1, "tray": 1})
    assert (one.points, one.money.amount_minor) == (50 + 25 + 35, 2965)
    rest = checkout.refund("A-1", return_reference="R-2", lines={"lamp": 2, "brush": 1, "shipping": 1})
    assert (rest.points, rest.money.amount_minor) == (225 - 110, 8380 - 2965)
    assert world.provider.points() == (2500, 0)


@pytest.mark.scenario("T56", "a reward article is never had without the points that must pay it")
def test_without_points_nothing_is_placed(world: World, checkout: Checkout):
    with pytest.raises(LimitError) as refused:
        placed(checkout, points=0)
    assert refused.value.code == "reward_needs_points"
    with pytest.raises(LimitError) as refused:
        placed(checkout, points=124)
    assert refused.value.code == "reward_needs_points"
    with pytest.raises(InsufficientPointsError) as missing:
        # 42 points: enough for the tray, not for a brush.
        checkout.authorize("A-2", MIXED, customer_id="ben", points="all")
    assert (missing.value.code, missing.value.field) == ("reward_points_missing", "brush")
    off = world.checkout(enabled=False)
    with pytest.raises(LimitError) as refused:
        off.authorize("A-3", MIXED, customer_id="anna", points=125)
    assert refused.value.code == "reward_needs_points"
    assert (checkout.find("A-1"), checkout.find("A-2"), checkout.find("A-3")) == (None, None, None)
    assert world.provider.points() == (2500, 0)


def test_a_provider_that_is_away_sells_no_reward(world: World, checkout: Checkout):
    world.provider.fault("balance", "reset", when="before", times=9)
    with pytest.raises(UnavailableError):
        placed(checkout)
    with pytest.raises(LimitError, match="try the points again, or cancel"):
        placed(checkout, points=0)
    assert checkout.find("A-1") is None


def test_an_unknown_is_tried_again_or_cancelled_never_gone_on_without(world: World, checkout: Checkout):
    checkout.balance("anna")
    world.provider.fault("authorize", "reset", when="after", times=9)
    assert checkout.authorize("A-1", MIXED, customer_id="anna", points=125).state == "authorizing"
    # Not even by a cart that was made cheaper meanwhile.
    for other in (MIXED, cart(LAMP)):
        with pytest.raises(LimitError) as refused:
            placed(checkout, other, points=0)
        assert refused.value.code == "reward_needs_points"
    world.provider.heal()
    assert checkout.try_again("A-1").state == "authorized"
    checkout.void("A-1")
    with pytest.raises(LimitError):
        placed(checkout, points=0)
    assert placed(checkout, cart(LAMP), points=0) is None
    assert world.provider.points() == (2500, 0)


def test_units_that_leave_take_their_own_points(world: World, checkout: Checkout):
    placed(checkout)
    checkout.capture("A-1", lines={"brush": 1}, shipment_reference="S-1")
    assert world.provider.points() == (2375, 75)
    checkout.capture("A-1", lines={"lamp": 2}, shipment_reference="S-2")
    assert world.provider.points() == (2375, 75)
    checkout.capture("A-1", lines={"tray": 1}, shipment_reference="S-3")
    assert world.provider.points() == (2375, 50)
    back = checkout.refund("A-1", return_reference="R-1", lines={"brush": 1})
    assert (back.points, back.money.amount_minor) == (50, 0)
    checkout.capture("A-1")
    assert world.provider.points() == (2425, 0)


def test_an_order_that_loses_a_reward_article_gives_its_points_back(world: World, checkout: Checkout):
    placed(checkout, points=225)
    one_less = Line(sku="brush", quantity=1, unit_price_minor=50, vat_rate="19", reward_points=50)
    changed = checkout.amend("A-1", cart(LAMP, one_less, TRAY))
    # The further 100 stay, the brush's 50 go.
    assert (changed.points, changed.due.amount_minor) == (175, 8380)
    assert checkout.amend("A-1", MIXED).points == 225
    assert checkout.amend("A-1", cart(LAMP)).points == 100
    checkout.capture("A-1")
    assert world.provider.points() == (2400, 0)


def test_after_the_capture_the_kept_article_keeps_its_points(world: World, checkout: Checkout):
    placed(checkout)
    checkout.capture("A-1")
    # The lamps go: money alone.
    checkout.amend("A-1", cart(BRUSH, TRAY))
    assert world.provider.points() == (2375, 0)
    assert [(one.points, one.money.amount_minor) for one in checkout.refunds("A-1")] == [(0, 4990)]
    checkout.amend("A-1", cart(TRAY))
    assert [(one.points, one.money.amount_minor) for one in checkout.refunds("A-1")] == [(0, 4990), (100, 0)]
    last = checkout.refund("A-1", return_reference="R-1", lines={"tray": 1})
    assert (last.points, last.money.amount_minor) == (25, 3000)
    assert world.provider.points() == (2500, 0)


@pytest.mark.parametrize("is_paid", [False, True])
def test_no_reward_article_is_added_without_points_for_it(world: World, checkout: Checkout, is_paid: bool):
    placed(checkout, cart(LAMP, TRAY), points=60)
    if is_paid:
        checkout.capture("A-1")
    with pytest.raises(InsufficientPointsError) as refused:
        checkout.amend("A-1", MIXED)
    assert (refused.value.code, refused.value.remaining) == ("reward_points_missing", 60)
    # 35 further points are there for another.
    comb = Line(sku="comb", quantity=1, unit_price_minor=35, vat_rate="19", reward_points=35)
    assert checkout.amend("A-1", cart(LAMP, TRAY, comb)).points == 60
    with pytest.raises(InvalidArgumentError):
        checkout.amend(
            "A-1", cart(LAMP, Line(sku="tray", quantity=1, unit_price_minor=1, vat_rate="7", reward_points=25))
        )


def test_a_thousand_reward_articles(world: World, checkout: Checkout):
    world.provider.give("mbr_2500", 50_000)
    many = cart(Line(sku="brush", quantity=1000, unit_price_minor=50, vat_rate="19", reward_points=50))
    payment = checkout.authorize("A-1", many, customer_id="anna", points=50_000)
    assert (payment.points, payment.due.amount_minor) == (50_000, 490)
    checkout.capture("A-1")
    assert checkout.refund("A-1", return_reference="R-1", lines={"brush": 999}).points == 49_950


def test_points_that_are_missing_leave_what_was_taken(world: World, checkout: Checkout):
    placed(checkout, points=225)
    checkout.capture("A-1", lines={"tray": 1}, shipment_reference="S-1")
    # With the tray 25 and 35 of the further ones, with the first parcel the shipping's 6.
    assert world.provider.points() == (2275, 159)
    world.advance(3600 * 24 * 60)
    assert checkout.capture("A-1").state == "short"
    back = checkout.refund("A-1", return_reference="R-1", lines={"tray": 1})
    assert (back.points, back.money.amount_minor) == (60, 2965)
    assert checkout.find("A-1").state == "short"


def test_the_price_of_an_article_at_the_rate_of_today(world: World, checkout: Checkout):
    checkout.article_loader = {
        "tray": Article(sku="tray", price_points=25, copayment_minor=3000, currency="EUR", exclusive=True),
        "brush": Article(sku="brush", price_points=50),
        "lamp": Article(sku="lamp", points=10),
    }.get
    checkout.balance("anna")
    price = checkout.reward_price("tray")
    assert price is not None
    assert (price.reward_points, price.unit_price.amount_minor, price.copayment.amount_minor) == (25, 3025, 3000)
    assert (checkout.reward_price("lamp"), checkout.reward_price("none")) == (None, None)
    # Another process has asked nobody, and finds what this one was told.
    other = world.checkout()
    other.article_loader = checkout.article_loader
    assert other.reward_price("brush").unit_price.amount_minor == 50
    half = Rate(id="r", points=2, amount_minor=1, currency="EUR")
    assert checkout.reward_price("brush", quantity=3, rate=half).unit_price.amount_minor == 25
    with pytest.raises(InvalidArgumentError):
        checkout.reward_price("tray", rate=Rate(id="r", points=1, amount_minor=1, currency="USD"))


def test_no_price_before_a_rate_is_known(world: World):
    fresh = world.checkout()
    fresh.article_loader = {"brush": Article(sku="brush", price_points=50)}.get
    with pytest.raises(UnavailableError):
        fresh.reward_price("brush")
    assert fresh.reward_price("brush", customer_id="anna").unit_price.amount_minor == 50


def test_what_is_missing_in_points_is_promised_nothing_for(world: World):
    shop = world.checkout(earn_points=1)
    shop.link("few", member_id="mbr_42", consent_id="con_2")
    shop.balance("few", max_age_s=0)
    # 49.90 for the lamps and 30.00 for the tray, which earn 79; the brushes are paid with points alone.
    paid = shop.preview_earned(MIXED, points_value=125, points=125, customer_id="anna")
    assert paid.points == 79
    # 42 points pay the tray's 25 at best: what they do not pay is not paid in money either.
    assert shop.preview_earned(MIXED, points_value=25, points=25, customer_id="few").points == 79
    assert shop.preview_earned(MIXED, customer_id="few").points == 79
    # Where nobody knows what points are worth, such lines are no promise.
    assert shop.preview_earned(MIXED, customer_id="stranger").points == 49
    assert shop.preview_earned(cart(BRUSH), customer_id="stranger").points == 0
    one = Cart(currency="EUR", lines=[TRAY])
    assert (shop.preview_earned(one).points, shop.preview_earned(one, customer_id="few").points) == (0, 30)
