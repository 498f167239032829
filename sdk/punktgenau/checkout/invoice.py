"""What a receipt says about points: who paid what, at which rate, and the VAT of each rate.

As a tender, points leave VAT alone: they pay part of a bill whose VAT is the same. As a discount of the shop's own
programme they lower what is taxed, line by line as they were allocated. Which one holds is the programme's, not ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from punktgenau.checkout.allocation import Allocation
from punktgenau.checkout.refund import Refund
from punktgenau.checkout.settings import TaxMode
from punktgenau.money import Money, Rate

PaidBy = Literal["voucher", "other", "points", "missing", "written_off", "money"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTender:
    """One way in which a part was paid; `points` are 0 for all but points.

    "written_off" was paid by nobody: points were missing, and the shop bears it. VAT is left alone by that. "missing":
    the same of an order that is short of points, as long as no person has decided who pays.
    """

    kind: PaidBy
    amount: Money
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceReward:
    """What points that are bound to a line pay of it; they are part of the tender "points"."""

    line_id: str
    points: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTax:
    """One VAT rate in percent, with what is taxed by it: gross = net + vat."""

    vat_rate: str
    gross: Money
    net: Money
    vat: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """The figures of a receipt: `total` is the sum of `tenders`, `taxable` the sum of `taxes`.

    The two are the same, but for points that are a discount. Amounts as Money.
    `rate` is what a point was worth when the order was placed; None where no points pay. `returns` came after it, each
    with the reference under which it can be credited; they change nothing in it, so what stays of it in the end is
    `total` less their `goods`. `earlier` went back before the newest change of the order, or by it (`is_amendment`):
    `total` is without them already. `given_back` are points that went back besides all of these, because the order was
    cancelled or by the provider itself: they have paid, as `tenders` say, and do not any more. None: there are none, or
    the provider has not confirmed it yet. The money of a cancelled order is the shop's own affair.
    """

    order_reference: str
    tax_mode: TaxMode
    total: Money
    tenders: tuple[InvoiceTender, ...]
    taxes: tuple[InvoiceTax, ...]
    rate: Rate | None
    returns: tuple[Refund, ...] = ()
    earlier: tuple[Refund, ...] = ()
    given_back: InvoiceTender | None = None
    rewards: tuple[InvoiceReward, ...] = ()
    """Of the points, those that were bound to reward articles, line by line."""
    vouchers_given_back: Money | None = None
    """What went back onto vouchers besides returns, as `given_back` says it of points; None: nothing did."""

    @property
    def points(self) -> int:
        """How many points have paid of it, whatever went back of them since."""
        return sum(tender.points for tender in self.tenders)

    @property
    def taxable(self) -> Money:
        """What VAT is reckoned on, VAT included."""
        return Money(amount_minor=sum(tax.gross.amount_minor for tax in self.taxes), currency=self.total.currency)


def invoice_of(
    order_reference: str,
    allocation: Allocation,
    *,
    rate: Rate | None,
    tax_mode: TaxMode,
    missing_minor: int = 0,
    vouchers_minor: int = 0,
    vouchers_back_minor: int = 0,
    returns: tuple[Refund, ...] = (),
    earlier: tuple[Refund, ...] = (),
    given_back: tuple[int, int] = (0, 0),
) -> Invoice:
    """The receipt of an order that is paid as allocated, `given_back` points and their worth; every sum is exact."""
    total_minor = sum(line.amount_minor for line in allocation.lines)
    other_minor = sum(line.other_minor for line in allocation.lines)
    paid: tuple[tuple[PaidBy, int, int], ...] = (
        ("voucher", vouchers_minor, 0),
        ("other", other_minor - vouchers_minor, 0),
        ("points", allocation.value_minor, allocation.points),
        ("missing", missing_minor, 0),
        ("written_off", allocation.written_off_minor - missing_minor, 0),
        ("money", allocation.paid_minor, 0),
    )
    invoice = Invoice(
        order_reference=order_reference,
        tax_mode=tax_mode,
        total=Money(amount_minor=total_minor, currency=allocation.currency),
        tenders=tuple(
            InvoiceTender(kind=kind, amount=Money(amount_minor=minor, currency=allocation.currency), points=points)
            for kind, minor, points in paid
            if minor or kind == "money"
        ),
        taxes=tuple(
            _tax(vat_rate, gross_minor, allocation.currency)
            for vat_rate, gross_minor in _taxed(allocation, tax_mode).items()
        ),
        rate=rate if allocation.points else None,
        returns=returns,
        earlier=earlier,
        given_back=_points(given_back, allocation.currency) if given_back[0] else None,
        rewards=_rewards(allocation),
        vouchers_given_back=_back_onto(vouchers_back_minor, allocation.currency),
    )
    less_minor = allocation.value_minor if tax_mode == "discount" else 0
    if invoice.taxable.amount_minor + less_minor != total_minor:
        raise AssertionError(f"the taxes of {invoice} do not add up")
    return invoice


def _rewards(allocation: Allocation) -> tuple[InvoiceReward, ...]:
    made: dict[str, tuple[int, int]] = {}
    for (line_id, _), bound in allocation.bound:
        # What had left before the order was changed is kept apart from the rest of its line.
        points, minor = made.get(line_id, (0, 0))
        made[line_id] = points + bound.points, minor + bound.minor
    return tuple(
        InvoiceReward(line_id=line_id, points=points, amount=Money(amount_minor=minor, currency=allocation.currency))
        for line_id, (points, minor) in made.items()
    )


def _back_onto(amount_minor: int, currency: str) -> Money | None:
    return Money(amount_minor=amount_minor, currency=currency) if amount_minor else None


def _points(of: tuple[int, int], currency: str) -> InvoiceTender:
    return InvoiceTender(kind="points", points=of[0], amount=Money(amount_minor=of[1], currency=currency))


def _taxed(allocation: Allocation, tax_mode: TaxMode) -> Mapping[str, int]:
    """Gross by VAT rate, in the order in which the rates appear; '7' and '7.0' are one rate."""
    taxed: dict[Fraction, tuple[str, int]] = {}
    for line in allocation.lines:
        gross_minor = line.amount_minor - (line.value_minor if tax_mode == "discount" else 0)
        name, so_far = taxed.get(Fraction(line.vat_rate), (line.vat_rate, 0))
        taxed[Fraction(line.vat_rate)] = (name, so_far + gross_minor)
    return dict(taxed.values())


def _tax(vat_rate: str, gross_minor: int, currency: str) -> InvoiceTax:
    """VAT is rounded once per rate, half up, as on an invoice; net prices come out as they went in."""
    gross_of_net = 1 + Fraction(vat_rate) * Fraction(1, 100)
    parts, whole = gross_of_net.denominator, gross_of_net.numerator
    net_minor = (2 * gross_minor * parts + whole) // (2 * whole)
    return InvoiceTax(
        vat_rate=vat_rate,
        gross=Money(amount_minor=gross_minor, currency=currency),
        net=Money(amount_minor=net_minor, currency=currency),
        vat=Money(amount_minor=gross_minor - net_minor, currency=currency),
    )
