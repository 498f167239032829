"""The statements of returns and amended orders; values are bound by the names used here."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql import ColumnElement

from punktgenau.checkout.schema import redemption
from punktgenau.checkout.schema_returns import NOT_GIVEN, OWES_MONEY, UNSAID, amendment, returns
from punktgenau.checkout.statements import ours

_REQUESTED: ColumnElement[str] = literal_column("'requested'")
# Not joined: without statistics SQLite would begin at the redemptions, and read every one.
_OURS = exists().where(redemption.c.id == returns.c.redemption_id, ours(redemption))
# Of an order that was cancelled, or came back as a whole, nobody can do anything more about a refusal.
_REFUSED = and_(
    returns.c.state == literal_column("'declined'"),
    exists().where(
        redemption.c.id == returns.c.redemption_id,
        ours(redemption),
        redemption.c.release_cause.is_(None),
        redemption.c.state != literal_column("'reversed'"),
    ),
)


class ReturnStatements:
    """Every statement about returns; built once, because building them costs more than running them."""

    def __init__(self) -> None:
        self._steps()
        self._money()
        self._refused()
        self._amendments()

    def _steps(self) -> None:
        t = returns.c
        of_redemption = t.redemption_id == bindparam("redemption_id")
        self.add = insert(returns).values({column.name: bindparam(column.name) for column in returns.columns})
        self.of_redemption = select(returns).where(of_redemption).order_by(t.number)
        self.requested = select(returns).where(of_redemption, t.state == _REQUESTED).order_by(t.number).limit(1)
        self.begin = (
            update(returns)
            .where(t.id == bindparam("return_id"), t.state == _REQUESTED)
            .values(state="reversing", operation_id=bindparam("operation_id"))
        )
        # What came back already expired is paid out by the rule that was frozen with the return; the money half opens
        # again by that, where it was closed before.
        expired = cast(bindparam("expired_points"), BigInteger)
        is_worth = t.worth_minor * expired >= t.points
        pays = and_(t.expired_rule == literal_column("'money'"), expired.is_not(None), expired > 0, is_worth)
        # No shop gives vouchers anew, so it pays for those in money where it makes up for anything.
        onto = cast(bindparam("vouchers_minor"), BigInteger)
        pays_onto = and_(t.expired_rule != literal_column("'tell'"), onto > 0)
        self.finish = (
            update(returns)
            .where(t.operation_id == bindparam("operation_id"))
            .values(
                state=bindparam("state"),
                restored_points=bindparam("restored_points"),
                expired_points=expired,
                converted_points=bindparam("converted_points"),
                vouchers_expired=bindparam("vouchers_expired"),
                expired_minor=case((pays, t.worth_minor * expired // t.points), else_=0)
                + case((pays_onto, onto), else_=0),
                money_refunded_at=case((or_(pays, pays_onto), null()), else_=t.money_refunded_at),
                finished_at=bindparam("finished_at"),
            )
        )
        # Of the order as it is now; nothing was sent for these, or it is proven that it did nothing.
        did_nothing = or_(t.operation_id.is_(None), t.state == _REQUESTED, t.state == literal_column("'declined'"))
        unsent = and_(of_redemption, did_nothing, t.number > bindparam("after_number"))
        self.hand_on = update(returns).where(unsent).values(redemption_id=bindparam("instead_id"))
        undecided = t.state.in_([_REQUESTED, literal_column("'declined'")])
        self.end_earlier = (
            update(returns)
            .where(of_redemption, undecided, t.number <= bindparam("after_number"))
            .values(state="ended", finished_at=bindparam("finished_at"))
        )
        waiting = redemption.c.id == bindparam("redemption_id")
        self.await_result = update(redemption).where(waiting).values(check_at=bindparam("check_at"))
        self.end = (
            update(returns)
            .where(of_redemption, t.state == _REQUESTED)
            .values(state="ended", finished_at=bindparam("finished_at"))
        )
        self.reopen = update(returns).where(t.operation_id == bindparam("operation_id")).values(state=_REQUESTED)

    def _money(self) -> None:
        t, r = returns.c, redemption.c
        after = tuple_(t.created_at, t.id) > tuple_(bindparam("since"), bindparam("after_id"))
        self.owes_money = (
            select(returns, _of(r.order_reference), _of(r.currency))
            .where(OWES_MONEY, _OURS, after)
            .order_by(t.created_at, t.id)
            .limit(bindparam("most"))
        )

    def _refused(self) -> None:
        t, r = returns.c, redemption.c
        # A refused return: asked for once more, or its points' worth becomes money.
        refused = and_(t.id == bindparam("return_id"), t.state == literal_column("'declined'"))
        self.ask_again = update(returns).where(refused).values(state=_REQUESTED, finished_at=null())
        self.pay_instead = (
            update(returns)
            .where(refused)
            .values(
                state="done",
                instead_minor=t.worth_minor + bindparam("vouchers_minor", type_=BigInteger),
                vouchers_expired=literal_column("'[]'"),
                restored_points=0,
                expired_points=0,
                converted_points=0,
                money_refunded_at=null(),
            )
        )
        after = tuple_(t.created_at, t.id) > tuple_(bindparam("since"), bindparam("after_id"))
        self.refused = (
            select(returns, _of(r.order_reference))
            .where(_REFUSED, after)
            .order_by(t.created_at, t.id)
            .limit(bindparam("most"))
        )
        self.refused_count = select(func.count()).select_from(returns).where(_REFUSED)
        self.unsaid = (
            select(returns, _of(r.order_reference))
            .where(UNSAID, _OURS, after)
            .order_by(t.created_at, t.id)
            .limit(bindparam("most"))
        )
        self.unsaid_count = select(func.count()).select_from(returns).where(UNSAID, _OURS)
        self.not_given_count = select(func.count()).select_from(returns).where(NOT_GIVEN, _OURS)
        counts = (self.refused_count, self.unsaid_count, self.not_given_count)
        refused, unsaid, not_given = (count.scalar_subquery() for count in counts)
        self.attention = select(refused + unsaid + not_given)

    def _amendments(self) -> None:
        a = amendment.c
        self.amendment = (
            select(amendment).where(a.redemption_id == bindparam("redemption_id")).order_by(a.version.desc()).limit(1)
        )
        self.add_amendment = insert(amendment).values(
            {column.name: bindparam(column.name) for column in amendment.columns}
        )


def _of(column: ColumnElement[str]) -> ColumnElement[str]:
    """A column of the redemption that a return belongs to."""
    return select(column).where(redemption.c.id == returns.c.redemption_id).scalar_subquery()


STATEMENTS = ReturnStatements()
