"""Measuring side by side: blocks of calls in turn, in one process; CPU time; the median of neighbours' ratios."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

Call = Callable[[], object]
SAME_LEAST, SAME_MOST = 0.90, 1.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `met` is None where a line has no target of its own."""

    figure: str
    what: str
    ours: str
    beside: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the other one's cost, with the quartiles over the blocks."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f})"


def in_turn(
    calls: Mapping[str, Call], *, size: int, rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, list[float]]:
    """Microseconds per call of each, block by block; every second round goes the other way, so that drift cancels."""
    names = list(calls)
    for name in names:
        _block(calls[name], size, clock)
    spent: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 else reversed(names):
            spent[name].append(_block(calls[name], size, clock))
    return spent


def _block(call: Call, size: int, clock: Callable[[], float]) -> float:
    begun = clock()
    for _ in range(size):
        call()
    return (clock() - begun) / size * 1e6


def ratio(ours: list[float], beside: list[float]) -> Ratio:
    """Block by block with its neighbour, then the middle one."""
    each = [one / other for one, other in zip(ours, beside, strict=True)]
    low, _, high = quantiles(each, n=4)
    return Ratio(median(each), low, high)


def microseconds(spent: list[float]) -> str:
    """The middle block, to be read by people."""
    return f"{median(spent):,.0f} µs"


def compared(
    figure: str,
    what: str,
    spent: Mapping[str, list[float]],
    *,
    most: float | None,
    beside: str = "floor",
    ours: str = "ours",
) -> Row:
    """A row of CPU times with its target; None: it is only told."""
    found = ratio(spent[ours], spent[beside])
    return Row(
        figure=figure,
        what=what,
        ours=microseconds(spent[ours]),
        beside=microseconds(spent[beside]),
        ratio=str(found),
        target=f"<= {most:.2f}" if most is not None else "",
        met=found.middle <= most if most is not None else None,
    )


def same(figure: str, spent: Mapping[str, list[float]], *, floor: str = "floor", again: str = "again") -> Row:
    """The floor against itself: what the run can be trusted with."""
    found = ratio(spent[again], spent[floor])
    return Row(
        figure=figure,
        what="A/A: the floor against itself",
        ours=microseconds(spent[again]),
        beside=microseconds(spent[floor]),
        ratio=str(found),
        target="1.00 ± 0.10",
        met=SAME_LEAST <= found.middle <= SAME_MOST,
    )


def counted(figure: str, what: str, found: float, *, most: float, unit: str = "", exactly: bool = False) -> Row:
    """A row that needs no clock."""
    return Row(
        figure=figure,
        what=what,
        ours=f"{found:,.4g} {unit}".strip() if isinstance(found, float) else f"{found:,} {unit}".strip(),
        target=f"{'exactly' if exactly else '<='} {most:,} {unit}".strip(),
        met=found == most if exactly else found <= most,
    )
