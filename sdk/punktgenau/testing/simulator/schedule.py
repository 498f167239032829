"""Which history a seed tells: who orders what, by which points, at what kind of provider, and what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from punktgenau.profiles import PROFILES
from punktgenau.testing.simulator import vouchered
from punktgenau.testing.simulator.faults import LOOK_UPS, aim
from punktgenau.testing.simulator.odds import odds
from punktgenau.testing.simulator.plans import (
    HOLD_S,
    REFERENCE,
    REWARD_POINTS,
    THE_PROVIDER,
    TOTAL_MINOR,
    Earns,
    Kind,
    Order,
    Plan,
    Step,
    Taken,
)
from punktgenau.testing.simulator.stories import (
    CORRECTED,
    EARNED,
    PARCELS,
    REWARDED,
    SENT_BACK,
    SPENT_AND_BACK,
    STORIES,
    Stories,
)
from punktgenau.testing.simulator.timing import in_order, rounds, tell

_REWARDS_EVERY = 5
_MEMBERS = {"anna": 2500, "ben": 42}
_EARN = 0.15
"""So many of the histories are about what orders earn."""
_PAID_BY_VOUCHERS = 0.2
"""So many are about orders that vouchers pay beside points and money."""
_POSTS_S = 3700.0
_EXTENDS = "short_holds"
_GIVING = tuple(sorted(name for name, profile in PROFILES.items() if profile.accrues))
_LOOKING = ("no_keys", "replays_errors", "short_window")
"""Where much is looked up before it is sent again."""
_HEARS_S = (0.05, 0.3, 0.3, 1.0, 5.0, 100.0)


def plan(seed: int) -> Plan:
    """The history of a seed."""
    if Random(f"vouchers {seed}").random() < _PAID_BY_VOUCHERS:
        return vouchered.plan(seed)
    if Random(f"earns {seed}").random() < _EARN:
        return _earning(seed)
    chance, aimed = Random(seed), aim(seed)
    # Holds are made longer at one kind of provider only, and only where somebody is at work while they wait.
    extends = aimed.operation == "extend"
    orders = tuple(_order(chance) for _ in range(chance.choice((3, 3, 4, 4))))
    if seed % _REWARDS_EVERY == 3:
        # By the seed alone: it costs no chance, so the other histories stay what they are.
        orders = (_rewarded(orders[0]), *orders[1:])
    at_once, known = chance.random() < 0.15 and not extends, chance.random() < 0.65
    taken: Taken = "placed" if at_once else "shipped" if chance.random() < 0.2 else "paid"
    corrects, hears = chance.random() < 0.12, chance.random() < 0.2
    told = {f"web{number}": list[tuple[float, Step]]() for number in range(1, chance.choice((*(2,) * 7, 3)) + 1)}
    told[THE_PROVIDER] = []
    for number, order in enumerate(orders):
        stories = _stories(chance, taken, corrects=corrects, waits=extends)
        tell(chance, number, told, REWARDED if order.rewards and taken == "paid" and not extends else stories)
    processes = [(name, in_order(steps)) for name, steps in told.items() if steps]
    end_s = max((at for steps in told.values() for at, _ in steps), default=0.0)
    for number in range(chance.choice((*(1,) * 8, 2))):
        processes.append((f"worker{number + 1}", rounds(chance, end_s)))
    if hears or told[THE_PROVIDER]:
        processes.append(("hooks", tuple(Step("hear", wait_s=chance.choice(_HEARS_S)) for _ in range(4))))
    ahead_s = chance.choice((0, 0, 0, 86_400, -86_400, 3_600))
    variant = _EXTENDS if extends else REFERENCE if chance.random() < 0.6 else chance.choice(sorted(PROFILES))
    if variant == _EXTENDS:
        processes.append(("keeper", tuple(Step("work", wait_s=400.0) for _ in range(chance.choice((2, 3, 5))))))
    return Plan(seed, orders, tuple(processes), odds(chance), aimed, ahead_s, variant, taken, known)


def _earning(seed: int) -> Plan:
    """Orders that earn, mostly of one customer, so that what one of them earns is spent by another."""
    chance, aimed = Random(f"earned {seed}"), aim(seed, about="earning")
    earns = Earns(chance.choice((0, 600, 3600)), chance.random() < 0.4, chance.choice((0, 0, 30)))
    customer = chance.choice(("ben", "ben", "ben", "anna"))
    points = (20, 42, 90, 140, 210) if customer == "ben" else (427, 2500, 2600)
    orders = tuple(Order(customer, chance.choice(points), 3) for _ in range(chance.choice((2, 3, 3))))
    stories = (EARNED,) * len(orders)
    if chance.random() < 0.4:
        # As many as there are by then: its own, and those of two lamps.
        orders, stories = (Order("ben", 140, 3),) * 3, SPENT_AND_BACK
    elif chance.random() < 0.2:
        orders = (*orders[1:], _order(chance))
    told = {"web1": list[tuple[float, Step]](), "web2": list[tuple[float, Step]](), THE_PROVIDER: []}
    for number, among in enumerate(stories):
        tell(chance, number, told, among)
    processes = [(name, in_order(steps)) for name, steps in told.items() if steps]
    end_s = max((at for steps in told.values() for at, _ in steps), default=0.0)
    processes.append(("worker1", rounds(chance, end_s)))
    if end_s > HOLD_S:
        kind: Kind = chance.choice(("recover", "work", "work"))
        processes.append(("keeper", tuple(Step(kind, wait_s=_POSTS_S) for _ in range(int(end_s / _POSTS_S)))))
    if chance.random() < 0.2:
        processes.append(("hooks", tuple(Step("hear", wait_s=chance.choice(_HEARS_S)) for _ in range(3))))
    variant = REFERENCE if chance.random() < 0.7 else chance.choice(_GIVING)
    if aimed.operation in LOOK_UPS:
        variant = chance.choice(_LOOKING)
    ahead_s = chance.choice((0, 0, 0, 86_400, -86_400, 3_600))
    return Plan(seed, orders, tuple(processes), odds(chance), aimed, ahead_s, variant, "paid", True, earns)


def _stories(chance: Random, taken: Taken, *, corrects: bool, waits: bool) -> Stories:
    """What orders go through here, each with how often; `waits`: mostly what takes until holds end."""
    if waits and chance.random() < 0.6:
        return tuple(one for one in (PARCELS if taken == "shipped" else STORIES) if "~" in one[0])
    if corrects and chance.random() < 0.7:
        return CORRECTED
    if taken == "shipped":
        return PARCELS
    return SENT_BACK if chance.random() < 0.3 else STORIES


def _order(chance: Random) -> Order:
    customer = chance.choice(("anna", "anna", "ben"))
    most = _MEMBERS[customer]
    few = (1, 7, 20, most) if customer == "ben" else (1, 42, 427, 427, 1000, most)
    points = most + 1 if chance.random() < 0.06 else chance.choice(few)
    seen = chance.choice((*(None,) * 9, *(TOTAL_MINOR - points,) * 4, 1))
    return Order(customer, points, 3 if customer == "ben" else 300, chance.random() < 0.75, seen)


def _rewarded(order: Order) -> Order:
    least = 2 * REWARD_POINTS
    # Who has fewer asks in vain; the first order of a customer who has enough is never refused for that.
    points = max(order.points, least) if order.customer == "anna" else order.points
    is_true = order.seen_due_minor == TOTAL_MINOR - order.points
    seen_due_minor = TOTAL_MINOR - points if is_true else order.seen_due_minor
    return replace(order, points=points, seen_due_minor=seen_due_minor, rewards=True)
