"""The articles of a JSON file, an array or one per line: one in memory, read piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from io import TextIOWrapper

from punktgenau.checkout.articles.csv_lines import Item
from punktgenau.checkout.articles.fields import FIELDS, NotRead, meant_by, shown
from punktgenau.checkout.articles.text import LINE_MOST, UNREADABLE, lines, why_unreadable
from punktgenau.errors import InvalidArgumentError

CHUNK = 65_536
ITEM_MOST = 65_536
"""So many characters at most in one article."""
_SPACE = " \t\r\n"
_TOKEN_MOST = 16


class _Twice(dict[str, object]):
    """An object that names something twice."""


def _object(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else _Twice(made)


def _no_number(text: str) -> object:
    return text


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)


class JsonItems:
    """Iterates over the articles. A broken array ends with the item that cannot be read."""

    def __init__(self, text: TextIOWrapper, *, encoding: str) -> None:
        self._text = text
        self._why_unreadable = why_unreadable(encoding)
        self.not_read = NotRead()
        self._buffer, self._at, self._line = "", 0, 1
        self._is_at_end = False
        self._peek()
        self.is_array = self._buffer.startswith("[", self._at)

    def __iter__(self) -> Iterator[Item]:
        return self._items() if self.is_array else self._per_line()

    # One article per line

    def _per_line(self) -> Iterator[Item]:
        self._text.seek(0)
        for number, line in lines(self._text):
            if not line.strip():
                continue
            if len(line) > LINE_MOST:
                yield number, None, f"longer than {LINE_MOST} characters"
                continue
            try:
                value, end = _DECODER.raw_decode(line, len(line) - len(line.lstrip()))
            except (ValueError, RecursionError) as error:
                why = f"not JSON: {_said(error)}"
                yield number, None, why if number > 1 else f"{why}; one article per line, or one array of all is read"
                continue
            if rest := line[end:].strip():
                yield number, None, f"more than one article on a line, from character {line.index(rest, end) + 1} on"
                continue
            yield self._item(number, value, line)

    # One array

    def _items(self) -> Iterator[Item]:
        self._at += 1
        number = 0
        sign = self._peek()
        if sign == "]":
            raise InvalidArgumentError("The file holds no articles. Nothing was changed.", field="file")
        while True:
            number += 1
            start = self._line
            try:
                value, length = self._decoded()
            except (ValueError, RecursionError) as error:
                yield number, None, self._why_broken(error, start)
                return
            raw = self._buffer[self._at : self._at + length]
            yield self._item(number, value, raw)
            self._line += raw.count("\n")
            self._at += length
            sign = self._peek()
            if sign == "]":
                break
            if sign != ",":
                yield number + 1, None, self._why_not_next(sign)
                return
            self._at += 1
            self._peek()
        self._at += 1
        if rest := self._peek():
            yield number + 1, None, f"{shown(rest)} behind the end of the array (line {self._line})"

    def _decoded(self) -> tuple[object, int]:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
                # A number may go on behind what is known of it.
                if end < len(self._buffer) or self._is_at_end:
                    return value, end - self._at
            except json.JSONDecodeError as error:
                if self._is_at_end or len(self._buffer) - self._at > ITEM_MOST or not self._may_go_on(error):
                    raise
            self._more()

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Whether it is only the end of what was read so far that is wrong: a text, a word or a number that goes on."""
        return error.msg.startswith("Unterminated") or error.pos > len(self._buffer) - _TOKEN_MOST

    def _peek(self) -> str:
        """The next sign that is no space; "" at the end."""
        while True:
            while self._at < len(self._buffer):
                sign = self._buffer[self._at]
                if sign == "\n":
                    self._line += 1
                elif sign not in _SPACE and sign != "\ufeff":
                    return sign
                self._at += 1
            if self._is_at_end:
                return ""
            self._more()

    def _more(self) -> None:
        chunk = self._text.read(CHUNK)
        self._is_at_end = not chunk
        self._buffer, self._at = self._buffer[self._at :] + chunk, 0

    def _why_broken(self, error: Exception, start: int) -> str:
        if not isinstance(error, json.JSONDecodeError):
            return f"not JSON: {_said(error)} (line {start}); nothing behind it was read"
        if self._may_go_on(error):
            if self._is_at_end:
                return f"the file ends within it (line {start}): a part of it is missing"
            return f"longer than {ITEM_MOST} characters (line {start}); nothing behind it was read"
        line = start + self._buffer.count("\n", self._at, error.pos)
        return f"not JSON: {_said(error)} (line {line}); nothing behind it was read"

    def _why_not_next(self, sign: str) -> str:
        if not sign:
            return f"the file ends without the end of its array (line {self._line}): a part of it is missing"
        return f"a comma or the end of the array is expected, not {shown(sign)} (line {self._line})"

    # Either

    def _item(self, number: int, value: object, raw: str) -> Item:
        if UNREADABLE in raw:
            return number, None, self._why_unreadable
        if not isinstance(value, dict):
            return number, None, f"not an article in braces: {shown(value)}"
        if isinstance(value, _Twice):
            return number, None, "names a field twice"
        others = value.keys() - set(FIELDS)
        if others:
            for name in sorted(others):
                if (meant := meant_by(name)) is not None and meant not in value:
                    return number, None, f"there is no field {shown(name)}; is {meant} meant?"
            self.not_read.add(sorted(others))
        return number, value, ""


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg[:1].lower() + error.msg[1:]
    return "too deep" if isinstance(error, RecursionError) else "a number that is too long"
