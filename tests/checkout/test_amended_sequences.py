"""Any sequence of changes and returns: points and cents add up at every step, whatever a point is worth."""

import random

import pytest

from punktgenau.checkout.allocation import Allocation, allocate
from punktgenau.checkout.amended import Version, after_capture, before_capture
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.returned import BackBy, History, Wanted, returned, with_return
from punktgenau.checkout.rules import ShopRules, payable_minor
from punktgenau.errors import StateConflictError
from punktgenau.money import Rate

RATES = ((1, 1), (2, 1), (3, 2), (200, 1), (1, 5), (1, 7), (3, 7))
POLICIES: tuple[BackBy, ...] = ("proportional", "points_first", "money_first", None)
RULES = ShopRules()


def some_cart(chance: random.Random) -> Cart:
    lines = [
        Line(
            sku=f"sku{number}",
            quantity=chance.randint(1, 9),
            unit_price_minor=chance.randint(1, 4000),
            vat_rate="19",
            points_allowed=number == 0 or chance.random() < 0.7,
        )
        for number in range(chance.randint(1, 5))
    ]
    return Cart(currency="EUR", lines=lines, shipping_minor=chance.choice((0, 490)))


def rate_of(points: int, amount_minor: int) -> Rate:
    return Rate(id="r", points=points, amount_minor=amount_minor, currency="EUR")


def placed(chance: random.Random, cart: Cart, rate: Rate) -> Allocation | None:
    room = sum(payable_minor(cart, RULES))
    most = rate.most_points(cart.payable.__class__(amount_minor=room, currency="EUR"))
    wanted = rate.worth(chance.randint(0, most)) if most else rate.worth(0)
    points = rate.fewest_points(wanted)
    if not wanted:
        return None
    return allocate(cart=cart, points=points, value_minor=rate.worth(points).amount_minor, rules=RULES)


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_is_lost_between_versions(policy: BackBy):
    changed = 0
    for seed in range(400):
        chance = random.Random(seed)
        cart = some_cart(chance)
        if (allocation := placed(chance, cart, rate_of(*RATES[seed % len(RATES)]))) is None:
            continue
        points, value = allocation.points, allocation.value_minor
        # What the customer has paid in money so far, as the shop charges and pays back what it is told.
        money = cart.payable.amount_minor - value
        back_points = back_worth = 0
        for _ in range(chance.randint(1, 4)):
            history = History()
            for line in cart.lines:
                if chance.random() < 0.3:
                    history = with_return(
                        allocation, history, Wanted(lines={line.id: chance.randint(1, line.quantity)})
                    )
            back = returned(allocation, history, policy=policy)
            money -= back.money_minor
            cart = some_cart(chance)
            fits = sum(payable_minor(cart, RULES))
            try:
                made = after_capture(
                    allocation, back, policy=policy, payable_minor=cart.payable.amount_minor, fits_minor=fits
                )
            except StateConflictError:
                assert policy is None
                break
            changed += 1
            due = cart.payable.amount_minor - made.value_minor
            # Either something is paid back, or something more is due; afterwards just what is due is paid.
            assert made.money_minor == max(0, money - due), f"seed {seed}"
            money = due
            back_points += back.points + made.back_points
            back_worth += back.worth_minor + made.back_worth_minor
            assert (points, value) == (back_points + made.points, back_worth + made.value_minor), f"seed {seed}"
            allocation = allocate(cart=cart, points=made.points, value_minor=made.value_minor, rules=RULES)
            if not made.points:
                break
    assert changed > 150


def test_before_the_capture_it_is_the_most_that_fits():
    for seed in range(300):
        chance = random.Random(seed)
        rate = rate_of(*RATES[seed % len(RATES)])
        points = chance.randint(1, 400)
        if not (held := rate.worth(points)):
            continue
        payable = chance.randint(0, 3000)
        fits = chance.randint(0, payable)
        made = before_capture(
            points=points,
            value_minor=held.amount_minor,
            rate=rate,
            payable_minor=payable,
            fits_minor=fits,
            money_minimum_minor=50,
        )
        possible = [0] + [
            worth
            for number in range(1, points + 1)
            if 0 < (worth := rate.worth(number).amount_minor) <= fits and not 0 < payable - worth < 50
        ]
        assert made.value_minor == max(possible), f"seed {seed}"
        assert made.points <= points
        if made.points and made.points != points:
            assert rate.worth(made.points).amount_minor == made.value_minor
            assert rate.worth(made.points - 1).amount_minor < made.value_minor


def test_a_version_that_does_not_add_up_is_refused():
    with pytest.raises(AssertionError):
        Version(points=0, value_minor=1)
    with pytest.raises(AssertionError):
        Version(points=1, value_minor=1, money_minor=-1)
