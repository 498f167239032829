"""The journal as plain SQL sees it, beside the code that writes it.

Nothing here uses the engine's rows or statements; what the journal says is read the way an auditor would.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

LINKS = {"anna": ("mbr_2500", "con_1"), "ben": ("mbr_42", "con_2")}
"""Member and consent of each customer."""


class Auditor:
    """Reads a journal beside the code that writes it: only what is committed."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        self._connection.row_factory = sqlite3.Row

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """Plain SQL."""
        return self._connection.execute(statement, values).fetchall()

    def one(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
