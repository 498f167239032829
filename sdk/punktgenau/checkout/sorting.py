"""Sorting more than fits into memory: lines and bookings in a temporary SQLite file, read back in any order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from punktgenau.checkout.booking import Booking

Side = Literal["line", "booking"]
By = Literal["key", "provider_id", "order_reference"]
CACHE_KB = 8_192
_COLUMNS = (
    "id", "kind", "at", "points", "amount_minor", "currency", "key", "provider_id", "order_reference", "reference",
    "corrects", "redemption_id",
)  # fmt: skip
_READ = ", ".join(_COLUMNS)
_values = attrgetter(*_COLUMNS)


class Sorting:
    """Both sides of one reconciliation; what is read in order never stands in memory as a whole."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        # Nothing here outlives the run, so nothing has to survive a crash.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "locking_mode=EXCLUSIVE"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        for side, unique in (("line", "UNIQUE"), ("booking", "")):
            self._connection.execute(
                f"CREATE TABLE {side} (number INTEGER PRIMARY KEY, id TEXT {unique}, kind TEXT, at INTEGER,"
                " points INTEGER, amount_minor INTEGER, currency TEXT, key TEXT, provider_id TEXT,"
                " order_reference TEXT, reference TEXT, corrects TEXT, redemption_id TEXT)"
            )
            self._connection.execute(f"CREATE TABLE rest_{side} (id TEXT PRIMARY KEY, round INTEGER) WITHOUT ROWID")
        self._connection.execute(
            "CREATE TABLE seen (redemption_id TEXT, kind TEXT, points INTEGER, amount_minor INTEGER,"
            " PRIMARY KEY (redemption_id, kind)) WITHOUT ROWID"
        )
        self._connection.execute("BEGIN")
        marks = ", ".join("?" * len(_COLUMNS))
        self._add = {side: f"INSERT OR IGNORE INTO {side} ({_READ}) VALUES ({marks})" for side in ("line", "booking")}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def add(self, side: Side, booking: Booking) -> bool:
        """Keep one; False: a line with this id is there already."""
        return self._connection.execute(self._add[side], _values(booking)).rowcount == 1

    def count(self, side: Side) -> int:
        """How many there are."""
        return int(self._connection.execute(f"SELECT count(*) FROM {side}").fetchone()[0])

    def ordered(self, side: Side, by: By, *, round_: int) -> Iterator[Booking]:
        """In the order of a column, those without it left out: all in round 0, else those of an earlier rest."""
        among = f" AND id IN (SELECT id FROM rest_{side} WHERE round = {round_})" if round_ else ""
        rows = self._connection.execute(f"SELECT {_READ} FROM {side} WHERE {by} <> ''{among} ORDER BY {by}, number")
        return (Booking(*row) for row in rows)

    def put_off(self, side: Side, ids: Iterable[str], *, round_: int) -> None:
        """What has found nothing so far is kept for that round."""
        rows = ((one, round_) for one in ids)
        self._connection.executemany(f"INSERT OR REPLACE INTO rest_{side} VALUES (?, ?)", rows)

    def correct(self, lines: Iterable[Booking]) -> None:
        """These lines are by now as their corrections leave them."""
        rows = ((one.points, one.amount_minor, one.id) for one in lines)
        self._connection.executemany("UPDATE line SET points = ?, amount_minor = ? WHERE id = ?", rows)

    def see(self, redemption_id: str, line: Booking) -> None:
        """Note that a line has been found to be about what a look-up has shown of a redemption."""
        points, minor = self.seen(redemption_id, line.about)
        row = (redemption_id, line.about, points + line.points, minor + (line.amount_minor or 0))
        self._connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", row)

    def seen(self, redemption_id: str, about: str) -> tuple[int, int]:
        """Points and amount of such lines together."""
        statement = "SELECT points, amount_minor FROM seen WHERE redemption_id = ? AND kind = ?"
        row = self._connection.execute(statement, (redemption_id, about)).fetchone()
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def pass_on(self, by: By, *, round_: int, following: int) -> None:
        """What says nothing in this column could not be matched by it, and is kept for the following round."""
        for side in ("line", "booking"):
            among = f" AND id IN (SELECT id FROM rest_{side} WHERE round = {round_})" if round_ else ""
            self._connection.execute(
                f"INSERT OR REPLACE INTO rest_{side} SELECT id, {following} FROM {side} WHERE {by} = ''{among}"
            )

    def rest(self, side: Side, *, round_: int) -> Iterator[Booking]:
        """What was kept for that round."""
        rows = self._connection.execute(
            f"SELECT {_READ} FROM {side} WHERE id IN (SELECT id FROM rest_{side} WHERE round = {round_})"
            " ORDER BY number"
        )
        return (Booking(*row) for row in rows)


@contextmanager
def sorting() -> Iterator[Sorting]:
    """A place to sort in, gone afterwards."""
    with TemporaryDirectory(prefix="punktgenau-clearing-", ignore_cleanup_errors=True) as folder:
        made = Sorting(Path(folder) / "sorting.sqlite")
        try:
            yield made
        finally:
            made.close()
