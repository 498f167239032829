"""Cart + balance + rules -> how many points may be used, what they are worth, what stays due."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from punktgenau.checkout.affordable import RewardQuote, affordable, rewards_of
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.counting import Counting
from punktgenau.checkout.rules import Reason, ReasonCode, ShopRules
from punktgenau.checkout.vouchers import CartVoucher
from punktgenau.codes import CODES
from punktgenau.errors import InsufficientPointsError, InvalidArgumentError, PunktgenauError
from punktgenau.money import POINTS_MAX, Money, Rate, require_points
from punktgenau.provider import Limits

__all__ = [
    "CODE_OF_REASON",
    "CartQuote",
    "Neighbour",
    "Reason",
    "ReasonCode",
    "RewardQuote",
    "parse_points",
    "quote",
    "refusal",
    "rewards_of",
    "unaffordable",
]

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
        "reward": "reward_needs_points",
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
    `rewards` are the lines that points must pay, in the cart's order: the `mandatory` points of those that are
    affordable are part of `points`. As long as a line is `unaffordable`, the cart cannot be placed.
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
    rewards: tuple[RewardQuote, ...] = ()
    vouchers: tuple[CartVoucher, ...] = ()
    """What vouchers pay of `total` before points do, and what each leaves over; told before it is used up."""

    @property
    def mandatory(self) -> int:
        """The points that affordable lines must be paid with; no fewer can be used."""
        return sum(line.points for line in self.rewards if line.reason is None)

    @property
    def unaffordable(self) -> tuple[str, ...]:
        """The ids of the lines that points must pay and cannot, in the cart's order."""
        return tuple(line.line_id for line in self.rewards if line.reason is not None)

    @property
    def payable(self) -> Money:
        """The total without what other tenders pay."""
        return self.value + self.due

    @property
    def is_paid_by_vouchers(self) -> bool:
        """Whether vouchers leave nothing to points and money; then all points that can be used are none."""
        return bool(self.vouchers) and not self.payable


def quote(
    *, cart: Cart, available: int, rate: Rate, limits: Limits, rules: ShopRules, asked: int | Literal["all"]
) -> CartQuote:
    """What becomes of `asked` points in this cart; 0 asks for nothing but the limits.

    The number is clamped to the limits: from above to the tightest bound, from below up to the minimum; between two
    steps it goes down. Of numbers with the same worth the fewest that fit are used; points worth nothing are refused
    (0). What stays due is 0 or at least the shop's money minimum: otherwise the next lower number is used (0 where
    there is none), and it is offered as a neighbour, with the one that pays everything.
    What lines must be paid with is the least, also where fewer are asked for; of several such lines the first in the
    cart come first. Raises InvalidArgumentError for a number that cannot be meant, and with the code `reward_price` for
    a line that costs less than its points are worth.
    """
    counting, rewards = affordable(cart=cart, available=available, rate=rate, limits=limits, rules=rules)
    available = min(max(0, available), POINTS_MAX)
    wanted = available if asked == "all" else require_points(asked, least=0)
    is_asked = bool(wanted) or asked == "all" or counting.usable.mandatory > 0
    points, reasons = counting.clamp(wanted) if is_asked else (0, ())
    neighbours: tuple[Neighbour, ...] = ()
    if points and not counting.payable_rest(points):
        lower, upper = counting.lower(), counting.upper()
        points = lower or (upper if counting.usable.mandatory else 0)
        reasons = (*reasons, Reason(code="money_minimum", points=points))
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
        step=counting.usable.step,
        rate=rate,
        reasons=reasons,
        neighbours=neighbours,
        rewards=rewards,
        vouchers=cart.vouchers,
    )
    _check(made, counting)
    return made


def _check(made: CartQuote, counting: Counting) -> None:
    """A quote that contradicts itself must never reach a customer."""
    offers = [(made.points, made.value, made.due)]
    offers += [(near.points, near.value, near.due) for near in made.neighbours]
    for points, value, due in offers:
        if points == 0:
            fits = not value
        else:
            fits = (
                0 < value.amount_minor == made.rate.worth_minor(points)
                and value.currency == made.rate.currency
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
    told = (reason for reason in made.reasons if reason.code != "fewest")
    reason = next((one for one in told if one.code != "reward" or made.asked < made.mandatory), None)
    if reason is None:
        return None
    code = CODE_OF_REASON[reason.code]
    return CODES[code].error(
        f"{made.asked} points cannot be used: {CODES[code].cause}", code=code, field="points", remaining=made.most
    )


def unaffordable(made: CartQuote) -> InsufficientPointsError | None:
    """The typed error for who places a cart with a line that points must pay and cannot; it names the first one."""
    line = next((line for line in made.rewards if line.reason is not None), None)
    if line is None or line.reason is None:
        return None
    return InsufficientPointsError(
        f"Line {line.line_id!r} must be paid with {line.points} points: {CODES[CODE_OF_REASON[line.reason]].cause} "
        "Nothing is held; take it out of the cart, the rest of it stays.",
        code="reward_points_missing",
        field=line.line_id,
        remaining=made.most,
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
