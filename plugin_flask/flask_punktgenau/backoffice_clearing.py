"""The reconciliation console: what statement, journal and orders do not agree about, and what a person decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from itertools import chain
from typing import BinaryIO, cast, get_args

from flask import request
from werkzeug import Response
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from flask_punktgenau.backoffice_gate import FILE_LENGTH_MAX, OFFICE, language, office, operator, page, to
from flask_punktgenau.backoffice_language import ToldError
from flask_punktgenau.differences import is_about_file, is_of_short_order
from flask_punktgenau.redirects import see_other
from flask_punktgenau.state import current_state
from punktgenau.checkout.difference import DifferenceState
from punktgenau.checkout.office_clearing import Bounds, TooLongError
from punktgenau.checkout.page_bounds import LINES_MAX
from punktgenau.errors import NotFoundError, PunktgenauError
from punktgenau.statement_files import read_statement
from punktgenau.statement_records import BrokenLine, StatementLine

PAGE = 50
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_ID = re.compile(r"[0-9a-f]{1,32}")
_AFTER = re.compile(r"(\d{4}-\d{2})\.([0-9a-f]{1,32})")


def clearing(*, error: PunktgenauError | None = None, command: str = "") -> Response:
    """Differences by state and month, a page at a time; `command` does what is too long for a page."""
    its, state = office(), _state()
    period = _period(request.args.get("period", ""))
    after = _AFTER.fullmatch(request.args.get("after", ""))
    found = its.differences(state=state, period=period, after=(after[1], after[2]) if after else None, most=PAGE + 1)
    shown = found[:PAGE]
    query = {"state": state} | ({"period": period} if period else {})
    last = f"{shown[-1].period}.{shown[-1].id}" if len(found) > PAGE else ""
    return page(
        "clearing.html",
        here="clearing",
        error=error,
        found=shown,
        is_short=is_of_short_order,
        is_about_file=is_about_file,
        states=get_args(DifferenceState),
        state=state,
        period=period,
        counts=its.difference_counts(),
        compared=its.last_compared(period),
        command=command,
        most_lines=LINES_MAX,
        this_month=f"{current_state().clock.now():%Y-%m}",
        older=to("clearing", **query, after=last) if last else "",
        newest=to("clearing", **query) if after else "",
    )


def compare() -> Response:
    """Compare a month, with the provider's statement or a file of it; the list is made anew, nothing is repaired."""
    period = request.form.get("period", "")
    file = request.files.get("statement")
    try:
        if not _MONTH.fullmatch(period):
            raise ToldError(language().gettext("A month is written as 2026-11."), field="period")
        lines = _lines_of(file, period) if file is not None and file.filename else None
        bounds = Bounds(period, clock=current_state().clock)
        name = (file.filename or "") if file is not None else ""
        office().reconcile(period, lines, actor=operator(), file=name, bounds=bounds)
    except TooLongError as error:
        return clearing(error=error, command=_command(period, with_file=file is not None and bool(file.filename)))
    except PunktgenauError as error:
        return clearing(error=error)
    return see_other(to("clearing", period=period, done="compare"))


def too_large(error: RequestEntityTooLarge) -> Response:
    """A file that no page takes; what else is too large is answered as anywhere."""
    if request.endpoint != f"{OFFICE}.compare":
        return error.get_response(request.environ)
    told = language().gettext("The file is larger than %(size)s MB, too large for a page.", size=FILE_LENGTH_MAX >> 20)
    return clearing(error=ToldError(told, field="statement"), command=_command("", with_file=True))


def _lines_of(file: FileStorage, period: str) -> Iterator[StatementLine | BrokenLine]:
    """The lines of an uploaded statement. Raises ToldError where it is about another month."""
    lines = read_statement(cast("BinaryIO", file.stream))
    before: list[StatementLine | BrokenLine] = []
    for line in lines:
        before.append(line)
        if isinstance(line, StatementLine):
            month = f"{line.at.astimezone(UTC):%Y-%m}"
            if month != period:
                told = language().gettext("The file is about %(file)s, not about %(month)s.", file=month, month=period)
                raise ToldError(told, field="statement")
            break
        if len(before) >= LINES_MAX:
            break
    return chain(before, lines)


def _command(period: str, *, with_file: bool) -> str:
    """What does the same without bounds."""
    month = f" --period {period}" if period else ""
    return f"flask punktgenau reconcile{month}{' --file STATEMENT.csv' if with_file else ''}"


def difference(difference_id: str, *, error: PunktgenauError | None = None) -> Response:
    """One difference, both sides beside each other, and what is proposed."""
    found = office().difference(difference_id) if _ID.fullmatch(difference_id) else None
    if found is None:
        return page("problem.html", here="clearing", error=NotFoundError("There is no such difference."))
    return page(
        "difference.html",
        here="clearing",
        error=error,
        one=found,
        is_short=is_of_short_order(found),
        entered=request.form,
    )


def decide(difference_id: str) -> Response:
    """Do what is proposed, or leave it as it is; with a reason."""
    its, reason = office(), request.form.get("reason", "")
    try:
        if request.form.get("as") == "repair":
            after = its.repair(difference_id, actor=operator(), reason=reason)
        elif request.form.get("as") == "dismiss":
            after = its.dismiss(difference_id, actor=operator(), reason=reason)
        else:
            raise ToldError(language().gettext("Choose what to do."), field="as")
    except PunktgenauError as error:
        return difference(difference_id, error=error)
    # One that is open again did not fit any more: the page says why, and nothing was done.
    told = {} if after.state == "open" else {"done": "decide"}
    return see_other(to("difference", difference_id=difference_id, **told))


def _state() -> DifferenceState:
    wanted = request.args.get("state", "open")
    states: tuple[DifferenceState, ...] = get_args(DifferenceState)
    return next((state for state in states if state == wanted), "open")


def _period(text: str) -> str:
    return text if _MONTH.fullmatch(text) else ""
