"""Checks that do not apply are counted apart: not as passed, and not as skipped."""

from __future__ import annotations

import pytest

from punktgenau.testing.conformance import AdapterConformance, ShopConformance, checks_of

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
# Each needs a function that this adapter lacks; by hand: five lost, two deadlines, two away, one of each other.
SOME = "hold_all or lost or deadline or away or wrong_answer or consent or hold_expires"
COUNTED = "1 passed, 0 failed, 13 not applicable"
REASONS = ["advance", "answer_wrongly", "go_away", "lose_answers", "never_answer", "withdraw_consent"]
CONFTEST = """
from punktgenau.testing.conformance import counts

def pytest_sessionfinish(session):
    counted = counts(session.config)
    reasons = sorted(set(counted.not_applicable.values()))
    (session.config.rootpath / "counted.txt").write_text(f"{counted}\\n{reasons}")
"""


def run(pytester: pytest.Pytester, *options: str, adapter: str = ADAPTER) -> pytest.RunResult:
    pytester.makepyfile(adapter)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)


def test_not_applicable_is_neither_passed_nor_skipped(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    result = run(pytester, "-v", "-k", SOME)
    result.stdout.fnmatch_lines(
        [
            "*::test_lost_void NOT APPLICABLE*",
            "TestMyAdapter, not applicable: go_away is not supplied (*away_read*)",
            f"checks: {COUNTED}",
            "*= 1 passed, * 13 not applicable in *",
        ]
    )
    assert result.ret == 0
    counted, reasons = (pytester.path / "counted.txt").read_text().splitlines()
    assert counted == COUNTED
    assert reasons == str([f"{name} is not supplied" for name in REASONS])


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
    result = run(pytester, "-n", "1", "-k", "lost_void or away or hold_all")
    result.stdout.fnmatch_lines(["checks: 1 passed, 0 failed, 3 not applicable", "*= 1 passed, 3 not applicable in *"])


@pytest.mark.parametrize("kit", [AdapterConformance, ShopConformance])
def test_every_check_says_what_it_looks_at_and_why(kit: type) -> None:
    checks = checks_of(kit)
    assert {f"test_{check.id.replace('-', '_')}" for check in checks} == {
        name for name in dir(kit) if name[:5] == "test_"
    }
    assert [check.id for check in checks if not check.what.endswith(".") or "\n" in check.what or not check.why] == []
