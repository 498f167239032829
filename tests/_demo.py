"""The real demo for browser tests: launcher, shop, sandbox and bank as processes, and their books read from outside."""

from __future__ import annotations

import os
import queue
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import requests
from examples.shop import clock, create_app
from examples.shop.children import free_port
from examples.shop.points import points
from examples.shop.settings import Settings
from flask import Flask

from _source import ROOT
from punktgenau.checkout import Recovery

START_S = 60
STOP_S = 15
SHOP_TABLES = (
    "filling", "changing", "order_changes", "return_lines", "returns", "money_back", "paid_otherwise", "payments",
    "reward_lines",
    "order_lines",
    "orders",
)  # fmt: skip
JOURNAL_TABLES = (
    "punktgenau_earning_return",
    "punktgenau_earning_step",
    "punktgenau_earning",
    "punktgenau_difference",
    "punktgenau_payout",
    "punktgenau_shipment",
    "punktgenau_return",
    "punktgenau_amendment",
    "punktgenau_action",
    "punktgenau_operation",
    "punktgenau_tender",
    "punktgenau_redemption",
    "punktgenau_link",
)


class DemoError(Exception):
    """The demo did not start."""


@dataclass(frozen=True)
class Demo:
    """Where the demo is, and what its databases and its provider hold."""

    url: str
    sandbox_url: str
    data: Path
    http: requests.Session

    # The provider, by its control plane

    def control(self, method: str, path: str, body: object = None) -> Any:
        reply = self.http.request(method, f"{self.sandbox_url}/sandbox{path}", json=body, timeout=20)
        assert reply.ok, reply.text
        return reply.json() if reply.content else None

    def later(self, seconds: int) -> None:
        """Time passes, for shop, bank and provider alike."""
        self.control("POST", "/clock", {"advance_s": seconds})

    def fault(self, operation: str, kind: str, *, when: str = "after", times: int = 1) -> None:
        self.control("POST", "/faults", {"operation": operation, "kind": kind, "when": when, "times": times})

    def no_faults(self) -> None:
        self.control("DELETE", "/faults")

    def points(self, member_id: str = "mbr_2500") -> tuple[int, int]:
        """Available and held."""
        member = self.control("GET", f"/members/{member_id}")
        return member["available"], member["held"]

    def ledger(self) -> list[tuple[str, str, int]]:
        """Order, state and points of all redemptions that the provider knows, newest first."""
        items = self.control("GET", "/redemptions")["items"]
        return [(item["order_reference"], item["state"], item["points"]) for item in items]

    def sent(self, operation: str) -> int:
        """How often the shop has asked for this since the reset."""
        items = self.control("GET", "/requests")["items"]
        return sum(item["operation"] == operation for item in items)

    # The shop's own database and the journal, by plain SQL

    def shop_rows(self, statement: str) -> list[tuple[Any, ...]]:
        return _rows(self.data / "shop.sqlite", statement)

    def shop_write(self, statement: str) -> None:
        """What a crash or another process would have left in the shop's database."""
        with closing(sqlite3.connect(self.data / "shop.sqlite", timeout=10)) as database, database:
            database.execute(statement)

    def journal_rows(self, statement: str) -> list[tuple[Any, ...]]:
        return _rows(self.data / "points.sqlite", statement)

    def journal(self) -> list[tuple[str, str, int]]:
        """Order, state and points of every attempt in the journal, newest first."""
        return self.journal_rows(
            "SELECT order_reference, state, points FROM punktgenau_redemption ORDER BY created_at DESC, attempt DESC"
        )

    def open_operations(self) -> int:
        ((count,),) = self.journal_rows("SELECT count(*) FROM punktgenau_operation WHERE open_key IS NOT NULL")
        return int(count)

    def orders(self) -> list[tuple[str, str]]:
        """Reference and state, oldest first."""
        return self.shop_rows("SELECT reference, state FROM orders ORDER BY number")

    def payments(self) -> list[tuple[str, str, int | None]]:
        """Method, state and amount of every try to pay, oldest first."""
        return self.shop_rows("SELECT method, state, amount_minor FROM payments ORDER BY started_at, number")

    # What is done from outside

    def link(self, customer_id: str = "cust_2500", member_id: str = "mbr_2500") -> None:
        """As if this customer had linked the account on an earlier day."""
        row = ("reference", "demo-shop", "", customer_id, member_id, f"con_{member_id}", 1, None, 0)
        with closing(sqlite3.connect(self.data / "points.sqlite", timeout=10)) as journal, journal:
            journal.execute("INSERT INTO punktgenau_link VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def command(self, *arguments: str) -> list[str]:
        """The shop's command line: `flask punktgenau ...`."""
        return [sys.executable, "-m", "flask", "--app", "examples.shop", "punktgenau", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"SHOP_DATA": str(self.data)}

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments), cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def recover(self) -> Recovery:
        """What `flask punktgenau recover` does, without the start of a process."""
        app = _app_of(self.data)
        clock.of(app).forget()
        with app.app_context():
            return points.checkout.recover()

    def reset(self) -> None:
        """Back to the first day, as far as one can without a new start; the clock stays where it is."""
        self.control("POST", "/reset")
        for name, tables in (("shop", SHOP_TABLES), ("points", JOURNAL_TABLES)):
            with closing(sqlite3.connect(self.data / f"{name}.sqlite", timeout=10)) as database, database:
                for table in tables:
                    database.execute(f"DELETE FROM {table}")


@cache
def _app_of(data: Path) -> Flask:
    """The shop as one more process would have it."""
    return create_app(Settings.load(data), {"PUNKTGENAU_INLINE_RECOVERY": False})


@contextmanager
def running_demo(data: Path) -> Iterator[Demo]:
    """The demo from `python -m examples.shop` to its end, without a worker: tests say when to recover.

    Raises DemoError: it does not answer.
    """
    sandbox_port = free_port()
    command = [sys.executable, "-m", "examples.shop", "--no-browser", "--no-worker", "--port", "0"]
    command += ["--sandbox-port", str(sandbox_port), "--data", str(data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = _url_of_shop(process)
            with requests.Session() as http:
                http.trust_env = False
                yield Demo(url=url, sandbox_url=f"http://127.0.0.1:{sandbox_port}", data=data, http=http)
        finally:
            process.terminate()
            process.wait(STOP_S)


def _url_of_shop(process: subprocess.Popen[str]) -> str:
    """What the launcher says, once everything is up."""
    said: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            said.put(line)
        said.put("")

    threading.Thread(target=read, daemon=True).start()
    url = ""
    try:
        while line := said.get(timeout=START_S):
            name, _, rest = line.partition("   ")
            url = rest.strip().rstrip("/") if name == "The demo shop" else url
            if line.startswith("Stop with"):
                return url
    except queue.Empty:
        raise DemoError(f"the demo did not start within {START_S} s") from None
    raise DemoError(f"the demo ended at once, exit code {process.wait(STOP_S)}")


def _rows(path: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, timeout=10)) as database:
        return database.execute(statement).fetchall()
