"""Orders with reward articles that change, at random: their points stay with them, and every sum is exact."""

import random

import pytest

from _reward_histories import NO_LIMITS, RULES
from punktgenau.checkout.allocation import allocate
from punktgenau.checkout.amended import after_capture, before_capture
from punktgenau.checkout.amended_rewards import fits_minor
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.frozen import freeze, thaw
from punktgenau.checkout.quote import quote
from punktgenau.checkout.returned import BackBy, History, Wanted, returned, with_return
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import Rate

RATES = ((1, 1), (1, 2), (2, 3), (5, 7), (1, 10), (5, 1), (3, 2))
POLICIES: tuple[BackBy, ...] = ("proportional", "points_first", "money_first")


def cart_of(chance: random.Random, rate: Rate, prices: list[tuple[int, int]], *, most: int) -> Cart:
    """Some units of each article, at least one of them."""
    units = [chance.randint(0, most) for _ in prices]
    units[0] = units[0] or 1
    return Cart(
        currency="EUR",
        lines=[
            Line(sku=f"a{n}", quantity=some, unit_price_minor=price, reward_points=reward, vat_rate="19")
            for n, ((price, reward), some) in enumerate(zip(prices, units, strict=True))
            if some
        ],
        shipping_minor=chance.choice((0, 490)),
        shipping_vat_rate="19",
    )


def articles(chance: random.Random, rate: Rate) -> list[tuple[int, int]]:
    """Price and points of a unit."""
    made = []
    for _ in range(chance.randint(1, 4)):
        reward = chance.choice((0, 25, 50, 120)) * -(-rate.points // rate.amount_minor)
        worth = -(-reward * rate.amount_minor // rate.points)
        made.append((worth + chance.choice((0, 1, 999, 3000)) + (0 if reward else 100), reward))
    return made


@pytest.mark.parametrize("start", range(0, 2400, 400))
def test_every_change_keeps_what_is_bound_and_adds_up(start: int) -> None:
    for seed in range(start, start + 400):
        change(random.Random(seed), seed)


def change(chance: random.Random, seed: int) -> None:
    cents, points = RATES[seed % len(RATES)]
    rate = Rate(id="r", points=points, amount_minor=cents, currency="EUR", rounding=chance.choice(("down", "up")))
    prices = articles(chance, rate)
    old, new = (cart_of(chance, rate, prices, most=5) for _ in range(2))
    asked = chance.choice((0, old.reward_points, old.reward_points + chance.randint(0, 3000), 10**9))
    try:
        made = quote(cart=old, available=10**9, rate=rate, limits=NO_LIMITS, rules=RULES, asked=asked)
        fits = fits_minor(new, rate, RULES)
    except InvalidArgumentError as error:
        # Several units are worth a cent more than so many times one of them.
        if error.code != "reward_price":
            raise
        return
    if new.reward_points > max(made.points, old.reward_points):
        return
    payable = new.payable.amount_minor
    kept, gone = new.reward_points, max(0, old.reward_points - new.reward_points)
    held = before_capture(
        points=made.points,
        value_minor=made.value.amount_minor,
        rate=rate,
        payable_minor=payable,
        fits_minor=fits,
        money_minimum_minor=50,
        kept_points=kept,
        gone_points=gone,
    )
    assert kept <= held.points <= made.points - gone, (seed, held)
    exact(new, held.points, held.value_minor, seed)
    taken = allocate(cart=old, points=made.points, value_minor=made.value.amount_minor, rules=RULES)
    for policy in POLICIES:
        nothing = returned(taken, History(), policy=policy)
        after = after_capture(
            taken,
            nothing,
            policy=policy,
            payable_minor=payable,
            fits_minor=fits,
            kept_points=kept,
            gone_points=gone,
        )
        assert after.points + after.back_points == made.points, (seed, policy, after)
        assert after.value_minor + after.back_worth_minor == made.value.amount_minor, (seed, policy, after)
        assert after.points >= kept, (seed, policy, after)
        assert after.back_points >= gone, (seed, policy, after)
        exact(new, after.points, after.value_minor, seed)


def exact(cart: Cart, points: int, value_minor: int, seed: int) -> None:
    """The new version pays its lines, and all of it comes back."""
    if value_minor > cart.payable.amount_minor:
        raise AssertionError(f"seed {seed}: {value_minor} pay {cart.payable.amount_minor}")
    allocation = thaw(freeze(cart, RULES)).allocation(points=points, value_minor=value_minor, currency="EUR")
    all_of_it = Wanted(lines={line.id: line.quantity for line in allocation.lines})
    for policy in POLICIES:
        back = returned(allocation, with_return(allocation, History(), all_of_it), policy=policy)
        assert (back.points, back.value_minor, back.carry_minor) == (points, value_minor, 0), (seed, policy, back)
