"""Writing a result down although the database hesitates: the call was made, and is not made again for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from punktgenau._clock import Clock
from punktgenau.errors import UnavailableError

_Row = TypeVar("_Row")
AGAIN_S = 1.0
"""A result that could not be written after so long is left to recovery."""


def written(write: Callable[[], _Row], *, clock: Clock) -> _Row:
    """What `write` returns; it is called once more where the database did not take it at once.

    Raises UnavailableError, and what `write` raises: above all that it lost its swap, where the first time had taken
    effect.
    """
    begun = clock.monotonic()
    try:
        return write()
    except UnavailableError:
        # A deadlock or a lost connection is over by now; whatever has kept us waiting is not.
        if clock.monotonic() - begun > AGAIN_S:
            raise
        return write()
