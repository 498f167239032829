"""Style that no linter knows, and the arrows between modules. Every finding is listed, not only the first."""

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from _source import PACKAGES, ROOT, Module, committed_texts, modules

LONGEST_MODULE = 300
LONGEST_FUNCTION = 70
PRODUCT = ("sdk/", "plugin_flask/")
SDK = "sdk/punktgenau/"
OWN_CLOCK = (f"{SDK}_clock.py", f"{SDK}sandbox/", f"{SDK}testing/")
MAY_PRINT = ("__main__.py", "cli.py")
MONEY = ("money.py", "allocation.py", "returned.py", "quote.py", "rules.py", "invoice.py", "arithmetic.py")
# One word per thing; these are the other words for things that have one.
WORDS_NOT_USED = {
    "backend": "provider",
    "gateway": "provider",
    "tenant": "partner",
    "user": "member or customer",
    "users": "members or customers",
    "factor": "rate",
    "estimate": "quote",
    "burn": "redemption",
    "award": "accrual",
    "ref": "reference",
    "refs": "references",
    "msg": "message",
    "amt": "amount_minor",
    "qty": "quantity",
    "pts": "points",
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Rule = Callable[[Module], Iterator[str]]


def length(module: Module) -> Iterator[str]:
    lines = module.text.count("\n")
    if lines > LONGEST_MODULE and not module.name.startswith("tests/"):
        yield f"{module.name} has {lines} lines, at most {LONGEST_MODULE}"
    for node in ast.walk(module.tree):
        if isinstance(node, FUNCTIONS) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield module.at(node, f"{node.name} has {lines} lines, at most {LONGEST_FUNCTION}")


def prints(module: Module) -> Iterator[str]:
    if module.inside(*PRODUCT) and module.path.name not in MAY_PRINT:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield module.at(node, "prints; a library logs or raises")


def swallowed(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            broad = isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
            idle = all(isinstance(part, ast.Pass | ast.Continue) for part in node.body)
            if node.type is None or (broad and idle):
                yield module.at(node, "hides every error")


def inexact(module: Module) -> Iterator[str]:
    if not module.inside(*PRODUCT) or module.path.name not in (*MONEY, "journal.py"):
        return
    strict = module.path.name in MONEY
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("float", "round"):
            yield module.at(node, f"{node.func.id}() where money is counted")
        elif isinstance(node, ast.Attribute | ast.Name) and _last_name(node) in ("Float", "REAL", "DOUBLE_PRECISION"):
            yield module.at(node, "a column that is not exact")
        elif strict and isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield module.at(node, f"{node.value} where money is counted")
        elif strict and isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            yield module.at(node, "'/' where money is counted; use '//' and say where the remainder goes")
        elif strict and isinstance(node, ast.Name) and node.id == "float":
            yield module.at(node, "a float where money is counted")


def own_clock(module: Module) -> Iterator[str]:
    if module.inside(SDK) and not module.inside(*OWN_CLOCK):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _last_name(node.func) in ("now", "utcnow", "today"):
                owner = node.func.value if isinstance(node.func, ast.Attribute) else None
                if owner is not None and _last_name(owner) in ("datetime", "date"):
                    yield module.at(node, "asks the machine for the time; take it from the Clock")


def undocumented(module: Module) -> Iterator[str]:
    parts = module.path.relative_to(ROOT).parts
    if not module.inside(*PRODUCT) or any(part.startswith("_") and part != "__init__.py" for part in parts):
        return
    if module.tree.body and ast.get_docstring(module.tree) is None:
        yield f"{module.name}:1 has no docstring"
    if module.inside(f"{SDK}sandbox/"):
        return
    for node in module.tree.body:
        yield from _undocumented_in(module, node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                yield from _undocumented_in(module, inner)


def _undocumented_in(module: Module, node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_") and not _explained(node):
        yield module.at(node, f"{node.name} has no docstring")


def _explained(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """A validator or an override is explained by what it belongs to."""
    decorators = {_last_name(part.func if isinstance(part, ast.Call) else part) for part in node.decorator_list}
    elsewhere = {"overload", "override", "field_validator", "model_validator", "field_serializer", "setter"}
    return ast.get_docstring(node) is not None or bool(decorators & elsewhere)


def words(module: Module) -> Iterator[str]:
    if not module.inside(*PRODUCT):
        return
    for node in ast.walk(module.tree):
        for name in _named_here(node):
            for word in _words(name):
                if word in WORDS_NOT_USED and name.lower() not in ("user_agent",):
                    yield module.at(node, f"{name}: say {WORDS_NOT_USED[word]}, not {word}")


def _named_here(node: ast.AST) -> list[str]:
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
        return [_last_name(node)]
    return []


def _words(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def sleeps(module: Module) -> Iterator[str]:
    if module.inside("tests/") and module.path.name.startswith(("test_", "conftest")):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep"):
                yield module.at(node, "sleeps; wait for the thing itself, or move a clock")


RULES: tuple[Rule, ...] = (length, prints, swallowed, inexact, own_clock, undocumented, words, sleeps)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps(rule: Rule) -> None:
    found = [finding for module in modules() for finding in rule(module)]
    assert not found, "\n".join(["", *found])


PLANTED: dict[Rule, str] = {
    length: "def f():\n" + "    1\n" * 80,
    prints: "print(1)\n",
    swallowed: "try:\n    1\nexcept Exception:\n    pass\n",
    inexact: "share = 1 / 3\n",
    own_clock: "import datetime\nnow = datetime.datetime.now(datetime.UTC)\n",
    undocumented: '"""A module."""\ndef offer():\n    return 1\n',
    words: "def pay(order_ref):\n    return 1\n",
    sleeps: "import time\ntime.sleep(1)\n",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_sees_what_it_is_for(rule: Rule) -> None:
    path = ROOT / ("tests/test_planted.py" if rule is sleeps else "sdk/punktgenau/checkout/quote.py")
    planted = Module(path, PLANTED[rule], ast.parse(PLANTED[rule]))
    assert list(rule(planted))


def test_arrows_between_modules_are_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_names_a_place_of_the_machine_it_was_written_on() -> None:
    # Written with gaps, so that this file does not name them.
    gapped = r"(?<![\w.])/wor k/", r"/tmp/p g/", r"\.\./shar ed", r"/(home|Users)/[a-z]+/"
    places = re.compile("|".join(gapped).replace(" ", ""))
    found = [
        f"{name}:{number} {line.strip()[:80]}"
        for name, text in committed_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if places.search(line)
    ]
    assert not found, "\n".join(["", *found])


def test_wire_samples_use_one_word_per_thing() -> None:
    def keys(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            yield from value
            value = list(value.values())
        if isinstance(value, list):
            for part in value:
                yield from keys(part)

    samples = {path.name: json.loads(path.read_text("utf-8")) for path in (ROOT / "tests" / "wire").glob("*.json")}
    used = {(name, key) for name, sample in samples.items() for key in keys(sample)}
    assert not [(name, key) for name, key in used if WORDS_NOT_USED.keys() & set(_words(key))]


def test_test_files_have_names_of_their_own() -> None:
    names = Counter(module.path.name for module in modules() if module.path.name.startswith("test_"))
    assert not [name for name, count in names.items() if count > 1]
    assert not [module.name for module in modules() if module.inside("tests/") and module.path.name == "__init__.py"]


def test_both_packages_say_that_they_are_typed() -> None:
    assert all((folder / "py.typed").is_file() for folder in PACKAGES.values())
