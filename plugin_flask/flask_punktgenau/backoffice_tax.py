"""The tax report in the back office: which orders earned what was redeemed, by VAT rate, and the same as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice

from babel.dates import format_skeleton
from babel.numbers import format_percent
from flask import request
from werkzeug import Response

from flask_punktgenau.backoffice_csv import csv_response
from flask_punktgenau.backoffice_gate import language, page, to
from flask_punktgenau.backoffice_language import OfficeLanguage
from flask_punktgenau.formatting import MINUS, babel_locale
from flask_punktgenau.state import current_state
from punktgenau.checkout.page_bounds import LINES_MAX
from punktgenau.checkout.tax.bounds import ReportBounds, ReportTooLongError
from punktgenau.checkout.tax.period import TaxPeriod
from punktgenau.checkout.tax.record import TaxRow, TaxSum, TaxTotal
from punktgenau.checkout.tax.report import TaxReport
from punktgenau.checkout.tax.written import table
from punktgenau.errors import InvalidArgumentError, PunktgenauError
from punktgenau.statement_records import BrokenLine

ROWS_SHOWN = 200
MONTHS, QUARTERS = 12, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxView:
    """One report as a page shows it: the first of its rows, and how many there are."""

    name: str
    is_provisional: bool
    lines: int
    totals: tuple[TaxTotal, ...]
    sums: tuple[TaxSum, ...]
    rows: tuple[TaxRow, ...]
    row_count: int
    unknown_points: int
    broken: int
    broken_lines: tuple[BrokenLine, ...]


def tax() -> Response:
    """The report of a month or quarter; without one only what it would show."""
    t, now = language(), current_state().clock.now()
    wanted = request.args.get("period", "")
    error: PunktgenauError | None = None
    view: TaxView | None = None
    try:
        if wanted:
            view = _view(TaxPeriod(wanted))
    except PunktgenauError as problem:
        error = problem
    months, quarters = periods(now)
    is_known = not isinstance(error, InvalidArgumentError) or isinstance(error, ReportTooLongError)
    return page(
        "tax.html",
        here="tax",
        error=error,
        view=view,
        period=wanted if is_known and wanted else months[1],
        months=[(one, _name(t, one)) for one in months],
        quarters=[(one, _name(t, one)) for one in quarters],
        other=(wanted, _name(t, wanted)) if wanted and is_known and wanted not in (*months, *quarters) else None,
        command=f"flask punktgenau tax-report {wanted}" if isinstance(error, ReportTooLongError) else "",
        csv=to("tax_csv", period=wanted) if view is not None else "",
        is_discount=current_state().require().settings.tax_mode == "discount",
        percent=lambda rate: _percent(t, rate),
        points=lambda number: f"{MINUS if number < 0 else ''}{t.points(abs(number))}",
        why=lambda reason: t.gettext(f"office.tax.{reason}"),
        most_lines=LINES_MAX,
    )


def tax_csv() -> Response:
    """The same numbers as CSV, every row, with its head and sums."""
    period = TaxPeriod(request.args.get("period", ""))
    with _made(period) as report:
        rows = list(table(report))
    return csv_response(f"tax-report-{period.name}.csv", rows)


def periods(now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The months and quarters to choose from, the present one first."""
    month = now.year * 12 + now.month - 1
    months = tuple(f"{one // 12}-{one % 12 + 1:02d}" for one in range(month, month - MONTHS - 1, -1))
    quarter = month // 3
    quarters = tuple(f"{one // 4}-Q{one % 4 + 1}" for one in range(quarter, quarter - QUARTERS, -1))
    return months, quarters


@contextmanager
def _made(period: TaxPeriod) -> Iterator[TaxReport]:
    bounds = ReportBounds(period.name, clock=current_state().clock)
    with current_state().require().tax_report(period.name, progress=bounds.told) as report:
        yield report


def _view(period: TaxPeriod) -> TaxView:
    with _made(period) as report:
        return TaxView(
            name=period.name,
            is_provisional=report.is_provisional,
            lines=sum(one.lines for one in report.totals),
            totals=report.totals,
            sums=report.sums,
            rows=tuple(islice(report.rows(), ROWS_SHOWN)),
            row_count=sum(one.rows for one in report.sums),
            unknown_points=sum(one.points for one in report.sums if one.vat_rate is None),
            broken=report.broken,
            broken_lines=report.broken_lines,
        )


def _name(t: OfficeLanguage, period: str) -> str:
    """A month or quarter by its name."""
    ends = TaxPeriod(period)
    first = date.fromisoformat(f"{ends.months[0]}-01")
    skeleton = "yMMMM" if len(ends.months) == 1 else "yQQQ"
    return str(format_skeleton(skeleton, first, locale=babel_locale(t.locale)))


def _percent(t: OfficeLanguage, rate: str) -> str:
    number = Decimal(rate) / 100
    return str(format_percent(number, locale=babel_locale(t.locale), decimal_quantization=False))
