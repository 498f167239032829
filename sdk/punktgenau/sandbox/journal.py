"""What partners asked lately, for people who look at the sandbox. Never a secret, never a token."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass

KEPT_REQUESTS = 500


@dataclass(frozen=True)
class SeenRequest:
    """One request. `status` is what was answered (None: no answer); `fault` is what was played on it."""

    at: str
    operation: str
    method: str
    path: str
    order_reference: str | None
    member_id: str | None
    points: int | None
    idempotency_key: str | None
    status: int | None
    replayed: bool
    fault: str | None


class RequestJournal:
    """The last requests, in memory."""

    def __init__(self) -> None:
        self.is_kept = True
        """Off where nobody will look, because what is noted of a request costs a look into the books."""
        self._lock = threading.Lock()
        self._seen: deque[SeenRequest] = deque(maxlen=KEPT_REQUESTS)

    def note(self, seen: SeenRequest) -> None:
        with self._lock:
            self._seen.append(seen)

    def clear(self) -> None:
        with self._lock:
            self._seen.clear()

    def newest_first(self) -> list[dict[str, str | int | bool | None]]:
        with self._lock:
            return [asdict(seen) for seen in reversed(self._seen)]
