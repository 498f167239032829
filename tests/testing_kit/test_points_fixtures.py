"""The fixtures for a shop's tests, brought in by a shop's conftest.py."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = 'pytest_plugins = ["punktgenau.testing.plugin"]\n'


def run(pytester: pytest.Pytester, source: str, *, conftest: str = CONFTEST) -> pytest.RunResult:
    pytester.makeconftest(conftest)
    pytester.makepyfile(source)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider")


def test_client_and_provider_share_one_clock(pytester: pytest.Pytester) -> None:
    source = """
import pytest
from punktgenau import UnavailableError
def test_shop(points_provider, points_client, points_clock):
    assert points_provider.clock is points_clock
    points_provider.faults.next("balance", "hang")
    with pytest.raises(UnavailableError):
        points_client.members.balance(member_id="mbr_42", deadline_s=5.0)
    assert 5.0 <= points_clock.monotonic() < 5.1
    assert points_client.members.balance(member_id="mbr_42").available == 42
"""
    run(pytester, source).assert_outcomes(passed=1)


def test_address_is_the_shops(pytester: pytest.Pytester) -> None:
    conftest = f"""
import pytest
{CONFTEST}
@pytest.fixture
def points_url():
    return "https://bonus.example/api"
"""
    source = """
def test_shop(points_provider, points_client):
    assert points_provider.url == "https://bonus.example/api"
    assert points_client.members.balance(member_id="mbr_42").available == 42
"""
    run(pytester, source, conftest=conftest).assert_outcomes(passed=1)


def test_each_test_has_a_provider_of_its_own(pytester: pytest.Pytester) -> None:
    source = """
import pytest
@pytest.mark.parametrize("turn", [1, 2])
def test_shop(points_provider, turn):
    assert points_provider.balance("mbr_42").available == 42
    points_provider.member("mbr_42", 7)
"""
    run(pytester, source).assert_outcomes(passed=2)


def test_books_that_do_not_balance_fail_the_test(pytester: pytest.Pytester) -> None:
    source = """
def test_shop(points_provider):
    with points_provider._state.work() as work:
        work.run("UPDATE account SET points = points + 1 WHERE kind = 'available'")
"""
    result = run(pytester, source)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the provider's books do not balance:*"])


def test_nobody_gets_the_fixtures_without_asking(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_shop(points_provider): pass", conftest="")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'points_provider' not found*"])
