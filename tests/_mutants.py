"""Generated mutants of the journal and the executor: what decides there is dropped or turned round, one at a time.

- every condition of a statement that changes or locks rows, dropped;
- every unique index, dropped;
- every comparison, and every other one of several conditions: dropped; where it stands alone: negated.

The simulator looks for each first; what it did not find is given to the quick tests of tests/checkout. What neither
finds has to stand in tests/simulation/survivors.toml with its reason.
Run all: `python tests/_mutants.py`; some: `python tests/_mutants.py statements goals`; only list: `--list`.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from _planted import ROOT, Bug, Edit, planted

CHECKOUT = ROOT / "sdk" / "punktgenau" / "checkout"
MIGRATIONS = tuple(sorted((CHECKOUT / "migrations" / "versions").glob("m*.py")))
SURVIVORS = ROOT / "tests" / "simulation" / "survivors.toml"
COMPARED = ("journal", "execute", "reached", "resolve", "goals")
HISTORIES = 200
LEAST_SHARE = 0.95
TESTS_S = 600
SIMULATOR_S = 300
NO_CONDITION = '__import__("sqlalchemy").true()'


@dataclass(frozen=True)
class Mutant:
    """One place of one file of the engine, and what stands there instead."""

    file: str
    where: str
    how: str
    text: str
    begin: int
    end: int
    instead: str
    number: int = 1

    @property
    def name(self) -> str:
        """What it is called in the list of survivors: says no line, so it stays when other lines change."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.file} {self.where}: {self.how} {self.text}{again}"

    def source(self, text: str) -> str:
        """The file with it."""
        return text[: self.begin] + self.instead + text[self.end :]


@dataclass(frozen=True)
class Fate:
    """What became of a mutant; `by` is empty when nobody noticed."""

    mutant: Mutant
    by: str
    duration_s: float

    def __str__(self) -> str:
        return f"{self.by or 'SURVIVES':24} {self.mutant.name}"


def mutants() -> list[Mutant]:
    """All of them; those with the same name are numbered."""
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for one in (*_dropped_conditions(), *_dropped_indexes(), *_changed_comparisons()):
        seen[one.name] += 1
        found.append(replace(one, number=seen[one.name]))
    return found


class _Source:
    """A file as text and as a tree."""

    def __init__(self, path: Path) -> None:
        self.name = path.relative_to(CHECKOUT).with_suffix("").as_posix()
        self.text = path.read_text("utf-8")
        self.tree = ast.parse(self.text)
        self._starts = [0]
        for line in self.text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def mutant(self, node: ast.expr, how: str, instead: str, *, where: str) -> Mutant:
        begin, end = self.span(node)
        told = " ".join(self.text[begin:end].split())
        return Mutant(self.name, where, how, told, begin, end, instead)

    def span(self, node: ast.expr) -> tuple[int, int]:
        if node.end_lineno is None or node.end_col_offset is None:
            raise AssertionError("a node without an end")
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset

    def within(self) -> Iterator[tuple[str, ast.AST]]:
        """Every node of every function, with the name of the innermost one."""
        names: dict[ast.AST, str] = {}
        for function in ast.walk(self.tree):
            if isinstance(function, ast.FunctionDef):
                names |= dict.fromkeys(ast.walk(function), function.name)
        yield from ((name, node) for node, name in names.items())


def _dropped_conditions() -> Iterator[Mutant]:
    source = _Source(CHECKOUT / "statements.py")
    for statement in ast.walk(source.tree):
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Attribute):
            continue
        chain = [call for call in ast.walk(statement.value) if isinstance(call, ast.Call)]
        changes = any(isinstance(call.func, ast.Name) and call.func.id in ("update", "delete") for call in chain)
        locks = any(isinstance(call.func, ast.Attribute) and call.func.attr == "with_for_update" for call in chain)
        if not changes and not locks:
            continue
        for call in chain:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "where":
                for condition in call.args:
                    yield source.mutant(condition, "without", NO_CONDITION, where=statement.targets[0].attr)


def _dropped_indexes() -> Iterator[Mutant]:
    for path in MIGRATIONS:
        source = _Source(path)
        for where, node in source.within():
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(node, ast.expr) and isinstance(called, ast.Attribute) and called.attr == "UniqueConstraint":
                # A condition that always holds, so that the list of columns stays a list.
                yield source.mutant(node, "without", 'sa.CheckConstraint("1 = 1")', where=where)


def _changed_comparisons() -> Iterator[Mutant]:
    for name in COMPARED:
        source = _Source(CHECKOUT / f"{name}.py")
        weighed: set[ast.AST] = set()
        for where, node in source.within():
            if isinstance(node, ast.BoolOp):
                weighed |= set(node.values)
                neutral = "True" if isinstance(node.op, ast.And) else "False"
                yield from (source.mutant(part, "without", neutral, where=where) for part in node.values)
            elif isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Compare):
                weighed.add(node.test)
                yield source.mutant(node.test, "never", "False", where=where)
            elif isinstance(node, ast.Compare) and node not in weighed:
                begin, end = source.span(node)
                yield source.mutant(node, "not", f"(not ({source.text[begin:end]}))", where=where)


def judge(mutant: Mutant, *, histories: int, with_tests: bool) -> Fate:
    """Who notices it, if anybody does; with no histories only the tests are asked."""
    started = time.monotonic()
    path = CHECKOUT / f"{mutant.file}.py"
    text = path.read_text("utf-8")
    whole = Edit(f"checkout/{mutant.file}.py", text, mutant.source(text))
    by = _noticed(Bug(mutant.name, "any", mutant.how, (whole,)), histories, with_tests=with_tests)
    return Fate(mutant, by, time.monotonic() - started)


def _noticed(bug: Bug, histories: int, *, with_tests: bool) -> str:
    with planted(bug) as folder:
        by = _simulated(folder, histories) if histories else ""
        return by or (_tested(folder) if with_tests else "")


def _simulated(folder: Path, histories: int) -> str:
    report = folder / "report.json"
    command = [
        *(sys.executable, "-m", "punktgenau.testing.simulator", "--no-shrink", "--until", "any", "--processes", "1"),
        *("--histories", str(histories), "--report", str(report)),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, env=_environment(folder), check=False, timeout=SIMULATOR_S, text=True
        )
    except subprocess.TimeoutExpired:
        return "hangs the simulator"
    if not report.is_file():
        if "Error" not in done.stderr:
            raise RuntimeError(f"the simulator told nothing: {done.stderr[-2000:]}")
        return "breaks every history"
    broken = json.loads(report.read_text("utf-8"))["broken"]
    return f"I{min(int(one[1:]) for found in broken.values() for one, _ in found)}, simulator" if broken else ""


def _tested(folder: Path) -> str:
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-k", "not postgresql"),
        str(ROOT / "tests" / "checkout"),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, env=_environment(folder), check=False, timeout=TESTS_S, text=True, cwd=ROOT
        )
    except subprocess.TimeoutExpired:
        return "hangs the tests"
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode == 0:
        return ""
    if not failed:
        raise RuntimeError(f"the tests told nothing: {done.stdout[-2000:]}")
    return failed[0].split("/")[-1].split(" - ")[0].split("[")[0].removesuffix(".py")


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


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
    as_it_is = Bug("the source as it is", "none", "", ())
    if noticed := _noticed(as_it_is, options.histories, with_tests=not options.no_tests):
        print(f"the source as it is does not pass: {noticed}")
        return 1
    known, fates = survivors(), list[Fate]()
    with ThreadPoolExecutor(options.processes) as pool:
        jobs = [pool.submit(judge, one, histories=options.histories, with_tests=not options.no_tests) for one in chosen]
        for job in as_completed(jobs):
            fates.append(job.result())
            print(f"{len(fates):4}/{len(chosen)} {fates[-1].duration_s:5.0f} s  {fates[-1]}", flush=True)
    return _summary(fates, known)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Change what decides, and see who notices.")
    parser.add_argument("names", nargs="*", help="only mutants with one of these words in their name")
    parser.add_argument("--histories", type=int, default=HISTORIES, help="0: only the tests")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--no-tests", action="store_true", help="ask the simulator alone")
    parser.add_argument("--list", action="store_true", help="tell their names, and run nothing")
    return parser


def _summary(fates: list[Fate], known: dict[str, dict[str, str]]) -> int:
    alive = [fate.mutant.name for fate in fates if not fate.by]
    equal = [name for name in alive if known.get(name, {}).get("equivalent")]
    by_simulator = sum("simulator" in fate.by or fate.by == "breaks every history" for fate in fates)
    found, asked = len(fates) - len(alive), len(fates) - len(equal)
    share = found / asked if asked else 0.0
    print(
        f"\n{len(fates)} mutants: {by_simulator} found by the simulator, {found - by_simulator} by tests of checkout;"
    )
    print(f"{len(equal)} change nothing that anybody could see, {len(alive) - len(equal)} others survive")
    print(f"{share:.1%} found of those that change something")
    for name in sorted(alive):
        reason = known.get(name, {}).get("equivalent") or known.get(name, {}).get("why") or "NO REASON"
        print(f"  {name}\n      {reason}")
    names = {fate.mutant.name for fate in fates}
    for name in sorted(set(known) & names - set(alive)):
        print(f"  found by now, so it needs no reason: {name}")
    return 0 if share >= LEAST_SHARE and all(name in known for name in alive) else 1


if __name__ == "__main__":
    sys.exit(main())
