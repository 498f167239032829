"""The small form of the long parts: processes and servers are killed for real, and the books still agree."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from long import views, wal
from long.kills import COMPARE, Killing

ORDERS = 48
KILLS = 5
# The first three workers end here by themselves, whatever else happens to the ones that follow.
DEATHS = ("intent committed, nothing sent:3", "half of the request sent:2", "answer read, not written:4")
TIMEOUT_S = 300.0


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Killing:
    """A finished run on SQLite, whose three books stay."""
    run = Killing(
        tmp_path_factory.mktemp("kills"), "sqlite", orders=ORDERS, kills=KILLS, seed=11, workers=3, first_deaths=DEATHS,
        deaths=0,
    )  # fmt: skip
    run.told = run.run(timeout_s=TIMEOUT_S)
    return run


def compared(folder: Path, run: Killing) -> list[str]:
    """What the comparison says of the books in a folder."""
    command = [
        sys.executable, str(COMPARE), "--shop", f"sqlite:///{folder / 'shop.sqlite'}",
        "--journal", f"sqlite:///{folder / 'journal.sqlite'}", "--ledger", str(folder / "ledger.sqlite"),
        "--start", json.dumps(run.start), "--orders", str(ORDERS),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    violations: list[str] = json.loads(done.stdout)["violations"]
    assert done.returncode == (1 if violations else 0)
    return violations


def change(file: Path, *statements: str) -> None:
    base = sqlite3.connect(file)
    with base:
        changed = [base.execute(statement).rowcount for statement in statements]
    base.close()
    assert changed[-1] == 1


@pytest.mark.scenario("C3", "killed between the halves of a request: nothing acted on, done once by recovery")
@pytest.mark.scenario("C5", "killed with the answer read and not written: accepted once, by the same key")
@pytest.mark.scenario("K11", "3 processes and their recoveries on one SQLite file, killed in the middle of commits")
def test_books_agree_on_sqlite_whatever_is_killed(books: Killing) -> None:
    assert books.told["violations"] == []
    assert books.unexpected == []
    assert books.told["orders"] == ORDERS
    # The sandbox once more at the end.
    assert sum(books.killed.values()) == KILLS + len(DEATHS) + 1
    assert {point for point, _ in books.points} >= {death.partition(":")[0] for death in DEATHS}


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres_server")
@pytest.mark.scenario("K13", "the database server is killed under running shops: nothing lost, nothing sent twice")
def test_books_agree_on_postgresql_whatever_is_killed(tmp_path: Path) -> None:
    run = Killing(
        tmp_path, "postgresql", orders=ORDERS, kills=KILLS, seed=12, workers=2, first_deaths=DEATHS[:1], deaths=0
    )
    run.victims[:2] = [(run.victims[0][0], "database"), (run.victims[1][0], "sandbox")]
    told = run.run(timeout_s=TIMEOUT_S)
    assert told["violations"] == []
    assert run.unexpected == []
    assert told["orders"] == ORDERS
    assert run.killed["the database server"] >= 2


CHANGES = {
    "an entry of the ledger deleted": (
        "ledger.sqlite",
        "DROP TRIGGER entry_no_delete",
        "DELETE FROM entry WHERE id = (SELECT max(id) FROM entry)",
    ),
    "a cent of a paid order changed": (
        "shop.sqlite",
        "UPDATE orders SET value_minor = value_minor + 1, due_minor = due_minor - 1 WHERE reference ="
        " (SELECT max(reference) FROM orders WHERE state = 'paid' AND points > 0)",
    ),
    "a cent of the journal changed": (
        "journal.sqlite",
        "UPDATE punktgenau_redemption SET value_minor = value_minor - 1 WHERE id ="
        " (SELECT max(id) FROM punktgenau_redemption WHERE state = 'captured')",
    ),
    "an attempt of the journal forgotten": (
        "journal.sqlite",
        "DELETE FROM punktgenau_redemption WHERE id ="
        " (SELECT max(id) FROM punktgenau_redemption WHERE state = 'captured')",
    ),
    "an order forgotten": ("shop.sqlite", "DELETE FROM orders WHERE reference = (SELECT max(reference) FROM orders)"),
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES)
def test_the_comparison_sees_it(changed: tuple[str, ...], books: Killing, tmp_path: Path) -> None:
    for name in ("shop", "journal", "ledger"):
        for file in books.folder.glob(f"{name}.sqlite*"):
            # What was committed may still stand in the log beside the file.
            if file.suffix in {".sqlite", ".sqlite-wal"}:
                shutil.copy(file, tmp_path)
    assert compared(tmp_path, books) == []
    change(tmp_path / changed[0], *changed[1:])
    assert compared(tmp_path, books) != []


def test_the_comparison_imports_nothing_of_the_project() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(COMPARE), "--help"], capture_output=True, text=True, check=True
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "psycopg" in loaded
    assert not loaded & {"punktgenau", "flask_punktgenau", "long", "sqlalchemy"}


@pytest.mark.scenario("D4", "a log cut at every 512 bytes opens, is whole, and holds every acknowledged row")
def test_a_log_cut_anywhere_holds_what_was_acknowledged(tmp_path: Path) -> None:
    kept, log, commits = wal.written(tmp_path, 1)
    assert len(commits) >= 4
    tried, wrong = wal.faults(kept, log, commits)
    assert wrong == []
    assert tried > 2 * len(commits)
    # Red where a commit is acknowledged before it is in the log.
    early = [wal.Acknowledged(commit.length - wal.STEP, commit.content) for commit in commits]
    assert wal.faults(kept, log, early, step=wal.STEP)[1] != []


@pytest.mark.scenario("C7", "killed checkouts, neither worker nor cron: page views alone resolve what they left")
def test_page_views_resolve_killed_checkouts(tmp_path: Path) -> None:
    report = views.measure(tmp_path, checkouts=12, views=4, seed=5)
    assert [figure for figure in report.figures if not figure.is_met] == []
