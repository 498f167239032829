"""Orders with any history of returns, each from a seed, and everything that has to be true of all of them."""

import random
from dataclasses import dataclass
from itertools import accumulate

from _naive_returns import Bill, BillLine, Policy, State
from punktgenau.checkout.allocation import Allocation, allocate
from punktgenau.checkout.cart import SHIPPING_ID, Cart, Line
from punktgenau.checkout.returned import BackBy, History, Returned, Wanted, returned, with_return
from punktgenau.checkout.rules import ShopRules
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import Money, Rate

CENTS_PER_POINT = ((1, 1), (1, 2), (1, 3), (2, 3), (5, 7), (1, 200), (5, 1), (7, 1), (3, 2), (5, 3))
CURRENCIES = ("EUR", "JPY", "KWD")
BACK_BY: tuple[BackBy, ...] = ("proportional", "points_first", "money_first", None)
NO_HISTORY = History()
NOTHING = Returned(goods_minor=0, other_minor=0, value_minor=0, money_minor=0, points=0, carry_minor=0)


@dataclass(frozen=True)
class Story:
    """One order and the returns that were asked for, in their order; after the last one all is back."""

    cart: Cart
    rate: Rate
    rules: ShopRules
    made: Allocation
    wanted: tuple[Wanted, ...]
    histories: tuple[History, ...]
    """One per return: what had come back with it."""

    @property
    def without_amounts(self) -> bool:
        return all(wanted.amount_minor is None for wanted in self.wanted)


def story(seed: int) -> Story:
    """The order and the returns of a seed."""
    chance = random.Random(seed)
    cart, rate, rules, made = cart_and_points(chance, seed)
    wishes = tuple(_wishes(chance, made))
    histories = accumulate(wishes, lambda history, wanted: with_return(made, history, wanted), initial=NO_HISTORY)
    return Story(cart, rate, rules, made, wishes, tuple(histories)[1:])


def cart_and_points(chance: random.Random, seed: int) -> tuple[Cart, Rate, ShopRules, Allocation]:
    """An order that is paid with points."""
    cents, points = CENTS_PER_POINT[seed % len(CENTS_PER_POINT)]
    currency = chance.choice(CURRENCIES)
    rate = Rate(
        id="r", points=points, amount_minor=cents, currency=currency, rounding=chance.choice(("down", "half_up", "up"))
    )
    rules = ShopRules(shipping_allowed=chance.random() < 0.8)
    cart = _cart(chance, currency)
    return cart, rate, rules, _paid(chance, cart, rate, rules)


def check(seed: int, *, naive: bool) -> None:
    """Raises AssertionError, with the seed, where a history breaks a promise."""
    told = story(seed)
    try:
        if naive:
            _agrees_with_naive(told)
        for policy in BACK_BY:
            _keeps_promises(told, policy)
        if told.without_amounts:
            _order_does_not_matter(told, random.Random(seed))
        _no_more_than_was_bought(told)
    except (AssertionError, InvalidArgumentError) as error:
        raise AssertionError(f"seed {seed}: {error}") from error


def _cart(chance: random.Random, currency: str) -> Cart:
    most_units, most_price = chance.choice(((1, 9999), (3, 300), (12, 20_000), (1000, 5), (1000, 50_000)))
    lines = []
    for n in range(chance.choice((1, 2, 3, 3, 4, 6, chance.randint(1, 50)))):
        quantity = chance.randint(1, most_units)
        price = chance.choice((chance.randint(0, most_price), chance.randint(1, most_price)))
        lines.append(
            Line(
                sku=f"article-{n}",
                quantity=quantity,
                unit_price_minor=price,
                discount_minor=chance.choice((0, 0, chance.randint(0, quantity * price))),
                vat_rate=chance.choice(("19", "7", "0", "5.5")),
                points_allowed=chance.random() < 0.85,
            )
        )
    shipping_minor, with_vat = chance.choice((0, 1, 490, 12_345)), chance.random() < 0.8
    whole = Cart(
        currency=currency,
        lines=lines,
        shipping_minor=shipping_minor,
        shipping_vat_rate="19",
        prices_include_vat=with_vat,
    )
    total = whole.total.amount_minor
    return Cart(
        currency=currency,
        lines=lines,
        shipping_minor=shipping_minor,
        shipping_vat_rate="19",
        prices_include_vat=with_vat,
        other_tenders_minor=chance.choice((0, 0, chance.randint(0, total), total * 2 // 5)),
    )


def _paid(chance: random.Random, cart: Cart, rate: Rate, rules: ShopRules) -> Allocation:
    payable = sum(
        left if line.points_allowed and (rules.shipping_allowed or line.id != SHIPPING_ID) else 0
        for line, left in zip(cart.gross_lines, cart.left_minor, strict=True)
    )
    most = rate.most_points(Money(amount_minor=payable, currency=cart.currency))
    points = chance.choice((most, chance.randint(0, most), min(most, chance.randint(1, 427))))
    value_minor = rate.worth(points).amount_minor
    return allocate(cart=cart, points=points if value_minor else 0, value_minor=value_minor, rules=rules)


def _wishes(chance: random.Random, made: Allocation) -> list[Wanted]:
    """Some returns, and one of all that is left; the history is followed only to know what can still be asked for."""
    amounts, wishes = chance.random() < 0.7, list[Wanted]()
    followed = NO_HISTORY
    kept = {line.id: line.quantity for line in made.lines}
    for _ in range(chance.choice((1, 2, 3, 4, 6, 9))):
        left = sum(line.amount_minor for line in made.lines) - returned(made, followed).goods_minor
        wish = None
        if amounts and left and chance.random() < 0.4:
            wish = Wanted(amount_minor=chance.choice((1, chance.randint(1, left), left // 3 or 1)))
        elif shipping := _part_of_shipping(chance, made, followed, kept):
            wish = Wanted(shipping_minor=shipping)
        elif units := _units(chance, {line_id: number for line_id, number in kept.items() if number}):
            wish = Wanted(lines=units)
            for line_id, number in units.items():
                kept[line_id] -= number
        if wish is not None:
            wishes.append(wish)
            followed = with_return(made, followed, wish)
    if rest := {line_id: number for line_id, number in kept.items() if number}:
        wishes.append(Wanted(lines=rest))
    return wishes


def _part_of_shipping(chance: random.Random, made: Allocation, history: History, kept: dict[str, int]) -> int:
    if not kept.get(SHIPPING_ID) or chance.random() < 0.8:
        return 0
    gone = history.of(made.line(SHIPPING_ID)).since_minor
    left = made.line(SHIPPING_ID).amount_minor - gone
    return chance.randint(1, left) if left else 0


def _units(chance: random.Random, kept: dict[str, int]) -> dict[str, int]:
    if not kept:
        return {}
    line_ids = chance.sample(sorted(kept), chance.randint(1, min(3, len(kept))))
    return {line_id: chance.choice((1, kept[line_id], chance.randint(1, kept[line_id]))) for line_id in line_ids}


def _keeps_promises(told: Story, policy: BackBy) -> None:
    made = told.made
    whole_goods = told.cart.total.amount_minor
    before = returned(made, NO_HISTORY, policy=policy)
    assert before == NOTHING
    for wanted, history in zip(told.wanted, told.histories, strict=True):
        after = returned(made, history, policy=policy)
        step = after.since(before)
        assert step.goods_minor == step.other_minor + step.value_minor + step.money_minor, step
        assert min(step.goods_minor, step.other_minor, step.value_minor, step.money_minor, step.points) >= 0, step
        if wanted.amount_minor is not None:
            assert step.goods_minor == wanted.amount_minor, step
        assert after.points <= made.points, after
        assert after.value_minor <= made.value_minor, after
        assert after.other_minor <= told.cart.other_tenders_minor, after
        assert after.money_minor <= whole_goods - told.cart.other_tenders_minor - made.value_minor, after
        _points_are_worth_it(told, step, after, policy)
        before = after
    paid_by_money = whole_goods - told.cart.other_tenders_minor - made.value_minor
    assert before == Returned(
        goods_minor=whole_goods,
        other_minor=told.cart.other_tenders_minor,
        value_minor=made.value_minor,
        money_minor=paid_by_money,
        points=made.points,
        carry_minor=0,
    ), before


def _points_are_worth_it(told: Story, step: Returned, after: Returned, policy: BackBy) -> None:
    """What is owed, and that the provider takes points and worth of each return for what they say."""
    made, rate = told.made, told.rate
    assert (step.points == 0) == (step.worth_minor == 0), step
    if policy is None:
        assert after.points in (0, made.points), after
        return
    if rate.amount_minor <= rate.points:
        assert after.carry_minor == 0, after
    else:
        # Less than one point, as this order's points are worth.
        assert 0 <= after.carry_minor * max(made.points, 1) < max(made.value_minor, 1), after
        assert abs(step.carry_minor) * max(made.points, 1) < max(made.value_minor, 1), step
    apart = abs(step.worth_minor * rate.points - step.points * rate.amount_minor)
    assert apart <= max((len(made.lines) + 1) * rate.points, rate.amount_minor), step


def _order_does_not_matter(told: Story, chance: random.Random) -> None:
    """Without amounts every order of the same returns comes to the same state, under every policy."""
    parts = [wanted for wanted in told.wanted[:-1] if SHIPPING_ID not in wanted.lines]
    shuffled = chance.sample(parts, len(parts))
    one = NO_HISTORY
    other = NO_HISTORY
    for wanted, elsewhere in zip(parts, shuffled, strict=True):
        one, other = with_return(told.made, one, wanted), with_return(told.made, other, elsewhere)
    for policy in BACK_BY:
        assert returned(told.made, one, policy=policy) == returned(told.made, other, policy=policy), policy


def _no_more_than_was_bought(told: Story) -> None:
    history = told.histories[len(told.histories) // 2]
    left = told.cart.total.amount_minor - returned(told.made, history).goods_minor
    line = told.made.lines[len(told.wanted) % len(told.made.lines)]
    kept = line.quantity - history.of(line).quantity
    for too_much in (Wanted(amount_minor=left + 1), Wanted(lines={line.id: kept + 1})):
        try:
            with_return(told.made, history, too_much)
        except InvalidArgumentError:
            continue
        raise AssertionError(f"{too_much} came back")


def _agrees_with_naive(told: Story) -> None:
    lines = [
        BillLine(
            line.id,
            line.quantity,
            line.amount_minor,
            line.points_allowed and (told.rules.shipping_allowed or line.id != SHIPPING_ID),
        )
        for line in told.cart.gross_lines
    ]
    bill = Bill(lines, told.cart.other_tenders_minor, told.made.points, told.made.value_minor)
    for wanted, history in zip(told.wanted, told.histories, strict=True):
        for line_id, units in wanted.lines.items():
            bill.take_units(line_id, units)
        if wanted.shipping_minor:
            bill.take_of(SHIPPING_ID, wanted.shipping_minor)
        if wanted.amount_minor is not None:
            bill.take_of_all(wanted.amount_minor)
        for policy in BACK_BY:
            named: Policy = policy or "whole"
            state = returned(told.made, history, policy=policy)
            found = State(state.points, state.value_minor, state.money_minor, state.other_minor, state.carry_minor)
            assert found == bill.state(named), f"{named}: {found}, naive {bill.state(named)}"
