"""Differences in pages by key, for the back office."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, tuple_

from punktgenau.checkout.database import Database, Value
from punktgenau.checkout.difference import Difference, DifferenceState, difference_of
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema_clearing import DifferenceRow, difference
from punktgenau.checkout.statements import own

_d = difference.c
_ROW = tuple(_d[name] for name in DifferenceRow.__dataclass_fields__)
_LISTED = (
    select(*_ROW)
    .where(
        own(difference),
        _d.state == bindparam("state"),
        tuple_(_d.period, _d.id) > tuple_(bindparam("after_period"), bindparam("after_id")),
        _d.period <= bindparam("until"),
    )
    .order_by(_d.period, _d.id)
    .limit(bindparam("most"))
)
_COUNTS = select(_d.state, func.count()).where(own(difference)).group_by(_d.state)
_LAST = "~"
"""Sorts behind every month."""


def page(
    database: Database, *, state: DifferenceState, period: str, after: tuple[str, str] | None, most: int
) -> tuple[Difference, ...]:
    """Those in a state, of one month or (empty) all, by month and id; `after` is the last one of the page before."""
    after_period, after_id = after or (period, "")
    values: dict[str, Value] = {
        "state": state,
        "after_period": after_period,
        "after_id": after_id,
        "until": period or _LAST,
        "most": most,
    }
    with database.transaction(write=False) as tx:
        rows = tx.all(_LISTED, values)
    return tuple(difference_of(row_of(DifferenceRow, row)) for row in rows)


def counts(database: Database) -> dict[str, int]:
    """How many there are in each state."""
    with database.transaction(write=False) as tx:
        return {str(state): int(count or 0) for state, count in tx.all(_COUNTS, {})}
