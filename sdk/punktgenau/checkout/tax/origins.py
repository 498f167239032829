"""Which order earned an accrual's points, and what of it is taxed at which rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from punktgenau.checkout.tax.record import Origin


class Origins(Protocol):
    """Where the origins of accruals are found."""

    def of_orders(self, order_references: Sequence[str]) -> Mapping[str, tuple[Origin, ...]]:
        """What each of these orders has earned, one origin for each accrual; what is not known is left out."""
        ...
