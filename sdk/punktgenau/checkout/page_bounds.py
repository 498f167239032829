"""What a page may take on: whoever waits for it, and the server's other visitors, wait no longer."""

from __future__ import annotations

from punktgenau._clock import Clock

LINES_MAX = 5_000
SECONDS_MAX = 8


class PageBounds:
    """So many lines, and so many seconds from now on. What is told, and to whom, is for who counts."""

    def __init__(
        self, period: str, *, clock: Clock, most_lines: int = LINES_MAX, within_s: float = SECONDS_MAX
    ) -> None:
        self._period = period
        self._clock = clock
        self._most_lines = most_lines
        self._within_s = within_s
        self._ends = clock.monotonic() + within_s

    @property
    def is_over(self) -> bool:
        """Whether the seconds have passed."""
        return self._clock.monotonic() > self._ends
