"""Writing an edition of the list: in pieces, by one import at a time, and of no effect until it is named.

Whatever is left of an import that died is cleared away by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, insert, select, update
from sqlalchemy.sql import ClauseElement

from punktgenau._clock import Clock
from punktgenau.checkout.articles.schema import VALUES, article, edition
from punktgenau.checkout.articles.store import COLUMNS
from punktgenau.checkout.database import Database, DuplicateError, Transaction, Value
from punktgenau.checkout.moments import moment, now_ms
from punktgenau.checkout.statements import insert_own, own
from punktgenau.errors import InProgressError

PIECE = 1_000
"""So many rows are written, read or deleted in one transaction: a few milliseconds, for which the shop may wait."""
LEASE_S = 60.0
RENEWED_EVERY_S = 10.0
Row = tuple[Value, ...]
_A, _E = article.c, edition.c
_OWN = own(edition)
_FIRST = insert_own(edition)
_STATE = select(_E.current, _E.incoming, _E.leaving).where(_OWN)
_MINE = and_(_OWN, _E.lease_token == bindparam("mine"))
_ADD = insert(article).values({column.name: bindparam(column.name) for column in article.columns})
_NAMES = ("edition", "sku", *VALUES)
_PAGE = (
    select(*COLUMNS)
    .where(_A.edition == bindparam("edition"), _A.sku > bindparam("after"))
    .order_by(_A.sku)
    .limit(PIECE)
)
_LAST = (
    select(_A.sku)
    .where(_A.edition == bindparam("edition"), _A.sku > bindparam("after"))
    .order_by(_A.sku)
    .limit(1)
    .offset(PIECE - 1)
)
_IN_EDITION = _A.edition == bindparam("edition")
_CLEAR = delete(article).where(_IN_EDITION, _A.sku > bindparam("after"), _A.sku <= bindparam("last"))
_CLEAR_REST = delete(article).where(_IN_EDITION, _A.sku > bindparam("after"))
_BEGIN = update(edition).where(_MINE).values(incoming=bindparam("made"))
_NO_INCOMING = update(edition).where(_MINE).values(incoming=None)
_NO_LEAVING = update(edition).where(_MINE).values(leaving=None)
_NAME = (
    update(edition)
    .where(_MINE)
    .values(
        current=bindparam("made"),
        articles=bindparam("count"),
        imported_at=bindparam("at"),
        incoming=None,
        leaving=_E.current,
    )
)
_SINCE = select(_E.lease_since).where(_OWN)
_LEASES: dict[str, tuple[ClauseElement, ClauseElement]] = {}
_FREE = update(edition).where(_MINE).values(lease_until=0)


def _leases(database: Database) -> tuple[ClauseElement, ClauseElement]:
    """Taking a lease and renewing it, by the clock that they are judged by; the same ones for every import."""
    known = _LEASES.get(database.dialect)
    if known is not None:
        return known
    now = database.now()
    until = now + int(LEASE_S * 1000)
    take = update(edition).where(_OWN, _E.lease_until < now)
    renew = update(edition).where(_MINE).values(lease_until=until)
    take = take.values(lease_token=bindparam("mine"), lease_since=now, lease_until=until)
    return _LEASES.setdefault(database.dialect, (take, renew))


class Editions:
    """The editions of one shop's list, for one import; `take` first, `give_back` at the end."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._mine: dict[str, Value] = {"mine": self._random()}
        self._renewed_s = 0.0
        self._take, self._renew = _leases(database)

    def take(self) -> None:
        """Be the one import of this shop.

        Raises InProgressError where another one is at work; one that died counts as that for a minute.
        """
        try:
            with self._database.transaction() as tx:
                taken, since = self._taken(tx)
        except DuplicateError:
            # Two first imports at once: the other one has made the shop's row.
            with self._database.transaction() as tx:
                taken, since = self._taken(tx)
        if not taken:
            raise InProgressError(
                f"Another import of articles is at work, since {since:%Y-%m-%d %H:%M:%S} UTC. Nothing was changed by "
                f"this one; try again when it has ended. If it has died, that is in {LEASE_S:.0f} seconds at most."
            )
        self._renewed_s = self._clock.monotonic()

    def give_back(self) -> None:
        """Let the next one begin."""
        with self._database.transaction() as tx:
            tx.run(_FREE, self._mine)

    def keep(self) -> None:
        """Say, from time to time, that this import is still alive. Raises InProgressError where it lost its place."""
        if self._clock.monotonic() - self._renewed_s >= RENEWED_EVERY_S:
            with self._database.transaction() as tx:
                self._hold(tx)

    def current(self) -> Iterator[Row]:
        """The list that counts, by sku; a page of it in memory."""
        counting, after = self._state()[0], ""
        while counting is not None:
            with self._database.transaction(write=False) as tx:
                rows = tx.all(_PAGE, {"edition": counting, "after": after})
            yield from rows
            if len(rows) < PIECE:
                return
            after = str(rows[-1][0])

    def clear(self, progress: Callable[[int], None]) -> None:
        """Delete what counts for nobody any more: the list before, and what a dead import has left."""
        _, incoming, leaving = self._state()
        for gone, gone_by in ((incoming, _NO_INCOMING), (leaving, _NO_LEAVING)):
            if gone is not None:
                self._delete(gone, progress)
                self._write(gone_by, {})

    def begin(self) -> int:
        """A new edition's number, which is written down before its first row is."""
        made = self._random()
        self._write(_BEGIN, {"made": made})
        return made

    def add(self, made: int, rows: Sequence[Row]) -> None:
        """Write a piece of it."""
        with self._database.transaction() as tx:
            self._hold(tx)
            tx.many(_ADD, [dict(zip(_NAMES, (made, *row), strict=True)) for row in rows])

    def name(self, made: int, *, articles: int) -> None:
        """Let it count from now on, in place of the one before."""
        self._write(_NAME, {"made": made, "count": articles, "at": now_ms(self._clock)})

    def _taken(self, tx: Transaction) -> tuple[bool, datetime]:
        if tx.one(_STATE, {}) is None:
            empty: dict[str, Value] = dict.fromkeys(column.name for column in edition.columns)
            tx.run(_FIRST, empty | {"articles": 0, "lease_token": 0, "lease_until": 0, "lease_since": 0})
        taken = tx.run(self._take, self._mine) == 1
        since = tx.one(_SINCE, {})
        return taken, moment(int((since or (0,))[0] or 0))

    def _state(self) -> tuple[int | None, int | None, int | None]:
        with self._database.transaction(write=False) as tx:
            row = tx.one(_STATE, {})
        current, incoming, leaving = (None if value is None else int(value) for value in row or (None, None, None))
        return current, incoming, leaving

    def _hold(self, tx: Transaction) -> None:
        if tx.run(self._renew, self._mine) != 1:
            raise InProgressError(
                "Another import of articles has begun, because this one was not heard of for too long. Nothing was "
                "changed by this one."
            )
        self._renewed_s = self._clock.monotonic()

    def _write(self, statement: ClauseElement, values: dict[str, Value]) -> None:
        with self._database.transaction() as tx:
            self._hold(tx)
            tx.run(statement, values | self._mine)

    def _delete(self, gone: int, progress: Callable[[int], None]) -> None:
        after, cleared = "", 0
        while True:
            where: dict[str, Value] = {"edition": gone, "after": after}
            with self._database.transaction() as tx:
                self._hold(tx)
                last = tx.one(_LAST, where)
                if last is None:
                    tx.run(_CLEAR_REST, where)
                    return
                cleared += tx.run(_CLEAR, where | {"last": last[0]})
            progress(cleared)
            after = str(last[0])

    def _random(self) -> int:
        return int.from_bytes(self._clock.random_bytes(7), "big") + 1
