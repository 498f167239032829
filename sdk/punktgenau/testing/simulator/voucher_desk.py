"""Where a shop's process asks what the vouchers of an order are worth, before it is placed with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from punktgenau import NotSentError, UnavailableError
from punktgenau.checkout import Checkout
from punktgenau.testing.simulator import buying
from punktgenau.testing.simulator.brought import code_of
from punktgenau.testing.simulator.shop import Bought, Told
from punktgenau.voucher_records import Voucher

PRICES = {"voucher_10": 1000, "voucher_25": 2500}
"""What points buy here, and for how many."""

if TYPE_CHECKING:
    from punktgenau.testing.simulator.world import World


@dataclass(frozen=True, slots=True)
class VoucherDesk:
    """Keeps with an order what was seen of its vouchers; `told` makes a call and writes down what it came to."""

    world: World
    checkout: Checkout
    told: Callable[[str, str, Callable[[], None]], Told]

    def shown(self, order: Bought, numbers: tuple[int, ...]) -> tuple[Voucher, ...] | None:
        """These vouchers as the provider shows them; None: it does not, and the customer is told to try again."""
        seen = [number for number in numbers if number in order.shown]
        for number in numbers:
            if number not in seen and self._is_away(order, partial(self._look_up, order, number)):
                return None
        if seen and order.plan.looks_again and self._is_away(order, partial(self._look_again, order, seen)):
            return None
        bought: list[Voucher] = []
        if order.bought and self._is_away(order, partial(self._its_own, order, bought)):
            return None
        return (*(order.shown[number] for number in numbers if number in order.shown), *bought)

    def get(self, order: Bought) -> None:
        """The customer buys a voucher for it, on one form: whoever sends that twice buys once."""
        form, product_id = f"form0{order.reference.replace('-', '')}x", order.plan.gets

        def buy() -> None:
            made = self.checkout.buy_voucher(order.plan.customer, product_id, points=PRICES[product_id], form=form)
            if made.state == "done" and made.provider_id is not None and made.provider_id not in order.bought:
                order.bought.append(made.provider_id)
            buying.compare(self.world, order, made)

        self.told("buy", order.reference, buy)

    def _its_own(self, order: Bought, found: list[Voucher]) -> None:
        found.extend(self.checkout.vouchers_now(order.bought))

    def _is_away(self, order: Bought, ask: Callable[[], None]) -> bool:
        told = self.told("look_up", order.reference, ask)
        return isinstance(told.error, NotSentError | UnavailableError)

    def _look_up(self, order: Bought, number: int) -> None:
        owner = self.world.plan.vouchers[number].owner
        if owner is None:
            order.shown[number] = self.checkout.look_up_voucher(code_of(number))
            return
        for one in self.checkout.vouchers(owner):
            if one.id == self.world.vouchers[number]:
                order.shown[number] = one

    def _look_again(self, order: Bought, numbers: list[int]) -> None:
        found = self.checkout.vouchers_now([order.shown[number].id for number in numbers])
        order.shown.update(zip(numbers, found, strict=True))
