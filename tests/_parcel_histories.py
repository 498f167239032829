"""Orders that leave in parcels, with returns between them, each from a seed; and what has to be true of all of them."""

import random
from dataclasses import dataclass, field

from _naive_returns import Bill, BillLine, Policy, SentBill, State
from _return_histories import BACK_BY, NOTHING, cart_and_points
from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.cart import SHIPPING_ID
from punktgenau.checkout.parcels import captured, followed
from punktgenau.checkout.returned import BackBy, History, Returned, Wanted, has_left, returned, with_return
from punktgenau.errors import InvalidArgumentError, StateConflictError
from punktgenau.money import Rate


@dataclass
class Order:
    """An order on its way: what has left, what came back with how many parcels gone, and a second reckoning of it."""

    made: Allocation
    rate: Rate
    bill: SentBill
    parcels: list[dict[str, int]] = field(default_factory=list)
    returns: list[tuple[Wanted, int | None]] = field(default_factory=list)
    taken: tuple[int, int] = (0, 0)
    before: dict[BackBy, Returned] = field(default_factory=lambda: dict.fromkeys(BACK_BY, NOTHING))

    def to_send(self) -> dict[str, int]:
        """Units that have not left."""
        left = {line.id: line.quantity for line in self.made.lines}
        for number, parcel in enumerate(self.parcels):
            for line_id, units in parcel.items():
                left[line_id] -= units
            if number == 0:
                left.pop(SHIPPING_ID, None)
        return {line_id: units for line_id, units in left.items() if units and line_id != SHIPPING_ID}

    @property
    def left(self) -> int | None:
        """How many parcels have left; None: all."""
        return len(self.parcels) if not self.parcels or self.to_send() else None

    def standing(self) -> tuple[Allocation, History]:
        """Who paid what, and what came back of it."""
        return followed(self.made, self.parcels, self.returns, left=self.left)

    def here(self) -> dict[str, int]:
        """Units that have left and did not come back."""
        made, history = self.standing()
        units: dict[str, int] = {}
        for line in made.lines:
            kept = line.quantity - history.of(line).quantity
            if kept and has_left(line, self.left):
                units[line.id] = units.get(line.id, 0) + kept
        return units


def check(seed: int) -> None:
    """Raises AssertionError, with the seed, where a history breaks a promise."""
    chance = random.Random(seed)
    cart, rate, rules, made = cart_and_points(chance, seed)
    lines = [
        BillLine(
            line.id,
            line.quantity,
            line.amount_minor,
            line.points_allowed and (rules.shipping_allowed or line.id != SHIPPING_ID),
        )
        for line in cart.gross_lines
    ]
    order = Order(made, rate, SentBill(Bill(lines, cart.other_tenders_minor, made.points, made.value_minor)))
    try:
        while order.to_send():
            _send(chance, order)
            for _ in range(chance.choice((0, 1, 1, 2))):
                _bring_back(chance, order)
        assert order.taken == (made.points, made.value_minor)
        while any(order.here().values()):
            _bring_back(chance, order, last=chance.random() < 0.5)
        for policy, state in order.before.items():
            assert (state.points, state.value_minor, state.carry_minor) == (made.points, made.value_minor, 0), policy
            assert state.other_minor == cart.other_tenders_minor, policy
            assert state.goods_minor == cart.total.amount_minor, policy
    except (AssertionError, InvalidArgumentError, StateConflictError) as error:
        raise AssertionError(f"seed {seed}: {error}") from error


def _send(chance: random.Random, order: Order) -> None:
    left = order.to_send()
    some = chance.sample(sorted(left), chance.randint(1, len(left)))
    parcel = {line_id: chance.choice((left[line_id], chance.randint(1, left[line_id]))) for line_id in some}
    order.parcels.append(parcel)
    order.bill.send(parcel)
    taken = captured(order.made, order.parcels)
    step = (taken[0] - order.taken[0], taken[1] - order.taken[1])
    assert min(step) >= 0, step
    assert (step[0] == 0) == (step[1] == 0), step
    assert taken == order.bill.captured(), f"{taken}, naive {order.bill.captured()}"
    _is_taken_for_what_it_says(order, *step)
    order.taken = taken


def _bring_back(chance: random.Random, order: Order, *, last: bool = False) -> None:
    here = order.here()
    if not here:
        return
    made, history = order.standing()
    some = sorted(here) if last else chance.sample(sorted(here), chance.randint(1, min(3, len(here))))
    wanted = Wanted(lines={line_id: here[line_id] if last else chance.randint(1, here[line_id]) for line_id in some})
    worth = returned(made, history).goods_minor
    whole = sum(line.amount_minor for line in made.lines if has_left(line, order.left)) - worth
    if not last and whole and chance.random() < 0.3:
        wanted = Wanted(amount_minor=chance.randint(1, whole))
    _no_more_than_has_left(order, made, history, here, whole)
    order.returns.append((wanted, order.left))
    made, history = order.standing()
    order.bill.begin()
    for line_id, units in wanted.lines.items():
        order.bill.take_units(line_id, units)
    if wanted.amount_minor is not None:
        order.bill.take_of_all(wanted.amount_minor)
    order.bill.settle()
    for policy in BACK_BY:
        after = returned(made, history, policy=policy)
        step = after.since(order.before[policy])
        assert after.points <= order.taken[0], f"{policy}: {after}, captured {order.taken}"
        assert after.worth_minor <= order.taken[1], f"{policy}: {after}, captured {order.taken}"
        if policy is not None:
            _is_taken_for_what_it_says(order, step.points, step.worth_minor)
        named: Policy = policy or "whole"
        found = State(after.points, after.value_minor, after.money_minor, after.other_minor, after.carry_minor)
        assert found == order.bill.state(named), f"{named}: {found}, naive {order.bill.state(named)}"
        order.before[policy] = after


def _is_taken_for_what_it_says(order: Order, points: int, worth_minor: int) -> None:
    """The provider compares points and worth of each call by the rate."""
    rate = order.rate
    apart = abs(worth_minor * rate.points - points * rate.amount_minor)
    assert apart <= max((len(order.made.lines) + 1) * rate.points, rate.amount_minor), (points, worth_minor)


def _no_more_than_has_left(order: Order, made: Allocation, history: History, here: dict[str, int], whole: int) -> None:
    if order.left is None:
        return
    to_come = order.to_send()
    line_id = min(to_come)
    for too_much in (Wanted(lines={line_id: here.get(line_id, 0) + 1}), Wanted(amount_minor=whole + 1)):
        try:
            with_return(made, history, too_much, parcels=order.left)
        except StateConflictError:
            pass
        except InvalidArgumentError:
            # What is still to be sent is free.
            assert too_much.amount_minor is not None
        else:
            raise AssertionError(f"{too_much} came back")
