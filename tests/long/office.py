"""The back office in a journal with a million redemptions and with a thousand: the list, and one redemption.

python -m long.office --redemptions 1000000
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.filling import fill_postgres, fill_sqlite
from bench.measure import Call, in_turn, microseconds, ratio
from bench.stub import CART, engine
from long.report import Report, ended, parser, say
from long.servers import PostgresServer
from punktgenau.checkout import Checkout
from punktgenau.checkout.office import Office
from punktgenau.checkout.searching import Search

MOST = 1.5
FEW = 1_000
CLOCKS = {"sqlite": time.process_time, "postgresql": time.perf_counter}
"""What a server spends is no time of this process, so there the wall's clock counts."""
ROUNDS, SIZE = 31, 8


def measure(databases: Sequence[str], *, redemptions: int) -> Report:
    """On each kind of database, both journals in turn."""
    report = Report("office")
    rows = []
    for database in databases:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="punktgenau-office-")))
            calls: dict[str, dict[str, Call]] = {}
            for count in (FEW, redemptions):
                url = _address(stack, folder, database, count)
                checkout = stack.enter_context(engine(url))
                say(f"{database}: writing {count:,} redemptions ...")
                for name, call in _filled(checkout, database, count).items():
                    calls.setdefault(name, {})["many" if count == redemptions else "few"] = call
            for name, pair in calls.items():
                spent = in_turn(pair, size=SIZE, rounds=ROUNDS, clock=CLOCKS[database])
                found = ratio(spent["many"], spent["few"])
                what = f"{database}: {name} among {redemptions:,}, of what it takes among {FEW:,}"
                report.figure(what, f"{found.middle:.2f}", f"<= {MOST}", found.middle <= MOST)
                rows.append((database, name, microseconds(spent["many"]), microseconds(spent["few"]), str(found)))
                say(f"{what}: {found}")
    report.note(
        "SQLite by processor time, PostgreSQL by the wall's clock; the middle of neighbours' ratios (quartiles)."
    )
    report.table(("database", "what", f"among {redemptions:,}", f"among {FEW:,}", "ratio"), rows)
    return report


def _address(stack: ExitStack, folder: Path, database: str, count: int) -> str:
    if database == "sqlite":
        return f"sqlite:///{folder / f'{count}.sqlite'}"
    (folder / str(count)).mkdir()
    server = PostgresServer(folder / str(count))
    stack.callback(server.stop)
    server.start()
    return server.url


def _filled(checkout: Checkout, database: str, count: int) -> dict[str, Call]:
    """A journal with so many, and what is asked of it."""
    for number in range(3):
        checkout.authorize(f"A-{number}", CART, customer_id="customer-0", points=427)
        checkout.capture(f"A-{number}")
    (fill_sqlite if database == "sqlite" else fill_postgres)(checkout, count)
    office = Office(checkout)
    first = office.searching.page(Search())
    mine = office.searching.attempts("A-1")[0].id
    assert first.items
    return {"the list": lambda: office.searching.page(Search()), "one redemption": lambda: office.whole(mine)}


def main() -> int:
    """0 when the past costs next to nothing."""
    options = parser(__doc__)
    options.add_argument("--redemptions", type=int, default=1_000_000)
    options.add_argument("--database", choices=CLOCKS, action="append", dest="databases")
    chosen = options.parse_args()
    return ended(measure(chosen.databases or tuple(CLOCKS), redemptions=chosen.redemptions), chosen.report)


if __name__ == "__main__":
    sys.exit(main())
