"""Reading a statement from a CSV file: any length, one line in memory, what cannot be read is told with its number."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Generic, TypeVar

from pydantic import ValidationError

from punktgenau.errors import InvalidArgumentError
from punktgenau.issued_records import IssuedLine
from punktgenau.statement_records import BrokenLine, StatementAmount, StatementLine
from punktgenau.statement_totals import Totals
from punktgenau.statements import Progress

LINE_BYTES_MAX = 8_192
LineT = TypeVar("LineT", StatementLine, IssuedLine)
_WHOLE = re.compile(r"-?[0-9]{1,16}")
_TOLD_EVERY = 5_000


@dataclass(frozen=True, slots=True)
class _Form(Generic[LineT]):
    """What a file of such lines looks like: columns that it must have, and those where nothing stands for None."""

    record: type[LineT]
    required: tuple[str, ...]
    may_be_none: tuple[str, ...]
    whole: tuple[str, ...] = ("points", "amount_minor")
    whole_or_none: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.record.model_fields)


_STATEMENT = _Form(
    StatementLine,
    ("id", "kind", "at", "points", "amount_minor", "currency", "order_reference"),
    ("accrual_id", "voucher_id", "capture_reference", "return_reference", "corrects"),
)
_ISSUED = _Form(
    IssuedLine,
    ("id", "kind", "at", "points", "amount_minor", "currency", "accrual_id", "accrual_reference"),
    ("accrual_id", "accrual_reference", "order_reference", "redeemed_at"),
    whole_or_none=("redeemed_before",),
)


class _BrokenError(Exception):
    """Why a line is not a booking."""


def read_statement(
    file: BinaryIO, *, size_bytes: int = 0, progress: Progress | None = None
) -> Iterator[StatementLine | BrokenLine]:
    """The lines of a statement in CSV (UTF-8, a head, comma, semicolon or tab), those that are broken among them.

    `progress` is told bytes read and `size_bytes`. At the end the file is compared with its own totals: a BrokenLine
    says where it is not complete. Raises InvalidArgumentError for a file that is no statement: its head does not fit.
    """
    return _read(_STATEMENT, file, size_bytes, progress)


def read_issued(
    file: BinaryIO, *, size_bytes: int = 0, progress: Progress | None = None
) -> Iterator[IssuedLine | BrokenLine]:
    """The same of the points that the partner gave out and that were redeemed anywhere."""
    return _read(_ISSUED, file, size_bytes, progress)


def _read(
    form: _Form[LineT], file: BinaryIO, size_bytes: int, progress: Progress | None
) -> Iterator[LineT | BrokenLine]:
    lines = _physical(file)
    number, read_bytes, head = next(lines, (0, 0, b""))
    delimiter, names = _head(head, form)
    totals, said = Totals(), []
    for number, read_bytes, raw in lines:
        if progress is not None and number % _TOLD_EVERY == 0:
            progress(read_bytes, max(size_bytes, read_bytes))
        if not raw.strip():
            continue
        try:
            cells = _cells(raw, names, delimiter)
            if cells["kind"] == "total":
                said.append(_total(cells))
                continue
            line = _line(cells, form, sequence=totals.lines + 1)
        except _BrokenError as broken:
            yield BrokenLine(number=number, reason=str(broken))
            continue
        totals.add(line)
        yield line
    if progress is not None:
        progress(read_bytes, max(size_bytes, read_bytes))
    if not said:
        yield BrokenLine(number=number, reason="The file ends without its totals, so a part of it may be missing.")
    elif wrong := totals.differ_from(said):
        yield BrokenLine(number=number, reason=f"The file is not complete or was changed: {wrong}.")


def _physical(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Number, bytes read so far, and the line; of one that is too long no more than it takes to say so."""
    number = read_bytes = 0
    while raw := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        read_bytes += len(raw)
        rest = raw
        while len(rest) > LINE_BYTES_MAX and not rest.endswith(b"\n"):
            rest = file.readline(LINE_BYTES_MAX + 1)
            read_bytes += len(rest)
        yield number, read_bytes, raw


def _head(raw: bytes, form: _Form[LineT]) -> tuple[str, tuple[str, ...]]:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in raw:
        raise InvalidArgumentError("The file is UTF-16; a statement is UTF-8. Save it as CSV UTF-8.", field="file")
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip("\r\n")
    delimiter = max(",;\t", key=text.count)
    names = tuple(name.strip().strip('"') for name in text.split(delimiter))
    missing = [name for name in form.required if name not in names]
    if missing or len(set(names)) != len(names) or len(raw) > LINE_BYTES_MAX:
        what = f"its head lacks {', '.join(missing)}" if missing else "its head names a column twice"
        raise InvalidArgumentError(f"The file is not a statement: {what}. Nothing was compared.", field="file")
    return delimiter, names


def _cells(raw: bytes, names: tuple[str, ...], delimiter: str) -> Mapping[str, str]:
    if len(raw) > LINE_BYTES_MAX:
        raise _BrokenError(f"longer than {LINE_BYTES_MAX} bytes")
    try:
        text = raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _BrokenError("not UTF-8") from None
    if '"' in text:
        try:
            cells = next(csv.reader((text,), delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise _BrokenError(f"not CSV: {error}") from None
    else:
        cells = text.split(delimiter)
    if len(cells) != len(names):
        raise _BrokenError(f"{len(cells)} cells instead of {len(names)}")
    if not all(map(str.isprintable, cells)):
        raise _BrokenError("characters that cannot be printed")
    return dict(zip(names, cells, strict=True))


def _line(cells: Mapping[str, str], form: _Form[LineT], *, sequence: int) -> LineT:
    values: dict[str, object] = dict.fromkeys(form.columns, "")
    values |= {name: cells[name] for name in form.columns if name in cells}
    values |= {name: values[name] or None for name in form.may_be_none}
    values["sequence"] = _whole(cells, "sequence") if cells.get("sequence") else sequence
    values |= {name: _whole(cells, name) for name in form.whole}
    values |= {name: _whole(cells, name) if cells.get(name) else None for name in form.whole_or_none}
    try:
        values["at"] = datetime.fromisoformat(cells["at"])
    except ValueError:
        raise _BrokenError("at: not a moment such as 2026-11-22T10:00:00Z") from None
    try:
        line = form.record.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise _BrokenError(f"{field}: {said}" if field else said) from None
    if line.flaw is not None:
        raise _BrokenError(line.flaw)
    return line


def _total(cells: Mapping[str, str]) -> StatementAmount:
    try:
        return StatementAmount(
            lines=_whole(cells, "sequence"),
            points=_whole(cells, "points"),
            amount_minor=_whole(cells, "amount_minor"),
            currency=cells["currency"],
        )
    except ValidationError:
        raise _BrokenError("totals that cannot be read") from None


def _whole(cells: Mapping[str, str], name: str) -> int:
    text = cells.get(name, "")
    if not _WHOLE.fullmatch(text):
        raise _BrokenError(f"{name}: not a whole number")
    return int(text)
