"""Moments as the journal keeps them: milliseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from punktgenau._clock import Clock


def moment(at_ms: int) -> datetime:
    """A moment of the journal."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def milliseconds(at: datetime) -> int:
    """The same for the journal; to the nearest, because a moment is kept in binary fractions of a second."""
    return round(at.timestamp() * 1000)


def now_ms(clock: Clock) -> int:
    """The injected clock's wall time, for the journal."""
    return milliseconds(clock.now())
