"""A file as text: in which encoding it is, found in its bytes or told, and its lines, of bounded length."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO

from punktgenau.errors import InvalidArgumentError

LINE_MOST = 65_536
"""So many characters at most in one line."""
UNREADABLE = "\ufffd"
"""What stands where bytes mean nothing."""
_CHUNK = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "a workbook (.xlsx, .ods) or an archive; save the sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "a workbook (.xls); save the sheet as CSV UTF-8"),
    (b"\x1f\x8b", "compressed (.gz); unpack it first"),
    (b"%PDF", "a PDF; export a CSV file"),
)


def open_text(file: BinaryIO, *, told: str | None) -> tuple[TextIOWrapper, str]:
    """The text of a file from its beginning, and how it is encoded.

    What cannot be read stands as `UNREADABLE`. Raises InvalidArgumentError for an empty file, one that is no text, and
    an encoding that there is not, or that the file says it is not in.
    """
    file.seek(0)
    beginning = file.read(4_096)
    if not beginning.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        rest = any(chunk.strip(b" \t\r\n\x00") for chunk in iter(lambda: file.read(_CHUNK), b""))
        if not rest:
            raise InvalidArgumentError("The file is empty. Nothing was changed.", field="file")
    for mark, what in _NO_TEXT:
        if beginning.startswith(mark):
            raise InvalidArgumentError(f"The file is {what}. Nothing was changed.", field="file")
    marked = next((name for mark, name in _MARKS if beginning.startswith(mark)), None)
    encoding = _found(file, beginning, marked) if told is None else _told(told, marked)
    file.seek(0)
    return TextIOWrapper(file, encoding=encoding, errors="replace", newline=""), encoding


def _told(told: str, marked: str | None) -> str:
    try:
        name = codecs.lookup(told).name
        b"x".decode(name, "replace")
    except (LookupError, ValueError):
        raise InvalidArgumentError(
            f"There is no encoding {told!r}; such as utf-8, utf-16, cp1252. Nothing was changed.", field="encoding"
        ) from None
    if marked is None:
        return name
    family = marked.removesuffix("-sig")
    if not name.startswith(family):
        raise InvalidArgumentError(
            f"The file says by its first bytes that it is {family.upper()}, not {told}. Nothing was changed.",
            field="encoding",
        )
    return marked


def _found(file: BinaryIO, beginning: bytes, marked: str | None) -> str:
    if marked is not None:
        return marked
    before, behind = beginning[::2].count(0), beginning[1::2].count(0)
    # In UTF-16 letters of the alphabet have a zero byte before them, or behind them; in no other text is there one.
    if max(before, behind) > max(len(beginning) // 32, 4 * min(before, behind)):
        return "utf-16-be" if before > behind else "utf-16-le"
    return "utf-8" if _is_utf8(file) else "cp1252"


def _is_utf8(file: BinaryIO) -> bool:
    """Whether a file is meant as UTF-8: all of it is, or some of its letters can be nothing else."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    bad = good = 0
    while True:
        chunk = file.read(_CHUNK)
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            unreadable = text.count(UNREADABLE)
            bad += unreadable
            good += len(text) - len(text.encode("ascii", "ignore")) - unreadable
        if not chunk:
            return bad == 0 or good > 0


def lines(text: TextIOWrapper) -> Iterator[tuple[int, str]]:
    """Number and line, with its end; of one that is too long no more than it takes to say so."""
    number = 0
    while line := text.readline(LINE_MOST + 1):
        number += 1
        if len(line) > LINE_MOST:
            rest = line
            while rest and rest[-1] not in "\r\n":
                rest = text.readline(LINE_MOST + 1)
        yield number, line if number > 1 else line.removeprefix("\ufeff")


def why_unreadable(encoding: str) -> str:
    """Why a line has characters that cannot be read."""
    if encoding.startswith("utf-8"):
        return "has bytes that are not UTF-8; the file may be in another encoding (--encoding)"
    return f"has bytes that are no characters in {encoding}"
