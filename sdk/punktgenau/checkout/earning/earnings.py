"""The noun earning: what an order earns is planned once, carried out by recovery, and told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from punktgenau._clock import Clock
from punktgenau._redact import logger, short
from punktgenau.checkout.allocation import Allocation, allocate
from punktgenau.checkout.cart import Cart, GrossLine, Order
from punktgenau.checkout.earning.asked import Asked, Buyer
from punktgenau.checkout.earning.journal import EarnJournal
from punktgenau.checkout.earning.named import purchase_reference
from punktgenau.checkout.earning.promised import promised
from punktgenau.checkout.earning.reckon import Basis, basis_of, by_line, earned
from punktgenau.checkout.earning.rules import HasPoints
from punktgenau.checkout.earning.schema import EarningRow, fresh
from punktgenau.checkout.earning.standing import basis_of_row, goes_without, is_cancelled, kept_of, paid_lines, targets
from punktgenau.checkout.earning.told import Earned, EarnPreview, EarnPreviewLine, earned_of
from punktgenau.checkout.earning.welcome import may_come_again
from punktgenau.checkout.frozen import thaw
from punktgenau.checkout.intent import ORDER_CANCELLED
from punktgenau.checkout.links import Link, Links
from punktgenau.checkout.moments import milliseconds, moment
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.return_journal import wanted_json
from punktgenau.checkout.returned import History, Wanted, with_return
from punktgenau.checkout.returns import REFERENCE_MAX
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.settings import Settings
from punktgenau.errors import ReturnConflictError, UnavailableError
from punktgenau.provider import Provider

DAY_S = 86_400


class Earnings:
    """Plans and tells what orders earn."""

    def __init__(
        self,
        provider: Provider,
        journal: EarnJournal,
        orders: OrderJournal,
        links: Links,
        *,
        settings: Settings,
        asked: Asked,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._journal = journal
        self._orders = orders
        self._links = links
        self._settings = settings
        self._asked = asked
        self._clock = clock

    def plan_paid(self, order_reference: str, row: RedemptionRow | None) -> None:
        """Plan what an order earns that is paid now, if it is to earn anything and nothing is planned yet.

        Nothing here stops a payment: what the shop's functions raise is logged.
        """
        if not 1 <= len(order_reference) <= REFERENCE_MAX:
            # No provider takes such a name.
            logger.warning("order %s earns nothing: its reference is too long", short(order_reference))
            return
        if self._journal.of_order(order_reference) or (row is not None and row.state == "authorizing"):
            return
        try:
            order = self._order(order_reference)
        except Exception:  # the shop's code; what a redemption knows is enough
            logger.exception("the order loader failed as an order was paid")
            order = None
        self._plan_told(order_reference, row, order)

    def _plan_told(self, order_reference: str, row: RedemptionRow | None, order: Order | None) -> None:
        try:
            is_told = order is not None and order.cart is not None and order.customer_id
            if row is not None and not (is_told and goes_without(row)):
                self._plan_with(row, None if order is None else order.placed_at)
            elif order is not None and order.cart is not None and order.customer_id and order.state != "cancelled":
                self.plan(order_reference, order.cart, customer_id=order.customer_id, placed_at=order.placed_at)
        except UnavailableError:
            raise
        except Exception:  # campaigns and articles are the shop's code as well
            logger.exception("what an order earns could not be planned")

    def plan(
        self, order_reference: str, cart: Cart, *, customer_id: str, placed_at: datetime | None
    ) -> tuple[EarningRow, ...]:
        """Plan what an order earns, once; what stands. Raises InvalidArgumentError."""
        known = self._journal.of_order(order_reference)
        if known:
            return known
        row = self._orders.latest(order_reference)
        if row is not None and not goes_without(row):
            return self._plan_with(row, placed_at)
        # What was frozen for points that do not pay may be another cart than the one that is bought now.
        buyer = self._buyer(customer_id, cart, row)
        if buyer is None or (row is not None and is_cancelled(row)):
            return ()
        lines, allocation = self._of_cart(cart)
        since = self._clock.now() if row is None else moment(row.created_at)
        return self._plan(order_reference, lines, allocation, buyer, placed_at or since)

    def _buyer(self, customer_id: str, cart: Cart, row: RedemptionRow | None) -> Buyer | None:
        link = self._links.find(customer_id)
        if link is not None:
            if _other_currency(link, cart.currency):
                return None
            return Buyer(customer_id=customer_id, member_id=link.member_id, consent_id=link.consent_id)
        # Unlinked since the order was placed.
        return None if row is None or row.customer_id != customer_id else _buyer_of(row)

    def _plan_with(self, row: RedemptionRow, placed_at: datetime | None) -> tuple[EarningRow, ...]:
        if is_cancelled(row) or row.state == "authorizing":
            return ()
        allocation, cart = paid_lines(self._orders, row)
        at = placed_at or moment(row.created_at)
        return self._plan(row.order_reference, thaw(cart).lines, allocation, _buyer_of(row), at)

    def _plan(
        self,
        order_reference: str,
        lines: tuple[GrossLine, ...],
        allocation: Allocation,
        buyer: Buyer,
        placed_at: datetime,
    ) -> tuple[EarningRow, ...]:
        rules = self._settings.earn_rules
        basis = self._basis(lines, allocation, placed_at)
        points = earned(basis)
        paid_minor = sum(line.money_minor for line in basis.lines)
        row = self._row(order_reference, basis, buyer, placed_at)
        purchase = row("purchase", points) if points else None
        welcome = row("welcome", rules.welcome_points) if rules.welcome_points and paid_minor else None
        return self._journal.plan(purchase, welcome)

    def _row(
        self, order_reference: str, basis: Basis, buyer: Buyer, placed_at: datetime
    ) -> Callable[[str, int], EarningRow]:
        identity, rules, now_ms = self._orders._database.identity, self._settings.earn_rules, self._journal.now_ms()
        name = purchase_reference(self._orders._secret(), identity, order_reference, buyer.member_id)

        def made(kind: str, points: int) -> EarningRow:
            return EarningRow(
                id=self._orders.fresh_id(),
                provider=str(identity["own_provider"]),
                partner=str(identity["own_partner"]),
                mode=str(identity["own_mode"]),
                order_reference=order_reference,
                kind=kind,
                number=1,
                customer_id=buyer.customer_id,
                member_id=buyer.member_id,
                consent_id=buyer.consent_id,
                accrual_reference=name,
                points=points,
                basis=basis.text(),
                pending_s=rules.pending_s,
                claw_back=rules.claw_back,
                placed_at=milliseconds(placed_at),
                **fresh(now_ms),
            )

        return made

    # Telling

    def told(self, order_reference: str) -> tuple[Earned, ...]:
        """What an order earns, from the journal."""
        rows = self._journal.of_order(order_reference)
        return tuple(earned_of(row, self._journal.steps(row.id)) for row in rows)

    def preview(
        self, cart: Cart, *, points: int, value_minor: int, at: datetime | None, customer_id: str | None
    ) -> EarnPreview:
        """What a cart would earn if it were placed `at` that moment, and points paid so much of it."""
        rules, link = self._settings.earn_rules, None if customer_id is None else self._links.find(customer_id)
        rate = None if link is None or link.balance is None else link.balance.rate
        made = promised(cart, points=points, value_minor=value_minor, rate=rate)
        if made.cart is None:
            return EarnPreview(pending_s=rules.pending_s, is_linked=link is not None)
        lines, allocation = self._of_cart(made.cart, points=made.points, value_minor=made.value_minor)
        basis = self._basis(lines, allocation, at or self._clock.now())
        is_other = link is not None and _other_currency(link, cart.currency)
        earns = 0 if is_other else earned(basis)
        paid_minor = 0 if is_other else sum(line.money_minor for line in basis.lines)
        welcome, owed = (rules.welcome_points if paid_minor else 0), 0
        if link is not None:
            owed, last = self._journal.standing_of(link.member_id)
            had = last is not None and not may_come_again(last)
            if had or (last is None and self._journal.has_bought(link.member_id, besides="")):
                welcome = 0
        return EarnPreview(
            points=earns,
            lines=tuple(EarnPreviewLine(id=line.id, points=0 if is_other else part) for line, part in by_line(basis)),
            campaigns=tuple(plus.name for plus in basis.campaigns) if earns else (),
            welcome_points=welcome,
            offset=min(earns, owed),
            pending_s=rules.pending_s,
            is_linked=link is not None,
        )

    def taken_by(self, order_reference: str, more: Wanted) -> int:
        """How many earned points a return would take back, pending ones among them. Raises InvalidArgumentError."""
        points = 0
        for row in self._journal.of_order(order_reference):
            basis, before = basis_of_row(row), self._journal.returns(row.id)
            now = kept_of(self._orders, row, basis, before)
            then = kept_of(self._orders, row, basis, before, more)
            if row.state != "declined":
                # What is not taken yet of what came back before is none of this return's.
                first, last = (targets(row, one.points(row, basis)).taken for one in (now, then))
                points += last - first
        return points

    # What came back

    def returned(self, order_reference: str, wanted: Wanted, *, reference: str) -> None:
        """A return of an order that no redemption knows, once per reference; of all others the return says it.

        Raises ReturnConflictError (another return), InvalidArgumentError (more than is left), UnavailableError (nothing
        is planned yet, and the shop does not say what was bought).
        """
        row = self._orders.latest(order_reference)
        if row is not None and not goes_without(row):
            return
        if self._settings.earns and not self._journal.of_order(order_reference):
            # Told before the payment was: else the order would earn all of it then.
            self._plan_returned(order_reference, row)
        asked = wanted_json(wanted.lines, wanted.shipping_minor, wanted.amount_minor)

        def check(first: EarningRow, before: list[str]) -> None:
            allocation, history = basis_of_row(first).allocation(), History()
            for text in before:
                history = with_return(allocation, history, Wanted(**json.loads(text)))
            with_return(allocation, history, wanted)

        stands = self._journal.book_return(order_reference, reference=reference, wanted=asked, check=check)
        if stands is not None and stands != asked:
            raise ReturnConflictError(
                f"Return {reference} of order {order_reference} was asked for with other content. The first one "
                "stands, this one did nothing; give it a reference of its own.",
                field="return_reference",
            )

    def _plan_returned(self, order_reference: str, row: RedemptionRow | None) -> None:
        try:
            order = self._order(order_reference)
        except Exception as error:  # the shop's code
            raise UnavailableError(
                f"The shop's order {order_reference} could not be read, so nobody knows what it has earned. Nothing "
                "was booked; tell of the return again."
            ) from error
        placed_at = None if order is None else order.placed_at
        longest_s = max(self._settings.earn_rules.pending_s, DAY_S)
        if placed_at is not None and (self._clock.now() - placed_at).total_seconds() > longest_s:
            # Paid long ago, when orders earned nothing: a return is no reason to begin with it.
            return
        self._plan_told(order_reference, row, order)

    def cancelled(self, order_reference: str, *, cause: str) -> None:
        """An order that no redemption knows will not happen: whatever it has earned is taken back."""
        row = self._orders.latest(order_reference)
        if row is None or goes_without(row):
            said = "".join(sign for sign in cause[:200] if sign.isprintable())
            self._journal.cancel(order_reference, cause=said or ORDER_CANCELLED)

    # Inside

    def _order(self, order_reference: str) -> Order | None:
        loader = self._asked.order()
        return None if loader is None else loader(order_reference)

    def _of_cart(
        self, cart: Cart, *, points: int = 0, value_minor: int = 0
    ) -> tuple[tuple[GrossLine, ...], Allocation]:
        """The lines, and who pays them. Raises InvalidArgumentError where points may not pay so much."""
        made = allocate(cart=cart, points=points, value_minor=value_minor, rules=self._settings.rules)
        return cart.gross_lines, made

    def _basis(self, lines: tuple[GrossLine, ...], allocation: Allocation, at: datetime) -> Basis:
        rules, campaigns, articles = self._settings.earn_rules, self._asked.campaigns(), self._asked.articles()
        running = rules.running(at, () if campaigns is None else campaigns())
        known: Mapping[str, HasPoints] = {} if articles is None else articles({line.sku for line in lines}, at=at)
        return basis_of(lines, allocation, rules=rules, articles=known, campaigns=running)


def _buyer_of(row: RedemptionRow) -> Buyer:
    return Buyer(customer_id=row.customer_id, member_id=row.member_id, consent_id=row.consent_id)


def _other_currency(link: Link, currency: str) -> bool:
    """Whether the programme is known to reckon in another currency: so much money is not so many points there."""
    return link.balance is not None and link.balance.rate.currency != currency
