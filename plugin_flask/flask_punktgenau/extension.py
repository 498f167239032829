"""The extension: `init_app`, the shop's loaders, and the calls that a shop makes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from flask import Flask, has_request_context

from flask_punktgenau import placing
from flask_punktgenau.backoffice import make_backoffice
from flask_punktgenau.config import read_config
from flask_punktgenau.earning import punktgenau_earn, punktgenau_earned
from flask_punktgenau.earning_calls import EarningCalls
from flask_punktgenau.inline import init_inline
from flask_punktgenau.loaders import (
    GUEST_PREFIX,
    CartLoader,
    CustomerLoader,
    Loaders,
    LocaleLoader,
    OperatorLoader,
    OrderLoader,
    OrdersLoader,
)
from flask_punktgenau.problems import init_problems, remember_order
from flask_punktgenau.session import Points
from flask_punktgenau.state import EXTENSION, AppState, forget_guest
from flask_punktgenau.storefront import make_storefront
from flask_punktgenau.transactions import watch_sessions
from flask_punktgenau.widgets import punktgenau_field, punktgenau_missing, punktgenau_panel, punktgenau_summary
from punktgenau import Clock, Money, Provider, SystemClock
from punktgenau.checkout import Article, Cart, CartQuote, Checkout, Expiring, Payment
from punktgenau.checkout.articles import ArticleLoader
from punktgenau.errors import ConfigurationError
from punktgenau.voucher_records import Voucher

_TEMPLATE_GLOBALS = (
    punktgenau_panel,
    punktgenau_field,
    punktgenau_summary,
    punktgenau_missing,
    punktgenau_earn,
    punktgenau_earned,
)


class Punktgenau(EarningCalls):
    """Points as a way to pay in a Flask shop; one object may serve several apps.

    Register the shop's functions with the decorators, before the first request. `init_app` reads the PUNKTGENAU_* keys
    (see `flask_punktgenau.config`) and touches neither network nor database.
    """

    def __init__(
        self, app: Flask | None = None, *, provider: Provider | None = None, clock: Clock | None = None
    ) -> None:
        self._loaders = Loaders()
        if app is not None:
            self.init_app(app, provider=provider, clock=clock)

    def init_app(self, app: Flask, *, provider: Provider | None = None, clock: Clock | None = None) -> None:
        """Give an app its points: routes under /points, template functions, error pages.

        `provider` is used instead of a Client made from the configuration, `clock` instead of the machine's: for tests,
        and for providers with an adapter of their own. Raises ConfigurationError for a second call with the same app
        and for values that cannot be meant.
        """
        if EXTENSION in app.extensions:
            raise ConfigurationError(f"The app {app.name!r} has points already; call init_app once per app.")
        config = read_config(app.config)
        if config.required:
            missing = () if provider is not None else config.missing_provider_keys
            if config.database_url is None and not (app.debug or app.testing):
                missing = (*missing, "PUNKTGENAU_DATABASE_URL")
            if missing:
                raise ConfigurationError(
                    f"PUNKTGENAU_REQUIRED is set, and these are missing: {', '.join(missing)}.", field=missing[0]
                )
        state = AppState(
            app, owner=self, config=config, loaders=self._loaders, provider=provider, clock=clock or SystemClock()
        )
        state.check()
        app.register_blueprint(make_storefront())
        app.register_blueprint(make_backoffice())
        init_problems(app)
        init_inline(app, state)
        for function in _TEMPLATE_GLOBALS:
            app.add_template_global(function, function.__name__)
        watch_sessions()
        app.extensions[EXTENSION] = state

    # The shop's functions

    def customer_loader(self, function: CustomerLoader) -> CustomerLoader:
        """Register: who is signed in, by an id that never changes, or None for a guest."""
        self._loaders.customer = function
        return function

    def cart_loader(self, function: CartLoader) -> CartLoader:
        """Register: the cart in front of this browser, or None."""
        self._loaders.cart = function
        return function

    def order_loader(self, function: OrderLoader) -> OrderLoader:
        """Register: an order by its reference, or None; runs without a request, in an app context of its own."""
        self._loaders.order = function
        return function

    def orders_loader(self, function: OrdersLoader) -> OrdersLoader:
        """Register: the orders placed between two moments; runs without a request, in an app context of its own."""
        self._loaders.orders = function
        return function

    def operator_loader(self, function: OperatorLoader) -> OperatorLoader:
        """Register: the id of the operator who may use the back office, or None."""
        self._loaders.operator = function
        return function

    def article_loader(self, function: ArticleLoader) -> ArticleLoader:
        """Register: what points have to do with an article, by its sku, or None; in place of an imported list."""
        self._loaders.article = function
        return function

    def locale_loader(self, function: LocaleLoader) -> LocaleLoader:
        """Register: the locale to speak, such as "de" or "de_AT"; None leaves it to Flask-Babel or the browser."""
        self._loaders.locale = function
        return function

    # The shop's calls

    def authorize(
        self,
        order_reference: str,
        cart: Cart,
        *,
        points: Points | None = None,
        customer_id: str | None = None,
        hold_s: int | None = None,
        seen_due: Money | None = None,
        vouchers: Sequence[Voucher] | None = None,
    ) -> Payment:
        """Hold points and vouchers for an order that is being placed, and say what is left to pay (`Payment.due`).

        `points=None` takes what the customer chose: in this very form (`punktgenau_field()`), else on the page before;
        0 goes on without points, and without vouchers. `vouchers=None` takes those that the customer added. `hold_s` is
        how long they are kept, in seconds; `seen_due` what the customer saw as left to pay. Unknown is a state:
        "authorizing", and reading `.due` then raises. Raises AmountChangedError (show the customer again),
        DeclinedError and its children, NotSentError, InProgressError, OpenTransactionError: nothing is held.
        """
        self._state()
        return placing.authorize(
            order_reference,
            cart,
            points=points,
            customer_id=customer_id,
            hold_s=hold_s,
            seen_due=seen_due,
            vouchers=vouchers,
        )

    def quote(self, cart: Cart, *, order_reference: str = "", seen_due: Money | None = None) -> CartQuote | None:
        """What `authorize` would do now with what the customer chose; holds nothing. None: neither points nor vouchers.

        To look before an order is placed: whether money is needed at all (`.due`), and whether the form is to be shown
        again. `order_reference` for another try to pay an order. Raises what `authorize` raises before it sends:
        InvalidArgumentError, LimitError, VoucherError, InsufficientPointsError, NotLinkedError, UnavailableError,
        NotSentError, AmountChangedError (see `seen_due` there).
        """
        self._state()
        return placing.quote(cart, order_reference=order_reference, seen_due=seen_due)

    def find(self, order_reference: str) -> Payment | None:
        """What points pay of an order, from the journal, without the network; None where none were asked for."""
        state = self._state()
        if has_request_context():
            remember_order(order_reference)
        checkout = state.journal()
        return checkout.find(order_reference) if checkout is not None else None

    def capture(
        self,
        order_reference: str,
        *,
        lines: Mapping[str, int] | None = None,
        shipment_reference: str | None = None,
    ) -> Payment | None:
        """Goal: these points are paid. Safe in any state and any number of times; None where there are none.

        With `lines`, units by line id that leave as `shipment_reference`, only what points pay of them is captured, if
        the provider can do that; the rest stays held ("partially_captured"), and PUNKTGENAU_CAPTURE="shipped" keeps
        recovery from taking it because the order is paid. Raises InvalidArgumentError (more units than are left),
        IdempotencyConflictError (the reference stands for another shipment), OpenTransactionError.
        """
        checkout = self._ready_to_write()
        if checkout is None:
            return None
        return checkout.capture(order_reference, lines=lines, shipment_reference=shipment_reference)

    def void(self, order_reference: str) -> Payment | None:
        """Goal: payment failed and the order lives on, so its points go back. Safe in any state, any number of times.

        Raises OpenTransactionError.
        """
        checkout = self._ready_to_write()
        return checkout.void(order_reference) if checkout is not None else None

    def cancel(self, order_reference: str, cause: str = "") -> Payment | None:
        """Goal: the order will not happen, so its points go back, held or captured. Safe in any state.

        Raises OpenTransactionError.
        """
        checkout = self._ready_to_write()
        if checkout is None:
            return None
        payment = checkout.cancel(order_reference, cause=cause)
        if payment is not None:
            forget_guest(checkout, payment)
        return payment

    def expiring(self, *, days: int = 30, after: str = "") -> Iterator[Expiring]:
        """Customers whose points end within so many days, for the shop's mail; the provider is asked for each.

        Ordered by customer id; `after` goes on behind one of them. Guests are left out. Raises InvalidArgumentError,
        NotSentError, UnavailableError: what came until then is right.
        """
        checkout = self._state().journal()
        if checkout is None:
            return iter(())
        return checkout.expiring(days=days, after=after, wanted=lambda one: not one.startswith(GUEST_PREFIX))

    def forget_vouchers(self, customer_id: str) -> None:
        """A customer's vouchers are not any more what this process saw last: its next page asks for them."""
        self._state().vouchers.seen.forget(customer_id)

    def articles_of(self, skus: Collection[str], *, at: datetime | None = None) -> Mapping[str, Article]:
        """What points have to do with articles, by sku: those that are known and valid `at` a moment (None: now).

        From the shop's `article_loader`, or the list that `flask punktgenau import-articles` has read. Nothing while
        points are not set up. Raises UnavailableError where the journal does not answer.
        """
        checkout = self._state().journal()
        return checkout.articles_of(skus, at=at) if checkout is not None else {}

    @property
    def checkout(self) -> Checkout:
        """The current app's engine, for all that has no shorter way here.

        Raises ConfigurationError with code points_off while points are not set up.
        """
        return self._state().require()

    def upgrade(self) -> None:
        """Create or change the journal's tables of the current app, as `flask punktgenau upgrade` does.

        Raises ConfigurationError without PUNKTGENAU_DATABASE_URL.
        """
        self._state().open().upgrade()
