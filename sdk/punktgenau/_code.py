"""One row of the table of codes."""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau.errors import Outcome, PunktgenauError, Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """What one code means: `cause`, what became of the `points`, and the `next_step`, one sentence each."""

    code: str
    error: type[PunktgenauError]
    outcome: Outcome
    retry: Retry
    cause: str
    points: str
    next_step: str


def row(
    code: str, error: type[PunktgenauError], cause: str, points: str, next_step: str, *, retry: Retry | None = None
) -> Code:
    """A row whose outcome is that of its class; so is its retry, unless it is said."""
    return Code(
        code=code,
        error=error,
        outcome=error.default_outcome,
        retry=retry or error.default_retry,
        cause=cause,
        points=points,
        next_step=next_step,
    )


NONE_MOVED = "No points moved."
STILL_HELD = "Nothing changed; the points are as they were before this call."
MAY_HAVE_MOVED = "The points may or may not have moved; none are lost."
