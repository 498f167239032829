"""A clock that a test moves by hand: one for the shop and its provider, so that nothing ever waits."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

_MICRO = 1_000_000


class ManualClock:
    """Time that moves only when it is told to; `sleep` moves it too. Give it to shop and provider alike.

    It begins at `start` (aware), left out: at the machine's present second. Fits wherever a `punktgenau.Clock` does.
    A thread that waits for another one moves the time of both.
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start must be an aware datetime, such as datetime(2026, 1, 15, 9, tzinfo=UTC)")
        self._start = (start or datetime.now(UTC).replace(microsecond=0)).astimezone(UTC)
        # Whole microseconds: many small steps still add up exactly.
        self._elapsed_us = 0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        with self._lock:
            return self._start + timedelta(microseconds=self._elapsed_us)

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        with self._lock:
            return self._elapsed_us / _MICRO

    def sleep(self, seconds: float) -> None:
        """Let so much time pass, at once."""
        self.advance(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        """Move forward. Raises ValueError for a step back."""
        if seconds < 0:
            raise ValueError("time moves forward only")
        with self._lock:
            self._elapsed_us += round(seconds * _MICRO)

    def random_bytes(self, length: int) -> bytes:
        """Unguessable bytes from the operating system."""
        return os.urandom(length)

    def __repr__(self) -> str:
        return f"ManualClock(now={self.now().isoformat()})"
