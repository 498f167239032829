"""`flask punktgenau tax-report`: redeemed points by the order that earned them and by VAT rate, as CSV."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

import click
from flask.cli import with_appcontext

from flask_punktgenau.cli_progress import bars
from flask_punktgenau.cli_reconcile import CouldNotError
from flask_punktgenau.differences import as_money
from flask_punktgenau.spreadsheets import BOM, written
from flask_punktgenau.state import current_state
from punktgenau.checkout import Checkout
from punktgenau.checkout.tax.report import TaxReport
from punktgenau.checkout.tax.written import table
from punktgenau.errors import PunktgenauError
from punktgenau.statement_files import read_issued

_LABELS = {"list": "Reading the list", "orders": "Looking up the orders"}


@click.command("tax-report")
@click.argument("period")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="The provider's list of redeemed points as CSV, in place of asking it.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write it there (else: to stdout)."
)
@with_appcontext
def tax_report(period: str, path: Path | None, out: Path | None) -> None:
    """Points that this shop gave out and that were redeemed anywhere in PERIOD (2026-11 or 2026-Q4, in UTC), as CSV.

    Each row is an order that earned some of them, at one VAT rate; what names no such order is "origin unknown". The
    head of the file says what is assumed. It is no tax advice. Exits with 1 if a line could not be read, 2 if it could
    not be made.
    """
    try:
        with _report(current_state().require(), period, path) as report:
            with _target(out) as file:
                for text in written(table(report)):
                    file.write(text)
            click.echo(_told(report), err=True)
            whole = report.is_whole
    except PunktgenauError as error:
        raise CouldNotError(str(error)) from error
    except OSError as error:
        raise CouldNotError(f"The report could not be written: {error.strerror}.") from error
    if not whole:
        raise SystemExit(1)


@contextmanager
def _report(checkout: Checkout, period: str, path: Path | None) -> Iterator[TaxReport]:
    with bars(_LABELS) as progress:
        made = _of_file(checkout, period, path, progress) if path else checkout.tax_report(period, progress=progress)
        with made as report:
            yield report


@contextmanager
def _of_file(
    checkout: Checkout, period: str, path: Path, progress: Callable[[str, int, int], None]
) -> Iterator[TaxReport]:
    with path.open("rb") as file:
        lines = read_issued(
            file, size_bytes=path.stat().st_size, progress=lambda done, total: progress("list", done, total)
        )
        with checkout.tax_report(period, lines, progress=progress) as report:
            yield report


def _target(out: Path | None) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdout) if out is None else _in_place_of(out)


@contextmanager
def _in_place_of(out: Path) -> Iterator[TextIO]:
    """A file that takes the place of `out` once it is whole; what stood there stays until then."""
    with NamedTemporaryFile("w", encoding="utf-8", newline="", dir=out.parent, delete=False) as file:
        made = Path(file.name)
        try:
            file.write(BOM)
            yield file  # type: ignore[misc]
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    made.replace(out)


def _told(report: TaxReport) -> str:
    lines = sum(one.lines for one in report.totals)
    worth = ", ".join(as_money(one.amount_minor, one.currency) for one in report.totals) or "nothing"
    points = sum(one.points for one in report.totals)
    unknown = sum(one.points for one in report.sums if one.vat_rate is None)
    whole = "" if report.is_whole else f" {report.broken:,} lines could not be read and are in no figure."
    more = " The period is not over, further lines may come." if report.is_provisional else ""
    return (
        f"{report.period.name}: {lines:,} lines, {points:,} points worth {worth}; "
        f"{unknown:,} points of unknown origin.{more}{whole} "
        "This is no tax advice."
    )
