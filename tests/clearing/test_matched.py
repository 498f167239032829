"""Matching one redemption's lines with the journal's bookings; every expectation by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from punktgenau import InvalidArgumentError
from punktgenau.checkout.booking import Booking, window_of
from punktgenau.checkout.matched import GROUP_MAX, groups, match

DAY = 86_400
MOST = 10**15
"""No points and no amount are more; lines that are within it can add up to more."""
NOVEMBER = window_of("2026-11", grace_s=2 * DAY, as_of_ms=10**15)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def booking(id: str, points: int, **more: Any) -> Booking:
    values: dict[str, Any] = {
        "id": id, "kind": "capture" if points > 0 else "reversal", "at": ms("2026-11-15"), "points": points,
        "amount_minor": points, "currency": "EUR", "key": "k", "provider_id": "p", "order_reference": "A-1",
        "reference": "" if points > 0 else "R-1", **more,
    }  # fmt: skip
    return Booking(**values)


def told(lines: list[Booking], bookings: list[Booking]) -> dict[str, Any]:
    result = match(lines, bookings, NOVEMBER)
    return {
        "pairs": [(there.id, here.id) for there, here in result.pairs],
        "found": [(one.kind, one.there and one.there.id, one.here and one.here.id) for one in result.findings],
        "lines": [one.id for one in result.lines],
        "bookings": [one.id for one in result.bookings],
    }


L, H = booking("L", 427), booking("O", 427)
CASES: dict[str, tuple[list[Booking], list[Booking], dict[str, Any]]] = {
    "the same": ([L], [H], {"pairs": [("L", "O")]}),
    "worth not known here": ([L], [replace(H, amount_minor=None)], {"pairs": [("L", "O")]}),
    "fewer points there": ([replace(L, points=426)], [H], {"found": [("amount", "L", "O")]}),
    "other worth there": ([replace(L, amount_minor=426)], [H], {"found": [("amount", "L", "O")]}),
    "other currency": ([replace(L, currency="CHF")], [H], {"found": [("amount", "L", "O")]}),
    "dated in December": ([replace(L, at=ms("2026-12-01"))], [H], {"found": [("period", "L", "O")]}),
    "the last moment of the month": ([replace(L, at=ms("2026-11-30T23:59:59"))], [H], {"pairs": [("L", "O")]}),
    "booked here within the grace": ([L], [replace(H, at=ms("2026-10-30T00:00:00"))], {"pairs": [("L", "O")]}),
    "booked here before it": ([L], [replace(H, at=ms("2026-10-29T23:59:59"))], {"found": [("period", "L", "O")]}),
    "twice": ([L, booking("M", 427)], [H], {"pairs": [("L", "O")], "found": [("double", "M", "O")]}),
    "twice, and the first is the wrong one": (
        [replace(L, points=400, amount_minor=400), booking("M", 427)],
        [H],
        {"pairs": [("M", "O")], "found": [("double", "L", "O")]},
    ),
    "twice, one taken back": (
        [L, booking("M", 427), booking("C", -427, kind="correction", reference="", corrects="M")],
        [H],
        {"pairs": [("L", "O")]},
    ),
    "corrected to what it should be": (
        [booking("L", 500), booking("C", -73, kind="correction", corrects="L")],
        [H],
        {"pairs": [("L", "O")]},
    ),
    "corrected to something else": (
        [L, booking("C", -27, kind="correction", corrects="L")], [H], {"found": [("amount", "L", "O")]},
    ),
    "corrected in another currency": (
        [booking("L", 327), booking("C", 100, kind="correction", currency="JPY", corrects="L")],
        [H],
        {"found": [("amount", "L", "O")], "lines": ["C"]},
    ),
    "a pair that a correction in another currency is about": (
        [L, booking("C", 1, kind="correction", currency="JPY", corrects="L")], [H],
        {"pairs": [("L", "O")], "lines": ["C"]},
    ),
    "corrected to more than there can be": (
        [L, booking("C", 5, amount_minor=MOST, kind="correction", corrects="L")], [H],
        {"pairs": [("L", "O")], "lines": ["C"]},
    ),
    "corrected to less than there can be": (
        [booking("L", -10, amount_minor=-10), booking("C", -MOST, amount_minor=0, kind="correction", corrects="L")],
        [booking("O", -10)], {"pairs": [("L", "O")], "lines": ["C"]},
    ),
    "corrected to more, and that taken back": (
        [L, booking("C", 0, amount_minor=MOST, kind="correction", corrects="L"),
         booking("D", 0, amount_minor=-MOST, kind="correction", corrects="L")],
        [H], {"pairs": [("L", "O")]},
    ),
    "corrected by more than there can be, in many steps": (
        [L, *(booking(f"C{one}", 0, amount_minor=MOST, kind="correction", corrects="L") for one in range(3))],
        [H], {"pairs": [("L", "O")], "lines": ["C0", "C1", "C2"]},
    ),
    "a correction of a correction, of itself, and of nothing": (
        [L, booking("C", -27, kind="correction", corrects="L"), booking("D", 27, kind="correction", corrects="C"),
         booking("E", 27, kind="correction", corrects="E"), booking("F", 27, kind="correction")],
        [H], {"found": [("amount", "L", "O")], "lines": ["D", "E", "F"]},
    ),
    "a correction of an earlier statement": (
        [booking("C", -27, kind="correction", corrects="S")], [], {"lines": ["C"]},
    ),
    "two returns in another order": (
        [booking("L", -10, reference="R-2"), booking("M", -20)],
        [booking("O", -20), booking("P", -10, reference="R-2")],
        {"pairs": [("M", "O"), ("L", "P")]},
    ),
    "two returns of the same size, one lost": (
        [booking("L", -10)],
        [booking("O", -10), booking("P", -10, reference="R-2")],
        {"pairs": [("L", "O")], "bookings": ["P"]},
    ),
    "a return that nobody knows here": (
        [L, booking("M", -10)], [H], {"pairs": [("L", "O")], "lines": ["M"]},
    ),
    "a reference that was lost on the way": (
        [booking("L", -10, reference="")], [booking("O", -10)], {"pairs": [("L", "O")]},
    ),
    "shipments by their references": (
        [booking("L", 10, reference="S-2"), booking("M", 10, reference="S-1")],
        [booking("O", 10, reference="S-1"), booking("P", 10, reference="S-2")],
        {"pairs": [("M", "O"), ("L", "P")]},
    ),
    "only here": ([], [H], {"bookings": ["O"]}),
    "only there": ([L], [], {"lines": ["L"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_lines_and_bookings_of_one_redemption(name: str):
    lines, bookings, expected = CASES[name]
    empty: dict[str, Any] = {"pairs": [], "found": [], "lines": [], "bookings": []}
    assert told(lines, bookings) == empty | expected


def test_two_streams_are_merged_by_key():
    lines = [booking("L", 1, key="a"), booking("M", 1, key="c"), booking("N", 1, key="c")]
    bookings = [booking("O", 1, key="b"), booking("P", 1, key="c")]
    merged = [
        ([one.id for one in theirs], [one.id for one in mine])
        for theirs, mine in groups(iter(lines), iter(bookings), lambda one: one.key)
    ]
    assert merged == [(["L"], []), ([], ["O"]), (["M", "N"], ["P"])]


def test_a_key_a_million_times_is_never_held_at_once():
    lines = (booking(f"L{number}", 1) for number in range(3 * GROUP_MAX + 1))
    sizes = [(len(theirs), len(mine)) for theirs, mine in groups(lines, iter([H]), lambda one: one.key)]
    assert sizes == [(1000, 1), (1000, 0), (1000, 0), (1, 0)]


@pytest.mark.parametrize("period", ["2026-13", "2026-1", "26-11", "", "2026-11-01", "1999-12", "２０２６-11", None])
def test_what_is_no_month(period: Any):
    with pytest.raises(InvalidArgumentError):
        window_of(period, grace_s=0, as_of_ms=0)


def test_december_ends_with_the_year():
    window = window_of("2026-12", grace_s=0, as_of_ms=0)
    assert (window.since, window.until) == (ms("2026-12-01"), ms("2027-01-01"))
