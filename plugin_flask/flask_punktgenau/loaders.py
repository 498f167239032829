"""The shop's own functions, registered by decorators: who is here, what is in the cart, which order is that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from punktgenau.checkout.articles import ArticleLoader
from punktgenau.checkout.cart import Cart, Order
from punktgenau.checkout.earning.rules import Campaign
from punktgenau.errors import ConfigurationError

GUEST_PREFIX = "guest:"
CUSTOMER_ID_LENGTH_MAX = 255

CustomerLoader = Callable[[], str | None]
CartLoader = Callable[[], Cart | None]
OrderLoader = Callable[[str], Order | None]
OrdersLoader = Callable[[datetime, datetime], Iterator[Order]]
OperatorLoader = Callable[[], str | None]
LocaleLoader = Callable[[], str | None]
CampaignLoader = Callable[[], Iterable[Campaign]]


@dataclass(slots=True)
class Loaders:
    """What one `Punktgenau` object was given; shared by all apps that it serves, read at each use."""

    customer: CustomerLoader | None = None
    cart: CartLoader | None = None
    order: OrderLoader | None = None
    orders: OrdersLoader | None = None
    operator: OperatorLoader | None = None
    locale: LocaleLoader | None = None
    article: ArticleLoader | None = None
    campaigns: CampaignLoader | None = None

    def load_customer(self) -> str | None:
        """The shop's id of the customer in front of this browser, None for a guest.

        Raises ConfigurationError for an id that is not a text, is empty or too long, or looks like one of a guest.
        """
        customer_id = self.customer() if self.customer is not None else None
        if customer_id is None:
            return None
        if not isinstance(customer_id, str) or not 1 <= len(customer_id) <= CUSTOMER_ID_LENGTH_MAX:
            raise ConfigurationError(
                f"customer_loader must return a text of 1 to {CUSTOMER_ID_LENGTH_MAX} characters or None, "
                f"not {type(customer_id).__name__}.",
                field="customer_loader",
            )
        if customer_id.startswith(GUEST_PREFIX):
            raise ConfigurationError(
                f"customer_loader returned an id that starts with {GUEST_PREFIX!r}, which is kept for guests.",
                field="customer_loader",
            )
        return customer_id

    def load_cart(self) -> Cart | None:
        """What the customer is about to pay, None without a cart.

        Raises ConfigurationError without a cart_loader, or where it returns something else than a Cart.
        """
        if self.cart is None:
            raise ConfigurationError(
                "Points need to know the cart: register a function with @points.cart_loader.", field="cart_loader"
            )
        cart = self.cart()
        if cart is not None and not isinstance(cart, Cart):
            raise ConfigurationError(
                f"cart_loader must return a Cart or None, not {type(cart).__name__}.", field="cart_loader"
            )
        return cart

    def load_order(self, order_reference: str) -> Order | None:
        """The shop's order, None when it does not exist or no order_loader is registered."""
        order = self.order(order_reference) if self.order is not None else None
        if order is not None and not isinstance(order, Order):
            raise ConfigurationError(
                f"order_loader must return an Order or None, not {type(order).__name__}.", field="order_loader"
            )
        return order
