"""A clock moved by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from punktgenau import Clock
from punktgenau.testing import ManualClock

NINE = datetime(2026, 1, 15, 9, tzinfo=UTC)


def test_stands_still_until_it_is_moved() -> None:
    clock: Clock = ManualClock(NINE)
    assert (clock.now(), clock.monotonic()) == (NINE, 0.0)
    clock.sleep(1.5)
    assert (clock.now(), clock.monotonic()) == (NINE + timedelta(seconds=1.5), 1.5)


def test_many_small_steps_add_up_exactly() -> None:
    clock = ManualClock(NINE)
    for _ in range(1000):
        clock.advance(0.001)
    assert clock.monotonic() == 1.0


def test_never_goes_back() -> None:
    clock = ManualClock(NINE)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)
    clock.sleep(-1)
    assert clock.now() == NINE


def test_says_utc_whatever_it_was_given() -> None:
    berlin = timezone(timedelta(hours=1))
    assert ManualClock(datetime(2026, 1, 15, 10, tzinfo=berlin)).now().isoformat() == "2026-01-15T09:00:00+00:00"
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 1, 15, 10))


def test_begins_at_the_machines_time() -> None:
    assert abs(ManualClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_random_bytes_differ() -> None:
    clock = ManualClock(NINE)
    assert len(clock.random_bytes(16)) == 16
    assert clock.random_bytes(16) != clock.random_bytes(16)
