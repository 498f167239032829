"""What the shop hands in: a cart with lines, and later the order made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Literal

from punktgenau.errors import CartMismatchError, InvalidArgumentError
from punktgenau.money import AMOUNT_MINOR_MAX, Money, largest_remainder

SHIPPING_ID = "shipping"
OrderState = Literal["pending", "paid", "cancelled"]


def _whole(value: int, *, field: str, least: int = 0) -> None:
    if type(value) is not int or not least <= value <= AMOUNT_MINOR_MAX:
        raise InvalidArgumentError(f"{field} must be a whole number from {least} to {AMOUNT_MINOR_MAX}.", field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One article in a cart: unit price and discount in the smallest unit of the cart's currency.

    `discount_minor` is taken off the whole line. `id` defaults to the sku and must be unique in the cart.
    Raises InvalidArgumentError for negative or fractional numbers, or a discount above the line.
    """

    sku: str
    quantity: int
    unit_price_minor: int
    vat_rate: str
    id: str = ""
    discount_minor: int = 0
    points_allowed: bool = True

    def __post_init__(self) -> None:
        if not self.sku or not isinstance(self.sku, str):
            raise InvalidArgumentError("sku must be a text.", field="sku")
        _whole(self.quantity, field="quantity", least=1)
        _whole(self.unit_price_minor, field="unit_price_minor")
        _whole(self.discount_minor, field="discount_minor")
        if not self.id:
            object.__setattr__(self, "id", self.sku)
        if self.discount_minor > self.quantity * self.unit_price_minor:
            raise InvalidArgumentError(
                f"The discount of line {self.id!r} is larger than the line.", field="discount_minor"
            )

    @property
    def amount_minor(self) -> int:
        """What the whole line costs, after its discount, as the cart counts it (with or without VAT)."""
        return self.quantity * self.unit_price_minor - self.discount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class GrossLine:
    """One line as it is paid: VAT included; shipping is a line as well."""

    id: str
    sku: str
    quantity: int
    amount_minor: int
    vat_rate: str
    points_allowed: bool = True


def _rate(vat_rate: str) -> Fraction:
    try:
        rate = Fraction(vat_rate)
    except (ValueError, TypeError, ZeroDivisionError) as error:
        raise InvalidArgumentError(
            f"vat_rate {vat_rate!r} must be percent as text, such as '19'.", field="vat_rate"
        ) from error
    if not 0 <= rate <= 100:
        raise InvalidArgumentError(f"vat_rate {vat_rate!r} must be between 0 and 100.", field="vat_rate")
    return rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What the customer is about to pay: lines and shipping, all in the smallest unit of one currency.

    `other_tenders_minor` (gift cards) is paid first. A `total_minor` that is given is checked against the lines.
    Raises CartMismatchError, which names both sums, and InvalidArgumentError for numbers that cannot be meant.
    """

    currency: str
    lines: Sequence[Line]
    shipping_minor: int = 0
    shipping_vat_rate: str = "0"
    prices_include_vat: bool = True
    other_tenders_minor: int = 0
    total_minor: int | None = None
    gross_lines: tuple[GrossLine, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        Money(amount_minor=0, currency=self.currency)
        _whole(self.shipping_minor, field="shipping_minor")
        _whole(self.other_tenders_minor, field="other_tenders_minor")
        object.__setattr__(self, "lines", tuple(self.lines))
        ids = [line.id for line in self.lines]
        doubled = next((id for id in ids if ids.count(id) > 1 or id == SHIPPING_ID), None)
        if doubled is not None:
            raise InvalidArgumentError(
                f"Line id {doubled!r} is used twice or reserved; give each line its own id.", field="id"
            )
        object.__setattr__(self, "gross_lines", self._gross())
        total = sum(line.amount_minor for line in self.gross_lines)
        if self.total_minor is not None and self.total_minor != total:
            raise CartMismatchError(
                f"The cart says {self.total_minor} {self.currency}, its lines and shipping add up to {total} "
                "(both in the smallest unit).",
                field="total_minor",
            )
        if self.other_tenders_minor > total:
            raise CartMismatchError(
                f"Other tenders pay {self.other_tenders_minor}, the cart is only {total} {self.currency} (smallest unit).",
                field="other_tenders_minor",
            )

    @property
    def total(self) -> Money:
        """Goods and shipping with VAT, before any tender."""
        return Money(amount_minor=sum(line.amount_minor for line in self.gross_lines), currency=self.currency)

    @property
    def payable(self) -> Money:
        """What is left to pay after the other tenders, with points or money."""
        return self.total - Money(amount_minor=self.other_tenders_minor, currency=self.currency)

    def _gross(self) -> tuple[GrossLine, ...]:
        net = [
            GrossLine(
                id=line.id,
                sku=line.sku,
                quantity=line.quantity,
                amount_minor=line.amount_minor,
                vat_rate=line.vat_rate,
                points_allowed=line.points_allowed,
            )
            for line in self.lines
        ]
        if self.shipping_minor:
            net.append(
                GrossLine(
                    id=SHIPPING_ID,
                    sku=SHIPPING_ID,
                    quantity=1,
                    amount_minor=self.shipping_minor,
                    vat_rate=self.shipping_vat_rate,
                )
            )
        rates = {line.vat_rate: _rate(line.vat_rate) for line in net}
        if self.prices_include_vat:
            return tuple(net)
        return _with_vat(net, rates)


def _with_vat(net: list[GrossLine], rates: dict[str, Fraction]) -> tuple[GrossLine, ...]:
    """Net lines made gross: VAT is rounded once per rate, as on an invoice, and its cents are spread over the lines."""
    vat_of: dict[str, int] = {}
    for vat_rate, rate in rates.items():
        group = [line for line in net if line.vat_rate == vat_rate]
        taxed = sum(line.amount_minor for line in group)
        vat = (2 * taxed * rate.numerator + 100 * rate.denominator) // (200 * rate.denominator)
        for line, part in zip(group, largest_remainder(vat, [line.amount_minor for line in group]), strict=True):
            vat_of[line.id] = part
    return tuple(replace(line, amount_minor=line.amount_minor + vat_of[line.id]) for line in net)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The shop's order as its loader tells it; `state` decides what recovery does with its points."""

    reference: str
    state: OrderState
    cart: Cart | None = None
    customer_id: str | None = None
    placed_at: datetime | None = None
    url: str | None = None
