"""The `scenario` mark: which row of the scenario list a test carries, and what it asserts there.

Ids: C crash points, N network, P provider, K concurrency, D storage and deploy, B bad input, S attacks; T what really
went wrong in other shops. `--scenario-report FILE` writes what became of each carried row, for the matrix.
"""

import json
from pathlib import Path

import pytest

FAULTS = {"C": 16, "N": 16, "P": 20, "K": 13, "D": 11, "B": 9, "S": 22}
SHOPS = {"T": 58}
IDS = tuple(f"{letter}{number}" for letter, count in (FAULTS | SHOPS).items() for number in range(1, count + 1))
MOST_PER_TEST = 3
_PROPERTY = "scenario"
Asserted = dict[str, set[str]]
_ASSERTED = pytest.StashKey[Asserted]()
_FILES = pytest.StashKey[set[Path]]()
# A test has as many reports as phases; the worst of them is what became of it.
_WORST_FIRST = ("failed", "skipped", "passed")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("punktgenau")
    group.addoption("--scenario-report", type=Path, metavar="FILE", help="write what became of each scenario as JSON")


def pytest_configure(config: pytest.Config) -> None:
    target = config.getoption("scenario_report")
    if target is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Reporter(target), "scenario-reporter")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    faults = []
    asserted = config.stash.setdefault(_ASSERTED, {})
    config.stash[_FILES] = {item.path for item in items}
    for item in items:
        marks = list(item.iter_markers("scenario"))
        faults += [f"{item.nodeid}: {fault}" for mark in marks if (fault := _fault(mark))]
        if len(marks) > MOST_PER_TEST:
            faults.append(f"{item.nodeid}: carries {len(marks)} scenarios, at most {MOST_PER_TEST} are allowed")
        item.user_properties += [(_PROPERTY, list(mark.args)) for mark in marks]
        for mark in marks:
            if not _fault(mark):
                asserted.setdefault(mark.args[0], set()).add(mark.args[1])
    if faults:
        raise pytest.UsageError("scenario marks:\n  " + "\n  ".join(sorted(set(faults))))


@pytest.fixture
def asserted_here(request: pytest.FixtureRequest) -> tuple[Asserted, set[Path]]:
    """What all tests of this run assert, by row, whether they were chosen or not; and the files that they stand in."""
    return request.config.stash[_ASSERTED], request.config.stash[_FILES]


def _fault(mark: pytest.Mark) -> str | None:
    if len(mark.args) != 2 or mark.kwargs or not all(isinstance(part, str) for part in mark.args):
        return 'a mark is scenario("B1", "what is asserted, one line")'
    identifier, asserts = mark.args
    if identifier not in IDS:
        return f"there is no scenario {identifier!r}"
    if not asserts.strip() or "\n" in asserts:
        return f"{identifier}: say in one line what is asserted"
    return None


class _Reporter:
    def __init__(self, target: Path) -> None:
        self._target = target
        self._carried: dict[str, dict[str, dict[str, str]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == _PROPERTY and isinstance(value, list):
                identifier, asserts = value
                tests = self._carried.setdefault(identifier, {})
                entry = tests.setdefault(report.nodeid, {"asserts": asserts, "outcome": "passed"})
                entry["outcome"] = min(entry["outcome"], report.outcome, key=_WORST_FIRST.index)

    def pytest_sessionfinish(self) -> None:
        self._target.write_text(json.dumps(self._carried, indent=1))
