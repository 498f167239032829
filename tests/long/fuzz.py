"""Hostile requests to every route of shop, back office and sandbox, in the tests that send a few of them in every run.

    python -m long.fuzz --cases 50000 --seed 7

Every route gets as many; what is made of its description and what of the sandbox's OpenAPI document both count.
"""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
from collections import Counter
from pathlib import Path

import hypothesis
import pytest
import schemathesis

import _hostile
from long.report import Report, ended, parser, say

TESTS = Path(__file__).resolve().parent.parent
FILES = (
    "attacks/test_hostile_requests.py",
    "attacks/test_hostile_sandbox.py",
    "backoffice/test_office_hostile.py",
    "sandbox/test_sandbox_openapi.py",
)
ROUTES = "hostile_requests_get or hostile_requests_to or undescribed_answer"
"""The tests that take a route each."""
TELL_EVERY = 10


class Counting:
    """A plugin of pytest: how many requests were answered with what, and what failed."""

    def __init__(self) -> None:
        self.routes = 0
        self.done = 0
        self.answers: Counter[int] = Counter()
        self.cases: Counter[str] = Counter()
        self.failed: list[str] = []
        self._proper = _hostile.assert_proper
        self._file = ""
        _hostile.assert_proper = self._counted

        @schemathesis.hook("after_call")
        def called(context: object, case: object, response: schemathesis.Response) -> None:
            self._note(response.status_code)

    def _counted(self, answer: object, *rest: object, **more: object) -> None:
        self._note(answer.status_code)  # type: ignore[attr-defined]
        self._proper(answer, *rest, **more)  # type: ignore[arg-type]

    def _note(self, status: int) -> None:
        self.answers[status] += 1
        self.cases[self._file] += 1

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.routes = len(session.items)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._file = Path(nodeid.partition("::")[0]).stem.removeprefix("test_")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or report.skipped:
            self.failed.append(f"{report.nodeid}: {report.longreprtext.strip().splitlines()[-1][:300]}")
            say(report.longreprtext)
        if report.when == "teardown":
            self.done += 1
            if self.done % TELL_EVERY == 0:
                say(f"{self.done} of {self.routes} routes, {self.answers.total():,} requests")


def _run(plugins: list[object], *options: str) -> int:
    # What is imported by now cannot be rewritten.
    quiet = ["-n", "0", "--assert", "plain", "-p", "no:cacheprovider", "-p", "no:terminal"]
    files = [str(TESTS / name) for name in FILES]
    return int(pytest.main([*quiet, "-k", ROUTES, "--rootdir", str(TESTS.parent), *options, *files], plugins=plugins))


def measure(*, each: int, cases: int, seed: int) -> Report:
    """So many requests to each route."""
    _hostile.FEW = hypothesis.settings(_hostile.FEW, max_examples=each, derandomize=False)
    counting = Counting()
    exit_code = _run([counting], "--hypothesis-seed", str(seed))
    report = Report("fuzz")
    sent = counting.answers.total()
    wrong = sum(count for status, count in counting.answers.items() if status >= 500)
    report.figure("hostile requests", f"{sent:,}", f">= {cases:,}", sent >= cases)
    report.figure("routes", counting.routes, ">= 1", counting.routes > 0)
    report.figure("answers of 500 and above", wrong, "0", not wrong)
    report.figure("routes with an answer that is not described, or a change", len(counting.failed), "0", exit_code == 0)
    report.note(f"Seed {seed}, {each} requests to each route.")
    report.table(("routes of", "requests"), sorted(counting.cases.items()))
    report.table(("answer", "times"), sorted(counting.answers.items()))
    for line in counting.failed[:20]:
        report.note(f"- {line}")
    return report


def main() -> int:
    """0 when nothing was answered wrongly."""
    options = parser(__doc__)
    options.add_argument("--cases", type=int, default=50_000)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--count", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.count:
        counting = Counting()
        _run([counting], "--collect-only")
        say(str(counting.routes))
        return 0
    # In a process of its own: what is loaded once has its number of requests.
    command = [sys.executable, "-m", "long.fuzz", "--count"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    routes = int(told.splitlines()[-1])
    seed = secrets.randbelow(10**6) if chosen.seed is None else chosen.seed
    return ended(measure(each=-(-chosen.cases // routes), cases=chosen.cases, seed=seed), chosen.report)


if __name__ == "__main__":
    sys.exit(main())
