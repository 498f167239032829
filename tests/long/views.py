"""1,000 checkouts are killed, and nobody runs a worker or cron: 200 page views later nothing is open.

    python -m long.views --checkouts 1000 --views 200

The views are 5 s apart, as one person's would be, by the shop's own clock, which is moved on between them; what a turn
may take is real time. The server has one thread, so whoever comes next waits until a turn has ended.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import requests

from long.kills import COMPARE, TESTS
from long.marks import last_mark
from long.orders import Orders
from long.report import Report, ended, parser, say
from long.servers import SandboxServer
from long.worker import CUSTOMERS, Worker, opening_points
from punktgenau import Client
from punktgenau.checkout import Checkout

APART_S = 5
FATAL = (
    "committing intent", "intent committed, nothing sent", "half of the request sent", "request sent, no answer",
    "answer read, not written", "committing result", "result committed", "held, order not paid",
    "order paid, not captured",
)  # fmt: skip
HARMLESS = ("before the order", "order written, nothing asked", "between orders")
OPEN = {
    "operations open": "SELECT count(*) FROM punktgenau_operation WHERE open_key IS NOT NULL",
    "holds and wishes open": "SELECT count(*) FROM punktgenau_redemption WHERE check_at IS NOT NULL",
}


class Viewing:
    """One sandbox, one shop, its dead checkouts, and the visitors who come after."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.random = random.Random(seed)
        self.sandbox = SandboxServer(folder / "ledger.sqlite")
        self.journal = folder / "journal.sqlite"
        self.shop_url, self.journal_url = f"sqlite:///{folder / 'shop.sqlite'}", f"sqlite:///{self.journal}"
        self.start = {f"mbr_k{number}": opening_points(number) for number in range(CUSTOMERS)}
        self.killed_at: Counter[str] = Counter()
        self.waits_s: list[float] = []
        self.answers_s: list[float] = []

    def prepare(self) -> None:
        """Books, journal and members."""
        self.sandbox.start()
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

    def kill_checkouts(self, count: int) -> None:
        """Each in a process of its own, forked from one that has imported everything, and ended by SIGKILL."""
        worker = Worker(self._options())
        number = told = 0
        while self.killed_at.total() < count:
            number += 1
            die_at = f"{self.random.choice(FATAL)}:{self.random.randrange(1, 3)}"
            child = os.fork()
            if child == 0:
                self._check_out(worker, number, die_at)
            if self.random.random() < 0.3:
                # From outside, at any moment of its life.
                time.sleep(self.random.uniform(0, 0.15))
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            marks = self.folder / f"marks-{number}"
            point = last_mark(marks)[1]
            # Who dies before there is an order leaves nothing that could need help.
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL and point not in HARMLESS:
                self.killed_at[point] += 1
            marks.unlink(missing_ok=True)
            if self.killed_at.total() >= told + 100:
                told = self.killed_at.total()
                say(f"{told} of {count} checkouts killed")
        worker.orders.close()
        worker.checkout.close()

    def _check_out(self, worker: Worker, number: int, die_at: str) -> None:
        try:
            worker.random = random.Random(f"{self.seed}|{number}")
            worker.marks.begin(self.folder / f"marks-{number}", die_at=die_at)
            worker.place(number)
        finally:
            os._exit(0)

    def close_what_was_left(self) -> None:
        """The shop's own sweep: orders that nobody paid are cancelled, by code that knows nothing of points."""
        shop = sqlite3.connect(self.folder / "shop.sqlite")
        with shop:
            shop.execute("UPDATE orders SET state = 'cancelled' WHERE state IN ('pending', 'cancelling')")
        shop.close()

    def open_now(self) -> dict[str, int]:
        """What is not resolved, by the journal."""
        journal = sqlite3.connect(self.journal)
        found = {name: int(journal.execute(query).fetchone()[0]) for name, query in OPEN.items()}
        journal.close()
        return found

    def view(self, count: int) -> None:
        """So many page views, one after the other."""
        command = [sys.executable, "-m", "long.views_shop", "--shop", self.shop_url, "--journal", self.journal_url]
        with (
            subprocess.Popen(
                [*command, "--provider", self.sandbox.url], cwd=TESTS, stdout=subprocess.PIPE, text=True
            ) as server,
            requests.Session() as visitor,
        ):
            try:
                visitor.trust_env = False
                url = f"http://127.0.0.1:{server.stdout.readline().strip() if server.stdout else ''}"
                for number in range(1, count + 1):
                    self.answers_s.append(_timed(visitor, f"{url}/"))
                    self.waits_s.append(_timed(visitor, f"{url}/later?seconds={APART_S}"))
                    if number % 20 == 0:
                        say(f"{number} views: {self.open_now()}")
            finally:
                server.kill()

    def compared(self, orders: int) -> list[str]:
        """What differs between the three books."""
        done = subprocess.run(
            [
                sys.executable, str(COMPARE), "--shop", self.shop_url, "--journal", self.journal_url,
                "--ledger", str(self.sandbox.books), "--start", json.dumps(self.start), "--orders", str(orders),
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return [str(line) for line in json.loads(done.stdout)["violations"]]

    def placed(self) -> int:
        """How many orders there are."""
        orders = Orders(self.shop_url)
        count = orders.next_number(0)
        orders.close()
        return count

    def _options(self) -> argparse.Namespace:
        progress = os.open(os.devnull, os.O_WRONLY)
        return argparse.Namespace(
            seed=self.seed, worker=0, workers=1, incarnation=0, share=10**6, marks=self.folder / "marks", die_at="",
            shop=self.shop_url, journal=self.journal_url, provider=self.sandbox.url, progress_file=progress,
        )  # fmt: skip


def _timed(visitor: requests.Session, url: str) -> float:
    started = time.monotonic()
    visitor.get(url, timeout=30).raise_for_status()
    return time.monotonic() - started


def measure(folder: Path, *, checkouts: int, views: int, seed: int) -> Report:
    """All of it, as a report."""
    report = Report("views")
    run = Viewing(folder, seed=seed)
    try:
        run.prepare()
        run.kill_checkouts(checkouts)
        run.close_what_was_left()
        before = run.open_now()
        say(f"before the first view: {before}")
        run.view(views)
        left = run.open_now()
        violations = run.compared(run.placed())
    finally:
        run.sandbox.stop()
    killed = run.killed_at.total()
    report.figure("checkouts killed", killed, f">= {checkouts}", killed >= checkouts)
    report.figure(f"unresolved after {views} page views", sum(left.values()), "0", not any(left.values()))
    report.figure("differences between the three books", len(violations), "0", not violations)
    # A view waits for nothing; who comes during a turn waits for its end where the server has a single thread.
    worst_s = max(run.waits_s)
    report.figure("longest wait of the next request, one thread, s", f"{worst_s:.2f}", "<= 2.5", worst_s <= 2.5)
    report.note(
        f"Seed {seed}. Before the first view: {', '.join(f'{count} {name}' for name, count in before.items())}. "
        f"Views {APART_S} s apart by the shop's clock, which is moved on between them; a turn's 2 s are real. "
        f"One process, one thread (waitress). Answers: median {statistics.median(run.answers_s) * 1000:.0f} ms, "
        f"worst {max(run.answers_s) * 1000:.0f} ms."
    )
    report.table(["killed at", "checkouts"], sorted(run.killed_at.items(), key=lambda item: -item[1]))
    for line in violations[:20]:
        report.note(f"- {line}")
    return report


def main() -> int:
    """0 when everything is resolved."""
    options = parser(__doc__)
    options.add_argument("--checkouts", type=int, default=1000)
    options.add_argument("--views", type=int, default=200)
    options.add_argument("--seed", type=int, default=None)
    chosen = options.parse_args()
    seed = secrets.randbelow(10**6) if chosen.seed is None else chosen.seed
    with tempfile.TemporaryDirectory(prefix="punktgenau-views-") as folder:
        report = measure(Path(folder), checkouts=chosen.checkouts, views=chosen.views, seed=seed)
    return ended(report, chosen.report)


if __name__ == "__main__":
    sys.exit(main())
