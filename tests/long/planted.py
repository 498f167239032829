"""Planted bugs, each looked for by the simulator until it is found as what it is.

python -m long.planted --histories 200 --processes 2
"""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed

from _planted import HISTORIES, Bug, DoesNotApplyError, Found, bugs, hunt
from long.report import Report, ended, parser, say

LEAST_BUGS = 30
INVARIANTS = tuple(f"I{number}" for number in range(1, 13))
EACH = 2
"""Every invariant is broken by so many of them at least."""


def looked_for(chosen: list[Bug], *, histories: int, processes: int) -> tuple[list[Found], list[str]]:
    """What was found how, and what does not apply any more."""
    found, gone = [], []
    with ThreadPoolExecutor(processes) as pool:
        for job in as_completed([pool.submit(hunt, bug, histories=histories) for bug in chosen]):
            try:
                found.append(job.result())
                say(str(found[-1]))
            except DoesNotApplyError as error:
                gone.append(str(error))
                say(f"DOES NOT APPLY: {error}")
    return sorted(found, key=lambda one: one.bug.name), gone


def measure(*, histories: int, processes: int) -> Report:
    """The source as it is, then every bug."""
    report = Report("planted")
    chosen = list(bugs())
    as_it_is = hunt(Bug("the source as it is", "none", "", ()), histories=histories)
    found, gone = looked_for(chosen, histories=histories, processes=processes)
    well = sum(one.well for one in found)
    breaks = Counter(bug.breaks for bug in chosen)
    fewest = min(breaks[invariant] for invariant in INVARIANTS)
    report.figure("planted bugs", len(chosen), f">= {LEAST_BUGS}", len(chosen) >= LEAST_BUGS)
    report.figure("found as what they are", well, str(len(chosen)), well == len(chosen))
    report.figure("that do not apply any more", len(gone), "0", not gone)
    report.figure("bugs for the invariant with the fewest", fewest, f">= {EACH}", fewest >= EACH)
    report.figure(
        "broken by the source as it is, in the same histories", len(as_it_is.reported), "0", not as_it_is.reported
    )
    report.note(f"Found within {max((one.histories for one in found), default=0)} of {histories} histories.")
    report.table(
        ("bug", "breaks", "found in history"),
        [(one.bug.name, one.bug.breaks, one.histories if one.well else "**NO**") for one in found],
    )
    for line in gone:
        report.note(f"- {line}")
    return report


def main() -> int:
    """0 when every bug was found as what it is."""
    options = parser(__doc__)
    options.add_argument("--histories", type=int, default=HISTORIES)
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    return ended(measure(histories=chosen.histories, processes=chosen.processes), chosen.report)


if __name__ == "__main__":
    sys.exit(main())
