"""Goods, shipping, total and the VAT inside, in cents. Prices include VAT."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SHIPPING_MINOR = 490
FREE_FROM_MINOR = 7500


class Priced(Protocol):
    """A line of a cart or of an order."""

    @property
    def total_minor(self) -> int: ...
    @property
    def vat_rate(self) -> str: ...


@dataclass(frozen=True)
class Vat:
    rate: str
    gross_minor: int

    @property
    def amount_minor(self) -> int:
        """The VAT inside the gross amount, rounded half up."""
        divisor = 100 + int(self.rate)
        return (2 * self.gross_minor * int(self.rate) + divisor) // (2 * divisor)


@dataclass(frozen=True, kw_only=True)
class Sums:
    goods_minor: int
    shipping_minor: int
    shipping_vat_rate: str
    vat: tuple[Vat, ...]

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.shipping_minor

    @property
    def until_free_minor(self) -> int:
        """What is missing until shipping is free; 0 when nothing is."""
        return max(0, FREE_FROM_MINOR - self.goods_minor) if self.shipping_minor else 0


def of(lines: Sequence[Priced], *, shipping_minor: int, shipping_vat_rate: str) -> Sums:
    gross: dict[str, int] = {}
    for line in lines:
        gross[line.vat_rate] = gross.get(line.vat_rate, 0) + line.total_minor
    if shipping_minor:
        gross[shipping_vat_rate] = gross.get(shipping_vat_rate, 0) + shipping_minor
    return Sums(
        goods_minor=sum(line.total_minor for line in lines),
        shipping_minor=shipping_minor,
        shipping_vat_rate=shipping_vat_rate,
        vat=tuple(Vat(rate, gross[rate]) for rate in sorted(gross, key=int, reverse=True)),
    )


def shipping_vat_rate(lines: Sequence[Priced]) -> str:
    """Shipping is taxed as the larger part of the goods is."""
    gross: dict[str, int] = {"19": 0}
    for line in lines:
        if line.vat_rate != "0":
            gross[line.vat_rate] = gross.get(line.vat_rate, 0) + line.total_minor
    return max(gross, key=lambda rate: gross[rate])
