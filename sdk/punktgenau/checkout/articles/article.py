"""The noun article: what the shop gives for one of its goods in points, and asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from punktgenau.checkout.cart import LINE_ID_MAX
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import AMOUNT_MINOR_MAX

POINTS_MOST = 1_000_000
"""The most that one unit may earn, as every rule of earning has it."""
PRICE_POINTS_MOST = 1_000_000_000
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What points have to do with one article of the shop.

    `points`: what one unit earns, in place of the rule for money (0: nothing; None: that rule). `price_points`: what
    one unit costs in points, with `copayment_minor` in the smallest unit of `currency` beside them; `exclusive`: it is
    not sold for money alone. Valid from `valid_from` on and before `valid_until`; None: always, for ever.
    Raises InvalidArgumentError, whose `.field` names what cannot be meant.
    """

    sku: str
    points: int | None = None
    price_points: int | None = None
    copayment_minor: int | None = None
    currency: str | None = None
    exclusive: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        for field, at in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            if at is not None and at.tzinfo is None:
                raise InvalidArgumentError(f"{field} of article {self.sku!r} must have a time zone.", field=field)
        if type(self.exclusive) is not bool:
            raise InvalidArgumentError("exclusive must be True or False.", field="exclusive")
        for field, reason in flaws(
            sku=self.sku,
            points=self.points,
            price_points=self.price_points,
            copayment_minor=self.copayment_minor,
            currency=self.currency,
            exclusive=self.exclusive,
            ends_before_it_begins=ends_before(self.valid_from, self.valid_until),
        ):
            raise InvalidArgumentError(f"Article {self.sku!r}: {field}: {reason}.", field=field)

    def is_valid(self, at: datetime) -> bool:
        """Whether what it says counts at a moment."""
        has_begun = self.valid_from is None or self.valid_from <= at
        return has_begun and (self.valid_until is None or at < self.valid_until)


ArticleLoader = Callable[[str], Article | None]


def ends_before(valid_from: datetime | None, valid_until: datetime | None) -> bool:
    """Whether a validity ends before it has begun, or just then, so that it would never count."""
    return valid_from is not None and valid_until is not None and valid_until <= valid_from


def flaws(
    *,
    sku: str,
    points: int | None,
    price_points: int | None,
    copayment_minor: int | None,
    currency: str | None,
    exclusive: bool,
    ends_before_it_begins: bool,
) -> Iterator[tuple[str, str]]:
    """What cannot be meant, field by field, in words that stand behind the field's name."""
    if not isinstance(sku, str) or not sku:
        yield "sku", "missing"
    elif len(sku) > LINE_ID_MAX:
        yield "sku", f"longer than {LINE_ID_MAX} characters"
    elif not sku.isprintable():
        yield "sku", "has characters that cannot be printed"
    for field, number, least, most in (
        ("points", points, 0, POINTS_MOST),
        ("price_points", price_points, 1, PRICE_POINTS_MOST),
        ("copayment_minor", copayment_minor, 0, AMOUNT_MINOR_MAX),
    ):
        if number is not None and (type(number) is not int or not least <= number <= most):
            yield field, f"not a whole number from {least} to {most}"
    if currency is not None and not (isinstance(currency, str) and _CURRENCY.fullmatch(currency)):
        yield "currency", "not three capital letters such as EUR"
    if copayment_minor is not None and price_points is None:
        yield "copayment_minor", "there is none without price_points, the part that is paid in points"
    if copayment_minor is not None and currency is None:
        yield "currency", "missing; copayment_minor needs one, such as EUR"
    if exclusive and price_points is None:
        yield "exclusive", "only an article with price_points can be sold for points alone"
    if ends_before_it_begins:
        yield "valid_until", "ends before it begins (valid_from)"
