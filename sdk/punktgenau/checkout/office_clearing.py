"""Comparing a month for the back office: what a page may take on, and what the last comparison came to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, literal_column, select

from punktgenau.checkout.actions import Action
from punktgenau.checkout.clearing import GRACE_S
from punktgenau.checkout.difference import Difference, Reconciled
from punktgenau.checkout.office_basis import Basis
from punktgenau.checkout.page_bounds import PageBounds
from punktgenau.checkout.reconcile import Progress
from punktgenau.checkout.schema_returns import action
from punktgenau.checkout.statements import ours
from punktgenau.errors import InvalidArgumentError
from punktgenau.provider import StatementsProvider
from punktgenau.statement_records import BrokenLine, StatementLine

Lines = Iterable[StatementLine | BrokenLine]
BROKEN_TOLD = 20
FILE_NAME_MAX = 100
_REASON_MAX = 160
KIND = "reconcile"
BY_FILE = "reconcile_file"
Source = Literal["provider", "file"]
CUT = "reconcile_cut"
_a = action.c
# By the index of what was done to one redemption: a comparison is about none.
LAST = (
    select(action)
    .where(
        ours(action),
        _a.redemption_id.is_(None),
        _a.kind.in_([literal_column(f"'{KIND}'"), literal_column(f"'{BY_FILE}'")]),
        (bindparam("period") == "") | (_a.subject == bindparam("period")),
    )
    .order_by(_a.created_at.desc())
    .limit(literal_column("1"))
)


class TooLongError(InvalidArgumentError):
    """More than a page may take on; `flask punktgenau reconcile` has no such bounds."""


class CutShortError(TooLongError):
    """The time was over before the comparison was; what it had found by then stands in the list."""


class Bounds(PageBounds):
    """What one comparison may take: so many lines, and so many seconds from now on."""

    def told(self, what: str, done: int, total: int) -> None:
        """How far it is. Raises TooLongError where it will take too long, CutShortError where it has."""
        if what == "statement" and max(done, total) > self._most_lines:
            raise TooLongError(
                f"The statement of {self._period} has more than {self._most_lines} lines, too many for a page.",
                field="period",
            )
        if self.is_over:
            raise CutShortError(
                f"Comparing {self._period} took longer than {self._within_s:g} seconds, too long for a page. What was "
                "found so far stands in the list.",
                field="period",
            )

    def lines(self, statement: Lines) -> Iterator[StatementLine | BrokenLine]:
        """The same lines, no more of them than may be; what is said about their totals comes after the last."""
        for number, line in enumerate(statement):
            self.told("statement", number, 0)
            yield line


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the last comparison came to; `broken_lines` are the first that could not be read, with the reason.

    `source` None: nobody wrote down whose lines these were. `settles`: whether it settled what they did not show.
    """

    period: str
    actor: str
    at: datetime
    lines: int
    bookings: int
    matched: int
    open: int
    broken: int
    broken_lines: tuple[tuple[int, str], ...] = ()
    source: Source | None
    file: str
    settles: bool


class ClearingDeeds(Basis):
    """What a person may do about a month; who did, and why, is recorded."""

    def reconcile(
        self,
        period: str,
        statement: Lines | None = None,
        *,
        actor: str,
        file: str = "",
        bounds: Bounds | None = None,
        grace_s: int = GRACE_S,
        progress: Progress | None = None,
    ) -> Reconciled:
        """Compare a month with the provider's statement, or with the one given, called `file`; recorded with its name.

        Where the provider can be asked, a given one settles nothing: whoever chose it may have chosen what it shows.
        Raises as `Checkout.reconcile`, and TooLongError for more than `bounds` allow.
        """
        is_given = statement is not None
        settles = not (is_given and isinstance(self._checkout._provider, StatementsProvider))
        kind = BY_FILE if is_given else KIND
        whose: dict[str, str | int | None] = {"file": file_name(file)} if is_given else {}
        if bounds is not None:
            statement = None if statement is None else bounds.lines(statement)
            progress = bounds.told
        try:
            report = self._checkout.reconcile(period, statement, grace_s=grace_s, progress=progress, settles=settles)
        except CutShortError:
            self.actions.record(CUT, actor=actor, reason="", subject=period, detail=whose)
            raise
        told = [(number, reason[:_REASON_MAX]) for number, reason in report.broken_lines[:BROKEN_TOLD]]
        detail: dict[str, str | int | None] = {
            "lines": report.lines,
            "bookings": report.bookings,
            "matched": report.matched,
            "open": report.open,
            "broken": report.broken,
            "broken_lines": json.dumps(told),
            "source": "file" if is_given else "provider",
            "settles": int(settles),
            **whose,
        }
        self.actions.record(kind, actor=actor, reason="", subject=period, detail=detail)
        return report

    def last_compared(self, period: str = "") -> Compared | None:
        """The last comparison of a month, or of any; None: there was none."""
        found = self.actions.found(LAST, {"period": period})
        return _compared(found[0]) if found else None

    def repair(self, difference_id: str, *, actor: str, reason: str) -> Difference:
        """Do what is proposed; the engine records who and why. Raises what `Checkout.repair` raises."""
        return self._checkout.repair(difference_id, by=actor, because=reason)

    def dismiss(self, difference_id: str, *, actor: str, reason: str) -> Difference:
        """Leave a difference as it is; recorded likewise. Raises what `Checkout.dismiss` raises."""
        return self._checkout.dismiss(difference_id, by=actor, because=reason)


def _compared(one: Action) -> Compared:
    lines = json.loads(str(one.detail.get("broken_lines") or "[]"))
    return Compared(
        period=one.subject,
        actor=one.actor,
        at=one.at,
        lines=_count(one, "lines"),
        bookings=_count(one, "bookings"),
        matched=_count(one, "matched"),
        open=_count(one, "open"),
        broken=_count(one, "broken"),
        broken_lines=tuple((int(number), str(reason)) for number, reason in lines),
        source="file" if one.kind == BY_FILE else "provider" if one.detail.get("source") else None,
        file=str(one.detail.get("file") or ""),
        settles=one.detail.get("settles") != 0,
    )


def file_name(name: str) -> str:
    """The name as it can be shown: what cannot be printed is left out, and what is too long."""
    return "".join(filter(str.isprintable, name))[:FILE_NAME_MAX]


def _count(one: Action, name: str) -> int:
    return int(one.detail.get(name) or 0)
