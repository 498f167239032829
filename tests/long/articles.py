"""Importing 1,000,000 articles, and 10,000: what a line costs, what memory it takes, what the shop waits for meanwhile.

    python -m long.articles --lines 1000000 --base 10000

Every list is read four times: anew, again as it is, with every tenth article changed, and with 40 bad lines in it.
Exit status 0: a line costs at most 1.3 times what it costs among few, memory is at most 1.1 of that, every bad line was
told, every other list counts as a whole, and no write of the shop waited for longer than a second. 1: not so.
Cost is the processor's time, with that of PostgreSQL's processes, so that others on the machine do not count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from select import select
from typing import Any

import psutil
import psycopg

from long.report import Report, ended, hum, parser, say
from long.servers import PostgresServer
from punktgenau import Client
from punktgenau.checkout import Checkout
from punktgenau.checkout.articles import ArticleImport

TESTS = Path(__file__).resolve().parents[1]
RATIO, MEMORY_RATIO, WAIT_MS = 1.3, 1.1, 1_000
BASE_RUNS = 5
BAD = 40
CASES = (("sqlite", "csv"), ("sqlite", "json"), ("postgresql", "csv"))
TOLD_EVERY_S = 2.0
WRONG = ("=1+1", "1.5", "-3", "ten")
HEAD = "sku;name;points;price_points;copayment_minor;currency;exclusive;valid_from;valid_until\n"


def write(file: Path, kind: str, *, lines: int, points: int = 0, bad: int = 0) -> None:
    """A list of so many articles in no order; every tenth earns `points` more; `bad` of them spread over it."""
    every = lines // bad if bad else 0
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write(HEAD if kind == "csv" else "[\n")
        for number in range(lines):
            # A prime that divides no such number of lines: each comes once.
            place = number * 7_919 % lines
            sku = f"A-{place:07d}"
            worth = str(place % 500 + (points if place % 10 == 0 else 0))
            if every and number % every == every - 1:
                # The last of them stands there twice.
                turn = number // every
                sku, worth = (sku, WRONG[turn % 4]) if turn < bad - 4 else ("A-0000000", worth)
            if kind == "csv":
                price = f"{place % 900 + 1};{place % 3_000};EUR" if place % 3 == 0 else ";;"
                out.write(f'{sku};"Lamp; no. {place}, glühend";{worth};{price};;2026-01-01;2026-12-31\n')
            else:
                article = {"sku": sku, "name": f"Lamp {place}", "points": worth, "valid_until": "2026-12-31"}
                out.write(json.dumps(article) + (",\n" if number < lines - 1 else "\n"))
        out.write("" if kind == "csv" else "]\n")


def measure_here(folder: Path, url: str, *, kind: str, lines: int, server: int) -> dict[str, Any]:
    """Import the lists of a folder in this process: cost, memory, and what came of it."""
    spent: dict[str, float] = {}
    came: dict[str, list[int]] = {}
    told_at = 0.0

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told_at
        if time.monotonic() - told_at > TOLD_EVERY_S:
            told_at = time.monotonic()
            hum(f"{what}: {done:,}" + (f" of {total:,}" if total else ""))

    with _engine(url) as checkout:
        for name in ("new", "same", "changed", "bad"):
            path = folder / f"{'new' if name == 'same' else name}.{kind}"
            with path.open("rb") as file:
                began, others = time.process_time(), _spent_by(server)
                report = checkout.import_articles(file, progress=progress)
                # Whoever has come since had spent nothing; whoever has gone is not ours.
                more = sum(now_s - others.get(pid, 0.0) for pid, now_s in _spent_by(server).items())
                spent[name] = (time.process_time() - began + more) / lines * 1e6
            came[name] = _figures(report)
        first = checkout.articles_of(["A-0000000", "A-0000001"])
    points = {sku: article.points for sku, article in first.items()}
    return {"us": spent, "came": came, "points": points, "memory_kb": _most_kb(), "lines": lines}


def _spent_by(server: int) -> dict[int, float]:
    """The processor's time of a database server's processes, by number, in seconds."""
    if not server:
        return {}
    processes = psutil.Process(server).children()
    return {one.pid: times.user + times.system for one in processes if (times := _times(one)) is not None}


def _times(process: psutil.Process) -> Any:
    try:
        return process.cpu_times()
    except psutil.NoSuchProcess:
        return None


def _figures(report: ArticleImport) -> list[int]:
    return [report.added, report.changed, report.removed, report.unchanged, report.bad]


def _most_kb() -> int:
    """The most that was resident of this program; what its parent had before it does not count."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise OSError("this system does not say how much memory a process has")


def wait_here(url: str) -> float:
    """Write as the shop does, again and again until told to end; the longest that one of these took, in ms."""
    longest_s = 0.0
    with _engine(url) as checkout:
        while not select([sys.stdin], [], [], 0.02)[0]:
            began = time.perf_counter()
            checkout.link("anna", member_id="mbr_1", consent_id="con_1")
            longest_s = max(longest_s, time.perf_counter() - began)
    return longest_s * 1_000


@contextmanager
def _engine(url: str) -> Iterator[Checkout]:
    with (
        Client("http://127.0.0.1:9", client_id="demo-shop", client_secret="nothing") as client,
        closing(Checkout(client, url)) as checkout,
    ):
        yield checkout


def _child(*arguments: str) -> str:
    command = [sys.executable, "-m", "long.articles", *arguments]
    return subprocess.run(command, cwd=TESTS, check=True, stdout=subprocess.PIPE, text=True).stdout


class Case:
    """Lists of one kind on one kind of database."""

    def __init__(self, database: str, kind: str, folder: Path, server: PostgresServer | None) -> None:
        self.database, self.kind = database, kind
        self._folder, self._server = folder, server
        self._made = 0

    def url(self) -> str:
        """Another journal, with nothing in it but its tables."""
        self._made += 1
        name = f"{self.kind}{self._made}"
        url = f"sqlite:///{self._folder / name}.sqlite"
        if self._server is not None:
            with psycopg.connect(self._server.plain_url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            url = self._server.url.replace("/postgres?", f"/{name}?")
        # Here, because what makes tables takes more memory than what is measured.
        with _engine(url) as checkout:
            checkout.upgrade()
        return url

    def measured(self, lines: int, *, runs: int, waits: bool) -> dict[str, Any]:
        """The cheapest of some runs, each in a process of its own; with `waits`, what the shop waited for meanwhile."""
        say(f"{self.database}, {self.kind}: {lines:,} lines ...")
        for name, points, bad in (("new", 0, 0), ("changed", 1, 0), ("bad", 0, BAD)):
            write(self._folder / f"{name}.{self.kind}", self.kind, lines=lines, points=points, bad=bad)
        results = [self._run(lines, waits=waits) for _ in range(runs)]
        best = results[0]
        for result in results[1:]:
            best["us"] = {name: min(spent, result["us"][name]) for name, spent in best["us"].items()}
            best["memory_kb"] = max(best["memory_kb"], result["memory_kb"])
        return best

    def _run(self, lines: int, *, waits: bool) -> dict[str, Any]:
        url = self.url()
        with ExitStack() as stack:
            waiting = stack.enter_context(_waiting(url)) if waits else []
            server = str(self._server.pid if self._server else 0)
            size = ("--lines", str(lines), "--server", server)
            told = _child("--measure", str(self._folder), url, "--kind", self.kind, *size)
        result: dict[str, Any] = json.loads(told)
        result["wait_ms"] = waiting[0] if waiting else 0.0
        return result


@contextmanager
def _waiting(url: str) -> Iterator[list[float]]:
    """A shop that writes meanwhile; afterwards how long it waited at most."""
    waited: list[float] = []
    command = [sys.executable, "-m", "long.articles", "--wait", url]
    with subprocess.Popen(command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield waited
        finally:
            waited.append(float(child.communicate("end\n", timeout=60)[0]))


def measure(*, lines: int, base: int) -> Report:
    """Few lines and many, and how they compare."""
    report, rows = Report("articles"), []
    with ExitStack() as stack:
        for number, (database, kind) in enumerate(CASES):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"punktgenau-articles{number}-")))
            server = None
            if database == "postgresql":
                server = PostgresServer(folder)
                stack.callback(server.stop)
                server.start()
            case = Case(database, kind, folder, server)
            few = case.measured(base, runs=BASE_RUNS, waits=False)
            many = case.measured(lines, runs=1, waits=True)
            _judge(report, f"{database}, {kind}", few, many)
            rows += [_row(database, kind, one) for one in (few, many)]
    heads = ("database", "file", "lines", "µs anew", "same again", "a tenth changed", "40 bad", "MB", "shop waited, ms")
    report.table(heads, rows)
    report.note(
        f"Processor time of a line, PostgreSQL's with it; among few the cheapest of {BASE_RUNS} runs. Memory is the "
        "most that was resident of the process that imports. Meanwhile another one writes to the journal every 20 ms."
    )
    return report


def _judge(report: Report, what: str, few: dict[str, Any], many: dict[str, Any]) -> None:
    ratio = many["us"]["new"] / few["us"]["new"]
    report.figure(f"{what}: cost of a line, of what it is among few", f"{ratio:.2f}", f"<= {RATIO}", ratio <= RATIO)
    memory = many["memory_kb"] / few["memory_kb"]
    report.figure(f"{what}: memory, of what few take", f"{memory:.2f}", f"<= {MEMORY_RATIO}", memory <= MEMORY_RATIO)
    wrong = sum(one["came"] != _expected(one["lines"]) or one["points"] != POINTS for one in (few, many))
    report.figure(f"{what}: runs that came to something else than they should", wrong, "0", not wrong)
    waited = many["wait_ms"]
    report.figure(
        f"{what}: longest write of the shop meanwhile, ms", f"{waited:.0f}", f"<= {WAIT_MS}", waited <= WAIT_MS
    )


# The first one is among the tenth that earns a point more; a list with bad lines does not count.
POINTS = {"A-0000000": 1, "A-0000001": 1}


def _expected(lines: int) -> dict[str, list[int]]:
    tenth = lines // 10
    return {
        "new": [lines, 0, 0, 0, 0],
        "same": [0, 0, 0, lines, 0],
        "changed": [0, tenth, 0, lines - tenth, 0],
        "bad": [0, 0, 0, 0, BAD],
    }


def _row(database: str, kind: str, one: dict[str, Any]) -> tuple[str, ...]:
    us = one["us"]
    spent = tuple(f"{us[name]:.1f}" for name in ("new", "same", "changed", "bad"))
    waited = f"{one['wait_ms']:.0f}" if one["wait_ms"] else ""
    return database, kind, f"{one['lines']:,}", *spent, f"{one['memory_kb'] / 1024:.0f}", waited


def main() -> int:
    """The command line; how to use it stands above."""
    options = parser(__doc__)
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--base", type=int, default=10_000, help="what a line's cost is compared with (10,000)")
    options.add_argument("--measure", nargs=2, metavar=("FOLDER", "URL"), help=argparse.SUPPRESS)
    options.add_argument("--kind", help=argparse.SUPPRESS)
    options.add_argument("--server", type=int, default=0, help=argparse.SUPPRESS)
    options.add_argument("--wait", metavar="URL", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.wait:
        sys.stdout.write(str(wait_here(chosen.wait)))
        return 0
    if chosen.measure:
        folder, url = chosen.measure
        found = measure_here(Path(folder), url, kind=chosen.kind, lines=chosen.lines, server=chosen.server)
        sys.stdout.write(json.dumps(found))
        return 0
    return ended(measure(lines=chosen.lines, base=chosen.base), chosen.report)


if __name__ == "__main__":
    sys.exit(main())
