"""Searching the journal for the back office: pages by key, so that each is found as quickly as the first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, bindparam, func, literal_column, select, tuple_
from sqlalchemy.sql import ClauseElement

from punktgenau.checkout.beginnings import bytewise, read_cursor, write_cursor
from punktgenau.checkout.database import Database, Value
from punktgenau.checkout.moments import milliseconds, moment
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema import RedemptionRow, redemption
from punktgenau.checkout.schema_returns import returns
from punktgenau.checkout.statements import ours, own
from punktgenau.checkout.tenders import WITH_VOUCHER
from punktgenau.checkout.vouchers import of_cart, worth_minor
from punktgenau.money import Money

PAGE = 50
STATES = (
    "needs_attention",
    "short",
    "authorizing",
    "authorized",
    "extending",
    "capturing",
    "partially_captured",
    "captured",
    "reversing",
    "partially_reversed",
    "reversed",
    "voiding",
    "voided",
    "expired",
    "declined",
    "abandoning",
    "abandoned",
)
"""Every state of a row, in the order in which an operator looks for them."""
_By = Literal["order_reference", "member_id", "customer_id", "provider_id", "voucher_id"]
_BY: tuple[_By, ...] = ("order_reference", "member_id", "customer_id", "provider_id", "voucher_id")
_CURSOR = re.compile(r"(\d{1,15})-([0-9a-f]{32})")
_ID = re.compile(r"[0-9a-f]{32}")
_EARLIEST, _LATEST = 0, 2**62
ANY = "*"
"""After a text: all order references that begin with it."""
SCAN = 5_000
_COLUMNS = (
    "id", "order_reference", "attempt", "state", "customer_id", "member_id", "points", "value_minor",
    "payable_minor", "currency", "captured_points", "reversed_points", "reversed_minor", "release_cause", "reason",
    "created_at", "updated_at", "vouchers_back_minor", "cart", "new_points",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for: `text` is an order reference, a member's, customer's, voucher's or provider's id; empty: all.

    Where nothing is called like that, it is the beginning of order references; with a `*` after it, it always is.
    `since` and `until` (not included) are about when the order was placed.
    """

    text: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One redemption in a list: `points`, `value` and `vouchers` as they were asked for, and what became of them."""

    id: str
    order_reference: str
    attempt: int
    state: str
    customer_id: str
    member_id: str
    points: int
    value: Money
    payable: Money
    captured_points: int
    reversed_points: int
    reversed_value: Money
    new_points: int
    release_cause: str
    reason: str
    placed_at: datetime
    changed_at: datetime
    vouchers: Money
    vouchers_back: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """A page of a list, newest first; `next_cursor` leads to the next one, empty on the last.

    `beginning`: what the order references of the page begin with; such a list is by order reference, the last first,
    and a page of it may have few items or none, although more are to come.
    """

    items: tuple[Found, ...]
    next_cursor: str = ""
    beginning: str = ""


class Searching:
    """Finds redemptions of this shop; changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, search: Search, *, cursor: str = "", limit: int = PAGE) -> FoundPage:
        """One page, newest first. A cursor that is none of ours leads to the first page."""
        values: dict[str, Value] = {
            "state": search.state,
            "since": _EARLIEST if search.since is None else milliseconds(search.since),
            "until": _LATEST if search.until is None else milliseconds(search.until),
            "most": limit + 1,
        }
        beginning = search.text.removesuffix(ANY) or search.text
        if beginning == search.text:
            before = _CURSOR.fullmatch(cursor)
            placed = {"before_at": int(before[1]) if before else _LATEST, "before_id": before[2] if before else ""}
            rows = self._rows(search, values | placed)
            items = tuple(found_of(row) for row in rows[:limit])
            if items or not search.text or before:
                return FoundPage(items=items, next_cursor=_cursor(items[-1]) if len(rows) > limit else "")
        return self._beginning_with(beginning, search, values, cursor=cursor, limit=limit)

    def all(self, search: Search) -> Iterator[Found]:
        """Everything that is found, newest first, page by page: no transaction stays open in between."""
        cursor = ""
        while True:
            page = self.page(search, cursor=cursor, limit=500)
            yield from page.items
            if not (cursor := page.next_cursor):
                return

    def attempts(self, order_reference: str) -> tuple[Found, ...]:
        """Every attempt to pay an order, the oldest first."""
        with self._database.transaction(write=False) as tx:
            return tuple(found_of(row) for row in tx.all(_ATTEMPTS, {"text": order_reference}))

    def row(self, redemption_id: str) -> RedemptionRow | None:
        """One redemption of this shop as it stands."""
        if not _ID.fullmatch(redemption_id):
            return None
        with self._database.transaction(write=False) as tx:
            row = tx.one(_ONE, {"redemption_id": redemption_id})
        return None if row is None else row_of(RedemptionRow, row)

    def _beginning_with(
        self, beginning: str, search: Search, values: dict[str, Value], *, cursor: str, limit: int
    ) -> FoundPage:
        """One page by order reference. However rare what is filtered for is, no page looks at more than `SCAN` rows."""
        before = read_cursor(cursor)
        filtered = bool(search.state or search.since or search.until)
        scan = max(SCAN, limit + 1) if filtered else limit + 1
        values = values | {
            "text": beginning,
            "before_reference": beginning + chr(0x10FFFF) if before is None else before[0],
            "before_attempt": 0 if before is None else before[1],
            "scan": scan,
        }
        with self._database.transaction(write=False) as tx:
            rows = tx.all(BEGINNING, values)
            last = tx.one(BEGINNING_LAST, values | {"skip": scan - 1}) if filtered and len(rows) <= limit else None
        items = tuple(found_of(row) for row in rows[:limit])
        following = ""
        if len(rows) > limit:
            following = write_cursor(items[-1].order_reference, items[-1].attempt)
        elif last is not None:
            following = write_cursor(str(last[0]), int(last[1] or 0))
        return FoundPage(items=items, next_cursor=following, beginning=beginning)

    def _rows(self, search: Search, values: dict[str, Value]) -> list[tuple[Value, ...]]:
        with self._database.transaction(write=False) as tx:
            if not search.text:
                return tx.all(_IN_STATE if search.state else _ANY, values)
            for by in _BY:
                # What is found first is what was meant: a member is hardly ever called like an order.
                found = tx.all(_SEARCHES[by], values | {"text": search.text})
                if found:
                    return found
        return []


def found_of(row: tuple[Value, ...]) -> Found:
    """A row of `FOUND_COLUMNS` as a record."""
    said = dict(zip(_COLUMNS, row, strict=True))
    currency = str(said["currency"])

    def number(name: str) -> int:
        return int(said[name] or 0)

    def money(name: str) -> Money:
        return Money(amount_minor=number(name), currency=currency)

    return Found(
        id=str(said["id"]),
        order_reference=str(said["order_reference"]),
        attempt=number("attempt"),
        state=str(said["state"]),
        customer_id=str(said["customer_id"]),
        member_id=str(said["member_id"]),
        points=number("points"),
        value=money("value_minor"),
        payable=money("payable_minor"),
        captured_points=number("captured_points"),
        reversed_points=number("reversed_points"),
        reversed_value=money("reversed_minor"),
        new_points=number("new_points"),
        release_cause=str(said["release_cause"] or ""),
        reason=str(said["reason"] or ""),
        placed_at=moment(number("created_at")),
        changed_at=moment(number("updated_at")),
        vouchers=Money(amount_minor=worth_minor(of_cart(str(said["cart"]))), currency=currency),
        vouchers_back=money("vouchers_back_minor"),
    )


def _cursor(last: Found) -> str:
    return f"{milliseconds(last.placed_at)}-{last.id}"


_r = redemption.c
# Those that were refused, or of which nobody knows, are points that nobody has.
_NEW_POINTS = (
    select(func.sum(returns.c.new_points))
    .where(returns.c.redemption_id == _r.id, returns.c.accrual_state == literal_column("'posted'"))
    .correlate(redemption)
    .scalar_subquery()
)
FOUND_COLUMNS = (*(_r[name] for name in _COLUMNS[:-1]), _NEW_POINTS)
_PAGED = and_(
    _r.created_at >= bindparam("since"),
    _r.created_at < bindparam("until"),
    tuple_(_r.created_at, _r.id) < tuple_(bindparam("before_at"), bindparam("before_id")),
)


def _listed(*where: ClauseElement) -> ClauseElement:
    return (
        select(*FOUND_COLUMNS)
        .where(*where, _PAGED)  # type: ignore[arg-type]
        .order_by(_r.created_at.desc(), _r.id.desc())
        .limit(bindparam("most"))
    )


def _search_by(by: _By) -> ClauseElement:
    whose = own if by == "order_reference" else ours
    any_state = (bindparam("state") == "") | (_r.state == bindparam("state"))
    is_it = WITH_VOUCHER if by == "voucher_id" else _r[by] == bindparam("text")
    return _listed(whose(redemption), is_it, any_state)


_ANY = _listed(own(redemption))
_IN_STATE = _listed(own(redemption), _r.state == bindparam("state"))
_SEARCHES = {by: _search_by(by) for by in _BY}
_ATTEMPTS = select(*FOUND_COLUMNS).where(own(redemption), _r.order_reference == bindparam("text")).order_by(_r.attempt)
_ONE = select(redemption).where(ours(redemption), _r.id == bindparam("redemption_id"))
_n = redemption.alias("near")
# Ids first: only what is shown is read whole.
_NEAR = (
    select(_n.c.id, _n.c.order_reference, _n.c.attempt, _n.c.state, _n.c.created_at)
    .where(
        own(_n),
        bytewise(_n.c.order_reference) >= bindparam("text"),
        tuple_(bytewise(_n.c.order_reference), _n.c.attempt)
        < tuple_(bindparam("before_reference"), bindparam("before_attempt")),
    )
    .order_by(bytewise(_n.c.order_reference).desc(), _n.c.attempt.desc())
)
_near = _NEAR.limit(bindparam("scan")).subquery("found")
BEGINNING = (
    select(*FOUND_COLUMNS)
    .select_from(_near.join(redemption, _r.id == _near.c.id))
    .where(
        (bindparam("state") == "") | (_near.c.state == bindparam("state")),
        _near.c.created_at >= bindparam("since"),
        _near.c.created_at < bindparam("until"),
    )
    .order_by(bytewise(_near.c.order_reference).desc(), _near.c.attempt.desc())
    .limit(bindparam("most"))
)
BEGINNING_LAST = _NEAR.with_only_columns(_n.c.order_reference, _n.c.attempt).limit(1).offset(bindparam("skip"))
