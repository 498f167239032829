"""What a shop asks about clearing: reconcile a month, list what differs, and repair it by a person's decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from punktgenau._clock import Clock
from punktgenau.checkout.booking import window_of
from punktgenau.checkout.bookings import Bookings
from punktgenau.checkout.cart import Order
from punktgenau.checkout.database import Database
from punktgenau.checkout.difference import Difference, DifferenceState, Reconciled, difference_of
from punktgenau.checkout.differences import Differences
from punktgenau.checkout.earning.calls import EarningCalls
from punktgenau.checkout.findings import Findings
from punktgenau.checkout.order_check import OrderCheck
from punktgenau.checkout.reconcile import Progress, Reconciling
from punktgenau.checkout.repairs import Repairs
from punktgenau.checkout.settings import Settings
from punktgenau.errors import ConfigurationError
from punktgenau.provider import IssuedPort, Provider, StatementsProvider
from punktgenau.statement_records import BrokenLine, StatementLine

if TYPE_CHECKING:
    # Made once a month or less, by no process that serves customers.
    from punktgenau.checkout.tax.period import TaxPeriod
    from punktgenau.checkout.tax.report import TaxReport
    from punktgenau.issued_records import IssuedLine

GRACE_S = 2 * 86_400


class _Told:
    """Progress, which is told again whenever the shop is asked: whoever bounds a run may end it then."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._last = ("statement", 0, 0)

    def __call__(self, what: str, done: int, total: int) -> None:
        self._last = (what, done, total)
        self.again()

    def again(self) -> None:
        """How far it was when it was told last."""
        if self._progress is not None:
            self._progress(*self._last)


class Clearing(EarningCalls):
    """The part of `Checkout` that compares its journal with the provider's statements and the shop's orders."""

    settings: Settings
    order_loader: Callable[[str], Order | None] | None
    orders_loader: Callable[[datetime, datetime], Iterator[Order]] | None
    _provider: Provider
    _clock: Clock
    _database: Database
    _differences: Differences
    _repairs: Repairs

    def reconcile(
        self,
        period: str,
        statement: Iterable[StatementLine | BrokenLine] | None = None,
        *,
        grace_s: int = GRACE_S,
        progress: Progress | None = None,
        settles: bool = True,
    ) -> Reconciled:
        """Compare a month such as "2026-11" (UTC) with the journal and the orders; changes nothing but the list.

        `statement` None: the provider is asked for it. Bookings up to `grace_s` seconds from the month's end may stand
        on the next one. `settles` False: what `statement` does not show any more stays listed, as it may have been left
        out; only orders whose points are right by now are settled. Raises InvalidArgumentError; ConfigurationError
        where the provider issues no statements; NotSentError, UnavailableError and UnexpectedResponseError where it
        could not be read whole: the list stands as it was then.
        """
        told = _Told(progress)
        differences = self._differences
        begun = differences.now_ms()
        window = window_of(period, grace_s=grace_s, as_of_ms=begun)
        lines = self._lines(period, told) if statement is None else statement
        bookings = Bookings(self._database)
        findings = Findings(
            differences,
            bookings,
            period=period,
            seen_at=begun,
            order_loader=self.order_loader,
            asking=told.again,
            settles=settles,
        )
        run = Reconciling(bookings, findings, partner_id=self._provider.partner_id, window=window, progress=told)
        orders = 0
        try:
            run.run(lines)
            if self.orders_loader is not None:
                check = OrderCheck(
                    bookings,
                    findings,
                    orders_loader=self.orders_loader,
                    order_loader=self.order_loader,
                    progress=told,
                )
                orders = check.run(window)
        finally:
            # What was found before a run is ended stands in the list as well.
            findings.flush()
        if not (findings.broken_count or findings.is_full):
            differences.settle_unseen(period, window, before=begun, only_orders=not settles)
        begun_by_kind = Counter(differences.by_kind(period, state="repairing"))
        return Reconciled(
            period=period,
            lines=run.counted.lines,
            bookings=run.counted.bookings,
            orders=orders,
            matched=run.counted.matched,
            points_there=run.counted.points_there,
            points_here=run.counted.points_here,
            found=dict(findings.found),
            waiting=findings.waiting,
            broken=findings.broken_count,
            broken_lines=tuple(findings.broken_lines),
            open_by_kind=begun_by_kind + Counter(differences.by_kind(period, state="open")),
            repairing=begun_by_kind.total(),
        )

    def differences(self, *, state: DifferenceState = "open", period: str | None = None) -> Iterator[Difference]:
        """What statement, journal and orders do not agree about, of one month or all, by id; from the journal."""
        for row in self._differences.listed(state=state, period=period):
            yield difference_of(row)

    def difference(self, id: str) -> Difference | None:
        """One difference, by its id."""
        row = self._differences.find(id)
        return None if row is None else difference_of(row)

    def repair(self, id: str, *, by: str, because: str) -> Difference:
        """Do what is proposed, because somebody says so; who and why is kept. Done before: as it stands.

        A call that is needed goes the way of every other: `capture`, `cancel`, or a look-up whose answer is written
        down. Where the order has moved on since, nothing is done: it is open as before, with a note that says why. What
        somebody has begun and not ended is carried on. Raises InvalidArgumentError without a person or a reason;
        NotFoundError; StateConflictError for one that waits; NotSentError or UnavailableError where the provider could
        not be asked: it is open as before then.
        """
        return difference_of(self._repairs.repair(id, by=by, because=because))

    def dismiss(self, id: str, *, by: str, because: str) -> Difference:
        """Leave a difference as it is, because somebody says so; it is proposed again only with other figures.

        Raises as `repair`.
        """
        return difference_of(self._repairs.dismiss(id, by=by, because=because))

    def tax_report(
        self, period: str, lines: Iterable[IssuedLine | BrokenLine] | None = None, *, progress: Progress | None = None
    ) -> AbstractContextManager[TaxReport]:
        """Redeemed points that this shop gave out, by the order that earned them and by VAT rate, for a `with`.

        `period` is a month such as "2026-11" or a quarter such as "2026-Q4" (UTC). `lines` None: the provider is asked.
        Changes nothing. Raises InvalidArgumentError; ConfigurationError where the provider lists no such points; and
        NotSentError, UnavailableError and UnexpectedResponseError where the list could not be read whole.
        """
        from punktgenau.checkout.tax.earned import EarnedOrigins
        from punktgenau.checkout.tax.period import TaxPeriod
        from punktgenau.checkout.tax.report import tax_report

        span, now = TaxPeriod(period), self._clock.now()
        span.check_begun(now)
        return tax_report(
            span,
            self._issued(span, progress) if lines is None else lines,
            EarnedOrigins(self._earn_journal, self._journal, until=span.ends),
            partner_id=self._provider.partner_id,
            tax_mode=self.settings.tax_mode,
            made_at=now,
            progress=progress,
        )

    def _issued(self, period: TaxPeriod, progress: Progress | None) -> Iterator[IssuedLine]:
        statements = self._provider.statements if isinstance(self._provider, StatementsProvider) else None
        if not isinstance(statements, IssuedPort):
            raise ConfigurationError(
                "This provider does not list which of the shop's points were redeemed; give the file that it sends.",
                field="provider",
            )
        asked = (
            statements.issued(
                month,
                progress=lambda done, total: None if progress is None else progress("list", done, total),
                deadline_s=self.settings.worker_deadline_s,
            )
            for month in period.months
        )
        return chain.from_iterable(asked)

    def _lines(self, period: str, progress: Progress) -> Iterator[StatementLine]:
        provider = self._provider
        if not isinstance(provider, StatementsProvider):
            raise ConfigurationError(
                "This provider issues no statements that can be asked for; give the file that it sends.",
                field="provider",
            )
        return provider.statements.lines(
            period=period,
            progress=lambda done, total: progress("statement", done, total),
            deadline_s=self.settings.worker_deadline_s,
        )
