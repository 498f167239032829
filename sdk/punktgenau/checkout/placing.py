"""Placing an order: the wish checked again, the intent written, the hold asked for; the same call again."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from punktgenau._clock import Clock
from punktgenau.checkout.attempt import new_attempt, payment_of, same_wish, without_points
from punktgenau.checkout.balances import Balances
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.frozen import needs_points
from punktgenau.checkout.goals import POLL_S, Goals
from punktgenau.checkout.intent import WITHOUT_POINTS, Claim, ask_by_void, deal_stands
from punktgenau.checkout.journal import CLOSED, Journal, LostSwapError
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.quote import CartQuote, refusal, unaffordable
from punktgenau.checkout.rewards import of_order
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.states import UNRESOLVED
from punktgenau.checkout.vouchers import of_cart, standing, worth_minor
from punktgenau.codes import CODES
from punktgenau.errors import (
    AmountChangedError,
    DeclinedError,
    InProgressError,
    LimitError,
    LiveRedemptionError,
    PunktgenauError,
    UnavailableError,
    VoucherError,
)
from punktgenau.money import Money
from punktgenau.provider import Provider

if TYPE_CHECKING:
    from punktgenau.voucher_records import Voucher

_ASK_AGAIN = frozenset({"rate_changed", "value_mismatch", "insufficient_points", "consent_revoked", "not_linked"})
"""Refusals which show that the balance seen last is no longer true."""


_TENDER = re.compile(r"tenders\.(\d{1,2})\b")
_GOES_WITHOUT = UNRESOLVED - {"capturing", "reversing"} | {"authorized", "expired", "voided"}
"""States in which the customer may still go on without points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the shop asks for an order: whose points, how many, for which cart, held how long, and what was shown."""

    order_reference: str
    cart: Cart
    customer_id: str
    points: int | Literal["all"]
    hold_s: int
    seen_due: Money | None
    vouchers: tuple[Voucher, ...] = ()
    """What is offered to pay first; `place` makes it a part of the cart."""


class Placing:
    """Turns a wish into a held redemption, once, however often and from wherever it is asked."""

    def __init__(
        self,
        provider: Provider,
        journal: Journal,
        executor: Executor,
        goals: Goals,
        balances: Balances,
        *,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._provider = provider
        self._journal = journal
        self._executor = executor
        self._goals = goals
        self._balances = balances
        self._settings = settings
        self._clock = clock

    def place(self, wish: Wish, row: RedemptionRow | None, *, ends: float) -> Payment | None:
        """Answer a wish from what stands, or hold anew; None: something changed meanwhile, read again."""
        if row is not None and row.is_without_points:
            return _settled(wish, row)
        wish = self._paid_first(wish, row, ends=ends)
        if wish.points == 0 and not wish.cart.vouchers:
            _require_no_rewards(wish, row)
            return self._without(wish, row, ends=ends)
        if row is not None and row.state not in CLOSED:
            return self._again(wish, row, ends=ends)
        claim = self._begin(wish, number=1 if row is None else row.attempt + 1, ends=ends)
        if claim is None:
            return None
        return self._placed(*self._executor.run(claim, deadline_s=self._left(ends)))

    def _paid_first(self, wish: Wish, row: RedemptionRow | None, *, ends: float) -> Wish:
        """The wish with its vouchers in the cart: what a live attempt holds of the same ones is what they pay.

        Raises NotLinkedError, VoucherError: nothing is held.
        """
        if not wish.vouchers:
            return wish
        cart = wish.cart
        if row is not None and row.state not in CLOSED:
            paying = of_cart(row.cart)
            bound = of_order(cart.gross_lines, points=row.points, value_minor=row.value_minor)
            room_minor = cart.payable.amount_minor - sum(part.minor for part in bound)
            if standing(paying, wish.vouchers, is_all=worth_minor(paying) >= room_minor):
                return replace(wish, cart=cart.paid_by(paying), vouchers=())
        balance = self._balances.of(
            self._balances.link(wish.customer_id), max_age_s=self._settings.hold_s, deadline_s=self._left(ends)
        )
        paid = self._balances.paid_first(cart, balance.rate, wish.vouchers)
        return replace(wish, cart=paid, vouchers=())

    def _begin(self, wish: Wish, *, number: int, ends: float) -> Claim | None:
        """Check the wish again by the last balance seen, and write the intent; None: somebody was first."""
        if not self._settings.enabled:
            _require_no_rewards(wish, None)
            raise UnavailableError("Points are switched off in this shop. Nothing was sent.", code="points_off")
        link = self._balances.link(wish.customer_id)
        balance = self._balances.of(link, max_age_s=self._settings.hold_s, deadline_s=self._left(ends))
        made = self._balances.quote(wish.cart, balance, wish.points)
        if (error := unaffordable(made)) is not None:
            raise error
        _check_seen(wish, made)
        attempt = new_attempt(
            self._journal,
            self._provider,
            link,
            made,
            wish.cart,
            order_reference=wish.order_reference,
            number=number,
            wish=str(wish.points),
            hold_s=wish.hold_s,
            settings=self._settings,
        )
        at_once = self._settings.capture == "placed" or not self._provider.profile.has_holds
        try:
            return self._journal.begin_attempt(
                attempt, {"capture": 1} if at_once else {}, lease_s=self._settings.deadline_s
            )
        except LostSwapError:
            return None

    def _again(self, wish: Wish, row: RedemptionRow, *, ends: float) -> Payment | None:
        """A live redemption exists: answer from it where this is the same wish, give it back where it is another."""
        if row.customer_id != wish.customer_id:
            raise LiveRedemptionError(
                f"Order {row.order_reference} is being paid with another customer's points. Nothing was held.",
                idempotency_key=row.key,
            )
        if row.state == "authorized" and row.hold_until is not None and row.hold_until <= self._journal.now_ms():
            row = self._looked_up(row, ends=ends)
            if row.state in CLOSED:
                return None
        if row.state == "authorizing" or same_wish(row, wish.cart, wish.points, self._settings.rules):
            return self._same(wish, row, ends=ends)
        kind = LiveRedemptionError if row.state in {"captured", "partially_reversed", "short"} else InProgressError
        raise kind(
            f"Order {row.order_reference} has {row.points} points in state {row.state}, and its money may be on the "
            "way. Nothing else was held; void them first, then ask for others.",
            idempotency_key=row.key,
        )

    def _same(self, wish: Wish, row: RedemptionRow, *, ends: float) -> Payment | None:
        if not same_wish(row, wish.cart, wish.points, self._settings.rules):
            raise InProgressError(
                f"It is not known yet whether {row.points} points are held for order {row.order_reference}. Try the "
                "same points again, or go on without (points=0).",
                idempotency_key=row.key,
            )
        return self.again(row, ends=ends)

    def again(self, row: RedemptionRow, *, ends: float) -> Payment:
        """Ask once more where it is unknown whether points are held; answer from the row where it is known."""
        if row.state != "authorizing":
            return payment_of(row)
        claim = self._journal.claim(row.id, lease_s=self._left(ends))
        if claim is not None:
            return self._placed(*self._executor.run(claim, deadline_s=self._left(ends)))
        # A double click: the first one is still sending. Wait for its result rather than doubt it.
        while row.state == "authorizing" and self._clock.monotonic() + POLL_S < ends:
            self._clock.sleep(POLL_S)
            row = self._journal.redemption(row.id)
        return self._placed(row, None)

    def _placed(self, row: RedemptionRow, error: PunktgenauError | None) -> Payment:
        if row.state not in CLOSED:
            return payment_of(row)
        if row.reason in _ASK_AGAIN:
            self._balances.forget(row.customer_id)
        if error is None:
            # A double click: the other one heard the refusal, this one tells the same.
            row_of_code = CODES.get(row.reason)
            kind = row_of_code.error if row_of_code is not None else DeclinedError
            raise kind(
                f"The points for order {row.order_reference} were refused. Nothing is held.",
                code=row.reason or None,
                idempotency_key=row.key,
            )
        raise _named(row, error)

    def _without(self, wish: Wish, row: RedemptionRow | None, *, ends: float) -> Payment:
        if row is None or (row.state in CLOSED and row.state != "expired" and not deal_stands(row)):
            return without_points(wish.order_reference, wish.cart)
        if row.state in _GOES_WITHOUT and row.paid_at is None:
            return payment_of(self._goals.release(row, cause=WITHOUT_POINTS, ends=ends))
        raise LiveRedemptionError(
            f"Order {wish.order_reference} has {row.points} points in state {row.state}; cancel it to give them back.",
            idempotency_key=row.key,
        )

    def _looked_up(self, row: RedemptionRow, *, ends: float) -> RedemptionRow:
        try:
            if not self._executor.can_look_up:
                claim = self._journal.begin_operation(row, ask_by_void(), lease_s=self._left(ends))
                return self._executor.run(claim, deadline_s=self._left(ends))[0]
            evidence = self._executor.look_up(row, deadline_s=self._left(ends))
        except LostSwapError:
            return self._journal.redemption(row.id)
        except PunktgenauError:
            # Nobody answers, so nothing is proven: the row stays as it is.
            return row
        try:
            return row if evidence is None else self._executor.note_evidence(row, evidence)
        except LostSwapError:
            return self._journal.redemption(row.id)

    def _left(self, ends: float) -> float:
        return max(0.1, ends - self._clock.monotonic())


def _named(row: RedemptionRow, error: PunktgenauError) -> PunktgenauError:
    """The refusal of a voucher names it by its id, whatever place it had among the tenders."""
    place = _TENDER.match(error.field or "") if isinstance(error, VoucherError) else None
    vouchers = of_cart(row.cart)
    if place is not None and int(place[1]) < len(vouchers):
        error.field = vouchers[int(place[1])].id
    return error


def _require_no_rewards(wish: Wish, row: RedemptionRow | None) -> None:
    """Raises LimitError (`reward_needs_points`) where an article would go without the points that must pay it."""
    stands = row is not None and row.state not in CLOSED and needs_points(row.cart)
    if wish.cart.reward_points or stands:
        raise LimitError(
            f"Order {wish.order_reference} has articles that must be paid with points, so it cannot go on without. "
            "Nothing was changed; try the points again, or cancel the order.",
            code="reward_needs_points",
            field="points",
        )


def _settled(wish: Wish, row: RedemptionRow) -> Payment:
    """What is due of an order whose missing points a person has settled. Raises LiveRedemptionError."""
    if wish.points == 0:
        payment = payment_of(row)
        if (row.customer_id, payment.total) != (wish.customer_id, wish.cart.payable):
            raise LiveRedemptionError(
                f"Order {row.order_reference} was settled for another cart, or another customer. Nothing was changed; "
                "where the order has, tell its cart by `amend`.",
                idempotency_key=row.key,
            )
        return payment
    raise LiveRedemptionError(
        f"The points of order {row.order_reference} were missing, and a person has settled that ({row.release_cause}). "
        "Nothing was held; a new order needs a reference of its own.",
        idempotency_key=row.key,
    )


def _check_seen(wish: Wish, made: CartQuote) -> None:
    if wish.seen_due is not None and made.due != wish.seen_due:
        raise AmountChangedError(
            f"{made.due.amount_minor} would be due, the customer saw {wish.seen_due.amount_minor} "
            f"({wish.cart.currency}, smallest unit). Nothing is held; show the customer again.",
            remaining=made.points,
        )
    refused = None if wish.points == "all" and made.is_paid_by_vouchers else refusal(made)
    if refused is not None and (not made.points or (wish.points != "all" and wish.seen_due is None)):
        raise refused
