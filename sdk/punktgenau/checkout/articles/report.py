"""What an import came to: what is new, and every line that cannot be meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

SHOWN_MOST = 1_000
"""So many bad lines are kept to be shown; all of them are counted."""
FileFormat = Literal["csv", "json"]
Progress = Callable[[str, int, int], None]
"""What is done (reading, checking, comparing, writing, clearing), how much of it, of how much (0: not known)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFault:
    """What is wrong with one line, or with one item of a JSON array, counted from 1; `field` "" is the whole of it."""

    number: int
    field: str
    reason: str

    @property
    def text(self) -> str:
        """Field and reason, to stand behind the number."""
        return f"{self.field}: {self.reason}" if self.field else self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleImport:
    """What an import did, or with `is_dry_run` would do; with bad lines it did nothing.

    `numbers`: what a fault's number counts. `added`, `changed`, `removed` and `unchanged` compare with the list that
    held until now; they say nothing while lines are bad. `not_read`: columns that mean nothing here.
    """

    format: FileFormat
    encoding: str
    delimiter: str
    numbers: Literal["line", "item"]
    lines: int
    """All that were read, the bad ones among them, without head and empty lines."""
    bad: int
    faults: tuple[ArticleFault, ...]
    """Those of the first bad lines, by number."""
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    not_read: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What is to be thought about although nothing is wrong."""
    is_dry_run: bool = False
    is_held_back: bool = False
    """Not written, although every line can be meant: more than half of the list would go, and nobody said it may."""

    @property
    def is_good(self) -> bool:
        """Whether every line can be meant."""
        return self.bad == 0

    @property
    def changes_nothing(self) -> bool:
        """Whether the list was the same already."""
        return self.is_good and not (self.added or self.changed or self.removed)


class Faults:
    """Faults as they are found; those of the lowest numbers are kept, in bounded memory."""

    def __init__(self) -> None:
        self.bad = 0
        self._kept: list[ArticleFault] = []

    def add(self, number: int, faults: list[tuple[str, str]], *, is_another: bool = True) -> None:
        """Note what is wrong with a line; not `is_another`: the line is counted already."""
        self.bad += is_another
        self._kept += [ArticleFault(number=number, field=field, reason=reason) for field, reason in faults]
        if len(self._kept) > 2 * SHOWN_MOST:
            self._kept = list(self.kept())

    def kept(self) -> tuple[ArticleFault, ...]:
        """The first of them, by number."""
        return tuple(sorted(self._kept, key=_number)[:SHOWN_MOST])


def _number(fault: ArticleFault) -> int:
    return fault.number
