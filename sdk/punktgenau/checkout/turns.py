"""Writers of one SQLite file take turns, across threads and processes.

SQLite lets in whoever asks at the right moment; under load that is the one who has just been there, and others wait for
seconds. Here whoever has waited longer asks more often.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from select import select

WAIT_MOST_S = 5.0
FIRST_PAUSE_S = 0.002
LEAST_PAUSE_S = 0.0001
STUCK_AFTER_S = 0.5
STUCK_PAUSE_S = 0.02

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock

    @contextmanager
    def turn(path: str) -> Iterator[None]:
        """The caller's turn, named by a file that is made where there is none; a process that dies gives its turn up.

        Waits at most about `WAIT_MOST_S` seconds, then goes on without, and SQLite decides; so it does where the file
        cannot be made.
        """
        try:
            # Never the database itself: closing it would drop the locks that SQLite holds on it.
            file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            yield
            return
        try:
            _wait(file)
            yield
        finally:
            # Said, not only closed: a child forked meanwhile has the same file open.
            flock(file, LOCK_UN)
            os.close(file)

    def _wait(file: int) -> None:
        waited_s, tries = 0.0, 0
        while waited_s < WAIT_MOST_S:
            try:
                flock(file, LOCK_EX | LOCK_NB)
                return
            except BlockingIOError:
                tries += 1
            except OSError:
                # A file system without such locks.
                return
            pause_s = STUCK_PAUSE_S if waited_s > STUCK_AFTER_S else max(LEAST_PAUSE_S, FIRST_PAUSE_S / tries)
            # By the machine's time, as SQLite's own waiting is: a clock that a test moves frees no lock.
            select((), (), (), pause_s)
            waited_s += pause_s

else:

    @contextmanager
    def turn(path: str) -> Iterator[None]:
        """Nobody waits in line here; SQLite decides."""
        yield
