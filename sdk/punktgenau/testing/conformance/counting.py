"""What became of the checks of a pytest run; those that do not apply are counted apart, neither passed nor skipped."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from punktgenau.testing.conformance.check import NotApplicableError, check_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "punktgenau-conformance"
_CHECK = "punktgenau_check"
_REASON = "punktgenau_not_applicable"
_CATEGORY = "not applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformanceCounts:
    """How many checks passed and failed, and which did not apply: id of the test and the reason."""

    passed: int
    failed: int
    not_applicable: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {len(self.not_applicable)} not applicable"


def counts(config: pytest.Config) -> ConformanceCounts:
    """What became of the checks until now; for a conftest.py that insists, say, that everything applies."""
    return install(config).counts()


def install(config: pytest.Config) -> _Counter:
    """Let this run of pytest count checks; once, however often it is asked for."""
    standing = config.pluginmanager.get_plugin(_NAME)
    if isinstance(standing, _Counter):
        return standing
    counter = _Counter()
    config.pluginmanager.register(counter, _NAME)
    return counter


class _Counter:
    def __init__(self) -> None:
        self._passed: set[str] = set()
        self._failed: set[str] = set()
        self._reasons: dict[str, str] = {}

    def counts(self) -> ConformanceCounts:
        passed = self._passed - self._failed - self._reasons.keys()
        return ConformanceCounts(
            passed=len(passed), failed=len(self._failed), not_applicable=MappingProxyType(dict(self._reasons))
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        described = check_of(pyfuncitem.obj)
        if described is None:
            return (yield)
        pyfuncitem.user_properties.append((_CHECK, described.id))
        try:
            return (yield)
        except NotApplicableError as reason:
            pyfuncitem.user_properties.append((_REASON, str(reason)))
            return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if _told(report, _CHECK) is None:
            return
        if report.failed:
            self._failed.add(report.nodeid)
        elif report.when == "call":
            self._passed.add(report.nodeid)
            reason = _told(report, _REASON)
            if reason is not None:
                self._reasons[report.nodeid] = reason

    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, Mapping[str, bool]]] | None:
        if report.when != "call" or not report.passed or _told(report, _REASON) is None:
            return None
        return _CATEGORY, "n", (_CATEGORY.upper(), {"yellow": True})

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not (self._passed or self._failed):
            return
        terminalreporter.section("conformance")
        told: dict[tuple[str, str], list[str]] = {}
        for nodeid, reason in self._reasons.items():
            *_, kit, name = nodeid.split("::")
            told.setdefault((kit, reason), []).append(name.removeprefix("test_"))
        for (kit, reason), names in told.items():
            terminalreporter.line(f"{kit}, not applicable: {reason} ({', '.join(names)})")
        terminalreporter.line(f"checks: {self.counts()}")


def _told(report: pytest.TestReport, name: str) -> str | None:
    return next((str(value) for key, value in report.user_properties if key == name), None)
