"""A whole quarter of redeemed points, reckoned by hand: what the provider lists, and which orders earned it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from punktgenau.checkout.tax.period import TaxPeriod
from punktgenau.checkout.tax.record import Origin, RateShare, TaxRow
from punktgenau.checkout.tax.report import TaxReport, tax_report
from punktgenau.issued_records import IssuedLine
from punktgenau.statement_records import BrokenLine

QUARTER = "2026-Q4"


def origin(order: str, accrual: str, *shares: tuple[str, int, int]) -> Origin:
    """An order's points and money by rate: (rate, points, money in cents)."""
    made = tuple(RateShare(rate, points, minor) for rate, points, minor in shares)
    placed_at = datetime(2026, 8, 3, 12, 0, tzinfo=UTC)
    return Origin(order_reference=order, accrual_reference=accrual, placed_at=placed_at, currency="EUR", shares=made)


# One point for each euro. The welcome of 50 points was given for the whole first order.
ORIGINS = (
    origin("O-1", "a1", ("7", 42, 4280), ("19", 119, 11900)),
    origin("O-1", "w1", ("7", 0, 4280), ("19", 0, 11900)),
    origin("O-2", "a2", ("7", 30, 3000)),
    origin("O-3", "a3", ("0", 5, 500), ("7", 5, 500), ("19", 10, 1000)),
)


def line(
    number: int,
    day: str,
    points: int,
    *,
    order: str | None = None,
    accrual: str | None = None,
    before: int | None = None,
    amount: int | None = None,
    currency: str = "EUR",
) -> IssuedLine:
    """A line of the provider's; a point is a cent unless `amount` says otherwise."""
    return IssuedLine(
        id=f"iss_{number}",
        sequence=number,
        kind="redeemed" if points > 0 else "given_back",
        at=datetime.fromisoformat(f"2026-{day}T10:00:00+00:00"),
        points=points,
        amount_minor=points if amount is None else amount,
        currency=currency,
        accrual_id=accrual and f"acc_{accrual}",
        accrual_reference=accrual,
        order_reference=order,
        redeemed_before=before,
        redeemed_at="Demo books",
        partner_id="demo-shop",
    )


LINES = (
    line(1, "10-02", 100, order="O-1", accrual="a1", before=0),
    line(2, "10-09", 30, order="O-2", accrual="a2", before=0),
    line(3, "10-31", 17),
    line(4, "11-03", 61, order="O-1", accrual="a1", before=100),
    line(5, "11-04", -11, order="O-1", accrual="a1", before=161),
    # Seven points, for which the provider paid only six cents.
    line(6, "11-05", 7, order="O-3", accrual="a3", before=0, amount=6),
    line(7, "11-30", 5, order="O-9", accrual="x9", before=0),
    line(8, "12-01", 50, order="O-1", accrual="w1", before=0),
    line(9, "12-02", 11, order="O-1", accrual="a1", before=150),
    line(10, "12-31", 4, order="O-3", accrual="a3", before=7, amount=5, currency="CHF"),
)

Told = tuple[str, str, str | None, int, int, str, int | None]
ROWS: tuple[Told, ...] = (
    # 42 of 161 points are of 7 percent, and all 161 were redeemed in the end; of the welcome 13, by 4280 of 16180.
    ("O-1", "", "7", 42 + 13, 42 + 13, "EUR", 4280),
    ("O-1", "", "19", 119 + 37, 119 + 37, "EUR", 11900),
    ("O-2", "", "7", 30, 30, "EUR", 3000),
    # The first 7 of 20: 1.75 of 0 percent is 2; of the 5 left 1.67 is 2; 3 are left. Then 11 of 20: 3, 3 and 5.
    ("O-3", "", "0", 1, 1, "CHF", 500),
    ("O-3", "", "7", 1, 1, "CHF", 500),
    ("O-3", "", "19", 2, 3, "CHF", 1000),
    ("O-3", "", "0", 2, 2, "EUR", 500),
    ("O-3", "", "7", 2, 2, "EUR", 500),
    ("O-3", "", "19", 3, 2, "EUR", 1000),
    ("O-9", "no_earning", None, 5, 5, "EUR", None),
    ("", "unnamed", None, 17, 17, "EUR", None),
)
SUMS = (
    ("0", "CHF", 1, 1), ("0", "EUR", 2, 2), ("7", "CHF", 1, 1), ("7", "EUR", 87, 87), ("19", "CHF", 2, 3),
    ("19", "EUR", 159, 158), (None, "EUR", 22, 22),
)  # fmt: skip
# What the lines add up to: 100+30+17+61-11+7+5+50+11 points and 100+30+17+61-11+6+5+50+11 cents; and the Swiss one.
TOTALS = (("CHF", 1, 4, 5), ("EUR", 9, 270, 269))
BY_MONTH = {
    "2026-10": {("O-1", "19"): 74, ("O-1", "7"): 26, ("O-2", "7"): 30, ("", None): 17},
    "2026-11": {
        ("O-1", "19"): 45 - 8, ("O-1", "7"): 16 - 3, ("O-3", "0"): 2, ("O-3", "7"): 2, ("O-3", "19"): 3,
        ("O-9", None): 5,
    },
    "2026-12": {
        ("O-1", "19"): 8 + 37, ("O-1", "7"): 3 + 13, ("O-3", "0"): 1, ("O-3", "7"): 1, ("O-3", "19"): 2,
    },
}  # fmt: skip


@dataclass
class Known:
    """Origins by hand; remembers how many orders were looked up at once."""

    origins: tuple[Origin, ...] = ORIGINS
    asked: list[int] = field(default_factory=list)

    def of_orders(self, order_references: Sequence[str]) -> Mapping[str, tuple[Origin, ...]]:
        self.asked.append(len(order_references))
        return {one: tuple(known for known in self.origins if known.order_reference == one) for one in order_references}


@contextmanager
def reported(
    lines: Iterable[IssuedLine | BrokenLine] = LINES,
    period: str = QUARTER,
    *,
    origins: Known | None = None,
    **more: object,
) -> Iterator[TaxReport]:
    """A report made on the third of January."""
    made_at = datetime(2027, 1, 3, 8, 0, tzinfo=UTC)
    settings = {"partner_id": "demo-shop", "tax_mode": "tender", "made_at": made_at, **more}
    with tax_report(TaxPeriod(period), lines, origins or Known(), **settings) as report:  # type: ignore[arg-type]
        yield report


def told(row: TaxRow) -> Told:
    """A row in short."""
    return (
        row.order_reference, row.why, row.vat_rate, row.points, row.worth_minor, row.currency, row.basis_minor,
    )  # fmt: skip
