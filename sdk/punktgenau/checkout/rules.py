"""Provider's limits + shop's rules -> what points may do in this cart, with a reason for each bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from punktgenau.checkout.cart import SHIPPING_ID, Cart
from punktgenau.checkout.rewards import Bound, left_minor
from punktgenau.errors import ConfigurationError
from punktgenau.money import AMOUNT_MINOR_MAX, POINTS_MAX, Rate, ceil_div
from punktgenau.provider import Limits

ReasonCode = Literal[
    "balance",  # the member has no more
    "cart",  # the cart is not larger
    "articles",  # some articles cannot be paid with points
    "minimum",  # below the programme's or the shop's minimum
    "maximum",  # above the programme's or the shop's maximum
    "share",  # only a share of the total may be paid with points
    "step",  # points come in steps
    "money_minimum",  # what would stay due is less than a card takes
    "worthless",  # so few points are worth nothing
    "fewest",  # fewer points are worth the same
    "currency",  # the programme pays in another currency
    "reward",  # so many are bound to reward articles
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the number differs from the one asked for; `points` is the bound that this rule sets."""

    code: ReasonCode
    points: int


def require_setting(value: int, *, field: str, least: int, most: int) -> None:
    """A whole number within its bounds, or ConfigurationError that names the setting."""
    if type(value) is not int or not least <= value <= most:
        raise ConfigurationError(f"{field} must be a whole number from {least} to {most}, not {value!r}.", field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRules:
    """The shop's own rules, on top of the programme's: points per order and their step, share of the total in percent.

    `money_minimum_minor` is the least that the shop's cards take, in the smallest unit. `rewards_beyond_limits`: what a
    reward article must be paid with may exceed `max_points` and `max_share_percent`, and pay what points else may not.
    Raises ConfigurationError that names the field.
    """

    min_points: int = 1
    max_points: int | None = None
    step: int = 1
    max_share_percent: int | None = None
    shipping_allowed: bool = True
    money_minimum_minor: int = 50
    rewards_beyond_limits: bool = False

    def __post_init__(self) -> None:
        require_setting(self.min_points, field="min_points", least=1, most=POINTS_MAX)
        if self.max_points is not None:
            require_setting(self.max_points, field="max_points", least=self.min_points, most=POINTS_MAX)
        require_setting(self.step, field="step", least=1, most=POINTS_MAX)
        if self.max_share_percent is not None:
            require_setting(self.max_share_percent, field="max_share_percent", least=1, most=100)
        if type(self.shipping_allowed) is not bool:
            raise ConfigurationError("shipping_allowed must be True or False.", field="shipping_allowed")
        if type(self.rewards_beyond_limits) is not bool:
            raise ConfigurationError("rewards_beyond_limits must be True or False.", field="rewards_beyond_limits")
        require_setting(self.money_minimum_minor, field="money_minimum_minor", least=0, most=AMOUNT_MINOR_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableLimits:
    """What points may do in one cart: multiples of `step`, at least `first`, at most what every bound allows.

    `bounds` are the upper ones, the tightest first; `min_points` is the rule behind `first`, which is on step.
    `mandatory`: so many are bound to lines of the cart.
    """

    min_points: int
    step: int
    bounds: tuple[Reason, ...]
    mandatory: int = 0
    tightest: Reason = field(init=False)
    """The bound that decides."""
    first: int = field(init=False)
    """The smallest number on step that is not below the minimum."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tightest", self.bounds[0])
        object.__setattr__(self, "first", self.up(self.min_points))

    def down(self, points: int) -> int:
        """The next number on step that is not more."""
        return points // self.step * self.step

    def up(self, points: int) -> int:
        """The next number on step that is not less."""
        return ceil_div(points, self.step) * self.step

    def fewest(self, value_minor: int, rate: Rate) -> int:
        """The fewest points on step, not below the minimum, that are worth at least so much of the rate's currency."""
        return max(self.first, self.up(rate.fewest_for_minor(value_minor)))


def payable_minor(cart: Cart, rules: ShopRules, bound: Sequence[Bound] = ()) -> tuple[int, ...]:
    """What points may pay of each gross line, in the smallest unit: what other tenders leave of the allowed ones.

    Besides what those pay that are `bound` to the lines.
    """
    lefts = left_minor(cart.gross_lines, bound, cart.other_tenders_minor) if bound else cart.left_minor
    return tuple(
        left if line.points_allowed and (rules.shipping_allowed or line.id != SHIPPING_ID) else 0
        for line, left in zip(cart.gross_lines, lefts, strict=True)
    )


def usable_limits(
    *, cart: Cart, available: int, rate: Rate, limits: Limits, rules: ShopRules, bound: Sequence[Bound] = ()
) -> UsableLimits:
    """The provider's and the shop's rules for this cart, put together: the stricter of each.

    A share is one of the order's total, before any tender. Steps count from zero; two steps meet in their least
    common multiple. A programme that pays in another currency bounds the points to 0. Points that are `bound` to the
    cart's lines are the least; they are beyond the shop's own share and maximum where its rules say so.
    """
    mandatory, worth_minor = sum(part.points for part in bound), sum(part.minor for part in bound)
    beyond = (mandatory, worth_minor) if rules.rewards_beyond_limits else (0, 0)
    step = math.lcm(max(1, limits.step), rules.step)
    min_points = max(1, limits.min_points, rules.min_points, mandatory)
    currencies = {cart.currency, rate.currency} | (
        {limits.max_value.currency} if limits.max_value is not None else set()
    )
    if len(currencies) > 1:
        bounds: tuple[Reason, ...] = (Reason(code="currency", points=0),)
        return UsableLimits(min_points=min_points, step=step, bounds=bounds, mandatory=mandatory)
    found = [Reason(code="balance", points=min(max(0, available), POINTS_MAX))]
    for code, amount_minor in _value_bounds(cart, limits, rules, bound, beyond_minor=beyond[1]):
        found.append(Reason(code=code, points=min(rate.most_for_minor(amount_minor), POINTS_MAX)))
    for most, least in ((limits.max_points, 0), (rules.max_points, beyond[0])):
        if most is not None:
            found.append(Reason(code="maximum", points=max(least, most)))
    # Stable: of two bounds that are equally tight, the one named first is the reason.
    bounds = tuple(sorted(found, key=lambda reason: reason.points))
    return UsableLimits(min_points=min_points, step=step, bounds=bounds, mandatory=mandatory)


def _value_bounds(
    cart: Cart, limits: Limits, rules: ShopRules, bound: Sequence[Bound], *, beyond_minor: int
) -> list[tuple[ReasonCode, int]]:
    """The bounds on what the points may be worth, in the smallest unit of the cart's currency."""
    payable = cart.payable.amount_minor
    found: list[tuple[ReasonCode, int]] = [("cart", payable)]
    allowed = sum(part.minor for part in bound) + sum(payable_minor(cart, rules, bound))
    if allowed < payable:
        found.append(("articles", allowed))
    for percent, least_minor in ((limits.max_share_percent, 0), (rules.max_share_percent, beyond_minor)):
        if percent is not None:
            share_minor = cart.total.amount_minor * min(max(0, percent), 100) // 100
            found.append(("share", max(share_minor, least_minor)))
    if limits.max_value is not None:
        found.append(("maximum", limits.max_value.amount_minor))
    return found
