"""The noun difference: kept in the journal under an id of its own content, so that nothing is proposed twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import and_, bindparam, func, literal_column, select, update
from sqlalchemy.sql import ColumnElement

from punktgenau._clock import Clock
from punktgenau.checkout.actions import Actions
from punktgenau.checkout.booking import Window
from punktgenau.checkout.database import Database, DuplicateError, Transaction, Value
from punktgenau.checkout.moments import now_ms
from punktgenau.checkout.rows import row_of, values_of
from punktgenau.checkout.schema_clearing import DifferenceRow, difference
from punktgenau.checkout.statements import insert_own, own

PAGE = 200
_ROUNDS_MAX = 3
NEXT_ONE = "may stand on the next one"
"""What is noted of a booking that waits for the next statement."""
_D = difference.c
_OWN = own(difference)
_THIS = and_(_OWN, _D.id == bindparam("difference_id"))
_SHOWN = [_D[name] for name in DifferenceRow.__dataclass_fields__]
_FIGURES = ("there_points", "there_minor", "there_at", "here_points", "here_minor", "currency")
"""What a person has decided about; anything else may change without being another matter."""
_SEEN = ("redemption_id", *_FIGURES, "here_currency", "here_at", "order_state", "proposal", "note", "seen_at")
"""What every run tells anew."""
_MOVING = ("state", "period", *_SEEN, "actor", "reason", "result", "done_at")
_ONE = select(*_SHOWN).where(_THIS)
_LOCK = select(*_SHOWN).where(_THIS).with_for_update()
_ADD = insert_own(difference)
_SWAP = (
    update(difference)
    .where(_THIS, _D.state == bindparam("seen_state"))
    .values({name: bindparam(f"new_{name}") for name in _MOVING})
)
_LIST = (
    select(*_SHOWN).where(_OWN, _D.state == bindparam("state"), _D.id > bindparam("after")).order_by(_D.id).limit(PAGE)
)
_LIST_PERIOD = (
    select(*_SHOWN)
    .where(_OWN, _D.state == bindparam("state"), _D.period == bindparam("period"), _D.id > bindparam("after"))
    .order_by(_D.id)
    .limit(PAGE)
)
_OPEN: ColumnElement[str] = literal_column("'open'")
_COUNT = (
    select(_D.kind, func.count())
    .where(_OWN, _D.state == bindparam("state"), _D.period == bindparam("period"))
    .group_by(_D.kind)
)
_GONE = (
    update(difference)
    .where(_OWN, _D.state == _OPEN, _D.period == bindparam("period"), _D.seen_at < bindparam("before"))
    .values(state="settled", done_at=bindparam("now"))
)
_RIGHT = _GONE.where(_D.kind.in_([literal_column("'not_captured'"), literal_column("'not_released'")]))
"""What the shop's orders and the journal say by themselves, whatever stands on a statement."""
_WAITING: ColumnElement[str] = literal_column("'waiting'")
_CAME = (
    update(difference)
    .where(
        _OWN,
        _D.state == _WAITING,
        _D.here_at >= bindparam("since"),
        _D.here_at < bindparam("until"),
        _D.seen_at < bindparam("before"),
    )
    .values(state="settled", done_at=bindparam("now"))
)
_LEFT = (
    update(difference)
    .where(
        _OWN,
        _D.kind == literal_column("'only_here'"),
        _D.state == literal_column("'settled'"),
        _D.period == bindparam("period"),
        _D.here_at >= bindparam("until"),
        _D.seen_at < bindparam("before"),
    )
    .values(state="waiting", note=NEXT_ONE, done_at=None)
)


class LostDifferenceError(Exception):
    """Somebody else has decided about a difference first."""


def difference_id(kind: str, *about: str) -> str:
    """The same disagreement about the same bookings has the same id in every run."""
    return sha256("\x1f".join((kind, *about)).encode(errors="backslashreplace")).hexdigest()[:12]


class Differences:
    """The differences of one shop at one provider."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._actions = Actions(database, clock=clock)

    def now_ms(self) -> int:
        """The injected clock's wall time, in milliseconds."""
        return now_ms(self._clock)

    def found(self, rows: Sequence[DifferenceRow]) -> None:
        """Write differences down, or see them again: what a person has decided about one stands."""
        for _ in range(_ROUNDS_MAX):
            try:
                with self._database.transaction() as tx:
                    for row in rows:
                        self._found(tx, row)
                return
            except DuplicateError:
                # Another run has found the same at this moment; it is there by now.
                continue

    def _found(self, tx: Transaction, row: DifferenceRow) -> None:
        known = self._one(tx, row.id, lock=True)
        if known is None:
            tx.run(_ADD, values_of(row))
            return
        again = replace(known, **{name: getattr(row, name) for name in _SEEN})
        if known.state in {"settled", "waiting"} or (known.state == "open" and row.state == "settled"):
            # It is there again, has waited for this statement in vain, or stands on one that is compared late.
            again = replace(again, state=row.state, period=row.period, done_at=row.done_at)
        elif known.state in {"repaired", "dismissed"} and _figures(known) != _figures(row):
            # What was decided was another matter; who decided that stays to be read.
            was = f"{known.state} when it was {_told(known.there_points)} there, {_told(known.here_points)} here"
            again = replace(again, state=row.state, period=row.period, done_at=None, result=was)
        self._swap(tx, known, again)

    def find(self, id: str) -> DifferenceRow | None:
        """One difference, by its id."""
        with self._database.transaction(write=False) as tx:
            return self._one(tx, id)

    def listed(self, *, state: str, period: str | None = None) -> Iterator[DifferenceRow]:
        """Those in a state, of all months or one, by id; a page of them is in memory."""
        after = ""
        while True:
            values: dict[str, Value] = {"state": state, "after": after}
            with self._database.transaction(write=False) as tx:
                if period is None:
                    rows = tx.all(_LIST, values)
                else:
                    rows = tx.all(_LIST_PERIOD, values | {"period": period})
            for row in rows:
                yield row_of(DifferenceRow, row)
            if len(rows) < PAGE:
                return
            after = str(rows[-1][0])

    def by_kind(self, period: str, *, state: str) -> Mapping[str, int]:
        """How many of a month are in a state, by kind."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(_COUNT, {"period": period, "state": state})
        return {str(kind): int(count or 0) for kind, count in rows}

    def settle_unseen(self, period: str, window: Window, *, before: int, only_orders: bool = False) -> None:
        """Close what a whole run has not found any more, and what waited for just this statement and stands on it.

        Of what stood on this one although it was booked here in the next month, what does not any more waits for that.
        `only_orders`: what a statement has a say in stays.
        """
        now: dict[str, Value] = {"before": before, "now": self.now_ms()}
        with self._database.transaction() as tx:
            if only_orders:
                tx.run(_RIGHT, {"period": period, **now})
                return
            tx.run(_GONE, {"period": period, **now})
            tx.run(_CAME, {"since": window.bookings_since, "until": window.until - window.grace, **now})
            tx.run(_LEFT, {"period": period, "until": window.until, "before": before})

    def decide(self, row: DifferenceRow, *, state: str, kind: str, actor: str, reason: str) -> DifferenceRow:
        """Note who decided what about a difference, and why, in one commit.

        Raises LostDifferenceError where somebody was first.
        """
        decided = replace(row, state=state, actor=actor, reason=reason, done_at=self.now_ms())
        with self._database.transaction() as tx:
            self._swap(tx, row, decided)
            self._record(tx, row, kind=kind, actor=actor, reason=reason)
        return decided

    def carry_on(self, row: DifferenceRow, *, actor: str, reason: str) -> DifferenceRow:
        """Note who takes up a repair that was begun and not ended; whoever decided it stays named in its row.

        Raises LostDifferenceError where it has ended.
        """
        with self._database.transaction() as tx:
            stands = self._one(tx, row.id, lock=True)
            if stands is None or stands.state != "repairing":
                raise LostDifferenceError
            self._record(tx, stands, kind="repair", actor=actor, reason=reason)
        return stands

    def change(
        self,
        row: DifferenceRow,
        *,
        state: str,
        result: str,
        note: str | None = None,
        order_state: str | None = None,
    ) -> DifferenceRow:
        """Note what became of a decision, and how its order stands by now. Raises LostDifferenceError."""
        changed = replace(
            row,
            state=state,
            result=result[:200],
            note=row.note if note is None else note[:200],
            order_state=row.order_state if order_state is None else order_state,
            done_at=None if state == "open" else self.now_ms(),
        )
        with self._database.transaction() as tx:
            self._swap(tx, row, changed)
        return changed

    def _record(self, tx: Transaction, row: DifferenceRow, *, kind: str, actor: str, reason: str) -> None:
        self._actions.record_in(
            tx,
            kind,
            actor=actor,
            reason=reason,
            subject=row.id,
            redemption_id=row.redemption_id,
            detail={
                "difference": row.kind,
                "order_reference": row.order_reference,
                "proposal": row.proposal,
                "there_points": row.there_points,
                "here_points": row.here_points,
            },
        )

    def _swap(self, tx: Transaction, seen: DifferenceRow, changed: DifferenceRow) -> None:
        values: dict[str, Value] = {f"new_{name}": getattr(changed, name) for name in _MOVING}
        if tx.run(_SWAP, values | {"difference_id": seen.id, "seen_state": seen.state}) != 1:
            raise LostDifferenceError

    def _one(self, tx: Transaction, id: str, *, lock: bool = False) -> DifferenceRow | None:
        row = tx.one(_LOCK if lock else _ONE, {"difference_id": id})
        return None if row is None else row_of(DifferenceRow, row)


def _figures(row: DifferenceRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in _FIGURES)


def _told(points: int | None) -> str:
    return "nothing" if points is None else f"{points} points"
