"""Reconciling 1,000,000 lines: `python tests/long/reconcile.py [--lines 1000000] [--base 10000]`.

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
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MEMORY_MB = 150.0
RATIO = 1.3
BASE_RUNS = 5
TOLD_EVERY_S = 2.0


def reconcile(folder: Path, *, lines: int) -> dict[str, object]:
    """Reconcile what stands in the folder, in this process: cost, memory, and what was found."""
    from _clearing_books import PERIOD, opened
    from punktgenau.statement_files import read_statement

    checkout, file, planted = opened(folder, lines=lines)
    told_at = 0.0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > TOLD_EVERY_S:
            told_at = time.monotonic()
            sys.stderr.write(f"\r{what}: {done:,}" + (f" of {total:,}" if total else "") + " " * 20)
            sys.stderr.flush()

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
        _say(f"writing a journal and a statement of about {lines:,} lines ...")
        _child("--make", folder, "--lines", str(lines))
        results = [json.loads(_child("--measure", folder, "--lines", str(lines))) for _ in range(runs)]
    sys.stderr.write("\n")
    best: dict[str, float] = min(results, key=lambda result: result["cost_us"])
    best["memory_mb"] = max(result["memory_mb"] for result in results)
    return best


def _child(*arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """The command line; how to use it stands above."""
    parser = argparse.ArgumentParser(prog="python tests/long/reconcile.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--base", type=int, default=10_000, help="what a line's cost is compared with (10,000)")
    parser.add_argument("--make", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.make:
        from _clearing_books import make

        make(options.make, lines=options.lines)[1].close()
        return 0
    if options.measure:
        sys.stdout.write(json.dumps(reconcile(options.measure, lines=options.lines)))
        return 0
    base, many = _measured(options.base, runs=BASE_RUNS), _measured(options.lines, runs=1)
    ratio = many["cost_us"] / base["cost_us"]
    for result in (base, many):
        sys.stdout.write(
            f"{result['lines']:,.0f} lines: {result['cost_us']:.1f} us each, {result['memory_mb']:.0f} MB, "
            f"{result['planted']:.0f} planted, {result['missed']:.0f} missed, {result['invented']:.0f} invented\n"
        )
    good = ratio <= RATIO and many["memory_mb"] < MEMORY_MB
    good = good and not any(result[name] for result in (base, many) for name in ("missed", "invented", "broken"))
    sys.stdout.write(
        f"ratio {ratio:.2f} (at most {RATIO}), memory {many['memory_mb']:.0f} MB (below {MEMORY_MB:.0f})\n"
    )
    return 0 if good else 1


if str(TESTS) not in sys.path:
    # Also in the processes that are started from here.
    sys.path.insert(0, str(TESTS))
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
