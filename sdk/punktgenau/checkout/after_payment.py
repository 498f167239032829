"""What a shop asks about an order once it is paid: returns, their money halves, the receipt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from punktgenau._clock import Clock
from punktgenau.checkout.amending import Amending
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.cart import Cart
from punktgenau.checkout.earning.calls import EarningCalls
from punktgenau.checkout.goals import Goals
from punktgenau.checkout.intent import WENT_WITHOUT
from punktgenau.checkout.invoice import Invoice
from punktgenau.checkout.order_journal import AMENDED, OrderJournal
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.reached import GIVEN_UP
from punktgenau.checkout.refund import Refund, RefundPreview
from punktgenau.checkout.refused import Refused
from punktgenau.checkout.returned import Wanted
from punktgenau.checkout.returns import REFERENCE_MAX, Returns, require_reference
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.shipping import Shipping
from punktgenau.errors import InvalidArgumentError, NotFoundError
from punktgenau.money import Money

_LIVES_ON = WENT_WITHOUT | {AMENDED, GIVEN_UP}
"""Why points are back although their order was not cancelled: it is paid without them."""


class AfterPayment(EarningCalls):
    """The part of `Checkout` that is about paid orders."""

    settings: Settings
    _clock: Clock
    _journal: OrderJournal
    _returns: Returns
    _refused: Refused
    _amending: Amending
    _shipping: Shipping
    _goals: Goals

    def capture(
        self,
        order_reference: str,
        *,
        lines: Mapping[str, int] | None = None,
        shipment_reference: str | None = None,
    ) -> Payment | None:
        """Goal: these points are paid. None where the order has no redemption; "capturing" where it is unknown.

        With `lines`, units by line id that leave as `shipment_reference`, only what the points pay of them is captured
        ("partially_captured"), to the point with the last; without, all that is left. Where the provider captures only
        as a whole, all is captured with the first shipment. Safe to repeat. Raises InvalidArgumentError (more units
        than are left), IdempotencyConflictError (the reference stands for another shipment).
        """
        if lines is not None and shipment_reference is None:
            raise InvalidArgumentError("A shipment needs its reference.", field="shipment_reference")
        row, ends = self._latest(order_reference), self._ends()
        if self.settings.earns:
            self._earnings.plan_paid(order_reference, row)
        if row is not None and lines is not None and shipment_reference is not None:
            shipped = self._shipping.ship(row, lines=lines, reference=shipment_reference, ends=ends)
            if shipped is not None:
                return payment_of(shipped)
        return None if row is None else payment_of(self._goals.capture(row, ends=ends))

    def refund(
        self,
        order_reference: str,
        *,
        return_reference: str,
        lines: Mapping[str, int] | None = None,
        shipping_minor: int = 0,
        amount_minor: int | None = None,
        reason: str = "",
        actor: str = "",
        seen: tuple[int, Money] | None = None,
    ) -> Refund | None:
        """Take a return in: units by line and of the shipping an amount, or an amount of the whole order.

        Amounts in the smallest unit; prices come from the journal's copy of the order, the split from its policy. None:
        no points were asked for, or the order went on without them (refused, its payment failed, the customer chose
        so), so all of it is the shop's own money, given back as ever. The same again answers as the first time.
        `seen` is what somebody was shown: points and money of `preview_refund(...).split`. Raises ReturnConflictError
        (the reference stands for another return), InvalidArgumentError (more than is left; a reference that begins with
        `amend-` or `release-`), AmountChangedError (something else than was seen would go back by now),
        StateConflictError (points have paid nothing of it, or a person has to look first; `not_shipped`: it is still
        here), RedemptionEndedError (one of these: the order was cancelled, and all of its points go back by that),
        InProgressError (a parcel is just being captured): nothing was booked then.
        """
        wanted = Wanted(lines=dict(lines or {}), shipping_minor=shipping_minor, amount_minor=amount_minor)
        reference = require_reference(return_reference, field="return_reference", most=REFERENCE_MAX)
        # Told again after the order was paid anew, it is the same return.
        row = self._journal.with_return(order_reference, reference) or self._paying(order_reference)
        if row is None:
            if self._journal.has_earned():
                self._earnings.returned(order_reference, wanted, reference=reference)
            return None
        return self._returns.refund(
            row, wanted, reference=reference, reason=reason, actor=actor, ends=self._ends(), seen=seen
        )

    def preview_refund(
        self,
        order_reference: str,
        *,
        lines: Mapping[str, int] | None = None,
        shipping_minor: int = 0,
        amount_minor: int | None = None,
    ) -> RefundPreview | None:
        """What a return would give back under each policy; books nothing. Raises what `refund` raises.

        The order's own policy is exact. The others are reckoned as if they held from this return on: they give back
        nothing that is not left, of points and of money.
        """
        wanted = Wanted(lines=dict(lines or {}), shipping_minor=shipping_minor, amount_minor=amount_minor)
        row = self._paying(order_reference)
        if row is None:
            return None
        preview = self._returns.preview(row, wanted, ends=self._ends())
        if not self._journal.has_earned():
            return preview
        return replace(preview, earned_taken=self._earnings.taken_by(order_reference, wanted))

    def money_refunded(
        self, order_reference: str, *, return_reference: str, psp_reference: str, amount: Money | None = None
    ) -> Refund:
        """The money half of a return was paid, as `psp_reference` at the payment provider; each counts once.

        `amount` is what was paid; without it, all that is owed now: more may be by then than when the payment was made.
        Raises NotFoundError; InvalidArgumentError (more than is owed); ReturnConflictError: all was paid before under
        other references, or this one was told with another amount.
        """
        row = self._with_return(order_reference, return_reference)
        return self._returns.money_refunded(row, reference=return_reference, psp_reference=psp_reference, amount=amount)

    def refunds(self, order_reference: str) -> tuple[Refund, ...]:
        """Every return of an order, the oldest first, from the journal; also those of attempts before the newest.

        And what was left as it was cancelled, where some of that came back expired and the shop makes up for it
        (`Refund.is_rest`).
        """
        row = self._latest(order_reference)
        if row is None:
            return ()
        attempts = [self._journal.redemption(before) for before in self._journal.returned_before(row)]
        return tuple(one for attempt in (*attempts, row) for one in self._returns.of_order(attempt))

    def open_refunds(self) -> Iterator[tuple[str, str, Money]]:
        """Returns whose money is still to be paid: order reference, return reference, amount; the oldest first."""
        return self._returns.owing_money()

    def amend(self, order_reference: str, cart: Cart, *, reason: str = "", actor: str = "") -> Payment | None:
        """The order has changed: `cart` is what the customer keeps now; what is left to pay then is `Payment.due`.

        Before the points are captured they stay, or fewer are captured where they do not fit any more. Afterwards a
        smaller order gives back by the refund policy, as return `amend-<version>`; of a larger one more is due. Between
        parcels what has left stays (`already_shipped` where it is missing) and points stay with the rest. Returns
        count by the newest version from then on; an amount given back before is kept where the lines say so
        (`discount_minor`), else the cart's full price is due again. The same cart again answers as the first time.
        None: no points are part of this order. Raises InProgressError (try the same again), InvalidArgumentError
        (another currency), RedemptionEndedError, StateConflictError: nothing was changed then.
        """
        row = self._latest(order_reference)
        if row is None:
            return None
        return self._amending.amend(row, cart, reason=reason, actor=actor, ends=self._ends())

    def refund_again(self, order_reference: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Ask once more for the points of a return that was refused for good; who and why are written down.

        Raises NotFoundError, ReturnConflictError (it is not refused), RedemptionEndedError (all goes back anyway).
        """
        row = self._with_return(order_reference, return_reference)
        return self._refused.ask_again(row, reference=return_reference, actor=actor, reason=reason, ends=self._ends())

    def pay_instead(self, order_reference: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Let the points of a refused return stay captured and owe their worth in money (`Refund.money_instead`).

        Where not these but new points in the place of expired ones were refused, or nobody can tell about them, their
        worth is owed instead (`Refund.expired_money`). Close it by `money_refunded`, as every money half. Raises as
        `refund_again`.
        """
        row = self._with_return(order_reference, return_reference)
        return self._refused.pay_instead(row, reference=return_reference, actor=actor, reason=reason)

    def settle_new_points(
        self, order_reference: str, *, return_reference: str, given: bool, actor: str, reason: str
    ) -> Refund:
        """Say what became of new points that were refused, or that nobody can tell about; who and why is written down.

        `given`: the customer has them, by the provider's own word. Else they are asked for once more, under another
        key. To pay their worth: `pay_instead`. Raises NotFoundError; ReturnConflictError where no person is needed.
        """
        return self._refused.settle_new_points(
            self._with_return(order_reference, return_reference),
            reference=return_reference,
            given=given,
            actor=actor,
            reason=reason,
            ends=self._ends(),
        )

    def settle_expired(
        self,
        order_reference: str,
        *,
        return_reference: str,
        expired: int,
        vouchers_minor: int | None = None,
        actor: str,
        reason: str,
    ) -> Refund:
        """Say how many of a return's points came back expired, by the provider's word, where only a look-up proved it.

        `vouchers_minor`: the same of what went back onto vouchers, in the smallest unit; needed where some did. The
        shop's rule makes up for them then; who and why is written down. Raises NotFoundError; InvalidArgumentError
        (more than its points); ReturnConflictError where it is known already, or does not matter by that rule.
        """
        return self._refused.settle_expired(
            self._with_return(order_reference, return_reference),
            reference=return_reference,
            expired=expired,
            vouchers_minor=vouchers_minor,
            actor=actor,
            reason=reason,
            ends=self._ends(),
        )

    def unsaid_refunds(self) -> Iterator[Refund]:
        """Returns of which nobody said how many points came back expired, and the shop makes up for those; likewise."""
        return self._refused.unsaid()

    def refused_refunds(self) -> Iterator[Refund]:
        """Returns whose points were refused for good, the oldest first; a person has to decide what becomes of them."""
        return self._refused.listed()

    def invoice(self, order_reference: str) -> Invoice | None:
        """The figures of an order's receipt as the order is now: who pays what, at which rate, VAT per rate, returns.

        None: no points were ever asked for, so the receipt is the shop's as ever. Raises OutcomeUnknownError while
        nobody knows whether points pay.
        """
        row = self._latest(order_reference)
        return None if row is None else self._returns.invoice(row)

    def _paying(self, order_reference: str) -> RedemptionRow | None:
        """The attempt that pays an order; None where the order went on without points."""
        row = self._latest(order_reference)
        if row is None or row.is_without_points:
            return row
        if row.state in {"declined", "abandoned"}:
            # Cancelled meanwhile: then nothing is left that could come back.
            return None if row.release_cause is None or row.release_cause in _LIVES_ON else row
        # Its payment failed, or the customer chose so: it may have been paid in another way since then.
        went_without = row.state in {"voided", "expired"} and row.release_cause in _LIVES_ON
        return None if went_without else row

    def _with_return(self, order_reference: str, return_reference: str) -> RedemptionRow:
        """The newest attempt that has this return: what is open of one before it stays to be settled."""
        row = self._journal.with_return(order_reference, return_reference) or self._latest(order_reference)
        if row is None:
            raise NotFoundError(f"No points are part of order {order_reference}.", field="order_reference")
        return row

    def _latest(self, order_reference: str) -> RedemptionRow | None:
        return self._journal.latest(order_reference)

    def _ends(self) -> float:
        return self._clock.monotonic() + self.settings.deadline_s
