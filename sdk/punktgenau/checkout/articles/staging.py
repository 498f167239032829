"""Where the lines of a file wait until all of them are known: a temporary SQLite file, sorted there, not in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from punktgenau.checkout.articles.editions import Row
from punktgenau.checkout.articles.schema import VALUES
from punktgenau.errors import UnavailableError

CACHE_KB = 1_024
AT_ONCE = 500
_COLUMNS = ", ".join(("sku", "number", "is_bad", *VALUES))
_MARKS = ", ".join("?" * (3 + len(VALUES)))


class Staging:
    """The lines of one file."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        # Nothing here outlives the import, so nothing has to survive a crash.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "locking_mode=EXCLUSIVE"):
            self._connection.execute(f"PRAGMA {pragma}")
        # What sorting may hold in memory as well, whatever is sorted.
        self._connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        self._connection.execute(f"CREATE TABLE line ({_COLUMNS})")
        self._connection.execute("BEGIN")
        self._waiting: list[Row] = []

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def add(self, row: Row) -> None:
        """Keep a line: its sku, its number, whether it is bad, and what it says."""
        self._waiting.append(row)
        if len(self._waiting) >= AT_ONCE:
            self._flush()

    def sort(self) -> None:
        """By sku, and equal ones by number; once, after the last line."""
        self._flush()
        self._connection.execute(f"CREATE TABLE sorted AS SELECT {_COLUMNS} FROM line ORDER BY sku, number")
        self._connection.execute("DROP TABLE line")

    def sorted(self) -> Iterator[Row]:
        """All lines, as they were sorted."""
        # In the order in which they were written.
        return iter(self._connection.execute(f"SELECT {_COLUMNS} FROM sorted ORDER BY rowid"))

    def _flush(self) -> None:
        self._connection.executemany(f"INSERT INTO line VALUES ({_MARKS})", self._waiting)
        self._waiting.clear()


@contextmanager
def staging() -> Iterator[Staging]:
    """A place for lines to wait, gone afterwards. Raises UnavailableError where there is no room for them."""
    with TemporaryDirectory(prefix="punktgenau-articles-", ignore_cleanup_errors=True) as folder:
        try:
            with closing(Staging(Path(folder) / "lines.sqlite")) as made:
                yield made
        except sqlite3.Error as error:
            raise UnavailableError(
                f"The lines of the file could not be sorted on disk: {error} (TMPDIR names another place). Nothing was "
                "changed.",
                code="journal_unavailable",
            ) from error
