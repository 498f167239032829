"""The doctor: looks at a shop's configuration, journal, provider, hooks and orders, and names what is missing.

Every finding says what to do; `examine` yields them as they are found, section by section.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Level = Literal["fine", "note", "warning", "broken"]
Section = Literal["configuration", "database", "provider", "webhooks", "worker", "loaders", "orders"]
Progress = Callable[[int], None]
"""Told how many orders have been looked at."""
ORDERS_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: `what` it is, and where something is to be done, the line in `fix`.

    `code` is stable; `count` is how many orders are concerned, `orders` the first hundred of them.
    """

    section: Section
    code: str
    level: Level
    what: str
    fix: str = ""
    count: int = 0
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which orders are looked at, by when they were placed, and what time it is."""

    since: datetime
    until: datetime
    now: datetime
    progress: Progress


class Sheet:
    """Writes findings of one section."""

    def __init__(self, section: Section) -> None:
        self._section = section

    def fine(self, code: str, what: str) -> Finding:
        """All is well."""
        return Finding(section=self._section, code=code, level="fine", what=what)

    def note(self, code: str, what: str, fix: str = "") -> Finding:
        """Good to know."""
        return Finding(section=self._section, code=code, level="note", what=what, fix=fix)

    def warning(self, code: str, what: str, fix: str = "") -> Finding:
        """It works, and something may go wrong."""
        return Finding(section=self._section, code=code, level="warning", what=what, fix=fix)

    def broken(self, code: str, what: str, fix: str = "") -> Finding:
        """It does not work."""
        return Finding(section=self._section, code=code, level="broken", what=what, fix=fix)


def exit_status(findings: list[Finding], *, strict: bool) -> int:
    """0: fine; 1: warnings, where those count; 2: something is broken."""
    levels = {finding.level for finding in findings}
    if "broken" in levels:
        return 2
    return 1 if strict and "warning" in levels else 0


def plural(count: int, one: str, many: str) -> str:
    """`1 order`, `2 orders`."""
    return f"{count:,} {one if count == 1 else many}"


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the one unit that says it."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return f"{plural(seconds // length, unit, unit + 's')} ago"
    return f"{plural(seconds, 'second', 'seconds')} ago"
