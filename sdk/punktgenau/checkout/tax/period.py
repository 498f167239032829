"""What a tax report is about: a month, or the three of a quarter; in UTC, as statements are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from punktgenau.errors import InvalidArgumentError

_PERIOD = re.compile(r"(20[0-9]{2})-(?:(0[1-9]|1[0-2])|Q([1-4]))")


@dataclass(frozen=True, slots=True)
class TaxPeriod:
    """A month such as "2026-11" or a quarter such as "2026-Q4". Raises InvalidArgumentError for anything else."""

    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _PERIOD.fullmatch(self.name):
            raise InvalidArgumentError("period must be a month such as '2026-11' or '2026-Q4'.", field="period")

    @property
    def months(self) -> tuple[str, ...]:
        """Its months, the first one first."""
        year, month, quarter = self.name[:4], self.name[5:], self.name[6:]
        first = 3 * int(quarter) - 2 if month.startswith("Q") else int(month)
        return tuple(f"{year}-{number:02d}" for number in range(first, first + (3 if month.startswith("Q") else 1)))

    def check_begun(self, now: datetime) -> None:
        """Raises InvalidArgumentError for a time that is still to come; a day is for clocks that differ."""
        year, month = (int(part) for part in self.months[0].split("-"))
        if datetime(year, month, 1, tzinfo=UTC) > now + timedelta(days=1):
            raise InvalidArgumentError(
                f"{self.name} has not begun yet, so nothing was redeemed in it. Nothing was made.", field="period"
            )

    @property
    def ends(self) -> datetime:
        """The first moment that is no part of it any more."""
        year, month = (int(part) for part in self.months[-1].split("-"))
        return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
