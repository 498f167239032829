"""What an operator may do in the back office: every deed needs a name, and is recorded with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from punktgenau.checkout import searching
from punktgenau.checkout.actions import Actions, require_text
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.books import Books
from punktgenau.checkout.engine import Checkout
from punktgenau.checkout.execute import Executor
from punktgenau.checkout.intent import Claim, wished
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.office_clearing import ClearingDeeds
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.refund import AMENDMENT, Refund, RefundPreview, policy_of
from punktgenau.checkout.resolving import Resolution, resolutions, resolved
from punktgenau.checkout.return_journal import wanted_json
from punktgenau.checkout.returns import require_reference
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.shortfall import Settled, Settlement, settled
from punktgenau.errors import AmountChangedError, InProgressError, NotFoundError, StateConflictError
from punktgenau.money import Money


class Deeds(ClearingDeeds):
    """Changes that a person asks for; `actor` is the operator's id, a printable text."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._journal = checkout._journal
        self._executor: Executor = checkout._executor
        self._clock = checkout._clock
        self._database = checkout._database
        self.searching = searching.Searching(self._database)
        self.actions = Actions(self._database, clock=self._clock)

    def retry(self, redemption_id: str, *, actor: str, reason: str = "") -> Payment:
        """Do now what is due for it anyway: the open operation, a return that waits, a repair of a shortfall.

        Raises InProgressError while somebody else is at it.
        """
        row = self._row(redemption_id)
        self._record("retry", row, actor=actor, reason=reason)
        deadline_s = self._checkout.settings.deadline_s
        try:
            claim = self._claim(row, lease_s=deadline_s)
        except LostSwapError:
            claim = None
        if claim is None:
            raise InProgressError(f"Order {row.order_reference} is being worked on by somebody else at this moment.")
        after, _ = self._executor.run(claim, deadline_s=deadline_s)
        return payment_of(after)

    def resolve(
        self, redemption_id: str, *, as_: Resolution, actor: str, reason: str, operation_id: str | None = None
    ) -> Payment:
        """Write down what a person found out about an unknown, or decided about a shortfall. `reason` is required.

        `operation_id` is the open operation that the person was shown (empty: there was none; None: not told).
        Raises StateConflictError where that is not open (any more), InProgressError while it is being asked about.
        """
        require_text(reason, field="reason")
        row = self._latest(redemption_id)
        operation = next((one for one in self._journal.operations(row.id) if one.open_key == row.id), None)
        is_another = operation_id is not None and operation_id != ("" if operation is None else operation.id)
        if is_another or as_ not in resolutions(row, operation):
            raise StateConflictError(f"Order {row.order_reference} is not open in this way any more ({row.state}).")
        if as_ == "written_off" or as_ == "paid_otherwise":
            return self._settle(row, as_, actor=actor, reason=reason)
        self._record(f"resolve_{as_}", row, actor=actor, reason=reason)
        if as_ == "give_back":
            given = self._checkout.cancel(row.order_reference, cause=reason)
            return given if given is not None else payment_of(row)
        claim = self._journal.claim(row.id, lease_s=self._checkout.settings.deadline_s)
        if claim is None:
            raise InProgressError(f"The provider is being asked about order {row.order_reference} at this moment.")
        found_out = operation is None or claim.operation.id != operation.id
        if found_out or as_ not in resolutions(claim.redemption, claim.operation):
            # Recovery has found it out meanwhile; what is open by now is not what this person knows about.
            self._journal.put_back(claim)
            raise StateConflictError(f"Order {row.order_reference} is not open in this way any more. Look at it again.")
        changed, outcome, code = resolved(claim, as_, now_ms=self._journal.now_ms())
        try:
            after = self._journal.finish(claim, changed, outcome=outcome, code=code, reply=None, sends=0, next_at=None)
        except LostSwapError:
            after = self._journal.redemption(row.id)
        self._checkout._heard(row, after)
        return payment_of(after)

    def _settle(self, row: RedemptionRow, as_: Settlement, *, actor: str, reason: str) -> Payment:
        returns, policy = self._checkout._returns, policy_of(row.refund_policy)

        def plan(books: Books) -> Settled:
            if books.redemption.state != "short":
                raise StateConflictError(f"Order {row.order_reference} is not short any more. Look at it again.")
            why, now_ms = require_text(reason, field="reason"), self._journal.now_ms()
            made = settled(books, as_, policy=returns.by(policy), actor=actor, reason=why, now_ms=now_ms)
            if made.back_minor == 0:
                return made
            back = returns.planned(
                books,
                reference=f"{AMENDMENT}{made.version.version}",
                wanted=wanted_json({}, 0, made.back_minor),
                goods_minor=made.back_minor,
                other_minor=0,
                value_minor=0,
                money_minor=made.back_minor,
                points=0,
                worth_minor=0,
                carry_minor=0,
                reason=why,
                actor=actor,
            )
            return replace(made, back=back)

        before, after = self._journal.settle(row.id, plan=plan, actor=actor)
        self._checkout._heard(before, after)
        return payment_of(after)

    def give_back(self, redemption_id: str, *, actor: str, reason: str) -> Payment:
        """Give all points of an order back, held or captured: the order will not happen. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id)
        if not can_give_back(row):
            raise StateConflictError(f"No points of order {row.order_reference} can go back ({row.state}).")
        self._record("cancel", row, actor=actor, reason=reason)
        given = self._checkout.cancel(row.order_reference, cause=reason)
        return given if given is not None else payment_of(row)

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
        row = self._latest(redemption_id)
        is_known = any(one.return_reference == return_reference for one in self._checkout._returns.of_order(row))
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
            self._record("refund", row, actor=actor, reason=reason, return_reference=return_reference)
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
        if known.money_due.amount_minor > 0:
            detail = {"return_reference": return_reference, "psp_reference": psp_reference}
            self._record("money_refunded", row, actor=actor, reason="", **detail)
        # Exactly what was shown was paid, even if more becomes owed at this very moment.
        amount = Money(amount_minor=seen_minor, currency=row.currency) if seen_minor and seen_minor > 0 else None
        return self._checkout.money_refunded(
            row.order_reference, return_reference=return_reference, psp_reference=psp_reference, amount=amount
        )

    def refund_again(self, redemption_id: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Ask once more for the points of a refused return; the journal records who and why. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id, return_reference)
        return self._checkout.refund_again(
            row.order_reference, return_reference=return_reference, actor=actor, reason=reason
        )

    def pay_instead(self, redemption_id: str, *, return_reference: str, actor: str, reason: str) -> Refund:
        """Owe the worth of a refused return's points in money; recorded as above. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id, return_reference)
        return self._checkout.pay_instead(
            row.order_reference, return_reference=return_reference, actor=actor, reason=reason
        )

    def settle_new_points(
        self, redemption_id: str, *, return_reference: str, given: bool, actor: str, reason: str
    ) -> Refund:
        """Say that new points were given, or ask for them once more; recorded as above. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id, return_reference)
        return self._checkout.settle_new_points(
            row.order_reference, return_reference=return_reference, given=given, actor=actor, reason=reason
        )

    def settle_expired(
        self, redemption_id: str, *, return_reference: str, expired: int, actor: str, reason: str
    ) -> Refund:
        """Say how many points of a return came back expired; recorded as above. `reason` is required."""
        require_text(reason, field="reason")
        row = self._latest(redemption_id, return_reference)
        return self._checkout.settle_expired(
            row.order_reference, return_reference=return_reference, expired=expired, actor=actor, reason=reason
        )

    # Inside

    def _row(self, redemption_id: str) -> RedemptionRow:
        row = self.searching.row(redemption_id)
        if row is None:
            raise NotFoundError("There is no such redemption.", field="redemption_id")
        return row

    def _latest(self, redemption_id: str, returned: str = "") -> RedemptionRow:
        """The row, if it is its order's newest attempt, or the newest with this return: older ones are history."""
        row = self._row(redemption_id)
        of = self._journal.with_return(row.order_reference, returned) if returned else None
        newest = of or self._journal.latest(row.order_reference)
        if newest is None or newest.id != row.id:
            raise StateConflictError(f"A newer attempt of order {row.order_reference} has taken the place of this one.")
        return row

    def _claim(self, row: RedemptionRow, *, lease_s: float) -> Claim | None:
        claim = self._journal.claim(row.id, lease_s=lease_s)
        if claim is None:
            claim = self._executor.next_return(row, lease_s=lease_s)
        if claim is None:
            claim = self._executor.next_shipment(row, lease_s=lease_s)
        if claim is None and (planned := wished(row)) is not None:
            claim = self._journal.begin_operation(row, planned, lease_s=lease_s)
        return claim or self._executor.repair(row, lease_s=lease_s)

    def _record(self, kind: str, row: RedemptionRow, *, actor: str, reason: str, **detail: str) -> None:
        self.actions.record(
            kind, actor=actor, reason=reason, subject=row.order_reference, redemption_id=row.id, detail=detail
        )


def can_give_back(row: RedemptionRow) -> bool:
    """Whether points of it are held or captured, and nobody wishes them back yet."""
    if row.release_cause is not None:
        return False
    held = row.state in {"authorized", "extending", "capturing", "authorizing", "partially_captured"}
    return held or (row.state in {"captured", "partially_reversed"} and row.captured_points > row.reversed_points)
