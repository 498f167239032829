"""Personal data in the journal: what is kept of a customer, and pseudonyms in its place; the books stay.

A pseudonym is made with the journal's own key, so a customer's rows still belong together, and nobody without the key
can tell whose they are. With it, what comes back later could not be booked: erasing waits until nothing is open.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import Table, and_, bindparam, case, delete, exists, literal_column, or_, select, update
from sqlalchemy.sql import ClauseElement, ColumnElement

from punktgenau._clock import Clock
from punktgenau.checkout.actions import Actions
from punktgenau.checkout.database import Database, Transaction, Value
from punktgenau.checkout.earning.personal import erase_earning, old_earnings, open_earnings
from punktgenau.checkout.exchanging.personal import erase_exchange, old_exchanges, settled_exchanges
from punktgenau.checkout.exported import LINK, OF_CUSTOMER, Exported, exported
from punktgenau.checkout.intent import CAUSES, ORDER_CANCELLED
from punktgenau.checkout.journal import Journal
from punktgenau.checkout.moments import milliseconds, moment
from punktgenau.checkout.resolve import GIVEN_UP_BY_KEY
from punktgenau.checkout.schema import link, operation, redemption
from punktgenau.checkout.schema_clearing import difference
from punktgenau.checkout.schema_returns import NOT_GIVEN, OWES_MONEY, UNSAID, action, amendment, returns
from punktgenau.checkout.standing import PSEUDONYM
from punktgenau.checkout.statements import own
from punktgenau.checkout.tenders import forget_vouchers
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
# A refused return waits for a person, unless all of the order's points go back, or have come back, anyway.
_REFUSED = and_(
    _t.state == literal_column("'declined'"),
    _r.release_cause.is_(None),
    _r.state != literal_column("'reversed'"),
)
_OPEN_RETURN = exists().where(
    _t.redemption_id == _r.id,
    or_(
        _t.state.in_([literal_column("'requested'"), literal_column("'reversing'")]),
        OWES_MONEY,
        _REFUSED,
        NOT_GIVEN,
        UNSAID,
    ),
)
# Of vouchers alone: nothing went back onto them, and nothing was paid in money instead.
_HAS_VOUCHERS = and_(
    _r.captured_points == literal_column("0"),
    _r.vouchers_gone.is_(None),
    _r.cart.like(literal_column("""'%"vouchers":%'""")),
)
_WISHED = and_(
    _r.release_cause.is_not(None),
    _r.state.in_([literal_column("'captured'"), literal_column("'partially_reversed'")]),
    or_(_r.reversed_points + _r.kept_points < _r.captured_points, _HAS_VOUCHERS),
)
# Somebody will still look at a row with a time to check it.
_IS_OPEN = or_(~_r.state.in_(_AT_REST), _r.check_at.is_not(None), _OPEN_OPERATION, _OPEN_RETURN, _WISHED)
# What was paid and kept may come back until its time has passed; what ended otherwise cannot.
_MAY_COME_BACK = and_(
    _r.state.in_([literal_column("'captured'"), literal_column("'partially_reversed'")]),
    _r.updated_at > bindparam("quiet_since"),
)
_open_word = case((_IS_OPEN, literal_column("'open'")), (_MAY_COME_BACK, literal_column("'may_come_back'")), else_="")
_HOW_OPEN = select(_r.id, _r.order_reference, _r.updated_at, _open_word).where(OF_CUSTOMER).order_by(_r.created_at)
# Before anything is read: whatever changes one of these, or books a return of it, waits for its row.
_LOCK = select(_r.id).where(OF_CUSTOMER).order_by(_r.id).with_for_update()
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
# Causes that are a shop's or a person's own words; those that the engine gives stay.
_OWN_WORDS = ~_r.release_cause.in_([literal_column(f"'{cause}'") for cause in sorted(CAUSES)])
_ERASE_CAUSE = (
    update(redemption)
    .where(_r.id == bindparam("redemption_id"), _OWN_WORDS)
    .values(release_cause=literal_column(f"'{ORDER_CANCELLED}'"))
)
_GIVES_UP: list[ColumnElement[str]] = [literal_column("'cancel_by_key'"), literal_column("'give_up'")]
_ERASE_CAUSES = (
    update(operation)
    .where(
        operation.c.redemption_id == bindparam("redemption_id"),
        operation.c.kind.in_(_GIVES_UP),
        ~operation.c.cause.in_([literal_column(f"'{cause}'") for cause in sorted(CAUSES | GIVEN_UP_BY_KEY)]),
    )
    # With its id, because a cause is there once per redemption and kind.
    .values(cause=literal_column(f"'{PSEUDONYM}'").concat(operation.c.id))
)


def _of(table: Table, *, words: str) -> tuple[ClauseElement, ClauseElement]:
    """Nobody's words, and a customer who asked for something is one of many."""
    mine = table.c.redemption_id == bindparam("redemption_id")
    return (
        update(table).where(mine).values({words: literal_column("''")}),
        update(table).where(mine, table.c.actor == bindparam("customer_id")).values(actor=literal_column("'customer'")),
    )


_ERASE_WORDS = (
    *_of(returns, words="reason"),
    *_of(amendment, words="reason"),
    *_of(action, words="reason"),
    *_of(difference, words="reason"),
    _ERASE_CAUSE,
    _ERASE_CAUSES,
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


class Personal:
    """Exports, erases and purges."""

    def __init__(self, journal: Journal, database: Database, *, actions: Actions, clock: Clock) -> None:
        self._journal = journal
        self._database = database
        self._actions = actions
        self._clock = clock

    def export(self, customer_id: str) -> Exported:
        """All that the journal keeps of a customer: link and balance, orders with articles, returns, what was done.

        Left out is what only repeats this for the provider: keys, calls and their answers. Raises NotFoundError.
        """
        with self._database.transaction(write=False) as tx:
            found = exported(tx, customer_id)
        if found.link is None and not (found.redemptions or found.earned or found.exchanges):
            raise NotFoundError("The journal has nothing of this customer.", field="customer_id")
        return found

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
            earned = open_earnings(tx, customer_id=customer_id, quiet_since=self._quiet_since(return_days))
            linked = tx.one(LINK, values)
            exchanged = settled_exchanges(tx, customer_id)
            if linked is None and not (rows or earned or exchanged):
                raise NotFoundError("The journal has nothing of this customer.", field="customer_id")
            for _, order_reference, changed_at, how_open in (*rows, *earned):
                if how_open:
                    told = _why_not(str(order_reference), int(changed_at or 0), how_open, return_days)
                    raise StateConflictError(told)
            for row in rows:
                _erase(tx, str(row[0]), customer_id=customer_id, pseudonym=pseudonym)
            for row in earned:
                erase_earning(tx, str(row[0]), pseudonym=pseudonym, secret=self._journal._secret())
            for row in exchanged:
                erase_exchange(tx, row, pseudonym=pseudonym)
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
        while self._purge_others(return_days):
            pass
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

    def _purge_others(self, return_days: int) -> int:
        with self._database.transaction() as tx:
            rows = old_earnings(tx, quiet_since=self._quiet_since(return_days), most=_BATCH)
            for earning_id, customer_id in rows:
                pseudonym = self._pseudonym(str(customer_id))
                erase_earning(tx, str(earning_id), pseudonym=pseudonym, secret=self._journal._secret())
            exchanged = old_exchanges(tx, quiet_since=self._quiet_since(return_days), most=_BATCH)
            for row in exchanged:
                erase_exchange(tx, row, pseudonym=self._pseudonym(str(row[3])))
        return len(rows) + len(exchanged)

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
    forget_vouchers(tx, redemption_id)


def _why_not(order_reference: str, changed_at: int, how_open: Value, return_days: int) -> str:
    if how_open == "open":
        return f"Something is still open for order {order_reference}. Nothing was erased; see to that first."
    until = moment(changed_at) + timedelta(days=return_days)
    return (
        f"Order {order_reference} may come back until {until:%Y-%m-%d}, and its points could not go back to nobody. "
        "Nothing was erased; erase after that day, or say for how many days orders may come back."
    )
