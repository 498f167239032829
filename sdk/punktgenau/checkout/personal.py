"""Personal data in the journal: what is kept of a customer, and pseudonyms in its place; the books stay.

A pseudonym is made with the journal's own key, so a customer's rows still belong together, and nobody without the key
can tell whose they are. With it, what comes back later could not be booked: erasing waits until nothing is open.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import and_, bindparam, case, delete, exists, literal_column, or_, select, update
from sqlalchemy.sql import ColumnElement

from punktgenau._clock import Clock
from punktgenau.checkout.actions import Actions
from punktgenau.checkout.database import Database, Transaction, Value
from punktgenau.checkout.journal import Journal
from punktgenau.checkout.moments import milliseconds, moment
from punktgenau.checkout.schema import link, operation, redemption
from punktgenau.checkout.schema_returns import NOT_GIVEN, OWES_MONEY, amendment, returns
from punktgenau.checkout.searching import FOUND_COLUMNS, found_of
from punktgenau.checkout.standing import PSEUDONYM
from punktgenau.checkout.statements import ours, own
from punktgenau.errors import NotFoundError, StateConflictError

RETURN_DAYS = 400
"""For so long after its last change an order may still come back; with a pseudonym it could not."""
_BATCH = 200
_r, _t = redemption.c, returns.c
_AT_REST: list[ColumnElement[str]] = [
    literal_column(f"'{state}'")
    for state in ("captured", "partially_reversed", "reversed", "voided", "expired", "declined", "abandoned")
]
_OPEN_OPERATION = exists().where(operation.c.redemption_id == _r.id, operation.c.open_key.is_not(None))
_OPEN_RETURN = exists().where(
    _t.redemption_id == _r.id,
    or_(
        _t.state.in_([literal_column("'requested'"), literal_column("'reversing'")]),
        OWES_MONEY,
        NOT_GIVEN,
    ),
)
_WISHED = and_(
    _r.release_cause.is_not(None),
    _r.state.in_([literal_column("'captured'"), literal_column("'partially_reversed'")]),
)
# Somebody will still look at a row with a time to check it.
_IS_OPEN = or_(~_r.state.in_(_AT_REST), _r.check_at.is_not(None), _OPEN_OPERATION, _OPEN_RETURN, _WISHED)
# What was paid and kept may come back until its time has passed; what ended otherwise cannot.
_MAY_COME_BACK = and_(
    _r.state.in_([literal_column("'captured'"), literal_column("'partially_reversed'")]),
    _r.updated_at > bindparam("quiet_since"),
)
_open_word = case((_IS_OPEN, literal_column("'open'")), (_MAY_COME_BACK, literal_column("'may_come_back'")), else_="")
_OF_CUSTOMER = and_(ours(redemption), _r.customer_id == bindparam("customer_id"))
_HOW_OPEN = select(_r.id, _r.order_reference, _r.updated_at, _open_word).where(_OF_CUSTOMER).order_by(_r.created_at)
# Before anything is read: whatever changes one of these, or books a return of it, waits for its row.
_LOCK = select(_r.id).where(_OF_CUSTOMER).order_by(_r.id).with_for_update()
_EXPORTED = select(*FOUND_COLUMNS).where(_OF_CUSTOMER).order_by(_r.created_at, _r.id)
_RETURNS = (
    select(
        *(_t.reference, _t.points, _t.money_minor, _t.reason, _t.created_at, _r.order_reference, _r.currency),
        *(_t.expired_minor, _t.instead_minor, _t.new_points),
    )
    .join(redemption, _r.id == _t.redemption_id)
    .where(_OF_CUSTOMER)
    .order_by(_t.created_at)
)
_LINK = select(link.c.member_id, link.c.consent_id, link.c.linked_at).where(
    own(link), link.c.customer_id == bindparam("customer_id")
)
_DROP_LINK = delete(link).where(own(link), link.c.customer_id == bindparam("customer_id"))
_ERASE = (
    update(redemption)
    .where(_r.id == bindparam("redemption_id"), _r.customer_id == bindparam("customer_id"))
    .values(
        customer_id=bindparam("pseudonym"),
        member_id=bindparam("pseudonym"),
        consent_id="",
        # Who has read the row before, and means to send something for it, has to read it again.
        version=_r.version + 1,
    )
)
_ERASE_WORDS = (
    update(returns).where(_t.redemption_id == bindparam("redemption_id")).values(reason=""),
    update(amendment).where(amendment.c.redemption_id == bindparam("redemption_id")).values(reason=""),
)
_OLD: ColumnElement[bool] = and_(
    own(redemption),
    _r.created_at < bindparam("quiet_since"),
    _r.updated_at < bindparam("quiet_since"),
    ~_r.customer_id.like(literal_column(f"'{PSEUDONYM}%'")),
    ~_IS_OPEN,
)
_PURGED = (
    select(_r.id, _r.customer_id, _r.created_at)
    .where(_OLD, _r.created_at >= bindparam("since"))
    .order_by(_r.created_at)
    .limit(bindparam("most"))
    .with_for_update(of=redemption, skip_locked=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What the journal has of one customer, ready for JSON: times as text, amounts in the smallest unit."""

    customer_id: str
    link: dict[str, str] | None
    redemptions: tuple[dict[str, str | int], ...]
    returns: tuple[dict[str, str | int], ...]


class Personal:
    """Exports, erases and purges."""

    def __init__(self, journal: Journal, database: Database, *, actions: Actions, clock: Clock) -> None:
        self._journal = journal
        self._database = database
        self._actions = actions
        self._clock = clock

    def export(self, customer_id: str) -> Exported:
        """Everything that is kept of a customer. Raises NotFoundError."""
        values: dict[str, Value] = {"customer_id": customer_id}
        with self._database.transaction(write=False) as tx:
            linked = tx.one(_LINK, values)
            rows = tx.all(_EXPORTED, values)
            returned = tx.all(_RETURNS, values)
        if linked is None and not rows:
            raise NotFoundError("The journal has nothing of this customer.", field="customer_id")
        return Exported(
            customer_id=customer_id,
            link=None if linked is None else _link(linked),
            redemptions=tuple(_redemption(row) for row in rows),
            returns=tuple(_return(row) for row in returned),
        )

    def erase(self, customer_id: str, *, actor: str, return_days: int = RETURN_DAYS) -> int:
        """Forget who a customer was: pseudonyms in the books, no link, none of their words; how many redemptions.

        Raises StateConflictError, and changes nothing, while something is open or may still come back, which ends
        `return_days` after an order's last change; NotFoundError.
        """
        pseudonym = self._pseudonym(customer_id)
        values: dict[str, Value] = {
            "customer_id": customer_id,
            "quiet_since": self._quiet_since(return_days),
        }
        with self._database.transaction() as tx:
            tx.all(_LOCK, values)
            rows = tx.all(_HOW_OPEN, values)
            linked = tx.one(_LINK, values)
            if linked is None and not rows:
                raise NotFoundError("The journal has nothing of this customer.", field="customer_id")
            for _, order_reference, changed_at, how_open in rows:
                if how_open:
                    told = _why_not(str(order_reference), int(changed_at or 0), how_open, return_days)
                    raise StateConflictError(told)
            for row in rows:
                _erase(tx, str(row[0]), customer_id=customer_id, pseudonym=pseudonym)
            tx.run(_DROP_LINK, values)
            self._actions.record_in(tx, "erase", actor=actor, reason="", subject=pseudonym, detail={"count": len(rows)})
        return len(rows)

    def purge(self, *, actor: str, return_days: int = RETURN_DAYS) -> int:
        """Pseudonyms in every redemption that has been at rest for `return_days`; how many. Links stay.

        In short commits, so that checkouts go on meanwhile; safe to run again, and to interrupt.
        """
        count = 0
        for batch in self._old(return_days):
            count += len(batch)
        if count:
            self._actions.record("purge", actor=actor, reason="", subject="", detail={"count": count})
        return count

    def _old(self, return_days: int) -> Iterator[list[tuple[Value, ...]]]:
        since = 0
        while True:
            values: dict[str, Value] = {
                "quiet_since": self._quiet_since(return_days),
                "since": since,
                "most": _BATCH,
            }
            with self._database.transaction() as tx:
                rows = tx.all(_PURGED, values)
                for redemption_id, customer_id, _ in rows:
                    pseudonym = self._pseudonym(str(customer_id))
                    _erase(tx, str(redemption_id), customer_id=str(customer_id), pseudonym=pseudonym)
            if not rows:
                return
            since = int(rows[-1][2] or 0)
            yield rows

    def _quiet_since(self, return_days: int) -> int:
        return milliseconds(self._clock.now() - timedelta(days=return_days))

    def _pseudonym(self, customer_id: str) -> str:
        digest = hmac.new(self._journal._secret(), f"customer|{customer_id}".encode(), sha256).hexdigest()
        return f"{PSEUDONYM}{digest[:32]}"


def _erase(tx: Transaction, redemption_id: str, *, customer_id: str, pseudonym: str) -> None:
    values: dict[str, Value] = {
        "redemption_id": redemption_id,
        "customer_id": customer_id,
        "pseudonym": pseudonym,
    }
    for statement in (_ERASE, *_ERASE_WORDS):
        tx.run(statement, values)


def _why_not(order_reference: str, changed_at: int, how_open: Value, return_days: int) -> str:
    if how_open == "open":
        return f"Something is still open for order {order_reference}. Nothing was erased; see to that first."
    until = moment(changed_at) + timedelta(days=return_days)
    return (
        f"Order {order_reference} may come back until {until:%Y-%m-%d}, and its points could not go back to nobody. "
        "Nothing was erased; erase after that day, or say for how many days orders may come back."
    )


def _link(row: tuple[Value, ...]) -> dict[str, str]:
    return {"member_id": str(row[0]), "consent_id": str(row[1]), "linked_at": _text(row[2])}


def _redemption(row: tuple[Value, ...]) -> dict[str, str | int]:
    one = found_of(row)
    return {
        "order_reference": one.order_reference,
        "attempt": one.attempt,
        "state": one.state,
        "member_id": one.member_id,
        "points": one.points,
        "value_minor": one.value.amount_minor,
        "currency": one.value.currency,
        "captured_points": one.captured_points,
        "reversed_points": one.reversed_points,
        "placed_at": one.placed_at.isoformat(),
        "changed_at": one.changed_at.isoformat(),
    }


def _return(row: tuple[Value, ...]) -> dict[str, str | int]:
    return {
        "order_reference": str(row[5]),
        "return_reference": str(row[0]),
        "points": int(row[1] or 0),
        "money_minor": int(row[2] or 0),
        "expired_money_minor": int(row[7] or 0),
        "money_instead_minor": int(row[8] or 0),
        "new_points": int(row[9] or 0),
        "currency": str(row[6]),
        "reason": str(row[3] or ""),
        "asked_at": _text(row[4]),
    }


def _text(at_ms: Value) -> str:
    return moment(int(at_ms or 0)).isoformat()
