"""What the journal keeps of a customer's earnings, and pseudonyms in its place; sums and articles stay."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, case, exists, func, literal_column, or_, select, update
from sqlalchemy.sql import ColumnElement

from punktgenau.checkout.database import Transaction, Value
from punktgenau.checkout.earning.named import owed_mark
from punktgenau.checkout.earning.reckon import basis_from
from punktgenau.checkout.earning.schema import earning, earning_step
from punktgenau.checkout.intent import CAUSES, ORDER_CANCELLED
from punktgenau.checkout.moments import moment
from punktgenau.checkout.schema_returns import action
from punktgenau.checkout.standing import PSEUDONYM
from punktgenau.checkout.statements import ours, own

_e = earning.c
_AT_REST: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in ("posted", "reversed", "declined")]
_OF_CUSTOMER = and_(ours(earning), _e.customer_id == bindparam("customer_id"))
_OPEN_STEP = exists().where(earning_step.c.earning_id == _e.id, earning_step.c.open_key.is_not(None))
_IS_OPEN = or_(~_e.state.in_(_AT_REST), _e.check_at.is_not(None), _OPEN_STEP)
# What was posted and kept may come back until its time has passed, and is taken from the member then.
_MAY_COME_BACK = and_(_e.state == literal_column("'posted'"), _e.updated_at > bindparam("quiet_since"))
_open_word = case((_IS_OPEN, literal_column("'open'")), (_MAY_COME_BACK, literal_column("'may_come_back'")), else_="")
_HOW_OPEN = (
    select(_e.id, _e.order_reference, _e.updated_at, _open_word).where(_OF_CUSTOMER).order_by(_e.id).with_for_update()
)
_KEPT = (
    select(
        *(_e.order_reference, _e.kind, _e.state, _e.member_id, _e.points, _e.points_taken, _e.owed_points),
        *(_e.offset_points, _e.placed_at, _e.updated_at, _e.basis),
    )
    .where(_OF_CUSTOMER)
    .order_by(_e.created_at, _e.kind, _e.number)
)
_ERASE = (
    update(earning)
    .where(_e.id == bindparam("earning_id"))
    .values(
        customer_id=bindparam("pseudonym"),
        # Of one customer there may be welcomes of several members.
        member_id=literal_column(f"'{PSEUDONYM}'").concat(_e.id),
        consent_id="",
        # What is owed stays owed, also by whoever comes back under another name.
        owed_mark=case((_e.owed_points > literal_column("0"), bindparam("owed_mark")), else_=None),
        # A welcome's name can be made from the member's id by whoever knows that.
        accrual_reference=literal_column("'erased-'").concat(
            func.substr(_e.id, literal_column("1"), literal_column("28"))
        ),
        version=_e.version + 1,
    )
)
_ERASE_CAUSE = (
    update(earning)
    .where(
        _e.id == bindparam("earning_id"),
        ~_e.cancelled.in_([literal_column(f"'{cause}'") for cause in sorted(CAUSES)]),
    )
    .values(cancelled=literal_column(f"'{ORDER_CANCELLED}'"))
)
_WHOSE = select(_e.member_id).where(_e.id == bindparam("earning_id"))
_ERASE_WORDS = (
    update(action)
    .where(
        own(action),
        action.c.redemption_id.is_(None),
        action.c.subject == select(_e.order_reference).where(_e.id == bindparam("earning_id")).scalar_subquery(),
        action.c.kind.like(literal_column("'earned%'")),
    )
    .values(reason=literal_column("''"))
)
_OLD = (
    select(_e.id, _e.customer_id)
    .where(
        own(earning),
        _e.updated_at < bindparam("quiet_since"),
        ~_e.customer_id.like(literal_column(f"'{PSEUDONYM}%'")),
        ~_IS_OPEN,
    )
    .order_by(_e.created_at)
    .limit(bindparam("most"))
    .with_for_update(of=earning, skip_locked=True)
)


def kept_earnings(tx: Transaction, customer_id: str) -> tuple[dict[str, str | int | list[dict[str, str | int]]], ...]:
    """What is kept of a customer's earnings, ready for JSON."""
    return tuple(_told(row) for row in tx.all(_KEPT, {"customer_id": customer_id}))


def open_earnings(tx: Transaction, *, customer_id: str, quiet_since: int) -> list[tuple[Value, ...]]:
    """A customer's earnings, locked: id, order reference, when it changed last, and how open it is."""
    return tx.all(_HOW_OPEN, {"customer_id": customer_id, "quiet_since": quiet_since})


def old_earnings(tx: Transaction, *, quiet_since: int, most: int) -> list[tuple[Value, ...]]:
    """Earnings that have been at rest since then, locked: id and customer."""
    return tx.all(_OLD, {"quiet_since": quiet_since, "most": most})


def erase_earning(tx: Transaction, earning_id: str, *, pseudonym: str, secret: bytes) -> None:
    """A pseudonym in place of whoever earned; nobody's words. What they owe is kept, by a mark made with the key."""
    found = tx.one(_WHOSE, {"earning_id": earning_id})
    member_id = "" if found is None else str(found[0])
    values: dict[str, Value] = {
        "earning_id": earning_id,
        "pseudonym": pseudonym,
        "owed_mark": owed_mark(secret, member_id),
    }
    for statement in (_ERASE, _ERASE_CAUSE, _ERASE_WORDS):
        tx.run(statement, values)


def _told(row: tuple[Value, ...]) -> dict[str, str | int | list[dict[str, str | int]]]:
    basis = basis_from(str(row[10]))
    articles: list[dict[str, str | int]] = [
        {"sku": line.sku, "quantity": line.quantity, "paid_in_money_minor": line.money_minor} for line in basis.lines
    ]
    return {
        "order_reference": str(row[0]),
        "kind": str(row[1]),
        "state": str(row[2]),
        "member_id": str(row[3]),
        "points": int(row[4] or 0),
        "taken_back": int(row[5] or 0),
        "owed": int(row[6] or 0),
        "set_off": int(row[7] or 0),
        "placed_at": moment(int(row[8] or 0)).isoformat(),
        "changed_at": moment(int(row[9] or 0)).isoformat(),
        "currency": basis.currency,
        "articles": articles,
    }
