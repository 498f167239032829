"""The origins that the journal knows: what its orders have earned, and what of that was kept at the period's end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from punktgenau.checkout.books import Books
from punktgenau.checkout.earning.journal import EarnJournal
from punktgenau.checkout.earning.reckon import Basis, by_line, kept_money
from punktgenau.checkout.earning.schema import EarningRow
from punktgenau.checkout.earning.standing import basis_of_row, is_cancelled, kept_of
from punktgenau.checkout.moments import milliseconds, moment
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.rows import RedemptionRow
from punktgenau.checkout.tax.record import Origin, RateShare


class _Then:
    """The journal without the returns that came later; and without a cancellation, where that came later as well."""

    def __init__(self, journal: OrderJournal, *, until_ms: int, was_cancelled: bool) -> None:
        self._journal = journal
        self._until_ms = until_ms
        self._was_cancelled = was_cancelled

    def latest(self, order_reference: str) -> RedemptionRow | None:
        """The newest attempt of an order."""
        row = self._journal.latest(order_reference)
        if row is None or self._was_cancelled or not is_cancelled(row):
            return row
        return replace(row, release_cause=None)

    def books(self, redemption_id: str) -> Books:
        """One redemption with what had come back by then."""
        books = self._journal.books(redemption_id)
        return replace(books, returns=tuple(one for one in books.returns if one.created_at < self._until_ms))


class EarnedOrigins:
    """Finds them, as they were before `until`: what came back later changes no earlier period."""

    def __init__(self, earned: EarnJournal, journal: OrderJournal, *, until: datetime) -> None:
        self._earned = earned
        self._journal = journal
        self._until_ms = milliseconds(until)

    def of_orders(self, order_references: Sequence[str]) -> Mapping[str, tuple[Origin, ...]]:
        """What each of these orders has earned, one origin for each accrual; what is not known is left out."""
        return {
            reference: tuple(self._origin(row) for row in rows)
            for reference in order_references
            if (rows := self._earned.of_order(reference))
        }

    def _origin(self, row: EarningRow) -> Origin:
        basis = basis_of_row(row)
        came_back = [one for one in self._earned.returns(row.id) if one.created_at < self._until_ms]
        was_cancelled = self._all_was_taken(row)
        then = _Then(self._journal, until_ms=self._until_ms, was_cancelled=was_cancelled)
        kept = kept_of(then, row if was_cancelled else replace(row, cancelled=None), basis, came_back)
        money = kept_money(basis, kept.gone, most=kept.money, cancelled=kept.is_cancelled)
        left = replace(
            basis, lines=tuple(replace(line, money_minor=minor) for line, minor in zip(basis.lines, money, strict=True))
        )
        return Origin(
            order_reference=row.order_reference,
            accrual_reference=row.accrual_reference,
            placed_at=moment(row.placed_at),
            currency=basis.currency,
            shares=shares_of(left, is_purchase=row.kind == "purchase"),
        )

    def _all_was_taken(self, row: EarningRow) -> bool:
        """Whether all points were being taken back by then: of a cancellation nobody wrote down the moment."""
        steps = (one for one in self._earned.steps(row.id) if one.kind == "claw_back")
        taken = sum(int(json.loads(one.request)["points"]) for one in steps if one.created_at < self._until_ms)
        return taken >= row.given_points


def shares_of(basis: Basis, *, is_purchase: bool) -> tuple[RateShare, ...]:
    """Points and money by VAT rate, the lowest rate first; points for the order as such are those of no line."""
    rates: dict[Fraction, RateShare] = {}
    for line, points in by_line(basis):
        rate = Fraction(line.vat_rate)
        before = rates.get(rate, RateShare(line.vat_rate, 0, 0))
        more = points if is_purchase else 0
        rates[rate] = RateShare(before.vat_rate, before.points + more, before.basis_minor + line.money_minor)
    return tuple(rates[rate] for rate in sorted(rates))
