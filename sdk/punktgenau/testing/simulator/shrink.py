"""Cuts a failing history down to what still fails: fewer surprises, fewer steps, fewer processes."""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau.testing.simulator.plans import Plan
from punktgenau.testing.simulator.script import Place
from punktgenau.testing.simulator.world import Ground, Verdict, World

RUNS_MAX = 400


@dataclass
class Shrinker:
    """Runs shortened histories as long as one of them still breaks the same invariant."""

    ground: Ground
    invariant: str
    runs: int = 0

    def shrink(self, verdict: Verdict) -> Verdict:
        """The shortest failing history that was found."""
        best = verdict
        while self.runs < RUNS_MAX:
            size = (len(best.taken), sum(len(steps) for _, steps in best.plan.processes))
            best = self._fewer_surprises(self._fewer_steps(best))
            if (len(best.taken), sum(len(steps) for _, steps in best.plan.processes)) == size:
                break
        return best

    def _still_fails(self, plan: Plan, only: frozenset[Place]) -> Verdict | None:
        if self.runs >= RUNS_MAX:
            return None
        self.runs += 1
        verdict = World(self.ground, plan, only=only).run()
        broken = any(violation.invariant == self.invariant for violation in verdict.violations)
        return verdict if broken else None

    def _fewer_steps(self, best: Verdict) -> Verdict:
        for name, _ in best.plan.processes:
            best = self._still_fails(best.plan.without_process(name), frozenset(best.taken)) or best
        for name, steps in best.plan.processes:
            for position in reversed(range(len(steps))):
                best = self._still_fails(best.plan.without_step(name, position), frozenset(best.taken)) or best
        return best

    def _fewer_surprises(self, best: Verdict) -> Verdict:
        """Leave out halves, then quarters, down to single ones."""
        size = max(1, len(best.taken) // 2)
        while True:
            best = self._without_each(best, size)
            if size == 1:
                return best
            size = max(1, size // 2)

    def _without_each(self, best: Verdict, size: int) -> Verdict:
        at = 0
        while at < len(best.taken):
            taken = best.taken
            shorter = self._still_fails(best.plan, frozenset(taken[:at] + taken[at + size :]))
            if shorter is not None and len(shorter.taken) < len(best.taken):
                best = shorter
            else:
                at += size
        return best
