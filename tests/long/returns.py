"""Histories of returns, each from a seed: `python tests/long/returns.py --histories 100000 --processes 2`.

Exit status 0: every promise was kept; 1: at least one history broke one, its seed is told; 2: asked for the impossible.
A single one again: `--first SEED --histories 1 --processes 1`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
CHUNK = 500
NAIVE_EVERY = 3
"""The naive reckoning is slow: it judges one history in so many, of each of the ten rates."""
PARCELS_EVERY = 21
"""Of so many histories one leaves in parcels, with returns between them; always beside the naive reckoning."""


def run(*, first: int, histories: int, processes: int, progress: Callable[[int], None]) -> list[str]:
    """What went wrong, one line per broken history; `progress` is told how many are done."""
    ends = first + histories
    broken: list[str] = []
    done = 0
    with ProcessPoolExecutor(max_workers=processes) as pool:
        chunks = {
            pool.submit(_broken_in, start, min(start + CHUNK, ends)): min(start + CHUNK, ends) - start
            for start in range(first, ends, CHUNK)
        }
        for chunk in as_completed(chunks):
            broken += chunk.result()
            done += chunks[chunk]
            progress(done)
    return broken


def _broken_in(start: int, end: int) -> list[str]:
    from _parcel_histories import check as check_parcels
    from _return_histories import check

    broken = []
    for seed in range(start, end):
        try:
            check(seed, naive=seed % NAIVE_EVERY == 0)
            if seed % PARCELS_EVERY == 0:
                check_parcels(seed)
        except AssertionError as error:
            broken.append(str(error))
    return broken


def main(arguments: list[str]) -> int:
    """The command line; how to use it stands above."""
    parser = argparse.ArgumentParser(prog="python tests/long/returns.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first history's seed (0)")
    options = parser.parse_args(arguments)
    if options.histories < 1 or options.processes < 1:
        parser.error("--histories and --processes begin at 1")
    started = time.monotonic()

    def progress(done: int) -> None:
        seconds = time.monotonic() - started
        left = seconds / done * (options.histories - done)
        sys.stderr.write(f"\r{done:,} of {options.histories:,} histories, {seconds:.0f} s, about {left:.0f} s left   ")
        sys.stderr.flush()

    broken = run(first=options.first, histories=options.histories, processes=options.processes, progress=progress)
    sys.stderr.write("\n")
    for line in sorted(broken)[:20]:
        sys.stdout.write(f"{line}\n")
    seconds = time.monotonic() - started
    sys.stdout.write(f"{options.histories:,} histories of returns in {seconds:.0f} s, {len(broken)} broken\n")
    return 1 if broken else 0


if str(TESTS) not in sys.path:
    # Also in the processes that are started from here.
    sys.path.insert(0, str(TESTS))
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
