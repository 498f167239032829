"""The programme's and the shop's rules put together, and the settings that a shop may choose."""

from typing import Any

import pytest

from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.rules import Reason, ShopRules, UsableLimits, payable_minor, usable_limits
from punktgenau.checkout.settings import Settings
from punktgenau.errors import ConfigurationError
from punktgenau.money import Money, Rate
from punktgenau.provider import Limits

CENT = Rate(id="r", points=1, amount_minor=1, currency="EUR")
THIRD = Rate(id="r", points=3, amount_minor=1, currency="EUR")
CART = Cart(
    currency="EUR",
    lines=[
        Line(sku="lamp", quantity=1, unit_price_minor=5990, vat_rate="19"),
        Line(sku="voucher", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False),
    ],
    shipping_minor=490,
)


def limits(**more: Any) -> Limits:
    open_to_all = {"min_points": 1, "max_points": None, "step": 1, "max_share_percent": None, "max_value": None}
    return Limits(**(open_to_all | more))


def made(
    *, of: Limits | None = None, rules: ShopRules | None = None, rate: Rate = CENT, available: int = 10_000
) -> UsableLimits:
    return usable_limits(cart=CART, available=available, rate=rate, limits=of or limits(), rules=rules or ShopRules())


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def bounds(usable: UsableLimits) -> list[tuple[str, int]]:
    return [(bound.code, bound.points) for bound in usable.bounds]


def test_each_bound_has_its_reason_the_tightest_first() -> None:
    usable = made(
        of=limits(max_points=5000, max_share_percent=50, max_value=eur(4500)), rules=ShopRules(max_points=7000)
    )
    assert bounds(usable) == [
        ("share", 4240),  # half of 84.80
        ("maximum", 4500),
        ("maximum", 5000),
        ("articles", 6480),  # 84.80 without the voucher
        ("maximum", 7000),
        ("cart", 8480),
        ("balance", 10_000),
    ]
    assert usable.tightest == Reason(code="share", points=4240)


@pytest.mark.parametrize(
    ("provider", "shop", "first", "step"),
    [
        ({}, {}, 1, 1),
        ({"min_points": 100}, {"min_points": 30}, 100, 1),
        ({"min_points": 30}, {"min_points": 100}, 100, 1),
        ({"step": 4}, {"step": 6}, 12, 12),
        ({"step": 50}, {"min_points": 120}, 150, 50),
        ({"min_points": 10, "step": 4}, {}, 12, 4),
        ({"min_points": 0, "step": 0}, {}, 1, 1),  # a programme that means "no rule"
    ],
)
def test_minimum_and_step_are_the_stricter_ones(
    provider: dict[str, int], shop: dict[str, int], first: int, step: int
) -> None:
    usable = made(of=limits(**provider), rules=ShopRules(**shop))
    assert (usable.first, usable.step) == (first, step)


def test_a_share_is_one_of_the_total_and_rounds_down() -> None:
    cart = Cart(
        currency="EUR",
        lines=[Line(sku="lamp", quantity=1, unit_price_minor=999, vat_rate="19")],
        other_tenders_minor=400,
    )
    usable = usable_limits(
        cart=cart, available=9999, rate=CENT, limits=limits(max_share_percent=50), rules=ShopRules(max_share_percent=33)
    )
    assert bounds(usable)[:3] == [("share", 329), ("share", 499), ("cart", 599)]


def test_a_bound_on_the_worth_is_the_most_points_of_that_worth() -> None:
    assert ("cart", 25_442) in bounds(made(rate=THIRD))  # 84.80 at 3 points a cent is 25440; 25443 would be 84.81


def test_articles_and_shipping_that_points_may_not_pay() -> None:
    assert payable_minor(CART, ShopRules()) == (5990, 0, 490)
    assert payable_minor(CART, ShopRules(shipping_allowed=False)) == (5990, 0, 0)
    assert made(rules=ShopRules(shipping_allowed=False)).tightest == Reason(code="articles", points=5990)


@pytest.mark.scenario("B4", "a programme of another currency bounds the points to 0, without any conversion")
@pytest.mark.parametrize(
    ("rate", "most"),
    [
        (Rate(id="r", points=1, amount_minor=1, currency="USD"), None),
        (CENT, Money(amount_minor=100, currency="USD")),
        (CENT, Money(amount_minor=0, currency="USD")),
    ],
)
def test_another_currency_is_not_offered(rate: Rate, most: Money | None) -> None:
    assert bounds(made(rate=rate, of=limits(max_value=most))) == [("currency", 0)]


def test_a_balance_below_zero_is_none() -> None:
    assert made(available=-300).tightest == Reason(code="balance", points=0)


@pytest.mark.parametrize(
    "fields",
    [
        {"min_points": 0},
        {"min_points": 1.0},
        {"max_points": 0},
        {"max_points": 4, "min_points": 5},
        {"step": 0},
        {"step": True},
        {"max_share_percent": 0},
        {"max_share_percent": 101},
        {"shipping_allowed": None},
    ],
)
@pytest.mark.parametrize("cls", [ShopRules, Settings])
def test_a_rule_that_cannot_be_meant_names_its_key(cls: type, fields: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(**fields)
    assert caught.value.field == next(iter(fields))
    assert caught.value.code == "configuration"


@pytest.mark.parametrize(
    "fields",
    [
        {"enabled": 1},
        {"capture": "later"},
        {"hold_s": 299},
        {"hold_s": 7200.0},
        {"hold_s": 91 * 86_400},
        {"min_money_minor": -1},
        {"refund_policy": "half"},
        {"deadline_s": 0},
        {"deadline_s": float("nan")},
        {"deadline_s": float("inf")},
        {"deadline_s": "4"},
        {"worker_deadline_s": -1.0},
        {"worker_deadline_s": True},
    ],
)
def test_a_setting_that_cannot_be_meant_names_its_key(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings(**fields)
    assert caught.value.field == next(iter(fields))


def test_settings_that_nobody_chose() -> None:
    chosen = Settings()
    assert (chosen.enabled, chosen.capture, chosen.hold_s, chosen.min_money_minor) == (True, "paid", 7200, 50)
    assert (chosen.refund_policy, chosen.deadline_s, chosen.worker_deadline_s) == ("proportional", 4.0, 8.0)
    assert chosen.rules == ShopRules()


def test_the_settings_make_the_rules() -> None:
    chosen = Settings(
        min_money_minor=100, min_points=10, max_points=900, step=5, max_share_percent=80, shipping_allowed=False
    )
    assert chosen.rules == ShopRules(
        min_points=10, max_points=900, step=5, max_share_percent=80, shipping_allowed=False, money_minimum_minor=100
    )
