"""The routes of statements: in pages as JSON, and whole as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from . import issued, statements
from .answering import reply
from .call import Call, Reply
from .clock import stamp
from .database import Work
from .openapi import STATEMENTS, Responses, answers
from .parameters import StatementPath, StatementQuery
from .replies_issued import IssuedLine, IssuedPage
from .replies_statements import StatementLine, StatementPage, StatementTotals
from .routes import Noun

CSV_PAGE = 500


def statement(call: Call, query: StatementQuery) -> Reply:
    """Lines of one month, oldest first."""
    partner_id, after = call.partner_id, int(query.cursor or 0)
    with call.work() as work:
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
                mode=call.provider.mode,
            )
        )


def issued_points(call: Call, query: StatementQuery) -> Reply:
    """Points that the partner gave out and that were redeemed anywhere in one month, oldest line first."""
    partner_id, after = call.partner_id, int(query.cursor or 0)
    with call.work() as work:
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
                mode=call.provider.mode,
            )
        )


def as_csv(call: Call, path: StatementPath) -> Reply:
    """The whole month as a file; however long, never more than a page of it is in memory."""
    return _file(call, f"statement-{path.period}", path.period, statements.lines, statements.totals, statements.COLUMNS)


def issued_as_csv(call: Call, path: StatementPath) -> Reply:
    """The same of the points that the partner gave out."""
    return _file(call, f"issued-{path.period}", path.period, issued.lines, issued.totals, issued.COLUMNS)


class _Lines(Protocol):
    """A page of lines after a sequence."""

    def __call__(
        self, work: Work, *, period: str, partner_id: str, after: int, limit: int
    ) -> Sequence[StatementLine | IssuedLine]: ...


def _file(
    call: Call, name: str, period: str, lines: _Lines, totals: Callable[..., StatementTotals], columns: Sequence[str]
) -> Reply:
    partner_id = call.partner_id

    def text() -> Iterator[str]:
        yield from statements.written_out(_pages(call, lines, period), columns)
        with call.work() as work:
            sums = totals(work, period=period, partner_id=partner_id)
            yield statements.total_rows(work, sums, period=period, partner_id=partner_id, columns=columns)

    said = Reply(200, {"Content-Type": "text/csv; charset=utf-8"}, text())
    return said.saying("Content-Disposition", f'attachment; filename="{name}.csv"')


def _pages(call: Call, lines: _Lines, period: str) -> Iterator[Sequence[StatementLine | IssuedLine]]:
    """One transaction each, so that others can book meanwhile; what they add is in it as well."""
    after = 0
    while True:
        with call.work() as work:
            page = lines(work, period=period, partner_id=call.partner_id, after=after, limit=CSV_PAGE)
        if not page:
            return
        yield page
        after = page[-1].sequence


_below = Noun("/v1/statements", STATEMENTS)
_WRITTEN: Responses = {
    **answers({}, 404),
    "200": {"description": "The whole statement, streamed", "content": {"text/csv": {"schema": {"type": "string"}}}},
}
ROUTES = (
    _below.get("", "statement", statement, answers({200: StatementPage})),
    _below.get("/<period>.csv", "statement_csv", as_csv, _WRITTEN),
    _below.get("/issued", "issued", issued_points, answers({200: IssuedPage})),
    _below.get("/issued/<period>.csv", "issued_csv", issued_as_csv, _WRITTEN),
)
