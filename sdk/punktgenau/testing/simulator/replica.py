"""What look-ups are answered from where they lag behind: the provider's books as they were a while ago."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime


class Replica:
    """Keeps what the books were before each change."""

    def __init__(self, books: sqlite3.Connection) -> None:
        self._books = books
        self._before: list[tuple[datetime, sqlite3.Connection]] = []

    def clear(self) -> None:
        """Nothing has changed so far."""
        for _, copy in self._before:
            copy.close()
        self._before.clear()

    def keep(self, at: datetime) -> None:
        """Something is about to change."""
        self._before.append((at, _copy(self._books)))

    @contextmanager
    def as_of(self, then: datetime) -> Iterator[None]:
        """The books are those of that moment meanwhile, but for tokens, which nobody asks a replica about."""
        older = next((copy for at, copy in self._before if at > then), None)
        if older is None:
            yield
            return
        now = _copy(self._books)
        tokens = now.execute("SELECT * FROM token").fetchall()
        older.backup(self._books)
        self._books.executemany("INSERT OR IGNORE INTO token VALUES (?, ?, ?)", tokens)
        try:
            yield
        finally:
            now.backup(self._books)
            now.close()


def _copy(books: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    books.backup(copy)
    return copy
