"""Real crashes: 8 processes of a shop pay with points while they and their servers are killed at random.

python -m long.kills --database postgresql --orders 5000 --kills 220 --seed 7
"""

from __future__ import annotations

import json
import multiprocessing
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from long.kills_told import add_to
from long.marks import POINTS, last_mark
from long.orders import Orders
from long.report import Report, ended, parser, say
from long.servers import PostgresServer, SandboxServer
from long.worker import CUSTOMERS, forked, opening_points
from punktgenau import Client
from punktgenau.checkout import Checkout

TESTS = Path(__file__).resolve().parent.parent
COMPARE = Path(__file__).with_name("compare.py")
WORKERS = 8
SIGKILLED = -9
# At these a worker may be told to kill itself: places that time alone would seldom hit.
RARE = tuple(point for point in POINTS if point not in ("between orders", "request sent, no answer"))


class KillsError(Exception):
    """The run itself came to no end; nothing can be said."""


class Killing:
    """One run on one kind of database."""

    def __init__(
        self,
        folder: Path,
        database: str,
        *,
        orders: int,
        kills: int,
        seed: int,
        workers: int = WORKERS,
        first_deaths: Sequence[str] = (),
        deaths: float = 0.5,
    ) -> None:
        """`deaths`: how many of the workers kill themselves at a point; `first_deaths`: where the first ones do."""
        self.folder, self.database, self.seed = folder, database, seed
        self.share = -(-orders // workers)
        self.placed = self.share * workers
        self.first_deaths, self.deaths = list(first_deaths), deaths
        self.random = random.Random(seed)
        self.victims = sorted((self.random.uniform(0.01, 0.97), self._victim()) for _ in range(kills))
        self.sandbox = SandboxServer(folder / "ledger.sqlite")
        self.postgres = PostgresServer(folder) if database == "postgresql" else None
        self.shop_url = self.postgres.url if self.postgres else f"sqlite:///{folder / 'shop.sqlite'}"
        self.journal_url = self.postgres.url if self.postgres else f"sqlite:///{folder / 'journal.sqlite'}"
        self.start = {f"mbr_k{number}": opening_points(number) for number in range(CUSTOMERS)}
        # A process that imports anew takes longer than it lives; the one that all are forked from opens nothing.
        self.nest = multiprocessing.get_context("forkserver")
        self.nest.set_forkserver_preload(["long.worker", "long.servers", "long.report"])
        self.workers: dict[int, ForkServerProcess] = {}
        self.incarnation = [0] * workers
        self.killed: Counter[str] = Counter()
        self.points: Counter[tuple[str, str]] = Counter()
        self.unexpected: list[str] = []
        self.version = ""
        self.told: dict[str, object] = {}

    def _victim(self) -> str:
        chance = self.random.random()
        if self.database == "postgresql" and chance < 0.12:
            return "database"
        return "sandbox" if chance < 0.25 else "worker"

    def run(self, *, timeout_s: float) -> dict[str, object]:
        """Place all orders under kills, heal, compare; what the comparison says."""
        try:
            self._prepare()
            self._kill_until_placed(timeout_s)
            say("everything is killed once more, and started again")
            self._kill_all()
            self._start_all()
            self.version = f" {self.postgres.version}" if self.postgres else ""
            self._heal()
            return self._compared()
        finally:
            for process in self.workers.values():
                process.kill()
                process.join()
            self.sandbox.stop()
            if self.postgres:
                self.postgres.stop()

    def _prepare(self) -> None:
        self._start_all()
        # 3 points are 2 cents, so that points and cents are never the same number.
        self.sandbox.control("/programme", {"rate": {"id": "rate_3_2", "points": 3, "amount_minor": 2}})
        for member_id, points in self.start.items():
            self.sandbox.control("/members", {"id": member_id, "points": points})
        orders = Orders(self.shop_url)
        orders.create()
        orders.close()
        with Client(self.sandbox.url, client_id="demo-shop", client_secret="demo-secret") as client:
            checkout = Checkout(client, self.journal_url)
            checkout.upgrade()
            for number in range(CUSTOMERS):
                checkout.link(f"customer-{number}", member_id=f"mbr_k{number}", consent_id=f"con_{number}")
            checkout.close()

    def _kill_until_placed(self, timeout_s: float) -> None:
        for number in range(len(self.incarnation)):
            self._spawn(number)
        started = told = time.monotonic()
        while self.workers:
            time.sleep(0.02)
            now = time.monotonic()
            if now - started > timeout_s:
                raise KillsError(f"the orders were not placed within {timeout_s:.0f} s")
            self._look_after_workers()
            self._restart_servers()
            progress = self._progress()
            if self.victims and progress >= self.victims[0][0] * self.placed:
                time.sleep(self.random.uniform(0, 0.03))
                self._kill(self.victims.pop(0)[1])
            if now - told > 10:
                told = now
                say(f"{progress} of {self.placed} orders, {sum(self.killed.values())} kills, {now - started:.0f} s")

    def _look_after_workers(self) -> None:
        for number, process in list(self.workers.items()):
            code = process.exitcode
            if code is None:
                continue
            del self.workers[number]
            if code == SIGKILLED:
                # Told to kill itself: nobody else has done it, or this process would no longer be listed.
                self._count(number, "by itself, at a point")
                self._spawn(number)
            elif code:
                self.unexpected.append(f"worker {number} ended with {code}")

    def _restart_servers(self) -> None:
        if self.postgres and not self.postgres.is_running():
            self.postgres.start(wait=False)

    def _kill(self, victim: str) -> None:
        if victim == "sandbox":
            self.sandbox.kill()
            self.killed["the sandbox"] += 1
            self.sandbox.start(wait=False)
        elif victim == "database" and self.postgres:
            self.postgres.kill()
            self.killed["the database server"] += 1
        elif self.workers:
            number = self.random.choice(sorted(self.workers))
            process = self.workers.pop(number)
            process.kill()
            process.join()
            if process.exitcode == SIGKILLED:
                self._count(number, "a worker, at any moment")
            self._spawn(number)

    def _count(self, number: int, how: str) -> None:
        kind, point, where = last_mark(self._marks(number))
        self.killed[how] += 1
        self.points[point, "in recovery" if where == "recovery" else kind] += 1

    def _spawn(self, number: int) -> None:
        self.incarnation[number] += 1
        die_at = self.first_deaths.pop(0) if self.first_deaths else ""
        if not die_at and self.random.random() < self.deaths and self._progress() < 0.95 * self.placed:
            die_at = f"{self.random.choice(RARE)}:{self.random.randrange(1, 25)}"
        process = self.nest.Process(
            target=forked,
            args=([*self._arguments(number), "--die-at", die_at], self.folder / f"errors-{number}"),
            daemon=True,
        )
        process.start()
        self.workers[number] = process

    def _arguments(self, number: int) -> list[str]:
        return [
            "--shop", self.shop_url, "--journal", self.journal_url,
            "--provider", self.sandbox.url, "--seed", str(self.seed), "--worker", str(number),
            "--workers", str(len(self.incarnation)), "--incarnation", str(self.incarnation[number]),
            "--share", str(self.share), "--marks", str(self._marks(number)),
            "--progress", str(self.folder / f"progress-{number}"),
        ]  # fmt: skip

    def _marks(self, number: int) -> Path:
        return self.folder / f"marks-{number}-{self.incarnation[number]}"

    def _progress(self) -> int:
        files = [self.folder / f"progress-{number}" for number in range(len(self.incarnation))]
        return sum(file.stat().st_size for file in files if file.is_file())

    def _kill_all(self) -> None:
        self.sandbox.kill()
        self.killed["the sandbox"] += 1
        if self.postgres:
            self.postgres.kill()
            self.killed["the database server"] += 1

    def _start_all(self) -> None:
        if self.postgres:
            self.postgres.start()
        self.sandbox.start()

    def _heal(self) -> None:
        self.incarnation[0] += 1
        with (self.folder / "errors-healer").open("ab") as errors:
            done = subprocess.run(
                [sys.executable, "-m", "long.worker", *self._arguments(0), "--heal"],
                cwd=TESTS,
                stdin=subprocess.DEVNULL,
                stderr=errors,
                check=False,
            )
        if done.returncode:
            self.unexpected.append(f"the healer ended with {done.returncode}: something stays open")

    def _compared(self) -> dict[str, object]:
        for file in sorted(self.folder.glob("errors-*")):
            self.unexpected += file.read_text("utf-8").splitlines()
        done = subprocess.run(
            [
                sys.executable, str(COMPARE), "--shop", self.shop_url, "--journal", self.journal_url,
                "--ledger", str(self.sandbox.books), "--start", json.dumps(self.start), "--orders", str(self.placed),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 1) or not done.stdout:
            raise KillsError(f"the comparison came to no end:\n{done.stderr}")
        told: dict[str, object] = json.loads(done.stdout)
        return told


def main() -> int:
    """Run on the databases that were asked for; 0 when nothing is lost or doubled."""
    options = parser(__doc__)
    options.add_argument("--database", choices=["sqlite", "postgresql"], action="append", dest="databases")
    options.add_argument("--orders", type=int, default=5000)
    options.add_argument("--kills", type=int, default=200, help="from outside; some workers kill themselves besides")
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--timeout", type=float, default=1500, metavar="S")
    options.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the databases there")
    chosen = options.parse_args()
    report = Report("kills")
    for database in chosen.databases or ["sqlite", "postgresql"]:
        seed = secrets.randbelow(10**6) if chosen.seed is None else chosen.seed
        say(f"{database}, seed {seed}: {chosen.orders} orders, {chosen.kills} kills and more")
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="punktgenau-kills-") as made:
            folder = Path(made) if chosen.keep is None else chosen.keep / database
            folder.mkdir(parents=True, exist_ok=True)
            run = Killing(folder, database, orders=chosen.orders, kills=chosen.kills, seed=seed)
            told = run.run(timeout_s=chosen.timeout)
        add_to(report, run, told, kills=chosen.kills, duration_s=time.monotonic() - started)
    return ended(report, chosen.report)


if __name__ == "__main__":
    sys.exit(main())
