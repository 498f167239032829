"""tbd"""

from punktgenau.testing.conformance.adapter import AdapterConformance
from punktgenau.testing.conformance.adapter_world import Operation
from punktgenau.testing.conformance.behind_shop import BehindShop
from punktgenau.testing.conformance.check import Check, ConformanceError, NotApplicableError, checks_of, not_applicable
from punktgenau.testing.conformance.counting import ConformanceCounts, counts
from punktgenau.testing.conformance.shop import ShopConformance
from punktgenau.testing.conformance.shop_world import Card, NotPlacedError, ShopCart, ShopOrder, ShopProvider

__all__ = [
    "AdapterConformance",
    "BehindShop",
    "Card",
    "Check",
    "ConformanceCounts",
    "ConformanceError",
    "NotApplicableError",
    "NotPlacedError",
    "Operation",
    "ShopCart",
    "ShopConformance",
    "ShopOrder",
    "ShopProvider",
    "checks_of",
    "counts",
    "not_applicable",
]
