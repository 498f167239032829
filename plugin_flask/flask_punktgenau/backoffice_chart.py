"""The geometry of a chart: bars as rectangles, and the few words beside them; drawn as SVG by a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 160
_GAP = 0.28
_STEPS = (10, 12, 16, 20, 24, 30, 40, 50, 60, 80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One span: `whole` of the bar and its `part` at the foot, in the numbers that are shown, and where they stand."""

    name: str
    whole: int
    part: int
    x: float
    width: float
    whole_y: float
    whole_height: float
    part_y: float
    part_height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars from left to right, and lines across at round numbers; `ends` are the names below: first, middle, last."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[int, float], ...]
    ends: tuple[str, ...]
    top: int
    width: int = WIDTH
    height: int = HEIGHT


def chart(values: Sequence[tuple[str, int, int]]) -> Chart:
    """A chart of (name, whole, part) from left to right; `part` is drawn inside of `whole`."""
    top = _round_above(max((whole for _, whole, _ in values), default=0))
    slot = WIDTH / max(1, len(values))

    def tall(number: int) -> float:
        return round(HEIGHT * number / top, 2)

    bars = tuple(
        Bar(
            name=name,
            whole=whole,
            part=part,
            x=round(index * slot + slot * _GAP / 2, 2),
            width=round(slot * (1 - _GAP), 2),
            whole_y=HEIGHT - tall(whole),
            whole_height=tall(whole),
            part_y=HEIGHT - tall(part),
            part_height=tall(part),
        )
        for index, (name, whole, part) in enumerate(values)
    )
    marks = sorted({top, top // 2} - {0})
    names = [bar.name for bar in bars]
    ends = (names[0], names[len(names) // 2], names[-1]) if len(names) > 2 else tuple(names)
    return Chart(bars=bars, lines=tuple((mark, HEIGHT - tall(mark)) for mark in marks), ends=ends, top=top)


def _round_above(number: int) -> int:
    """The least round number that is not less; an even one, so that half of it is whole."""
    if number <= _STEPS[0]:
        return max(2, number + number % 2)
    size = 1
    while number > _STEPS[-1] * size:
        size *= 10
    return next(step * size for step in _STEPS if step * size >= number)
