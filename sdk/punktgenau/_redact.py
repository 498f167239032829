"""What may be logged: operation, status, time, and identifiers cut short; never bodies, secrets or whole keys."""

from __future__ import annotations

import logging

logger = logging.getLogger("punktgenau")
logger.addHandler(logging.NullHandler())


class Hidden(str):
    """A text that does not show itself where a crash report prints the variables of a trace."""

    def __repr__(self) -> str:
        return "'…'"


def short(identifier: str | None) -> str:
    """Enough of an identifier to match two log lines, too little to use it."""
    if not identifier:
        return "-"
    clean = "".join(ch if ch.isalnum() or ch in "-_." else "?" for ch in identifier[:64])
    return clean if len(clean) <= 4 else f"{clean[:4]}…{clean[-2:]}" if len(clean) > 8 else f"{clean[:4]}…"
