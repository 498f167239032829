"""Two to four partial returns at once, again and again.

    python -m long.parallel --rounds 1000

On SQLite and on PostgreSQL. Exit status 0: never more came back than was captured; 1: it did, its seed is told.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from _parallel_returns import POLICIES, check
from long.report import Report, ended, hum, parser
from long.servers import PostgresServer, SandboxServer
from punktgenau import Client
from punktgenau.checkout import Checkout, Settings

DATABASES = ("sqlite", "postgresql")


def run(database: str, *, first: int, rounds: int) -> list[str]:
    """What went wrong on one database, one line per broken round."""
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="punktgenau-returns-") as name:
        folder = Path(name)
        provider = SandboxServer(folder / "provider.sqlite")
        postgres = PostgresServer(folder) if database == "postgresql" else None
        url = postgres.url if postgres else f"sqlite:///{folder / 'journal.sqlite'}"
        try:
            if postgres:
                postgres.start()
            provider.start()
            clients = [Client(provider.url, client_id="demo-shop", client_secret="demo-secret") for _ in range(2)]
            shops = {
                policy: tuple(
                    Checkout(client, url, settings=Settings(refund_policy=policy, deadline_s=20)) for client in clients
                )
                for policy in POLICIES
            }
            start = shops["proportional"][0]
            start.upgrade()
            start.link("anna", member_id="mbr_2500", consent_id="con_1")
            start.balance("anna", max_age_s=0)
            for seed in range(first, first + rounds):
                one, other = shops[POLICIES[seed % len(POLICIES)]]
                try:
                    check(
                        seed,
                        (one, other),
                        order=f"A-{seed}",
                        seen=lambda order: clients[0].redemptions.find(order_reference=order)[0],
                    )
                except AssertionError as error:
                    broken.append(str(error))
                if seed % 25 == 24:
                    hum(f"{database}: {seed + 1 - first:,} of {rounds:,} rounds")
            for pair in shops.values():
                for shop in pair:
                    shop.close()
        finally:
            provider.stop()
            if postgres:
                postgres.stop()
    return broken


def main() -> int:
    """The command line; how to use it stands above."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=1000)
    options.add_argument("--first", type=int, default=0, metavar="SEED", help="the first round's seed (0)")
    options.add_argument("--database", choices=DATABASES, help="only this one")
    chosen = options.parse_args()
    if chosen.rounds < 1:
        options.error("--rounds begins at 1")
    report = Report("parallel")
    for database in (chosen.database,) if chosen.database else DATABASES:
        started = time.monotonic()
        broken = run(database, first=chosen.first, rounds=chosen.rounds)
        what = f"{database}: of {chosen.rounds:,} times two to four returns at once, broken"
        report.figure(what, len(broken), "0", not broken)
        report.note(f"{database}: seeds {chosen.first} to {chosen.first + chosen.rounds - 1}, {_s(started)}.")
        for line in broken[:20]:
            report.note(f"- {line}")
    return ended(report, chosen.report)


def _s(since: float) -> str:
    return f"{time.monotonic() - since:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
