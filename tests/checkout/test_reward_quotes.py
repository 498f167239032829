"""What a cart with reward articles costs: their points are the least, further ones are the customer's choice."""

from typing import Any, Literal

import pytest

from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.quote import CartQuote, ReasonCode, quote, refusal, unaffordable
from punktgenau.checkout.rewards import reward_price
from punktgenau.checkout.rules import ShopRules
from punktgenau.errors import InsufficientPointsError, InvalidArgumentError, LimitError
from punktgenau.money import Money, Rate
from punktgenau.provider import Limits

CENT = Rate(id="r", points=1, amount_minor=1, currency="EUR")
LAMP = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")
BRUSH = Line(sku="brush", quantity=1, unit_price_minor=50, vat_rate="19", reward_points=50)
"""Only for points."""
TRAY = Line(sku="tray", quantity=1, unit_price_minor=3025, vat_rate="19", reward_points=25)
"""25 points and 30 EUR."""


def limits(**changes: Any) -> Limits:
    none: dict[str, Any] = {
        "min_points": 1,
        "step": 1,
        "max_points": None,
        "max_share_percent": None,
        "max_value": None,
    }
    return Limits(**{**none, **changes})


def asked(
    points: int | Literal["all"],
    *lines: Line,
    available: int = 2500,
    rate: Rate = CENT,
    rules: ShopRules | None = None,
    other_minor: int = 0,
    **changes: Any,
) -> CartQuote:
    cart = Cart(currency="EUR", lines=lines, other_tenders_minor=other_minor)
    return quote(
        cart=cart, available=available, rate=rate, limits=limits(**changes), rules=rules or ShopRules(), asked=points
    )


def told(made: CartQuote) -> tuple[int, int, list[tuple[ReasonCode, int]]]:
    return made.points, made.due.amount_minor, [(reason.code, reason.points) for reason in made.reasons]


def test_what_reward_articles_need_is_the_least() -> None:
    made = asked(0, LAMP, BRUSH, TRAY)
    assert told(made) == (75, 4990 + 3000, [("reward", 75)])
    assert (made.mandatory, made.least, made.most, made.unaffordable) == (75, 75, 2500, ())
    assert [(line.line_id, line.points, line.reason) for line in made.rewards] == [
        ("brush", 50, None),
        ("tray", 25, None),
    ]


def test_what_is_asked_counts_all_points_not_the_further_ones() -> None:
    assert told(asked(100, LAMP, BRUSH, TRAY)) == (100, 7965, [])
    assert told(asked(75, LAMP, BRUSH, TRAY)) == (75, 7990, [])
    assert told(asked(10, LAMP, BRUSH, TRAY)) == (75, 7990, [("reward", 75)])
    assert told(asked("all", LAMP, BRUSH, TRAY)) == (2500, 5565, [])
    assert told(asked(9000, BRUSH, TRAY, available=9000)) == (3075, 0, [("cart", 3075)])


def test_fewer_than_that_is_refused_to_who_wants_no_other_number() -> None:
    refused = refusal(asked(10, LAMP, BRUSH))
    assert isinstance(refused, LimitError)
    assert refused.code == "reward_needs_points"
    assert refusal(asked(50, LAMP, BRUSH)) is None


def test_first_come_first_served_and_the_rest_of_the_cart_stays() -> None:
    three = Line(sku="comb", quantity=1, unit_price_minor=30, vat_rate="19", reward_points=30)
    made = asked(0, LAMP, BRUSH, TRAY, three, available=60)
    # 50 for the brush; 25 more would be 75, 30 more 80.
    assert (made.unaffordable, made.mandatory, made.points) == (("tray", "comb"), 50, 50)
    made = asked("all", LAMP, BRUSH, TRAY, three, available=85)
    assert (made.unaffordable, made.mandatory, made.points) == (("comb",), 75, 85)
    error = unaffordable(made)
    assert isinstance(error, InsufficientPointsError)
    assert (error.code, error.field) == ("reward_points_missing", "comb")


def test_a_later_article_that_costs_fewer_points_still_fits() -> None:
    made = asked(0, BRUSH, TRAY, available=30)
    assert (made.unaffordable, made.mandatory, made.points) == (("brush",), 25, 25)


def test_without_any_points_nothing_is_affordable() -> None:
    made = asked("all", LAMP, BRUSH, available=0)
    assert (made.points, made.mandatory, made.unaffordable) == (0, 0, ("brush",))
    assert [line.reason for line in made.rewards] == ["balance"]


@pytest.mark.parametrize(
    ("rules", "changes", "reason"),
    [
        (ShopRules(max_points=40), {}, "maximum"),
        (ShopRules(max_share_percent=10), {}, "share"),
        (ShopRules(), {"max_points": 40}, "maximum"),
        (ShopRules(), {"max_share_percent": 10}, "share"),
        (ShopRules(), {"max_value": Money(amount_minor=40, currency="EUR")}, "maximum"),
        (ShopRules(), {"min_points": 400}, "minimum"),
        (ShopRules(), {"step": 200}, "step"),
    ],
)
def test_rules_that_its_points_break_make_a_line_unaffordable(
    rules: ShopRules, changes: dict[str, Any], reason: ReasonCode
) -> None:
    # 50 of 110 cents.
    pen = Line(sku="pen", quantity=1, unit_price_minor=60, vat_rate="19")
    made = asked(0, pen, BRUSH, rules=rules, **changes)
    assert [(line.line_id, line.reason) for line in made.rewards] == [("brush", reason)]
    assert made.unaffordable == ("brush",)


def test_a_shop_may_let_rewards_beyond_its_own_limits_and_no_others() -> None:
    beyond = ShopRules(max_points=40, max_share_percent=10, rewards_beyond_limits=True)
    pen = Line(sku="pen", quantity=1, unit_price_minor=60, vat_rate="19")
    assert told(asked("all", pen, BRUSH, rules=beyond)) == (50, 60, [("share", 50)])
    assert asked(0, pen, BRUSH, rules=beyond, max_points=40).unaffordable == ("brush",)


def test_what_points_may_not_pay_is_for_the_shop_to_decide() -> None:
    only_money = Line(
        sku="tray", quantity=1, unit_price_minor=3025, vat_rate="19", reward_points=25, points_allowed=False
    )
    assert [line.reason for line in asked(0, only_money).rewards] == ["articles"]
    made = asked("all", only_money, rules=ShopRules(rewards_beyond_limits=True))
    # The co-payment is for money alone.
    assert told(made) == (25, 3000, [("articles", 25)])


def test_a_step_is_filled_by_further_points() -> None:
    assert told(asked(0, LAMP, TRAY, step=10)) == (30, 8015 - 30, [("reward", 30)])


def test_a_rest_too_small_for_a_card_is_paid_with_points() -> None:
    pen = Line(sku="pen", quantity=1, unit_price_minor=20, vat_rate="19")
    made = asked(0, BRUSH, pen)
    assert told(made) == (70, 0, [("reward", 50), ("money_minimum", 70)])
    assert [near.points for near in made.neighbours] == [70]
    # 60 are too few for all of it, and 20 cents are too few for a card.
    assert [line.reason for line in asked(0, BRUSH, pen, available=60).rewards] == ["money_minimum"]


def test_a_gift_card_that_pays_too_much_leaves_no_room_for_points() -> None:
    made = asked(0, BRUSH, LAMP, other_minor=4990)
    assert told(made) == (50, 0, [("reward", 50)])
    assert [line.reason for line in asked(0, BRUSH, LAMP, other_minor=5000).rewards] == ["cart"]


@pytest.mark.parametrize("unit_price_minor", [49, 0])
def test_a_line_that_costs_less_than_its_points_is_refused(unit_price_minor: int) -> None:
    brush = Line(sku="brush", quantity=1, unit_price_minor=unit_price_minor, vat_rate="19", reward_points=50)
    with pytest.raises(InvalidArgumentError) as refused:
        asked(0, brush)
    assert (refused.value.code, refused.value.field) == ("reward_price", "reward_points")


def test_points_worth_nothing_buy_nothing() -> None:
    miles = Rate(id="r", points=100, amount_minor=1, currency="EUR")
    with pytest.raises(InvalidArgumentError) as refused:
        asked(0, BRUSH, rate=miles)
    assert refused.value.code == "reward_price"


def test_another_currency_affords_nothing() -> None:
    made = asked(0, LAMP, BRUSH, rate=Rate(id="r", points=1, amount_minor=1, currency="USD"))
    assert [line.reason for line in made.rewards] == ["currency"]


def test_a_thousand_of_them() -> None:
    many = Line(sku="brush", quantity=1000, unit_price_minor=50, vat_rate="19", reward_points=50)
    assert told(asked(0, many, available=50_000)) == (50_000, 0, [("reward", 50_000)])
    assert asked(0, many, available=49_999).unaffordable == ("brush",)


@pytest.mark.parametrize("points", [-1, 10**15 + 1, True, 2.5])
def test_what_no_number_of_points_is(points: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        Line(sku="brush", quantity=1, unit_price_minor=50, vat_rate="19", reward_points=points)


def test_more_units_than_any_account_can_pay_are_refused_with_words() -> None:
    with pytest.raises(InvalidArgumentError, match="reward_points must be between"):
        Line(sku="brush", quantity=1000, unit_price_minor=50, vat_rate="19", reward_points=10**13)


def test_the_price_of_a_reward_article() -> None:
    made = reward_price(sku="tray", quantity=1, reward_points=25, copayment_minor=3000, rate=CENT)
    assert (made.unit_price.amount_minor, made.discount.amount_minor) == (3025, 0)
    # 50 points are worth 16.67 cents, three times that 50.
    third = Rate(id="r", points=3, amount_minor=1, currency="EUR")
    made = reward_price(sku="brush", quantity=3, reward_points=50, copayment_minor=0, rate=third)
    assert (made.unit_price.amount_minor, made.discount.amount_minor) == (17, 1)
    line = Line(sku="brush", quantity=3, unit_price_minor=17, discount_minor=1, vat_rate="19", reward_points=50)
    assert told(asked(0, line, rate=third)) == (150, 0, [("reward", 150)])
