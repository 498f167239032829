"""The noun statement: what the provider settles with the partner, month by month."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from punktgenau._arguments import text
from punktgenau._operation import Operation
from punktgenau._problem import about_something_else
from punktgenau._transport import Transport
from punktgenau.errors import InvalidArgumentError, UnexpectedResponseError
from punktgenau.issued_records import IssuedLine, IssuedPage
from punktgenau.statement_records import StatementLine, StatementPage, StatementTotals
from punktgenau.statement_totals import Totals

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""
_PERIOD = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def require_period(period: object) -> str:
    """A month such as "2026-11". Raises InvalidArgumentError."""
    if not isinstance(period, str) or not _PERIOD.fullmatch(period):
        raise InvalidArgumentError("period must be a month such as '2026-11'.", field="period")
    return period


LineT = TypeVar("LineT", bound=StatementLine | IssuedLine, covariant=True)


class _Page(Protocol[LineT]):
    """Some lines of a month."""

    @property
    def items(self) -> tuple[LineT, ...]: ...

    @property
    def lines(self) -> int: ...

    @property
    def next_cursor(self) -> str | None: ...

    @property
    def totals(self) -> StatementTotals | None: ...


PageT = TypeVar("PageT", StatementPage, IssuedPage)


class Statements:
    """`client.statements`: the partner's lines of a month, and the points that it gave out and that were redeemed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, *, period: str, cursor: str | None = None, deadline_s: float | None = None) -> StatementPage:
        """One page of a month such as "2026-11" (UTC), oldest lines first; `cursor` is the last page's `next_cursor`.

        Raises NotSentError or UnavailableError when there is no answer.
        """
        return self._page("statement", "/v1/statements", StatementPage, period, cursor, deadline_s)

    def lines(
        self, *, period: str, progress: Progress | None = None, deadline_s: float | None = None
    ) -> Iterator[StatementLine]:
        """Every line of a month, oldest first, however many: one page of them is in memory; `deadline_s` is per page.

        Raises UnexpectedResponseError at the end where the lines do not add up to the statement's own totals, or a
        number is missing among them; and what `page` raises.
        """
        return _lines(lambda cursor: self.page(period=period, cursor=cursor, deadline_s=deadline_s), progress)

    def issued_page(self, *, period: str, cursor: str | None = None, deadline_s: float | None = None) -> IssuedPage:
        """One page of the points that the partner gave out and that were redeemed anywhere in a month; as `page`."""
        return self._page("issued", "/v1/statements/issued", IssuedPage, period, cursor, deadline_s)

    def issued(
        self, period: str, *, progress: Progress | None = None, deadline_s: float | None = None
    ) -> Iterator[IssuedLine]:
        """Every line of the points that the partner gave out and that were redeemed anywhere in a month; as `lines`."""
        return _lines(lambda cursor: self.issued_page(period=period, cursor=cursor, deadline_s=deadline_s), progress)

    def _page(
        self, name: str, path: str, reply: type[PageT], period: str, cursor: str | None, deadline_s: float | None
    ) -> PageT:
        query = {"period": require_period(period)}
        if cursor is not None:
            query["cursor"] = text(cursor, field="cursor", most=255)
        operation = Operation(name=name, method="GET", path=f"{path}?{urlencode(query)}", reply=reply)
        answer = self._transport.call(operation, deadline_s=deadline_s)
        if answer.record.period != period:
            raise about_something_else(operation, "period", answer)
        return answer.record


def _lines(page_after: Callable[[str | None], _Page[LineT]], progress: Progress | None) -> Iterator[LineT]:
    totals = Totals()
    cursor: str | None = None
    while True:
        page = page_after(cursor)
        for line in page.items:
            totals.add(line)
            yield line
        if progress is not None:
            progress(totals.lines, max(page.lines, totals.lines))
        if page.next_cursor is None:
            break
        if page.next_cursor == cursor or not page.items:
            raise UnexpectedResponseError("statement: the pages lead nowhere. Nothing was changed.")
        cursor = page.next_cursor
    if page.totals is not None and (wrong := totals.differ_from(page.totals.amounts)):
        raise UnexpectedResponseError(f"statement: {wrong}. Nothing was changed; read it again.", field="totals")
