"""The journal with accruals in it: points that are given anew because those of a return came back expired.

The intent stands in the commit that books the reversal, so nobody can die between the two. It is an operation like any
other, but for its place: it is open beside those of the redemption, whose row it does not change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from sqlalchemy import BigInteger, bindparam, case, func, literal_column, null, select, update

from punktgenau._clock import Clock
from punktgenau.checkout.actions import Actions
from punktgenau.checkout.database import Database, Transaction, Value
from punktgenau.checkout.earning.statements import is_any, mind
from punktgenau.checkout.intent import Claim, NextOperation, as_json
from punktgenau.checkout.journal import BALANCE_AGED_MS, LEASE_MARGIN_MS, Journal, LostSwapError
from punktgenau.checkout.rest import rest_of
from punktgenau.checkout.return_statements import STATEMENTS
from punktgenau.checkout.rows import row_of, values_of
from punktgenau.checkout.schema import OperationRow, RedemptionRow, operation
from punktgenau.checkout.schema_returns import NOT_GIVEN, UNSAID, ReturnRow, returns
from punktgenau.checkout.vouchers import Parts, sum_of

AccrualState = Literal["accruing", "posted", "declined", "needs_attention"]
_BY_HAND = "resolved_by_hand"
"""As `resolving` calls it, which is built upon this."""
ACCRUE = "accrue"
"""The kind of the operation, and what a return has for its rule."""
_t, _o = returns.c, operation.c
_OF_REVERSAL = select(returns).where(_t.operation_id == bindparam("operation_id"))
_OF_RETURN = select(operation).where(_o.open_key == bindparam("return_id"))
_LAST = select(func.max(_t.number)).where(_t.redemption_id == bindparam("redemption_id"))
_PROMISE = (
    update(returns)
    .where(_t.id == bindparam("return_id"))
    .values(new_points=bindparam("points"), accrual_state=literal_column("'accruing'"))
)
_NOTE = (
    update(returns)
    .where(_t.id == bindparam("return_id"))
    .values(accrual_state=bindparam("state"), accrual_id=bindparam("accrual_id"))
)
_EXPIRED = (
    update(returns)
    .where(_t.id == bindparam("return_id"), UNSAID)
    .values(
        restored_points=_t.points - bindparam("points", type_=BigInteger),
        expired_points=bindparam("points", type_=BigInteger),
        converted_points=0,
        vouchers_expired=bindparam("vouchers_expired"),
        expired_minor=bindparam("expired_minor", type_=BigInteger),
        # More is owed in money than was paid by now.
        money_refunded_at=case((bindparam("expired_minor", type_=BigInteger) > 0, null()), else_=_t.money_refunded_at),
    )
)
_PAY = (
    update(returns)
    .where(_t.id == bindparam("return_id"), NOT_GIVEN)
    .values(
        # What of vouchers had expired is paid in money as it is.
        expired_minor=_t.expired_minor + _t.worth_minor * _t.new_points // _t.points,
        new_points=0,
        accrual_state=null(),
        # More is owed in money than was paid by now; few points may be worth nothing that can be paid.
        money_refunded_at=case((_t.worth_minor * _t.new_points >= _t.points, null()), else_=_t.money_refunded_at),
    )
)
_SETTLE = update(returns).where(_t.id == bindparam("return_id"), NOT_GIVEN).values(accrual_state=bindparam("state"))


class AccrualJournal(Journal):
    """The journal of one shop at one provider, with the points that it gives.

    `expired_rule`: what becomes of points of a cancelled order that come back expired; a return has its own. `earns`:
    what orders earn is looked at by whatever gives back.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        key_of: Callable[[bytes], str],
        expired_rule: str = "tell",
        earns: bool = False,
    ) -> None:
        super().__init__(database, clock=clock, key_of=key_of)
        self._expired_rule = expired_rule
        # Where nothing is earned any more, what was before is still taken back; asked once, and not before it matters.
        self._earns: bool | None = earns or None

    def _mind_earned(self, tx: Transaction, order_reference: str) -> None:
        """In the commit that gives back: somebody has to look at what the order has earned."""
        if self._has_earned(tx):
            mind(tx, order_reference)

    def has_earned(self) -> bool:
        """Whether orders earn points, or any has before."""
        if self._earns is None:
            with self._database.transaction(write=False) as tx:
                return self._has_earned(tx)
        return self._earns

    def _has_earned(self, tx: Transaction) -> bool:
        if self._earns is None:
            self._earns = is_any(tx)
        return self._earns

    def begun_accrual(self, reversal: Claim) -> Claim | None:
        """The right to send what finishing this reversal has made necessary, until the reversal's own lease ends."""
        if reversal.operation.kind != "reverse":
            return None
        with self._database.transaction(write=False) as tx:
            found = tx.one(_OF_REVERSAL, {"operation_id": reversal.operation.id})
            row = None if found is None else row_of(ReturnRow, found)
            if row is None or row.accrual_state != "accruing":
                return None
            current = tx.one(_OF_RETURN, {"return_id": row.id})
            begun = None if current is None else row_of(OperationRow, current)
            if begun is None or begun.lease_token != 1 or begun.passes:
                # Somebody else has taken it over.
                return None
            return Claim(begun, self._redemption(tx, begun.redemption_id), 1, reversal.ends)

    def finish_accrual(
        self,
        claim: Claim,
        *,
        state: AccrualState,
        outcome: str | None,
        code: str | None,
        reply: Mapping[str, str | int | None] | None,
        sends: int,
        next_at: int | None,
        again: bool = False,
    ) -> RedemptionRow:
        """Write the result of a send, as `finish` does; with `again` it is begun anew in the same commit.

        Raises LostSwapError when the lease went to somebody else meanwhile.
        """
        asked = claim.operation
        with self._database.transaction() as tx:
            row = self._redemption(tx, asked.redemption_id, lock=True)
            return_id = asked.open_key
            self._finish_operation(tx, claim, outcome=outcome, code=code, reply=reply, sends=sends, next_at=next_at)
            accrual_id = None if reply is None else reply.get("id")
            tx.run(_NOTE, {"return_id": return_id, "state": state, "accrual_id": accrual_id})
            if again and return_id is not None:
                request = json.loads(asked.request)
                planned = _planned(request, cause=f"return {self.fresh_id()}")
                # Nobody has it, so whoever takes it over knows that nothing was sent.
                anew = replace(self._new_operation(row, planned), open_key=return_id, lease_token=0)
                tx.run(self._sql.add_operation, values_of(anew) | {"lease_ms": 0})
            aged: dict[str, Value] = {"customer_id": row.customer_id, "balance_at": self.now_ms() - BALANCE_AGED_MS}
            tx.run(self._sql.age_balance, aged)
            return row

    def settle_accrual(self, asked: ReturnRow, *, given: bool, actor: str, reason: str, lease_s: float) -> Claim | None:
        """A person says what became of new points: given, or not, so they are asked for once more under another key.

        The right to send that. Raises LostSwapError where they need no person, or somebody is just asking.
        """
        self._secret()
        with self._intent() as tx:
            row = self._redemption(tx, asked.redemption_id, lock=True)
            state = "posted" if given else "accruing"
            if tx.run(_SETTLE, {"return_id": asked.id, "state": state}) != 1:
                raise LostSwapError
            self._close(tx, asked, outcome="done" if given else "not_done", lease_s=lease_s)
            kind = "new_points_given" if given else "new_points_again"
            self._decided(tx, kind, asked, points=asked.new_points, actor=actor, reason=reason)
            if given:
                return None
            ends = self._lease_ends(lease_s)
            planned = replace(accrual_of(row, asked, asked.new_points), cause=f"return {self.fresh_id()}")
            begun = self._add_accrual(tx, row, asked.id, planned, lease_s=lease_s)
            return Claim(begun, row, begun.lease_token, ends)

    def pay_new_points(self, asked: ReturnRow, *, actor: str, reason: str, lease_s: float) -> None:
        """A person gives new points up that were refused, or that nobody can tell about: their worth becomes money.

        What is open of them is closed, so nothing is sent any more. Raises LostSwapError as above.
        """
        with self._database.transaction() as tx:
            self._redemption(tx, asked.redemption_id, lock=True)
            if tx.run(_PAY, {"return_id": asked.id}) != 1:
                raise LostSwapError
            # Should they have been given after all, the provider's statement has a line that no booking of ours has.
            self._close(tx, asked, outcome="unknown", lease_s=lease_s)
            self._decided(tx, "settle_return", asked, points=asked.new_points, actor=actor, reason=reason)

    def _close(self, tx: Transaction, asked: ReturnRow, *, outcome: str, lease_s: float) -> None:
        """Close the accrual of a return that is still open, if one is. Raises LostSwapError: somebody has it."""
        current = tx.one(_OF_RETURN, {"return_id": asked.id})
        if current is None:
            return
        claim = self._lease(tx, row_of(OperationRow, current).id, lease_s)
        if claim is None:
            raise LostSwapError
        self._finish_operation(tx, claim, outcome=outcome, code=_BY_HAND, reply=None, sends=0, next_at=None)

    def _decided(self, tx: Transaction, kind: str, asked: ReturnRow, *, points: int, actor: str, reason: str) -> None:
        Actions(self._database, clock=self._clock).record_in(
            tx,
            kind,
            actor=actor,
            reason=reason,
            subject=asked.id,
            redemption_id=asked.redemption_id,
            detail={"return_reference": asked.reference, "points": points},
        )

    def settle_expired(
        self, asked: ReturnRow, *, expired_points: int, onto: Parts, actor: str, reason: str, lease_s: float
    ) -> Claim | None:
        """A person says how many of a return's points came back expired, where only a look-up proved them back.

        `onto`: the same of its vouchers.

        The right to send what gives them anew, where that is the shop's rule. Raises LostSwapError where it is known.
        """
        self._secret()
        pays_minor = sum_of(onto)
        if asked.expired_rule != ACCRUE and expired_points:
            pays_minor += asked.worth_minor * expired_points // asked.points
        said = as_json(onto) if asked.vouchers is not None else None
        of: dict[str, Value] = {"return_id": asked.id, "points": expired_points}
        with self._intent() as tx:
            row = self._redemption(tx, asked.redemption_id, lock=True)
            if tx.run(_EXPIRED, of | {"expired_minor": pays_minor, "vouchers_expired": said}) != 1:
                raise LostSwapError
            self._decided(tx, "settle_expired", asked, points=expired_points, actor=actor, reason=reason)
            if asked.expired_rule != ACCRUE or expired_points == 0:
                return None
            tx.run(_PROMISE, of)
            ends = self._lease_ends(lease_s)
            begun = self._add_accrual(tx, row, asked.id, accrual_of(row, asked, expired_points), lease_s=lease_s)
            return Claim(begun, row, begun.lease_token, ends)

    def _promise(self, tx: Transaction, claim: Claim, points: int) -> None:
        """Write down, in the reversal's commit, that so many points that came back expired are given anew."""
        found = tx.one(_OF_REVERSAL, {"operation_id": claim.operation.id})
        row = None if found is None else row_of(ReturnRow, found)
        if row is None or row.expired_rule != ACCRUE or row.accrual_state is not None or points <= 0:
            return
        tx.run(_PROMISE, {"return_id": row.id, "points": points})
        # Who finishes the reversal goes on under its lease.
        left_s = max(0.0, claim.ends - self._clock.monotonic() - LEASE_MARGIN_MS / 1000)
        self._add_accrual(tx, claim.redemption, row.id, accrual_of(claim.redemption, row, points), lease_s=left_s)

    def _note_rest(self, tx: Transaction, claim: Claim, said: Mapping[str, str | int | None]) -> None:
        """Write down, in the commit of a cancelled order's reversal, what the shop makes up for."""
        row = self._redemption(tx, claim.redemption.id)
        last = tx.one(_LAST, {"redemption_id": row.id})
        number = 1 + int(last[0] or 0 if last is not None else 0)
        rest = rest_of(claim, said, row=row, rule=self._expired_rule, number=number, now_ms=self.now_ms())
        if rest is not None:
            tx.run(STATEMENTS.add, values_of(rest))

    def _add_accrual(
        self, tx: Transaction, row: RedemptionRow, return_id: str, planned: NextOperation, *, lease_s: float
    ) -> OperationRow:
        begun = replace(self._new_operation(row, planned), open_key=return_id)
        self._add(tx, begun, lease_s)
        return begun


def accrual_reference(asked: ReturnRow) -> str:
    """The shop's name for the new points of a return: from a random id, because each is taken once and for ever."""
    return f"new-{asked.id[:28]}"


def accrual_of(row: RedemptionRow, asked: ReturnRow, points: int) -> NextOperation:
    """What is asked of the provider for a return whose points came back expired."""
    return _planned(
        {
            "points": points,
            "accrual_reference": accrual_reference(asked),
            "reason": f"Order {row.order_reference}: new points for expired ones",
        },
        cause=f"return {asked.number}",
    )


def _planned(request: Mapping[str, str | int], *, cause: str) -> NextOperation:
    return NextOperation(kind=ACCRUE, cause=cause, request=request, state="")
