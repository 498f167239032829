"""The shop of a history: its orders, which outlive every process, and what its processes were told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from punktgenau.checkout import Cart, Line, Payment
from punktgenau.checkout import Order as OrderOfShop
from punktgenau.testing.simulator.schedule import TOTAL_MINOR, Order

OrderState = Literal["missing", "pending", "paid", "cancelled"]

CART = Cart(
    currency="EUR",
    lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")],
    shipping_minor=490,
    shipping_vat_rate="19",
)
"""Two lamps and shipping: 54.80 EUR."""


@dataclass
class Bought:
    """One order in the shop's own database; every change of it is committed at once."""

    reference: str
    plan: Order
    state: OrderState = "missing"
    charged_minor: int = 0
    with_points: bool = False
    """Points paid a part of what was due when it was charged."""
    holders: int = 0
    """How many calls are under way that change how many points the order has."""
    crossed: bool = False
    """Money was taken while such a call was under way: then shop and customer cannot know what was due."""
    uncancelled: bool = False
    """It was cancelled, and nobody has heard from the engine that it knows."""
    wished: set[int] = field(default_factory=set)
    """How many points were ever asked for."""

    @contextmanager
    def holding(self) -> Iterator[None]:
        """A call that changes how many points the order has."""
        self.crossed = self.crossed or self.state == "paid"
        self.holders += 1
        try:
            yield
        finally:
            self.holders -= 1

    def charge(self, due_minor: int) -> None:
        """The rest is paid, and the order says so."""
        self.state, self.charged_minor = "paid", due_minor
        self.with_points = due_minor < TOTAL_MINOR
        self.crossed = self.crossed or self.holders > 0


@dataclass(frozen=True)
class Told:
    """What one call of the engine told the shop, and what the provider's books said at that moment."""

    actor: str
    call: str
    reference: str
    began_us: int
    ended_us: int
    idle_us: int
    """How long the process stood still meanwhile, through no fault of the engine's."""
    payment: Payment | None = None
    error: Exception | None = None
    books: tuple[dict[str, object], ...] = ()
    """The order's redemptions at the provider when it was told."""
    due_minor: int | None = None
    """What is due, where it was told."""
    left_open: tuple[str, ...] = ()
    """Kinds of the operations that this call began, and that were still open when it was told."""
    stood: tuple[str, ...] = ()
    """Every state that the journal had the attempt in that was told of, from the beginning of the call on."""


@dataclass
class Shop:
    """All orders."""

    orders: dict[str, Bought]
    told: list[Told] = field(default_factory=list)
    interrupted: set[str] = field(default_factory=set)
    """Orders for which a call that holds points never came back."""

    def load(self, reference: str) -> OrderOfShop | None:
        """The order loader."""
        order = self.orders.get(reference)
        if order is None or order.state == "missing":
            return None
        return OrderOfShop(reference=reference, state=order.state)


def open_shop(orders: tuple[Order, ...]) -> Shop:
    """A shop whose customers are about to order."""
    if CART.total.amount_minor != TOTAL_MINOR:
        raise AssertionError("the cart is not what the schedule says")
    return Shop({f"A-{number}": Bought(f"A-{number}", order) for number, order in enumerate(orders)})
