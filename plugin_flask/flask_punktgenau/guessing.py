"""Codes that were typed in vain: so many in so many minutes, and then none is looked up for a while."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection
from threading import Lock

from punktgenau import Clock
from punktgenau.errors import LimitError

TRIES_MAX = 8
WINDOW_S = 600.0
NAMES_MAX = 10_000


class Guessing:
    """Counts tries in one process; by customer, by the account that is linked, by browser session.

    What was added is no guess, so that somebody with many vouchers can add them all; it makes up for its own try alone:
    else one good code would open the door for guessing others.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, names: Collection[str]) -> None:
        """One more try by somebody with these names. Raises LimitError (`voucher_tries`): too many, ask nothing."""
        with self._lock:
            now = self._clock.monotonic()
            found = [self._of(name, now) for name in names]
            if any(len(tries) >= TRIES_MAX for tries in found):
                raise self.too_many()
            for tries in found:
                tries.append(now)

    def forgive(self, names: Collection[str]) -> None:
        """The latest try was none: its voucher pays."""
        with self._lock:
            for tries in (self._tries.get(name) for name in names):
                if tries:
                    tries.pop()

    @staticmethod
    def too_many() -> LimitError:
        """What somebody is told who has tried too many, here or at the provider."""
        return LimitError("Too many voucher codes were tried here lately.", code="voucher_tries")

    def _of(self, name: str, now: float) -> deque[float]:
        tries = self._tries.setdefault(name, deque(maxlen=TRIES_MAX))
        self._tries.move_to_end(name)
        while tries and now - tries[0] > WINDOW_S:
            tries.popleft()
        while len(self._tries) > NAMES_MAX:
            self._tries.popitem(last=False)
        return tries
