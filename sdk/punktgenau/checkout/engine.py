"""The engine: decides what is wanted, writes the intent, hands it to the executor, answers from the row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal

from punktgenau._clock import Clock, SystemClock
from punktgenau._redact import logger
from punktgenau.checkout import migrate
from punktgenau.checkout.attempt import (
    EVENT_BY_STATE,
    new_attempt,
    payment_of,
    same_wish,
    without_points,
)
from punktgenau.checkout.cart import Cart, Order
from punktgenau.checkout.database import Database
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.goals import POLL_S, Goals
from punktgenau.checkout.journal import CLOSED, Claim, Journal, LostSwapError
from punktgenau.checkout.links import Link, Links
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.quote import CartQuote, quote, refusal
from punktgenau.checkout.recovery import Recovery, recover
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.settings import Settings
from punktgenau.errors import (
    AmountChangedError,
    InProgressError,
    LiveRedemptionError,
    NotLinkedError,
    PunktgenauError,
    UnavailableError,
)
from punktgenau.money import Money, require_points
from punktgenau.provider import Balance, Entries, Provider

OrderLoader = Callable[[str], Order | None]
OrdersLoader = Callable[[datetime, datetime], Iterator[Order]]
Listener = Callable[[str, Payment], None]


class Checkout:
    """Pays orders with points at one provider, with a journal of its own.

    The goals (`capture`, `void`, `cancel`) are safe in any state, any number of times, from any process; an unknown is
    a state that is returned. `on_event` is told of changes after their commit, best effort. Nothing is opened or sent
    here. Raises ConfigurationError for a database address or settings that cannot be meant.
    """

    def __init__(
        self,
        provider: Provider,
        database_url: str,
        *,
        order_loader: OrderLoader | None = None,
        orders_loader: OrdersLoader | None = None,
        settings: Settings | None = None,
        clock: Clock | None = None,
        on_event: Listener | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.on_event = on_event
        self.order_loader = order_loader
        self.orders_loader = orders_loader
        self._provider = provider
        self._clock = clock or SystemClock()
        self._database = Database(database_url, clock=self._clock)
        self._journal = Journal(self._database, clock=self._clock)
        self._links = Links(self._database, clock=self._clock)
        self._executor = Executor(provider, self._journal, clock=self._clock, heard=self._heard)
        self._goals = Goals(self._journal, self._executor, clock=self._clock, heard=self._heard)

    # Tables

    def upgrade(self) -> None:
        """Create or change the journal's tables; safe to run again and from several places at once."""
        migrate.upgrade(self._database)
        self._journal.prepare()

    def ready(self) -> bool:
        """Whether the journal's tables are those of this version."""
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

    def balance(self, customer_id: str, *, max_age_s: float = 5.0) -> Balance:
        """The member's balance, at most `max_age_s` seconds old; all processes share what one of them asked.

        Raises NotLinkedError, NotSentError, UnavailableError.
        """
        return self._balance(self._require_link(customer_id), max_age_s=max_age_s)

    def entries(self, customer_id: str, *, cursor: str | None = None) -> Entries:
        """The member's movements, newest first, from the provider.

        Raises NotLinkedError, NotSentError, UnavailableError.
        """
        link = self._require_link(customer_id)
        return self._provider.members.entries(
            member_id=link.member_id, cursor=cursor, deadline_s=self.settings.deadline_s
        )

    def quote(self, customer_id: str, cart: Cart, *, points: int | Literal["all"]) -> CartQuote:
        """What becomes of so many points in this cart, by a balance at most five seconds old.

        Raises NotLinkedError, InvalidArgumentError, NotSentError, UnavailableError.
        """
        return self._quote(cart, self.balance(customer_id), points)

    def live(self, customer_id: str) -> tuple[Payment, ...]:
        """What of this customer is held or under way, newest first; from the journal."""
        return tuple(payment_of(row) for row in self._journal.live_of_customer(customer_id))

    def find(self, order_reference: str) -> Payment | None:
        """The newest attempt to pay an order with points, from the journal, without the network."""
        row = self._latest(order_reference)
        return None if row is None else payment_of(row)

    def customer_of(self, order_reference: str) -> str | None:
        """Whose points the newest attempt of an order uses."""
        row = self._latest(order_reference)
        return None if row is None else row.customer_id

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
    ) -> Payment:
        """Hold points for an order that is being placed; `points=0` goes on without points.

        The same call again answers from what stands, or tries again where that is unknown (`Payment.state` is then
        still "authorizing"). `seen_due` is what the customer saw as left to pay. Raises AmountChangedError (show the
        customer again), DeclinedError and its children, InProgressError, LiveRedemptionError, NotSentError: in each
        case nothing is held by this call.
        """
        ends = self._ends()
        if points != "all":
            require_points(points, least=0)
        for _ in range(3):
            row = self._latest(order_reference)
            if points == 0:
                return self._without(order_reference, cart, row)
            if row is not None and row.state not in CLOSED:
                answer = self._answer_live(row, cart, points, ends=ends)
                if answer is not None:
                    return answer
                continue
            claim = self._begin(order_reference, cart, row, customer_id, points, hold_s, seen_due)
            if claim is not None:
                return self._placed(*self._executor.run(claim, deadline_s=self._left(ends)))
        raise InProgressError(
            f"Order {order_reference} is being changed by somebody else. Nothing was held; try again."
        )

    def capture(self, order_reference: str) -> Payment | None:
        """Goal: these points are paid. None where the order has no redemption; "capturing" where it is unknown."""
        row = self._latest(order_reference)
        return None if row is None else payment_of(self._goals.capture(row, ends=self._ends()))

    def void(self, order_reference: str) -> Payment | None:
        """Goal: payment failed and the order lives on, so its points go back; a further attempt may follow."""
        return self._give_back(order_reference, "payment failed")

    def cancel(self, order_reference: str, *, cause: str = "") -> Payment | None:
        """Goal: the order will not happen, so its points go back, held or captured."""
        return self._give_back(order_reference, cause or "order cancelled")

    def recover(self) -> Recovery:
        """Finish what a crash or an outage left open, and ask the shop what should become of holds."""
        return recover(
            self._journal, self._executor, order_loader=self.order_loader, deadline_s=self.settings.worker_deadline_s
        )

    # Inside

    def _give_back(self, order_reference: str, cause: str) -> Payment | None:
        row = self._latest(order_reference)
        return None if row is None else payment_of(self._release(row, cause, ends=self._ends()))

    def _latest(self, order_reference: str) -> RedemptionRow | None:
        return self._journal.latest(
            provider=self._provider.profile.name,
            partner=self._provider.partner_id,
            mode=self._provider.mode or "",
            order_reference=order_reference,
        )

    def _begin(
        self,
        order_reference: str,
        cart: Cart,
        closed: RedemptionRow | None,
        customer_id: str,
        points: int | Literal["all"],
        hold_s: int | None,
        seen_due: Money | None,
    ) -> Claim | None:
        """Check the wish again by the last balance seen, and write the intent; None: somebody was first."""
        if not self.settings.enabled:
            raise UnavailableError("Points are switched off in this shop. Nothing was sent.", code="points_off")
        link = self._require_link(customer_id)
        made = self._quote(cart, self._balance(link, max_age_s=self.settings.hold_s), points)
        if seen_due is not None and made.due != seen_due:
            raise AmountChangedError(
                f"{made.due.amount_minor} would be due, the customer saw {seen_due.amount_minor} "
                f"({cart.currency}, smallest unit). Nothing is held; show the customer again.",
                remaining=made.points,
            )
        refused = refusal(made) if points != "all" and seen_due is None else None
        if refused is not None:
            raise refused
        if not made.points:
            raise refusal(made) or AssertionError("a quote of nothing has a reason")
        attempt = new_attempt(
            self._journal,
            self._provider,
            link,
            made,
            cart,
            order_reference=order_reference,
            number=1 if closed is None else closed.attempt + 1,
            wish=str(points),
            hold_s=hold_s or self.settings.hold_s,
        )
        request = {"capture": 1} if self._captures_at_once else {}
        try:
            return self._journal.begin_attempt(attempt, request, lease_s=self.settings.deadline_s)
        except LostSwapError:
            return None

    @property
    def _captures_at_once(self) -> bool:
        return self.settings.capture == "placed" or self._provider.profile.longest_hold_s == 0

    def _answer_live(
        self, row: RedemptionRow, cart: Cart, points: int | Literal["all"], *, ends: float
    ) -> Payment | None:
        """The payment that stands, if this is the same call again; None: the earlier one has ended, look again."""
        if row.state == "authorized" and row.hold_until is not None and row.hold_until <= self._journal.now_ms():
            row = self._looked_up(row, ends=ends)
            if row.state in CLOSED:
                return None
        if not same_wish(row, cart, points):
            if row.state != "authorized":
                raise (LiveRedemptionError if row.state in {"captured", "short"} else InProgressError)(
                    f"Order {row.order_reference} has {row.points} points {row.state}; other points have to wait. "
                    "Nothing else was held.",
                    idempotency_key=row.key,
                )
            if self._release(row, "other points wanted", ends=ends).state not in CLOSED:
                raise InProgressError(
                    f"The earlier points of order {row.order_reference} are not given back yet; try again."
                )
            return None
        if row.state != "authorizing":
            return payment_of(row)
        claim = self._journal.claim(row.id, lease_s=self._left(ends))
        if claim is not None:
            return self._placed(*self._executor.run(claim, deadline_s=self._left(ends)))
        # A double click: the first one is still sending. Wait for its result rather than doubt it.
        while row.state == "authorizing" and self._left(ends) > POLL_S:
            self._clock.sleep(POLL_S)
            row = self._journal.redemption(row.id)
        return payment_of(row)

    def _placed(self, row: RedemptionRow, error: PunktgenauError | None) -> Payment:
        if row.state == "declined":
            if row.reason in {"rate_changed", "value_mismatch", "insufficient_points", "consent_revoked", "not_linked"}:
                link = self._links.find(row.customer_id)
                if link is not None:
                    self._links.keep_balance(link, None)
            raise error or AssertionError("declined without an error")
        if row.state in CLOSED and error is not None:
            raise error
        return payment_of(row)

    def _without(self, order_reference: str, cart: Cart, row: RedemptionRow | None) -> Payment:
        if row is None or row.state in CLOSED:
            return without_points(order_reference, cart) if row is None else payment_of(row)
        if row.state in {"authorizing", "authorized", "abandoning", "voiding"}:
            return payment_of(self._release(row, "went on without points", ends=self._ends()))
        raise LiveRedemptionError(
            f"Order {order_reference} has {row.points} points {row.state}; cancel it to give them back.",
            idempotency_key=row.key,
        )

    def _release(self, row: RedemptionRow, cause: str, *, ends: float) -> RedemptionRow:
        return self._goals.release(row, cause=cause[:200], ends=ends)

    def _looked_up(self, row: RedemptionRow, *, ends: float) -> RedemptionRow:
        try:
            evidence = self._executor.look_up(row, deadline_s=self._left(ends))
        except PunktgenauError:
            return row
        return row if evidence is None else self._executor.note_evidence(row, evidence)

    def _require_link(self, customer_id: str) -> Link:
        link = self._links.find(customer_id)
        if link is None:
            raise NotLinkedError("This customer is not linked to a member. Nothing was sent; link first.")
        return link

    def _balance(self, link: Link, *, max_age_s: float) -> Balance:
        if link.balance is not None and link.balance_age_s <= max_age_s:
            return link.balance
        balance = self._provider.members.balance(member_id=link.member_id, deadline_s=self.settings.deadline_s)
        self._links.keep_balance(link, balance)
        return balance

    def _quote(self, cart: Cart, balance: Balance, points: int | Literal["all"]) -> CartQuote:
        return quote(
            cart=cart,
            available=balance.available,
            rate=balance.rate,
            limits=balance.limits,
            rules=self.settings.rules,
            asked=points,
        )

    def _ends(self) -> float:
        return self._clock.monotonic() + self.settings.deadline_s

    def _left(self, ends: float) -> float:
        return max(0.1, ends - self._clock.monotonic())

    def _heard(self, before: RedemptionRow, after: RedemptionRow) -> None:
        name = EVENT_BY_STATE.get(after.state)
        if name is None or before.state == after.state or self.on_event is None:
            return
        try:
            self.on_event(name, payment_of(after))
        except Exception:  # a listener is a guest: what it does wrong must not undo or hide what was committed
            logger.exception("a listener of %s failed", name)
