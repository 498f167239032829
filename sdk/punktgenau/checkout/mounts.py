"""Where a file lies: on a disk of this machine, or on another one, where SQLite's locks cannot be relied on."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from sqlalchemy.engine.interfaces import DBAPICursor

from punktgenau.errors import UnavailableError

MOUNTS = Path("/proc/self/mountinfo")
_FAR = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "ceph", "glusterfs", "lustre", "fuse.sshfs"})


@lru_cache(maxsize=256)
def network_file_system(path: str, *, mounts: Path = MOUNTS) -> str | None:
    """The kind of network file system that a file is on; None for a disk of this machine, or where nobody says.

    Looked at once per file: to read all mounts anew costs more than to connect.
    """
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    wanted, found = os.path.realpath(path), ("", "")
    for line in lines:
        left, _, right = line.partition(" - ")
        # Spaces in names are written as octal numbers.
        point = left.split(" ")[4].replace("\\040", " ")
        inside = point == "/" or wanted == point or wanted.startswith(f"{point}/")
        # What was mounted later, or deeper, hides what is beneath it.
        if inside and len(point) >= len(found[0]):
            found = (point, right.split(" ")[0])
    return found[1] if found[1] in _FAR else None


def require_safe_file(cursor: DBAPICursor) -> None:
    """Raises UnavailableError where processes cannot share the file safely: locks would not hold, or WAL is refused."""
    cursor.execute("PRAGMA database_list")
    far = network_file_system(cursor.fetchall()[0][2])
    if far is None:
        cursor.execute("PRAGMA journal_mode=WAL")
        if cursor.fetchall() == [("wal",)]:
            return
    reason = "does not allow write-ahead logging" if far is None else f"is shared over a network ({far})"
    raise UnavailableError(
        f"The journal's file system {reason}. Nothing was sent; use a disk of this machine, or PostgreSQL.",
        code="journal_unavailable",
    )
