"""One shop that trades: its customers, its chance, its provider's clock; and the steps that its stories are made of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from flask import Flask, current_app

from punktgenau import PunktgenauError
from punktgenau.voucher_records import Voucher

from . import catalogue, clerk, clock, orders, return_desk, returns, till
from .app import create_app
from .cart import CartLine, ShopCart
from .control import SandboxControl
from .customers import SEEDED
from .database import connect
from .orders import Address, Order
from .payments import Method
from .points import points
from .settings import Settings

_CUSTOMERS = 24


@dataclass(frozen=True, kw_only=True)
class Story:
    """What becomes of an order: how often, how it is paid, and what happens afterwards.

    `skus`: these articles, one of each; else so many as `articles` says, by chance. `wish`: so many points, which
    its customer has; else by chance. `vouchers`: of these values in cents, its customer's own. `expire_in`: how many
    minutes after the order 300 of the points end.
    """

    weight: int = 0
    method: Method = "card"
    uses_points: bool = True
    articles: tuple[int, ...] = (1, 1, 2, 2, 3, 4)
    skus: tuple[str, ...] = ()
    wish: int | None = None
    vouchers: tuple[int, ...] = ()
    expire_in: int | None = None
    in_parcels: bool = False
    before: "Callable[[Trade], None] | None" = None
    after: "Callable[[Trade, Order], None]"


class Trade:
    """One shop that trades: its customers, its chance, its provider's clock."""

    def __init__(self, control: SandboxControl) -> None:
        self.control = control
        self.chance = Random(7)
        self._by_rule: dict[str, Flask] = {}
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
        if story.wish:
            self.control.add_points(f"mbr_{customer_id}", points=story.wish)
        if story.expire_in is not None:
            until = clock.now() + timedelta(minutes=story.expire_in)
            self.control.add_points(f"mbr_{customer_id}", points=300, expire_at=until)
        order = orders.place(
            self._cart(story),
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
        wish = (story.wish or self.chance.choice((53, 100, 427, 611, 999))) if story.uses_points else 0
        vouchers = self._vouchers(customer_id, story.vouchers)
        if story.before:
            story.before(self)
        try:
            till.pay(order, number=1, method=story.method, wish=wish, vouchers=vouchers, in_parcels=story.in_parcels)
        except PunktgenauError:
            # Fewer points than wished for: then without, as a customer would.
            till.pay(order, number=2, method=story.method, wish=0)
        return order

    def _vouchers(self, customer_id: str, values: tuple[int, ...]) -> list[Voucher]:
        """Those of these values, the first in front; the first of an order keeps what is left over."""
        for number, value_minor in enumerate(values):
            residual = "lost" if number else "keeps"
            self.control.give_voucher(f"mbr_{customer_id}", value_minor=value_minor, residual=residual)
        newest = points.checkout.vouchers(customer_id)[: len(values)] if values else ()
        return [*reversed(newest)]

    def later(self, minutes: int) -> None:
        self.control.advance(advance_s=minutes * 60)
        clock.of_app().forget()

    @contextmanager
    def under(self, expired_points: str) -> Iterator[None]:
        """The same shop by another rule for points that come back expired, as it had it at that time."""
        if expired_points not in self._by_rule:
            settings: Settings = current_app.extensions["shop_settings"]
            self._by_rule[expired_points] = create_app(settings, {"PUNKTGENAU_EXPIRED_POINTS": expired_points})
        with self._by_rule[expired_points].app_context():
            clock.of_app().forget()
            yield

    def ask(self, order: Order, *, everything: bool = False) -> str | None:
        """The parcel leaves, and its customer asks for a return; None: nothing of it can come back."""
        self.ship(order)
        rest = {sku: count for sku, count in returns.left(order).items() if count}
        chosen = rest if everything else dict(list(rest.items())[:1])
        if not now(order).shipped_at or not chosen:
            return None
        reason = self.chance.choice(returns.REASONS)
        return returns.ask(now(order), chosen, reason=reason, draft="fill").reference

    def ship(self, order: Order) -> None:
        self.later(40)
        till.ship_order(now(order))

    def _cart(self, story: Story) -> ShopCart:
        if story.skus:
            chosen = [article for article in catalogue.FOR_MONEY if article.sku in story.skus]
            return ShopCart(tuple(CartLine(article, 1) for article in chosen))
        chosen = self.chance.sample(catalogue.FOR_MONEY, k=self.chance.choice(story.articles))
        return ShopCart(tuple(CartLine(article, self.chance.choice((1, 1, 1, 2))) for article in chosen))


def confirm(order: Order, reference: str | None) -> None:
    """The clerk confirms a return, if there is one."""
    wanted = returns.find(reference) if reference else None
    if wanted is not None:
        return_desk.confirm(now(order), wanted, by=clerk.NAME)


def now(order: Order) -> Order:
    """The order as it is by now."""
    return orders.find(order.reference) or order
