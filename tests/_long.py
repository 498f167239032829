"""`python3 tests --long`: what takes too long for every run, by part; sdk/RELIABILITY.md keeps the last of each."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from long.lanes import Ended, Lanes, processors
from long.parts import ALL, NAMED
from long.report import Report, keep

PAGE = Path(__file__).resolve().parent.parent / "sdk" / "RELIABILITY.md"
WHOLE = "all parts"
MOST_MIN = 60
LANES = 2
PARTS = tuple(NAMED)
ABOUT = "".join(f"{part.name:<11}{part.about}\n" for part in ALL)


def main(parts: Sequence[str], more: Sequence[str], *, share: float = 1.0) -> int:
    """Run these parts, or all; `more` goes to the part where one is named. 0 when every target was reached.

    With a `share` below 1 every part is so much smaller, and nothing is written down.
    """
    if more and len(parts) != 1:
        sys.stderr.write(f"name one part for {' '.join(more)}\n")
        return 2
    if not 0 < share <= 1:
        sys.stderr.write("--share is above 0 and at most 1\n")
        return 2
    started = time.monotonic()
    chosen = [NAMED[name] for name in dict.fromkeys(parts)] or list(ALL)
    results: list[Ended] = []
    try:
        with tempfile.TemporaryDirectory(prefix="punktgenau-long-") as folder:
            lanes = Lanes(Path(folder), of=processors()[:LANES], share=share, say=_say)
            with closing(lanes.run(chosen, more)) as running:
                for result in running:
                    results.append(result)
                    if share == 1:
                        _keep(result.part, [*result.lines, "", f"Took {result.duration_s:.0f} s{result.lane}."])
                    _say(f"── {result.line}")
    except KeyboardInterrupt:
        _say(f"stopped; {len(results)} of {len(chosen)} parts had ended")
        return 130
    whole = whole_of(results, duration_s=time.monotonic() - started, is_whole=not parts and share == 1)
    if not parts and share == 1:
        _keep(WHOLE, whole.lines())
    _say("\n── summary " + "─" * 69)
    for result in sorted(results, key=lambda one: PARTS.index(one.part)):
        _say(result.line)
    _say(f"in all {(time.monotonic() - started) / 60:.1f} min")
    return 0 if whole.is_met else 1


def whole_of(results: Sequence[Ended], *, duration_s: float, is_whole: bool) -> Report:
    """What the run of several parts came to; the time counts for a run of all."""
    report = Report(WHOLE)
    well = sum(one.is_well for one in results)
    report.figure("parts whose targets were all reached", well, str(len(results)), well == len(results))
    if is_whole:
        report.figure("minutes for all parts", f"{duration_s / 60:.1f}", f"<= {MOST_MIN}", duration_s <= 60 * MOST_MIN)
    rows = [
        (one.part, one.lane.removeprefix(", lane "), f"{one.duration_s:.0f}", "yes" if one.is_well else "**NO**")
        for one in results
    ]
    report.table(["part, as they ended", "lane", "seconds", "all met"], rows)
    return report


def _keep(part: str, lines: Sequence[str]) -> None:
    keep(PAGE, part, lines, order=(WHOLE, *PARTS))


def _say(text: str) -> None:
    print(text, flush=True)
