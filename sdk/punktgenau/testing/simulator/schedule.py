"""What a history is about: orders, the processes of a shop, what each of them is asked to do; all from one seed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, get_args

from punktgenau.profiles import PROFILES
from punktgenau.testing.simulator.faults import LOOK_UPS, Aim, aim
from punktgenau.testing.simulator.odds import Odds, odds
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

Kind = Literal[
    "place", "buy", "other", "without", "pay", "decline", "void", "cancel", "capture", "show",
    "return", "rest", "amount", "parcel", "last",
    "voided", "ended", "corrected", "revoked",
    "recover", "work", "help", "hear",
]  # fmt: skip
Taken = Literal["paid", "placed", "shipped"]
"""When a shop takes the points."""

NO_ORDER = ("recover", "work", "help", "hear")
"""All that is open, as cron does; all that is due, as a worker does; one thing that is due, as a request does; and what
the provider tells by itself.
"""
BY_ITSELF = ("voided", "ended", "corrected", "revoked")
"""What a provider does that nobody asked for: a hold ends, or is voided; a capture is taken back, in part or whole."""
UNSEEN = ("corrected", "revoked")
"""What of that nobody would ever know where nothing can be looked up: an event alone changes nothing."""
THE_PROVIDER = "provider"
REFERENCE = "reference"
TOTAL_MINOR = 5480
REWARD_POINTS = 25
"""What must pay a lamp that is a reward article; there are two in an order."""
_REWARDS_EVERY = 7
POINTS_PER_EURO = 2
HOLD_S = 7200
_MEMBERS = {"anna": 2500, "ben": 42}


@dataclass(frozen=True, slots=True)
class Step:
    """One request that a process serves, or one round of a worker, `wait_s` after the one before."""

    kind: Kind
    order: int = 0
    wait_s: float = 0.0
    crossing: bool = False
    """Another process gets a step of the same order at about the same time."""

    def __str__(self) -> str:
        what = self.kind if self.kind in NO_ORDER else f"{self.kind} A-{self.order}"
        return f"{what} after {self.wait_s:g} s" if self.wait_s else what


@dataclass(frozen=True, slots=True)
class Order:
    """An order of 54.80 EUR: whose points, how many, how many instead when they change their mind.

    `written_first`: the shop writes the order before it asks for the points, otherwise after.
    """

    customer: str
    points: int
    other_points: int
    written_first: bool = True
    seen_due_minor: int | None = None
    """What the browser says that the customer was shown, if it says it; anything may stand there."""
    rewards: bool = False
    """Its lamps are reward articles: so many points must pay each of them."""


@dataclass(frozen=True, slots=True)
class Earns:
    """What orders earn: `POINTS_PER_EURO` for each full euro that money pays of their goods, pending for so long."""

    pending_s: int
    below_zero: bool
    welcome_points: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One history before anything happens."""

    seed: int
    orders: tuple[Order, ...]
    processes: tuple[tuple[str, tuple[Step, ...]], ...]
    odds: Odds
    aimed: Aim
    """What should go wrong in it, if it can."""
    provider_ahead_s: int = 0
    variant: str = REFERENCE
    """What kind of provider it is."""
    taken: Taken = "paid"
    """When the shop captures."""
    balances_known: bool = True
    """The customers have seen their balances just before."""
    earns: Earns | None = None

    def without_process(self, name: str) -> Plan:
        """The same without one process."""
        return replace(self, processes=tuple(one for one in self.processes if one[0] != name))

    def without_step(self, name: str, position: int) -> Plan:
        """The same without one step of a process."""
        return replace(
            self,
            processes=tuple(
                (one, steps[:position] + steps[position + 1 :] if one == name else steps)
                for one, steps in self.processes
            ),
        )


_LATE_S = HOLD_S + 60.0
_EARN = 0.15
"""So many of the histories are about what orders earn."""
_POSTS_S = 3700.0
_EXTENDS = "short_holds"
_GIVING = tuple(sorted(name for name, profile in PROFILES.items() if profile.accrues))
_LOOKING = ("no_keys", "replays_errors", "short_window")
"""Where much is looked up before it is sent again."""
_HEARS_S = (0.05, 0.3, 0.3, 1.0, 5.0, 100.0)


def plan(seed: int) -> Plan:
    """The history of a seed."""
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
        _tell(chance, number, told, REWARDED if order.rewards and taken == "paid" and not extends else stories)
    processes = [(name, _in_order(steps)) for name, steps in told.items() if steps]
    end_s = max((at for steps in told.values() for at, _ in steps), default=0.0)
    for number in range(chance.choice((*(1,) * 8, 2))):
        processes.append((f"worker{number + 1}", _rounds(chance, end_s)))
    if hears or told[THE_PROVIDER]:
        processes.append(("hooks", tuple(Step("hear", wait_s=chance.choice(_HEARS_S)) for _ in range(4))))
    ahead_s = chance.choice((0, 0, 0, 86_400, -86_400, 3_600))
    variant = _EXTENDS if extends else REFERENCE if chance.random() < 0.6 else chance.choice(sorted(PROFILES))
    if variant == _EXTENDS:
        processes.append(("keeper", tuple(Step("work", wait_s=400.0) for _ in range(chance.choice((2, 3, 5))))))
    return Plan(seed, orders, tuple(processes), odds(chance), aimed, ahead_s, variant, taken, known)


def _earning(seed: int) -> Plan:
    """Orders that earn, mostly of one customer, so that what one of them earns is spent by another."""
    chance, aimed = Random(f"earned {seed}"), aim(seed, earns=True)
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
        _tell(chance, number, told, among)
    processes = [(name, _in_order(steps)) for name, steps in told.items() if steps]
    end_s = max((at for steps in told.values() for at, _ in steps), default=0.0)
    processes.append(("worker1", _rounds(chance, end_s)))
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


def _tell(chance: Random, order: int, told: dict[str, list[tuple[float, Step]]], among: Stories) -> None:
    stories, weights = zip(*among, strict=True)
    at = chance.choice((0.0, 0.0, 0.0, 2.0))
    names = sorted(name for name in told if name != THE_PROVIDER)
    for words in chance.choices(stories, weights)[0].split():
        if words == "~":
            at += _LATE_S
            continue
        several = re.split("[|>]", words)
        apart_s = 0.0
        # Two at once are two processes, where there are as many.
        served_by = chance.sample(names, k=min(len(names), len(several))) + names
        for name, kind in zip(served_by, several, strict=False):
            step = Step(_KINDS[kind], order, crossing=len(several) > 1)
            begins_s = at + (apart_s or chance.choice((0.0, 0.0, 0.03, 0.3, 0.6, 0.9)))
            told[THE_PROVIDER if kind in BY_ITSELF else name].append((begins_s, step))
            if ">" in words:
                apart_s = begins_s - at + chance.choice((0.04, 0.1, 0.2))
        at += chance.choice((0.0, 0.1, 0.5, 3.0, 30.0, 200.0))


_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


def _in_order(steps: list[tuple[float, Step]]) -> tuple[Step, ...]:
    """By the moment they were asked for; each waits from the end of the one before."""
    told: list[Step] = []
    reached = 0.0
    for at, step in sorted(steps, key=lambda one: one[0]):
        told.append(replace(step, wait_s=round(at - reached, 3)))
        reached = at
    return tuple(told)


def _rounds(chance: Random, end_s: float) -> tuple[Step, ...]:
    every = chance.choice((0.5, 5.0, 60.0))
    rounds = chance.choice((1, 1, 2, 2, 3))
    kind: Kind = chance.choice(("recover", "recover", "work", "work", "help"))
    steps = [Step(kind, wait_s=every) for _ in range(rounds)]
    if end_s > HOLD_S:
        steps.append(
            Step("recover" if kind == "help" else kind, wait_s=round(end_s - chance.choice((0.0, 1.0, 70.0)), 3))
        )
    return tuple(steps)
