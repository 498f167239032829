"""The sandbox's own time: the machine's clock, moved forward on request, or standing still for tests."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import lru_cache

MAX_ADVANCE_S = 400 * 86_400


class SandboxClock:
    """Whole UTC seconds. `advance` moves it forward; it never goes back."""

    def __init__(self, *, frozen_at: datetime | None = None, advanced_s: int = 0) -> None:
        """With `frozen_at` (aware) only `advance` moves the clock; otherwise the machine's clock runs underneath."""
        self._frozen_at = frozen_at
        self._advanced_s = advanced_s
        self._lock = threading.Lock()

    @property
    def advanced_s(self) -> int:
        """By how many seconds the clock was moved so far."""
        with self._lock:
            return self._advanced_s

    def now(self) -> datetime:
        """The sandbox's present moment, aware, UTC, without fractions of a second."""
        with self._lock:
            base = self._frozen_at or datetime.now(UTC)
            return (base + timedelta(seconds=self._advanced_s)).replace(microsecond=0)

    def advance(self, advance_s: int) -> datetime:
        """Move forward by `advance_s` seconds (0 or more) and say the new time. Raises ValueError for a step back."""
        if advance_s < 0:
            raise ValueError("the sandbox's clock moves forward only")
        with self._lock:
            self._advanced_s += advance_s
        return self.now()


def stamp(moment: datetime) -> str:
    """A moment as the wire and the database write it: UTC, whole seconds, `Z`. These texts sort like the moments."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


@lru_cache(maxsize=1024)
def moment(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
