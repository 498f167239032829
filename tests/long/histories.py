"""Simulated histories: no invariant broken, everything that can be reached was, and as much happens as was promised.

    python -m long.histories --histories 10000 --processes 2

A single one, told from its beginning: `python -m punktgenau.testing.simulator --histories 1 --trace --seed SEED`.
"""

from __future__ import annotations

import subprocess
import sys
import time

from long.report import Report, ended, hum, parser, say
from punktgenau.testing.simulator import coverage
from punktgenau.testing.simulator.runner import Tally, run

MOST_S = 180.0
"""For 10,000 histories on two processors."""
LEAST = {"calls": 8.0, "workers": 3.0, "faults": 2.0, "crashes": 1.0}
WHAT = {
    "calls": "calls of the provider, tokens aside",
    "workers": "processes",
    "faults": "faults",
    "crashes": "crashes and requests broken off",
}
COVERS = 5_000
"""Fewer histories cannot reach everything, and are over before they have begun well."""
TOLD = 3


def simulated(*, first: int, histories: int, processes: int) -> tuple[Tally, float]:
    """What so many histories came to, and how long they took."""
    started = time.monotonic()
    tally = Tally()
    for part in run(range(first, first + histories), processes=processes):
        tally.merge(part)
        hum(f"{tally.histories} of {histories}, {len(tally.broken)} broken, {time.monotonic() - started:.0f} s")
    return tally, time.monotonic() - started


def measure(*, first: int, histories: int, processes: int) -> Report:
    """Run them, judge them, and show what was reached."""
    tally, duration_s = simulated(first=first, histories=histories, processes=processes)
    report = Report("histories")
    broken, missing = len(tally.broken), coverage.missing(tally.cells)
    report.figure(f"of {tally.histories:,} histories, broken", broken, "0", not broken)
    for name, least in LEAST.items():
        count = getattr(tally, name) - (tally.tokens if name == "calls" else 0)
        average = count / max(1, tally.histories)
        report.figure(f"{WHAT[name]} per history", f"{average:.1f}", f">= {least:g}", average >= least)
    if histories >= COVERS:
        most_s = MOST_S * histories / 10_000
        report.figure("seconds", f"{duration_s:.0f}", f"<= {most_s:.0f}", duration_s <= most_s)
        report.figure("cells not reached that can be", len(missing), "0", not missing)
    report.note(
        f"Seeds {first} to {first + histories - 1}, {processes} processes, {duration_s:.0f} s; trace {tally.digest}."
    )
    for seed in sorted(tally.broken)[:TOLD]:
        report.note("\n".join(["```text", *_story(seed), "```"]))
    report.note(_reached(tally))
    report.note("\n".join(["```text", *coverage.table(tally.cells), "```"]))
    for cell in missing:
        report.note(f"- not reached: {', '.join(cell)}")
    return report


def _reached(tally: Tally) -> str:
    """How many cells there are of each kind, and how many of them were reached."""
    known = coverage.cells()
    parts = []
    for about in dict.fromkeys(cell[0] for cell in known):
        theirs = {cell: reason for cell, reason in known.items() if cell[0] == about}
        reached = sum(bool(tally.cells[cell]) for cell in theirs)
        cannot = sum(bool(reason) and not tally.cells[cell] for cell, reason in theirs.items())
        parts.append(f"{about} {reached} of {len(theirs)} ({cannot} out of reach, with reason)")
    return f"Reached: {'; '.join(parts)}."


def _story(seed: int) -> list[str]:
    say(f"history {seed} broke an invariant:")
    command = [sys.executable, "-m", "punktgenau.testing.simulator", "--histories", "1", "--processes", "1"]
    done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, text=True, check=False)
    say(done.stdout)
    return [f"seed {seed}", *done.stdout.splitlines()]


def main() -> int:
    """0 when nothing was broken, in time, and with everything reached."""
    options = parser(__doc__)
    options.add_argument("--histories", type=int, default=10_000)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--seed", type=int, default=1, help="the first one")
    chosen = options.parse_args()
    report = measure(first=chosen.seed, histories=chosen.histories, processes=chosen.processes)
    return ended(report, chosen.report)


if __name__ == "__main__":
    sys.exit(main())
