"""Reward articles in an order that changes: their points stay with them, and none are left without theirs. Pure."""

from __future__ import annotations

import json

from punktgenau.checkout.books import Books
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.frozen import thaw
from punktgenau.checkout.rewards import at_rate, check_prices
from punktgenau.checkout.rules import ShopRules, payable_minor
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.standing import Standing
from punktgenau.errors import InsufficientPointsError, InvalidArgumentError
from punktgenau.money import Rate


def fits_minor(cart: Cart, rate: Rate, rules: ShopRules) -> int:
    """What points may pay of a cart, with what they must, in the smallest unit.

    Raises InvalidArgumentError (`reward_price`) where they must pay more than there is to pay.
    """
    if not cart.reward_points:
        return sum(payable_minor(cart, rules))
    check_prices(cart.gross_lines, rate)
    bound = at_rate(cart.gross_lines, rate)
    must_minor = sum(part.minor for part in bound)
    if must_minor > cart.payable.amount_minor:
        raise InvalidArgumentError(
            f"Points must pay {must_minor} of this order, and other tenders leave {cart.payable.amount_minor} of it "
            "(smallest unit). Nothing was amended.",
            code="reward_price",
            field="other_tenders_minor",
        )
    return must_minor + sum(payable_minor(cart, rules, bound))


def require_rewards(row: RedemptionRow, needs: int, *, has: int, left: int) -> None:
    """Raises InsufficientPointsError where reward articles were added, and too few of its points are left for them."""
    if needs > max(has, left):
        raise InsufficientPointsError(
            f"The reward articles of order {row.order_reference} need {needs} points, and {left} of those that pay it "
            "are left. Nothing was amended; leave them out, or sell them in an order of their own.",
            code="reward_points_missing",
            remaining=left,
        )


def bound_left(at: Standing) -> int:
    """The points that are bound to units which did not come back."""
    return sum(line.reward_points * (line.quantity - at.history.of(line).quantity) for line in at.allocation.lines)


def bound_to_come(books: Books) -> int:
    """The points that were bound to units as the order was placed, and did not leave with any parcel since."""
    of_unit = {line.id: line.reward_points for line in thaw(books.redemption.cart).lines}
    left = 0
    for one in books.shipments:
        left += sum(of_unit.get(line_id, 0) * int(quantity) for line_id, quantity in json.loads(one.lines).items())
    return max(0, sum(line.bound_points for line in thaw(books.redemption.cart).lines) - left)
