"""How likely what goes wrong is in one history."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely what goes wrong is, at each place where it can."""

    switch: float = 0.0
    fault: float = 0.0
    slow: float = 0.0
    crash: float = 0.0
    broken: float = 0.0
    pause: float = 0.0
    between: float = 0.0
    busy: float = 0.0
    commit: float = 0.0
    loader: float = 0.0


def odds(chance: Random) -> Odds:
    """Those of a history: mostly a little of everything."""
    return Odds(
        switch=chance.choice((0.05, 0.2, 0.4, 0.6)),
        fault=chance.choice((0.05, 0.15, 0.25, 0.4)),
        slow=chance.choice((0.0, 0.02, 0.1)),
        crash=chance.choice((0.0, 0.004, 0.008, 0.012)),
        broken=chance.choice((0.0, 0.0, 0.01)),
        pause=chance.choice((0.0, 0.01, 0.02, 0.04)),
        between=chance.choice((0.0, 0.1, 0.2, 0.4)),
        busy=chance.choice((0.0, 0.0, 0.02)),
        commit=chance.choice((0.0, 0.0, 0.02, 0.05)),
        loader=chance.choice((0.0, 0.0, 0.2)),
    )
