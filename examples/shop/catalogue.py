"""What the shop sells. Names and descriptions are in `texts/`, pictures in `static/pictures/`, both by article id."""

from dataclasses import dataclass
from typing import Literal, get_args

Shelf = Literal["lamps", "desk", "rewards"]
SHELVES: tuple[Shelf, ...] = get_args(Shelf)


@dataclass(frozen=True, kw_only=True)
class Article:
    sku: str
    shelf: Shelf
    price_minor: int
    vat_rate: str = "19"
    points_allowed: bool = True
    by_mail: bool = False
    reward_points: int = 0
    """So many points must pay one; the rest of its price is paid besides. A point of this programme is a cent."""

    @property
    def picture(self) -> str:
        return f"pictures/{self.sku}.svg"

    @property
    def copayment_minor(self) -> int:
        """What a reward article costs besides its points."""
        return self.price_minor - self.reward_points


ARTICLES = (
    Article(sku="storch", shelf="lamps", price_minor=12995),
    Article(sku="pilz", shelf="lamps", price_minor=8435),
    Article(sku="glocke", shelf="lamps", price_minor=14949),
    Article(sku="spatz", shelf="lamps", price_minor=3895),
    Article(sku="viertel", shelf="desk", price_minor=4763),
    Article(sku="koecher", shelf="desk", price_minor=1845),
    Article(sku="karo", shelf="desk", price_minor=837),
    Article(sku="ufer", shelf="desk", price_minor=2761),
    Article(sku="falke", shelf="desk", price_minor=1963),
    # Living plants and books have the reduced rate.
    Article(sku="pilea", shelf="desk", price_minor=1679, vat_rate="7"),
    Article(sku="lichtbuch", shelf="desk", price_minor=2395, vat_rate="7"),
    # A card that may be spent on either rate is taxed when it is spent, and is itself a kind of money.
    Article(sku="gutschein", shelf="desk", price_minor=5000, vat_rate="0", points_allowed=False, by_mail=True),
    # Only for points, and for points with a co-payment.
    Article(sku="wolke", shelf="rewards", price_minor=50, reward_points=50),
    Article(sku="reiher", shelf="rewards", price_minor=3025, reward_points=25),
)
FOR_MONEY = tuple(article for article in ARTICLES if not article.reward_points)

_BY_SKU = {article.sku: article for article in ARTICLES}


def find(sku: str) -> Article | None:
    return _BY_SKU.get(sku)


def on_shelf(shelf: Shelf) -> tuple[Article, ...]:
    return tuple(article for article in ARTICLES if article.shelf == shelf)


def beside(article: Article, count: int = 4) -> tuple[Article, ...]:
    """The next few articles, round the catalogue: what an article's page shows below."""
    start = ARTICLES.index(article) + 1
    return tuple(ARTICLES[(start + offset) % len(ARTICLES)] for offset in range(count))
