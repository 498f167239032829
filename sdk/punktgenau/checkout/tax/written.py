"""A tax report as rows of a table: what it is and assumes, every row, the sums by VAT rate, and what could not be read.

In English and the same wherever it is made: it goes to whoever keeps the shop's books. Amounts in the smallest unit.
"""

from __future__ import annotations

from collections.abc import Iterator

from punktgenau.checkout.tax.record import TaxRow
from punktgenau.checkout.tax.report import TaxReport

Cell = str | int
COLUMNS = (
    "row", "order_reference", "placed_at", "vat_rate", "points", "worth_minor", "currency", "basis_minor",
    "basis_currency", "reason",
)  # fmt: skip
REASONS = {
    "unnamed": "the provider names no order that earned them",
    "no_earning": "this journal knows no earning of that order under that accrual",
    "no_money": "no money is left that paid that order",
}
UNKNOWN = "origin unknown"


def assumptions(report: TaxReport) -> tuple[str, ...]:
    """What the report assumes, one sentence each; the last one is that it is no tax advice."""
    tender = "Points are a means of payment: the order that they pay keeps its VAT; the order that earned them may not."
    discount = (
        "Points are a discount here: receipts have lowered VAT where points were redeemed. Do not lower it twice."
    )
    return (
        tender if report.tax_mode == "tender" else discount,
        "Which accrual was redeemed is the provider's word, line by line; first in, first out is kept there.",
        "What names no earning order of this shop is listed as 'origin unknown' and put to no order by guess.",
        "An order's points belong to its VAT rates as its lines earned them, and those of a welcome by what was paid.",
        "Goods that came back before the period's end earn nothing. basis: the money that paid the rest, VAT included.",
        "worth: what the points paid where they were redeemed, VAT included, less those that were given back.",
        "Months are months in UTC, as on the provider's statement.",
        "This is no tax advice.",
    )


def head(report: TaxReport) -> Iterator[str]:
    """What stands above the rows."""
    yield f"Tax report {report.period.name}: points that {report.partner_id} gave out and that were redeemed anywhere"
    made = f"Made at {report.made_at:%Y-%m-%dT%H:%M:%SZ} from {sum(one.lines for one in report.totals)} lines"
    yield f"{made}; the period is not over, further lines may come" if report.is_provisional else made
    if not report.is_whole:
        yield f"NOT COMPLETE: {report.broken} lines could not be read and are in no figure; they are named at the end"
    yield from assumptions(report)


def table(report: TaxReport) -> Iterator[list[Cell]]:
    """Every cell of the file, head and sums included; texts may be what a stranger wrote."""
    for sentence in head(report):
        yield [f"# {sentence}"]
    yield list(COLUMNS)
    for row in report.rows():
        yield _row(row)
    for one in report.sums:
        rate, reason = ("", UNKNOWN) if one.vat_rate is None else (one.vat_rate, "")
        yield ["sum", "", "", rate, one.points, one.worth_minor, one.currency, "", "", reason]
    for total in report.totals:
        reason = f"all {total.lines} lines of the provider"
        yield ["total", "", "", "", total.points, total.amount_minor, total.currency, "", "", reason]
    for line in report.broken_lines:
        yield ["broken", "", "", "", "", "", "", "", "", f"line {line.number}: {line.reason}"]
    if report.broken > len(report.broken_lines):
        yield ["broken", "", "", "", "", "", "", "", "", f"{report.broken - len(report.broken_lines)} further lines"]


def _row(row: TaxRow) -> list[Cell]:
    placed = "" if row.placed_at is None else f"{row.placed_at:%Y-%m-%dT%H:%M:%SZ}"
    figures: list[Cell] = [row.points, row.worth_minor, row.currency]
    if row.why:
        return ["unknown", row.order_reference, "", "", *figures, "", "", f"{UNKNOWN}: {REASONS[row.why]}"]
    basis: list[Cell] = [row.basis_minor or 0, row.basis_currency or "", ""]
    return ["order", row.order_reference, placed, row.vat_rate or "", *figures, *basis]
