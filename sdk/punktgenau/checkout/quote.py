"""Cart + balance + rules -> how many points may be used, what they are worth, what stays due."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from punktgenau.checkout.cart import Cart
from punktgenau.checkout.rules import Reason, ReasonCode, ShopRules, UsableLimits, usable_limits
from punktgenau.codes import CODES
from punktgenau.errors import InvalidArgumentError, PunktgenauError
from punktgenau.money import POINTS_MAX, Money, Rate, require_points
from punktgenau.provider import Limits

__all__ = ["CODE_OF_REASON", "CartQuote", "Neighbour", "Reason", "ReasonCode", "parse_points", "quote", "refusal"]

CODE_OF_REASON: Mapping[ReasonCode, str] = MappingProxyType(
    {
        "balance": "insufficient_points",
        "cart": "exceeds_total",
        "articles": "articles_excluded",
        "minimum": "below_minimum",
        "maximum": "above_maximum",
        "share": "share_exceeded",
        "step": "step_mismatch",
        "money_minimum": "money_minimum",
        "worthless": "worthless",
        "currency": "currency_not_offered",
    }
)
"""The error code that a reason becomes; "fewest" never is an error, as it costs the customer nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A number of points near the one asked for that leaves a payable rest."""

    points: int
    value: Money
    due: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CartQuote:
    """Points for this cart now: asked, usable, their worth and what stays due; never a promise of balance.

    `points` is 0 when none can be used; `reasons` says why it differs from `asked` ("all" asks for what is available);
    `neighbours` are offered where the rest would be too small to pay. `most` is "use all", `least` the smallest usable
    number (0: nothing is usable). `total` is before any tender, `payable` is what points and money pay together.
    """

    asked: int
    points: int
    value: Money
    total: Money
    due: Money
    available: int
    least: int
    most: int
    step: int
    rate: Rate
    reasons: tuple[Reason, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()

    @property
    def payable(self) -> Money:
        """The total without what other tenders pay."""
        return self.value + self.due


def quote(
    *, cart: Cart, available: int, rate: Rate, limits: Limits, rules: ShopRules, asked: int | Literal["all"]
) -> CartQuote:
    """What becomes of `asked` points in this cart; 0 asks for nothing but the limits.

    The number is clamped to the limits: from above to the tightest bound, from below up to the minimum; between two
    steps it goes down. Of numbers with the same worth the fewest that fit are used; points worth nothing are refused
    (0). What stays due is 0 or at least the shop's money minimum: otherwise the next lower number is used (0 where
    there is none), and it is offered as a neighbour, with the one that pays everything.
    Raises InvalidArgumentError for a number that cannot be meant.
    """
    usable = usable_limits(cart=cart, available=available, rate=rate, limits=limits, rules=rules)
    counting = _Counting(payable=cart.payable, rate=rate, usable=usable, money_minimum_minor=rules.money_minimum_minor)
    available = min(max(0, available), POINTS_MAX)
    wanted = available if asked == "all" else require_points(asked, least=0)
    points, reasons = counting.clamp(wanted) if wanted or asked == "all" else (0, ())
    neighbours: tuple[Neighbour, ...] = ()
    if points and not counting.payable_rest(points):
        lower, upper = counting.lower(), counting.upper()
        points = lower
        reasons = (*reasons, Reason(code="money_minimum", points=lower))
        neighbours = tuple(
            Neighbour(points=near, value=counting.value(near), due=counting.due(near))
            for near in (lower, upper)
            if near
        )
    value = counting.value(points)
    made = CartQuote(
        asked=wanted,
        points=points,
        value=value,
        total=cart.total,
        due=cart.payable - value,
        available=available,
        least=counting.least(),
        most=counting.most(),
        step=usable.step,
        rate=rate,
        reasons=reasons,
        neighbours=neighbours,
    )
    _check(made, counting)
    return made


_ON_WORTH: frozenset[ReasonCode] = frozenset({"cart", "articles", "share"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counting:
    """One amount, one rate, one set of limits: which numbers of points fit. Reckons in the smallest unit."""

    payable: Money
    rate: Rate
    usable: UsableLimits
    money_minimum_minor: int

    def value(self, points: int) -> Money:
        # Without points the rate does not matter, and it may be one of another currency.
        return self.rate.worth(points) if points else Money(amount_minor=0, currency=self.payable.currency)

    def due(self, points: int) -> Money:
        return self.payable - self.value(points)

    def payable_rest(self, points: int) -> bool:
        if points == 0:
            return True
        due_minor = self.payable.amount_minor - self.rate.worth_minor(points)
        return due_minor == 0 or due_minor >= self.money_minimum_minor

    def clamp(self, wanted: int) -> tuple[int, tuple[Reason, ...]]:
        """The number that limits, steps and worth make of `wanted`; the money minimum is not looked at yet."""
        usable, tightest = self.usable, self.usable.tightest
        points = min(wanted, tightest.points)
        reasons = [tightest] if points < wanted or wanted == 0 else []
        if points == 0:
            return 0, tuple(reasons)
        if points < usable.first:
            reasons.append(Reason(code="minimum" if points < usable.min_points else "step", points=usable.first))
            points = usable.first
        if usable.first > tightest.points:
            return 0, tuple(reasons) if tightest in reasons else (*reasons, tightest)
        if points != usable.down(points):
            points = usable.down(points)
            reasons.append(Reason(code="step", points=points))
        value = self.rate.worth(points)
        if not value:
            return 0, (*reasons, Reason(code="worthless", points=self._least_worth_something()))
        fewest = usable.fewest(value, self.rate)
        if fewest == points:
            return points, tuple(reasons)
        if reasons == [tightest] and tightest.code in _ON_WORTH:
            # The worth is the bound, so the points above the fewest are no second thing to tell.
            return fewest, (Reason(code=tightest.code, points=fewest),)
        return fewest, (*reasons, Reason(code="fewest", points=fewest))

    def lower(self) -> int:
        """The most points that leave at least the money minimum; 0 where there are none."""
        room_minor = self.payable.amount_minor - self.money_minimum_minor
        if room_minor <= 0:
            return 0
        room = Money(amount_minor=room_minor, currency=self.payable.currency)
        return self._fit(self.usable.down(min(self.usable.tightest.points, self.rate.most_points(room))))

    def upper(self) -> int:
        """The points that leave nothing to pay; 0 where there are none."""
        points = self.usable.fewest(self.payable, self.rate)
        return points if points <= self.usable.tightest.points and not self.due(points) else 0

    def most(self) -> int:
        points = self._fit(self.usable.down(self.usable.tightest.points))
        return points if self.payable_rest(points) else self.lower()

    def least(self) -> int:
        if self.usable.tightest.points == 0:
            return 0
        points = self._least_worth_something()
        if points > self.usable.tightest.points:
            return 0
        return points if self.payable_rest(points) else self.upper()

    def _fit(self, points: int) -> int:
        """The fewest points worth the same as these, which are on step and not above a bound; 0 where none fit."""
        if points < self.usable.first or not (value := self.rate.worth(points)):
            return 0
        return self.usable.fewest(value, self.rate)

    def _least_worth_something(self) -> int:
        return self.usable.fewest(Money(amount_minor=1, currency=self.payable.currency), self.rate)


def _check(made: CartQuote, counting: _Counting) -> None:
    """A quote that contradicts itself must never reach a customer."""
    offers = [(made.points, made.value, made.due)]
    offers += [(near.points, near.value, near.due) for near in made.neighbours]
    for points, value, due in offers:
        if points == 0:
            fits = not value
        else:
            fits = (
                value == made.rate.worth(points)
                and bool(value)
                and points % made.step == 0
                and counting.usable.first <= points <= counting.usable.tightest.points <= made.available
                and made.least <= points <= made.most
                and counting.payable_rest(points)
            )
        if not fits or value + due != counting.payable:
            raise AssertionError(f"{points} points do not fit into {made} with {counting.usable}")
    if (made.points != made.asked) != bool(made.reasons) and made.asked:
        raise AssertionError(f"reasons do not explain {made}")


def refusal(made: CartQuote) -> PunktgenauError | None:
    """The typed error for who wants the number asked for and no other; None where the customer gets what was asked.

    `.remaining` is the most that is usable.
    """
    reason = next((reason for reason in made.reasons if reason.code != "fewest"), None)
    if reason is None:
        return None
    code = CODE_OF_REASON[reason.code]
    return CODES[code].error(
        f"{made.asked} points cannot be used: {CODES[code].cause}", code=code, field="points", remaining=made.most
    )


_WHOLE = re.compile(r"[1-9][0-9]*")
_NEGATIVE = re.compile(r"-[1-9][0-9]*")


def parse_points(given: object) -> int | Literal["all"]:
    """The number of points that a form or a JSON body asks for, or "all".

    Text is plain ASCII digits without sign, point or leading zero; blanks around it are forgiven. Raises
    InvalidArgumentError with a code for anything else; what was given is never repeated in the message.
    """
    if type(given) is int:
        return require_points(given)
    text = "" if given is None else given.strip(" \t\r\n") if isinstance(given, str) else "?"
    if text == "all":
        return "all"
    if text == "":
        raise InvalidArgumentError("points are missing.", code="points_missing", field="points")
    if text == "0":
        return require_points(0)
    if _NEGATIVE.fullmatch(text):
        return require_points(-1)
    if not _WHOLE.fullmatch(text):
        raise InvalidArgumentError(
            "points must be a whole number in plain digits.", code="points_not_whole", field="points"
        )
    # int() of a text without end takes time without end.
    return require_points(int(text) if len(text) <= len(str(POINTS_MAX)) else POINTS_MAX + 1)
