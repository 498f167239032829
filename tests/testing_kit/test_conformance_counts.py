"""Checks that do not apply are counted apart: not as passed, and not as skipped."""

from __future__ import annotations

import pytest

from punktgenau.testing.conformance import AdapterConformance, checks_of

pytest_plugins = ["pytester"]

ADAPTER = """
import secrets
import pytest
from punktgenau import Client
from punktgenau.testing import ManualClock, fake_provider
from punktgenau.testing.conformance import AdapterConformance


class TestMyAdapter(AdapterConformance):
    @pytest.fixture(autouse=True)
    def _wired(self):
        with fake_provider(clock=ManualClock()) as self.fake:
            with Client(
                self.fake.url, client_id=self.fake.client_id, client_secret=self.fake.client_secret,
                clock=self.fake.clock,
            ) as self.client:
                yield

    def provider(self):
        return self.client

    def member(self, points):
        return self.fake.member(f"mbr_{secrets.token_hex(4)}", points)
"""
UNSUPPLIED = {
    "lose_answers": 5,
    "never_answer": 2,
    "answer_wrongly": 1,
    "go_away": 2,
    "withdraw_consent": 1,
    "advance": 1,
}
ALL = len(checks_of(AdapterConformance))
APPLY = ALL - sum(UNSUPPLIED.values())
CONFTEST = """
from punktgenau.testing.conformance import counts

def pytest_sessionfinish(session):
    counted = counts(session.config)
    reasons = sorted(set(counted.not_applicable.values()))
    (session.config.rootpath / "counted.txt").write_text(f"{counted}\\n{reasons}")
"""


def run(pytester: pytest.Pytester, *options: str, adapter: str = ADAPTER) -> pytest.RunResult:
    pytester.makepyfile(adapter)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_not_applicable_is_neither_passed_nor_skipped(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    result = run(pytester, "-v")
    result.stdout.fnmatch_lines(
        [
            "*::test_lost_void NOT APPLICABLE*",
            "not applicable: go_away is not supplied (*away_read*)",
            f"checks: {APPLY} passed, 0 failed, {ALL - APPLY} not applicable",
            f"*= {APPLY} passed, {ALL - APPLY} not applicable in *",
        ]
    )
    assert result.ret == 0
    counted, reasons = (pytester.path / "counted.txt").read_text().splitlines()
    assert counted == f"{APPLY} passed, 0 failed, {ALL - APPLY} not applicable"
    assert reasons == str(sorted(f"{name} is not supplied" for name in UNSUPPLIED))


def test_failed_check_says_what_to_do(pytester: pytest.Pytester) -> None:
    generous = """
    def member(self, points):
        return self.fake.member(f"mbr_{secrets.token_hex(4)}", points + 1)
"""
    result = run(pytester, "-k", "hold_all or hold_arithmetic", adapter=ADAPTER + generous)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*ConformanceError: available, held should be (1000, 0), and is (1001, 0).",
            "*to do: map the provider's spendable points to `available`.",
            "*check hold-arithmetic: Held points leave `available` and stand in `held`, and nowhere else.",
            "*why: balance and preview in the cart are read from it",
            "checks: 0 passed, 2 failed, 0 not applicable",
        ],
        consecutive=False,
    )


def test_adapter_without_its_two_functions_is_told_so(pytester: pytest.Pytester) -> None:
    adapter = """
from punktgenau.testing.conformance import AdapterConformance
class TestNothing(AdapterConformance):
    pass
"""
    result = run(pytester, "-k", "hold_all", adapter=adapter)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*NotImplementedError: supply member(points): the id of a new member*"])


def test_counted_apart_by_several_processes_too(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["punktgenau.testing.conformance.plugin"]')
    result = run(pytester, "-n", "2", "-k", "lost_void or away or hold_all")
    result.stdout.fnmatch_lines(["checks: 1 passed, 0 failed, 3 not applicable", "*= 1 passed, 3 not applicable in *"])


def test_every_check_says_what_it_looks_at_and_why() -> None:
    checks = checks_of(AdapterConformance)
    assert len(checks) >= 60
    assert [check.id for check in checks if not check.what.endswith(".") or "\n" in check.what or not check.why] == []
