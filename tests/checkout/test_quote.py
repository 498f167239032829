"""Points for a cart: real carts worked out by hand, then every combination against a count of all usable numbers."""

import math
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.quote import CODE_OF_REASON, CartQuote, ReasonCode, quote, refusal
from punktgenau.checkout.rules import ShopRules
from punktgenau.codes import CODES
from punktgenau.errors import InsufficientPointsError, InvalidArgumentError, LimitError
from punktgenau.money import Money, Rate, Rounding
from punktgenau.provider import Limits

Asked = int | Literal["all"]


def eur(amount_minor: int) -> Money:
    return Money(amount_minor=amount_minor, currency="EUR")


def rate(points: int = 1, amount_minor: int = 1, rounding: Rounding = "down", currency: str = "EUR") -> Rate:
    return Rate(id="r", points=points, amount_minor=amount_minor, currency=currency, rounding=rounding)


def limits(**more: Any) -> Limits:
    open_to_all = {"min_points": 1, "max_points": None, "step": 1, "max_share_percent": None, "max_value": None}
    return Limits(**(open_to_all | more))


def cart(goods_minor: int = 5990, shipping_minor: int = 490, **more: Any) -> Cart:
    lamp = Line(sku="lamp", quantity=1, unit_price_minor=goods_minor, vat_rate="19")
    return Cart(currency="EUR", lines=[lamp], shipping_minor=shipping_minor, **more)


def small(goods_minor: int, **more: Any) -> Cart:
    return cart(goods_minor, 0, **more)


def made(
    asked: Asked,
    *,
    of: Cart | None = None,
    available: int = 2500,
    at: Rate | None = None,
    within: Limits | None = None,
    rules: ShopRules | None = None,
) -> CartQuote:
    return quote(
        cart=of or cart(),
        available=available,
        rate=at or rate(),
        limits=within or limits(),
        rules=rules or ShopRules(),
        asked=asked,
    )


def reasons(of: CartQuote) -> list[tuple[str, int]]:
    return [(reason.code, reason.points) for reason in of.reasons]


def neighbours(of: CartQuote) -> list[tuple[int, int]]:
    return [(near.points, near.due.amount_minor) for near in of.neighbours]


def test_427_points_off_a_lamp_and_its_shipping() -> None:
    taken = made(427)
    assert (taken.points, taken.value, taken.due, taken.total) == (427, eur(427), eur(6053), eur(6480))
    assert (taken.asked, taken.available, taken.least, taken.most, taken.step) == (427, 2500, 1, 2500, 1)
    assert (taken.reasons, taken.neighbours) == ((), ())
    assert taken.payable == eur(6480)


TABLE = [
    # all that is there, more than is there, more than the cart
    pytest.param("all", {}, 2500, 3980, [], id="all"),
    pytest.param(2500, {}, 2500, 3980, [], id="the whole balance"),
    pytest.param(2501, {}, 2500, 3980, [("balance", 2500)], id="one above the balance"),
    pytest.param(10**15, {}, 2500, 3980, [("balance", 2500)], id="far above the balance"),
    pytest.param(6480, {"available": 9000}, 6480, 0, [], id="the whole bill"),
    pytest.param(7000, {"available": 9000}, 6480, 0, [("cart", 6480)], id="above the bill"),
    pytest.param("all", {"available": 9000}, 6480, 0, [("cart", 6480)], id="all of a balance above the bill"),
    pytest.param(5, {"available": 0}, 0, 6480, [("balance", 0)], id="no balance"),
    pytest.param("all", {"available": 0}, 0, 6480, [("balance", 0)], id="all of no balance"),
    pytest.param(5, {"available": -300}, 0, 6480, [("balance", 0)], id="a balance below zero"),
    # minimum, maximum, step, share
    pytest.param(99, {"within": limits(min_points=100)}, 100, 6380, [("minimum", 100)], id="below the minimum"),
    pytest.param(600, {"within": limits(max_points=500)}, 500, 5980, [("maximum", 500)], id="above the maximum"),
    pytest.param(600, {"rules": ShopRules(max_points=300)}, 300, 6180, [("maximum", 300)], id="the shop's maximum"),
    pytest.param(3000, {"within": limits(max_value=eur(2000))}, 2000, 4480, [("maximum", 2000)], id="highest value"),
    pytest.param(427, {"within": limits(step=50)}, 400, 6080, [("step", 400)], id="between two steps"),
    pytest.param(30, {"within": limits(step=50)}, 50, 6430, [("step", 50)], id="below the first step"),
    pytest.param(100, {"within": limits(step=4), "rules": ShopRules(step=6)}, 96, 6384, [("step", 96)], id="two steps"),
    pytest.param(
        11, {"within": limits(min_points=10, step=4)}, 12, 6468, [("step", 12)], id="a minimum that is not on step"
    ),
    pytest.param(
        9, {"within": limits(min_points=10, step=4)}, 12, 6468, [("minimum", 12)], id="below a minimum not on step"
    ),
    pytest.param(
        "all",
        {"within": limits(max_share_percent=50), "available": 9000},
        3240,
        3240,
        [("share", 3240)],
        id="half of the bill at most",
    ),
    pytest.param(
        30, {"within": limits(min_points=100), "available": 50}, 0, 6480, [("minimum", 100), ("balance", 50)], id="poor"
    ),
    pytest.param(
        80,
        {"within": limits(min_points=100), "available": 50},
        0,
        6480,
        [("balance", 50), ("minimum", 100)],
        id="poor 2",
    ),
    # three points a cent
    pytest.param(427, {"at": rate(3, 1)}, 426, 6338, [("fewest", 426)], id="the odd point is kept"),
    pytest.param(426, {"at": rate(3, 1)}, 426, 6338, [], id="nothing odd"),
    pytest.param(2, {"at": rate(3, 1)}, 0, 6480, [("worthless", 3)], id="worth nothing"),
    pytest.param("all", {"at": rate(3, 1)}, 2499, 5647, [("fewest", 2499)], id="all, without the odd point"),
    pytest.param(428, {"at": rate(3, 1, "up")}, 427, 6337, [("fewest", 427)], id="rounded up: 142.67 and 142.33"),
    pytest.param(429, {"at": rate(3, 1, "half_up")}, 428, 6337, [("fewest", 428)], id="half up: 143.00 and 142.67"),
    pytest.param(
        427,
        {"at": rate(3, 1), "within": limits(step=10)},
        420,
        6340,
        [("step", 420)],
        id="420 of three a cent, in tens",
    ),
    # a point is 5 cents
    pytest.param(427, {"at": rate(1, 5)}, 427, 4345, [], id="five cents a point"),
    pytest.param("all", {"at": rate(1, 5)}, 1296, 0, [("cart", 1296)], id="five cents a point, the whole bill"),
]


@pytest.mark.scenario("B2", "above balance, cart, maximum; below the minimum: the bound is used and named")
@pytest.mark.parametrize(("asked", "given_that", "points", "due_minor", "why"), TABLE)
def test_what_is_used_and_why(
    asked: Asked, given_that: dict[str, Any], points: int, due_minor: int, why: list[tuple[str, int]]
) -> None:
    taken = made(asked, **given_that)
    assert (taken.points, taken.due, reasons(taken)) == (points, eur(due_minor), why)
    assert taken.neighbours == ()


@pytest.mark.parametrize(("asked", "given_that", "points", "offered", "why"), [
    pytest.param(
        6450, {"available": 9000}, 6430, [(6430, 50), (6480, 0)], [("money_minimum", 6430)], id="30 cents left"
    ),
    pytest.param(
        430, {"of": small(450)}, 400, [(400, 50), (450, 0)], [("money_minimum", 400)], id="400 and 50 cents, or 450"
    ),
    pytest.param(430, {"of": small(450), "available": 440}, 400, [(400, 50)], [("money_minimum", 400)], id="lower"),
    pytest.param(
        500,
        {"of": small(450), "available": 440},
        400,
        [(400, 50)],
        [("balance", 440), ("money_minimum", 400)],
        id="balance, then the rest",
    ),
    pytest.param(10, {"of": small(30)}, 0, [(30, 0)], [("money_minimum", 0)], id="a bill below the card's minimum"),
    pytest.param(10, {"of": small(30), "available": 20}, 0, [], [("money_minimum", 0)], id="a small bill, few points"),
    pytest.param(
        430, {"of": small(450), "within": limits(min_points=420)}, 0, [(450, 0)], [("money_minimum", 0)], id="upper"
    ),
    pytest.param(
        430, {"of": small(450), "within": limits(step=60)}, 360, [(360, 90)], [("step", 420), ("money_minimum", 360)],
        id="450 is not on step",
    ),
    pytest.param(
        "all", {"of": small(499), "at": rate(1, 5)}, 89, [(89, 54)], [("cart", 99), ("money_minimum", 89)],
        id="4.99 at five cents a point",
    ),
    pytest.param(
        1300, {"of": small(450), "at": rate(3, 1)}, 1200, [(1200, 50), (1350, 0)],
        [("fewest", 1299), ("money_minimum", 1200)], id="three points a cent",
    ),
])  # fmt: skip
def test_a_rest_too_small_for_a_card_offers_both_neighbours(
    asked: Asked,
    given_that: dict[str, Any],
    points: int,
    offered: list[tuple[int, int]],
    why: list[tuple[str, int]],
) -> None:
    taken = made(asked, **given_that)
    assert (taken.points, neighbours(taken), reasons(taken)) == (points, offered, why)


def test_a_bill_below_the_cards_minimum_can_be_paid_in_full() -> None:
    taken = made("all", of=small(30))
    assert (taken.points, taken.due, taken.least, taken.most) == (30, eur(0), 30, 30)


@pytest.mark.parametrize(("money_minimum_minor", "points"), [(0, 449), (1, 449), (2, 448), (50, 400), (451, 0)])
def test_the_shop_says_what_its_cards_take(money_minimum_minor: int, points: int) -> None:
    taken = made(449, of=small(450), rules=ShopRules(money_minimum_minor=money_minimum_minor))
    assert taken.points == points


@pytest.mark.scenario("B4", "another currency: 0 points, the full amount due, a reason, no conversion")
def test_another_currency_is_not_converted() -> None:
    taken = made(427, at=rate(currency="USD"))
    assert (taken.points, taken.value, taken.due) == (0, eur(0), eur(6480))
    assert (taken.least, taken.most, reasons(taken)) == (0, 0, [("currency", 0)])
    refused = refusal(taken)
    assert isinstance(refused, LimitError)
    assert refused.code == "currency_not_offered"


@pytest.mark.scenario("B8", "a free cart, a cart paid by points, shipping only, net prices: exact, never negative")
def test_carts_at_the_edge() -> None:
    free = made("all", of=small(0))
    assert (free.points, free.due, free.most, reasons(free)) == (0, eur(0), 0, [("cart", 0)])
    shipping_only = made("all", of=cart(0, 490))
    assert (shipping_only.points, shipping_only.due) == (490, eur(0))
    net = made("all", of=cart(1000, 100, shipping_vat_rate="19", prices_include_vat=False))
    assert (net.points, net.due) == (1309, eur(0))
    paid_by_gift_card = made(5, of=cart(other_tenders_minor=6480))
    assert (paid_by_gift_card.points, reasons(paid_by_gift_card)) == (0, [("cart", 0)])


@pytest.mark.scenario("T13", "gift card and points together never exceed the total")
def test_points_pay_what_other_tenders_leave() -> None:
    taken = made("all", of=cart(other_tenders_minor=1480), available=9000)
    assert (taken.points, taken.due, taken.total, taken.payable) == (5000, eur(0), eur(6480), eur(5000))
    assert reasons(taken) == [("cart", 5000)]


def test_articles_that_points_cannot_pay() -> None:
    mixed = Cart(
        currency="EUR",
        lines=[
            Line(sku="lamp", quantity=1, unit_price_minor=5990, vat_rate="19"),
            Line(sku="voucher", quantity=1, unit_price_minor=2000, vat_rate="0", points_allowed=False),
        ],
        shipping_minor=490,
    )
    taken = made(7000, of=mixed, available=9000)
    assert (taken.points, taken.due, reasons(taken)) == (6480, eur(2000), [("articles", 6480)])
    taken = made(7000, of=mixed, available=9000, rules=ShopRules(shipping_allowed=False))
    assert (taken.points, taken.due, reasons(taken)) == (5990, eur(2490), [("articles", 5990)])


@pytest.mark.scenario("B3", "3 points = 1 cent: points that add no worth are not taken, and are no refusal")
def test_points_that_add_no_worth() -> None:
    bill = small(100)
    assert reasons(made(301, of=bill, available=301, at=rate(3, 1))) == [("fewest", 300)]
    assert reasons(made(302, of=bill, available=301, at=rate(3, 1))) == [("balance", 301), ("fewest", 300)]
    above = made(303, of=bill, available=999, at=rate(3, 1))
    assert (above.points, reasons(above)) == (300, [("cart", 300)])
    assert refusal(made(301, of=bill, at=rate(3, 1))) is None


@pytest.mark.scenario("T11", "a cart that becomes smaller or larger after applying is quoted anew within its bounds")
def test_the_same_wish_for_a_changed_cart() -> None:
    assert made(2000, of=cart(5990, 990)).due == eur(4980)
    shrunk = made(2000, of=small(300))
    assert (shrunk.points, shrunk.due, reasons(shrunk)) == (300, eur(0), [("cart", 300)])
    assert made(2000, of=cart(9990, 990)).due == eur(8980)


def test_asking_for_nothing_tells_the_limits() -> None:
    taken = made(0)
    assert (taken.points, taken.due, taken.least, taken.most, taken.reasons) == (0, eur(6480), 1, 2500, ())


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (-1, "points_negative"),
        (10**100, "points_too_large"),
        (True, "points_not_whole"),
        (427.0, "points_not_whole"),
        ("427", "points_not_whole"),
        (None, "points_not_whole"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(asked: Any, code: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        made(asked)
    assert caught.value.code == code


@pytest.mark.scenario("B2", "who insists on the number asked for gets a typed error with what remains possible")
@pytest.mark.parametrize(("asked", "given_that", "code", "remaining"), [
    (2501, {}, "insufficient_points", 2500),
    (7000, {"available": 9000}, "exceeds_total", 6480),
    (99, {"within": limits(min_points=100)}, "below_minimum", 2500),
    (600, {"within": limits(max_points=500)}, "above_maximum", 500),
    (427, {"within": limits(step=50)}, "step_mismatch", 2500),
    (4000, {"within": limits(max_share_percent=50), "available": 9000}, "share_exceeded", 3240),
    (6450, {"available": 9000}, "money_minimum", 6480),
    (2, {"at": rate(3, 1)}, "worthless", 2499),
])  # fmt: skip
def test_a_refusal_is_typed(asked: int, given_that: dict[str, Any], code: str, remaining: int) -> None:
    refused = refusal(made(asked, **given_that))
    assert refused is not None
    assert (refused.code, refused.remaining, refused.field, refused.outcome) == (code, remaining, "points", "not_done")
    assert isinstance(refused, InsufficientPointsError if code == "insufficient_points" else LimitError)
    assert refusal(made(427)) is None


def test_every_reason_but_fewest_is_an_error_code() -> None:
    assert set(CODE_OF_REASON) == set(ReasonCode.__args__) - {"fewest"}  # type: ignore[attr-defined]
    assert set(CODE_OF_REASON.values()) <= set(CODES)


# Every combination, against a count of all numbers that are usable by definition.


@st.composite
def carts(draw: st.DrawFn) -> Cart:
    priced = draw(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=3))
    shipping_minor = draw(st.sampled_from([0, 7, 13]))
    whole = sum(price for price, _ in priced) + shipping_minor
    return Cart(
        currency="EUR",
        lines=[
            Line(sku=str(n), quantity=1, unit_price_minor=price, vat_rate="19", points_allowed=allowed)
            for n, (price, allowed) in enumerate(priced)
        ],
        shipping_minor=shipping_minor,
        other_tenders_minor=draw(st.just(0) | st.integers(0, whole)),
    )


def maybe(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
    return st.none() | numbers


RATES = st.builds(
    rate,
    st.sampled_from([1, 2, 3, 7, 10]),
    st.sampled_from([1, 2, 3, 5, 10]),
    st.sampled_from(["down", "half_up", "up"]),
)
LIMITS = st.builds(
    limits,
    min_points=st.sampled_from([0, 1, 2, 10, 40]),
    max_points=maybe(st.integers(0, 80)),
    step=st.sampled_from([0, 1, 2, 5, 10]),
    max_share_percent=maybe(st.sampled_from([0, 30, 50, 100])),
    max_value=st.none() | st.builds(eur, st.integers(0, 60)),
)
RULES = st.builds(
    ShopRules,
    min_points=st.sampled_from([1, 3]),
    max_points=maybe(st.integers(3, 80)),
    step=st.sampled_from([1, 4]),
    max_share_percent=maybe(st.just(40)),
    shipping_allowed=st.booleans(),
    money_minimum_minor=st.sampled_from([0, 1, 5, 20, 50]),
)


def usable_numbers(of: Cart, available: int, at: Rate, within: Limits, rules: ShopRules) -> list[int]:
    """Every number of points that may be used: by trying all of them, from the words of the rules."""
    total = sum(line.amount_minor for line in of.gross_lines)
    payable = total - of.other_tenders_minor
    allowed = sum(
        left
        for left, line in zip(of.left_minor, of.gross_lines, strict=True)
        if line.points_allowed and (line.id != "shipping" or rules.shipping_allowed)
    )
    highest = [payable, allowed]
    highest += [
        total * percent // 100 for percent in (within.max_share_percent, rules.max_share_percent) if percent is not None
    ]
    highest += [within.max_value.amount_minor] if within.max_value is not None else []
    usable: list[int] = []
    worths = set()
    for points in range(max(1, within.min_points, rules.min_points), available + 1):
        most = min(limit for limit in (within.max_points, rules.max_points, available) if limit is not None)
        if points > most or points % max(1, within.step) or points % rules.step:
            continue
        worth = at.worth(points).amount_minor
        due = payable - worth
        if worth > 0 and worth not in worths and worth <= min(highest):
            worths.add(worth)
            if due == 0 or due >= rules.money_minimum_minor:
                usable.append(points)
    return usable


@settings(deadline=None, max_examples=400)
@given(
    of=carts(),
    available=st.integers(-3, 20) | st.integers(0, 400),
    at=RATES,
    within=LIMITS,
    rules=RULES,
    asked=st.just("all") | st.integers(0, 500),
)
def test_any_combination_uses_the_best_usable_number(
    of: Cart, available: int, at: Rate, within: Limits, rules: ShopRules, asked: Asked
) -> None:
    taken = quote(cart=of, available=available, rate=at, limits=within, rules=rules, asked=asked)
    usable = usable_numbers(of, available, at, within, rules)
    assert (taken.least, taken.most) == (min(usable, default=0), max(usable, default=0))

    step = math.lcm(max(1, within.step), rules.step)
    first = math.ceil(max(within.min_points, rules.min_points, 1) / step) * step
    wanted = max(0, available) if asked == "all" else asked
    clamped = max(wanted, first) if wanted else 0
    assert taken.points == max((points for points in usable if points <= clamped), default=0)
    assert all(near.points in usable for near in taken.neighbours)
    assert all(near.value + near.due == of.payable for near in taken.neighbours)

    payable = of.total.amount_minor - of.other_tenders_minor
    assert taken.value.amount_minor + taken.due.amount_minor == payable
    assert taken.value == at.worth(taken.points)
    assert bool(taken.reasons) == (taken.points != wanted or (asked == "all" and available <= 0))


@pytest.mark.scenario("T9", "applying the same number again and again takes it once: a quote sets, it never adds")
@settings(deadline=None)
@given(of=carts(), available=st.integers(0, 400), at=RATES, within=LIMITS, rules=RULES, asked=st.integers(1, 500))
def test_what_was_quoted_is_quoted_again(
    of: Cart, available: int, at: Rate, within: Limits, rules: ShopRules, asked: int
) -> None:
    once = quote(cart=of, available=available, rate=at, limits=within, rules=rules, asked=asked)
    if once.points:
        again = quote(cart=of, available=available, rate=at, limits=within, rules=rules, asked=once.points)
        assert (again.points, again.value, again.due) == (once.points, once.value, once.due)
        assert (again.reasons, again.neighbours) == ((), ())


@settings(deadline=None)
@given(
    goods_minor=st.integers(0, 10**11),
    available=st.integers(0, 10**30),
    points=st.integers(1, 10**15),
    amount_minor=st.integers(1, 10**15),
    asked=st.just("all") | st.integers(1, 10**15),
)
def test_the_largest_numbers_stay_consistent(
    goods_minor: int, available: int, points: int, amount_minor: int, asked: Asked
) -> None:
    taken = made(asked, of=small(goods_minor), available=available, at=rate(points, amount_minor))
    assert taken.value + taken.due == eur(goods_minor)
    assert 0 <= taken.points <= min(available, 10**15)
