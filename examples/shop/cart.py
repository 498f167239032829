"""The cart: article ids and quantities in the browser's session, priced from the catalogue at every look."""

from dataclasses import dataclass

from flask import session

from . import catalogue, sums
from .catalogue import Article
from .sums import Sums

MAX_QUANTITY = 20
_KEY = "cart"


@dataclass(frozen=True)
class CartLine:
    article: Article
    quantity: int

    @property
    def total_minor(self) -> int:
        return self.article.price_minor * self.quantity

    @property
    def sku(self) -> str:
        return self.article.sku

    @property
    def unit_price_minor(self) -> int:
        return self.article.price_minor

    @property
    def vat_rate(self) -> str:
        return self.article.vat_rate

    @property
    def points_allowed(self) -> bool:
        return self.article.points_allowed

    @property
    def reward_points(self) -> int:
        return self.article.reward_points


@dataclass(frozen=True)
class ShopCart:
    lines: tuple[CartLine, ...]

    @property
    def sums(self) -> Sums:
        goods_minor = sum(line.total_minor for line in self.lines)
        free = not self.to_ship or goods_minor >= sums.FREE_FROM_MINOR
        return sums.of(
            self.lines,
            shipping_minor=0 if free else sums.SHIPPING_MINOR,
            shipping_vat_rate=sums.shipping_vat_rate(self.lines),
        )

    @property
    def to_ship(self) -> bool:
        return any(not line.article.by_mail for line in self.lines)

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.lines)


def current() -> ShopCart:
    """The cart of this browser, empty or not."""
    lines = tuple(
        CartLine(article, quantity)
        for sku, quantity in _quantities().items()
        if (article := catalogue.find(sku)) is not None
    )
    return ShopCart(lines)


def add(sku: str, quantity: int) -> None:
    put(sku, _quantities().get(sku, 0) + quantity)


def put(sku: str, quantity: int) -> None:
    """Set the quantity of one article; 0 takes it out."""
    quantities = _quantities()
    quantities[sku] = min(quantity, MAX_QUANTITY)
    # Pairs, because a signed session sorts the keys of a mapping and would lose the order of the lines.
    session[_KEY] = [[sku, count] for sku, count in quantities.items() if count > 0]


def clear() -> None:
    session.pop(_KEY, None)


def _quantities() -> dict[str, int]:
    stored: list[tuple[str, int]] = session.get(_KEY, [])
    return dict(stored)
