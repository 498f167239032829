"""The reference client passes the adapter's checks: in process with the fake, and over TCP with a sandbox's process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from examples._sandbox import running_sandbox

from _conformance_kits import InProcess, OverTcp
from punktgenau.provider import ProviderProfile


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


class TestClientInProcess(InProcess):
    pass


class TestClientOverTcp(OverTcp):
    pass


class TestWithoutHolds(InProcess):
    """What takes points at once is asked for nothing that needs a hold."""

    profile_under_test = ProviderProfile(name="no holds", longest_hold_s=0)


class TestWithLittle(InProcess):
    """Neither look-up nor cancel-by-key, one capture, no extension, all or nothing back."""

    profile_under_test = ProviderProfile(
        name="little", lookup=frozenset(), cancel_by_key=False, extend=False, captures="one", partial_reversal=False
    )
