"""Adding up a statement while it is read, so that a part of it is never taken for the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from punktgenau.statement_records import StatementAmount

CURRENCIES_MAX = 200
"""There are fewer; a file that names more is no statement."""


class Counted(Protocol):
    """What can be added up."""

    @property
    def points(self) -> int:
        """Signed points."""
        ...

    @property
    def amount_minor(self) -> int:
        """Their worth, with the same sign."""
        ...

    @property
    def currency(self) -> str:
        """In which currency."""
        ...


class Totals:
    """Lines, points and amounts by currency, so far."""

    def __init__(self) -> None:
        self.lines = 0
        self._sums: dict[str, list[int]] = {}

    def add(self, line: Counted) -> None:
        """One more line."""
        self.lines += 1
        sums = self._sums.get(line.currency)
        if sums is None:
            if len(self._sums) >= CURRENCIES_MAX:
                return
            sums = self._sums[line.currency] = [0, 0, 0]
        sums[0] += 1
        sums[1] += line.points
        sums[2] += line.amount_minor

    def amounts(self) -> tuple[StatementAmount, ...]:
        """The sums by currency."""
        return tuple(
            StatementAmount(lines=lines, points=points, amount_minor=amount_minor, currency=currency)
            for currency, (lines, points, amount_minor) in sorted(self._sums.items())
        )

    def differ_from(self, said: Sequence[StatementAmount]) -> str | None:
        """The first difference to what a statement says of itself; None: it is complete."""
        read = {one.currency: one for one in self.amounts()}
        for one in said:
            mine = read.pop(one.currency, None) or StatementAmount(
                lines=0, points=0, amount_minor=0, currency=one.currency
            )
            if mine != one:
                return (
                    f"it says {one.lines} lines with {one.points} points and {one.amount_minor} {one.currency}, read "
                    f"were {mine.lines} with {mine.points} and {mine.amount_minor}"
                )
        if read:
            return f"its totals say nothing of {', '.join(sorted(read))}"
        return None
