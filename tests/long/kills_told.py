"""What a run of kills came to, as figures and tables."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from long.marks import KINDS, POINTS
from long.report import Report


class Run(Protocol):
    """What is told of one."""

    database: str
    version: str
    seed: int
    placed: int
    killed: Counter[str]
    points: Counter[tuple[str, str]]
    unexpected: list[str]


def add_to(report: Report, run: Run, told: dict[str, object], *, kills: int, duration_s: float) -> None:
    """What one run came to, as figures and tables."""
    violations, ends = told["violations"], told["ends"]
    if not isinstance(violations, list) or not isinstance(ends, dict):
        raise TypeError("the comparison says something else")
    name, count = run.database, sum(run.killed.values())
    report.figure(f"{name}: orders placed", told["orders"], f">= {run.placed}", told["orders"] == run.placed)
    report.figure(f"{name}: kills", count, f">= {kills}", count >= kills)
    report.figure(f"{name}: violations", len(violations), "0", not violations)
    report.figure(f"{name}: errors nobody had reason to expect", len(run.unexpected), "0", not run.unexpected)
    report.note(
        f"**{name}**{run.version}, seed {run.seed}, {duration_s:.0f} s: {told['attempts']} attempts in the journal, "
        f"{told['redemptions']} redemptions at the provider, {told['points_paid']} points paid. "
        f"Killed: {', '.join(f'{how} {times}' for how, times in sorted(run.killed.items()))}."
    )
    heads = ["killed at", *KINDS, "in recovery", "elsewhere"]
    known = [*KINDS, "in recovery"]
    report.table(
        heads,
        [
            [
                point,
                *(run.points[point, kind] for kind in known),
                sum(times for (at, kind), times in run.points.items() if at == point and kind not in known),
            ]
            for point in POINTS
        ],
    )
    report.table(["orders ended as", "orders"], sorted(ends.items()))
    for line in [*map(str, violations), *run.unexpected][:20]:
        report.note(f"- {line}")
