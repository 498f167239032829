"""One part of the benchmark in a process of its own: `run.py PART RESULT [--quick] [FIGURE ...]`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


def main(part: str, result: str, *options: str) -> None:
    """Measure, and leave the rows as JSON."""
    # In place of this file's own folder, whose names are not meant to be found by themselves.
    sys.path[:1] = [str(TESTS), str(TESTS.parent)]
    figures = frozenset(option for option in options if not option.startswith("--"))
    rows = import_module(f"bench.{part}").rows(quick="--quick" in options, figures=figures)
    Path(result).write_text(json.dumps([asdict(row) for row in rows]), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
