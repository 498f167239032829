"""What needs a person, from the journal: points that are short or unknown, refused returns, money still to be paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, FromClause, and_, bindparam, exists, func, literal_column, select
from sqlalchemy.sql import ClauseElement, ColumnElement

from punktgenau.checkout.database import Database, Transaction, Value
from punktgenau.checkout.earning.schema import NEEDS_A_PERSON as EARNING_NEEDS
from punktgenau.checkout.earning.schema import earning, earning_step
from punktgenau.checkout.earning.told import EarnedFate, fate_of
from punktgenau.checkout.exchanging.schema import NEEDS_A_PERSON as EXCHANGE_NEEDS
from punktgenau.checkout.exchanging.schema import exchange
from punktgenau.checkout.moments import moment
from punktgenau.checkout.schema import operation, redemption
from punktgenau.checkout.schema_returns import NOT_GIVEN, OWED_MINOR, OWES_MONEY, UNSAID, returns
from punktgenau.checkout.searching import FOUND_COLUMNS, Found, found_of
from punktgenau.checkout.statements import ours
from punktgenau.money import Money

MOST = 200
"""As many of each kind as one page tells; their number is told besides."""
COUNT_MAX = 1_000
_URGENT = ("short", "needs_attention", "refused", "not_given", "unsaid", "earned", "exchanged")
LATE_MS = 120_000
"""An operation that has been open for longer is not merely under way."""

_r, _t, _o = redemption.c, returns.c, operation.c
_STATES: list[ColumnElement[str]] = [literal_column("'short'"), literal_column("'needs_attention'")]
_PERSON = and_(ours(redemption), _r.state.in_(_STATES), _r.live_key.is_not(None))
# Not joined: without statistics SQLite would begin at the redemptions, and read every one.
_REFUSED = and_(
    _t.state == literal_column("'declined'"),
    # Of an order that was cancelled, or came back as a whole, nobody can do anything more about it.
    exists().where(
        _r.id == _t.redemption_id,
        ours(redemption),
        _r.release_cause.is_(None),
        _r.state != literal_column("'reversed'"),
    ),
)
_NOT_GIVEN = and_(NOT_GIVEN, exists().where(_r.id == _t.redemption_id, ours(redemption)))
_UNSAID = and_(UNSAID, exists().where(_r.id == _t.redemption_id, ours(redemption)))
_MONEY = and_(
    OWES_MONEY,
    exists().where(_r.id == _t.redemption_id, ours(redemption)),
)
_LATE = and_(
    _o.next_at.is_not(None),
    _o.created_at < bindparam("at"),
    # What a person has to see is told by its own list.
    exists().where(_r.id == _o.redemption_id, ours(redemption), _r.state != literal_column("'needs_attention'")),
)
_ORDER = select(_r.order_reference, _r.currency).where(_r.id == bindparam("redemption_id"))
_OWED = select(_t.redemption_id, _t.id, _t.reference, _t.points, OWED_MINOR, _t.created_at, _t.reason)
# Why its points were refused, by the answer to the last time that they were asked for.
_REFUSAL = select(_o.code).where(_o.id == bindparam("operation_id"))
_NEW = select(_t.redemption_id, _t.id, _t.reference, _t.new_points, OWED_MINOR, _t.created_at, _t.reason)
_WAITS = select(_o.redemption_id, _o.kind, _o.code, _o.sends, _o.created_at, _o.next_at)

_e, _s, _x = earning.c, earning_step.c, exchange.c
_EARNED = and_(ours(earning), EARNING_NEEDS)
_EXCHANGED = and_(ours(exchange), EXCHANGE_NEEDS)

_most: BindParameter[int] = bindparam("most")
_LIST = {
    "person": select(*FOUND_COLUMNS).where(_PERSON).order_by(_r.updated_at).limit(_most),
    "refused": _OWED.add_columns(_t.operation_id).where(_REFUSED).order_by(_t.created_at).limit(_most),
    "not_given": _NEW.where(_NOT_GIVEN).order_by(_t.created_at).limit(_most),
    "money": _OWED.where(_MONEY).order_by(_t.created_at).limit(_most),
    "unsaid": _OWED.where(_UNSAID).order_by(_t.created_at).limit(_most),
    "late": _WAITS.where(_LATE).order_by(_o.created_at).limit(_most),
    "earned": select(
        *(_e.id, _e.order_reference, _e.kind, _e.state, _e.points, _e.points_taken, _e.reason, _e.updated_at),
    )
    .where(_EARNED)
    .order_by(_e.created_at)
    .limit(_most),
    "exchanged": select(_x.id, _x.customer_id, _x.kind, _x.points, _x.code, _x.created_at)
    .where(_EXCHANGED)
    .order_by(_x.created_at)
    .limit(_most),
}
_OPEN_STEP = select(_s.kind).where(_s.open_key == bindparam("earning_id"))


def _counted(name: str, of: FromClause, where: ColumnElement[bool]) -> ClauseElement:
    """How many, but never more than a thousand: somebody who never closes money halves may have very many."""
    some = select(literal_column("1")).select_from(of).where(where).limit(COUNT_MAX).subquery()
    return select(literal_column(f"'{name}'"), func.count()).select_from(some)


_COUNT = (
    select(_r.state, func.count()).where(_PERSON).group_by(_r.state),
    _counted("refused", returns, _REFUSED),
    _counted("not_given", returns, _NOT_GIVEN),
    _counted("money", returns, _MONEY),
    _counted("late", operation, _LATE),
    _counted("unsaid", returns, _UNSAID),
    _counted("earned", earning, _EARNED),
    _counted("exchanged", exchange, _EXCHANGED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReturn:
    """A return that a person has to do something about: points refused, new ones not given, or money still owed.

    `reason` is why the goods came back, `code` why the provider refused its points.
    """

    id: str
    redemption_id: str
    order_reference: str
    return_reference: str
    points: int
    money: Money
    reason: str
    asked_at: datetime
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An operation that has been open for more than two minutes; it is tried again by itself at `next_at`."""

    redemption_id: str
    order_reference: str
    kind: str
    code: str
    sends: int
    asked_at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEarning:
    """Points that an order earns and were refused, or nobody can tell about; `call` is the one that is not known."""

    id: str
    order_reference: str
    kind: str
    state: str
    points: int
    taken_back: int
    code: str
    call: str
    changed_at: datetime

    @property
    def fate(self) -> EarnedFate:
        """What became of the points."""
        return fate_of(self.state, self.code, self.call)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenExchange:
    """Points that were to become a voucher or money, and nobody knows whether they did."""

    id: str
    customer_id: str
    kind: str
    points: int
    code: str
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """What needs a person, the oldest first; `counts` tells how many there are of each, also beyond the lists."""

    counts: dict[str, int]
    people: tuple[Found, ...] = ()
    refused: tuple[OpenReturn, ...] = ()
    not_given: tuple[OpenReturn, ...] = ()
    money: tuple[OpenReturn, ...] = ()
    unsaid: tuple[OpenReturn, ...] = ()
    """Points that are back, and nobody knows how many of them had expired, although the shop makes up for those."""
    late: tuple[Waiting, ...] = ()
    earned: tuple[OpenEarning, ...] = ()
    exchanged: tuple[OpenExchange, ...] = ()

    @property
    def urgent(self) -> int:
        """How many matters cannot be resolved without a person."""
        return sum(self.counts[name] for name in _URGENT)


def counts(database: Database, *, now_ms: int) -> Attention:
    """How many there are of each, without the lists."""
    return _looked(database, now_ms=now_ms, most=0)


def attention(database: Database, *, now_ms: int) -> Attention:
    """All that needs a person."""
    return _looked(database, now_ms=now_ms, most=MOST)


def _looked(database: Database, *, now_ms: int, most: int) -> Attention:
    values: dict[str, Value] = {"at": now_ms - LATE_MS, "most": most}
    found = {"short": 0, "needs_attention": 0}
    lists: dict[str, list[tuple[Value, ...]]] = {name: [] for name in _LIST}
    with database.transaction(write=False) as tx:
        for statement in _COUNT:
            found |= {str(name): int(number or 0) for name, number in tx.all(statement, values)}
        if most:
            lists = {name: tx.all(statement, values) for name, statement in _LIST.items()}
            for name in ("refused", "not_given", "money", "unsaid", "late"):
                lists[name] = [row + _order(tx, row) for row in lists[name]]
            calls = [tx.one(_OPEN_STEP, {"earning_id": row[0]}) for row in lists["earned"]]
            lists["earned"] = [row + (call or ("",)) for row, call in zip(lists["earned"], calls, strict=True)]
            refusals = [tx.one(_REFUSAL, {"operation_id": row[7]}) for row in lists["refused"]]
            lists["refused"] = [
                row[:7] + row[8:] + (code or ("",)) for row, code in zip(lists["refused"], refusals, strict=True)
            ]
    return Attention(
        counts=found,
        people=tuple(found_of(row) for row in lists["person"]),
        refused=tuple(_return(row) for row in lists["refused"]),
        not_given=tuple(_return(row) for row in lists["not_given"]),
        money=tuple(_return(row) for row in lists["money"]),
        unsaid=tuple(_return(row) for row in lists["unsaid"]),
        late=tuple(_waiting(row) for row in lists["late"]),
        earned=tuple(_earning(row) for row in lists["earned"]),
        exchanged=tuple(_exchange(row) for row in lists["exchanged"]),
    )


def _order(tx: Transaction, row: tuple[Value, ...]) -> tuple[Value, ...]:
    return tx.one(_ORDER, {"redemption_id": row[0]}) or ("", "")


def _return(row: tuple[Value, ...]) -> OpenReturn:
    return OpenReturn(
        redemption_id=str(row[0]),
        id=str(row[1]),
        return_reference=str(row[2]),
        points=int(row[3] or 0),
        money=Money(amount_minor=int(row[4] or 0), currency=str(row[8])),
        asked_at=moment(int(row[5] or 0)),
        reason=str(row[6] or ""),
        order_reference=str(row[7]),
        code=str(row[9] or "") if len(row) > 9 else "",
    )


def _waiting(row: tuple[Value, ...]) -> Waiting:
    return Waiting(
        redemption_id=str(row[0]),
        kind=str(row[1]),
        code=str(row[2] or ""),
        sends=int(row[3] or 0),
        asked_at=moment(int(row[4] or 0)),
        next_at=moment(int(row[5] or 0)),
        order_reference=str(row[6]),
    )


def _earning(row: tuple[Value, ...]) -> OpenEarning:
    return OpenEarning(
        id=str(row[0]),
        order_reference=str(row[1]),
        kind=str(row[2]),
        state=str(row[3]),
        points=int(row[4] or 0),
        taken_back=int(row[5] or 0),
        code=str(row[6] or ""),
        changed_at=moment(int(row[7] or 0)),
        call=str(row[8] or ""),
    )


def _exchange(row: tuple[Value, ...]) -> OpenExchange:
    return OpenExchange(
        id=str(row[0]),
        customer_id=str(row[1]),
        kind=str(row[2]),
        points=int(row[3] or 0),
        code=str(row[4] or ""),
        asked_at=moment(int(row[5] or 0)),
    )
