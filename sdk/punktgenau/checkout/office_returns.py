"""What an operator may do about returns: take one in, close its money half, settle what the provider refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from punktgenau.checkout.accrual_journal import ACCRUE
from punktgenau.checkout.actions import require_text
from punktgenau.checkout.money_half import newly_paid_minor
from punktgenau.checkout.office_basis import Basis
from punktgenau.checkout.refund import Refund, RefundPreview
from punktgenau.checkout.returns import REFERENCE_MAX, require_reference
from punktgenau.errors import AmountChangedError, NotFoundError, ReturnConflictError
from punktgenau.money import Money


class ReturnDeeds(Basis):
    """Changes to the returns of an order; `actor` is the operator's id."""

    def preview(
        self, redemption_id: str, *, lines: Mapping[str, int], shipping_minor: int, amount_minor: int | None
    ) -> RefundPreview:
        """What a return would give back under each policy. Raises what `Checkout.preview_refund` raises."""
        row = self._latest(redemption_id)
        preview = self._checkout.preview_refund(
            row.order_reference, lines=lines, shipping_minor=shipping_minor, amount_minor=amount_minor
        )
        if preview is None:
            raise NotFoundError(f"Points are no part of order {row.order_reference}.", field="order_reference")
        return preview

    def refund(
        self,
        redemption_id: str,
        *,
        return_reference: str,
        lines: Mapping[str, int],
        shipping_minor: int,
        amount_minor: int | None,
        seen: tuple[int, int] | None,
        actor: str,
        reason: str,
    ) -> Refund:
        """Take a return in; `seen` is what the operator was shown: points, and money in the smallest unit.

        Raises AmountChangedError where that is not what would go back now: nothing is booked then.
        """
        require_text(actor, field="actor")
        require_text(reason, field="reason", least=0)
        require_reference(return_reference, field="return_reference", most=REFERENCE_MAX)
        row = self._latest(redemption_id)
        is_known = self._journal.with_return(row.order_reference, return_reference) is not None
        refund = self._checkout.refund(
            row.order_reference,
            return_reference=return_reference,
            lines=lines,
            shipping_minor=shipping_minor,
            amount_minor=amount_minor,
            reason=reason,
            actor=actor,
            seen=None if seen is None else (seen[0], Money(amount_minor=seen[1], currency=row.currency)),
        )
        if refund is None:
            raise NotFoundError(f"Points are no part of order {row.order_reference}.", field="order_reference")
        if not is_known:
            # The return's own row names the operator as well, in the commit that books it.
            self._write(self._recorded("refund", row, actor=actor, reason=reason, return_reference=return_reference))
        return refund

    def money_refunded(
        self,
        redemption_id: str,
        *,
        return_reference: str,
        psp_reference: str,
        actor: str,
        seen_minor: int | None = None,
    ) -> Refund:
        """The money half of a return was paid; `seen_minor` is what was shown as owed, in the smallest unit.

        Raises NotFoundError, ReturnConflictError; AmountChangedError where more is owed by now: nothing is closed then.
        """
        row = self._latest(redemption_id, return_reference)
        known = self._checkout._returns.find(row, return_reference)
        if seen_minor is not None and known.money_due.amount_minor > max(0, seen_minor):
            raise AmountChangedError(
                f"More is owed for return {return_reference} than was shown. Nothing was written down; pay the rest, "
                "or enter what was paid once more.",
            )
        require_reference(psp_reference, field="psp_reference", most=255)
        detail = {"return_reference": return_reference, "psp_reference": psp_reference}
        # Exactly what was shown was paid, even if more becomes owed at this very moment.
        amount_minor = seen_minor if seen_minor and seen_minor > 0 else None
        said = self._recorded("money_refunded", row, actor=actor, reason="", **detail)
        asked = next(one for one in self._journal.books(row.id).given_back if one.reference == return_reference)
        plan = partial(newly_paid_minor, amount_minor=amount_minor)
        self._journal.money_refunded(asked, psp_reference=psp_reference, plan=plan, beside=said)
        return self._checkout._returns.find(row, return_reference)

    def refund_again(self, redemption_id: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Ask once more for the points of a refused return; the journal records who and why. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id, return_reference)
        return self._checkout._refused.ask_again(
            row, reference=return_reference, actor=actor, reason=reason, ends=self._checkout._ends()
        )

    def pay_instead(self, redemption_id: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Owe the worth of a refused return's points in money; recorded as above. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id, return_reference)
        return self._checkout._refused.pay_instead(row, reference=return_reference, actor=actor, reason=reason)

    def settle_new_points(
        self, redemption_id: str, *, return_reference: str, given: bool, actor: str, reason: str
    ) -> Refund:
        """Say that new points were given, or ask for them once more; recorded as above. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id, return_reference)
        return self._checkout._refused.settle_new_points(
            row, reference=return_reference, given=given, actor=actor, reason=reason, ends=self._checkout._ends()
        )

    def settle_expired(
        self,
        redemption_id: str,
        *,
        return_reference: str,
        expired: int,
        vouchers_minor: int | None = None,
        actor: str,
        reason: str,
    ) -> Refund:
        """Say how many points of a return came back expired, and how much of its vouchers; recorded as above."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id, return_reference)
        return self._checkout._refused.settle_expired(
            row,
            reference=return_reference,
            expired=expired,
            vouchers_minor=vouchers_minor,
            actor=actor,
            reason=reason,
            ends=self._checkout._ends(),
        )

    def retry_new_points(self, redemption_id: str, *, return_reference: str, actor: str, reason: str = "") -> Refund:
        """Ask now for new points that wait for their next try, under the same key; recorded as above.

        Raises NotFoundError; ReturnConflictError where none wait, or somebody is just asking for them.
        """
        row = self._latest(redemption_id, return_reference)
        self._checkout._returns.find(row, return_reference)
        asked = next(one for one in self._journal.books(row.id).given_back if one.reference == return_reference)
        operation = next(
            (one for one in self._journal.operations(row.id) if one.kind == ACCRUE and one.open_key == asked.id), None
        )
        said = self._recorded("retry", row, actor=actor, reason=reason, return_reference=return_reference)
        deadline_s = self._checkout.settings.deadline_s
        claim = None if operation is None else self._journal.claim_operation(operation.id, lease_s=deadline_s)
        if claim is None:
            raise ReturnConflictError(
                f"New points of return {return_reference} wait for nothing, or somebody is just asking for them. "
                "Look at it again.",
                field="return_reference",
            )
        self._write(said)
        self._executor.run(claim, deadline_s=deadline_s)
        return self._checkout._returns.find(row, return_reference)
