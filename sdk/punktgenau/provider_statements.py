"""The port's part that is about clearing: what a provider that issues statements offers besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    # Whoever reads no statements does not pay for their records.
    from punktgenau.issued_records import IssuedLine
    from punktgenau.statement_records import StatementLine


class StatementsPort(Protocol):
    """What reconciliation asks of a provider that issues statements."""

    def lines(
        self, *, period: str, progress: Callable[[int, int], None] | None = None, deadline_s: float | None = None
    ) -> Iterator[StatementLine]:
        """Every line of a month such as "2026-11", oldest first; `progress` is told how many of how many."""
        ...


@runtime_checkable
class IssuedPort(Protocol):
    """What a provider that lists the points which a partner gave out offers besides, on `statements`."""

    def issued(
        self, period: str, *, progress: Callable[[int, int], None] | None = None, deadline_s: float | None = None
    ) -> Iterator[IssuedLine]:
        """Every line of what was redeemed of them in a month such as "2026-11", oldest first; `progress` as above."""
        ...


@runtime_checkable
class StatementsProvider(Protocol):
    """A provider that issues statements; of one that does not, a file can be read."""

    @property
    def statements(self) -> StatementsPort:
        """The partner's lines of a month."""
        ...
