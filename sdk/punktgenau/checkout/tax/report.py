"""Making a tax report: the provider's lines, each accrual's with the order that earned it, spread over its VAT rates.

First in, first out is the provider's word: each line names the accrual that its points came from. What names none, or
none that this journal knows, is of unknown origin; it is never put to some other order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from punktgenau.checkout.settings import TaxMode
from punktgenau.checkout.tax.origins import Origins
from punktgenau.checkout.tax.period import TaxPeriod
from punktgenau.checkout.tax.record import Origin, TaxRow, TaxSum, TaxTotal, Why
from punktgenau.checkout.tax.sorting import RATE_PARTS, Group, Part, TaxSorting
from punktgenau.checkout.tax.spread import between, worth_over
from punktgenau.issued_records import IssuedLine
from punktgenau.statement_records import BrokenLine

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many are done, and of how many."""
BROKEN_TOLD = 100
BATCH = 50
"""Orders that are looked up at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxReport:
    """One period's report; `rows` can be read as often as wanted while the report is open.

    `sums` are the rows by VAT rate, `totals` the provider's lines. `is_provisional`: the period was not over when it
    was made. `broken_lines`: the first of the `broken` ones that could not be read and are in no figure.
    """

    period: TaxPeriod
    partner_id: str
    tax_mode: TaxMode
    made_at: datetime
    sums: tuple[TaxSum, ...]
    totals: tuple[TaxTotal, ...]
    broken: int
    broken_lines: tuple[BrokenLine, ...]
    _sorting: TaxSorting

    @property
    def is_provisional(self) -> bool:
        """Whether lines could still come when it was made."""
        return self.made_at < self.period.ends

    @property
    def is_whole(self) -> bool:
        """Whether every line could be read."""
        return self.broken == 0

    def rows(self) -> Iterator[TaxRow]:
        """Every row, by order and VAT rate; what is of unknown origin comes last."""
        return self._sorting.rows()


@contextmanager
def tax_report(
    period: TaxPeriod,
    lines: Iterable[IssuedLine | BrokenLine],
    origins: Origins,
    *,
    partner_id: str,
    tax_mode: TaxMode,
    made_at: datetime,
    progress: Progress | None = None,
) -> Iterator[TaxReport]:
    """Make a report of these lines; it is gone at the end of the `with`. A million lines take the memory of a few."""
    with TemporaryDirectory(prefix="punktgenau-tax-", ignore_cleanup_errors=True) as folder:
        sorting = TaxSorting(Path(folder))
        try:
            broken, told = _read(sorting, period, lines, partner_id)
            _spread(sorting, origins, progress)
            sums, totals = tuple(sorting.sums()), tuple(sorting.totals())
            _check(sums, totals)
            yield TaxReport(
                period=period,
                partner_id=partner_id,
                tax_mode=tax_mode,
                made_at=made_at,
                sums=sums,
                totals=totals,
                broken=broken,
                broken_lines=tuple(told),
                _sorting=sorting,
            )
        finally:
            sorting.close()


def _read(
    sorting: TaxSorting, period: TaxPeriod, lines: Iterable[IssuedLine | BrokenLine], partner_id: str
) -> tuple[int, list[BrokenLine]]:
    """Keep the lines; how many cannot be counted, and the first of those with the reason."""
    broken = 0
    told: list[BrokenLine] = []
    for line in lines:
        wrong = line.reason if isinstance(line, BrokenLine) else _wrong(line, period, partner_id)
        if not wrong and isinstance(line, IssuedLine) and not sorting.add(line):
            wrong = f"line {line.id} stands twice on the list"
        if wrong:
            broken += 1
            if len(told) < BROKEN_TOLD:
                number = line.number if isinstance(line, BrokenLine) else line.sequence
                told.append(BrokenLine(number=number, reason=wrong))
    return broken, told


def _wrong(line: IssuedLine, period: TaxPeriod, partner_id: str) -> str:
    if line.flaw is not None:
        return line.flaw
    month = f"{line.at.astimezone(UTC):%Y-%m}"
    if month not in period.months:
        return f"it is dated in {month}, which is no part of {period.name}"
    return "" if line.partner_id in ("", partner_id) else "belongs to another partner"


def _spread(sorting: TaxSorting, origins: Origins, progress: Progress | None) -> None:
    groups, done = sorting.groups(), 0
    while batch := list(islice(groups, BATCH)):
        wanted = sorted({group.order_reference for group in batch if group.order_reference})
        known = origins.of_orders(wanted) if wanted else {}
        for group in batch:
            sorting.keep(parts_of(group, known.get(group.order_reference, ())))
        done += len(batch)
        if progress is not None:
            progress("orders", done, 0)


def parts_of(group: Group, origins: Iterable[Origin]) -> tuple[Part, ...]:
    """What the lines of one accrual come to, by the VAT rates of the order that earned it; pure."""
    points = sum(points for points, _ in group.lines)
    origin, why = _origin(group, origins)
    if origin is None:
        return (
            Part(
                order_reference=group.order_reference,
                why=why,
                points=points,
                worth_minor=group.amount_minor,
                currency=group.currency,
            ),
        )
    weights = [share.points for share in origin.shares]
    if not any(weights):
        # Given for the order as such, as welcome points are.
        weights = [share.basis_minor for share in origin.shares]
    by_rate = [0] * len(weights)
    so_far = 0
    for one, told_before in group.lines:
        before = so_far if told_before is None else told_before
        so_far = before + one
        for place, part in enumerate(between(before, so_far, weights)):
            by_rate[place] += part
    worth = worth_over(group.amount_minor, by_rate, weights)
    parts = tuple(
        Part(
            order_reference=origin.order_reference,
            why="",
            placed_at=origin.placed_at,
            vat_rate=share.vat_rate,
            rate=int(Fraction(share.vat_rate) * RATE_PARTS),
            points=of_rate,
            worth_minor=worth_minor,
            currency=group.currency,
            basis_minor=share.basis_minor,
            basis_currency=origin.currency,
        )
        for share, of_rate, worth_minor in zip(origin.shares, by_rate, worth, strict=True)
    )
    if sum(part.points for part in parts) != points or sum(part.worth_minor for part in parts) != group.amount_minor:
        raise AssertionError(f"the rates of {group} do not add up")
    return parts


def _origin(group: Group, origins: Iterable[Origin]) -> tuple[Origin | None, Why]:
    if not group.order_reference or not group.accrual_reference:
        return None, "unnamed"
    found = next((one for one in origins if one.accrual_reference == group.accrual_reference), None)
    if found is None:
        return None, "no_earning"
    has_money = any(share.points or share.basis_minor for share in found.shares)
    return (found, "") if has_money else (None, "no_money")


def _check(sums: Iterable[TaxSum], totals: Iterable[TaxTotal]) -> None:
    """Nothing that the provider lists is left out, and nothing is there twice."""
    rows: dict[str, list[int]] = {}
    for one in sums:
        so_far = rows.setdefault(one.currency, [0, 0])
        so_far[0] += one.points
        so_far[1] += one.worth_minor
    for total in totals:
        if rows.pop(total.currency, [0, 0]) != [total.points, total.amount_minor]:
            raise AssertionError(f"the report's rows do not add up to {total}")
    if rows:
        raise AssertionError(f"the report has rows in {sorted(rows)} of which there are no lines")
