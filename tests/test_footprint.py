"""What a client costs before its first call: modules, memory, bytes. Exact, so it needs no clock."""

import sys

import pytest

from bench.footprint import (
    CORE_KB_MOST,
    FLOOR,
    MEMORY_MB_MOST,
    MODULES_MOST,
    NOT_WANTED,
    READY,
    Footprint,
    footprint,
    wheel,
)


@pytest.fixture(scope="module")
def floor() -> Footprint:
    """requests and the same records."""
    return footprint(FLOOR)


@pytest.fixture(scope="module")
def ready() -> Footprint:
    """A client that could send its first call."""
    return footprint(READY)


def test_a_ready_client_loads_little_more_than_what_it_stands_on(floor: Footprint, ready: Footprint) -> None:
    more = sorted(ready.modules - floor.modules)
    assert len(more) <= MODULES_MOST, more


def test_a_ready_client_loads_no_web_framework_no_database_no_sandbox(ready: Footprint) -> None:
    unwanted = [name for name in ready.modules if name in NOT_WANTED or name.startswith("punktgenau.sandbox")]
    assert unwanted == []


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux tells it")
def test_a_ready_client_takes_little_more_memory(floor: Footprint, ready: Footprint) -> None:
    more_mb = ready.memory_mb - floor.memory_mb
    assert more_mb <= MEMORY_MB_MOST, f"{more_mb:.2f} MB"


def test_client_and_engine_are_small() -> None:
    """As they stand in the wheel; extension, sandbox and test kit come along, and weigh more than that together."""
    assert wheel().core <= CORE_KB_MOST * 1000
