"""How far this shop has been filled with orders: one row, so that it happens once."""

from .database import connect


def begin(wanted: int) -> bool:
    """Claim the one filling of this shop; False: somebody has."""
    claimed = connect().execute("INSERT OR IGNORE INTO filling VALUES (1, ?, 0)", (wanted,))
    return claimed.rowcount == 1


def note(done: int) -> None:
    connect().execute("UPDATE filling SET done = ?", (done,))


def progress() -> tuple[int, int] | None:
    """How many orders of how many; None: nobody has begun."""
    row = connect().execute("SELECT done, wanted FROM filling").fetchone()
    return (row["done"], row["wanted"]) if row else None
