"""What a part of the long run measured, and the page that keeps the last of it."""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

PAGE_HEAD = """\
# Reliability, measured

Written by `python3 tests --long`; a run of one part (`python3 tests --long kills`) replaces the section of that part.
A section says when and on what its part ended; a run that is stopped leaves the sections of what had not ended by then.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that has a target; `is_met` decides whether the run is well."""

    what: str
    measured: str
    target: str
    is_met: bool


@dataclass(slots=True)
class Report:
    """One section: figures first, then tables and notes that explain them."""

    part: str
    figures: list[Figure] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        """Whether every target was reached."""
        return bool(self.figures) and all(figure.is_met for figure in self.figures)

    def figure(self, what: str, measured: object, target: str, is_met: bool) -> None:
        """Add a number with its target."""
        self.figures.append(Figure(what=what, measured=str(measured), target=target, is_met=is_met))

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add a table below the figures."""
        self.blocks.append("\n".join(table_lines(heads, rows)))

    def note(self, text: str) -> None:
        """Add a sentence below the figures."""
        self.blocks.append(text)

    def lines(self) -> list[str]:
        """The section as Markdown, without its heading."""
        rows = [(one.what, one.measured, one.target, "yes" if one.is_met else "**NO**") for one in self.figures]
        lines = table_lines(("figure", "measured", "target", "met"), rows)
        for block in self.blocks:
            lines += ["", *block.splitlines()]
        return lines


def table_lines(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table whose columns stand below each other."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def machine() -> str:
    """What it ran on, without names of hosts or folders."""
    return (
        f"{_cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _cpu() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def keep(page: Path, part: str, lines: Sequence[str], *, order: Sequence[str]) -> None:
    """Put a section on the page, in place of the part's earlier one; sections stand in `order`."""
    sections: dict[str, str] = {}
    if page.is_file():
        for piece in re.split(r"^(?=## )", page.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            sections[piece.split("\n", 1)[0].removeprefix("## ").strip()] = piece.rstrip()
    stamp = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}"
    sections[part] = "\n".join([f"## {part}", "", stamp, "", *lines])
    names = [name for name in order if name in sections] + sorted(sections.keys() - set(order))
    page.write_text("\n".join([PAGE_HEAD, "\n\n".join(sections[name] for name in names), ""]), "utf-8")


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every part has."""
    # Told to end, a part still ends what it has started.
    signal.signal(signal.SIGTERM, _interrupt)
    made = argparse.ArgumentParser(description=description, allow_abbrev=False)
    made.add_argument("--report", type=Path, metavar="FILE", help="write the section here as Markdown")
    return made


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def ended(report: Report, file: Path | None) -> int:
    """Print the section, write it where that was asked for; 0 when every target was reached."""
    text = "\n".join(report.lines())
    sys.stdout.write(f"\n{text}\n")
    sys.stdout.flush()
    if file is not None:
        file.write_text(text, "utf-8")
    return 0 if report.is_met else 1


def say(text: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def hum(text: str) -> None:
    """Progress that the next of it may overwrite."""
    sys.stderr.write(f"{text}   \r")
    sys.stderr.flush()
