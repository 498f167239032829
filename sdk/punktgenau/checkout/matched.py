"""Matching what a statement and the journal say about the same redemption, row by row; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from punktgenau.checkout.booking import Booking, Window

DifferenceKind = Literal["only_there", "only_here", "amount", "period", "not_captured", "not_released", "double"]
GROUP_MAX = 1_000
"""No redemption has so many bookings; of a file that says so the rest is not held in memory at once."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement between statement and journal."""

    kind: DifferenceKind
    there: Booking | None
    here: Booking | None
    note: str = ""


@dataclass(slots=True)
class Matched:
    """What became of one group: pairs that agree, disagreements, and what has found nothing on the other side."""

    pairs: list[tuple[Booking, Booking]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lines: list[Booking] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)


def match(lines: Sequence[Booking], bookings: Sequence[Booking], window: Window) -> Matched:
    """Pair the lines and the journal's bookings of one redemption.

    By kind and reference first; then by kind and figures; at last what is left of the same kind of capture, whose
    amounts differ then. A second line of the same kind and reference was booked twice.
    """
    if len(lines) == 1 == len(bookings) and _same(lines[0], bookings[0], reference=True):
        return _agreed(lines[0], bookings[0], window)
    result = Matched()
    left = corrected(lines)
    open_bookings = list(bookings)
    seen: dict[tuple[str, str], Booking] = {}
    by_reference: list[Callable[[Booking, Booking], bool]] = [
        lambda line, booking: _same(line, booking, reference=True),
        lambda line, booking: (line.kind, line.reference) == (booking.kind, booking.reference),
        lambda line, booking: _same(line, booking, reference=False),
        lambda line, booking: line.kind == booking.kind == "capture",
    ]
    for fits in by_reference:
        for booking in list(open_bookings):
            # What a line has been found for already is no reason to pair a further one with something else.
            line = next((one for one in left if fits(one, booking) and (one.kind, one.reference) not in seen), None)
            if line is None:
                continue
            left.remove(line)
            open_bookings.remove(booking)
            seen[line.kind, line.reference] = booking
            one = _agreed(line, booking, window)
            result.pairs += one.pairs
            result.findings += one.findings
    for line in left:
        twin = seen.get((line.kind, line.reference))
        if twin is None:
            result.lines.append(line)
        else:
            result.findings.append(Finding("double", line, twin, "another line is about the same"))
    result.bookings = open_bookings
    return result


def corrected(lines: Sequence[Booking]) -> list[Booking]:
    """The lines as corrections among them leave them; what was taken back in whole is gone.

    A correction stands alone, and so agrees with nothing, where it is about no line here, is in another currency, or
    where all those of its line leave more than a line can say.
    """
    if not any(line.kind == "correction" for line in lines):
        return list(lines)
    by_id = {line.id: line for line in lines}
    changed = dict(by_id)
    for line in lines:
        if _fits(line, by_id):
            changed[line.corrects] = changed[line.corrects].plus(line)
    beyond = {id for id, line in changed.items() if not line.is_within_bounds}
    whole = [by_id[id] if id in beyond else line for id, line in changed.items() if line.kind != "correction"]
    alone = [
        line for line in lines if line.kind == "correction" and (line.corrects in beyond or not _fits(line, by_id))
    ]
    return [line for line in whole if not line.is_nothing] + alone


def groups(
    lines: Iterator[Booking], bookings: Iterator[Booking], by: Callable[[Booking], str]
) -> Iterator[tuple[list[Booking], list[Booking]]]:
    """Merge two streams that are in the order of `by`: the lines and bookings of each value.

    A group with more lines than `GROUP_MAX` comes in several parts, the bookings with the first.
    """
    line, booking = next(lines, None), next(bookings, None)
    while line is not None or booking is not None:
        if line is None or booking is None:
            value = by(line or booking)  # type: ignore[arg-type]
        else:
            value = min(by(line), by(booking))
        mine: list[Booking] = []
        while booking is not None and by(booking) == value:
            mine.append(booking)
            booking = next(bookings, None)
        theirs: list[Booking] = []
        while line is not None and by(line) == value:
            theirs.append(line)
            line = next(lines, None)
            if len(theirs) == GROUP_MAX:
                yield theirs, mine
                theirs, mine = [], []
        if theirs or mine:
            yield theirs, mine


def _agreed(line: Booking, booking: Booking, window: Window) -> Matched:
    finding = disagreement(line, booking, window)
    return Matched(pairs=[(line, booking)]) if finding is None else Matched(findings=[finding])


def disagreement(line: Booking, booking: Booking, window: Window) -> Finding | None:
    """In what a line and the booking that it is about differ, if in anything."""
    if line.currency != booking.currency:
        return Finding("amount", line, booking, f"{line.currency} there, {booking.currency} here")
    if line.points != booking.points:
        return Finding("amount", line, booking, f"{line.points} points there, {booking.points} here")
    if booking.amount_minor is not None and line.amount_minor != booking.amount_minor:
        return Finding("amount", line, booking, f"worth {line.amount_minor} there, {booking.amount_minor} here")
    if not window.is_of_month(line.at):
        return Finding("period", line, booking, "the line is dated in another month")
    if not window.is_near(booking.at):
        return Finding("period", line, booking, "booked here in another month")
    return None


def fits_figures(line: Booking, booking: Booking) -> bool:
    """Whether a line may be about a booking by its kind and points alone; a voucher's by its reference."""
    by_reference = not line.needs_reference or line.reference == booking.reference
    return (line.kind, line.points) == (booking.kind, booking.points) and by_reference


def _fits(line: Booking, by_id: Mapping[str, Booking]) -> bool:
    """Whether a line is a correction of one of these."""
    target = by_id.get(line.corrects) if line.kind == "correction" else None
    return target is not None and target.kind != "correction" and target.currency == line.currency


def _same(line: Booking, booking: Booking, *, reference: bool) -> bool:
    if (line.kind, line.points, line.currency) != (booking.kind, booking.points, booking.currency):
        return False
    if booking.amount_minor is not None and line.amount_minor != booking.amount_minor:
        return False
    return not (reference or line.needs_reference) or line.reference == booking.reference
