"""What orders have earned, as a statement should have it: charged when it is posted, and back when it is taken then."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from sqlalchemy import and_, bindparam, literal_column, select, tuple_
from sqlalchemy.sql import ColumnElement

from punktgenau.checkout.booking import Booking, Window
from punktgenau.checkout.database import Database, Value
from punktgenau.checkout.earning.schema import earning, earning_step
from punktgenau.checkout.statements import ours

PAGE = 1_000
_e, _s = earning.c, earning_step.c
_given = earning_step.alias("given")
_ACCRUE: ColumnElement[str] = literal_column("'accrue'")
_DONE: ColumnElement[str] = literal_column("'done'")
# A statement names all that becomes of an accrual by the key that it was given under.
_BOOKED = (
    select(_s.id, _s.kind, _s.finished_at, _s.request, _s.reply, _given.c.key, _e.order_reference)
    .join(earning, _e.id == _s.earning_id)
    .join(_given, and_(_given.c.earning_id == _e.id, _given.c.kind == _ACCRUE, _given.c.outcome == _DONE))
    .where(ours(earning), _s.outcome == _DONE)
)
_WITHIN = (
    _BOOKED.where(
        tuple_(_s.finished_at, _s.id) > tuple_(bindparam("after_at"), bindparam("after_id")),
        _s.finished_at < bindparam("until"),
    )
    .order_by(_s.finished_at, _s.id)
    .limit(PAGE)
)
_OF_KEY = _BOOKED.where(_given.c.key == bindparam("key")).order_by(_s.finished_at, _s.id)
_KNOWN = select(_s.key).join(earning, _e.id == _s.earning_id).where(ours(earning), _s.key == bindparam("key"))


class EarnBookings:
    """Reads of one journal for clearing; nothing here changes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def within(self, window: Window) -> Iterator[Booking]:
        """Everything that was booked near a month, by its time; one page of it is in memory."""
        after: dict[str, Value] = {"after_at": window.bookings_since - 1, "after_id": "~"}
        while True:
            with self._database.transaction(write=False) as tx:
                rows = tx.all(_WITHIN, {**after, "until": window.bookings_until})
            for row in rows:
                if (booking := _booking(row)) is not None:
                    yield booking
            if len(rows) < PAGE:
                return
            after = {"after_at": rows[-1][2], "after_id": rows[-1][0]}

    def of_key(self, key: str) -> tuple[Booking, ...]:
        """All bookings of the earning that was given under this key, whenever."""
        with self._database.transaction(write=False) as tx:
            rows = tx.all(_OF_KEY, {"key": key})
        return tuple(booking for row in rows if (booking := _booking(row)) is not None)

    def known_keys(self, keys: Sequence[str]) -> frozenset[str]:
        """Those of the keys that something was given under."""
        with self._database.transaction(write=False) as tx:
            return frozenset(key for key in keys if tx.one(_KNOWN, {"key": key}) is not None)


def _booking(row: tuple[Value, ...]) -> Booking | None:
    """A step as the statement has it; None: it has no line, because what is pending is charged to nobody."""
    step_id, kind, at, request, reply, key, order_reference = row
    asked, told = json.loads(str(request)), json.loads(str(reply or "{}"))
    is_back = kind == "claw_back"
    if is_back:
        points = int(told.get("taken_available", 0)) + int(told.get("taken_below_zero", 0))
        if "reversal_id" not in told and told.get("is_charged"):
            # Of what only a look-up has shown the accrual tells how much was there to be taken; not every provider's.
            points = int(asked["points"]) - int(told["not_taken"])
        amount = None
    else:
        is_posted = kind == "post" or told.get("state") == "posted"
        points = -(int(told.get("points", 0)) - int(told.get("reversed_points", 0))) if is_posted else 0
        amount = None if told.get("reversed_points") else -int(told.get("value_minor", 0))
    if points == 0:
        return None
    accrual_id = str(told.get("id") or "")
    return Booking(
        id=str(step_id),
        kind="accrual_reversal" if is_back else "accrual",
        at=int(at or 0),
        points=points,
        amount_minor=amount,
        currency=str(told.get("currency") or ""),
        key=str(key),
        provider_id=accrual_id,
        order_reference=str(order_reference),
        reference=str(asked.get("return_reference") or "") if is_back else accrual_id,
    )
