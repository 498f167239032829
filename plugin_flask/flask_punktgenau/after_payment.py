"""What a shop asks about an order once it is placed or paid: changes, returns and their money halves, the receipt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask_punktgenau.state import AppState, current_state
from flask_punktgenau.transactions import require_no_open_transaction
from punktgenau.checkout import Cart, Checkout, Invoice, Payment, Refund, RefundPreview
from punktgenau.errors import ConfigurationError, NotFoundError
from punktgenau.money import Money


class AfterPayment:
    """The part of `Punktgenau` that is about paid orders; every call finds the current app's engine.

    Where points were never part of an order the answer is None (or nothing): its money is the shop's own affair.
    """

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
    ) -> Refund | None:
        """Take a return in: units by line id and of the shipping an amount, or an amount of the whole order.

        Points go back by themselves; `Refund.money_due` is for the shop to pay back, and `money_refunded` tells that it
        did. Amounts in the smallest unit; prices come from the journal's copy of the order. The same again answers as
        the first time. None: no points were asked for, or the order went on without them (refused, its payment failed,
        the customer chose so), so all of it is the shop's own money, given back as ever. Raises ReturnConflictError
        (the reference stands for another return), InvalidArgumentError (more than is left), StateConflictError (points
        have paid nothing of it, or a person has to look first; `not_shipped`: it has not left with any parcel),
        RedemptionEndedError (a StateConflictError: the order was cancelled, and all of its points go back by that),
        OpenTransactionError: nothing was booked then.
        """
        checkout = self._ready_to_write()
        if checkout is None:
            return None
        return checkout.refund(
            order_reference,
            return_reference=return_reference,
            lines=lines,
            shipping_minor=shipping_minor,
            amount_minor=amount_minor,
            reason=reason,
            actor=actor,
        )

    def preview_refund(
        self,
        order_reference: str,
        *,
        lines: Mapping[str, int] | None = None,
        shipping_minor: int = 0,
        amount_minor: int | None = None,
    ) -> RefundPreview | None:
        """What a return would give back under each policy; books nothing. Raises what `refund` raises."""
        checkout = self._state().journal()
        if checkout is None:
            return None
        return checkout.preview_refund(
            order_reference, lines=lines, shipping_minor=shipping_minor, amount_minor=amount_minor
        )

    def amend(self, order_reference: str, cart: Cart, *, reason: str = "", actor: str = "") -> Payment | None:
        """The order has changed: `cart` is what the customer keeps now; what is left to pay then is `Payment.due`.

        Before the points are captured they stay, or fewer are captured where they do not fit any more. Afterwards a
        smaller order gives back, as return `amend-<version>`; of a larger one more is due. Between parcels only what is
        still to leave can change. An amount given back before is kept where the lines say so (`discount_minor`), else
        the cart's full price is due again. The same cart again answers as the first time. Raises InProgressError (try
        the same again), InvalidArgumentError (another currency), RedemptionEndedError, StateConflictError
        (`already_shipped`: what has left is missing), OpenTransactionError: nothing was changed then.
        """
        checkout = self._ready_to_write()
        return checkout.amend(order_reference, cart, reason=reason, actor=actor) if checkout is not None else None

    def refund_again(self, order_reference: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Ask once more for the points of a return that was refused for good; who and why are written down.

        Raises NotFoundError, ReturnConflictError (it is not refused), RedemptionEndedError, OpenTransactionError.
        """
        checkout = self._known(order_reference)
        return checkout.refund_again(order_reference, return_reference=return_reference, actor=actor, reason=reason)

    def pay_instead(self, order_reference: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Let the points of a refused return stay captured and owe their worth in money (`Refund.money_instead`).

        Close it by `money_refunded`, as every money half. Raises as `refund_again`.
        """
        checkout = self._known(order_reference)
        return checkout.pay_instead(order_reference, return_reference=return_reference, actor=actor, reason=reason)

    def settle_new_points(
        self, order_reference: str, *, return_reference: str, given: bool, actor: str, reason: str
    ) -> Refund:
        """Say what became of new points that were refused, or that nobody can tell about; who and why is written down.

        `given`: the customer has them. Else they are asked for once more. Raises NotFoundError, ReturnConflictError (no
        person is needed), OpenTransactionError.
        """
        checkout = self._known(order_reference)
        return checkout.settle_new_points(
            order_reference, return_reference=return_reference, given=given, actor=actor, reason=reason
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
        """Say how many of a return's points came back expired, where only a look-up proved that they are back.

        `vouchers_minor`: the same of what went back onto vouchers, in the smallest unit; needed where some did. The
        shop's rule makes up for them then; who and why is written down. Raises NotFoundError, InvalidArgumentError
        (more than its points), ReturnConflictError (it is known already), OpenTransactionError.
        """
        checkout = self._known(order_reference)
        return checkout.settle_expired(
            order_reference,
            return_reference=return_reference,
            expired=expired,
            vouchers_minor=vouchers_minor,
            actor=actor,
            reason=reason,
        )

    def unsaid_refunds(self) -> Iterator[Refund]:
        """Returns of which nobody said how many points came back expired, and the shop makes up for those."""
        checkout = self._state().journal()
        return checkout.unsaid_refunds() if checkout is not None else iter(())

    def refused_refunds(self) -> Iterator[Refund]:
        """Returns whose points were refused for good, the oldest first; a person has to decide what becomes of them."""
        checkout = self._state().journal()
        return checkout.refused_refunds() if checkout is not None else iter(())

    def money_refunded(
        self, order_reference: str, *, return_reference: str, psp_reference: str, amount: Money | None = None
    ) -> Refund:
        """The money half of a return was paid, as `psp_reference` at the payment provider; each counts once.

        `amount` is what was paid; without it, all that is owed now: more may be by then than when the payment was made.
        Raises NotFoundError; InvalidArgumentError (more than is owed); ReturnConflictError: all was paid before under
        other references, or this one was told with another amount; OpenTransactionError.
        """
        checkout = self._known(order_reference)
        return checkout.money_refunded(
            order_reference, return_reference=return_reference, psp_reference=psp_reference, amount=amount
        )

    def refunds(self, order_reference: str) -> tuple[Refund, ...]:
        """Every return of an order, the oldest first, from the journal."""
        checkout = self._state().journal()
        return checkout.refunds(order_reference) if checkout is not None else ()

    def open_refunds(self) -> Iterator[tuple[str, str, Money]]:
        """Returns whose money is still to be paid: order reference, return reference, amount; the oldest first."""
        checkout = self._state().journal()
        return checkout.open_refunds() if checkout is not None else iter(())

    def invoice(self, order_reference: str) -> Invoice | None:
        """The figures of an order's receipt as the order is now: who pays what, at which rate, VAT per rate, returns.

        Raises OutcomeUnknownError while nobody knows whether points pay.
        """
        checkout = self._state().journal()
        return checkout.invoice(order_reference) if checkout is not None else None

    def _known(self, order_reference: str) -> Checkout:
        checkout = self._ready_to_write()
        if checkout is None:
            raise NotFoundError(f"No points are part of order {order_reference}.", field="order_reference")
        return checkout

    def _ready_to_write(self) -> Checkout | None:
        state = self._state()
        require_no_open_transaction()
        return state.journal()

    def _state(self) -> AppState:
        state = current_state()
        if state.owner is not self:
            raise ConfigurationError("The current app was initialised with another Punktgenau object; use that one.")
        return state
