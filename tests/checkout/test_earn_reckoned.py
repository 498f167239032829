"""What an order earns and what is taken back of that, by hand: money part, articles, campaigns, orders of returns."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from punktgenau.checkout.allocation import allocate
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.earning.reckon import (
    Basis,
    basis_from,
    basis_of,
    by_line,
    earned,
    gone_of,
    has_goods,
    kept_money,
)
from punktgenau.checkout.earning.rules import ArticlePoints, Campaign, EarnRules
from punktgenau.checkout.returned import History, Wanted, with_return
from punktgenau.checkout.rules import ShopRules
from punktgenau.errors import ConfigurationError, InvalidArgumentError

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
LAMP = Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")
BOOK = Line(sku="book", quantity=3, unit_price_minor=990, vat_rate="7")
RULES = EarnRules(points=1, per_minor=200)
"""One point for each full 2 EUR."""


def basis(
    *lines: Line,
    rules: EarnRules = RULES,
    points: int = 0,
    gift_minor: int = 0,
    shipping_minor: int = 0,
    articles: dict[str, int] | None = None,
    campaigns: tuple[Campaign, ...] = (),
) -> Basis:
    """Points are worth a cent each."""
    cart = Cart(currency="EUR", lines=lines, shipping_minor=shipping_minor, other_tenders_minor=gift_minor)
    shop = ShopRules(min_points=1, max_points=None, step=1, max_share_percent=None, shipping_allowed=True)
    return basis_of(
        cart.gross_lines,
        allocate(cart=cart, points=points, value_minor=points, rules=shop),
        rules=rules,
        articles={sku: ArticlePoints(sku=sku, points=most) for sku, most in (articles or {}).items()},
        campaigns=campaigns,
    )


def campaign(name: str, percent: int = 100, *, plus: int = 0, skus: tuple[str, ...] = ()) -> Campaign:
    return Campaign(
        id=name,
        name=f"Campaign {name}",
        starts_at=AT,
        ends_at=AT + timedelta(days=1),
        percent=percent,
        plus_points=plus,
        skus=frozenset(skus),
    )


def test_full_amounts_are_counted_over_the_whole_order():
    # 49.90 + 29.70 = 79.60: 39 times 2 EUR; line by line it would have been 24 + 14 = 38.
    assert earned(basis(LAMP, BOOK)) == 39
    # 1.99 EUR is no full 2 EUR.
    assert earned(basis(Line(sku="pen", quantity=1, unit_price_minor=199, vat_rate="19"))) == 0


@pytest.mark.parametrize(("shipping", "points"), [(False, 24), (True, 27)])
def test_shipping_earns_only_where_the_shop_says_so(shipping: bool, points: int):
    # 49.90 is 24; with 4.90 it is 54.80: 27.
    rules = EarnRules(points=1, per_minor=200, shipping=shipping)
    assert earned(basis(LAMP, rules=rules, shipping_minor=490)) == points


@pytest.mark.scenario("T58", "what points or a gift card pay earns nothing, paid wholly by points nothing at all")
def test_only_what_money_pays_earns():
    # 49.90 less 4.27 is 45.63: 22.
    assert earned(basis(LAMP, points=427)) == 22
    # Less a gift card of 10.00, too: 35.63.
    assert earned(basis(LAMP, points=427, gift_minor=1000)) == 17
    assert earned(basis(LAMP, points=4990)) == 0
    assert earned(basis(LAMP, articles={"lamp": 25}, points=4990)) == 0
    assert earned(basis(LAMP, gift_minor=4990, campaigns=(campaign("gift", plus=10),))) == 0


def test_points_per_article_replace_the_rule_for_money():
    # Two lamps of 25 points each; the books' 29.70 are 14.
    assert earned(basis(LAMP, BOOK, articles={"lamp": 25})) == 50 + 14
    # A gift card that is sold earns nothing, so nobody turns points into points with it.
    assert earned(basis(LAMP, BOOK, articles={"lamp": 0})) == 14
    # In proportion to the money: 2495 of 4990 cents.
    assert earned(basis(LAMP, articles={"lamp": 25}, points=2495)) == 25
    # 427 points leave 4563 of 4990 cents: 45.72 of 50 points.
    assert earned(basis(LAMP, articles={"lamp": 25}, points=427)) == 45


def test_a_campaign_doubles_what_its_lines_earn():
    double = campaign("double", 200, skus=("lamp",))
    # The lamps' 49.90 are 24, doubled 48; all of it is 39 full amounts, so 15 more.
    assert earned(basis(LAMP, BOOK, campaigns=(double,))) == 63
    assert earned(basis(LAMP, articles={"lamp": 25}, campaigns=(double,))) == 100
    # 3 EUR are one full amount: double is 2, not 3.
    assert earned(basis(Line(sku="lamp", quantity=1, unit_price_minor=300, vat_rate="19"), campaigns=(double,))) == 2


def test_the_best_campaign_counts_and_never_their_sum():
    half_more, double = campaign("half more", 150), campaign("double", 200, skus=("lamp",))
    # Lamps 24 at 200 %, books 15 at 150 %: 48 + 22.5.
    assert earned(basis(LAMP, BOOK, campaigns=(half_more, double))) == 70
    assert earned(basis(LAMP, campaigns=(half_more, double))) == 48
    # 24 more by doubling are better than 20 more, and worse than 30 more.
    assert earned(basis(LAMP, campaigns=(double, campaign("plus", plus=20)))) == 48
    assert earned(basis(LAMP, campaigns=(double, campaign("plus", plus=30)))) == 54


def test_one_line_takes_what_is_given_once_and_the_others_stay_with_the_better_percent():
    double, plus = campaign("double", 200), campaign("plus", plus=20, skus=("book",))
    # Lamps 24 doubled; books 15 as ever and 20 once.
    assert earned(basis(LAMP, BOOK, campaigns=(double, plus))) == 48 + 15 + 20


def test_what_a_campaign_gives_besides_is_given_once():
    plus = campaign("plus", plus=10)
    made = basis(LAMP, BOOK, campaigns=(plus,))
    assert earned(made) == 39 + 10
    # Kept as long as money pays any of it.
    assert earned(made, kept_money(made, {"lamp": 4990, "book": 2969})) == 10
    assert earned(made, kept_money(made, {"lamp": 4990, "book": 2970})) == 0


@pytest.mark.parametrize(
    ("placed_s", "runs"), [(-1, False), (0, True), (86_399, True), (86_400, False), (86_399.999, True)]
)
def test_a_campaign_runs_from_its_beginning_and_ends_before_its_end(placed_s: float, runs: bool):
    one = campaign("double", 200)
    assert (EarnRules(campaigns=(one,)).running(AT + timedelta(seconds=placed_s)) == (one,)) is runs


def test_a_zone_is_no_matter_and_no_zone_is_refused():
    one = campaign("double", 200)
    berlin = datetime.fromisoformat("2026-11-20T13:00:00+01:00")
    assert EarnRules(campaigns=(one,)).running(berlin) == (one,)
    with pytest.raises(InvalidArgumentError):
        EarnRules().running(datetime(2026, 11, 20, 12))
    with pytest.raises(InvalidArgumentError):
        Campaign(id="x", name="x", starts_at=AT.replace(tzinfo=None), ends_at=AT)
    with pytest.raises(InvalidArgumentError):
        Campaign(id="x", name="x", starts_at=AT, ends_at=AT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": -1},
        {"points": 1.5},
        {"per_minor": 0},
        {"pending_s": 400 * 86_400 + 1},
        {"claw_back": "never"},
        {"welcome_points": True},
        {"shipping": 1},
    ],
)
def test_rules_that_cannot_be_meant_are_refused(wrong: dict[str, object]):
    with pytest.raises(ConfigurationError) as caught:
        EarnRules(**wrong)  # type: ignore[arg-type]
    assert caught.value.field is not None


@pytest.mark.parametrize("wrong", [{"percent": 99}, {"percent": 10_001}, {"plus_points": -1}, {"name": ""}])
def test_campaigns_that_cannot_be_meant_are_refused(wrong: dict[str, object]):
    said = {"id": "x", "name": "x", "starts_at": AT, "ends_at": AT + timedelta(days=1)}
    with pytest.raises(InvalidArgumentError):
        Campaign(**{**said, **wrong})  # type: ignore[arg-type]


def back(made: Basis, *returns: Wanted) -> int:
    """What is left of the points after these returns."""
    allocation, history = made.allocation(), History()
    for wanted in returns:
        history = with_return(allocation, history, wanted)
    return earned(made, kept_money(made, gone_of(made, allocation, history)))


@pytest.mark.scenario("T40", "of two lamps one comes back: its half of the points is taken, by quantity")
def test_a_claw_back_follows_the_quantity():
    made = basis(LAMP, articles={"lamp": 25}, points=427)
    # 4563 cents of money; one lamp of two takes 2281, so 2282 stay: 22.86 points of 45.
    assert (earned(made), back(made, Wanted(lines={"lamp": 1}))) == (45, 22)
    assert back(made, Wanted(lines={"lamp": 1}), Wanted(lines={"lamp": 1})) == 0


def test_an_amount_counts_over_what_is_left():
    # Half of 79.60 comes back in money: 39.80 stay, 19 full amounts.
    assert back(basis(LAMP, BOOK), Wanted(amount_minor=3980)) == 19
    assert back(basis(LAMP, BOOK), Wanted(amount_minor=3980), Wanted(amount_minor=3980)) == 0


@pytest.mark.scenario("T39", "whatever comes back, in whatever order: all returned is all taken, never more on the way")
def test_any_order_of_returns_ends_exact():
    parts = [Wanted(lines={"lamp": 1}), Wanted(lines={"book": 2}), Wanted(lines={"lamp": 1}), Wanted(lines={"book": 1})]
    made = basis(LAMP, BOOK, points=427, campaigns=(campaign("double", 200, skus=("book",)),))
    for order in permutations(parts):
        left = [back(made, *order[:count]) for count in range(5)]
        assert left == sorted(left, reverse=True)
        assert (left[0], left[-1]) == (earned(made), 0)


def test_random_orders_earn_never_more_by_returning():
    chance = random.Random(58)
    for _ in range(300):
        made = random_basis(chance)
        allocation, history, left = made.allocation(), History(), [earned(made)]
        units = [line.id for line in made.lines for _ in range(line.quantity)]
        chance.shuffle(units)
        for line_id in units:
            history = with_return(allocation, history, Wanted(lines={line_id: 1}))
            left.append(earned(made, kept_money(made, gone_of(made, allocation, history))))
        assert left == sorted(left, reverse=True)
        assert left[-1] == 0
        assert sum(points for _, points in by_line(made)) == left[0]
        assert basis_from(made.text()) == made


def random_basis(chance: random.Random) -> Basis:
    lines = [
        Line(
            sku=f"s{number}",
            quantity=chance.randint(1, 5),
            unit_price_minor=chance.randint(1, 5000),
            vat_rate=chance.choice(["7", "19"]),
        )
        for number in range(chance.randint(1, 5))
    ]
    whole = sum(line.amount_minor for line in lines)
    campaigns = tuple(
        campaign(
            f"c{number}",
            chance.choice([100, 133, 200, 500]),
            plus=chance.choice([0, 0, 7]),
            skus=tuple(f"s{chance.randint(0, 4)}" for _ in range(chance.randint(0, 2))),
        )
        for number in range(chance.randint(0, 3))
    )
    rules = EarnRules(points=chance.randint(0, 9), per_minor=chance.choice([1, 99, 100, 1000]), shipping=True)
    articles = {f"s{number}": chance.randint(0, 50) for number in range(5) if chance.random() < 0.3}
    return basis(
        *lines, rules=rules, points=chance.choice([0, 1, whole // 3, whole]), articles=articles, campaigns=campaigns
    )


def test_shipping_alone_is_no_order_that_is_kept():
    made = basis(LAMP, shipping_minor=490)
    assert has_goods(made, {"lamp": 4989})
    assert not has_goods(made, {"lamp": 4990})


def test_a_cancelled_order_keeps_nothing_and_a_cheaper_one_not_more_than_pays_it():
    made = basis(LAMP, BOOK)
    assert earned(made, kept_money(made, {}, cancelled=True)) == 0
    # Of the lamps money pays 10.00 by now: with the books' 29.70 that is 19 times 2 EUR.
    assert earned(made, kept_money(made, {}, most={"lamp": 1000, "book": 2970})) == 19


def test_points_over_the_lines_are_exact_in_their_sum():
    made = basis(LAMP, BOOK, campaigns=(campaign("plus", plus=5, skus=("book",)),))
    # 39 over 4990 and 2970 cents: 24.45 and 14.55; the 5 belong to the books.
    assert [(line.vat_rate, points) for line, points in by_line(made)] == [("19", 24), ("7", 20)]
