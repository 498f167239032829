"""`flask punktgenau import-articles`: the list of articles from a file, all of it or nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext
from iso4217 import Currency

from flask_punktgenau.cli_progress import bars
from flask_punktgenau.state import AppState, current_state
from punktgenau.checkout.articles import ArticleImport
from punktgenau.checkout.articles.report import FileFormat
from punktgenau.errors import PunktgenauError

PIPE = "-"
_LABELS = {
    "clearing": "Clearing away what counts no more",
    "reading": "Reading",
    "sorting": "Sorting",
    "comparing": "Comparing",
    "writing": "Writing",
}
_CURRENCIES = frozenset(currency.code for currency in Currency)
_TAB = {"tab": "\t", "\\t": "\t"}


class NotReadError(click.ClickException):
    """It could not be done at all; the exit status is another than that of bad lines."""

    exit_code = 2


@click.command("import-articles")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--format", "form", type=click.Choice(["csv", "json"]), help="How it is written (found in the file).")
@click.option("--encoding", metavar="NAME", help="Such as utf-8, utf-16, cp1252, gb18030 (found in the file).")
@click.option(
    "--delimiter", metavar="SIGN", help="Between the cells of a CSV file, such as ; or tab (found in its head)."
)
@click.option("--dry-run", is_flag=True, help="Check everything, and only say what would change.")
@click.option("--drop", is_flag=True, help="Read it even if more than half of the articles are removed by it.")
@with_appcontext
def import_articles(
    path: Path, form: FileFormat | None, encoding: str | None, delimiter: str | None, dry_run: bool, drop: bool
) -> None:
    """Read the list of articles from FILE (- for a pipe): what each earns, and costs, in points.

    The file is the whole list: articles that it does not name are removed. It is read if every line can be meant, else
    nothing changes, and every bad line is told with its number. Customers see the list before until the new one is
    there. The same file again changes nothing. One that would remove more than half of the list is
    held back, because it may be another file, or cut off: --drop says that it is meant.

    \b
    CSV with a head, or JSON (an array, or one article per line), with
      sku              the number of the article, as the cart has it
      points           what one unit earns; 0: nothing; empty: the rule for money
      price_points     what one unit costs in points
      copayment_minor  besides these, in the smallest unit (3000 is 30.00)
      currency         of the co-payment, such as EUR
      exclusive        yes: not sold for money alone
      valid_from       a day (2026-12-01) or a moment (2026-12-01T18:00+01:00)
      valid_until      the last day, or the moment from which it counts no more
    Other columns are not read. Days begin in PUNKTGENAU_TIMEZONE, else in UTC.

    Exits with 0 if the list counts now (or did already), 1 if lines are bad or it was held back, 2 if it could not be
    read.
    """
    state = current_state()
    try:
        report = _imported(
            state, path, form, encoding, _TAB.get(delimiter or "", delimiter), is_dry_run=dry_run, may_drop=drop
        )
    except PunktgenauError as error:
        raise NotReadError(error.message) from error
    for line in told(report):
        click.echo(line)
    if state.loaders.article is not None:
        click.echo("This shop has an article_loader, so it does not read this list.", err=True)
    if not report.is_good or report.is_held_back:
        raise SystemExit(1)


def _imported(
    state: AppState,
    path: Path,
    form: FileFormat | None,
    encoding: str | None,
    delimiter: str | None,
    *,
    is_dry_run: bool,
    may_drop: bool,
) -> ArticleImport:
    checkout = state.require()
    zone = state.config.timezone
    with _opened(path) as file, bars(_LABELS) as progress:
        return checkout.import_articles(
            file,
            format=form,
            encoding=encoding,
            delimiter=delimiter,
            zone=ZoneInfo(zone or "UTC"),
            is_currency=lambda code: code in _CURRENCIES,
            dry_run=is_dry_run,
            may_drop=may_drop,
            progress=progress,
        )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        if str(path) == PIPE:
            yield sys.stdin.buffer
        else:
            with path.open("rb") as file:
                yield file
    except OSError as error:
        # The file's own trouble, or no room to sort it.
        raise NotReadError(f"{error.filename or path}: {error.strerror}. Nothing was changed.") from error


def told(report: ArticleImport) -> Iterator[str]:
    """The report, line by line."""
    what = report.numbers.capitalize()
    for fault in report.faults:
        yield f"{what} {fault.number}: {fault.text}."
    file = f"{report.format.upper()} in {report.encoding.removesuffix('-sig').upper()}"
    if report.format == "csv":
        file += f", cells between {report.delimiter!r}"
    yield f"Read as {file}." + (f" Not read: {', '.join(report.not_read)}." if report.not_read else "")
    yield from report.notes
    if not report.is_good:
        shown = len({fault.number for fault in report.faults})
        more = f", the first {shown:,} are shown" if shown < report.bad else ""
        yield f"{report.bad:,} of {report.lines:,} {report.numbers}s are bad{more}. Nothing was changed."
        return
    figures = ((report.added, "new"), (report.changed, "changed"), (report.removed, "removed"))
    compared = ", ".join(f"{count:,} {name}" for count, name in (*figures, (report.unchanged, "as before")))
    if report.is_held_back:
        before = report.removed + report.changed + report.unchanged
        yield f"{report.lines:,} articles: {compared}. That would remove {report.removed:,} of {before:,}, over half."
        yield "Nothing was changed. If that is meant, run it again with --drop."
    elif report.changes_nothing:
        yield f"{report.lines:,} articles, all as before. Nothing was changed."
    elif report.is_dry_run:
        yield f"{report.lines:,} articles: {compared}. Nothing was changed; this was a dry run."
    else:
        yield f"{report.lines:,} articles: {compared}. They count from now on."
