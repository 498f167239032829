"""The lines of a CSV file, whatever its delimiter: one in memory, and those that are broken among them."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping
from io import TextIOWrapper

from punktgenau.checkout.articles.fields import FIELDS, NAMES, NotRead, field_name, meant_by, shown
from punktgenau.checkout.articles.text import LINE_MOST, UNREADABLE, lines, why_unreadable
from punktgenau.errors import InvalidArgumentError

DELIMITERS = ",;\t|"
JOINED_MOST = 50
"""A text in quotation marks goes over so many lines at most."""
Item = tuple[int, Mapping[str, object] | None, str]
"""Number of the line, its values by field, and what is wrong with the whole of it."""


class CsvLines:
    """Iterates over the lines behind the head. Raises InvalidArgumentError for a head that names no articles."""

    def __init__(self, text: TextIOWrapper, *, encoding: str, delimiter: str | None) -> None:
        self._lines = lines(text)
        self._waiting: deque[tuple[int, str]] = deque()
        self._why_unreadable = why_unreadable(encoding)
        self.not_read = NotRead()
        self.ends_abruptly = False
        head = self._next()
        if head is not None and head[1].lower().startswith("sep=") and len(head[1].strip()) == 5:
            # What some spreadsheets write for themselves.
            delimiter = delimiter or head[1][4]
            head = self._next()
        while head is not None and not head[1].strip():
            head = self._next()
        self.delimiter, self._names = self._head("" if head is None else head[1], delimiter)

    def __iter__(self) -> Iterator[Item]:
        names, delimiter = self._names, self.delimiter
        while (found := self._next()) is not None:
            number, line = found
            if len(line) > LINE_MOST:
                yield number, None, f"longer than {LINE_MOST} characters"
                continue
            if UNREADABLE in line:
                yield number, None, self._why_unreadable
                continue
            if '"' in line:
                cells, why = self._quoted(number, line)
            else:
                cells, why = line.rstrip("\r\n").split(delimiter), ""
            if not why and len(cells) != len(names):
                if not any(cell.strip() for cell in cells):
                    continue
                why = self._wrong_width(cells)
            elif not why and not any(cells):
                continue
            yield number, None if why else dict(zip(names, cells, strict=True)), why

    def _next(self) -> tuple[int, str] | None:
        found = self._waiting.popleft() if self._waiting else next(self._lines, None)
        if found is not None:
            self.ends_abruptly = not found[1].endswith(("\r", "\n"))
        return found

    def _quoted(self, number: int, line: str) -> tuple[list[str], str]:
        """The cells of a line that has quotation marks; what stands in them may go on in the lines behind."""
        joined = [line]
        while True:
            try:
                return next(csv.reader(("".join(joined),), delimiter=self.delimiter, strict=True)), ""
            except csv.Error as error:
                why = str(error)
            more = self._next() if why == "unexpected end of data" and len(joined) < JOINED_MOST else None
            if more is None or sum(map(len, joined)) > LINE_MOST:
                break
            joined.append(more[1])
        # What was taken for its continuation is read by itself.
        self._waiting.extendleft(reversed([(number + place, one) for place, one in enumerate(joined[1:], start=1)]))
        if why == "unexpected end of data":
            return [], "a quotation mark that opens and never closes"
        return [], f"quotation marks that do not fit: {why}"

    def _wrong_width(self, cells: list[str]) -> str:
        names = self._names
        said = f"{len(cells)} cells instead of {len(names)}"
        if len(cells) < len(names) and self.ends_abruptly:
            return f"{said}, and the file ends within this line: a part of it is missing"
        return said if len(cells) < len(names) else f"{said}; a text with {shown(self.delimiter)} needs quotation marks"

    def _head(self, line: str, delimiter: str | None) -> tuple[str, tuple[str, ...]]:
        if UNREADABLE in line:
            raise InvalidArgumentError(f"The head {self._why_unreadable}. Nothing was changed.", field="encoding")
        if delimiter is None:
            delimiter = max(DELIMITERS, key=lambda sign: (len(set(_cells(line, sign)) & set(FIELDS)), line.count(sign)))
        names = _cells(line, delimiter)
        for name in names:
            if name and name not in FIELDS and (meant := meant_by(name)) is not None and meant not in names:
                raise InvalidArgumentError(
                    f"The head names a column {shown(name)}; is {meant} meant? Nothing was changed.", field="file"
                )
        twice = next((name for name in names if name in FIELDS and names.count(name) > 1), None)
        if twice is not None:
            raise InvalidArgumentError(f"The head names {twice} twice. Nothing was changed.", field="file")
        if "sku" not in names or len(set(names) & set(FIELDS)) < 2:
            lacks = "a column sku" if "sku" not in names else "any column beside sku"
            raise InvalidArgumentError(
                f"The file is no list of articles: its first line lacks {lacks}. Columns are {NAMES}; "
                f"found {shown(line.strip(), most=80)}. Nothing was changed.",
                field="file",
            )
        told = (cell.strip().strip('"') for cell in line.strip("\r\n").split(delimiter))
        self.not_read.add(cell for cell, name in zip(told, names, strict=True) if name and name not in FIELDS)
        return delimiter, names


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    return tuple(field_name(cell) for cell in line.strip("\r\n").split(delimiter))
