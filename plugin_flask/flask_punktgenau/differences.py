"""Differences as text for a terminal, as JSON, and as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal

from flask_punktgenau.formatting import exponent
from flask_punktgenau.spreadsheets import defused
from punktgenau.checkout.difference import Difference, Reconciled

KINDS = {
    "only_there": "only on the statement",
    "only_here": "only in the journal",
    "amount": "different amount",
    "period": "wrong period",
    "not_captured": "paid order, points never captured",
    "not_released": "cancelled order, points never given back",
    "double": "booked twice",
}
PROPOSALS = {
    "capture": "capture the points",
    "cancel": "give the points back",
    "look_up": "ask the provider, write its answer down",
    "claim": "have the provider correct it",
    "accept": "nothing moves; accept it",
}
NOTHING = "–"
_NAMES = tuple(field.name for field in fields(Difference))


def as_text(report: Reconciled, differences: Iterable[Difference]) -> Iterator[str]:
    """A table for people."""
    yield (
        f"{report.period}: {report.lines:,} lines of the statement compared, {report.bookings:,} bookings in the "
        f"journal, {report.orders:,} orders; {report.matched:,} agree."
    )
    yield f"Points by the statement {report.points_there:,}, by the journal {report.points_here:,}."
    for number, reason in report.broken_lines:
        # What is wrong with the whole is no line's fault.
        yield _plain(reason) if is_about_file(reason) else f"Line {number:,} could not be read: {_plain(reason)}"
    if report.broken > len(report.broken_lines):
        yield f"... and {report.broken - len(report.broken_lines):,} further lines."
    if report.waiting:
        yield f"{report.waiting:,} bookings near the end of the month may stand on the next statement."
    if not report.open:
        yield "No differences." if not report.broken else "No differences in what could be read."
        return
    yield ""
    rows = [("id", "order", "statement", "journal", "what")]
    for one in differences:
        rows.append((one.id, _order(one), _side(one, there=True), _side(one, there=False), KINDS[one.kind]))
        if len(rows) > 200:
            yield from _table(rows)
            rows = []
        begun = f"; its repair was begun by {_plain(one.actor)} and has not ended" if one.state == "repairing" else ""
        rows.append(("", "", "", "", f"{_plain(one.note)}; proposed: {proposed(one)}{begun}"))
    yield from _table(rows)
    yield ""
    counts = (f"{KINDS[kind]}: {count:,}" for kind, count in sorted(report.open_by_kind.items()) if kind in KINDS)
    yield f"{report.open:,} open. {'; '.join(counts)}"
    if report.repairing:
        yield f"{report.repairing:,} of them under repair: repair it again to carry it on, or dismiss it."
    yield "Repair one: flask punktgenau reconcile --repair ID --by WHO --because WHY (or --dismiss ID)"


def is_about_file(reason: str) -> bool:
    """Whether what could not be read is no line of the statement, but the statement as a whole."""
    return reason.startswith("The file ")


def proposed(one: Difference) -> str:
    """What is proposed; points that are gone can be neither taken nor corrected, so the order has to be decided."""
    if is_of_short_order(one):
        return "decide in the back office, at the order, who pays its missing points"
    return PROPOSALS[one.proposal]


def is_of_short_order(one: Difference) -> bool:
    """Whether it is about points that a paid order misses: the provider has nothing to correct."""
    return one.kind == "not_captured" and one.proposal == "claim"


def as_json(report: Reconciled, differences: Iterable[Difference]) -> Iterator[str]:
    """One JSON object, written as it comes."""
    head = {field.name: getattr(report, field.name) for field in fields(report) if field.name != "broken_lines"}
    head["open"] = report.open
    head["broken_lines"] = [{"number": number, "reason": reason} for number, reason in report.broken_lines]
    yield json.dumps(head, indent=1, default=_said)[:-2] + ',\n "differences": ['
    before = ""
    for one in differences:
        if before:
            yield f"  {before},"
        before = json.dumps({name: getattr(one, name) for name in _NAMES}, default=_said)
    if before:
        yield f"  {before}"
    yield " ]\n}"


def as_csv(report: Reconciled, differences: Iterable[Difference]) -> Iterator[str]:
    """Every open difference, one a line."""
    yield _row(_NAMES)
    for one in differences:
        yield _row([_cell(getattr(one, name)) for name in _NAMES])


def _row(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _cell(value: str | int | datetime | None) -> str:
    if isinstance(value, str):
        # What a stranger wrote on a statement must not be reckoned by whoever opens this.
        return str(defused(value))
    return "" if value is None else _said(value)


def _said(value: object) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def _order(one: Difference) -> str:
    return _plain(one.order_reference) + (f" ({one.order_state})" if one.order_state else "")


def _side(one: Difference, *, there: bool) -> str:
    points, minor, at, currency = (
        (one.there_points, one.there_minor, one.there_at, one.currency)
        if there
        else (one.here_points, one.here_minor, one.here_at, one.here_currency)
    )
    if points is None:
        return NOTHING
    worth = "" if minor is None else f" = {as_money(minor, currency)}"
    return f"{points:,}{worth}" + (f", {at:%d %b}" if at is not None else "")


def as_money(amount_minor: int, currency: str) -> str:
    """An amount for a terminal, such as 1,234.50 EUR."""
    digits = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-digits):,.{digits}f} {currency}"


def _plain(text: str) -> str:
    """One line without anything that a terminal would obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    for row in rows:
        if row[0]:
            cells = (cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True))
            yield "  ".join([*cells, row[4]]).rstrip()
        else:
            yield " " * (widths[0] + 2) + row[4]
