"""What a page may take on of a tax report."""

from __future__ import annotations

from punktgenau.checkout.page_bounds import PageBounds
from punktgenau.errors import InvalidArgumentError


class ReportTooLongError(InvalidArgumentError):
    """More than a page may take on; `flask punktgenau tax-report` has no such bounds."""


class ReportBounds(PageBounds):
    """So many lines, and so many seconds from now on; told the progress, it ends what takes longer."""

    def told(self, what: str, done: int, total: int) -> None:
        """How far it is. Raises ReportTooLongError where it takes more."""
        if what == "list" and max(done, total) > self._most_lines:
            raise ReportTooLongError(
                f"The list of {self._period} has more than {self._most_lines} lines, too many for a page.",
                field="period",
            )
        if self.is_over:
            raise ReportTooLongError(
                f"The report of {self._period} takes longer than {self._within_s:g} seconds, too long for a page.",
                field="period",
            )
