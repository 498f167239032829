"""The origins that the journal knows: what its orders have earned, by accrual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from punktgenau.checkout.database import Database
from punktgenau.checkout.tax.record import Origin


class EarnedOrigins:
    """Finds them, as they were at `until`: what came back later changes no earlier period."""

    def __init__(self, database: Database, *, until: datetime) -> None:
        self._database = database
        self._until = until

    def of_orders(self, order_references: Sequence[str]) -> Mapping[str, tuple[Origin, ...]]:
        """What each of these orders has earned, one origin for each accrual; what is not known is left out."""
        return {}
