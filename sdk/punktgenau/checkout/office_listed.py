"""Lists of the back office besides redemptions: what orders earn, and points that became vouchers or money."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Table, and_, bindparam, or_, select, tuple_
from sqlalchemy.sql import ClauseElement, ColumnElement

from punktgenau.checkout.beginnings import bytewise
from punktgenau.checkout.database import Database, Value
from punktgenau.checkout.earning.schema import EarningRow, earning
from punktgenau.checkout.exchanging.schema import ExchangeRow, exchange
from punktgenau.checkout.moments import milliseconds
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.searching import ANY, PAGE, Search
from punktgenau.checkout.statements import ours, own

EARNING_STATES = {
    "needs_attention": ("needs_attention",),
    "declined": ("declined",),
    "planned": ("planned", "accruing"),
    "pending": ("pending", "posting"),
    "posted": ("posted", "reversing"),
    "reversed": ("reversed",),
}
"""What a list of earnings is filtered by, and the states of rows that are meant."""
EXCHANGE_STATES = ("needs_attention", "sending", "requested", "rejected", "declined", "done", "paid")
_CURSOR = re.compile(r"(\d{1,15})-([0-9a-f]{32})")
_ID = re.compile(r"[0-9a-f]{32}")
_EARLIEST, _LATEST = 0, 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningPage:
    """A page of earnings, newest first; `beginning`: by order reference instead, which begins so, and no further."""

    items: tuple[EarningRow, ...]
    next_cursor: str = ""
    beginning: str = ""
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangePage:
    """A page of exchanges, newest first."""

    items: tuple[ExchangeRow, ...]
    next_cursor: str = ""


class Listed:
    """Finds earnings and exchanges of this shop; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def earnings(self, search: Search, *, cursor: str = "", limit: int = PAGE) -> EarningPage:
        """One page. The text is an order, member or customer; else the beginning of an order's reference."""
        states = EARNING_STATES.get(search.state, ())
        beginning = search.text.removesuffix(ANY) or search.text
        if beginning == search.text:
            found = self._found(EARNINGS, search, states=states, cursor=cursor, most=limit + 1)
            rows = [row_of(EarningRow, row) for row in found]
            if rows or not search.text or _CURSOR.fullmatch(cursor):
                shown = tuple(rows[:limit])
                last = (shown[-1].created_at, shown[-1].id) if len(rows) > limit else None
                return EarningPage(items=shown, next_cursor=_cursor(last))
        values = _values(search, states=states, most=limit + 1) | {"text": beginning, "end": beginning + chr(0x10FFFF)}
        with self._database.transaction(write=False) as tx:
            rows = [row_of(EarningRow, row) for row in tx.all(BEGINNING, values)]
        return EarningPage(items=tuple(rows[:limit]), beginning=beginning, is_cut=len(rows) > limit)

    def exchanges(self, search: Search, *, cursor: str = "", limit: int = PAGE) -> ExchangePage:
        """One page. The text is a member, customer, our reference or the provider's id."""
        states = (search.state,) if search.state in EXCHANGE_STATES else ()
        found = self._found(EXCHANGES, search, states=states, cursor=cursor, most=limit + 1)
        rows = [row_of(ExchangeRow, row) for row in found]
        shown = tuple(rows[:limit])
        last = (shown[-1].created_at, shown[-1].id) if len(rows) > limit else None
        return ExchangePage(items=shown, next_cursor=_cursor(last))

    def earning(self, earning_id: str) -> EarningRow | None:
        """One earning of this shop as it stands."""
        row = self._one(ONE_EARNING, earning_id)
        return None if row is None else row_of(EarningRow, row)

    def exchange(self, exchange_id: str) -> ExchangeRow | None:
        """One exchange of this shop as it stands."""
        row = self._one(ONE_EXCHANGE, exchange_id)
        return None if row is None else row_of(ExchangeRow, row)

    # Inside

    def _one(self, statement: ClauseElement, row_id: str) -> tuple[Value, ...] | None:
        if not _ID.fullmatch(row_id):
            return None
        with self._database.transaction(write=False) as tx:
            return tx.one(statement, {"id": row_id})

    def _found(
        self, statements: dict[str, ClauseElement], search: Search, *, states: Sequence[str], cursor: str, most: int
    ) -> list[tuple[Value, ...]]:
        before = _CURSOR.fullmatch(cursor)
        values = _values(search, states=states, most=most) | {
            "before_at": int(before[1]) if before else _LATEST,
            "before_id": before[2] if before else "",
        }
        with self._database.transaction(write=False) as tx:
            if not search.text:
                return tx.all(statements["in a state" if states else "all"], values)
            for by, statement in statements.items():
                # What is found first is what was meant: a member is hardly ever called like an order.
                if by not in {"all", "in a state"} and (found := tx.all(statement, values | {"text": search.text})):
                    return found
        return []


def _values(search: Search, *, states: Sequence[str], most: int) -> dict[str, Value]:
    return {
        "state": states[0] if states else "",
        "other_state": states[-1] if states else "",
        "since": _EARLIEST if search.since is None else milliseconds(search.since),
        "until": _LATEST if search.until is None else milliseconds(search.until),
        "most": most,
    }


def _cursor(last: tuple[int, str] | None) -> str:
    return "" if last is None else f"{last[0]}-{last[1]}"


def _in_state(table: Table) -> ColumnElement[bool]:
    return or_(table.c.state == bindparam("state"), table.c.state == bindparam("other_state"))


def _listed(table: Table, *where: ColumnElement[bool]) -> ClauseElement:
    c = table.c
    paged = and_(
        c.created_at >= bindparam("since"),
        c.created_at < bindparam("until"),
        tuple_(c.created_at, c.id) < tuple_(bindparam("before_at"), bindparam("before_id")),
    )
    return select(table).where(*where, paged).order_by(c.created_at.desc(), c.id.desc()).limit(bindparam("most"))


def _lists(table: Table, *, by: Sequence[str]) -> dict[str, ClauseElement]:
    is_any = or_(bindparam("state") == "", _in_state(table))
    named = {
        name: _listed(
            table,
            own(table) if name == "order_reference" else ours(table),
            table.c[name] == bindparam("text"),
            is_any,
        )
        for name in by
    }
    return {"all": _listed(table, own(table)), "in a state": _listed(table, own(table), _in_state(table)), **named}


EARNINGS = _lists(earning, by=("order_reference", "member_id", "customer_id"))
EXCHANGES = _lists(exchange, by=("member_id", "customer_id", "reference", "provider_id"))
ONE_EARNING = select(earning).where(ours(earning), earning.c.id == bindparam("id"))
ONE_EXCHANGE = select(exchange).where(ours(exchange), exchange.c.id == bindparam("id"))
_SCAN = 5_000
_n = earning.alias("near")
# However rare what is filtered for is, no page looks at more rows than that; only what is shown is read whole.
_near = (
    select(_n.c.id, _n.c.order_reference)
    .where(
        own(_n), bytewise(_n.c.order_reference) >= bindparam("text"), bytewise(_n.c.order_reference) < bindparam("end")
    )
    .order_by(bytewise(_n.c.order_reference).desc())
    .limit(_SCAN)
    .subquery("found")
)
BEGINNING = (
    select(earning)
    .select_from(_near.join(earning, earning.c.id == _near.c.id))
    .where(
        or_(bindparam("state") == "", _in_state(earning)),
        earning.c.created_at >= bindparam("since"),
        earning.c.created_at < bindparam("until"),
    )
    .order_by(bytewise(_near.c.order_reference).desc(), earning.c.kind)
    .limit(bindparam("most"))
)
