"""The noun heartbeat: when somebody last came to recover, so that requests know whether they have to help."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from punktgenau._clock import Clock
from punktgenau.checkout.database import Database, DuplicateError, Value
from punktgenau.checkout.moments import moment, now_ms
from punktgenau.checkout.schema import meta

NAME = "recovered_at"
_BEAT = update(meta).where(meta.c.name == bindparam("name")).values(value=bindparam("value"))
_FIRST = insert(meta).values(name=bindparam("name"), value=bindparam("value"))
_LAST = select(meta.c.value).where(meta.c.name == bindparam("name"))


class Heartbeat:
    """Kept in the journal, so that all processes of a shop see the same."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def beat(self) -> None:
        """Somebody is here to recover, now."""
        values: dict[str, Value] = {"name": NAME, "value": str(now_ms(self._clock))}
        try:
            with self._database.transaction() as tx:
                if tx.run(_BEAT, values) == 0:
                    tx.run(_FIRST, values)
        except DuplicateError:
            # The very first two came at once; either moment will do.
            return

    def last(self) -> datetime | None:
        """When somebody was last here; None: never."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(_LAST, {"name": NAME})
        return None if row is None else moment(int(row[0] or 0))
