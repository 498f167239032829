"""What a CSV must not say: anything that a spreadsheet would take for a formula."""

from __future__ import annotations

Cell = str | int
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defused(cell: Cell) -> Cell:
    """A text that a spreadsheet shows and never runs; numbers are numbers."""
    if isinstance(cell, int):
        return cell
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) or cell.startswith(_FORMULA) else cell
