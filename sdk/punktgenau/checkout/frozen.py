"""The cart as the journal keeps it from the moment of placement: returns, invoices and the provider's lines need it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from punktgenau.checkout.allocation import Allocation, spread
from punktgenau.checkout.cart import SHIPPING_ID, Cart, GrossLine
from punktgenau.checkout.rewards import FREE, Bound, at_rate, left_minor, of_order
from punktgenau.checkout.rules import ShopRules
from punktgenau.checkout.vouchers import CartVoucher, kept
from punktgenau.money import Rate


@dataclass(frozen=True, slots=True)
class FrozenCart:
    """Gross lines with shipping among them, and what other tenders (gift cards) paid first, in the smallest unit."""

    lines: tuple[GrossLine, ...]
    other_tenders_minor: int

    def allocation(self, *, points: int, value_minor: int, currency: str) -> Allocation:
        """Who pays which line. The same numbers give the same answer for ever, so it is reckoned and never stored."""
        bound = of_order(self.lines, points=points, value_minor=value_minor)
        left = self._left(self.lines, bound)
        return _spread(self.lines, left, bound, points=points, value_minor=value_minor, currency=currency)

    def allocation_in_part(
        self, shipped: Mapping[str, int], *, points: int, value_minor: int, taken: tuple[int, int], currency: str
    ) -> Allocation:
        """The same where some units had left before: `taken`, points and worth, pays those, and the rest all else."""
        here, rest = self.split(shipped)
        bound = (
            *of_order(here, points=taken[0], value_minor=taken[1]),
            *of_order(rest, points=points - taken[0], value_minor=value_minor - taken[1]),
        )
        left, many = self._left((*here, *rest), bound), len(here)
        gone = _spread(here, left[:many], bound[:many], points=taken[0], value_minor=taken[1], currency=currency)
        to_come = _spread(
            rest,
            left[many:],
            bound[many:],
            points=points - taken[0],
            value_minor=value_minor - taken[1],
            currency=currency,
        )
        return Allocation(
            points=points,
            value_minor=value_minor,
            currency=currency,
            lines=(
                *(replace(line, parcel=0) for line in gone.lines),
                *(replace(line, start_minor=line.start_minor + gone.blocks[1][1]) for line in to_come.lines),
            ),
            taken=taken,
            bound=(*(((line_id, True), own) for (line_id, _), own in gone.bound), *to_come.bound),
        )

    def payable_in_part(self, shipped: Mapping[str, int], rate: Rate | None = None) -> tuple[int, int]:
        """What points may pay of what has left, and of all else; without a rate, where none are bound to a line."""
        here, rest = self.split(shipped)
        lines = (*here, *rest)
        bound = [FREE] * len(lines) if rate is None else at_rate(lines, rate)
        payable = [
            part.minor + free for part, free in zip(bound, _payable(lines, self._left(lines, bound)), strict=True)
        ]
        return sum(payable[: len(here)]), sum(payable[len(here) :])

    @property
    def reward_points(self) -> int:
        """The points that must pay some of its lines."""
        return sum(line.bound_points for line in self.lines)

    def split(self, shipped: Mapping[str, int]) -> tuple[tuple[GrossLine, ...], tuple[GrossLine, ...]]:
        """What has left, and all else."""
        units = {line.id: line.quantity for line in self.lines}
        if any(quantity > units.get(line_id, 0) for line_id, quantity in shipped.items()):
            raise AssertionError(f"{shipped} cannot have left of {units}")
        here, rest = [], []
        for line in self.lines:
            quantity = shipped.get(line.id, 0)
            part = line.amount_minor * quantity // line.quantity
            if quantity:
                here.append(replace(line, quantity=quantity, amount_minor=part))
            if quantity < line.quantity:
                more = replace(line, quantity=line.quantity - quantity, amount_minor=line.amount_minor - part)
                rest.append(more)
        return tuple(here), tuple(rest)

    def fitting(self, value_minor: int) -> FrozenCart:
        """The same, and points may pay so much of it: what they may not pay came back first, where that is too much."""
        if sum(_payable(self.lines, self._left(self.lines, ()))) >= value_minor:
            return self
        return replace(self, lines=tuple(replace(line, points_allowed=True) for line in self.lines))

    def text(self) -> str:
        """As the journal keeps it."""
        names = ("id", "sku", "quantity", "amount_minor", "vat_rate")
        return _text(
            [{name: getattr(line, name) for name in names} for line in self.lines],
            [line.id for line in self.lines if not line.points_allowed],
            self.lines,
            self.other_tenders_minor,
        )

    def _left(self, lines: Sequence[GrossLine], bound: Sequence[Bound]) -> list[int]:
        """What bound points and other tenders leave of each line."""
        return left_minor(lines, bound or [FREE] * len(lines), self.other_tenders_minor)


def _spread(
    lines: Sequence[GrossLine],
    left: Sequence[int],
    bound: Sequence[Bound],
    *,
    points: int,
    value_minor: int,
    currency: str,
) -> Allocation:
    return spread(
        lines,
        left_minor=left,
        payable_minor=_payable(lines, left),
        points=points,
        value_minor=value_minor,
        currency=currency,
        bound=bound,
    )


def _payable(lines: Sequence[GrossLine], left: Sequence[int]) -> list[int]:
    return [part if line.points_allowed else 0 for line, part in zip(lines, left, strict=True)]


def freeze(cart: Cart, rules: ShopRules) -> str:
    """A cart as the journal's text; what points may not pay by the shop's rules is frozen with it."""
    excluded = [
        line.id
        for line in cart.gross_lines
        if not line.points_allowed or (line.id == SHIPPING_ID and not rules.shipping_allowed)
    ]
    lines: list[dict[str, str | int]] = [
        {
            "id": line.id,
            "sku": line.sku,
            "quantity": line.quantity,
            "amount_minor": line.amount_minor,
            "vat_rate": line.vat_rate,
        }
        for line in cart.gross_lines
    ]
    return _text(lines, excluded, cart.gross_lines, cart.other_tenders_minor, cart.vouchers)


def needs_points(text: str) -> bool:
    """Whether points must pay some of its lines: read from the text, as each payment that is shown asks it."""
    return '"reward_points":' in text


def _text(
    lines: list[dict[str, str | int]],
    excluded: list[str],
    made_of: Sequence[GrossLine],
    other_tenders_minor: int,
    vouchers: Sequence[CartVoucher] = (),
) -> str:
    content: dict[str, object] = {"lines": lines, "excluded": excluded, "other_tenders_minor": other_tenders_minor}
    # A cart without them reads as it always did.
    if rewards := {line.id: line.reward_points for line in made_of if line.reward_points}:
        content["reward_points"] = rewards
    if vouchers:
        content["vouchers"] = kept(vouchers)
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def thaw(text: str) -> FrozenCart:
    """The journal's text as a cart again."""
    content = json.loads(text)
    excluded, rewards = frozenset(content["excluded"]), content.get("reward_points", {})
    return FrozenCart(
        lines=tuple(
            GrossLine(**line, points_allowed=line["id"] not in excluded, reward_points=rewards.get(line["id"], 0))
            for line in content["lines"]
        ),
        other_tenders_minor=content["other_tenders_minor"],
    )
