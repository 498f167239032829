"""The statements of returns and amended orders; values are bound by the names used here."""

from __future__ import annotations

from sqlalchemy import BigInteger, and_, bindparam, case, cast, func, insert, literal_column, null, select, update
from sqlalchemy.sql import ColumnElement

from punktgenau.checkout.schema import redemption
from punktgenau.checkout.schema_returns import amendment, returns

_REQUESTED: ColumnElement[str] = literal_column("'requested'")


class ReturnStatements:
    """Every statement about returns; built once, because building them costs more than running them."""

    def __init__(self) -> None:
        t, r = returns.c, redemption.c
        of_redemption = t.redemption_id == bindparam("redemption_id")
        self.add = insert(returns).values({column.name: bindparam(column.name) for column in returns.columns})
        self.of_redemption = select(returns).where(of_redemption).order_by(t.number)
        self.requested = select(returns).where(of_redemption, t.state == _REQUESTED).order_by(t.number).limit(1)
        self.begin = (
            update(returns)
            .where(t.id == bindparam("return_id"), t.state == _REQUESTED)
            .values(state="reversing", operation_id=bindparam("operation_id"))
        )
        # What came back already expired is paid out by the rule that was frozen with the return.
        expired = cast(bindparam("expired_points"), BigInteger)
        self.finish = (
            update(returns)
            .where(t.operation_id == bindparam("operation_id"))
            .values(
                state=bindparam("state"),
                restored_points=bindparam("restored_points"),
                expired_points=expired,
                converted_points=bindparam("converted_points"),
                expired_minor=case(
                    (
                        and_(t.expired_rule == literal_column("'money'"), expired.is_not(None)),
                        t.worth_minor * expired / t.points,
                    ),
                    else_=0,
                ),
                finished_at=bindparam("finished_at"),
            )
        )
        self.reopen = (
            update(returns)
            .where(t.operation_id == bindparam("operation_id"))
            .values(state=_REQUESTED, operation_id=null())
        )
        self.money_refunded = (
            update(returns)
            .where(t.id == bindparam("return_id"), t.money_refunded_at.is_(None))
            .values(psp_reference=bindparam("psp_reference"), money_refunded_at=bindparam("money_refunded_at"))
        )
        self.owes_money = (
            select(returns, r.order_reference, r.currency)
            .join(redemption, r.id == t.redemption_id)
            .where(
                *(r[name] == bindparam(f"own_{name}") for name in ("provider", "partner", "mode")),
                t.money_refunded_at.is_(None),
                t.money_minor + t.expired_minor > 0,
                t.created_at >= bindparam("since"),
            )
            .order_by(t.created_at, t.id)
            .limit(bindparam("most"))
        )
        a = amendment.c
        self.amendment = (
            select(amendment).where(a.redemption_id == bindparam("redemption_id")).order_by(a.version.desc()).limit(1)
        )
        self.add_amendment = insert(amendment).values(
            {column.name: bindparam(column.name) for column in amendment.columns}
        )
        self.returned_points = select(func.coalesce(func.sum(t.points), 0)).where(of_redemption)


STATEMENTS = ReturnStatements()
