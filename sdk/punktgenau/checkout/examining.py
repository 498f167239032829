"""What a doctor wants to know of the journal and of the database that it is in; reads only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import and_, bindparam, func, inspect, or_, select, text
from sqlalchemy.exc import SQLAlchemyError

from punktgenau._clock import Clock
from punktgenau.checkout.articles.store import Articles, Standing
from punktgenau.checkout.attempt import payment_of
from punktgenau.checkout.database import Database
from punktgenau.checkout.moments import milliseconds, moment
from punktgenau.checkout.payment import Payment
from punktgenau.checkout.rows import row_of
from punktgenau.checkout.schema import PREFIX, RedemptionRow, event, operation, redemption
from punktgenau.checkout.statements import own
from punktgenau.errors import UnavailableError
from punktgenau.provider import Provider

_PAGE = 500
_r, _o, _e = redemption.c, operation.c, event.c
_OWN = own(redemption)
_LIVE = (
    select(redemption)
    .where(
        _OWN,
        _r.live_key.is_not(None),
        _r.created_at < bindparam("until"),
        or_(
            _r.created_at > bindparam("since"), and_(_r.created_at == bindparam("since"), _r.id > bindparam("after_id"))
        ),
    )
    .order_by(_r.created_at, _r.id)
    .limit(_PAGE)
)
_OVERDUE = (
    select(func.count())
    .select_from(operation)
    .join(redemption, _r.id == _o.redemption_id)
    .where(_OWN, _o.next_at.is_not(None), _o.next_at < bindparam("before"))
)
_HEARD = select(func.max(_e.received_at)).where(
    _e.provider == bindparam("own_provider"), _e.partner == bindparam("own_partner")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The database that the journal is in.

    `journal_mode`, `free_bytes`, and `others` (tables that are not ours) are known of SQLite only; None: not asked.
    """

    dialect: str
    version: str
    path: Path | None = None
    journal_mode: str | None = None
    free_bytes: int | None = None
    others: tuple[str, ...] = ()
    is_writable: bool = True
    is_durable: bool = True


class Examiner:
    """Looks at one shop's journal over a connection of its own. Close it."""

    def __init__(self, database_url: str, *, provider: Provider, clock: Clock) -> None:
        self._database = Database(
            database_url,
            clock=clock,
            identity={
                "provider": provider.profile.name,
                "partner": provider.partner_id,
                "mode": provider.mode or "",
            },
        )

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def store(self) -> Store:
        """The database itself. Raises UnavailableError."""
        try:
            return self._sqlite() if self._database.dialect == "sqlite" else self._postgresql()
        except (SQLAlchemyError, OSError) as error:
            raise UnavailableError(
                f"The journal's database does not answer ({type(error).__name__}).", code="journal_unavailable"
            ) from error

    def overdue(self, *, before: datetime) -> int:
        """How many operations have been waiting for somebody since before that moment."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(_OVERDUE, {"before": milliseconds(before)})
        return int(row[0] or 0) if row else 0

    def heard_at(self) -> datetime | None:
        """When the provider's last event was heard; None: never."""
        with self._database.transaction(write=False) as tx:
            row = tx.one(_HEARD, {})
        return moment(int(row[0])) if row and row[0] else None

    def articles(self) -> Standing | None:
        """How many articles were imported, and when; None: none so far."""
        return Articles(self._database).standing()

    def live(self, *, since: datetime, until: datetime) -> Iterator[Payment]:
        """What is live of redemptions begun between two moments, the oldest first, page by page."""
        since_ms, after_id = milliseconds(since), ""
        while True:
            with self._database.transaction(write=False) as tx:
                found = tx.all(_LIVE, {"since": since_ms, "until": milliseconds(until), "after_id": after_id})
            for values in found:
                row = row_of(RedemptionRow, values)
                yield payment_of(row)
                since_ms, after_id = row.created_at, row.id
            if len(found) < _PAGE:
                return

    def _sqlite(self) -> Store:
        engine = self._database.engine
        path = Path(engine.url.database or "").resolve()
        with engine.connect() as connection:
            mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
            version = connection.execute(text("SELECT sqlite_version()")).scalar_one()
            names = inspect(connection).get_table_names()
        return Store(
            dialect="sqlite",
            version=str(version),
            path=path,
            journal_mode=str(mode),
            free_bytes=shutil.disk_usage(path.parent).free,
            others=tuple(name for name in names if not name.startswith((PREFIX, "sqlite_"))),
            # Beside the file come its write-ahead log and the file by which writers take turns.
            is_writable=os.access(path, os.W_OK) and os.access(path.parent, os.W_OK),
        )

    def _postgresql(self) -> Store:
        with self._database.engine.connect() as connection:
            asked = {
                name: str(connection.execute(text(f"SHOW {name}")).scalar_one())
                for name in ("server_version", "transaction_read_only", "synchronous_commit")
            }
        return Store(
            dialect="postgresql",
            version=asked["server_version"],
            is_writable=asked["transaction_read_only"] == "off",
            is_durable=asked["synchronous_commit"] != "off",
        )
