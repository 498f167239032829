"""How the shop of a history is set up."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from punktgenau.checkout import Settings
from punktgenau.testing.simulator.plans import POINTS_PER_EURO, Earns, Taken

PAID = Settings(deadline_s=2.0, worker_deadline_s=4.0)


@cache
def settings_of(taken: Taken, earns: Earns | None) -> Settings:
    """When the points of an order are taken, and what its money earns."""
    settings = replace(PAID, capture=taken)
    if earns is None:
        return settings
    return replace(
        settings,
        earn_points=POINTS_PER_EURO,
        earn_pending_s=earns.pending_s,
        claw_back="below_zero" if earns.below_zero else "to_zero",
        welcome_points=earns.welcome_points,
    )
