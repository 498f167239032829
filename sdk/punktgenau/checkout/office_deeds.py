"""What an operator may do in the back office: every deed needs a name, and is recorded with it."""

from __future__ import annotations

from dataclasses import replace

from punktgenau.checkout.actions import Beside, require_text
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.books import Books
from punktgenau.checkout.intent import Claim, wished
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.office_clearing import ClearingDeeds
from punktgenau.checkout.office_returns import ReturnDeeds
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.refund import AMENDMENT, policy_of
from punktgenau.checkout.resolving import Resolution, resolutions, resolved
from punktgenau.checkout.return_journal import wanted_json
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.checkout.shortfall import Settled, Settlement, settled
from punktgenau.checkout.states import UNRESOLVED
from punktgenau.checkout.vouchers import of_cart, rest, sum_of
from punktgenau.errors import InProgressError, StateConflictError


class Deeds(ClearingDeeds, ReturnDeeds):
    """Changes that a person asks for; `actor` is the operator's id, a printable text."""

    def retry(self, redemption_id: str, *, actor: str, reason: str = "") -> Payment:
        """Do now what is due for it anyway: the open operation, a return that waits, a repair of a shortfall.

        Raises InProgressError while somebody else is at it.
        """
        row = self._row(redemption_id)
        said = self._recorded("retry", row, actor=actor, reason=reason)
        deadline_s = self._checkout.settings.deadline_s
        try:
            claim = self._claim(row, lease_s=deadline_s)
        except LostSwapError:
            claim = None
        if claim is None:
            raise InProgressError(f"Order {row.order_reference} is being worked on by somebody else at this moment.")
        # What was begun so far is what recovery would begin as well; it is this person who has it sent now.
        self._write(said)
        after, _ = self._executor.run(claim, deadline_s=deadline_s)
        return payment_of(after)

    def resolve(
        self, redemption_id: str, *, as_: Resolution, actor: str, reason: str, operation_id: str | None = None
    ) -> Payment:
        """Write down what a person found out about an unknown, or decided about a shortfall. `reason` is required.

        `operation_id` is the open operation that the person was shown (empty: there was none; None: not told).
        Raises StateConflictError where that is not open (any more), InProgressError while it is being asked about.
        """
        reason = require_text(reason, field="reason")
        row = self._latest(redemption_id)
        operation = next((one for one in self._journal.operations(row.id) if one.open_key == row.id), None)
        is_another = operation_id is not None and operation_id != ("" if operation is None else operation.id)
        if is_another or as_ not in resolutions(row, operation):
            raise StateConflictError(f"Order {row.order_reference} is not open in this way any more ({row.state}).")
        if as_ == "written_off" or as_ == "paid_otherwise":
            return self._settle(row, as_, actor=actor, reason=reason)
        said = self._recorded(f"resolve_{as_}", row, actor=actor, reason=reason)
        if as_ == "give_back":
            return self._wish_back(row, said, cause=reason)
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
            after = self._journal.finish(
                claim, changed, outcome=outcome, code=code, reply=None, sends=0, next_at=None, beside=said
            )
        except LostSwapError:
            raise StateConflictError(
                f"Order {row.order_reference} is not open in this way any more. Look at it again."
            ) from None
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
        """Give an order's points and vouchers back, held or captured: it will not happen. `reason` is required."""
        reason = require_text(reason, field="reason")
        row = self._latest(redemption_id)
        if not can_give_back(row):
            raise StateConflictError(f"Nothing of order {row.order_reference} can go back ({row.state}).")
        return self._wish_back(row, self._recorded("cancel", row, actor=actor, reason=reason), cause=reason)

    # Inside

    def _wish_back(self, row: RedemptionRow, said: Beside, *, cause: str) -> Payment:
        """Note the wish to give back, with who has it, and carry it out; whoever dies between leaves it to recovery."""
        check_at = row.check_at if row.state in UNRESOLVED else self._journal.now_ms()
        try:
            self._journal.note_wish(replace(row, release_cause=cause, check_at=check_at), beside=said)
        except LostSwapError:
            raise InProgressError(
                f"Order {row.order_reference} is being worked on by somebody else at this moment."
            ) from None
        given = self._checkout.cancel(row.order_reference, cause=cause)
        return given if given is not None else payment_of(row)

    def _claim(self, row: RedemptionRow, *, lease_s: float) -> Claim | None:
        claim = self._journal.claim(row.id, lease_s=lease_s)
        if claim is None:
            claim = self._executor.next_return(row, lease_s=lease_s)
        if claim is None:
            claim = self._executor.next_shipment(row, lease_s=lease_s)
        if claim is None and (planned := wished(row)) is not None:
            claim = self._journal.begin_operation(row, planned, lease_s=lease_s)
        return claim or self._executor.repair(row, lease_s=lease_s)


def can_give_back(row: RedemptionRow) -> bool:
    """Whether points or vouchers of it are held or captured, and nobody wishes them back yet."""
    if row.release_cause is not None:
        return False
    held = row.state in {"authorized", "extending", "capturing", "authorizing", "partially_captured"}
    has_left = row.left_to_reverse[0] > 0 or bool(rest(of_cart(row.cart), row.vouchers_gone))
    return held or (row.state in {"captured", "partially_reversed"} and has_left)


def would_go_back(row: RedemptionRow) -> tuple[int, int]:
    """How many points would go back if its order did not happen, and their worth; what was paid in money stays paid."""
    if row.state in {"captured", "partially_reversed"}:
        return row.left_to_reverse
    gone_points, gone_minor = row.reversed_points + row.kept_points, row.reversed_minor + row.kept_minor
    return row.points - gone_points, row.value_minor - gone_minor


def would_go_onto(row: RedemptionRow) -> int:
    """The same of vouchers, in the smallest unit."""
    return sum_of(rest(of_cart(row.cart), row.vouchers_gone))
