"""A failing history, told so that a person can follow it."""

from __future__ import annotations

from collections.abc import Iterator

from punktgenau.testing.simulator.plans import NO_ORDER, REFERENCE, TOTAL_MINOR, Plan
from punktgenau.testing.simulator.world import Verdict

COMMAND = "python -m punktgenau.testing.simulator --seed {seed} --histories 1"


def story(verdict: Verdict, *, shrunk: Verdict | None = None) -> Iterator[str]:
    """What was broken, how to see it again, and the shortest history that breaks it."""
    yield f"seed {verdict.plan.seed} breaks"
    for violation in verdict.violations:
        yield f"  {violation}"
    yield f"  again: {COMMAND.format(seed=verdict.plan.seed)}"
    told = shrunk or verdict
    if shrunk is not None:
        yield (
            f"  cut down from {len(verdict.trace)} lines with {len(verdict.taken)} surprises "
            f"to {len(shrunk.trace)} with {len(shrunk.taken)}:"
        )
    yield from (f"    {line}" for line in cast(told.plan))
    yield from (f"    {line}" for line in told.trace)
    yield "  and then"
    yield from (f"    {violation}" for violation in told.violations)


def cast(plan: Plan) -> Iterator[str]:
    """Who takes part, and what they are asked to do."""
    used = {step.order for _, steps in plan.processes for step in steps if step.kind not in NO_ORDER}
    for number, order in enumerate(plan.orders):
        if number in used:
            written = "before" if order.written_first else "after"
            yield (
                f"A-{number}: {order.points} points of {order.customer}'s for {TOTAL_MINOR / 100:.2f} EUR, "
                f"the shop writes the order {written} it asks for them{_browser(order.seen_due_minor)}"
                f"{', its lamps must be paid with 25 points each' if order.rewards else ''}"
            )
    for name, steps in plan.processes:
        yield f"{name}: {'; '.join(map(str, steps)) or 'nothing'}"
    if plan.variant != REFERENCE:
        yield f"the provider is of the kind {plan.variant}"
    if plan.taken != "paid":
        yield f"the shop takes the points when the order is {plan.taken}"
    if plan.provider_ahead_s:
        yield f"the provider's clock is {plan.provider_ahead_s} s ahead"


def _browser(seen_due_minor: int | None) -> str:
    return "" if seen_due_minor is None else f", the browser says that {seen_due_minor / 100:.2f} were shown as due"
