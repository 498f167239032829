"""What the journal keeps of points that became vouchers or money, and pseudonyms in place of whose they were."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, literal_column, select, update

from punktgenau.checkout.database import Transaction, Value
from punktgenau.checkout.exchanging.schema import exchange
from punktgenau.checkout.moments import moment
from punktgenau.checkout.schema_returns import action
from punktgenau.checkout.standing import PSEUDONYM
from punktgenau.checkout.statements import ours, own
from punktgenau.errors import StateConflictError

_x = exchange.c
_OF_CUSTOMER = and_(ours(exchange), _x.customer_id == bindparam("customer_id"))
_KEPT = (
    select(
        *(_x.kind, _x.state, _x.points, _x.value_minor, _x.currency, _x.hint, _x.member_id),
        *(_x.created_at, _x.updated_at),
    )
    .where(_OF_CUSTOMER)
    .order_by(_x.created_at, _x.id)
)
_LOCKED = select(_x.id, _x.reference, _x.next_at, _x.customer_id).where(_OF_CUSTOMER).order_by(_x.id).with_for_update()
_OLD = (
    select(_x.id, _x.reference, _x.next_at, _x.customer_id)
    .where(
        own(exchange),
        _x.updated_at < bindparam("quiet_since"),
        ~_x.customer_id.like(literal_column(f"'{PSEUDONYM}%'")),
        _x.next_at.is_(None),
    )
    .order_by(_x.created_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_ERASE = (
    update(exchange)
    .where(_x.id == bindparam("exchange_id"))
    .values(
        customer_id=bindparam("pseudonym"),
        member_id=bindparam("pseudonym"),
        hint=None,
        reason=literal_column("''"),
        # Whoever means to finish it has to read it again.
        lease_token=_x.lease_token + 1,
    )
)

_ERASE_WORDS = (
    update(action)
    .where(own(action), action.c.redemption_id.is_(None), action.c.subject == bindparam("reference"))
    .values(reason=literal_column("''"))
)


def kept_exchanges(tx: Transaction, customer_id: str) -> tuple[dict[str, str | int], ...]:
    """What is kept of a customer's exchanges, ready for JSON."""
    return tuple(_told(row) for row in tx.all(_KEPT, {"customer_id": customer_id}))


def settled_exchanges(tx: Transaction, customer_id: str) -> list[tuple[Value, ...]]:
    """A customer's exchanges, locked. Raises StateConflictError while one of them is under way."""
    rows = tx.all(_LOCKED, {"customer_id": customer_id})
    waits = next((row[1] for row in rows if row[2] is not None), None)
    if waits is not None:
        raise StateConflictError(
            f"Points that become a voucher or money ({waits}) are still under way. Nothing was erased; see to that "
            "first."
        )
    return rows


def old_exchanges(tx: Transaction, *, quiet_since: int, most: int) -> list[tuple[Value, ...]]:
    """Those that have been at rest since then, locked."""
    return tx.all(_OLD, {"quiet_since": quiet_since, "most": most})


def erase_exchange(tx: Transaction, row: tuple[Value, ...], *, pseudonym: str) -> None:
    """A pseudonym in place of whose points these were; no hint of their account, nobody's words."""
    tx.run(_ERASE, {"exchange_id": row[0], "pseudonym": pseudonym})
    tx.run(_ERASE_WORDS, {"reference": row[1]})


def _told(row: tuple[Value, ...]) -> dict[str, str | int]:
    return {
        "kind": str(row[0]),
        "state": str(row[1]),
        "points": int(row[2] or 0),
        "value_minor": int(row[3] or 0),
        "currency": str(row[4] or ""),
        "hint": str(row[5] or ""),
        "member_id": str(row[6]),
        "asked_at": moment(int(row[7] or 0)).isoformat(),
        "changed_at": moment(int(row[8] or 0)).isoformat(),
    }
