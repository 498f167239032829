"""Orders with reward articles and any history of returns, each from a seed, beside a second reckoning in fractions."""

import random
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from _naive_returns import split
from punktgenau.checkout.allocation import Allocation, allocate
from punktgenau.checkout.cart import Cart, Line
from punktgenau.checkout.parcels import captured, followed
from punktgenau.checkout.quote import quote
from punktgenau.checkout.returned import BackBy, History, Returned, Wanted, returned, with_return
from punktgenau.checkout.rules import ShopRules
from punktgenau.money import Rate
from punktgenau.provider import Limits

CENTS_PER_POINT = ((1, 1), (1, 1), (1, 2), (1, 3), (2, 3), (5, 7), (1, 10), (5, 1), (3, 2), (5, 3))
POLICIES: tuple[BackBy, ...] = ("proportional", "points_first", "money_first", None)
NOTHING = Returned(goods_minor=0, other_minor=0, value_minor=0, money_minor=0, points=0, carry_minor=0)
RULES = ShopRules(money_minimum_minor=0, rewards_beyond_limits=True)
NO_LIMITS = Limits(min_points=1, step=1, max_points=None, max_share_percent=None, max_value=None)


@dataclass(frozen=True)
class Story:
    """One order and its returns; after the last one all is back."""

    cart: Cart
    rate: Rate
    made: Allocation
    wanted: tuple[Wanted, ...]

    @property
    def is_fine(self) -> bool:
        """Whether a point is worth at most a cent."""
        return self.rate.amount_minor <= self.rate.points


def story(seed: int) -> Story:
    """The order and the returns of a seed."""
    chance = random.Random(seed)
    cents, points = CENTS_PER_POINT[seed % len(CENTS_PER_POINT)]
    rate = Rate(
        id="r", points=points, amount_minor=cents, currency="EUR", rounding=chance.choice(("down", "half_up", "up"))
    )
    cart = _cart(chance, rate)
    asked = chance.choice((0, cart.reward_points, cart.reward_points + chance.randint(0, 5000), 10**9))
    made = quote(cart=cart, available=10**9, rate=rate, limits=NO_LIMITS, rules=RULES, asked=asked)
    assert made.unaffordable == ()
    assert made.points >= made.mandatory == cart.reward_points
    allocated = allocate(cart=cart, points=made.points, value_minor=made.value.amount_minor, rules=RULES)
    return Story(cart, rate, allocated, tuple(_wishes(chance, cart)))


def _cart(chance: random.Random, rate: Rate) -> Cart:
    most_units = chance.choice((1, 3, 12, 1000))
    lines = []
    for n in range(chance.choice((1, 2, 3, 5, 8))):
        quantity = chance.randint(1, most_units)
        reward = chance.choice((0, chance.randint(1, 60), 25, 50, 427)) if n else chance.choice((25, 50, 333))
        reward *= ceil(Fraction(rate.points, rate.amount_minor)) if reward else 0
        price = ceil(Fraction(reward * rate.amount_minor, rate.points)) + chance.choice((0, 0, 1, 3000, 1599))
        lines.append(
            Line(
                sku=f"article-{n}",
                quantity=quantity,
                unit_price_minor=price,
                vat_rate=chance.choice(("19", "7")),
                reward_points=reward,
                points_allowed=chance.random() < 0.8,
            )
        )
    whole = Cart(currency="EUR", lines=lines, shipping_minor=chance.choice((0, 490)), shipping_vat_rate="19")
    # What the points must pay, no gift card may.
    room = whole.total.amount_minor - rate.worth_minor(whole.reward_points) - len(lines)
    gift_card = chance.choice((0, 0, chance.randint(0, max(0, room))))
    return Cart(
        currency="EUR",
        lines=lines,
        shipping_minor=whole.shipping_minor,
        shipping_vat_rate="19",
        other_tenders_minor=gift_card,
    )


def _wishes(chance: random.Random, cart: Cart) -> list[Wanted]:
    kept = {line.id: line.quantity for line in cart.gross_lines}
    wishes = []
    for _ in range(chance.choice((0, 1, 2, 4, 7))):
        here = sorted(line_id for line_id, units in kept.items() if units)
        if not here:
            break
        some = {
            line_id: chance.choice((1, kept[line_id], chance.randint(1, kept[line_id])))
            for line_id in chance.sample(here, chance.randint(1, min(3, len(here))))
        }
        wishes.append(Wanted(lines=some))
        for line_id, units in some.items():
            kept[line_id] -= units
    rest = {line_id: units for line_id, units in kept.items() if units}
    return [*wishes, Wanted(lines=rest)] if rest else wishes


class NaiveOrder:
    """Who pays which line, and what came back, in fractions: bound points, then gift card, further points, money."""

    def __init__(self, cart: Cart, points: int, worth: int) -> None:
        self.lines = cart.gross_lines
        self.points, self.worth = points, worth
        self.own = [line.reward_points * line.quantity for line in self.lines]
        ends = [sum(self.own[: n + 1]) for n in range(len(self.own))]
        worths = [floor(Fraction(worth * end, points)) for end in ends]
        self.bound = [worths[n] - (worths[n - 1] if n else 0) for n in range(len(ends))]
        over = 0
        for n, line in enumerate(self.lines):
            # A cent that does not fit into its line goes to the next reward line.
            wanted = self.bound[n] + (over if self.own[n] else 0)
            self.bound[n] = min(wanted, line.amount_minor)
            over = wanted - self.bound[n] if self.own[n] else over
        for n in reversed(range(len(self.lines))):
            if self.own[n]:
                more = min(over, self.lines[n].amount_minor - self.bound[n])
                self.bound[n], over = self.bound[n] + more, over - more
        rests = [line.amount_minor - bound for line, bound in zip(self.lines, self.bound, strict=True)]
        self.others = split(cart.other_tenders_minor, rests)
        left = [rest - other for rest, other in zip(rests, self.others, strict=True)]
        free = worth - sum(self.bound)
        may = [some if line.points_allowed else 0 for line, some in zip(self.lines, left, strict=True)]
        self.free = split(free, may if sum(may) >= free else left)
        self.units = {line.id: 0 for line in self.lines}

    def rows(self) -> list[tuple[int, int, int, int]]:
        """Per line: goods, gift card, bound and further value that came back."""
        rows = []
        for line, bound, other, free in zip(self.lines, self.bound, self.others, self.free, strict=True):
            goods = floor(Fraction(line.amount_minor * self.units[line.id], line.quantity))
            other_back = floor(Fraction(other * goods, line.amount_minor)) if line.amount_minor else 0
            left = line.amount_minor - other
            bound_back = floor(Fraction(bound * (goods - other_back), left)) if left else 0
            rest = goods - other_back - bound_back
            free_back = floor(Fraction(free * rest, left - bound)) if left > bound else 0
            rows.append((goods, other_back, bound_back, free_back))
        return rows

    def state(self, policy: BackBy) -> tuple[int, int, int, int]:
        """Points, value, money and gift card that came back in all."""
        rows = self.rows()
        goods, other, bound = (sum(row[part] for row in rows) for part in range(3))
        paid = goods - other - bound
        free_all = self.worth - sum(self.bound)
        money_all = sum(line.amount_minor for line in self.lines) - sum(self.others) - self.worth
        if policy == "proportional":
            free = sum(row[3] for row in rows)
        elif policy == "points_first":
            free = min(paid, free_all)
        else:
            free = max(0, paid - money_all)
        value = bound + free
        return self._points(policy, value, free, rows), value, goods - other - value, other

    def _points(self, policy: BackBy, value: int, free: int, rows: list[tuple[int, int, int, int]]) -> int:
        if value == self.worth:
            return self.points
        if policy is None:
            return 0
        points = 0
        for (_, _, back, _), own, bound in zip(rows, self.own, self.bound, strict=True):
            points += ceil(Fraction(own * back, bound)) if bound else 0
        free_points, free_all = self.points - sum(self.own), self.worth - sum(self.bound)
        if not free_all:
            return points
        of_point = Fraction(free_points, free_all)
        if policy != "proportional":
            return points + ceil(of_point * free)
        start = 0
        for (_, _, _, back), owned in zip(rows, self.free, strict=True):
            points += ceil(of_point * (start + back)) - ceil(of_point * start)
            start += owned
        return points


def check(seed: int) -> None:
    """Raises AssertionError, with the seed, where a history breaks a promise."""
    told = story(seed)
    try:
        for policy in POLICIES:
            _keeps_promises(told, policy)
        for line in told.cart.gross_lines:
            if line.reward_points and told.is_fine:
                _own_points_come_back(told, line.id, line.bound_points)
        if told.is_fine:
            _agrees_with_naive(told)
        _in_parcels(told, random.Random(seed))
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error


def _keeps_promises(told: Story, policy: BackBy) -> None:
    made, history, before = told.made, History(), NOTHING
    for wanted in told.wanted:
        history = with_return(made, history, wanted)
        after = returned(made, history, policy=policy)
        step = after.since(before)
        assert step.goods_minor == step.other_minor + step.value_minor + step.money_minor, step
        assert min(step.other_minor, step.value_minor, step.money_minor, step.points, step.bound_minor) >= 0, step
        assert after.points <= made.points, after
        if told.is_fine and policy is not None:
            assert after.carry_minor == 0, after
        before = after
    total, gift_card = told.cart.total.amount_minor, told.cart.other_tenders_minor
    assert (before.goods_minor, before.other_minor, before.value_minor, before.points, before.carry_minor) == (
        total,
        gift_card,
        made.value_minor,
        made.points,
        0,
    ), before
    assert before.money_minor == total - gift_card - made.value_minor, before


def _own_points_come_back(told: Story, line_id: str, own: int) -> None:
    """A reward line alone, all of it: its points, and of the further ones no more than there are."""
    quantity = told.made.line(line_id).quantity
    history = with_return(told.made, History(), Wanted(lines={line_id: quantity}))
    for policy in ("proportional", "points_first", "money_first"):
        back = returned(told.made, history, policy=policy)
        free = told.made.points - told.cart.reward_points
        assert own <= back.points <= own + free, (policy, back)
        if policy == "proportional" and told.made.line(line_id).free_minor == 0:
            assert back.points == own, back


def _agrees_with_naive(told: Story) -> None:
    naive, history = NaiveOrder(told.cart, told.made.points, told.made.value_minor), History()
    for wanted in told.wanted:
        history = with_return(told.made, history, wanted)
        for line_id, units in wanted.lines.items():
            naive.units[line_id] += units
        for policy in POLICIES:
            state = returned(told.made, history, policy=policy)
            found = (state.points, state.value_minor, state.money_minor, state.other_minor)
            assert found == naive.state(policy), (policy, found, naive.state(policy))


def _in_parcels(told: Story, chance: random.Random) -> None:
    """Each parcel captures the points of its units; what comes back between two was captured before."""
    kept = {line.id: line.quantity for line in told.cart.lines}
    parcels: list[dict[str, int]] = []
    returns: list[tuple[Wanted, int | None]] = []
    here: dict[str, int] = {}
    before = (0, 0)
    while any(kept.values()):
        ready = sorted(line_id for line_id, units in kept.items() if units)
        some = {line_id: chance.randint(1, kept[line_id]) for line_id in chance.sample(ready, min(2, len(ready)))}
        some = some if len(parcels) < 4 else {line_id: kept[line_id] for line_id in ready}
        for line_id, units in some.items():
            kept[line_id] -= units
            here[line_id] = here.get(line_id, 0) + units
        parcels.append(some)
        taken = captured(told.made, parcels)
        assert taken[0] >= before[0], (taken, before)
        assert taken[1] >= before[1], (taken, before)
        before = taken
        is_last = not any(kept.values())
        if chance.random() < 0.5 and not is_last:
            line_id = chance.choice(sorted(line_id for line_id, units in here.items() if units))
            returns.append((Wanted(lines={line_id: 1}), len(parcels)))
            here[line_id] -= 1
        for policy in ("proportional", "points_first", "money_first"):
            left = None if is_last else len(parcels)
            back = returned(*followed(told.made, parcels, returns, left=left), policy=policy)
            assert back.points <= taken[0], (policy, back, taken)
            assert back.worth_minor <= taken[1], (policy, back, taken)
        if not any(here.values()):
            break
    if not any(kept.values()):
        assert before == (told.made.points, told.made.value_minor), before
