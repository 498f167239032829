"""`flask punktgenau reconcile`: a month's statement beside the journal and the shop's orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import click
from flask.cli import with_appcontext

from flask_punktgenau.cli_progress import bars
from flask_punktgenau.differences import as_csv, as_json, as_text
from flask_punktgenau.state import current_state
from punktgenau.checkout import Checkout
from punktgenau.checkout.clearing import GRACE_S
from punktgenau.checkout.difference import DifferenceState, Reconciled
from punktgenau.checkout.office import Office
from punktgenau.errors import ConfigurationError, PunktgenauError
from punktgenau.statement_files import read_statement
from punktgenau.statement_records import BrokenLine, StatementLine

Format = Literal["text", "json", "csv"]
Lines = Iterator[StatementLine | BrokenLine]
Done = TypeVar("Done")
DAY_S = 86_400
BY_COMMAND = "flask punktgenau reconcile"
"""Who has compared, as the log and the console of the back office tell it."""
_BROKEN_BEFORE_MAX = 1_000
WAITING_STATES: tuple[DifferenceState, ...] = ("open", "repairing")
"""Differences that somebody has to do something about."""
_LABELS = {
    "statement": "Reading the statement",
    "journal": "Reading the journal",
    "matching": "Matching",
    "left": "Looking for what is left",
    "orders": "Looking at the orders",
}


class CouldNotError(click.ClickException):
    """It could not be done at all; the exit status is another than that of differences."""

    exit_code = 2


@click.command("reconcile")
@click.option("--period", metavar="MONTH", help="Such as 2026-11, in UTC (the file's, else the present one).")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A statement as CSV, in place of asking the provider; it settles nothing where that can be asked.",
)
@click.option("--grace-days", type=click.IntRange(0, 14), default=GRACE_S // DAY_S, help="At the month's end (2).")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", help="How it is told.")
@click.option("--repair", "repairs", multiple=True, metavar="ID", help="Do what is proposed about a difference.")
@click.option("--dismiss", "dismissals", multiple=True, metavar="ID", help="Leave a difference as it is.")
@click.option("--by", metavar="WHO", help="Who decides that; kept for ever.")
@click.option("--because", metavar="WHY", help="Why; kept for ever.")
@with_appcontext
def reconcile(
    period: str | None,
    path: Path | None,
    grace_days: int,
    form: Format,
    repairs: tuple[str, ...],
    dismissals: tuple[str, ...],
    by: str | None,
    because: str | None,
) -> None:
    """Compare statement, journal and orders of a month, row by row; nothing is repaired by itself.

    Exits with 0 if all agree, 1 if something differs (or is not repaired) or a line could not be read, 2 if it could
    not be done.
    """
    checkout = _able(current_state().require)
    if repairs or dismissals:
        if not by or not because:
            raise click.UsageError("--repair and --dismiss need --by WHO and --because WHY.")
        _decide(checkout, repairs, dismissals, by=by, because=because)
        return
    if by or because:
        raise click.UsageError("--by and --because belong to --repair or --dismiss.")
    report = _reconciled(checkout, period, path, grace_s=grace_days * DAY_S)
    tell = {"text": as_text, "json": as_json, "csv": as_csv}[form]
    listed = (checkout.differences(state=state, period=report.period) for state in WAITING_STATES)
    for line in tell(report, chain.from_iterable(listed)):
        click.echo(line)
    if not report.is_clean:
        raise SystemExit(1)


def _reconciled(checkout: Checkout, period: str | None, path: Path | None, *, grace_s: int) -> Reconciled:
    office = Office(checkout)
    with bars(_LABELS) as progress:
        if path is None:
            asked = period or f"{current_state().clock.now():%Y-%m}"
            return _able(lambda: office.reconcile(asked, actor=BY_COMMAND, grace_s=grace_s, progress=progress))
        with path.open("rb") as file:
            size = path.stat().st_size
            lines = _able(lambda: _opened(file, size, progress))
            month, lines = (period, lines) if period else _able(lambda: _month_of(lines))
            return _able(
                lambda: office.reconcile(
                    month or "", lines, actor=BY_COMMAND, file=path.name, grace_s=grace_s, progress=progress
                )
            )


def _opened(file: BinaryIO, size_bytes: int, progress: Callable[[str, int, int], None]) -> Lines:
    return read_statement(file, size_bytes=size_bytes, progress=lambda done, total: progress("statement", done, total))


def _month_of(lines: Lines) -> tuple[str, Lines]:
    """The month of a file, by its first booking; and all of its lines."""
    before: list[StatementLine | BrokenLine] = []
    for line in lines:
        before.append(line)
        if isinstance(line, StatementLine):
            return f"{line.at.astimezone(UTC):%Y-%m}", chain(before, lines)
        if len(before) >= _BROKEN_BEFORE_MAX:
            break
    raise ConfigurationError("The file does not say which month it is about; name it with --period.", field="period")


def _decide(
    checkout: Checkout, repairs: tuple[str, ...], dismissals: tuple[str, ...], *, by: str, because: str
) -> None:
    not_done = False
    for ids, decide in ((repairs, checkout.repair), (dismissals, checkout.dismiss)):
        for id in ids:
            try:
                before = checkout.difference(id)
                after = decide(id, by=by, because=because)
            except PunktgenauError as error:
                raise CouldNotError(str(error)) from error
            not_done |= after.state == "open"
            if before is not None and before.state not in WAITING_STATES:
                said = f"was {before.state} before" + (f" by {before.actor}: {before.reason}" if before.actor else "")
                click.echo(f"{id} {said}. Nothing was done now.")
            else:
                click.echo(f"{id} {after.state}: {after.result or after.proposal}")
    if not_done:
        raise SystemExit(1)


def _able(do: Callable[[], Done]) -> Done:
    try:
        return do()
    except PunktgenauError as error:
        raise CouldNotError(str(error)) from error
