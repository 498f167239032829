"""`python3 tests --bench [FIGURE ...]`: measures side by side, prints one table, keeps the newest of each figure."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "sdk" / "BENCHMARKS.md"
PART_S_MOST = 1_800
PARTS: dict[str, tuple[str, ...]] = {
    "client": ("M-P1",),
    "footprint": ("M-P2", "M-P4"),
    "faults": ("M-R1", "M-R2"),
    "counts": ("M-J1", "M-J5"),
    "journal": ("M-J2",),
    "journal_postgres": ("M-J3",),
    "turns": ("M-J4",),
    "big": ("M-J6",),
    "web": ("M-W1", "M-W2", "M-W3", "M-W4"),
    "scale": ("scale",),
    "cart": ("cart",),
}
HEAD = ("figure", "what", "ours", "beside it", "ratio (quartiles)", "target", "met", "when, load")
ABOUT = """\
# Benchmarks

Written by `python3 tests --bench`, never by hand. Everything runs on one machine over loopback. CPU time is user and
system time of the process that calls, in blocks that take turns with the floor's; a ratio is the median over
neighbouring blocks, and the A/A rows, a floor against itself, say how far to trust the run. The client validates,
redacts and journals as shipped: there is no switch for measuring. A run of some figures replaces these alone; the last
column tells when each was measured, and how many processes wanted the machine's cores at its end.
"""
Cells = tuple[str, ...]
Row = dict[str, str | bool | None]


def main(arguments: Sequence[str]) -> int:
    """Measure what was asked for, or all of it; 1 when a target is missed. What was measured in haste is not kept."""
    quick = "--quick" in arguments
    asked = [argument for argument in arguments if not argument.startswith("-")]
    known = {figure for figures in PARTS.values() for figure in figures}
    if unknown := [figure for figure in asked if figure not in known]:
        print(f"There is no figure {unknown[0]}; there are {', '.join(sorted(known))}.")
        return 2
    rows: list[Row] = []
    for part, figures in PARTS.items():
        if not asked or set(asked) & set(figures):
            wanted = [figure for figure in asked if figure in figures]
            rows += _measured(part, figures, [*wanted, *(["--quick"] if quick else [])])
    cells = [_cells(row) for row in rows]
    print("\n" + table(cells), flush=True)
    missed = [row for row in rows if row["met"] is False]
    print(f"\n{sum(row['met'] is True for row in rows)} targets met, {len(missed)} missed.")
    if not quick:
        before = kept(WRITTEN.read_text("utf-8")) if WRITTEN.exists() else []
        WRITTEN.write_text(f"{ABOUT}\n{machine()}\n\n{table(merged(before, cells))}\n", "utf-8")
        print(f"Written to {WRITTEN.relative_to(ROOT)}.")
    return 1 if missed else 0


def table(cells: Sequence[Cells]) -> str:
    """Markdown, to be read as it is as well."""
    lines = [HEAD, *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    texts = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join(f"| {text} |" for text in (texts[0], " | ".join("-" * width for width in widths), *texts[1:]))


def kept(page: str) -> list[Cells]:
    """The rows of a table that was written down."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in line[2:-2].split(" | ")) for line in lines[2:]]


def merged(before: Sequence[Cells], now: Sequence[Cells]) -> list[Cells]:
    """What was measured now in place of the same figures before, in the order of the parts."""
    new = {cells[0] for cells in now}
    order = [figure for figures in PARTS.values() for figure in figures]
    rows = [*(cells for cells in before if cells[0] not in new and cells[0] in order), *now]
    return sorted(rows, key=lambda cells: order.index(cells[0]))


def machine() -> str:
    """When and on what: nothing that says where."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        cpu = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.machine()
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return f"{cpu}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}."


def _measured(part: str, figures: Sequence[str], options: Sequence[str]) -> list[Row]:
    print(f"measuring {', '.join(figures)} ...", end=" ", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="punktgenau-bench-") as folder:
        result = Path(folder) / "rows.json"
        command = [sys.executable, str(ROOT / "tests" / "bench" / "run.py"), part, str(result), *options]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PART_S_MOST, check=False)
            trouble = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["?"])[-1]
        except subprocess.TimeoutExpired:
            trouble = "it took too long"
        print(f"{time.monotonic() - begun:.0f} s", flush=True)
        if trouble:
            return [_not_run(figure, trouble) for figure in figures]
        rows: list[Row] = json.loads(result.read_text("utf-8"))
    when = f"{datetime.now(UTC):%Y-%m-%d}, {os.getloadavg()[0]:.1f}"
    return [row | {"when": when} for row in rows]


def _not_run(figure: str, why: str) -> Row:
    row: Row = dict.fromkeys(("what", "beside", "ratio", "target"), "")
    return row | {"figure": figure, "ours": f"not run: {why[:120]}", "met": False}


def _cells(row: Row) -> Cells:
    met = {True: "yes", False: "NO", None: ""}[row["met"]]  # type: ignore[index]
    texts = (str(row.get(name, "")) for name in ("figure", "what", "ours", "beside", "ratio", "target"))
    return tuple(text.replace("|", "/") for text in (*texts, met, str(row.get("when", ""))))
