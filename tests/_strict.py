"""With CI=true a skipped or xfailed test is a failed one: green means that everything ran."""

import os
from collections.abc import Generator

import pytest


def in_ci() -> bool:
    """Whether this is a run that nobody watches."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false", "no")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("punktgenau")
    group.addoption(
        "--forbid-skips",
        action="store_true",
        default=in_ci(),
        help="skipped or xfailed is failed (default with CI=true)",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    expected_failure = getattr(report, "wasxfail", None)
    if item.config.getoption("forbid_skips") and (report.skipped or expected_failure is not None):
        reason = expected_failure if expected_failure is not None else _reason(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"NOT RUN, which is a failure here (CI=true or --forbid-skips): {reason or 'xfail'}"
        if expected_failure is not None:
            del report.wasxfail
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if collector.config.getoption("forbid_skips") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid}: skipped as a whole, which is a failure here: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> str:
    return str(longrepr[-1]) if isinstance(longrepr, tuple) else str(longrepr)
