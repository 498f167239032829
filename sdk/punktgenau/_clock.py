"""Time and chance, the only place where SDK and engine get them."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where time and randomness come from; injected everywhere, so that tests and the demo can move it."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait this long."""
        ...

    def random_bytes(self, length: int) -> bytes:
        """Unguessable bytes."""
        ...


class SystemClock:
    """The machine's own time and randomness."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait this long."""
        time.sleep(seconds)

    def random_bytes(self, length: int) -> bytes:
        """Unguessable bytes from the operating system."""
        return os.urandom(length)
