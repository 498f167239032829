"""The shop of a history: its orders, which outlive every process, and what its processes were told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from punktgenau import PunktgenauError
from punktgenau.checkout import Cart, Line, Payment, Refund
from punktgenau.checkout import Order as OrderOfShop
from punktgenau.testing.simulator.plans import REWARD_POINTS, TOTAL_MINOR, Order
from punktgenau.voucher_records import Voucher

OrderState = Literal["missing", "pending", "paid", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """One return that a shop may be asked for: units of the lamp, of the shipping an amount, or an amount of all."""

    lamps: int = 0
    shipping_minor: int = 0
    amount_minor: int | None = None

    @property
    def goods_minor(self) -> int:
        """What that costs: a lamp is 24.95 EUR."""
        return self.lamps * 2495 + self.shipping_minor + (self.amount_minor or 0)


BACK = {
    "return": Back(lamps=1),
    "rest": Back(lamps=1, shipping_minor=490),
    "amount": Back(amount_minor=700),
}
"""Every return by its reference. The first two together are the whole order."""
PARCELS = {"parcel": {"lamp": 1}, "last": {"lamp": 1}}
"""Every shipment by its reference, with the units that leave."""

CART = Cart(
    currency="EUR",
    lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19")],
    shipping_minor=490,
    shipping_vat_rate="19",
)
"""Two lamps and shipping: 54.80 EUR."""
REWARDS = Cart(
    currency="EUR",
    lines=[Line(sku="lamp", quantity=2, unit_price_minor=2495, vat_rate="19", reward_points=REWARD_POINTS)],
    shipping_minor=490,
    shipping_vat_rate="19",
)
"""The same, and each lamp must be paid with 25 points and 24.70 EUR."""


@dataclass
class Bought:
    """One order in the shop's own database; every change of it is committed at once."""

    reference: str
    plan: Order
    state: OrderState = "missing"
    charged_minor: int = 0
    with_points: bool = False
    """Points or vouchers paid a part of what was due when it was charged."""
    holders: int = 0
    """How many calls are under way that change how many points the order has."""
    crossed: bool = False
    """Money was taken while such a call was under way: then shop and customer cannot know what was due."""
    uncancelled: bool = False
    """It was cancelled, and nobody has heard from the engine that it knows."""
    is_touched: bool = False
    """The provider has changed something of it by itself."""
    wished: set[int] = field(default_factory=set)
    """How many points were ever asked for."""
    cancelled_ms: int | None = None
    """When the engine knew that it was cancelled, as the journal writes a moment."""
    came_back: dict[str, bool] = field(default_factory=dict)
    """Returns that the engine was told of, and whether it had them."""
    is_told: bool = False
    """The engine has heard that it is paid."""
    others_minor: int = 0
    """What vouchers and gift cards paid of it when the rest was charged."""
    bought: list[str] = field(default_factory=list)
    """Ids of vouchers that were bought for it, as far as the shop was told."""
    shown: dict[int, Voucher] = field(default_factory=dict)
    """Its vouchers as the shop has seen them last, by their place in the history."""

    def write(self) -> None:
        """The order is there, and nobody has asked for points."""
        if self.state == "missing":
            self.state = "pending"

    @property
    def cart(self) -> Cart:
        """What is in it."""
        cart = REWARDS if self.plan.rewards else CART
        return replace(cart, other_tenders_minor=self.plan.gift_minor) if self.plan.gift_minor else cart

    def due_minor(self, payment: Payment | None) -> int:
        """What is to be charged. Raises PunktgenauError: nobody knows, or no points pay its reward articles."""
        payable = self.cart.payable if payment is None else payment.total
        due = payable if payment is None else payment.due
        if self.plan.rewards and due == payable:
            raise PunktgenauError("Nothing of it is sold without the points that its articles need.")
        return due.amount_minor

    @contextmanager
    def holding(self) -> Iterator[None]:
        """A call that changes how many points the order has."""
        self.crossed = self.crossed or self.state == "paid"
        self.holders += 1
        try:
            yield
        finally:
            self.holders -= 1

    def charge(self, due_minor: int, payment: Payment | None) -> None:
        """The rest is paid, and the order says so; what vouchers and gift cards leave is the total of `payment`."""
        payable = self.cart.payable if payment is None else payment.total
        self.state, self.charged_minor = "paid", due_minor
        self.others_minor = TOTAL_MINOR - payable.amount_minor
        self.with_points = due_minor < self.cart.payable.amount_minor
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
    refund: Refund | None = None
    error: Exception | None = None
    books: tuple[dict[str, object], ...] = ()
    """The order's redemptions at the provider when it was told."""
    due_minor: int | None = None
    """What is due, where it was told."""
    left_open: tuple[str, ...] = ()
    """Kinds of the operations that this call began, and that were still open when it was told."""
    back: tuple[str, ...] = ()
    """References of the returns of this order that the provider had given back when it was told."""
    stood: tuple[str, ...] = ()
    """Every state that the journal had the attempt in that was told of, from the beginning of the call on."""


@dataclass
class Shop:
    """All orders."""

    orders: dict[str, Bought]
    told: list[Told] = field(default_factory=list)
    earns: bool = False
    interrupted: set[str] = field(default_factory=set)
    """Orders for which a call that holds points never came back."""

    def load(self, reference: str) -> OrderOfShop | None:
        """The order loader."""
        order = self.orders.get(reference)
        if order is None or order.state == "missing":
            return None
        if not self.earns:
            return OrderOfShop(reference=reference, state=order.state)
        return OrderOfShop(reference=reference, state=order.state, cart=order.cart, customer_id=order.plan.customer)


def open_shop(orders: tuple[Order, ...], *, earns: bool) -> Shop:
    """A shop whose customers are about to order."""
    if CART.total.amount_minor != TOTAL_MINOR:
        raise AssertionError("the cart is not what the schedule says")
    return Shop({f"A-{number}": Bought(f"A-{number}", order) for number, order in enumerate(orders)}, earns=earns)


def due_of(payment: Payment | None) -> int | None:
    """What is due, where that is known."""
    try:
        return None if payment is None else payment.due.amount_minor
    except PunktgenauError:
        return None


def shown(payment: Payment | None, refund: Refund | None, error: Exception | None) -> str:
    """What a call came to, in a word."""
    if error is not None:
        return f"{type(error).__name__} {getattr(error, 'code', '')}"
    if refund is not None:
        return f"return {refund.return_reference} {refund.state}: {refund.points} and {refund.money.amount_minor}"
    return "nothing" if payment is None else f"{payment.state} {payment.points} (attempt {payment.attempt})"
