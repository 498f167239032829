"""The journal with what orders earn: planned once per order, smaller by what is owed; and what came back of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

from punktgenau._clock import Clock
from punktgenau.checkout.database import Database, DuplicateError, Transaction, Value
from punktgenau.checkout.earning.named import owed_mark
from punktgenau.checkout.earning.schema import EarningReturnRow, EarningRow, StepRow
from punktgenau.checkout.earning.statements import earn_statements, mind
from punktgenau.checkout.earning.welcome import next_welcome
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.order_journal import OrderJournal
from punktgenau.checkout.rows import replace, row_of, values_of

_ROUNDS_MAX = 5


class EarnPlans:
    """What is earned in one shop at one provider: reads, plans, returns."""

    def __init__(
        self, database: Database, journal: OrderJournal, *, clock: Clock, key_of: Callable[[bytes], str]
    ) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._key_of = key_of
        self._sql = earn_statements(database)

    def now_ms(self) -> int:
        """The injected clock's wall time, in milliseconds."""
        return self._journal.now_ms()

    # Reading

    def of_order(self, order_reference: str) -> tuple[EarningRow, ...]:
        """What an order earns, the purchase before the welcome."""
        with self._database.transaction(write=False) as tx:
            return self._of_order(tx, order_reference)

    def on_the_way(self, customer_id: str, *, limit: int) -> tuple[EarningRow, ...]:
        """What a customer's orders were given and cannot be used yet, the soonest first."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(self._sql.on_the_way, {"customer_id": customer_id, "limit": limit})
        return tuple(row_of(EarningRow, row) for row in rows)

    def steps(self, earning_id: str) -> tuple[StepRow, ...]:
        """All steps of an earning, oldest first."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(self._sql.steps, {"earning_id": earning_id})
        return tuple(row_of(StepRow, row) for row in rows)

    def not_taken(self, earning_id: str) -> int:
        """How many points the claw-backs of an earning did not find, as far as they were told."""
        return sum(int(json.loads(step.reply or "{}").get("not_taken") or 0) for step in self.steps(earning_id))

    def returns(self, earning_id: str) -> tuple[EarningReturnRow, ...]:
        """Returns of an order that no redemption knows, in their order."""
        with self._database.transaction(write=False) as tx:
            return self._returns(tx, earning_id)

    def standing_of(self, member_id: str) -> tuple[int, EarningRow | None]:
        """What a member owes here, and the newest welcome."""
        debtor = self._debtor(member_id)
        with self._database.transaction(write=False) as tx:
            owed = tx.one(self._sql.owed_sum, debtor)
            found = tx.one(self._sql.welcomes, {"member_id": member_id})
        return int(owed[0] or 0) if owed else 0, None if found is None else row_of(EarningRow, found)

    def has_bought(self, member_id: str, *, besides: str) -> bool:
        """Whether a member has earned for another order than this one, and kept that."""
        with self._database.transaction(write=False) as tx:
            return self._has_bought(tx, member_id, besides=besides)

    def attention(self) -> int:
        """How many earnings need a person."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(self._sql.attention, {})
        return 0 if row is None else int(row[0] or 0)

    def needing(self, *, most: int) -> tuple[EarningRow, ...]:
        """Those, the oldest first."""
        with self._database.transaction(write=False) as tx:
            return tuple(row_of(EarningRow, row) for row in tx.all(self._sql.needing, {"most": most}))

    def due_since(self, *, at: int) -> tuple[int | None, int | None]:
        """Since when the step, and the row, has been due that waits longest; None: nothing is."""
        with self._database.transaction(write=False) as tx:
            rows = tx.one(self._sql.step_since, {"at": at}), tx.one(self._sql.check_since, {"at": at})
        step, check = (None if row is None else int(row[0] or 0) for row in rows)
        return step, check

    def waiting_steps(self, *, most: int) -> list[str]:
        """Ids of open steps, due or not."""
        with self._database.transaction(write=False) as tx:
            return [str(row[0]) for row in tx.all(self._sql.waiting_steps, {"most": most})]

    def waiting_checks(self, *, most: int) -> list[str]:
        """Ids of rows that somebody should look at, due or not."""
        with self._database.transaction(write=False) as tx:
            return [str(row[0]) for row in tx.all(self._sql.waiting_checks, {"most": most})]

    # Planning

    def plan(self, purchase: EarningRow | None, welcome: EarningRow | None) -> tuple[EarningRow, ...]:
        """Write down what an order earns, once; what stands.

        Of a purchase what the member owes here is taken off first. A welcome is one per member. Raises
        UnavailableError.
        """
        made = purchase or welcome
        if made is None:
            return ()
        debtor = self._debtor(made.member_id)
        for _ in range(_ROUNDS_MAX):
            # Somebody was first with this order, or with this member's welcome: that is read in the next round.
            with suppress(DuplicateError), self._database.transaction() as tx:
                known = self._of_order(tx, made.order_reference)
                if known:
                    return known
                first = () if purchase is None else (self._set_off(tx, purchase, debtor),)
                then = () if welcome is None else self._first_welcome(tx, welcome)
                for row in (*first, *then):
                    tx.run(self._sql.add, values_of(row))
                return (*first, *then)
        return self.of_order(made.order_reference)

    def _debtor(self, member_id: str) -> dict[str, Value]:
        return {"member_id": member_id, "owed_mark": owed_mark(self._journal._secret(), member_id)}

    def _set_off(self, tx: Transaction, purchase: EarningRow, debtor: dict[str, Value]) -> EarningRow:
        left = purchase.points
        for earning_id, owed in tx.all(self._sql.owed, debtor):
            part = min(left, int(owed or 0))
            if part:
                tx.run(self._sql.settle_owed, {"earning_id": earning_id, "points": part})
            left -= part
        settled = purchase.points - left
        row = replace(purchase, points=left, offset_points=settled)
        # Where all of it settles what was owed there is nothing to give.
        if left:
            return row
        # The shop is asked once more whether its order stands, as it is before points are posted.
        return replace(row, state="posted", check_at=row.created_at + row.pending_s * 1000, reason="offset")

    def _first_welcome(self, tx: Transaction, welcome: EarningRow) -> tuple[EarningRow, ...]:
        found = tx.one(self._sql.welcomes, {"member_id": welcome.member_id})
        last = None if found is None else row_of(EarningRow, found)
        if last is None and self._has_bought(tx, welcome.member_id, besides=welcome.order_reference):
            return ()
        made = next_welcome(welcome, last)
        return () if made is None else (made,)

    def _has_bought(self, tx: Transaction, member_id: str, *, besides: str) -> bool:
        row = tx.one(self._sql.purchases, {"member_id": member_id, "order_reference": besides})
        return row is not None and int(row[0] or 0) > 0

    def book_return(
        self, order_reference: str, *, reference: str, wanted: str, check: Callable[[EarningRow, list[str]], None]
    ) -> str | None:
        """Write down a return of an order that no redemption knows, once per reference; what stands under it.

        `check` is asked with what came back before. None: the order has earned nothing. Raises what `check` raises.
        """
        for _ in range(_ROUNDS_MAX):
            with suppress(DuplicateError), self._database.transaction() as tx:
                rows = self._of_order(tx, order_reference)
                if not rows:
                    return None
                self._lock(tx, rows[0].id)
                before = self._returns(tx, rows[0].id)
                for known in before:
                    if known.reference == reference:
                        return known.wanted
                check(rows[0], [one.wanted for one in before])
                for row in rows:
                    made = EarningReturnRow(row.id, reference, len(before) + 1, wanted, self.now_ms())
                    tx.run(self._sql.add_return, values_of(made))
                mind(tx, order_reference)
                return wanted
        raise LostSwapError

    def cancel(self, order_reference: str, *, cause: str) -> None:
        """The order will not happen; whatever it has earned is to be taken back."""
        with self._database.transaction() as tx:
            tx.run(self._sql.cancel, {"order_reference": order_reference, "cause": cause})

    # Inside

    def _of_order(self, tx: Transaction, order_reference: str) -> tuple[EarningRow, ...]:
        rows = tx.all(self._sql.of_order, {"order_reference": order_reference})
        return tuple(row_of(EarningRow, row) for row in rows)

    def _returns(self, tx: Transaction, earning_id: str) -> tuple[EarningReturnRow, ...]:
        rows = tx.all(self._sql.returns, {"earning_id": earning_id})
        return tuple(row_of(EarningReturnRow, row) for row in rows)

    def _one(self, tx: Transaction, earning_id: str) -> EarningRow:
        return self._read(tx.one(self._sql.one, {"earning_id": earning_id}))

    def _lock(self, tx: Transaction, earning_id: str) -> EarningRow:
        return self._read(tx.one(self._sql.lock, {"earning_id": earning_id}))

    def _read(self, row: tuple[Value, ...] | None) -> EarningRow:
        if row is None:
            raise AssertionError("an earning is gone from the journal")
        return row_of(EarningRow, row)
