"""A temporary folder in memory for a whole run: nothing here has to survive a power cut, so no disk is waited for.

Standard library only.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PLACE = Path("/dev/shm")
_PREFIX = "punktgenau-tests-"
_ROOM = 2**31


@contextmanager
def folder() -> Iterator[Path | None]:
    """The folder, gone at the end; None where memory has none, where TMPDIR says another, or room is scarce."""
    if "TMPDIR" in os.environ or not _has_room():
        yield None
        return
    _clear()
    made = PLACE / f"{_PREFIX}{os.getpid()}"
    made.mkdir(mode=0o700)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _has_room() -> bool:
    """Whether programs may run there, too, and both the folder and the machine have so many bytes to spare."""
    try:
        place = os.statvfs(PLACE)
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return False
    may_run = not place.f_flag & os.ST_NOEXEC
    return may_run and os.access(PLACE, os.W_OK) and min(place.f_bavail * place.f_frsize, free) >= _ROOM


def _clear() -> None:
    """What a run that was killed has left."""
    for left in PLACE.glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX)
        if pid.isdecimal() and not Path("/proc", pid).exists():
            shutil.rmtree(left, ignore_errors=True)
