"""Importing a list of articles: read and checked to the end, compared with the list that counts, and then all of it.

The file is read once; its lines wait, sorted, on disk, so a million of them take the memory of ten thousand.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import BinaryIO, get_args

from punktgenau._clock import Clock
from punktgenau._redact import logger
from punktgenau.checkout.articles.checks import Checks
from punktgenau.checkout.articles.csv_lines import CsvLines
from punktgenau.checkout.articles.editions import PIECE, Editions, Row
from punktgenau.checkout.articles.fields import shown
from punktgenau.checkout.articles.json_items import JsonItems
from punktgenau.checkout.articles.report import ArticleImport, Faults, FileFormat, Progress
from punktgenau.checkout.articles.staging import Staging, staging
from punktgenau.checkout.articles.text import open_text
from punktgenau.checkout.database import Database, Value
from punktgenau.errors import InvalidArgumentError, UnavailableError

TOLD_EVERY = 5_000
FEW = 10
"""Of a list that is shorter than this anything may be left out, and anything added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a file is to be read; None: found in the file. `is_currency`: which currencies there are.

    Not `may_drop`: it is not written if more than half of the list that counts would be removed by it.
    """

    format: FileFormat | None = None
    encoding: str | None = None
    delimiter: str | None = None
    zone: tzinfo = UTC
    is_currency: Callable[[str], bool] | None = None
    is_dry_run: bool = False
    may_drop: bool = True

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in get_args(FileFormat):
            raise InvalidArgumentError("format must be csv or json.", field="format")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InvalidArgumentError("delimiter must be one character, such as ; or ,.", field="delimiter")


def import_articles(
    file: BinaryIO, wanted: Wanted, *, database: Database, clock: Clock, progress: Progress | None = None
) -> ArticleImport:
    """Let a file's articles be the list that counts, if every line of it can be meant; else change nothing.

    Raises InvalidArgumentError for a file that is no list of articles, InProgressError while another import is at work,
    UnavailableError where the journal does not take it: the list before counts then.
    """
    editions = Editions(database, clock=clock)
    run = _Run(editions, wanted, progress or _nobody)
    if wanted.is_dry_run:
        return run.run(file)
    editions.take()
    try:
        return run.run(file)
    finally:
        try:
            editions.give_back()
        except UnavailableError as error:
            # It ends by itself; what was found out must not be hidden.
            logger.warning("the place of an import of articles could not be given back: %s", error.brief)


@dataclass(slots=True)
class _Change:
    """How a file compares with the list that counts."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0

    @property
    def is_any(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @property
    def before(self) -> int:
        """How many articles the list that counts has."""
        return self.removed + self.changed + self.unchanged

    @property
    def drops_most(self) -> bool:
        """Whether it looks like another file, or one that was cut off."""
        return self.before >= FEW and 2 * self.removed > self.before

    @property
    def grows_much(self) -> bool:
        """Whether the list more than doubles."""
        return self.before >= FEW and self.added - self.removed > self.before


@dataclass(slots=True)
class _Run:
    """One import on its way."""

    editions: Editions
    wanted: Wanted
    progress: Progress
    faults: Faults = field(default_factory=Faults)
    lines: int = 0

    def run(self, file: BinaryIO) -> ArticleImport:
        """Read, check, compare; write, unless something is wrong or nothing has changed."""
        if not self.wanted.is_dry_run:
            self.editions.clear(lambda done: self.told("clearing", done))
        with _seekable(file) as data, staging() as staged:
            report = self._read(data, staged)
            if self.lines == 0:
                raise InvalidArgumentError("The file holds no articles. Nothing was changed.", field="file")
            self.told("sorting", self.lines, self.lines)
            staged.sort()
            change = self._compare(staged, numbers=report.numbers)
            report = replace(report, lines=self.lines, bad=self.faults.bad, faults=self.faults.kept())
            if not report.is_good:
                return report
            is_held_back = change.drops_most and not self.wanted.may_drop
            if change.is_any and not (self.wanted.is_dry_run or is_held_back):
                self._write(staged)
        if change.grows_much:
            report = replace(report, notes=(*report.notes, _GROWS.format(before=change.before)))
        return replace(
            report,
            is_held_back=is_held_back,
            added=change.added,
            changed=change.changed,
            removed=change.removed,
            unchanged=change.unchanged,
        )

    def told(self, what: str, done: int, total: int = 0) -> None:
        """Tell how far it is, and the others that this import is alive."""
        if not self.wanted.is_dry_run:
            self.editions.keep()
        self.progress(what, done, total)

    def _read(self, data: BinaryIO, staged: Staging) -> ArticleImport:
        size_bytes = data.seek(0, 2)
        text, encoding = open_text(data, told=self.wanted.encoding)
        try:
            items = self._items(text, encoding)
            checks = Checks(zone=self.wanted.zone, is_currency=self.wanted.is_currency)
            for number, fields, why in items:
                self.lines += 1
                if self.lines % TOLD_EVERY == 0:
                    self.told("reading", data.tell(), size_bytes)
                if fields is None:
                    self.faults.add(number, [("", why)])
                    continue
                (sku, *values), found = checks.read(fields)
                if found:
                    self.faults.add(number, found)
                if sku and not any(name == "sku" for name, _ in found):
                    staged.add((sku, number, int(bool(found)), *values))
            self.told("reading", size_bytes, size_bytes)
        except UnicodeError as error:
            raise InvalidArgumentError(
                f"The file cannot be read as {encoding}. Nothing was changed.", field="encoding"
            ) from error
        finally:
            # The file is the caller's.
            text.detach()
        is_csv = isinstance(items, CsvLines)
        return ArticleImport(
            format="csv" if is_csv else "json",
            encoding=encoding,
            delimiter=items.delimiter if isinstance(items, CsvLines) else "",
            numbers="item" if isinstance(items, JsonItems) and items.is_array else "line",
            lines=0,
            bad=0,
            faults=(),
            not_read=tuple(items.not_read.names),
            notes=(_MAY_BE_CUT,) if isinstance(items, CsvLines) and items.ends_abruptly else (),
            is_dry_run=self.wanted.is_dry_run,
        )

    def _items(self, text: TextIOWrapper, encoding: str) -> CsvLines | JsonItems:
        wanted = self.wanted
        if wanted.format == "json" or (wanted.format is None and _looks_like_json(text)):
            return JsonItems(text, encoding=encoding)
        return CsvLines(text, encoding=encoding, delimiter=wanted.delimiter)

    def _compare(self, staged: Staging, *, numbers: str) -> _Change:
        """Find what stands there twice, and what differs from the list that counts: both are sorted by sku."""
        change = _Change()
        current = self.editions.current()
        before = next(current, None)
        last_sku: Value = ""
        last_number: Value = 0
        for done, (sku, number, is_bad, *values) in enumerate(staged.sorted(), start=1):
            if done % TOLD_EVERY == 0:
                self.told("comparing", done, self.lines)
            if sku == last_sku:
                reason = f"{shown(sku)} stands in {numbers} {last_number} already"
                self.faults.add(int(number or 0), [("sku", reason)], is_another=not is_bad)
                continue
            last_sku, last_number = sku, number
            while before is not None and str(before[0]) < str(sku):
                change.removed += 1
                before = next(current, None)
            if before is None or before[0] != sku:
                change.added += 1
                continue
            if tuple(before[1:]) == tuple(values):
                change.unchanged += 1
            else:
                change.changed += 1
            before = next(current, None)
        change.removed += (before is not None) + sum(1 for _ in current)
        return change

    def _write(self, staged: Staging) -> None:
        made = self.editions.begin()
        written = 0
        for piece in _pieces(staged.sorted()):
            self.editions.add(made, piece)
            written += len(piece)
            self.told("writing", written, self.lines)
        self.editions.name(made, articles=written)
        # From here on it counts; what is left to do is done by the next import, if not by this one.
        try:
            self.editions.clear(lambda done: self.told("clearing", done))
        except UnavailableError as error:
            logger.warning("articles that count no more are not cleared away yet: %s", error.brief)


_GROWS = "The list before had {before:,} articles; look whether this file is the right one."
_MAY_BE_CUT = "The last line does not end with a line break. If the file was cut off, its last value may be too short."


def _pieces(rows: Iterator[Row]) -> Iterator[list[Row]]:
    piece: list[Row] = []
    for sku, _, _, *values in rows:
        piece.append((sku, *values))
        if len(piece) == PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def _looks_like_json(text: TextIOWrapper) -> bool:
    beginning = text.read(1_024).lstrip("\ufeff \t\r\n")
    text.seek(0)
    return beginning[:1] in ("[", "{")


@contextmanager
def _seekable(file: BinaryIO) -> Iterator[BinaryIO]:
    """The file, or a copy of what comes through a pipe."""
    if file.seekable():
        yield file
        return
    with TemporaryFile(prefix="punktgenau-articles-") as copy:
        shutil.copyfileobj(file, copy)
        yield copy


def _nobody(_what: str, _done: int, _total: int) -> None:
    """Nobody wants to know."""
