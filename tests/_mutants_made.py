"""Mutants of the journal and the executor, generated: what decides there is dropped or turned round, one at a time.

- every condition of a statement that changes or locks rows, dropped;
- every unique index, dropped;
- every comparison, and every other one of several conditions: dropped; where it stands alone: negated. The zero of
  `x or 0` is no condition: dropped it would be False, which counts as zero.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from _planted import ROOT

CHECKOUT = ROOT / "sdk" / "punktgenau" / "checkout"
MIGRATIONS = tuple(sorted((CHECKOUT / "migrations" / "versions").glob("m*.py")))
COMPARED = ("journal", "execute", "reached", "resolve", "goals")
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
    lines: range
    number: int = 1

    @property
    def name(self) -> str:
        """What it is called in the list of survivors: says no line, so it stays when other lines change."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.file} {self.where}: {self.how} {self.text}{again}"

    def source(self, text: str) -> str:
        """The file with it."""
        return text[: self.begin] + self.instead + text[self.end :]


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
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        return Mutant(self.name, where, how, told, begin, end, instead, lines)

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
                conditions = [part for part in node.values if not _is_zero(part)]
                yield from (source.mutant(part, "without", neutral, where=where) for part in conditions)
            elif isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Compare):
                weighed.add(node.test)
                yield source.mutant(node.test, "never", "False", where=where)
            elif isinstance(node, ast.Compare) and node not in weighed:
                begin, end = source.span(node)
                yield source.mutant(node, "not", f"(not ({source.text[begin:end]}))", where=where)


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == 0
