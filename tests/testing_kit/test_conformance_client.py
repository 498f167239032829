"""The reference client passes every check of an adapter over TCP, with a sandbox's process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from examples._sandbox import running_sandbox

from _conformance_kits import OverTcp


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


class TestClientOverTcp(OverTcp):
    pass
