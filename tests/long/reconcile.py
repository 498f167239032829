"""Reconciling 1,000,000 lines of a statement.

    python -m long.reconcile --lines 1000000 --base 10000

Exit status 0: all of 40 planted differences were found and none invented, in less than 150 MB, and a line costs at most
1.3 times what it costs among 10,000. 1: not so. Cost is the processor's time, so that others on the machine do not
count; memory is the most that the process which reconciles had resident.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _clearing_books import PERIOD, make, opened
from long.report import Report, ended, hum, parser, say
from punktgenau.statement_files import read_statement

TESTS = Path(__file__).resolve().parents[1]
MEMORY_MB = 150.0
RATIO = 1.3
BASE_RUNS = 5
TOLD_EVERY_S = 2.0


def reconcile(folder: Path, *, lines: int) -> dict[str, object]:
    """Reconcile what stands in the folder, in this process: cost, memory, and what was found."""
    checkout, file, planted = opened(folder, lines=lines)
    told_at = 0.0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > TOLD_EVERY_S:
            told_at = time.monotonic()
            hum(f"{what}: {done:,}" + (f" of {total:,}" if total else ""))

    with file.open("rb") as data:
        began = time.process_time()
        report = checkout.reconcile(PERIOD, read_statement(data), progress=progress)
        cost_s = time.process_time() - began
    found: dict[str, set[str]] = {}
    for one in checkout.differences():
        found.setdefault(one.kind, set()).add(one.order_reference)
    checkout.close()
    missed = sum(len(orders - found.get(kind, set())) for kind, orders in planted.items())
    invented = sum(len(orders - planted.get(kind, set())) for kind, orders in found.items())
    return {
        "lines": report.lines,
        "cost_us": cost_s / report.lines * 1e6,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "planted": sum(len(orders) for orders in planted.values()),
        "missed": missed,
        "invented": invented,
        "broken": report.broken,
    }


def _measured(lines: int, *, runs: int) -> dict[str, float]:
    """The cheapest of some runs over the same books, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="punktgenau-reconcile-") as folder:
        say(f"writing a journal and a statement of about {lines:,} lines ...")
        _child("--make", folder, "--lines", str(lines))
        results = [json.loads(_child("--measure", folder, "--lines", str(lines))) for _ in range(runs)]
    best: dict[str, float] = min(results, key=lambda result: result["cost_us"])
    best["memory_mb"] = max(result["memory_mb"] for result in results)
    return best


def _child(*arguments: str) -> str:
    command = [sys.executable, "-m", "long.reconcile", *arguments]
    return subprocess.run(command, cwd=TESTS, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    """The command line; how to use it stands above."""
    options = parser(__doc__)
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--base", type=int, default=10_000, help="what a line's cost is compared with (10,000)")
    options.add_argument("--make", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options.add_argument("--measure", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.make:
        make(chosen.make, lines=chosen.lines)[1].close()
        return 0
    if chosen.measure:
        sys.stdout.write(json.dumps(reconcile(chosen.measure, lines=chosen.lines)))
        return 0
    return ended(measure(lines=chosen.lines, base=chosen.base), chosen.report)


def measure(*, lines: int, base: int) -> Report:
    """Few lines and many, and how they compare."""
    report = Report("reconcile")
    few, many = _measured(base, runs=BASE_RUNS), _measured(lines, runs=1)
    cost, memory_mb = many["cost_us"] / few["cost_us"], many["memory_mb"]
    report.figure("cost of a line, of what it is among few", f"{cost:.2f}", f"<= {RATIO}", cost <= RATIO)
    report.figure("memory at most, MB", f"{memory_mb:.0f}", f"< {MEMORY_MB:.0f}", memory_mb < MEMORY_MB)
    for what in ("missed", "invented", "broken"):
        count = few[what] + many[what]
        report.figure(f"differences {what}" if what != "broken" else "lines told as broken", count, "0", not count)
    heads = ("lines", "µs each", "MB", "planted", "missed", "invented")
    rows = [
        (
            f"{one['lines']:,}",
            f"{one['cost_us']:.1f}",
            f"{one['memory_mb']:.0f}",
            one["planted"],
            one["missed"],
            one["invented"],
        )
        for one in (few, many)
    ]
    report.table(heads, rows)
    report.note(f"Processor time; among few the cheapest of {BASE_RUNS} runs. Memory is the most that was resident.")
    return report


if __name__ == "__main__":
    sys.exit(main())
