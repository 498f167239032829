"""Planted bugs: each is a few replacements in the production source, applied to a copy of the package.

A bug counts as found only when the simulator reports the invariant that the bug names; the source as it is has to pass
the same histories. What does not apply fails.
Run all of them: `python tests/_planted.py`; some: `python tests/_planted.py reversed_twice no_fencing_token`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "simulation" / "planted"
HISTORIES = 200


@dataclass(frozen=True)
class Edit:
    """One text in one file of the package, which occurs there once, and what stands there instead."""

    file: str
    find: str
    replace: str


@dataclass(frozen=True)
class Bug:
    """What somebody could have written, and which invariant that breaks."""

    name: str
    breaks: str
    what: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Found:
    """How a bug was found, if it was: by which history. `reported`: every invariant that was broken until then."""

    bug: Bug
    histories: int
    reported: tuple[str, ...]
    duration_s: float

    @property
    def well(self) -> bool:
        return self.bug.breaks in self.reported

    def __str__(self) -> str:
        how = f"found as {self.bug.breaks}" if self.well else f"NOT FOUND as {self.bug.breaks}"
        others = f", reported: {', '.join(self.reported) or 'nothing'}"
        return f"{self.bug.name:34} {how} in {self.histories} histories, {self.duration_s:.1f} s{others}"


class DoesNotApplyError(Exception):
    """The source has changed, so the planted bug is about something that is no longer there."""


def bugs() -> tuple[Bug, ...]:
    """All planted bugs, by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.toml")))


def _read(path: Path) -> Bug:
    content = tomllib.loads(path.read_text("utf-8"))
    edits = tuple(Edit(**edit) for edit in content["edit"])
    return Bug(path.stem, content["breaks"], content["what"], edits)


@contextmanager
def planted(bug: Bug) -> Iterator[Path]:
    """A folder with a copy of the package that has the bug. Raises DoesNotApplyError."""
    with tempfile.TemporaryDirectory(prefix="punktgenau-planted-") as folder:
        copy = Path(folder) / "punktgenau"
        changed = edited(bug)
        shutil.copytree(ROOT / "sdk" / "punktgenau", copy, ignore=shutil.ignore_patterns("__pycache__"))
        for file, text in changed.items():
            (copy / file).write_text(text, "utf-8")
        yield Path(folder)


def edited(bug: Bug) -> dict[str, str]:
    """The files of the package that have the bug, by their names. Raises DoesNotApplyError."""
    changed: dict[str, str] = {}
    for edit in bug.edits:
        path = ROOT / "sdk" / "punktgenau" / edit.file
        text = changed.get(edit.file) or (path.read_text("utf-8") if path.is_file() else "")
        if text.count(edit.find) != 1:
            raise DoesNotApplyError(
                f"{bug.name}: in {edit.file} this occurs {text.count(edit.find)} times: {edit.find}"
            )
        changed[edit.file] = text.replace(edit.find, edit.replace)
    return changed


def hunt(bug: Bug, *, histories: int = HISTORIES, seed: int = 1) -> Found:
    """Let the simulator look for a bug, until it is found or so many histories are over."""
    started = time.monotonic()
    with planted(bug) as folder:
        report = folder / "report.json"
        command = [
            *(sys.executable, "-m", "punktgenau.testing.simulator", "--no-shrink", "--until", bug.breaks),
            *("--histories", str(histories), "--seed", str(seed), "--processes", "1"),
            *("--report", str(report)),
        ]
        environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if not report.is_file():
            raise RuntimeError(f"{bug.name}: the simulator broke\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        result = json.loads(report.read_text("utf-8"))
    reported = sorted({invariant for broken in result["broken"].values() for invariant, _ in broken})
    seeds = [int(told) for told, broken in result["broken"].items() if bug.breaks in {one for one, _ in broken}]
    needed = min(seeds) - seed + 1 if seeds else result["histories"]
    return Found(bug, needed, tuple(reported), time.monotonic() - started)


def _told(bug: Bug, histories: int) -> tuple[bool, str]:
    try:
        found = hunt(bug, histories=histories)
    except DoesNotApplyError as error:
        return False, f"{bug.name:34} DOES NOT APPLY: {error}"
    return found.well, str(found)


def main(arguments: list[str] | None = None) -> int:
    """0 when every bug was found as what it is."""
    parser = argparse.ArgumentParser(description="Plant bugs, and let the simulator find them.")
    parser.add_argument("names", nargs="*", help="which (default: all)")
    parser.add_argument("--histories", type=int, default=HISTORIES)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    chosen = [bug for bug in bugs() if not options.names or bug.name in options.names]
    as_it_is = hunt(Bug("the source as it is", "none", "", ()), histories=options.histories)
    print(f"{as_it_is.bug.name:34} broke {', '.join(as_it_is.reported) or 'nothing'} in the same histories", flush=True)
    missed = 0
    with ThreadPoolExecutor(options.processes) as pool:
        for job in as_completed([pool.submit(_told, bug, options.histories) for bug in chosen]):
            well, line = job.result()
            missed += not well
            print(line, flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} found", flush=True)
    return 1 if missed or as_it_is.reported or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
