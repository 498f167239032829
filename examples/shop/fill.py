"""Three weeks of trade at once: hundreds of orders in all states, each made by the shop's own till and the real engine.

Started by the drawer's button or by hand: SHOP_DATA=FOLDER python -m examples.shop.fill
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import click

from punktgenau import PunktgenauError

from . import catalogue, clerk, clock, filling, orders, payments, return_desk, returns, till
from .app import create_app
from .cart import CartLine, ShopCart
from .control import SandboxAwayError, SandboxControl
from .customers import SEEDED
from .database import connect
from .orders import Address, Order
from .payments import Method
from .points import points

ORDERS = 300
_DAYS = 21
_CUSTOMERS = 24
_RECENT = 14
_EACH = 25
"""So many orders are followed by one look of the worker's."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """What becomes of an order: how often, how it is paid, and what happens afterwards."""

    weight: int
    method: Method
    uses_points: bool = True
    articles: tuple[int, ...] = (1, 1, 2, 2, 3, 4)
    after: "Callable[[Trade, Order], None]"


class Trade:
    """One shop that trades: its customers, its chance, its provider's clock."""

    def __init__(self, control: SandboxControl) -> None:
        self.control = control
        self.chance = Random(7)
        self.customers = [f"{SEEDED}{number:02}" for number in range(1, _CUSTOMERS + 1)]

    def open_accounts(self) -> None:
        """Customers whose accounts have been linked on earlier days."""
        for number, customer_id in enumerate(self.customers, start=1):
            member_id = f"mbr_{customer_id}"
            self.control.put_member(member_id, points=number * 977 % 9000 + 400)
            points.checkout.link(customer_id, member_id=member_id, consent_id=f"con_{customer_id}")
            connect().execute(
                "INSERT OR IGNORE INTO customers VALUES (?, 0, ?, ?, '10115', 'Berlin')",
                (customer_id, f"{customer_id}@example.org", f"Musterstraße {number}"),
            )

    def order(self, number: int, story: Story) -> Order:
        """One order, from the cart to the till."""
        customer_id = self.chance.choice(self.customers)
        many = self.chance.choice(story.articles)
        chosen = self.chance.sample(catalogue.ARTICLES, k=many)
        cart = ShopCart(tuple(CartLine(article, self.chance.choice((1, 1, 1, 2))) for article in chosen))
        order = orders.place(
            cart,
            Address(
                name=f"Demo {customer_id.removeprefix(SEEDED)}",
                email=f"{customer_id}@example.org",
                street=f"Musterstraße {customer_id.removeprefix(SEEDED)}",
                postcode="10115",
                city="Berlin",
            ),
            draft=f"fill-{number}",
            owner=customer_id,
            customer_id=customer_id,
            language=self.chance.choice(("de", "de", "en", "zh")),
        )
        wish = self.chance.choice((53, 100, 427, 611, 999)) if story.uses_points else 0
        try:
            till.pay(order, number=1, method=story.method, wish=wish)
        except PunktgenauError:
            # Fewer points than wished for: then without, as a customer would.
            till.pay(order, number=2, method=story.method, wish=0)
        return order

    def later(self, minutes: int) -> None:
        self.control.advance(advance_s=minutes * 60)
        clock.of_app().forget()


def fill(control: SandboxControl, wanted: int) -> Iterator[int]:
    """Trade until there are so many orders; tells how many there are. Raises SandboxAwayError."""
    trade = Trade(control)
    trade.open_accounts()
    names, weights = list(_STORIES), [story.weight for story in _STORIES.values()]
    minutes = _DAYS * 24 * 60 // wanted
    for number in range(1, wanted + 1):
        is_recent = number > wanted - _RECENT
        name = _ENDINGS[number % len(_ENDINGS)] if is_recent else trade.chance.choices(names, weights)[0]
        story = _STORIES[name]
        story.after(trade, trade.order(number, story))
        if not is_recent:
            trade.later(trade.chance.randint(minutes // 2, minutes * 3 // 2))
        if number % _EACH == 0:
            points.checkout.recover()
        filling.note(number)
        yield number


def _nothing(_trade: Trade, _order: Order) -> None:
    """The order stays as the till left it."""


def _ship(trade: Trade, order: Order) -> None:
    trade.later(40)
    till.ship_order(_now(order))


def _bank_pays(_trade: Trade, order: Order) -> None:
    till.confirm_payment(order.reference)
    till.ship_order(_now(order))


def _bank_refuses(_trade: Trade, order: Order) -> None:
    till.refuse_payment(order.reference)


def _cancel(trade: Trade, order: Order) -> None:
    trade.later(15)
    till.cancel_order(_now(order))


def _another_card(trade: Trade, order: Order) -> None:
    trade.later(3)
    newest = payments.newest(order.reference)
    till.pay(_now(order), number=newest.number + 1 if newest else 1, method="card", wish=0)
    _ship(trade, order)


def _ask(trade: Trade, order: Order, *, everything: bool = False) -> str | None:
    _ship(trade, order)
    rest = {sku: count for sku, count in returns.left(order).items() if count}
    chosen = rest if everything else dict(list(rest.items())[:1])
    if not _now(order).shipped_at or not chosen:
        return None
    reason = trade.chance.choice(returns.REASONS)
    return returns.ask(_now(order), chosen, reason=reason, draft="fill").reference


def _return_asked(trade: Trade, order: Order) -> None:
    _ask(trade, order)


def _return_refused(trade: Trade, order: Order) -> None:
    if reference := _ask(trade, order):
        returns.refuse(reference, by=clerk.NAME)


def _return_part(trade: Trade, order: Order) -> None:
    _confirm(order, _ask(trade, order))


def _return_all(trade: Trade, order: Order) -> None:
    _confirm(order, _ask(trade, order, everything=True))


def _return_lost(trade: Trade, order: Order) -> None:
    """The provider refuses to take points back in part, for a moment: a person has to look at it."""
    reference = _ask(trade, order)
    trade.control.play_profile("no_partial_reversal")
    try:
        _confirm(order, reference)
    finally:
        trade.control.play_profile("reference")


def _short(trade: Trade, order: Order) -> None:
    """The hold ends, the points are spent elsewhere, and then the bank pays."""
    trade.later(3 * 60)
    points.checkout.recover()
    member_id = f"mbr_{order.customer_id}"
    trade.control.put_member(member_id, points=0)
    till.confirm_payment(order.reference)
    points.checkout.recover()
    trade.control.put_member(member_id, points=2400)


def _confirm(order: Order, reference: str | None) -> None:
    wanted = returns.find(reference) if reference else None
    if wanted is not None:
        return_desk.confirm(_now(order), wanted, by=clerk.NAME)


def _now(order: Order) -> Order:
    return orders.find(order.reference) or order


_STORIES = {
    "shipped": Story(weight=34, method="card", after=_ship),
    "without_points": Story(weight=16, method="card", uses_points=False, after=_ship),
    "bank": Story(weight=12, method="bank", after=_bank_pays),
    "cancelled": Story(weight=7, method="card", after=_cancel),
    "cancelled_unpaid": Story(weight=4, method="bank", after=_cancel),
    "bank_refused": Story(weight=3, method="bank", after=_bank_refuses),
    "forgotten": Story(weight=4, method="bank", after=_nothing),
    "declined": Story(weight=3, method="card_declined", after=_nothing),
    "another_card": Story(weight=4, method="card_declined", after=_another_card),
    "returned": Story(weight=9, method="card", after=_return_part),
    "returned_all": Story(weight=5, method="card", after=_return_all),
    "return_refused": Story(weight=2, method="card", after=_return_refused),
    "return_lost": Story(weight=2, method="card", articles=(3,), after=_return_lost),
    "short": Story(weight=1, method="bank", after=_short),
    "return_asked": Story(weight=0, method="card", after=_return_asked),
    "to_pack": Story(weight=0, method="card", after=_nothing),
    "waiting": Story(weight=0, method="bank", after=_nothing),
}
# What is still going on at the end.
_ENDINGS = ("to_pack", "return_asked", "waiting", "to_pack", "return_asked")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.shop.fill", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS, help=f"how many orders ({ORDERS})")
    wanted = parser.parse_args(argv).orders
    app = create_app()
    control: SandboxControl = app.extensions["shop_control"]
    with app.app_context():
        if not filling.begin(wanted):
            print("This shop has been filled already.")
            return 0
        try:
            with click.progressbar(fill(control, wanted), length=wanted, label="Orders", file=sys.stderr) as bar:
                for _ in bar:
                    pass
        except SandboxAwayError as error:
            print(f"The sandbox has gone. {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
