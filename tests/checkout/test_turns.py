"""Writers of one SQLite journal take turns: nobody starves, nobody waits for ever, nobody sees a lock error."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from punktgenau import SystemClock
from punktgenau.checkout import turns
from punktgenau.checkout.database import Database
from punktgenau.checkout.heartbeat import Heartbeat
from punktgenau.checkout.migrate import upgrade
from punktgenau.checkout.schema import meta
from punktgenau.checkout.turns import turn
from punktgenau.testing.clock import ManualClock

WRITER = """
import json, sys, time
from punktgenau import SystemClock
from punktgenau.checkout.database import Database
from punktgenau.checkout.heartbeat import Heartbeat
heartbeat, done, longest = Heartbeat(Database(sys.argv[1], clock=SystemClock()), clock=SystemClock()), 0, 0.0
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + 1.5
while (begun := time.monotonic()) < end:
    heartbeat.beat()
    done, longest = done + 1, max(longest, time.monotonic() - begun)
print(json.dumps([done, longest]))
"""


@pytest.fixture
def journal(sqlite_url: str) -> str:
    database = Database(sqlite_url, clock=SystemClock())
    upgrade(database)
    Heartbeat(database, clock=SystemClock()).beat()
    database.close()
    return sqlite_url


@pytest.mark.scenario("K11", "8 processes write one file without a pause: each gets its share, none a lock error")
def test_nobody_starves(journal: str) -> None:
    command = [sys.executable, "-c", WRITER, journal]
    results = []
    with ExitStack() as stack:
        writers = []
        for _ in range(8):
            writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            writers.append(stack.enter_context(writer))
            stack.callback(writer.kill)
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for writer in writers:
            out, _ = writer.communicate(timeout=60)
            assert writer.returncode == 0
            results.append(json.loads(out))
    shares = sorted(done for done, _ in results)
    assert shares[0] >= sum(shares) / len(shares) / 4, shares
    assert max(longest for _, longest in results) < 1.0


def test_one_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def take() -> None:
        for _ in range(50):
            with turn(str(tmp_path / "turn")):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (300, 1)


@pytest.mark.scenario("K11", "a writer that never gives its turn up is waited for a bounded time")
def test_nobody_waits_for_ever(journal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_MOST_S", 0.05)
    stuck = os.open(journal.removeprefix("sqlite:///") + "-turn", os.O_RDONLY)
    fcntl.flock(stuck, fcntl.LOCK_EX)
    database = Database(journal, clock=SystemClock())
    Heartbeat(database, clock=SystemClock()).beat()
    assert Heartbeat(database, clock=SystemClock()).last() is not None
    database.close()
    os.close(stuck)


def test_a_process_that_is_killed_gives_its_turn_up(tmp_path: Path) -> None:
    path = str(tmp_path / "turn")
    holder = (
        "import sys\nfrom punktgenau.checkout.turns import turn\n"
        "with turn(sys.argv[1]):\n    print('in', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", holder, path]
    with ExitStack() as stack:
        child = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        stack.callback(child.kill)
        assert child.stdout is not None
        assert child.stdout.readline() == "in\n"
        mine = os.open(path, os.O_RDONLY)
        stack.callback(os.close, mine)
        with pytest.raises(BlockingIOError):
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child.kill()
        child.wait(timeout=20)
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_where_there_can_be_no_file_sqlite_decides(tmp_path: Path) -> None:
    with turn(str(tmp_path / "nowhere" / "turn")):
        assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_inside_comes_out_and_ends_the_turn(tmp_path: Path) -> None:
    path = str(tmp_path / "turn")
    with pytest.raises(KeyError), turn(path):
        raise KeyError
    with turn(path):
        assert Path(path).exists()


def test_a_look_that_was_not_read_to_its_end_holds_no_later_change_up(tmp_path: Path):
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE punktgenau_meta (name TEXT, value TEXT)")
        # More than one page, so that the first row is not the whole answer.
        other.executemany("INSERT INTO punktgenau_meta VALUES (?, ?)", [(str(n), "x" * 3000) for n in range(50)])
        other.commit()
        database = Database(f"sqlite:///{path}", clock=ManualClock())
        with closing(database):
            with database.transaction(write=False) as look:
                assert look.one(select(meta.c.name), {}) == ("0",)
            other.execute("UPDATE punktgenau_meta SET value = 'new'")
            other.commit()
            # `look` is still at hand here, as in a function that reads first and writes then.
            with database.transaction() as change:
                assert change.one(select(meta.c.value), {}) == ("new",)
            assert look is not change
