"""What engine and provider say about one customer and cart, asked for in one go for one page."""

from __future__ import annotations

from flask_punktgenau.asking import ask_balance, ask_quote
from flask_punktgenau.session import ALL, Notice, Points, Wish, keep_wish, take_notice
from flask_punktgenau.state import AppState, logger
from flask_punktgenau.voucher_wish import away, look, read_chosen, takes_vouchers
from flask_punktgenau.vouchers import VoucherBox
from flask_punktgenau.wishing import find_wish, take_typed
from punktgenau.checkout import Cart, CartQuote, Checkout, Link, Payment
from punktgenau.errors import PunktgenauError
from punktgenau.provider import Balance


class Box:
    """What engine and provider say about one customer and cart; a provider that is away is an answer as well."""

    def __init__(
        self, state: AppState, checkout: Checkout, *, cart: Cart, customer_id: str | None, order_reference: str = ""
    ) -> None:
        self._state = state
        self.cart = cart
        self.vouchers: VoucherBox | None = None
        self.at_once = checkout.takes_at_once
        self.checkout = checkout
        self.customer_id = customer_id
        self._order_reference = order_reference
        self.notice: Notice | None = None
        self.linked = False
        self.balance: Balance | None = None
        self.offer: CartQuote | None = None
        self.quote: CartQuote | None = None
        self.wish: Wish | None = None
        self.elsewhere: tuple[Payment, ...] = ()
        self.error: PunktgenauError | None = None

    def look(self) -> None:
        """Ask for everything; what cannot be had now leaves its error, and the page stands."""
        try:
            self._look()
        except PunktgenauError as error:
            self.error = error
            logger.info("the points box shows no points: %s", error.brief)

    def _look(self) -> None:
        customer_id, about = self.customer_id, self._order_reference
        said = take_notice()
        about_vouchers = said.code if said is not None and said.about == "vouchers" else ""
        self.notice = None if about_vouchers else said
        takes = takes_vouchers(self._state, self.checkout)
        if takes:
            self.vouchers = VoucherBox(currency=self.cart.currency, is_linked=False, notice=about_vouchers)
        # Until the journal has said otherwise: were it away, "link your account" would be the wrong thing to say.
        self.linked = customer_id is not None
        account = self.checkout.account(customer_id) if customer_id is not None else None
        self.linked = account is not None
        if customer_id is None or account is None:
            self.wish = find_wish(self.cart, customer_id=customer_id, order_reference=about, checkout=self.checkout)
            return
        self.elsewhere = tuple(one for one in account.live if one.order_reference != about)
        away_error = self._ask(account.link)
        if takes:
            self._pay_with_vouchers(customer_id, about_vouchers, is_away=away_error is not None)
        typed = take_typed(self.checkout, self.cart, customer_id=customer_id, order_reference=about)
        self.notice = typed or self.notice
        self.wish = find_wish(self.cart, customer_id=customer_id, order_reference=about, checkout=self.checkout)
        if away_error is not None:
            raise away_error
        if self.wish is None:
            self.offer = self._quote(customer_id, ALL)
            if self.offer.mandatory:
                self.quote = self._quote(customer_id, 0)
        else:
            # Every quote of this cart and balance knows the same bounds.
            self.quote = self._quote(customer_id, self.wish.points)
            self._follow(customer_id)

    def _ask(self, link: Link) -> PunktgenauError | None:
        """Ask for the balance; what was typed and added is remembered whether or not there is an answer."""
        try:
            self.balance = ask_balance(self.checkout, link)
        except PunktgenauError as error:
            return error
        return None

    def _pay_with_vouchers(self, customer_id: str, notice: str, *, is_away: bool) -> None:
        about = self._order_reference
        if is_away:
            box = VoucherBox(currency=self.cart.currency, notice=notice, order_reference=about)
            self.vouchers = away(self._state, customer_id, read_chosen(customer_id, about), box)
            return
        paid, self.vouchers = look(
            self._state, self.checkout, customer_id, self.cart, order_reference=about, notice=notice
        )
        self.cart = paid.cart

    def _quote(self, customer_id: str, points: Points) -> CartQuote:
        # By the balance that the same box shows.
        return ask_quote(self.checkout, customer_id, self.cart, points=points, balance=self.balance)

    def _follow(self, customer_id: str) -> None:
        """Notice that cart or balance have changed what is used, and go on saying so until the customer acts."""
        if self.wish is None or self.quote is None or self.quote.points == self.wish.shown or self._order_reference:
            return
        self.wish = Wish(points=self.wish.points, shown=self.quote.points, reclamped_from=self.wish.shown)
        keep_wish(self.wish, customer_id=customer_id, currency=self.cart.currency)
