"""The noun balance, seen from the shop: asked at most every few seconds, shared by all processes, quoted for a cart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from punktgenau.checkout.cart import Cart
from punktgenau.checkout.links import Link, Links
from punktgenau.checkout.quote import CartQuote, quote
from punktgenau.checkout.rewards import at_rate
from punktgenau.checkout.settings import Settings
from punktgenau.errors import NotLinkedError, UnavailableError
from punktgenau.money import Rate
from punktgenau.provider import Balance, Provider

if TYPE_CHECKING:
    from punktgenau.voucher_records import Voucher


class Balances:
    """Balances of linked customers, with the last answer kept beside the link."""

    def __init__(self, provider: Provider, links: Links, *, settings: Settings) -> None:
        self._provider = provider
        self._links = links
        self._settings = settings
        self._rules = settings.rules
        self._rate: Rate | None = None

    def link(self, customer_id: str) -> Link:
        """The link of a customer. Raises NotLinkedError: nothing was sent."""
        link = self._links.find(customer_id)
        if link is None:
            raise NotLinkedError("This customer is not linked to a member. Nothing was sent; link first.")
        return link

    def of(self, link: Link, *, max_age_s: float, deadline_s: float | None = None) -> Balance:
        """The member's balance, at most so old; asks the provider where it is older, for at most `deadline_s` seconds.

        Raises NotLinkedError (consent withdrawn), NotSentError, UnavailableError.
        """
        if link.balance is not None and link.balance_age_s <= max_age_s:
            return link.balance
        balance = self._provider.members.balance(
            member_id=link.member_id, deadline_s=self._settings.deadline_s if deadline_s is None else deadline_s
        )
        self._links.keep_balance(link, balance)
        self._rate = balance.rate
        return balance

    def newest_rate(self) -> Rate:
        """What a point was worth when a balance was asked for last, by anybody here, else in any process of the shop.

        Raises UnavailableError where nobody's was.
        """
        if self._rate is None:
            newest = self._links.newest_balance()
            if newest is None:
                raise UnavailableError("What a point is worth is not known before a balance was asked for.")
            self._rate = newest.rate
        return self._rate

    def forget(self, customer_id: str) -> None:
        """What was seen last is no longer true: the next quote asks."""
        link = self._links.find(customer_id)
        if link is not None:
            self._links.keep_balance(link, None)

    def paid_first(self, cart: Cart, rate: Rate, vouchers: Sequence[Voucher]) -> Cart:
        """The cart where vouchers pay first; they leave to points what these must pay. Raises VoucherError."""
        bound = at_rate(cart.gross_lines, rate) if vouchers and cart.reward_points else ()
        return cart.with_vouchers(
            vouchers, partner_id=self._provider.partner_id, reserved_minor=sum(part.minor for part in bound)
        )

    def quote(
        self, cart: Cart, balance: Balance, points: int | Literal["all"], vouchers: Sequence[Voucher] = ()
    ) -> CartQuote:
        """What becomes of so many points in this cart, by the programme's and the shop's rules; after `vouchers`."""
        return quote(
            cart=self.paid_first(cart, balance.rate, vouchers),
            available=balance.available,
            rate=balance.rate,
            limits=balance.limits,
            rules=self._rules,
            asked=points,
        )
