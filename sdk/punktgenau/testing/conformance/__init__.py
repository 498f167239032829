"""tbd"""

from punktgenau.testing.conformance.adapter import AdapterConformance
from punktgenau.testing.conformance.adapter_world import Operation
from punktgenau.testing.conformance.check import Check, ConformanceError, NotApplicableError, checks_of, not_applicable
from punktgenau.testing.conformance.counting import ConformanceCounts, counts

__all__ = [
    "AdapterConformance",
    "Check",
    "ConformanceCounts",
    "ConformanceError",
    "NotApplicableError",
    "Operation",
    "checks_of",
    "counts",
    "not_applicable",
]
