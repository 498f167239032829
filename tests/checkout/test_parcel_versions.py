"""Orders that leave in parcels, change between them and come back: points and cents add up at every step."""

import random

import pytest

from _parcel_histories import check
from punktgenau.checkout.allocation import allocate
from punktgenau.checkout.amended import between_parcels
from punktgenau.checkout.cart import SHIPPING_ID, Cart, Line
from punktgenau.checkout.frozen import FrozenCart, freeze, thaw
from punktgenau.checkout.parcels import captured, followed
from punktgenau.checkout.returned import BackBy, Wanted, has_left, returned
from punktgenau.checkout.rules import ShopRules, payable_minor
from punktgenau.errors import StateConflictError
from punktgenau.money import Money, Rate

RATES = ((1, 1), (2, 1), (3, 2), (200, 1), (1, 5), (1, 7), (3, 7))
POLICIES: tuple[BackBy, ...] = ("proportional", "points_first", "money_first", None)
RULES = ShopRules()


@pytest.mark.scenario("B8", "300 orders in parcels with returns between them: never above what was captured, exact")
def test_parcels_and_returns_in_any_order():
    for seed in range(300):
        check(seed)


class Order:
    """One order as the journal would follow it."""

    def __init__(self, chance: random.Random, rate: Rate, policy: BackBy) -> None:
        self.chance, self.rate, self.policy = chance, rate, policy
        self.prices = {f"sku{number}": chance.randint(1, 4000) for number in range(6)}
        self.cart = self.some_cart({})
        room = sum(payable_minor(self.cart, RULES))
        worth = rate.worth(chance.randint(1, max(1, rate.most_points(Money(amount_minor=room, currency="EUR")))))
        self.held = (rate.fewest_points(worth), worth.amount_minor) if worth and worth.amount_minor <= room else (0, 0)
        self.made = allocate(cart=self.cart, points=self.held[0], value_minor=self.held[1], rules=RULES)
        self.money = self.cart.payable.amount_minor - self.held[1]
        self.taken = self.back = (0, 0)
        self.base = (0, 0)
        self.parcels: list[dict[str, int]] = []
        self.returns: list[tuple[Wanted, int | None]] = []

    def some_cart(self, kept: dict[str, int]) -> Cart:
        """A cart in which these units stay."""
        names = sorted({*kept, *self.chance.sample(sorted(self.prices), self.chance.randint(1, 4))} - {SHIPPING_ID})
        lines = [
            Line(
                sku=name,
                quantity=kept.get(name, 0) + self.chance.randint(0 if kept.get(name) else 1, 4),
                unit_price_minor=self.prices[name],
                vat_rate="19",
                points_allowed=name != "sku1",
            )
            for name in names
        ]
        shipping = 490 if SHIPPING_ID in kept or not self.chance.randint(0, 2) else 0
        return Cart(currency="EUR", lines=lines, shipping_minor=shipping)

    @property
    def left(self) -> int | None:
        """Parcels that have left; None: all has."""
        return len(self.parcels) if self.units(have_left=False) else None

    def units(self, *, have_left: bool) -> dict[str, int]:
        """Units that are kept and have left, or have not."""
        made, history = followed(self.made, self.parcels, self.returns, left=len(self.parcels))
        units: dict[str, int] = {}
        for line in made.lines:
            kept = line.quantity - history.of(line).quantity
            if kept and has_left(line, len(self.parcels)) == have_left:
                units[line.id] = units.get(line.id, 0) + kept
        return units

    def send(self, *, all_of_it: bool = False) -> None:
        """A parcel leaves, with some of what has not left or with all."""
        to_come = self.units(have_left=False)
        to_come.pop(SHIPPING_ID, None)
        names = sorted(to_come) if all_of_it else self.chance.sample(sorted(to_come), min(len(to_come), 2))
        if not names:
            return
        self.parcels.append({name: to_come[name] if all_of_it else 1 for name in names})
        points, worth = captured(self.made, self.parcels)
        self.taken = (
            max(self.taken[0], points - self.made.taken[0] + self.base[0]),
            max(self.taken[1], worth - self.made.taken[1] + self.base[1]),
        )

    def bring_back(self, *, all_of_it: bool = False) -> None:
        """Something comes back."""
        here = self.units(have_left=True)
        if self.left is None:
            made, history = followed(self.made, self.parcels, self.returns, left=None)
            here = {line.id: history.units_of(made, line.id) for line in made.lines}
            whole: dict[str, int] = {}
            for line in made.lines:
                whole[line.id] = whole.get(line.id, 0) + line.quantity
            here = {name: whole[name] - gone for name, gone in here.items() if whole[name] > gone}
        if not here:
            return
        names = sorted(here) if all_of_it else [self.chance.choice(sorted(here))]
        wanted = Wanted(lines={name: here[name] if all_of_it else 1 for name in names})
        before = returned(*followed(self.made, self.parcels, self.returns, left=self.left), policy=self.policy)
        self.returns.append((wanted, self.left))
        after = returned(*followed(self.made, self.parcels, self.returns, left=self.left), policy=self.policy)
        step = after.since(before)
        self.give(step.points, step.worth_minor, step.money_minor)

    def give(self, points: int, worth_minor: int, money_minor: int) -> None:
        """Points and money go back: never more than was captured, or paid."""
        self.back = (self.back[0] + points, self.back[1] + worth_minor)
        self.money -= money_minor
        assert self.back[0] <= self.taken[0]
        assert self.back[1] <= self.taken[1]
        assert self.money >= 0

    def change(self) -> None:
        """The order changes; raises StateConflictError where this provider cannot give back what would have to be."""
        shipped = self.units(have_left=True)
        cart = self.some_cart(shipped)
        frozen: FrozenCart = thaw(freeze(cart, RULES))
        state = returned(*followed(self.made, self.parcels, self.returns, left=self.left), policy=self.policy)
        money = sum(line.money_minor for line in self.made.lines) - state.money_minor
        assert money == self.money
        payable = cart.payable.amount_minor
        version = between_parcels(
            taken=(self.taken[0] - self.back[0], self.taken[1] - self.back[1]),
            held=(self.held[0] - self.taken[0], self.held[1] - self.taken[1]),
            money_minor=money,
            policy=self.policy,
            rate=self.rate,
            payable_minor=payable,
            fits_minor=frozen.payable_in_part(shipped),
            money_minimum_minor=50,
        )
        self.give(version.back_points, version.back_worth_minor, 0)
        assert version.taken == (self.taken[0] - self.back[0], self.taken[1] - self.back[1])
        due = payable - version.value_minor
        assert due >= 0
        assert version.money_minor == max(0, money - due)
        self.money, self.cart = due, cart
        self.made = frozen.allocation_in_part(
            shipped, points=version.points, value_minor=version.value_minor, taken=version.taken, currency="EUR"
        )
        self.base = self.taken
        self.parcels, self.returns = [], []


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_is_lost_between_versions(policy: BackBy):
    changed = 0
    for seed in range(250):
        chance = random.Random(seed)
        points, cents = RATES[seed % len(RATES)]
        order = Order(chance, Rate(id="r", points=points, amount_minor=cents, currency="EUR"), policy)
        try:
            for _ in range(chance.randint(1, 3)):
                order.send()
                for _ in range(chance.choice((0, 1, 2))):
                    order.bring_back()
                if not order.parcels or order.left is None:
                    break
                order.change()
                changed += 1
        except StateConflictError:
            assert policy is None, f"seed {seed}"
            continue
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        order.send(all_of_it=True)
        # What does not fit was released with the last parcel.
        assert order.taken[0] - order.base[0] == order.made.points - order.made.taken[0], f"seed {seed}"
        order.bring_back(all_of_it=True)
        assert (order.back, order.money) == (order.taken, 0), f"seed {seed}"
    assert changed > 200
