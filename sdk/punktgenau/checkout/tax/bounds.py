"""What a page may take on of a tax report: whoever waits for it, and the server's other visitors, wait no longer."""

from __future__ import annotations

from punktgenau._clock import Clock
from punktgenau.errors import InvalidArgumentError

LINES_MAX = 5_000
SECONDS_MAX = 8


class ReportTooLongError(InvalidArgumentError):
    """More than a page may take on; `flask punktgenau tax-report` has no such bounds."""


class ReportBounds:
    """So many lines, and so many seconds from now on; told the progress, it ends what takes longer."""

    def __init__(
        self, period: str, *, clock: Clock, most_lines: int = LINES_MAX, within_s: float = SECONDS_MAX
    ) -> None:
        self._period = period
        self._clock = clock
        self._most_lines = most_lines
        self._within_s = within_s
        self._ends = clock.monotonic() + within_s

    def told(self, what: str, done: int, total: int) -> None:
        """How far it is. Raises ReportTooLongError where it takes more."""
        if what == "list" and max(done, total) > self._most_lines:
            raise ReportTooLongError(
                f"The list of {self._period} has more than {self._most_lines} lines, too many for a page.",
                field="period",
            )
        if self._clock.monotonic() > self._ends:
            raise ReportTooLongError(
                f"The report of {self._period} takes longer than {self._within_s:g} seconds, too long for a page.",
                field="period",
            )
