"""The journal with the money halves of returns in it: what was paid of each, by the payment provider's references."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import bindparam, exists, func, insert, or_, select, update

from punktgenau.checkout.accrual_journal import AccrualJournal
from punktgenau.checkout.actions import Beside
from punktgenau.checkout.database import Transaction, Value
from punktgenau.checkout.journal import LostSwapError
from punktgenau.checkout.return_statements import STATEMENTS
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema import RedemptionRow, redemption
from punktgenau.checkout.schema_returns import ReturnRow, amendment, payout, returns
from punktgenau.checkout.statements import own

PlanPayout = Callable[[ReturnRow, int | None], int | None]
_p, _t, _r = payout.c, returns.c, redemption.c
_RETURN = select(returns).where(_t.id == bindparam("return_id"))
_TOLD = select(_p.amount_minor).where(
    _p.return_id == bindparam("return_id"), _p.psp_reference == bindparam("psp_reference")
)
_ADD = insert(payout).values({column.name: bindparam(column.name) for column in payout.columns})
_PAID = (
    update(returns)
    .where(_t.id == bindparam("return_id"))
    .values(
        psp_reference=bindparam("psp_reference"),
        refunded_minor=_t.refunded_minor + bindparam("amount_minor"),
        money_refunded_at=bindparam("money_refunded_at"),
    )
)
_OF_ORDER = (
    select(redemption)
    .where(
        own(redemption),
        _r.order_reference == bindparam("order_reference"),
        exists().where(_t.redemption_id == _r.id, _t.reference == bindparam("reference")),
    )
    .order_by(_r.attempt.desc())
    .limit(1)
)
_BEFORE = (
    select(_r.id)
    .where(
        own(redemption),
        _r.order_reference == bindparam("order_reference"),
        _r.attempt < bindparam("attempt"),
        exists().where(_t.redemption_id == _r.id),
    )
    .order_by(_r.attempt)
)
_ELSEWHERE = (
    select(_r.id)
    .where(
        own(redemption),
        _r.order_reference == bindparam("order_reference"),
        _r.attempt != bindparam("attempt"),
        or_(
            _r.attempt > bindparam("attempt"),
            exists().where(_t.redemption_id == _r.id, _t.reference == bindparam("reference")),
        ),
    )
    .limit(1)
)
_VERSIONS = select(func.max(amendment.c.version)).where(
    exists().where(
        _r.id == amendment.c.redemption_id, own(redemption), _r.order_reference == bindparam("order_reference")
    )
)


class PayoutJournal(AccrualJournal):
    """The journal of one shop at one provider, with what was paid of its returns in money."""

    def money_refunded(
        self, asked: ReturnRow, *, psp_reference: str, plan: PlanPayout, beside: Beside | None = None
    ) -> None:
        """Write a payment down, once per reference; `beside` is written in the same commit, unless nothing is.

        `plan` decides under the redemption's lock, from the return and what this reference was told with before (None:
        it is new), how much was paid, in the smallest unit; None: nothing is to be written. Raises what `plan` raises.
        """
        of: dict[str, Value] = {"return_id": asked.id, "psp_reference": psp_reference}
        with self._database.transaction() as tx:
            self._redemption(tx, asked.redemption_id, lock=True)
            values, told = tx.one(_RETURN, of), tx.one(_TOLD, of)
            if values is None:
                raise AssertionError("a return is gone from the journal")
            current = row_of(ReturnRow, values)
            amount_minor = plan(current, None if told is None else int(told[0] or 0))
            if amount_minor is None:
                return
            if beside is not None and amount_minor:
                beside(tx)
            now = self.now_ms()
            tx.run(_ADD, of | {"amount_minor": amount_minor, "created_at": now})
            is_all = amount_minor == current.owed_minor
            tx.run(_PAID, of | {"amount_minor": amount_minor, "money_refunded_at": now if is_all else None})

    def with_return(self, order_reference: str, reference: str) -> RedemptionRow | None:
        """The newest attempt of an order that has this return: an order may be paid anew after one came back."""
        of: dict[str, Value] = {"order_reference": order_reference, "reference": reference}
        with self._database.transaction(write=False) as tx:
            row = tx.one(_OF_ORDER, of)
        return None if row is None else row_of(RedemptionRow, row)

    def _require_once(self, tx: Transaction, row: RedemptionRow, reference: str) -> None:
        """Raises LostSwapError where another attempt of the order has this return, or is the newest one by now."""
        of: dict[str, Value] = {"order_reference": row.order_reference, "reference": reference}
        if tx.one(_ELSEWHERE, of | {"attempt": row.attempt}) is not None:
            raise LostSwapError

    def _versions(self, tx: Transaction, row: RedemptionRow) -> int:
        """How many versions the order has had, whichever attempt paid them."""
        known = tx.one(_VERSIONS, {"order_reference": row.order_reference})
        return 1 if known is None else int(known[0] or 1)

    def returned_before(self, row: RedemptionRow) -> tuple[str, ...]:
        """The ids of older attempts of the same order that have returns, the oldest first."""
        if row.attempt == 1:
            return ()
        of: dict[str, Value] = {"order_reference": row.order_reference, "attempt": row.attempt}
        with self._database.transaction(write=False) as tx:
            return tuple(str(found[0]) for found in tx.all(_BEFORE, of))

    def owing_money(self, *, after: tuple[int, str], most: int) -> tuple[tuple[ReturnRow, str, str], ...]:
        """Returns whose money half is open, the oldest first, each with its order reference and currency.

        `after`: created_at and id of the last one of the page before.
        """
        with self._database.transaction(write=False) as tx:
            rows = tx.all(STATEMENTS.owes_money, {"since": after[0], "after_id": after[1], "most": most})
        return tuple((row_of(ReturnRow, row[:-2]), str(row[-2]), str(row[-1])) for row in rows)
