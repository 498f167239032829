"""The tax report of a list of 500,000 lines over a journal of 250,000 orders that earned them.

    python -m long.tax --orders 250000 --base 5000

Exit status 0: every point stands at the rate at which it was earned, or is of unknown origin where nobody earned it, in
less than 150 MB, and a line costs at most 1.3 times what it costs among 10,000. 1: not so. Cost is the processor's
time; memory is the most that the process which made the report had resident.
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

from _tax_books import PERIOD, expected, listed, make, opened
from long.report import Report, ended, hum, parser, say
from punktgenau.statement_files import read_issued

TESTS = Path(__file__).resolve().parents[1]
MEMORY_MB = 150.0
RATIO = 1.3
BASE_RUNS = 3
TOLD_EVERY_S = 2.0


def reported(folder: Path, *, orders: int) -> dict[str, float]:
    """Make the report of what stands in the folder, in this process: cost, memory, and what is not where it belongs."""
    checkout, told_at = opened(folder), 0.0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > TOLD_EVERY_S:
            told_at = time.monotonic()
            hum(f"{what}: {done:,}" + (f" of {total:,}" if total else ""))

    began = time.process_time()
    with listed(folder).open("rb") as file, checkout.tax_report(PERIOD, read_issued(file), progress=progress) as made:
        rows = sum(1 for _ in made.rows())
        cost_s = time.process_time() - began
        sums = {one.vat_rate: one.points for one in made.sums}
        lines, broken = sum(one.lines for one in made.totals), made.broken
    checkout.close()
    wanted = expected(orders)
    belongs = {"19": wanted.at_19, "7": wanted.at_7, None: wanted.unknown}
    return {
        "lines": lines,
        "rows": rows,
        "cost_us": cost_s / lines * 1e6,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "elsewhere": sum(abs(points - sums.get(rate, 0)) for rate, points in belongs.items()),
        "missing": abs(wanted.lines - lines) + broken,
    }


def _measured(orders: int, *, runs: int) -> dict[str, float]:
    """The cheapest of some runs over the same books, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="punktgenau-tax-") as folder:
        say(f"writing a journal of {orders:,} orders and a list of what was redeemed of them ...")
        _child("--make", folder, "--orders", str(orders))
        results = [json.loads(_child("--measure", folder, "--orders", str(orders))) for _ in range(runs)]
    best: dict[str, float] = min(results, key=lambda result: result["cost_us"])
    best["memory_mb"] = max(result["memory_mb"] for result in results)
    return best


def _child(*arguments: str) -> str:
    command = [sys.executable, "-m", "long.tax", *arguments]
    return subprocess.run(command, cwd=TESTS, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    """The command line; how to use it stands above."""
    options = parser(__doc__)
    options.add_argument("--orders", type=int, default=250_000)
    options.add_argument("--base", type=int, default=5_000, help="what a line's cost is compared with (5,000 orders)")
    options.add_argument("--make", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options.add_argument("--measure", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.make:
        make(chosen.make, orders=chosen.orders)
        return 0
    if chosen.measure:
        sys.stdout.write(json.dumps(reported(chosen.measure, orders=chosen.orders)))
        return 0
    return ended(measure(orders=chosen.orders, base=chosen.base), chosen.report)


def measure(*, orders: int, base: int) -> Report:
    """Few lines and many, and how they compare."""
    report = Report("tax")
    few, many = _measured(base, runs=BASE_RUNS), _measured(orders, runs=1)
    cost, memory_mb = many["cost_us"] / few["cost_us"], many["memory_mb"]
    report.figure("cost of a line, of what it is among few", f"{cost:.2f}", f"<= {RATIO}", cost <= RATIO)
    report.figure("memory at most, MB", f"{memory_mb:.0f}", f"< {MEMORY_MB:.0f}", memory_mb < MEMORY_MB)
    for name, what in (("elsewhere", "points at another rate or order"), ("missing", "lines that are missing")):
        count = few[name] + many[name]
        report.figure(what, f"{count:.0f}", "0", not count)
    rows = [
        (f"{one['lines']:,.0f}", f"{one['rows']:,.0f}", f"{one['cost_us']:.1f}", f"{one['memory_mb']:.0f}")
        for one in (few, many)
    ]
    report.table(("lines", "rows", "µs a line", "MB"), rows)
    report.note(f"Processor time; among few the cheapest of {BASE_RUNS} runs. Memory is the most that was resident.")
    return report


if __name__ == "__main__":
    sys.exit(main())
