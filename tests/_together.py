"""Several at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(number)` in so many threads that start at one moment; results in order, exceptions as values."""
    barrier = Barrier(count)

    def start(number: int) -> Any:
        barrier.wait(20)
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))
