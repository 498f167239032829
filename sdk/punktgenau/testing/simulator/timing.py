"""When each step of a story is asked for, and by which process."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import get_args

from punktgenau.testing.simulator.plans import BY_ITSELF, HOLD_S, THE_PROVIDER, Kind, Step
from punktgenau.testing.simulator.stories import Stories

LATE_S = HOLD_S + 60.0


def tell(chance: Random, order: int, told: dict[str, list[tuple[float, Step]]], among: Stories) -> None:
    """Draw a story for an order, and add its steps to those of the processes, each with its moment."""
    stories, weights = zip(*among, strict=True)
    at = chance.choice((0.0, 0.0, 0.0, 2.0))
    names = sorted(name for name in told if name != THE_PROVIDER)
    for words in chance.choices(stories, weights)[0].split():
        if words == "~":
            at += LATE_S
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


def in_order(steps: list[tuple[float, Step]]) -> tuple[Step, ...]:
    """By the moment they were asked for; each waits from the end of the one before."""
    told: list[Step] = []
    reached = 0.0
    for at, step in sorted(steps, key=lambda one: one[0]):
        told.append(replace(step, wait_s=round(at - reached, 3)))
        reached = at
    return tuple(told)


def rounds(chance: Random, end_s: float) -> tuple[Step, ...]:
    """What a worker does: a few rounds early on, and one around the end."""
    every = chance.choice((0.5, 5.0, 60.0))
    count = chance.choice((1, 1, 2, 2, 3))
    kind: Kind = chance.choice(("recover", "recover", "work", "work", "help"))
    steps = [Step(kind, wait_s=every) for _ in range(count)]
    if end_s > HOLD_S:
        steps.append(
            Step("recover" if kind == "help" else kind, wait_s=round(end_s - chance.choice((0.0, 1.0, 70.0)), 3))
        )
    return tuple(steps)
