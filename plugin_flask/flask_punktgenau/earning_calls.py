"""What a shop asks about points that its orders earn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flask import has_request_context

from flask_punktgenau.after_payment import AfterPayment
from flask_punktgenau.loaders import CampaignLoader, Loaders
from flask_punktgenau.visitor import current_visitor
from punktgenau.checkout import Cart, Earned, EarnPreview
from punktgenau.money import Money


class EarningCalls(AfterPayment):
    """The part of `Punktgenau` that is about earning; recovery carries out what is planned here."""

    _loaders: Loaders

    def campaign_loader(self, function: CampaignLoader) -> CampaignLoader:
        """Register: the shop's campaigns, also those of other times; runs without a request, in an app context."""
        self._loaders.campaigns = function
        return function

    def earn(
        self,
        order_reference: str,
        cart: Cart,
        *,
        customer_id: str | None = None,
        placed_at: datetime | None = None,
    ) -> tuple[Earned, ...]:
        """Plan what a paid order earns, once; `capture` does it for orders that the order_loader tells with their cart.

        `customer_id=None`: whoever is in front of this browser, a guest with a linked account as well. Empty where
        nothing is earned: no rules, no link, nothing paid in money. Raises InvalidArgumentError, OpenTransactionError.
        """
        checkout = self._ready_to_write()
        if customer_id is None and has_request_context():
            customer_id = current_visitor(self._state()).customer_id
        if checkout is None or customer_id is None:
            return ()
        return checkout.earn(order_reference, cart, customer_id=customer_id, placed_at=placed_at)

    def earned(self, order_reference: str) -> tuple[Earned, ...]:
        """What an order earns, the purchase before a welcome, with all that happened to it; from the journal."""
        checkout = self._state().journal()
        return checkout.earned(order_reference) if checkout is not None else ()

    def preview_earned(
        self,
        cart: Cart,
        *,
        points_value: Money | int = 0,
        points: int | None = None,
        at: datetime | None = None,
        customer_id: str | None = None,
    ) -> EarnPreview | None:
        """What a cart would earn, with `points_value` paid by points; None: nothing is ever earned here.

        `points`: how many those are, where reward articles are among the lines. `at`: when it is placed; left out: now.
        Raises InvalidArgumentError (more than points may pay of it).
        """
        checkout = self._state().journal()
        if checkout is None or not checkout.settings.earns:
            return None
        return checkout.preview_earned(cart, points_value=points_value, points=points, at=at, customer_id=customer_id)

    def earned_taken(
        self,
        order_reference: str,
        *,
        lines: Mapping[str, int] | None = None,
        shipping_minor: int = 0,
        amount_minor: int | None = None,
    ) -> int:
        """How many earned points a return would take back, also of an order that no points have paid; books nothing.

        Raises InvalidArgumentError (more than is left).
        """
        checkout = self._state().journal()
        if checkout is None or not checkout.settings.earns:
            return 0
        return checkout.earned_taken(
            order_reference, lines=lines, shipping_minor=shipping_minor, amount_minor=amount_minor
        )

    def returned(
        self,
        order_reference: str,
        *,
        return_reference: str,
        lines: Mapping[str, int] | None = None,
        shipping_minor: int = 0,
        amount_minor: int | None = None,
    ) -> tuple[Earned, ...]:
        """Tell of a return of an order without points, once per reference; `refund` does the same, and says None.

        Raises ReturnConflictError, InvalidArgumentError (more than is left), OpenTransactionError.
        """
        checkout = self._ready_to_write()
        if checkout is None:
            return ()
        return checkout.returned(
            order_reference,
            return_reference=return_reference,
            lines=lines,
            shipping_minor=shipping_minor,
            amount_minor=amount_minor,
        )
