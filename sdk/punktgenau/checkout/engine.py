"""The engine: decides what is wanted, writes the intent, hands it to the executor, answers from the row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from punktgenau._clock import Clock, SystemClock
from punktgenau._redact import logger
from punktgenau.checkout import migrate
from punktgenau.checkout.accruing import require_accruals
from punktgenau.checkout.after_payment import AfterPayment
from punktgenau.checkout.amending import Amending
from punktgenau.checkout.articles.article import ArticleLoader
from punktgenau.checkout.attempt import event_of, payment_of
from punktgenau.checkout.balances import Balances
from punktgenau.checkout.cart import Cart, Order
from punktgenau.checkout.clearing import Clearing
from punktgenau.checkout.database import Database
from punktgenau.checkout.differences import Differences
from punktgenau.checkout.events import Events
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.goals import Goals
from punktgenau.checkout.heartbeat import Heartbeat
from punktgenau.checkout.intent import ORDER_CANCELLED, PAYMENT_FAILED
from punktgenau.checkout.journal import CLOSED
from punktgenau.checkout.links import Account, Link, Links
from punktgenau.checkout.movements import Movements
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.placing import Placing, Wish
from punktgenau.checkout.pools import Connect
from punktgenau.checkout.quote import CartQuote
from punktgenau.checkout.recovering import Recovering
from punktgenau.checkout.refused import Refused
from punktgenau.checkout.repairs import Repairs
from punktgenau.checkout.returns import Returns
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.shipping import Shipping
from punktgenau.errors import InProgressError
from punktgenau.money import Money, require_points
from punktgenau.provider import Balance, Provider

if TYPE_CHECKING:
    from punktgenau.voucher_records import Voucher

OrderLoader = Callable[[str], Order | None]
OrdersLoader = Callable[[datetime, datetime], Iterator[Order]]
Listener = Callable[[str, Payment], None]
_ROUNDS_MAX = 3


class Checkout(AfterPayment, Clearing, Movements, Recovering):
    """Pays orders with points at one provider, with a journal of its own.

    The goals (`capture`, `void`, `cancel`) are safe in any state, any number of times, from any process; an unknown is
    a state that is returned. `on_event` is told of changes after their commit, best effort; `connect` opens the
    journal's connections in the driver's place. Nothing is opened or sent here. Raises ConfigurationError for a
    database address or settings that cannot be meant.
    """

    def __init__(
        self,
        provider: Provider,
        database_url: str,
        *,
        order_loader: OrderLoader | None = None,
        orders_loader: OrdersLoader | None = None,
        article_loader: ArticleLoader | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        on_event: Listener | None = None,
        connect: Connect | None = None,
    ) -> None:
        self.settings = settings or Settings()
        require_accruals(provider, self.settings)
        self.on_event = on_event
        self.order_loader = order_loader
        self.orders_loader = orders_loader
        self.article_loader = article_loader
        self._provider = provider
        self._clock = clock or SystemClock()
        self._database = Database(
            database_url,
            clock=self._clock,
            connect=connect,
            identity={
                "provider": provider.profile.name,
                "partner": provider.partner_id,
                "mode": provider.mode or "",
            },
            wait_s=self.settings.deadline_s,
        )
        key_of, rule = provider.profile.key_of, self.settings.expired_rule
        self._journal = OrderJournal(
            self._database, clock=self._clock, key_of=key_of, expired_rule=rule, earns=self.settings.earns
        )
        self._links = Links(self._database, clock=self._clock)
        self._events = Events(self._database, clock=self._clock)
        self._heartbeat = Heartbeat(self._database, clock=self._clock)
        self._executor = Executor(provider, self._journal, clock=self._clock, heard=self._heard)
        self._balances = Balances(provider, self._links, settings=self.settings)
        self._returns = Returns(provider, self._journal, self._executor, settings=self.settings, clock=self._clock)
        self._refused = Refused(self._journal, self._executor, self._returns, clock=self._clock)
        self._goals = Goals(self._journal, self._executor, clock=self._clock, heard=self._heard)
        self._amending = Amending(
            self._journal, self._executor, self._goals, self._returns, settings=self.settings, clock=self._clock
        )
        self._shipping = Shipping(self._journal, self._executor, clock=self._clock)
        self._differences = Differences(self._database, clock=self._clock)
        self._repairs = Repairs(
            self._differences,
            self._journal,
            self._executor,
            capture=lambda row: self._goals.capture(row, ends=self._ends()),
            cancel=lambda row, cause: self._release(row, cause, ends=self._ends()),
            order_loader=lambda: self.order_loader,
            deadline_s=self.settings.worker_deadline_s,
        )
        self._placing = Placing(
            provider,
            self._journal,
            self._executor,
            self._goals,
            self._balances,
            settings=self.settings,
            clock=self._clock,
        )

    @property
    def takes_at_once(self) -> bool:
        """Whether points leave the member when an order is placed, instead of being held until it is paid."""
        return self.settings.capture == "placed" or not self._provider.profile.has_holds

    # Tables

    def upgrade(self) -> None:
        """Create or change the journal's tables; safe to run again and from several places at once."""
        migrate.upgrade(self._database)
        self._journal.prepare()

    def ready(self) -> bool:
        """Whether the journal's tables are there. Raises UnavailableError where they are of an older version."""
        return migrate.is_current(self._database)

    def close(self) -> None:
        """Close the journal's connections."""
        self._database.close()

    # Links and looking

    def link(self, customer_id: str, *, member_id: str, consent_id: str) -> Link:
        """Remember which member a customer has shown to be, in place of any earlier link."""
        return self._links.put(customer_id, member_id=member_id, consent_id=consent_id)

    def unlink(self, customer_id: str) -> None:
        """Forget a link; what is held for orders goes on."""
        self._links.drop(customer_id)

    def find_link(self, customer_id: str) -> Link | None:
        """Which member a customer is, or None."""
        return self._links.find(customer_id)

    def account(self, customer_id: str) -> Account | None:
        """A customer's link, and what of their points waits for orders, read at one moment; None: not linked."""
        with self._database.transaction(write=False) as tx:
            link = self._links.read(tx, customer_id)
            rows = self._journal.live_of_customer(customer_id, tx) if link is not None else ()
        return None if link is None else Account(link=link, live=tuple(payment_of(row) for row in rows))

    def balance(self, customer_id: str, *, max_age_s: float = 5.0, link: Link | None = None) -> Balance:
        """The member's balance, at most `max_age_s` seconds old; all processes share what one of them asked.

        With `link`, as it was read just now, the journal is not read again. Raises NotLinkedError, NotSentError,
        UnavailableError.
        """
        return self._balances.of(self._balances.link(customer_id) if link is None else link, max_age_s=max_age_s)

    def quote(
        self,
        customer_id: str,
        cart: Cart,
        *,
        points: int | Literal["all"],
        balance: Balance | None = None,
        vouchers: Sequence[Voucher] = (),
    ) -> CartQuote:
        """What becomes of so many points in this cart, by `balance`, or else by one at most five seconds old.

        Raises NotLinkedError, InvalidArgumentError, NotSentError, UnavailableError.
        """
        balance = self.balance(customer_id) if balance is None else balance
        return self._balances.quote(cart, balance, points, vouchers)

    def live(self, customer_id: str) -> tuple[Payment, ...]:
        """The customer's points that wait for orders: held, or under way to it; newest first, from the journal."""
        return tuple(payment_of(row) for row in self._journal.live_of_customer(customer_id))

    def find(self, order_reference: str) -> Payment | None:
        """The newest attempt to pay an order with points, from the journal, without the network."""
        row = self._latest(order_reference)
        return None if row is None else payment_of(row)

    def customer_of(self, order_reference: str) -> str | None:
        """Whose points the newest attempt of an order uses."""
        row = self._latest(order_reference)
        return None if row is None else row.customer_id

    def asked(self, order_reference: str, *, customer_id: str) -> int:
        """How many of this customer's points the newest attempt was about, where it ended unpaid; else 0."""
        row = self._latest(order_reference)
        if row is None or row.customer_id != customer_id or row.state not in {"declined", "voided", "expired"}:
            return 0
        return row.points

    # Paying

    def authorize(
        self,
        order_reference: str,
        cart: Cart,
        *,
        customer_id: str,
        points: int | Literal["all"],
        hold_s: int | None = None,
        seen_due: Money | None = None,
        vouchers: Sequence[Voucher] = (),
    ) -> Payment:
        """Hold points for an order that is being placed; `points=0` goes on without points.

        The same call again answers from what stands, or tries again where that is unknown (`Payment.state` is then
        still "authorizing"). `seen_due` is what the customer saw as left to pay. Raises AmountChangedError (show the
        customer again), DeclinedError and its children, InProgressError, LiveRedemptionError, NotSentError: in each
        case nothing is held by this call.
        """
        if points != "all":
            require_points(points, least=0)
        wish = Wish(
            order_reference=order_reference,
            cart=cart,
            customer_id=customer_id,
            points=points,
            hold_s=self.settings.hold_s if hold_s is None else require_points(hold_s, field="hold_s"),
            seen_due=seen_due,
            vouchers=tuple(vouchers),
        )
        ends = self._ends()
        for _ in range(_ROUNDS_MAX):
            payment = self._placing.place(wish, self._latest(order_reference), ends=ends)
            if payment is not None:
                return payment
        raise InProgressError(
            f"Order {order_reference} is being changed by somebody else. Nothing was held; try again."
        )

    def try_again(self, order_reference: str) -> Payment | None:
        """Ask once more what became of an order's unknown points: the same attempt, the same key; else changes nothing.

        Raises DeclinedError and its children where they turn out to be refused.
        """
        row = self._latest(order_reference)
        return None if row is None else self._placing.again(row, ends=self._ends())

    def void(self, order_reference: str) -> Payment | None:
        """Goal: payment failed and the order lives on, so its points go back; a further attempt may follow."""
        return self._give_back(order_reference, PAYMENT_FAILED, last=False)

    def cancel(self, order_reference: str, *, cause: str = "") -> Payment | None:
        """Goal: the order will not happen, so its points go back, held or captured, and what it has earned."""
        if self._journal.has_earned():
            self._earnings.cancelled(order_reference, cause=cause or ORDER_CANCELLED)
        return self._give_back(order_reference, cause or ORDER_CANCELLED, last=True)

    # Inside

    def _give_back(self, order_reference: str, cause: str, *, last: bool) -> Payment | None:
        row, ends = self._latest(order_reference), self._ends()
        while row is not None:
            given = self._release(row, cause, ends=ends)
            newest = self._latest(order_reference) if given.state in CLOSED else given
            if newest is None or newest.id == given.id or not (last or newest.cause == "shortfall"):
                return payment_of(given)
            # Another attempt began meanwhile, or its points are being taken anew.
            row = newest
        return None

    def _release(self, row: RedemptionRow, cause: str, *, ends: float) -> RedemptionRow:
        return self._goals.release(row, cause="".join(sign for sign in cause[:200] if sign.isprintable()), ends=ends)

    def _heard(self, before: RedemptionRow, after: RedemptionRow) -> None:
        name = event_of(before, after)
        if name is None or self.on_event is None:
            return
        try:
            self.on_event(name, payment_of(after))
        except Exception:  # a listener is a guest: what it does wrong must not undo or hide what was committed
            logger.exception("a listener of %s failed", name)
