"""Mutants of the journal and the executor (see _mutants_made.py), and who notices them.

Each is given to the tests of tests/checkout and the histories of the simulator that execute what it changes, on a copy
of the source (see _mutant_runs.py). What none of them finds has to stand in tests/simulation/survivors.toml with its
reason.
Run all: `python tests/_mutants.py`; some: `python tests/_mutants.py statements goals`; only list: `--list`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from _mutant_code import Change
from _mutant_runs import Check, Job, Runs
from _mutants_made import CHECKOUT, COMPARED, Mutant, mutants
from _planted import ROOT

SURVIVORS = ROOT / "tests" / "simulation" / "survivors.toml"
RUN_BY = ("journal", "links", "reading")
"""The files that run the journal's statements."""
REFUSED_BY = "database"
"""The file in which a unique index is heard of."""
COPIED = ("sdk", "plugin_flask", "examples", "tests", "pyproject.toml", "README.md")
HISTORIES = 100
MOST_S = 60.0
LEAST_SHARE = 0.95


@dataclass(frozen=True)
class Fate:
    """What became of a mutant; `by` is empty when nobody noticed."""

    mutant: Mutant
    by: str
    asked: int
    duration_s: float

    def __str__(self) -> str:
        return f"{self.mutant.name}\n{'':16}{self.by or 'SURVIVES'}, the {self.asked}. check"


def survivors() -> dict[str, dict[str, str]]:
    """What is known to survive: by its name, with `why`, and `equivalent` where no behaviour differs."""
    known: dict[str, dict[str, str]] = tomllib.loads(SURVIVORS.read_text("utf-8")) if SURVIVORS.is_file() else {}
    return known


def main(arguments: list[str] | None = None) -> int:
    """0 when at least 95 % were found and every survivor has its reason."""
    options = _parser().parse_args(arguments)
    chosen = [one for one in mutants() if not options.names or any(name in one.name for name in options.names)]
    if options.list:
        print("\n".join(one.name for one in chosen))
        return 0
    if not options.here:
        return _on_a_copy(sys.argv[1:] if arguments is None else arguments)
    fates: list[Fate] = []
    with tempfile.TemporaryDirectory(prefix="punktgenau-mutants-") as folder:
        hunt = Hunt(chosen, fates, most_s=options.seconds)
        runs = Runs(hunt, processes=options.processes, histories=options.histories, folder=Path(folder))
        quiet = ["-q", "-s", "-n", "0", "-p", "no:cacheprovider", "--tb=short"]
        # What is told at the end is kept; how it goes on is not.
        with redirect_stdout(sys.stderr):
            pytest.main([*quiet, *(f"tests/{name}" for name in options.tests)], plugins=[runs])
    print("\n".join(hunt.told))
    if len(fates) < len(chosen):
        print(f"came to no end: {len(fates)} of {len(chosen)}")
        return 2
    return max(_summary(fates, survivors()), int(hunt.is_broken))


def _on_a_copy(arguments: Sequence[str]) -> int:
    """The same on a copy of the tree as it is now, so that nobody who works on it is in the way."""
    with tempfile.TemporaryDirectory(prefix="punktgenau-mutants-") as folder:
        copy = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, copy)
        paths = os.pathsep.join(str(copy / name) for name in ("sdk", "plugin_flask"))
        command = [sys.executable, str(copy / "tests" / "_mutants.py"), "--here", *arguments]
        return subprocess.run(command, cwd=copy, env=os.environ | {"PYTHONPATH": paths}, check=False).returncode


class Hunt:
    """Lets every mutant be looked for by the checks that execute it, and collects what became of them."""

    def __init__(self, chosen: Sequence[Mutant], fates: list[Fate], *, most_s: float) -> None:
        self._chosen, self._fates, self._most_s = chosen, fates, most_s
        self._sources: dict[str, str] = {}
        self._good: dict[tuple[str, str], list[str]] = {}
        self.is_broken = False
        self.told: list[str] = []

    def __call__(self, runs: Runs) -> None:
        """All of it, from within the session that has collected the tests."""
        started = time.monotonic()
        watched = [_path(name) for name in (*COMPARED, *RUN_BY, REFUSED_BY)]
        checks = runs.baseline(list(dict.fromkeys(watched)))
        failing = [check for check in checks if check.failed]
        self.is_broken = bool(failing)
        if failing:
            self._tell(f"{len(failing)} checks fail on the source as it is, so they are left out:")
        for check in failing[:10]:
            self._tell(f"  {check.name}: {check.failed[:160]}")
        checks = sorted((one for one in checks if not one.failed), key=_promise)
        histories = sum(one.name.startswith("history") for one in checks)
        took_s = time.monotonic() - started
        self._tell(f"{len(checks) - histories} tests and {histories} histories, run once in {took_s:.0f} s;")
        for job in runs.run(self._jobs(checks)):
            self._note(job)
        self._tell(f"with all mutants {time.monotonic() - started:.0f} s.")

    def _tell(self, line: str) -> None:
        self.told.append(line)
        print(line, flush=True)

    def _jobs(self, checks: Sequence[Check]) -> Iterator[Job]:
        for mutant in self._chosen:
            places = self._places(mutant)
            names = [one.name for one in checks if places & one.lines]
            names.sort(key=lambda name: name not in self._good.get((mutant.file, mutant.where), ()))
            path = _path(mutant.file)
            change = Change(path, mutant.source(path.read_text("utf-8")))
            yield Job(mutant, names, change, self._most_s)

    def _places(self, mutant: Mutant) -> set[tuple[str, int]]:
        """The lines by which a check comes to it."""
        if mutant.file == "statements":
            return {place for name in RUN_BY for place in _lines_with(f"_sql.{mutant.where}", name)}
        if mutant.file not in COMPARED:
            return _lines_with("raise DuplicateError", REFUSED_BY)
        return {(str(_path(mutant.file)), line) for line in mutant.lines}

    def _note(self, job: Job) -> None:
        mutant = job.key
        assert isinstance(mutant, Mutant)
        failed = next((told for told in job.told if told.get("failed")), None)
        by, note = "", ""
        if failed is not None:
            by = failed["name"]
            note = failed["failed"].split(":")[0] if by.startswith("history") else ""
        elif job.hung:
            by, note = job.hung, "hangs"
        elif job.late:
            note = "time was up"
        elif job.broke:
            raise RuntimeError(f"the process of {mutant.name} broke: {job.broke}")
        if by:
            good = self._good.setdefault((mutant.file, mutant.where), [])
            good[:] = [by, *(one for one in good if one != by)][:5]
        asked = sum("s" in told for told in job.told)
        self._fates.append(Fate(mutant, f"{by} {note}".strip() if by else "", asked, time.monotonic() - job.began))
        if not by and note:
            print(f"time was up after {asked} of {len(job.names)} checks", flush=True)
        last = self._fates[-1]
        print(f"{len(self._fates):4}/{len(self._chosen)} {last.duration_s:5.1f} s  {last}", flush=True)


def _lines_with(text: str, name: str) -> set[tuple[str, int]]:
    lines = _path(name).read_text("utf-8").splitlines()
    return {(str(_path(name)), number) for number, line in enumerate(lines, start=1) if text in line}


def _promise(check: Check) -> float:
    """The less a check executes, and the sooner it is over, the earlier it is asked."""
    return check.duration_s * len(check.lines)


def _path(name: str) -> Path:
    return CHECKOUT / f"{name}.py"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Change what decides, and see who notices.")
    parser.add_argument("names", nargs="*", help="only mutants with one of these words in their name")
    parser.add_argument("--histories", type=int, default=HISTORIES, help="how many of the simulator's are asked")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=MOST_S, help="the longest that one mutant is looked for")
    parser.add_argument("--tests", nargs="*", default=["checkout"], help="which folders of tests/ are asked")
    parser.add_argument("--list", action="store_true", help="tell their names, and run nothing")
    parser.add_argument("--here", action="store_true", help="this is a copy already")
    return parser


def _summary(fates: list[Fate], known: dict[str, dict[str, str]]) -> int:
    alive = sorted(fate.mutant.name for fate in fates if not fate.by)
    by_simulator = sum(fate.by.startswith("history") for fate in fates)
    found = len(fates) - len(alive)
    share = found / len(fates) if fates else 0.0
    for file in dict.fromkeys(fate.mutant.file for fate in fates):
        theirs = [fate for fate in fates if fate.mutant.file == file]
        print(f"  {file:34} {len(theirs):4} mutants, {sum(bool(fate.by) for fate in theirs):4} found")
    print(f"{len(fates)} mutants: {found - by_simulator} found by tests, {by_simulator} by histories of the simulator,")
    print(f"{share:.1%} in all; {len(alive)} survive{':' if alive else '.'}")
    for name in alive:
        print(f"  {name}\n      {known.get(name, {}).get('why', 'NO REASON')}")
    names = {fate.mutant.name for fate in fates}
    for name in sorted(set(known) & names - set(alive)):
        print(f"  found by now, so it needs no reason: {name}")
    return 0 if share >= LEAST_SHARE and all(name in known for name in alive) else 1


if __name__ == "__main__":
    sys.exit(main())
