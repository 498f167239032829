"""`python -m punktgenau.testing.simulator`: many histories, a coverage table, and the first failures told in short."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from punktgenau.testing.simulator import coverage
from punktgenau.testing.simulator.runner import Tally, ground, history, run
from punktgenau.testing.simulator.shrink import Shrinker
from punktgenau.testing.simulator.story import story

_TOLD_MAX = 3
_AVERAGES = {
    "calls": "calls of the provider",
    "tokens": "of these for a token only",
    "workers": "processes",
    "faults": "faults of network, provider and journal",
    "crashes": "crashes and requests broken off",
}


def main(arguments: list[str] | None = None) -> int:
    """0 when no invariant was broken (and, where asked for, nothing that can be reached was missed)."""
    options = _parser().parse_args(arguments)
    seeds = range(options.seed, options.seed + options.histories)
    started = time.monotonic()
    tally = Tally()
    for part in run(seeds, processes=options.processes):
        before = tally.histories
        tally.merge(part)
        _progress(tally, len(seeds), time.monotonic() - started, since=before)
        if options.until and _broken(tally, options.until):
            break
    _line(f"{tally.histories} histories in {time.monotonic() - started:.0f} s, {len(tally.broken)} broke an invariant")
    for name, told in _AVERAGES.items():
        _line(f"  {told} per history: {getattr(tally, name) / max(1, tally.histories):.1f}")
    _line(f"  trace: {tally.digest}")
    missing = coverage.missing(tally.cells)
    if options.coverage or options.require_coverage:
        for line in coverage.table(tally.cells):
            _line(line)
        _line(f"{len(missing)} cells were not reached{':' if missing else ''}")
        for cell in missing:
            _line(f"  {', '.join(cell)}")
    if options.report:
        options.report.write_text(json.dumps(_report(tally)), encoding="utf-8")
    _tell(tally, shrink=not options.no_shrink, trace=options.trace and options.histories == 1, seed=options.seed)
    return 1 if tally.broken or (options.require_coverage and missing) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m punktgenau.testing.simulator", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="default: %(default)s")
    parser.add_argument("--coverage", action="store_true", help="print what was reached")
    parser.add_argument("--require-coverage", action="store_true", help="what can be reached and was not is a failure")
    parser.add_argument("--trace", action="store_true", help="with one history: tell all of it, whatever came of it")
    parser.add_argument("--no-shrink", action="store_true", help="tell failing histories as they were")
    parser.add_argument("--until", metavar="INVARIANT", help="stop as soon as this one, such as I4, or any is broken")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the result as JSON")
    return parser


def _progress(tally: Tally, histories: int, seconds: float, *, since: int) -> None:
    """On a terminal all the time, elsewhere a line for every tenth of a long run."""
    told = f"{tally.histories} of {histories}, {tally.histories / max(seconds, 0.001):.0f} a second"
    told += f", {len(tally.broken)} broken "
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{told}")
    elif histories >= 1000 and since * 10 // histories < tally.histories * 10 // histories:
        sys.stderr.write(f"{told}\n")
    sys.stderr.flush()


def _broken(tally: Tally, invariant: str) -> bool:
    return any(invariant in (one.invariant, "any") for violations in tally.broken.values() for one in violations)


def _tell(tally: Tally, *, shrink: bool, trace: bool, seed: int) -> None:
    if not tally.broken and not trace:
        return
    with ground() as place:
        if trace and not tally.broken:
            for line in history(place, seed).trace:
                _line(line)
        for broken in sorted(tally.broken)[:_TOLD_MAX]:
            verdict = history(place, broken)
            shrunk = None
            if shrink and verdict.violations:
                shrunk = Shrinker(place, verdict.violations[0].invariant).shrink(verdict)
            _line("")
            for line in story(verdict, shrunk=shrunk):
                _line(line)
    if len(tally.broken) > _TOLD_MAX:
        _line(f"\nand {len(tally.broken) - _TOLD_MAX} more: {', '.join(map(str, sorted(tally.broken)[_TOLD_MAX:]))}")


def _report(tally: Tally) -> dict[str, object]:
    return {
        "histories": tally.histories,
        "trace": tally.digest,
        "broken": {str(seed): [[one.invariant, one.what] for one in found] for seed, found in tally.broken.items()},
        "missing": [list(cell) for cell in coverage.missing(tally.cells)],
    }


def _line(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
