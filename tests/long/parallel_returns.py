"""Two to four partial returns at once, again and again: `python tests/long/parallel_returns.py --rounds 1000`.

On SQLite and on PostgreSQL. Exit status 0: never more came back than was captured; 1: it did, its seed is told.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
DATABASES = ("sqlite", "postgresql")


def run(database: str, *, first: int, rounds: int) -> list[str]:
    """What went wrong on one database, one line per broken round."""
    from _parallel_returns import POLICIES, check
    from long.servers import PostgresServer, SandboxServer
    from punktgenau import Client
    from punktgenau.checkout import Checkout, Settings

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
                    sys.stderr.write(f"\r{database}: {seed + 1 - first:,} of {rounds:,} rounds   ")
                    sys.stderr.flush()
            for pair in shops.values():
                for shop in pair:
                    shop.close()
        finally:
            provider.stop()
            if postgres:
                postgres.stop()
    return broken


def main(arguments: list[str]) -> int:
    """The command line; how to use it stands above."""
    parser = argparse.ArgumentParser(
        prog="python tests/long/parallel_returns.py", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first round's seed (0)")
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds begins at 1")
    status = 0
    for database in (options.database,) if options.database else DATABASES:
        started = time.monotonic()
        broken = run(database, first=options.first, rounds=options.rounds)
        sys.stderr.write("\n")
        for line in broken[:20]:
            sys.stdout.write(f"{line}\n")
        seconds = time.monotonic() - started
        sys.stdout.write(
            f"{options.rounds:,} times up to four at once on {database} in {seconds:.0f} s, {len(broken)} broken\n"
        )
        status = 1 if broken else status
    return status


if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
