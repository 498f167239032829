"""CSV for spreadsheets: without anything that one would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

Cell = str | int
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""By it spreadsheets recognise UTF-8."""
_AT_ONCE = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defused(cell: Cell) -> Cell:
    """A text that a spreadsheet shows and never runs; numbers are numbers."""
    if isinstance(cell, int):
        return cell
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) or cell.startswith(_FORMULA) else cell


def written(rows: Iterable[list[Cell]]) -> Iterator[str]:
    """The rows as text, some at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for count, row in enumerate(rows, 1):
        writer.writerow([defused(cell) for cell in row])
        if count % _AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
