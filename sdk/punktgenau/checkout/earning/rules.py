"""What a shop gives for an order: so many points for so much money, for articles, in campaigns. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, get_args

from punktgenau.errors import ConfigurationError, InvalidArgumentError
from punktgenau.money import AMOUNT_MINOR_MAX

ClawBack = Literal["to_zero", "below_zero"]
PENDING_S_MAX = 400 * 86_400
POINTS_MAX = 1_000_000
"""The most that one rule, one unit of an article or one campaign may give."""
PERCENT_MAX = 10_000


class HasPoints(Protocol):
    """An article, as far as earning asks: points per unit of its sku; None: the rule for money counts."""

    @property
    def sku(self) -> str:
        """The article's number."""
        ...

    @property
    def points(self) -> int | None:
        """Points per unit."""
        ...


class ArticlesOf(Protocol):
    """Articles by their sku, those that are known and valid; all of a cart in one look."""

    def __call__(self, skus: Collection[str], /, *, at: datetime | None = None) -> Mapping[str, HasPoints]:
        """What is known of these, and valid at that moment; None: now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlePoints:
    """Points per unit of an article, in place of the rule for money; 0: it earns nothing (a gift card)."""

    sku: str
    points: int

    def __post_init__(self) -> None:
        _require(self.points, field="points", most=POINTS_MAX, error=InvalidArgumentError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """More points for a time: `percent` of what its lines earn (200: double), and `plus_points` once per order.

    For orders placed from `starts_at` on and before `ends_at`, both with a zone; for `skus`, or for all where there are
    none. Of several that fit a line the best one counts, never their sum. Raises InvalidArgumentError.
    """

    id: str
    name: str
    starts_at: datetime
    ends_at: datetime
    percent: int = 100
    plus_points: int = 0
    skus: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for text, field in ((self.id, "id"), (self.name, "name")):
            if not isinstance(text, str) or not 1 <= len(text) <= 64 or not text.isprintable():
                raise InvalidArgumentError(f"{field} must be a text of 1 to 64 printable characters.", field=field)
        for at, field in ((self.starts_at, "starts_at"), (self.ends_at, "ends_at")):
            if at.tzinfo is None:
                raise InvalidArgumentError(f"{field} of campaign {self.id!r} must have a time zone.", field=field)
        if self.ends_at <= self.starts_at:
            raise InvalidArgumentError(f"Campaign {self.id!r} ends before it has begun.", field="ends_at")
        _require(self.percent, field="percent", least=100, most=PERCENT_MAX, error=InvalidArgumentError)
        _require(self.plus_points, field="plus_points", most=POINTS_MAX, error=InvalidArgumentError)
        object.__setattr__(self, "skus", frozenset(self.skus))

    def runs_at(self, at: datetime) -> bool:
        """Whether an order that is placed at that moment is part of it."""
        return self.starts_at <= at < self.ends_at

    def fits(self, sku: str) -> bool:
        """Whether an article is part of it."""
        return not self.skus or sku in self.skus


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnRules:
    """What an order earns: `points` for each full `per_minor` of what is paid in money, shipping only with `shipping`.

    Points are pending for `pending_s` seconds, as long as the order may come back. `claw_back`: what a member has spent
    by then is kept as owed ("to_zero"), or their account goes below zero. `welcome_points` come with the first order.
    Raises ConfigurationError.
    """

    points: int = 0
    per_minor: int = 100
    shipping: bool = False
    pending_s: int = 14 * 86_400
    claw_back: ClawBack = "to_zero"
    welcome_points: int = 0
    campaigns: tuple[Campaign, ...] = ()

    def __post_init__(self) -> None:
        _require(self.points, field="earn_points", most=POINTS_MAX)
        _require(self.per_minor, field="earn_per_minor", least=1, most=AMOUNT_MINOR_MAX)
        _require(self.pending_s, field="earn_pending_s", most=PENDING_S_MAX)
        _require(self.welcome_points, field="welcome_points", most=POINTS_MAX)
        if type(self.shipping) is not bool:
            raise ConfigurationError("earn_shipping must be True or False.", field="earn_shipping")
        if self.claw_back not in get_args(ClawBack):
            raise ConfigurationError(
                f"claw_back must be one of {', '.join(get_args(ClawBack))}, not {self.claw_back!r}.", field="claw_back"
            )

    def running(self, at: datetime, more: Iterable[Campaign] = ()) -> tuple[Campaign, ...]:
        """The campaigns of an order that is placed then. Raises InvalidArgumentError for a moment without a zone."""
        if at.tzinfo is None:
            raise InvalidArgumentError("placed_at must have a time zone.", field="placed_at")
        return tuple(one for one in (*self.campaigns, *more) if one.runs_at(at))


def _require(
    value: int,
    *,
    field: str,
    least: int = 0,
    most: int,
    error: type[ConfigurationError] | type[InvalidArgumentError] = ConfigurationError,
) -> None:
    if type(value) is not int or not least <= value <= most:
        raise error(f"{field} must be a whole number from {least} to {most}.", field=field)
