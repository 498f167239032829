"""The routes of statements: in pages as JSON, and whole as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Protocol

from flask import Response, g, stream_with_context
from flask_openapi3.blueprint import APIBlueprint

from . import issued, statements
from .answering import reply
from .clock import stamp
from .database import Work
from .openapi import NEEDS_TOKEN, STATEMENTS, answers
from .parameters import StatementPath, StatementQuery
from .replies_issued import IssuedLine, IssuedPage
from .replies_statements import StatementLine, StatementPage, StatementTotals
from .state import request_work, sandbox

CSV_PAGE = 500


@cache
def statement_routes() -> APIBlueprint:
    """Everything below /v1/statements."""
    api = APIBlueprint(
        "statements", __name__, url_prefix="/v1/statements", abp_tags=[STATEMENTS], abp_security=NEEDS_TOKEN
    )
    api.get("", operation_id="statement", responses=answers({200: StatementPage}))(statement)
    written = {"description": "The whole statement, streamed", "content": {"text/csv": {"schema": {"type": "string"}}}}
    api.get("/<period>.csv", operation_id="statement_csv", responses={**answers({}, 404), "200": written})(as_csv)
    api.get("/issued", operation_id="issued", responses=answers({200: IssuedPage}))(issued_points)
    api.get("/issued/<period>.csv", operation_id="issued_csv", responses={**answers({}, 404), "200": written})(
        issued_as_csv
    )
    return api


def statement(query: StatementQuery) -> Response:
    """Lines of one month, oldest first."""
    partner_id, after = g.partner_id, int(query.cursor or 0)
    with request_work() as work:
        rows = statements.lines(work, period=query.period, partner_id=partner_id, after=after, limit=query.limit + 1)
        page = rows[: query.limit]
        is_last = len(rows) == len(page)
        return reply(
            StatementPage(
                period=query.period,
                closed=statements.is_closed(work, query.period),
                lines=statements.count(work, period=query.period, partner_id=partner_id),
                items=page,
                totals=statements.totals(work, period=query.period, partner_id=partner_id) if is_last else None,
                next_cursor=None if is_last else str(page[-1].sequence),
                now=stamp(work.now),
                mode=sandbox().mode,
            )
        )


def issued_points(query: StatementQuery) -> Response:
    """Points that the partner gave out and that were redeemed anywhere in one month, oldest line first."""
    partner_id, after = g.partner_id, int(query.cursor or 0)
    with request_work() as work:
        rows = issued.lines(work, period=query.period, partner_id=partner_id, after=after, limit=query.limit + 1)
        page = rows[: query.limit]
        is_last = len(rows) == len(page)
        return reply(
            IssuedPage(
                period=query.period,
                closed=statements.is_closed(work, query.period),
                lines=issued.count(work, period=query.period, partner_id=partner_id),
                items=page,
                totals=issued.totals(work, period=query.period, partner_id=partner_id) if is_last else None,
                next_cursor=None if is_last else str(page[-1].sequence),
                now=stamp(work.now),
                mode=sandbox().mode,
            )
        )


def as_csv(path: StatementPath) -> Response:
    """The whole month as a file; however long, never more than a page of it is in memory."""
    return _file(f"statement-{path.period}", path.period, statements.lines, statements.totals, statements.COLUMNS)


def issued_as_csv(path: StatementPath) -> Response:
    """The same of the points that the partner gave out."""
    return _file(f"issued-{path.period}", path.period, issued.lines, issued.totals, issued.COLUMNS)


class _Lines(Protocol):
    """A page of lines after a sequence."""

    def __call__(
        self, work: Work, *, period: str, partner_id: str, after: int, limit: int
    ) -> Sequence[StatementLine | IssuedLine]: ...


def _file(
    name: str, period: str, lines: _Lines, totals: Callable[..., StatementTotals], columns: Sequence[str]
) -> Response:
    partner_id = g.partner_id

    def text() -> Iterator[str]:
        yield from statements.written_out(_pages(lines, period, partner_id), columns)
        with request_work() as work:
            sums = totals(work, period=period, partner_id=partner_id)
            yield statements.total_rows(work, sums, period=period, partner_id=partner_id, columns=columns)

    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(stream_with_context(text()), 200, headers, mimetype="text/csv")


def _pages(lines: _Lines, period: str, partner_id: str) -> Iterator[Sequence[StatementLine | IssuedLine]]:
    """One transaction each, so that others can book meanwhile; what they add is in it as well."""
    after = 0
    while True:
        with request_work() as work:
            page = lines(work, period=period, partner_id=partner_id, after=after, limit=CSV_PAGE)
        if not page:
            return
        yield page
        after = page[-1].sequence
