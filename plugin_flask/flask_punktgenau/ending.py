"""Being told to end, by a signal: a flag, and a wait that a signal cuts short."""

from __future__ import annotations

import select
import signal
import socket
from types import FrameType, TracebackType


class Ending:
    """From now on SIGTERM and SIGINT ask this process to end; use as a context.

    Not a `threading.Event`: a signal that comes while the main thread is about to wait for one would wait for the lock
    that this very thread holds, for ever.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._heard, self._told = socket.socketpair()

    def __enter__(self) -> Ending:
        self._before = {number: signal.signal(number, self.ask) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._heard.close()
        self._told.close()

    def ask(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """This process shall end."""
        # Once is enough, for nobody reads it; the shortest way out is what further signals find, as they come in the
        # midst.
        if not self._is_asked:
            self._is_asked = True
            self._told.send(b"\0")

    def is_asked(self) -> bool:
        """Whether it shall."""
        return self._is_asked

    def wait(self, seconds: float) -> None:
        """So long at most; not at all once it shall end."""
        select.select([self._heard], [], [], seconds)
