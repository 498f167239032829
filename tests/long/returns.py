"""Histories of returns, each from a seed.

    python -m long.returns --histories 100000 --processes 2

Exit status 0: every promise was kept; 1: at least one history broke one, its seed is told; 2: asked for the impossible.
A single one again: `--first SEED --histories 1 --processes 1`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed

from _parcel_histories import check as check_parcels
from _return_histories import check
from _reward_histories import check as check_rewards
from long.report import Report, ended, hum, parser

CHUNK = 500
NAIVE_EVERY = 3
"""The naive reckoning is slow: it judges one history in so many, of each of the ten rates."""
PARCELS_EVERY = 21
"""Of so many histories one leaves in parcels, with returns between them; always beside the naive reckoning."""
REWARDS_EVERY = 5
"""Of so many histories one has reward articles; beside a naive reckoning of its own."""


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
    broken = []
    for seed in range(start, end):
        try:
            check(seed, naive=seed % NAIVE_EVERY == 0)
            if seed % PARCELS_EVERY == 0:
                check_parcels(seed)
            if seed % REWARDS_EVERY == 0:
                check_rewards(seed)
        except AssertionError as error:
            broken.append(str(error))
    return broken


def main() -> int:
    """The command line; how to use it stands above."""
    options = parser(__doc__)
    options.add_argument("--histories", type=int, default=100_000)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--first", type=int, default=0, metavar="SEED", help="the first history's seed (0)")
    chosen = options.parse_args()
    if chosen.histories < 1 or chosen.processes < 1:
        options.error("--histories and --processes begin at 1")
    started = time.monotonic()

    def progress(done: int) -> None:
        seconds = time.monotonic() - started
        left = seconds / done * (chosen.histories - done)
        hum(f"{done:,} of {chosen.histories:,} histories, {seconds:.0f} s, about {left:.0f} s left")

    broken = run(first=chosen.first, histories=chosen.histories, processes=chosen.processes, progress=progress)
    report = Report("returns")
    report.figure(f"of {chosen.histories:,} histories of returns, broken", len(broken), "0", not broken)
    report.note(
        f"Seeds {chosen.first} to {chosen.first + chosen.histories - 1}. One of {NAIVE_EVERY} is reckoned twice, also "
        f"with fractions; one of {PARCELS_EVERY} leaves in parcels besides."
    )
    for line in sorted(broken)[:20]:
        report.note(f"- {line}")
    return ended(report, chosen.report)


if __name__ == "__main__":
    sys.exit(main())
