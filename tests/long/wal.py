"""Power fails while the journal is written: its write-ahead log is cut at every 512 bytes, and opened.

    python -m long.wal --orders 20

A commit counts as acknowledged at the length that the log had when the commit returned. A log of that length must hold
exactly what was committed by then, every row of it.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from long import stub
from long.marks import open_sqlite_as
from long.report import Report, ended, parser, say
from long.worker import cart_of
from punktgenau import Client
from punktgenau.checkout import Checkout, Order

STEP = 512
TABLES = ("redemption", "tender", "operation", "link", "event", "meta")
Content = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Acknowledged:
    """How long the log was when a commit returned, and what the journal held then."""

    length: int
    content: Content


def content_of(journal: sqlite3.Connection) -> Content:
    """Every row of every table."""
    return tuple(
        (name, *row)
        for name in TABLES
        for row in sorted(
            journal.execute(f"SELECT * FROM punktgenau_{name}"), key=lambda row: [str(cell) for cell in row]
        )
    )


@contextmanager
def told_of_commits(journal: Path, commits: list[Acknowledged]) -> Iterator[None]:
    """Every commit of this process, as it is acknowledged."""
    log = Path(f"{journal}-wal")
    reader = sqlite3.connect(journal)

    class Told(sqlite3.Connection):
        def commit(self) -> None:
            before = self.total_changes
            wrote = before != getattr(self, "seen", 0)
            self.seen = before
            super().commit()
            if wrote:
                commits.append(Acknowledged(log.stat().st_size, content_of(reader)))

    open_sqlite_as(Told)
    try:
        yield
    finally:
        open_sqlite_as(None)
        reader.close()


def written(folder: Path, orders: int) -> tuple[Path, Path, list[Acknowledged]]:
    """A journal and its log as they stood in the middle of the work, and every acknowledged commit in it."""
    journal = folder / "journal.sqlite"
    commits: list[Acknowledged] = []
    with stub.running() as url, Client(url, client_id="demo-shop", client_secret="demo-secret") as client:
        before = Checkout(client, f"sqlite:///{journal}")
        before.upgrade()
        before.link("anna", member_id="mbr_1", consent_id="con_1")
        before.close()
        with told_of_commits(journal, commits):
            checkout = Checkout(client, f"sqlite:///{journal}", order_loader=_paid)
            for number in range(1, orders + 1):
                reference = f"W-{number}"
                checkout.authorize(reference, cart_of(reference, 5990), customer_id="anna", points=427)
                if number % 5 == 0:
                    checkout.cancel(reference)
                else:
                    checkout.capture(reference)
            # Before the last connection closes, which would write the log into the file and remove it.
            kept, log = folder / "kept.sqlite", folder / "kept.sqlite-log"
            shutil.copy(journal, kept)
            shutil.copy(f"{journal}-wal", log)
            checkout.close()
    return kept, log, commits


def _paid(reference: str) -> Order:
    return Order(reference=reference, state="paid")


def faults(kept: Path, log: Path, commits: list[Acknowledged], *, step: int = STEP) -> tuple[int, list[str]]:
    """How many lengths were tried, and what is wrong at which."""
    whole, wrong, tried = log.read_bytes(), [], 0
    cut = kept.with_name("cut.sqlite")
    at = -1
    for length in [*range(0, len(whole), step), len(whole)]:
        tried += 1
        while at + 1 < len(commits) and commits[at + 1].length <= length:
            at += 1
        Path(f"{cut}-shm").unlink(missing_ok=True)
        shutil.copy(kept, cut)
        Path(f"{cut}-wal").write_bytes(whole[:length])
        opened = sqlite3.connect(cut)
        try:
            checked = opened.execute("PRAGMA integrity_check").fetchone()[0]
            found = content_of(opened)
        except sqlite3.Error as error:
            wrong.append(f"{length} bytes: does not open: {error}")
            continue
        finally:
            opened.close()
        if checked != "ok":
            wrong.append(f"{length} bytes: {checked}")
        if at >= 0 and found != commits[at].content:
            wrong.append(f"{length} bytes: not what commit {at + 1} had acknowledged")
        if tried % 1000 == 0:
            say(f"{length} of {len(whole)} bytes")
    return tried, wrong


def measure(folder: Path, orders: int) -> Report:
    """Write, cut, open."""
    report = Report("wal")
    kept, log, commits = written(folder, orders)
    lengths = [commit.length for commit in commits]
    if lengths != sorted(lengths):
        raise AssertionError("the log began anew in between; fewer orders fit in one")
    tried, wrong = faults(kept, log, commits)
    report.figure(
        "cuts that open, are whole, and hold what was acknowledged", tried - len(wrong), str(tried), not wrong
    )
    report.note(f"{len(commits)} acknowledged commits of {orders} orders, a log of {log.stat().st_size:,} bytes.")
    for line in wrong[:20]:
        report.note(f"- {line}")
    return report


def main() -> int:
    """0 when nothing acknowledged is ever missing."""
    options = parser(__doc__)
    options.add_argument("--orders", type=int, default=20)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="punktgenau-wal-") as folder:
        report = measure(Path(folder), chosen.orders)
    return ended(report, chosen.report)


if __name__ == "__main__":
    sys.exit(main())
