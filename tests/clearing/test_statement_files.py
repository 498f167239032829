"""Statements from files: what is read, what is told as broken, and how little of it is ever in memory."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest

from punktgenau import InvalidArgumentError
from punktgenau.statement_files import read_statement
from punktgenau.statement_records import BrokenLine, StatementLine

SAMPLE = (Path(__file__).parents[1] / "wire" / "statement.csv").read_bytes()
HEAD, CAPTURE, REVERSAL, TOTAL = SAMPLE.splitlines(keepends=True)


def read(data: bytes) -> list[StatementLine | BrokenLine]:
    return list(read_statement(io.BytesIO(data)))


def broken(data: bytes) -> list[tuple[int, str]]:
    return [(line.number, line.reason) for line in read(data) if isinstance(line, BrokenLine)]


def changed(old: bytes, new: bytes) -> bytes:
    """The sample with a broken first booking, and totals of what is left."""
    assert old in CAPTURE
    total = TOTAL.replace(b",2,total,", b",1,total,").replace(b",327,327,", b",-100,-100,")
    return HEAD + CAPTURE.replace(old, new, 1) + REVERSAL + total


def test_the_sample_is_read_as_it_stands():
    first, second = read(SAMPLE)
    assert isinstance(first, StatementLine)
    assert isinstance(second, StatementLine)
    assert (first.id, first.kind, first.points, first.amount_minor, first.currency) == (
        "stl_00000001", "capture", 427, 427, "EUR",
    )  # fmt: skip
    assert (first.idempotency_key, first.redemption_id, first.order_reference) == (
        "key-authorize-A-1001", "red_0001", "A-1001",
    )  # fmt: skip
    assert (second.kind, second.points, second.return_reference, second.capture_reference) == (
        "reversal", -100, "R-1", None,
    )  # fmt: skip
    assert first.at.isoformat() == "2026-11-22T10:00:00+00:00"


def test_other_spellings_of_csv_are_read_too():
    semicolons = SAMPLE.replace(b",", b";")
    marked = b"\xef\xbb\xbf" + SAMPLE.replace(b"\r\n", b"\n")
    quoted = HEAD + CAPTURE.replace(b",A-1001,", b',"A-1001",') + REVERSAL + TOTAL
    assert read(semicolons) == read(marked) == read(quoted) == read(SAMPLE)


KINDS = "'capture', 'reversal', 'accrual', 'accrual_reversal', 'voucher', 'voucher_reversal' or 'correction'"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b",427,427,", b",=1+1,427,", "points: not a whole number"),
        (b",427,427,", b",@SUM(A1),427,", "points: not a whole number"),
        (b",427,427,", b",427,4.27,", "amount_minor: not a whole number"),
        (b",427,427,", b',"4,27",427,', "points: not a whole number"),
        (b",427,427,", ",٤٢٧,427,".encode(), "points: not a whole number"),
        (b",427,427,", b",99999999999999999,427,", "points: not a whole number"),
        (b",427,427,", b",9999999999999999,427,", "points: Input should be less than or equal to 1000000000000000"),
        (b",427,427,", b",-427,-427,", "points of a capture have the other sign"),
        (b",427,427,", b",0,0,", "points of a capture have the other sign"),
        (b",EUR,", b",EURO,", "currency: String should match pattern '^[A-Z]{3}$'"),
        (b",EUR,", b",,", "currency: String should match pattern '^[A-Z]{3}$'"),
        (b",capture,", b",gift,", f"kind: Input should be {KINDS}"),
        (b"2026-11-22T10:00:00Z", b"22.11.2026", "at: not a moment such as 2026-11-22T10:00:00Z"),
        (b"2026-11-22T10:00:00Z", b"2026-11-22T10:00:00", "at: Input should have timezone info"),
        (b"stl_00000001,", b",", "id: String should have at least 1 character"),
        (b",red_0001,", b",", "16 cells instead of 17"),
        (b",A-1001,", b',"A-10"01,', "not CSV: ',' expected after '\"'"),
        (b",A-1001,", b",A-\xff1001,", "not UTF-8"),
        (b",A-1001,", b",A-\x1b[31m1001,", "characters that cannot be printed"),
        (b",A-1001,", b",A-\xe2\x80\xae1001,", "characters that cannot be printed"),
        (b",A-1001,", b"," + b"A" * 9_000 + b",", "longer than 8192 bytes"),
    ],
)
def test_a_broken_line_is_told_and_the_next_one_read(old: bytes, new: bytes, reason: str):
    data = changed(old, new)
    assert broken(data) == [(2, reason)]
    assert [line.id for line in read(data) if isinstance(line, StatementLine)] == ["stl_00000002"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (HEAD + CAPTURE + TOTAL, "The file is not complete or was changed: it says 2 lines"),
        (HEAD + CAPTURE.replace(b",427,427,", b",427,426,") + REVERSAL + TOTAL, "The file is not complete"),
        (HEAD + CAPTURE + REVERSAL, "The file ends without its totals"),
        (HEAD + CAPTURE + REVERSAL + TOTAL.replace(b",EUR,", b",CHF,"), "The file is not complete or was changed"),
    ],
)
def test_a_part_is_never_taken_for_the_whole(data: bytes, said: str):
    [(number, reason)] = broken(data)
    assert reason.startswith(said)
    assert number == len(data.splitlines())


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"hello\n", b"<html>\n", SAMPLE.decode().encode("utf-16"), HEAD.replace(b"points", b"punkte"),
        HEAD.replace(b"reason", b"id"), b"PK\x03\x04\x00\x00",
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused(data: bytes):
    with pytest.raises(InvalidArgumentError) as caught:
        read(data)
    assert caught.value.field == "file"


class Endless(io.RawIOBase):
    """A file of so many bytes that is never anywhere as a whole."""

    def __init__(self, size_bytes: int, line: bytes) -> None:
        self._left = size_bytes
        self._waiting = HEAD
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        if len(self._waiting) < len(buffer) and self._left > 0:
            more = self._line * (len(buffer) // len(self._line) + 1)
            self._waiting += more
            self._left -= len(more)
        size = min(len(buffer), len(self._waiting))
        buffer[:size] = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return size


@pytest.mark.parametrize("line", [CAPTURE, b"x" * 400_000, b'"' * 100_000 + b"\n", b" " * 200 + b"\n"])
def test_memory_does_not_grow_with_the_file(line: bytes):
    def most_bytes(size_bytes: int) -> int:
        tracemalloc.start()
        for _ in read_statement(io.BufferedReader(Endless(size_bytes, line)), size_bytes=10 * 2**30):  # type: ignore[type-var]
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    most_bytes(100_000)
    assert most_bytes(1_000_000) < most_bytes(250_000) + 200_000


def test_progress_tells_bytes():
    told: list[tuple[int, int]] = []
    data = HEAD + CAPTURE * 12_000 + TOTAL
    for _ in read_statement(io.BytesIO(data), size_bytes=len(data), progress=lambda *one: told.append(one)):
        pass
    assert len(told) == 3
    assert told[-1] == (len(data), len(data))
    assert told == sorted(told)
