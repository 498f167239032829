"""What a shop asks about points that its orders earn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property

from punktgenau._clock import Clock
from punktgenau.checkout.articles.calls import ArticleCalls
from punktgenau.checkout.cart import Cart, Order
from punktgenau.checkout.database import Database
from punktgenau.checkout.earning.asked import Asked
from punktgenau.checkout.earning.earnings import Earnings
from punktgenau.checkout.earning.execute import EarnExecutor
from punktgenau.checkout.earning.journal import EarnJournal
from punktgenau.checkout.earning.looking import Looking
from punktgenau.checkout.earning.recovering import EarnRecovery
from punktgenau.checkout.earning.rules import Campaign
from punktgenau.checkout.earning.settling import Settling
from punktgenau.checkout.earning.told import Earned, EarnedKind, EarnPreview, earned_of
from punktgenau.checkout.links import Links
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.returned import Wanted
from punktgenau.checkout.returns import REFERENCE_MAX, require_reference
from punktgenau.checkout.settings import Settings
from punktgenau.errors import InvalidArgumentError
from punktgenau.money import Money
from punktgenau.provider import Provider

ON_THE_WAY_MAX = 50


class EarningCalls(ArticleCalls):
    """The part of `Checkout` that is about earning; what is planned here is carried out by recovery.

    `campaign_loader` tells the shop's campaigns, those of other times as well; `articles_of` the points of articles.
    """

    settings: Settings
    order_loader: Callable[[str], Order | None] | None
    campaign_loader: Callable[[], Iterable[Campaign]] | None = None
    _provider: Provider
    _database: Database
    _clock: Clock
    _journal: OrderJournal
    _links: Links

    def earn(
        self, order_reference: str, cart: Cart, *, customer_id: str, placed_at: datetime | None = None
    ) -> tuple[Earned, ...]:
        """Plan what a paid order earns, once: for orders that `capture` does not hear of, or without an order loader.

        `placed_at`, with a zone, decides which campaigns count; left out: now. What points pay of it earns nothing, and
        a customer who is not linked earns nothing: then it is empty. Raises InvalidArgumentError, UnavailableError.
        """
        reference = require_reference(order_reference, field="order_reference", most=REFERENCE_MAX)
        if self.settings.earns:
            self._earnings.plan(reference, cart, customer_id=customer_id, placed_at=placed_at)
        return self.earned(reference)

    def earned(self, order_reference: str) -> tuple[Earned, ...]:
        """What an order earns, the purchase before a welcome, with all that happened to it; from the journal."""
        return self._earnings.told(order_reference)

    def on_the_way(self, customer_id: str) -> tuple[Earned, ...]:
        """What a customer's orders have earned and cannot be used yet, the soonest first; the first fifty, unmoved."""
        if not self.settings.earns:
            return ()
        return tuple(earned_of(row, ()) for row in self._earn_journal.on_the_way(customer_id, limit=ON_THE_WAY_MAX))

    def preview_earned(
        self,
        cart: Cart,
        *,
        points_value: Money | int = 0,
        points: int | None = None,
        at: datetime | None = None,
        customer_id: str | None = None,
    ) -> EarnPreview:
        """What a cart would earn, with `points_value` paid by points (in the smallest unit); plans nothing.

        `points`: how many those are, where reward articles are among the lines; one that they cannot pay counts with
        its co-payment, as far as that is known. `at`: when it is placed; left out: now.
        Raises InvalidArgumentError (more than points may pay of it).
        """
        if isinstance(points_value, Money):
            if points_value.currency != cart.currency:
                raise InvalidArgumentError(
                    f"{points_value.currency} and {cart.currency} cannot be mixed.", field="points_value"
                )
            points_value = points_value.amount_minor
        return self._earnings.preview(
            cart,
            points=points_value if points is None else points,
            value_minor=points_value,
            at=at,
            customer_id=customer_id,
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
        """Tell of a return of an order without points, once per reference; with points, `refund` says it.

        Units by line and of the shipping an amount, or an amount of the whole order. Raises ReturnConflictError (the
        reference stands for another return), InvalidArgumentError (more than is left).
        """
        reference = require_reference(return_reference, field="return_reference", most=REFERENCE_MAX)
        wanted = Wanted(lines=dict(lines or {}), shipping_minor=shipping_minor, amount_minor=amount_minor)
        self._earnings.returned(order_reference, wanted, reference=reference)
        return self.earned(order_reference)

    def earned_taken(
        self,
        order_reference: str,
        *,
        lines: Mapping[str, int] | None = None,
        shipping_minor: int = 0,
        amount_minor: int | None = None,
    ) -> int:
        """How many earned points a return would take back; books nothing. Raises InvalidArgumentError."""
        wanted = Wanted(lines=dict(lines or {}), shipping_minor=shipping_minor, amount_minor=amount_minor)
        return self._earnings.taken_by(order_reference, wanted)

    def unsettled_earned(self) -> tuple[Earned, ...]:
        """What orders earn and a person has to decide about: refused, or nobody can tell; the oldest 200."""
        return Settling(self._database, self._earn_journal, clock=self._clock).unsettled()

    def settle_earned(
        self, order_reference: str, *, kind: EarnedKind = "purchase", again: bool, actor: str, reason: str
    ) -> tuple[Earned, ...]:
        """A person decides about one of these: `again` under another key, or not at all; who and why is written down.

        Raises NotFoundError; InvalidArgumentError (no actor, no reason); StateConflictError where it needs no person.
        """
        Settling(self._database, self._earn_journal, clock=self._clock).settle(
            order_reference,
            kind=kind,
            again=again,
            actor=require_reference(actor, field="actor", most=200),
            reason=require_reference(reason, field="reason", most=200),
            lease_s=self.settings.deadline_s,
        )
        return self.earned(order_reference)

    # Inside

    @cached_property
    def _earn_journal(self) -> EarnJournal:
        key_of = self._provider.profile.key_of
        return EarnJournal(self._database, self._journal, clock=self._clock, key_of=key_of)

    @cached_property
    def _earnings(self) -> Earnings:
        return Earnings(
            self._provider,
            self._earn_journal,
            self._journal,
            self._links,
            settings=self.settings,
            asked=Asked(
                order=lambda: self.order_loader,
                campaigns=lambda: self.campaign_loader,
                articles=lambda: self.articles_of,
            ),
            clock=self._clock,
        )

    @cached_property
    def _earn_recovery(self) -> EarnRecovery:
        executor = EarnExecutor(self._provider, self._earn_journal, clock=self._clock)
        looking = Looking(
            self._earn_journal,
            self._journal,
            executor,
            self._provider.members,
            deadline_s=self.settings.deadline_s,
        )
        return EarnRecovery(self._earn_journal, executor, looking, loader=lambda: self.order_loader, clock=self._clock)
