"""The parts of the long run: what each is, how large, and how long it takes on a processor of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A module `long.<name>` that writes its own section."""

    name: str
    about: str
    minutes: float
    """What it takes with the processors that it is given; only an order of parts, nothing is judged by it."""
    size: Mapping[str, int] = field(default_factory=dict)
    """Its options of size, as they are in full."""
    least: int = 1
    """Smaller than so much it says nothing, whatever share of it is asked for."""
    spreads: bool = False
    """Takes `--processes`."""
    small: tuple[str, ...] = ()
    """What it is told besides where less than all is asked for."""
    postgres: bool = False
    """Starts a PostgreSQL, one at a time: the last to stop gives folders above it their modes back."""
    alone: bool = False
    """Needs all processors: it measures time, or what it is about is several processes at once."""

    def arguments(self, *, processors: int, share: float = 1.0) -> list[str]:
        """Its command line after Python's name."""
        made = ["-m", f"long.{self.name}"]
        if self.spreads:
            made += ["--processes", str(processors)]
        if share < 1:
            made += self.small
            for option, full in self.size.items():
                made += [option, str(max(min(self.least, full), round(full * share)))]
        return made


ALL = (
    Part(
        name="histories",
        about="10,000 simulated histories, and what they reach",
        minutes=3,
        size={"--histories": 10_000},
        spreads=True,
        alone=True,
    ),
    Part(
        name="kills",
        about="5,000 orders on SQLite and on PostgreSQL while processes and servers are killed",
        minutes=6,
        size={"--orders": 5_000, "--kills": 200},
        least=5,
        alone=True,
    ),
    Part(name="wal", about="a write-ahead log cut at every 512 bytes", minutes=1, size={"--orders": 20}),
    Part(
        name="views",
        about="1,000 killed checkouts, neither worker nor cron, 200 page views",
        minutes=4,
        size={"--checkouts": 1_000, "--views": 200},
        least=20,
    ),
    Part(name="unknowns", about="recovery of 10,000 lost answers", minutes=2, size={"--rows": 10_000}, least=200),
    Part(
        name="memory",
        about="100,000 operations of one process",
        minutes=4.5,
        size={"--operations": 100_000},
        least=1000,
    ),
    Part(name="deadlines", about="the longest time until control is back", minutes=2.5, size={"--repeats": 3}),
    Part(
        name="outage",
        about="requests per operation while the provider is away",
        minutes=1.5,
        size={"--operations": 10_000},
        least=2_000,
    ),
    Part(
        name="returns",
        about="100,000 histories of returns",
        minutes=4,
        size={"--histories": 100_000},
        spreads=True,
    ),
    Part(
        name="parallel",
        about="1,000 times two to four returns at once, on SQLite and on PostgreSQL",
        minutes=2.5,
        size={"--rounds": 1_000},
        postgres=True,
    ),
    Part(
        name="reconcile",
        about="1,000,000 lines of a statement with 40 planted differences",
        minutes=2.5,
        size={"--lines": 1_000_000},
        least=50_000,
    ),
    Part(
        name="tax",
        about="the tax report of 500,000 lines over 250,000 orders",
        minutes=3,
        size={"--orders": 250_000},
        least=20_000,
    ),
    Part(
        name="articles",
        about="importing 1,000,000 articles, CSV and JSON, on SQLite and on PostgreSQL",
        minutes=5,
        size={"--lines": 1_000_000},
        least=20_000,
        postgres=True,
    ),
    Part(
        name="office",
        about="the back office's list and one redemption in a journal of 1,000,000",
        minutes=2.5,
        size={"--redemptions": 1_000_000},
        least=20_000,
        postgres=True,
    ),
    Part(
        name="fuzz",
        about="50,000 hostile requests to every route of shop, back office and sandbox",
        minutes=8,
        size={"--cases": 50_000},
    ),
    Part(name="planted", about="planted bugs", minutes=3, size={"--histories": 200}, least=200, spreads=True),
    Part(
        name="mutants",
        about="generated mutants of journal and executor",
        minutes=25,
        small=("--only", "m0003_return", "--tests", "checkout/test_unique.py"),
        spreads=True,
    ),
)
NAMED = {part.name: part for part in ALL}
